"""The mirror of `agent/protocol.h`: messages, and the board of mapped memory.

Knows sizes and offsets; a test compiles `agent/tests/print_layout.c` and compares every one.
"""

import ctypes
from ctypes import c_char, c_float, c_int32, c_int64, c_uint32, c_uint64

from nitrogen.actions import BUTTONS, FRAME_SIZE, STICKS

MAGIC = 0x4E475431
VERSION = 1
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
FRAME, PICTURE, FORKED, EXIT, FAILED = 16, 17, 18, 19, 20
MODE_REALTIME = 1

SEEN = (
    "load", "clock", "sleep", "sdl_init", "pad_added", "pad_open", "present_sdl", "present_gl",
    "present_vulkan", "escape", "late", "keys",
)  # fmt: skip
"""What the agent counts, in the order of its enumeration."""
SEEN_COUNT = 16


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
        ("pid", c_int32),
        ("picture_width", c_int32),
        ("picture_height", c_int32),
        ("seen", c_uint32 * SEEN_COUNT),
    )
