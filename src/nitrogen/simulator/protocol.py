"""The mirror of `agent/protocol.h`: messages, and the board of mapped memory.

Knows sizes and offsets; a test compiles `agent/tests/print_layout.c` and compares every one.

Counters: the agent counts in `Header.seen` (by name: `Board.seen()`, names in `SEEN`) what it has
seen of the game, one counter per group of hooks. Of a game that presents nothing or ignores the pad
they tell which hook never fired; `PRESENTS` and `INITS` name the counters of those kinds.

Modes: `Header.mode` is set before the start and may be changed at any time (`Board.mode`); a change
takes effect at the next present.

- `MODE_STEPPED`: virtual clock; every present waits for a request.
- `MODE_REALTIME`: the machine's own clock; every present waits for a request.
- `MODE_FREE`: the virtual clock goes on from where it is with real time; a present waits only for
  the native rate. The pad is what `Board.hold` wrote last; each frame is published in the board
  with its number, virtual time and real time (`Board.published`, `Board.wait_published`). The first
  free frame still answers the last STEP (or the start) with FRAME, nothing after it does; CAPTURE,
  FORK and QUIT are answered at the next present, EXIT comes as ever. To stop: set `MODE_STEPPED`
  and wait for a FRAME (`Channel.wait_frame`); the game is then parked as before.
"""

import ctypes
from ctypes import c_char, c_float, c_int32, c_int64, c_uint32, c_uint64

from nitrogen.actions import BUTTONS, FRAME_SIZE, STICKS

MAGIC = 0x4E475431
VERSION = 2
OBSERVATION_BYTES = FRAME_SIZE * FRAME_SIZE * 3
HEADER_BYTES = 4096
PICTURE_OFFSET = HEADER_BYTES + OBSERVATION_BYTES
TEXT_BYTES = 128
KEY_CONTROLS = (
    *BUTTONS,
    *(f"{stick}{sign}" for stick in STICKS for sign in "-+"),
)
"""What a key table maps: buttons, then each stick axis below (-) and above (+) its centre."""

STEP, CAPTURE, FORK, QUIT = 1, 2, 3, 4
FLAG_UNSEEN, FLAG_SKIP_DRAWING = 1, 2
FRAMES_LIMIT = 100_000
"""A step of more frames is refused."""
FRAME, PICTURE, FORKED, EXIT, FAILED = 16, 17, 18, 19, 20
MODE_STEPPED, MODE_REALTIME, MODE_FREE = 0, 1, 2
KEY_MOUSE = 0x1000
"""A key number at or above this is a mouse button."""
MOUSE_NONE, MOUSE_RELATIVE, MOUSE_ABSOLUTE = 0, 1, 2

INITS = ("sdl12_init", "sdl2_init", "sdl3_init")
PRESENTS = (
    "present_sdl12", "present_sdl12_gl", "present_sdl2_renderer", "present_sdl2_surface",
    "present_sdl2_gl", "present_sdl3_renderer", "present_sdl3_surface", "present_sdl3_gl",
    "present_glx", "present_egl", "present_vulkan",
)  # fmt: skip
SEEN = (
    "load", "clock", "sleep", "random", *INITS, "pad_added", "pad_open", "pad_read", "events",
    "udev", "keys", "mouse", *PRESENTS, "escape", "late",
)  # fmt: skip
"""What the agent counts, in the order of its enumeration."""
SEEN_COUNT = 40


class Pad(ctypes.Structure):
    """`ng_pad`: one row of Actions."""

    _fields_ = (
        ("buttons", c_float * len(BUTTONS)),
        ("sticks", c_float * len(STICKS)),
    )


class Request(ctypes.Structure):
    """`ng_request`: from Python to the agent."""

    _fields_ = (
        ("version", c_uint32),
        ("kind", c_uint32),
        ("frames", c_uint32),
        ("flags", c_uint32),
        ("seed", c_uint64),
        ("pad", Pad),
        ("reserved", c_uint32),
    )


class Reply(ctypes.Structure):
    """`ng_reply`: from the agent to Python."""

    _fields_ = (
        ("version", c_uint32),
        ("kind", c_uint32),
        ("time_ns", c_int64),
        ("frame", c_uint64),
        ("width", c_int32),
        ("height", c_int32),
        ("pid", c_int32),
        ("status", c_int32),
        ("text", c_char * TEXT_BYTES),
    )


class Mouse(ctypes.Structure):
    """`ng_mouse`: a stick that moves the mouse."""

    _fields_ = (("kind", c_uint32), ("stick", c_uint32), ("reach", c_float))


class Header(ctypes.Structure):
    """`ng_board`: the head of the mapped memory."""

    _fields_ = (
        ("magic", c_uint32),
        ("version", c_uint32),
        ("epoch_ns", c_int64),
        ("rate_numerator", c_uint32),
        ("rate_denominator", c_uint32),
        ("seed", c_uint64),
        ("mode", c_uint32),
        ("picture_bytes", c_uint32),
        ("keys", c_int32 * len(KEY_CONTROLS)),
        ("mouse", Mouse),
        ("pad_sequence", c_uint32),
        ("pad", Pad),
        ("frame_sequence", c_uint32),
        ("frame", c_uint64),
        ("frame_time_ns", c_int64),
        ("frame_real_ns", c_int64),
        ("pid", c_int32),
        ("picture_width", c_int32),
        ("picture_height", c_int32),
        ("seen", c_uint32 * SEEN_COUNT),
    )
