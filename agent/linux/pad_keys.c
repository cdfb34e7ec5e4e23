/* Keys and the mouse for games that read no pad: the board's tables say which control is which key
 * or mouse button, and which stick moves the mouse. SDL games get SDL's events, others X11's. */
#include <math.h>

#include "../core/pad.h"
#include "frame.h"
#include "hook.h"
#include "input.h"

#define STICK_KEY 0.5f

static bool held[NG_KEY_COUNT];
static mouse_state mouse;
static int turned_x, turned_y; /* since the game last asked */
static double rest_x, rest_y;  /* of relative motion, below a pixel */

static bool wanted(const ng_pad *pad, int control)
{
    if (control < NG_BUTTON_COUNT)
        return pad->buttons[control] > NG_PRESSED;
    float value = pad->sticks[(control - NG_BUTTON_COUNT) / 2];
    return (control - NG_BUTTON_COUNT) % 2 ? value > STICK_KEY : value < -STICK_KEY;
}

static bool mouse_is_ours(void)
{
    if (agent_board->mouse.kind != NG_MOUSE_NONE)
        return true;
    for (int i = 0; i < NG_KEY_COUNT; i++)
        if (agent_board->keys[i] >= NG_KEY_MOUSE)
            return true;
    return false;
}

bool mouse_ask(bool relative, int *x, int *y, uint32_t *buttons)
{
    if (!mouse_is_ours())
        return false;
    *x = relative ? turned_x : mouse.x;
    *y = relative ? turned_y : mouse.y;
    *buttons = mouse.buttons;
    if (relative)
        turned_x = turned_y = 0;
    return true;
}

static int within(double place, int size)
{
    return place < 0 ? 0 : place > size - 1 ? size - 1 : (int)place;
}

/* Takes the whole pixels from a way, and leaves the rest. */
static int whole(double *way)
{
    double pixels = trunc(*way);
    *way -= pixels;
    return (int)pixels;
}

static void move_mouse(const ng_pad *pad)
{
    const ng_mouse *table = &agent_board->mouse;
    const float *stick = &pad->sticks[table->stick == 1 ? NG_RIGHT_X : NG_LEFT_X];
    double period = (double)agent_clock.denominator / (double)agent_clock.numerator;
    int width = 0, height = 0, major = input_sdl_in_use();
    mouse_state before = mouse;
    frame_size(&width, &height);
    if (table->kind == NG_MOUSE_NONE || width < 1 || height < 1)
        return;
    if (table->kind == NG_MOUSE_ABSOLUTE) {
        mouse.x = within(width / 2.0 * (1 + stick[0] * table->reach), width);
        mouse.y = within(height / 2.0 * (1 + stick[1] * table->reach), height);
        mouse.moved_x = mouse.x - before.x;
        mouse.moved_y = mouse.y - before.y;
    } else {
        rest_x += stick[0] * table->reach * period;
        rest_y += stick[1] * table->reach * period;
        mouse.moved_x = whole(&rest_x);
        mouse.moved_y = whole(&rest_y);
        mouse.x = within(mouse.x + mouse.moved_x, width);
        mouse.y = within(mouse.y + mouse.moved_y, height);
    }
    if (!mouse.moved_x && !mouse.moved_y)
        return;
    turned_x += mouse.moved_x;
    turned_y += mouse.moved_y;
    agent_saw(NG_SEEN_MOUSE);
    if (major)
        input_sdl_motion(major, &mouse);
    else
        input_x11_motion(&mouse, table->kind == NG_MOUSE_ABSOLUTE);
}

static void send_key(int scancode, bool down)
{
    int major = input_sdl_in_use();
    agent_saw(NG_SEEN_KEYS);
    if (major)
        input_sdl_key(major, scancode, down);
    else
        input_x11_key(scancode, down);
}

static void send_button(int button, bool down)
{
    int major = input_sdl_in_use();
    agent_saw(NG_SEEN_MOUSE);
    if (button <= 3)
        mouse.buttons = down ? mouse.buttons | 1u << (button - 1)
                             : mouse.buttons & ~(1u << (button - 1));
    if (major)
        input_sdl_button(major, &mouse, button, down);
    else
        input_x11_button(button, down);
}

static void apply(const ng_pad *pad)
{
    move_mouse(pad);
    for (int i = 0; i < NG_KEY_COUNT; i++) {
        int key = agent_board->keys[i];
        bool down = wanted(pad, i);
        if (!key || down == held[i])
            continue;
        held[i] = down;
        if (key >= NG_KEY_MOUSE)
            send_button(key - NG_KEY_MOUSE, down);
        else
            send_key(key, down);
    }
}

const pad_driver pad_keys = {"keys", apply};
