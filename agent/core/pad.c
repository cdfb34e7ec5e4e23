#include "pad.h"

#include <stddef.h>

static ng_pad held;

static const pad_driver *const drivers[] = {&pad_sdl, &pad_sdl3, &pad_files, &pad_keys};

static float clamp(float value, float low)
{
    if (!(value >= low)) /* also NaN */
        return value < low ? low : 0.0f;
    return value > 1.0f ? 1.0f : value;
}

void pad_set(const ng_pad *pad)
{
    for (int i = 0; i < NG_BUTTON_COUNT; i++)
        held.buttons[i] = clamp(pad->buttons[i], 0.0f);
    for (int i = 0; i < NG_STICK_COUNT; i++)
        held.sticks[i] = clamp(pad->sticks[i], -1.0f);
}

const ng_pad *pad_state(void)
{
    return &held;
}

void pad_apply(void)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        drivers[i]->apply(&held);
}

static int16_t stick_to_raw(float value)
{
    return (int16_t)(value < 0 ? value * 32768.0f : value * 32767.0f);
}

static int16_t trigger_to_raw(float value)
{
    return (int16_t)(value * 65535.0f - 32768.0f);
}

void pad_to_raw(const ng_pad *pad, pad_raw *raw)
{
    static const uint8_t order[NG_RAW_BUTTONS] = {
        NG_SOUTH, NG_EAST, NG_WEST, NG_NORTH, NG_LEFT_SHOULDER, NG_RIGHT_SHOULDER,
        NG_BACK, NG_START, NG_GUIDE, NG_LEFT_THUMB, NG_RIGHT_THUMB,
    };
    const float *buttons = pad->buttons;
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        raw->buttons[i] = buttons[order[i]] > NG_PRESSED;
    raw->axes[0] = stick_to_raw(pad->sticks[NG_LEFT_X]);
    raw->axes[1] = stick_to_raw(pad->sticks[NG_LEFT_Y]);
    raw->axes[2] = trigger_to_raw(buttons[NG_LEFT_TRIGGER]);
    raw->axes[3] = stick_to_raw(pad->sticks[NG_RIGHT_X]);
    raw->axes[4] = stick_to_raw(pad->sticks[NG_RIGHT_Y]);
    raw->axes[5] = trigger_to_raw(buttons[NG_RIGHT_TRIGGER]);
    raw->hat_x = (int8_t)((buttons[NG_DPAD_RIGHT] > NG_PRESSED) -
                          (buttons[NG_DPAD_LEFT] > NG_PRESSED));
    raw->hat_y = (int8_t)((buttons[NG_DPAD_DOWN] > NG_PRESSED) -
                          (buttons[NG_DPAD_UP] > NG_PRESSED));
}
