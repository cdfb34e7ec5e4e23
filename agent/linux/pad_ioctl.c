#include "pad_ioctl.h"

#include <errno.h>
#include <linux/input.h>
#include <linux/joystick.h>
#include <string.h>

#include "hook.h"

#define BUS 3 /* USB */
#define DEVICE_VERSION 0x0110
#define TRIGGER_MOST 255
#define JS_MOST 32767

int pad_code(int index)
{
    static const uint16_t codes[NG_PAD_VALUES] = {
        BTN_A, BTN_B, BTN_X, BTN_Y, BTN_TL, BTN_TR, BTN_SELECT, BTN_START, BTN_MODE, BTN_THUMBL,
        BTN_THUMBR, ABS_X, ABS_Y, ABS_Z, ABS_RX, ABS_RY, ABS_RZ, ABS_HAT0X, ABS_HAT0Y,
    };
    return codes[index];
}

static bool is_trigger(int index)
{
    return index == NG_RAW_BUTTONS + 2 || index == NG_RAW_BUTTONS + 5;
}

static bool is_hat(int index)
{
    return index >= NG_RAW_BUTTONS + NG_RAW_AXES;
}

int pad_evdev_value(int index, int value)
{
    return is_trigger(index) ? ((value + 32768) * TRIGGER_MOST + 32767) / 65535 : value;
}

int pad_js_value(int index, int value)
{
    if (is_hat(index))
        return value * JS_MOST;
    return value < -JS_MOST ? -JS_MOST : value;
}

/* Copies what fits and returns its size, as these ioctls do. */
static int give(void *argument, unsigned long request, const void *answer, size_t size)
{
    size_t room = _IOC_SIZE(request);
    size_t part = size < room ? size : room;
    memset(argument, 0, room);
    memcpy(argument, answer, part);
    return (int)part;
}

static void set_bit(uint8_t *bits, int bit)
{
    bits[bit / 8] = (uint8_t)(bits[bit / 8] | 1 << (bit % 8));
}

static int give_bits(unsigned long request, void *argument, int type)
{
    uint8_t bits[(KEY_MAX + 8) / 8] = {0};
    if (type == 0) {
        set_bit(bits, EV_SYN);
        set_bit(bits, EV_KEY);
        set_bit(bits, EV_ABS);
    }
    for (int i = 0; i < NG_PAD_VALUES; i++)
        if (type == (i < NG_RAW_BUTTONS ? EV_KEY : EV_ABS))
            set_bit(bits, pad_code(i));
    return give(argument, request, bits, sizeof bits);
}

static int give_pressed(unsigned long request, void *argument)
{
    uint8_t bits[(KEY_MAX + 8) / 8] = {0};
    int values[NG_PAD_VALUES];
    pad_file_values(values);
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        if (values[i])
            set_bit(bits, pad_code(i));
    return give(argument, request, bits, sizeof bits);
}

static int give_axis(int code, void *argument)
{
    int values[NG_PAD_VALUES];
    pad_file_values(values);
    for (int i = NG_RAW_BUTTONS; i < NG_PAD_VALUES; i++) {
        if (pad_code(i) != code)
            continue;
        struct input_absinfo info = {.value = pad_evdev_value(i, values[i])};
        info.minimum = is_hat(i) ? -1 : is_trigger(i) ? 0 : -32768;
        info.maximum = is_hat(i) ? 1 : is_trigger(i) ? TRIGGER_MOST : 32767;
        info.fuzz = is_hat(i) || is_trigger(i) ? 0 : 16;
        info.flat = is_hat(i) || is_trigger(i) ? 0 : 128;
        memcpy(argument, &info, sizeof info);
        return 0;
    }
    errno = EINVAL;
    return -1;
}

int pad_evdev_ioctl(pad_file *file, unsigned long request, void *argument)
{
    static const struct input_id identity = {BUS, NG_PAD_VENDOR, NG_PAD_PRODUCT, DEVICE_VERSION};
    int number = (int)_IOC_NR(request);
    int bit = number - 0x20, axis = number - 0x40; /* EVIOCGBIT, EVIOCGABS */
    agent_saw(NG_SEEN_PAD_READ);
    if (_IOC_TYPE(request) != 'E') {
        errno = ENOTTY;
        return -1;
    }
    if (request == EVIOCGVERSION)
        return *(int *)argument = EV_VERSION, 0;
    if (request == EVIOCGID)
        return memcpy(argument, &identity, sizeof identity), 0;
    if (request == EVIOCSCLOCKID)
        return file->clock = *(const int *)argument, 0;
    if (request == EVIOCGEFFECTS)
        return *(int *)argument = 0, 0;
    if (request == EVIOCGRAB)
        return 0;
    if (_IOC_DIR(request) != _IOC_READ) {
        errno = EINVAL; /* no rumble, no change of its axes */
        return -1;
    }
    if (number == (int)_IOC_NR(EVIOCGNAME(0)))
        return give(argument, request, NG_PAD_NAME, sizeof NG_PAD_NAME);
    if (number == (int)_IOC_NR(EVIOCGPHYS(0)) || number == (int)_IOC_NR(EVIOCGUNIQ(0)))
        return give(argument, request, "", 1);
    if (number == (int)_IOC_NR(EVIOCGKEY(0)))
        return give_pressed(request, argument);
    if (bit >= 0 && bit < EV_MAX)
        return give_bits(request, argument, bit);
    if (axis >= 0 && axis <= ABS_MAX)
        return give_axis(axis, argument);
    return give(argument, request, "", 0); /* lamps, sounds, switches, properties: none */
}

int pad_js_ioctl(unsigned long request, void *argument)
{
    uint8_t axes[NG_RAW_AXES + 2];
    uint16_t buttons[NG_RAW_BUTTONS];
    agent_saw(NG_SEEN_PAD_READ);
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        buttons[i] = (uint16_t)pad_code(i);
    for (int i = 0; i < NG_RAW_AXES + 2; i++)
        axes[i] = (uint8_t)pad_code(NG_RAW_BUTTONS + i);
    if (request == JSIOCGVERSION)
        return *(uint32_t *)argument = JS_VERSION, 0;
    if (request == JSIOCGAXES)
        return *(uint8_t *)argument = sizeof axes, 0;
    if (request == JSIOCGBUTTONS)
        return *(uint8_t *)argument = NG_RAW_BUTTONS, 0;
    if (_IOC_TYPE(request) == 'j' && _IOC_NR(request) == _IOC_NR(JSIOCGNAME(0)))
        return give(argument, request, NG_PAD_NAME, sizeof NG_PAD_NAME);
    if (request == JSIOCGAXMAP)
        return give(argument, request, axes, sizeof axes), 0;
    if (request == JSIOCGBTNMAP)
        return give(argument, request, buttons, sizeof buttons), 0;
    errno = EINVAL;
    return -1;
}
