/* The pad's state: clamping, and the raw layout that games have mappings for. */
#include "../core/pad.h"

#include <math.h>
#include <string.h>

#include "check.h"

static void ignore(const ng_pad *pad)
{
    (void)pad;
}

const pad_driver pad_sdl = {"none", ignore};
const pad_driver pad_sdl3 = {"none", ignore};
const pad_driver pad_files = {"none", ignore};
const pad_driver pad_keys = {"none", ignore};

int main(void)
{
    ng_pad pad = {0};
    pad_raw raw;

    pad.buttons[NG_SOUTH] = 7.0f;
    pad.buttons[NG_LEFT_TRIGGER] = NAN;
    pad.sticks[NG_LEFT_X] = -INFINITY;
    pad.sticks[NG_RIGHT_Y] = NAN;
    pad_set(&pad);
    CHECK(pad_state()->buttons[NG_SOUTH] == 1.0f);
    CHECK(pad_state()->buttons[NG_LEFT_TRIGGER] == 0.0f);
    CHECK(pad_state()->sticks[NG_LEFT_X] == -1.0f);
    CHECK(pad_state()->sticks[NG_RIGHT_Y] == 0.0f);

    memset(&pad, 0, sizeof pad);
    pad_to_raw(&pad, &raw);
    CHECK(raw.axes[0] == 0 && raw.axes[2] == -32768 && raw.axes[5] == -32768);
    CHECK(raw.hat_x == 0 && raw.hat_y == 0);

    pad.buttons[NG_SOUTH] = pad.buttons[NG_RIGHT_THUMB] = pad.buttons[NG_RIGHT_TRIGGER] = 1.0f;
    pad.buttons[NG_DPAD_UP] = pad.buttons[NG_DPAD_LEFT] = 1.0f;
    pad.sticks[NG_LEFT_Y] = 1.0f;
    pad.sticks[NG_RIGHT_X] = -1.0f;
    pad_to_raw(&pad, &raw);
    CHECK(raw.buttons[0] == 1 && raw.buttons[10] == 1 && raw.buttons[1] == 0);
    CHECK(raw.axes[1] == 32767 && raw.axes[3] == -32768 && raw.axes[5] == 32767);
    CHECK(raw.hat_x == -1 && raw.hat_y == -1); /* y grows down */

    pad.buttons[NG_DPAD_DOWN] = 1.0f; /* both: neither */
    pad_to_raw(&pad, &raw);
    CHECK(raw.hat_y == 0);
    return 0;
}
