/* The only contract between the agent and Python: messages, and the board of mapped memory.
 *
 * Requests and replies are fixed-size messages over a local SOCK_SEQPACKET socket. The board is one
 * mapped file: a header that Python fills before the game starts and the agent reports in, then the
 * observation, then the picture at window size. `nitrogen.simulator.protocol` mirrors this file; a
 * test compares every size and offset.
 */
#ifndef NG_PROTOCOL_H
#define NG_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#define NG_MAGIC 0x4e475431u
#define NG_VERSION 2u

#define NG_BUTTON_COUNT 17
#define NG_STICK_COUNT 4
#define NG_KEY_COUNT (NG_BUTTON_COUNT + 2 * NG_STICK_COUNT)

#define NG_OBSERVATION_SIZE 256
#define NG_OBSERVATION_BYTES (NG_OBSERVATION_SIZE * NG_OBSERVATION_SIZE * 3)
#define NG_HEADER_BYTES 4096
#define NG_PICTURE_OFFSET (NG_HEADER_BYTES + NG_OBSERVATION_BYTES)
#define NG_TEXT_BYTES 128

/* Alphabetical: the order of nitrogen.actions.BUTTONS and STICKS. */
enum {
    NG_BACK, NG_DPAD_DOWN, NG_DPAD_LEFT, NG_DPAD_RIGHT, NG_DPAD_UP, NG_EAST, NG_GUIDE,
    NG_LEFT_SHOULDER, NG_LEFT_THUMB, NG_LEFT_TRIGGER, NG_NORTH, NG_RIGHT_SHOULDER,
    NG_RIGHT_THUMB, NG_RIGHT_TRIGGER, NG_SOUTH, NG_START, NG_WEST
};
enum { NG_LEFT_X, NG_LEFT_Y, NG_RIGHT_X, NG_RIGHT_Y };

/* The pad: buttons in [0, 1] (a trigger is its travel), sticks in [-1, 1], y grows down. */
typedef struct {
    float buttons[NG_BUTTON_COUNT];
    float sticks[NG_STICK_COUNT];
} ng_pad;

/* Requests, from Python. */
enum {
    NG_STEP = 1,    /* hold `pad` and run `frames` frames; answered by NG_FRAME */
    NG_CAPTURE = 2, /* write the picture at window size; answered by NG_PICTURE */
    NG_FORK = 3,    /* copy the game; carries a socket and a board; the copy answers NG_FRAME */
    NG_QUIT = 4     /* end the game at once */
};
#define NG_FRAMES_LIMIT 100000u /* STEP: more are refused */
#define NG_FLAG_UNSEEN 1u /* STEP: nobody will look at the observation, leave it out */
#define NG_FLAG_SKIP_DRAWING 2u /* STEP: the frames before the last one need not be drawn */

typedef struct {
    uint32_t version;
    uint32_t kind;
    uint32_t frames;
    uint32_t flags;
    uint64_t seed; /* FORK: what the randomness of the copy starts from */
    ng_pad pad;
    uint32_t reserved;
} ng_request;

/* Replies, from the agent. */
enum {
    NG_FRAME = 16,   /* a frame is ready and the game waits */
    NG_PICTURE = 17, /* the picture is in the board */
    NG_FORKED = 18,  /* `pid` is the copy; the original waits for further copies */
    NG_EXIT = 19,    /* the game has called exit(status) */
    NG_FAILED = 20   /* the request could not be met; `text` says why */
};

typedef struct {
    uint32_t version;
    uint32_t kind;
    int64_t time_ns; /* virtual time since the agent was loaded */
    uint64_t frame;  /* number of presented frames, the first is 0 */
    int32_t width;   /* of the window, in pixels */
    int32_t height;
    int32_t pid;
    int32_t status;
    char text[NG_TEXT_BYTES];
} ng_reply;

