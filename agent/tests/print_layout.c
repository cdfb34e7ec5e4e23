/* Prints size and offsets of what Python mirrors; compared by tests/simulator/test_protocol.py. */
#include <stdio.h>

#include "../protocol.h"

#define SIZE(type) printf(#type " %zu\n", sizeof(type))
#define FIELD(type, field) printf(#type "." #field " %zu\n", offsetof(type, field))
#define VALUE(name) printf(#name " %lld\n", (long long)name)

int main(void)
{
    SIZE(ng_pad);
    FIELD(ng_pad, buttons);
    FIELD(ng_pad, sticks);
    SIZE(ng_request);
    FIELD(ng_request, version);
    FIELD(ng_request, kind);
    FIELD(ng_request, frames);
    FIELD(ng_request, flags);
    FIELD(ng_request, seed);
    FIELD(ng_request, pad);
    FIELD(ng_request, reserved);
    SIZE(ng_reply);
    FIELD(ng_reply, version);
    FIELD(ng_reply, kind);
    FIELD(ng_reply, time_ns);
    FIELD(ng_reply, frame);
    FIELD(ng_reply, width);
    FIELD(ng_reply, height);
    FIELD(ng_reply, pid);
    FIELD(ng_reply, status);
    FIELD(ng_reply, text);
    SIZE(ng_board);
    SIZE(ng_mouse);
    FIELD(ng_mouse, kind);
    FIELD(ng_mouse, stick);
    FIELD(ng_mouse, reach);
    FIELD(ng_board, magic);
    FIELD(ng_board, version);
    FIELD(ng_board, epoch_ns);
    FIELD(ng_board, rate_numerator);
    FIELD(ng_board, rate_denominator);
    FIELD(ng_board, seed);
    FIELD(ng_board, mode);
    FIELD(ng_board, picture_bytes);
    FIELD(ng_board, keys);
    FIELD(ng_board, mouse);
    FIELD(ng_board, pad_sequence);
    FIELD(ng_board, pad);
    FIELD(ng_board, frame_sequence);
    FIELD(ng_board, frame);
    FIELD(ng_board, frame_time_ns);
    FIELD(ng_board, frame_real_ns);
    FIELD(ng_board, pid);
    FIELD(ng_board, picture_width);
    FIELD(ng_board, picture_height);
    FIELD(ng_board, seen);
    VALUE(NG_MAGIC);
    VALUE(NG_VERSION);
    VALUE(NG_OBSERVATION_BYTES);
    VALUE(NG_HEADER_BYTES);
    VALUE(NG_PICTURE_OFFSET);
    VALUE(NG_TEXT_BYTES);
    VALUE(NG_KEY_COUNT);
    VALUE(NG_SEEN_COUNT);
    VALUE(NG_STEP);
    VALUE(NG_CAPTURE);
    VALUE(NG_FORK);
    VALUE(NG_QUIT);
    VALUE(NG_FRAME);
    VALUE(NG_PICTURE);
    VALUE(NG_FORKED);
    VALUE(NG_EXIT);
    VALUE(NG_FAILED);
    VALUE(NG_FRAMES_LIMIT);
    VALUE(NG_FLAG_UNSEEN);
    VALUE(NG_FLAG_SKIP_DRAWING);
    VALUE(NG_MODE_STEPPED);
    VALUE(NG_MODE_REALTIME);
    VALUE(NG_MODE_FREE);
    VALUE(NG_KEY_MOUSE);
    VALUE(NG_MOUSE_NONE);
    VALUE(NG_MOUSE_RELATIVE);
    VALUE(NG_MOUSE_ABSOLUTE);
    return 0;
}