/* What the agent has seen of the game, counted; names the hook that never fired. */
enum {
    NG_SEEN_LOAD,       /* processes that loaded the agent */
    NG_SEEN_CLOCK,      /* reads of a clock */
    NG_SEEN_SLEEP,      /* sleeps and timed waits */
    NG_SEEN_RANDOM,     /* randomness asked for */
    NG_SEEN_SDL12_INIT, /* SDL 1.2, 2 or 3 initialised */
    NG_SEEN_SDL2_INIT,
    NG_SEEN_SDL3_INIT,
    NG_SEEN_PAD_ADDED,  /* a virtual pad was plugged in */
    NG_SEEN_PAD_OPEN,   /* the game opened a pad, by a library or as a device file */
    NG_SEEN_PAD_READ,   /* it asked the pad for its state */
    NG_SEEN_EVENTS,     /* it asked for events */
    NG_SEEN_UDEV,       /* it asked udev for devices */
    NG_SEEN_KEYS,       /* key events sent */
    NG_SEEN_MOUSE,      /* mouse events sent */
    NG_SEEN_PRESENT_SDL12, /* presents, by what shows them */
    NG_SEEN_PRESENT_SDL12_GL,
    NG_SEEN_PRESENT_SDL2_RENDERER,
    NG_SEEN_PRESENT_SDL2_SURFACE,
    NG_SEEN_PRESENT_SDL2_GL,
    NG_SEEN_PRESENT_SDL3_RENDERER,
    NG_SEEN_PRESENT_SDL3_SURFACE,
    NG_SEEN_PRESENT_SDL3_GL,
    NG_SEEN_PRESENT_GLX,
    NG_SEEN_PRESENT_EGL,
    NG_SEEN_PRESENT_VULKAN,
    NG_SEEN_ESCAPE,     /* times the clock moved because everything was blocked */
    NG_SEEN_LATE,       /* times a thread that was due did not settle in time */
    NG_SEEN_COUNT = 40
};

/* How time passes. A change takes effect at the next present. */
#define NG_MODE_STEPPED 0u  /* virtual clock; every present waits for a request */
#define NG_MODE_REALTIME 1u /* leave the clock alone; only stop at each frame */
#define NG_MODE_FREE 2u     /* the virtual clock follows real time from where it is; a present waits
                             * for nothing but the native rate, and publishes its frame */

/* Keys at or above this are no scancodes but mouse buttons: 1 left, 2 middle, 3 right, 4 and 5 the
 * wheel up and down. */
#define NG_KEY_MOUSE 0x1000

enum { NG_MOUSE_NONE, NG_MOUSE_RELATIVE, NG_MOUSE_ABSOLUTE };

/* A stick that moves the mouse. */
typedef struct {
    uint32_t kind;
    uint32_t stick; /* 0 left, 1 right */
    float reach;    /* relative: pixels per virtual second at full tilt; absolute: share of the half
                     * window that full tilt is away from its centre */
} ng_mouse;

typedef struct {
    uint32_t magic;
    uint32_t version;
    /* Written by Python before the game starts; `mode` also later. */
    int64_t epoch_ns; /* calendar time at load */
    uint32_t rate_numerator; /* native frames per second, as a fraction */
    uint32_t rate_denominator;
    uint64_t seed;
    uint32_t mode;
    uint32_t picture_bytes; /* room for the picture */
    int32_t keys[NG_KEY_COUNT]; /* SDL scancode, or 0: buttons, then each axis below and above 0 */
    ng_mouse mouse;
    /* Running free: what is held, written by Python; odd while it is being written. */
    uint32_t pad_sequence;
    ng_pad pad;
    /* Running free: the newest frame, written by the agent; odd while it is being written. A futex:
     * woken at each frame. The observation belongs to it. */
    uint32_t frame_sequence;
    uint64_t frame;
    int64_t frame_time_ns; /* virtual */
    int64_t frame_real_ns; /* CLOCK_MONOTONIC when the game presented it */
    /* Written by the agent. */
    int32_t pid;
    int32_t picture_width;
    int32_t picture_height;
    uint32_t seen[NG_SEEN_COUNT];
} ng_board;

_Static_assert(sizeof(ng_pad) == 84, "ng_pad");
_Static_assert(sizeof(ng_request) == 112, "ng_request");
_Static_assert(sizeof(ng_reply) == 168, "ng_reply");
_Static_assert(sizeof(ng_board) <= NG_HEADER_BYTES, "ng_board");

#endif
