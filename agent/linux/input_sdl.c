/* The events that SDL itself would make. Its record of pressed keys is changed as well, for games
 * that look instead of listening. */
#include "input.h"

#include <string.h>

#include "../protocol.h"
#include "keysyms.h"
#include "sdl.h"

#define EVENT_BYTES 128 /* at least as much as any version's SDL_Event */
#define INIT_VIDEO 0x20u
#define WHEEL_UP 4
#define WHEEL_DOWN 5

enum { KEY_DOWN = 0x300, KEY_UP, MOTION = 0x400, BUTTON_DOWN, BUTTON_UP, WHEEL };
enum { KEY_DOWN_12 = 2, KEY_UP_12, MOTION_12, BUTTON_DOWN_12, BUTTON_UP_12 };

typedef struct {
    uint8_t type, which, state;
    struct {
        uint8_t scancode;
        int32_t symbol, modifiers;
        uint16_t unicode;
    } key;
} key_event_12;

typedef struct {
    uint8_t type, which, state, padding;
    uint16_t x, y;
    int16_t moved_x, moved_y;
} motion_event_12;

typedef struct {
    uint8_t type, which, button, state;
    uint16_t x, y;
} button_event_12;

typedef struct {
    uint32_t type, timestamp, window;
    uint8_t state, repeat, padding[2];
    int32_t scancode, symbol;
    uint16_t modifiers;
    uint32_t unused;
} key_event_2;

typedef struct {
    uint32_t type, timestamp, window, which, state;
    int32_t x, y, moved_x, moved_y;
} motion_event_2;

typedef struct {
    uint32_t type, timestamp, window, which;
    uint8_t button, state, clicks, padding;
    int32_t x, y;
} button_event_2;

typedef struct {
    uint32_t type, timestamp, window, which;
    int32_t x, y;
    uint32_t direction;
    float precise_x, precise_y;
    int32_t mouse_x, mouse_y;
} wheel_event_2;

typedef struct {
    uint32_t type, reserved;
    uint64_t timestamp;
    uint32_t window, which;
} head_3;

typedef struct {
    head_3 head;
    int32_t scancode;
    uint32_t symbol;
    uint16_t modifiers, raw;
    bool down, repeat;
} key_event_3;

typedef struct {
    head_3 head;
    uint32_t state;
    float x, y, moved_x, moved_y;
} motion_event_3;

typedef struct {
    head_3 head;
    uint8_t button;
    bool down;
    uint8_t clicks, padding;
    float x, y;
} button_event_3;

typedef struct {
    head_3 head;
    float x, y;
    uint32_t direction;
    float mouse_x, mouse_y;
} wheel_event_3;

/* A pointer is a pointer in all versions; functions are looked up anew as their number is small. */
#define SDL(result, name, ...) ((result (*)(__VA_ARGS__))sdl_function(major, #name))

int input_sdl_in_use(void)
{
    int major = sdl_linked();
    uint32_t (*started)(uint32_t) = major ? SDL(uint32_t, SDL_WasInit, uint32_t) : NULL;
    return started && (started(INIT_VIDEO) & INIT_VIDEO) ? major : 0;
}

static void push(int major, const void *event, size_t size)
{
    uint64_t space[EVENT_BYTES / 8] = {0};
    memcpy(space, event, size);
    SDL(int, SDL_PushEvent, void *)(space);
}
#define PUSH(event) push(major, &(event), sizeof(event))

static uint32_t window_id(int major)
{
    void *window = SDL(void *, SDL_GetKeyboardFocus, void)();
    return window ? SDL(uint32_t, SDL_GetWindowID, void *)(window) : 1;
}

static void record_key(int major, int index, bool down)
{
    int count = 0;
    const char *name = major == 1 ? "SDL_GetKeyState" : "SDL_GetKeyboardState";
    uint8_t *(*states)(int *) = (uint8_t * (*)(int *)) sdl_function(major, name);
    uint8_t *pressed = states ? states(&count) : NULL;
    if (pressed && index < count)
        pressed[index] = down;
}

void input_sdl_key(int major, int scancode, bool down)
{
    if (major == 1) {
        int symbol = sdl12_symbol_of_scancode(scancode);
        key_event_12 event = {.type = down ? KEY_DOWN_12 : KEY_UP_12, .state = down};
        event.key.symbol = symbol;
        event.key.unicode = down && symbol < 128 ? (uint16_t)symbol : 0;
        record_key(1, symbol, down);
        PUSH(event);
    } else if (major == 2) {
        key_event_2 event = {.type = down ? KEY_DOWN : KEY_UP, .state = down, .scancode = scancode,
                             .window = window_id(2)};
        event.symbol = SDL(int32_t, SDL_GetKeyFromScancode, int)(scancode);
        record_key(2, scancode, down);
        PUSH(event);
    } else {
        key_event_3 event = {.head = {.type = down ? KEY_DOWN : KEY_UP, .window = window_id(3)},
                             .scancode = scancode, .down = down};
        event.symbol = SDL(uint32_t, SDL_GetKeyFromScancode, int, uint16_t, bool)(scancode, 0, true);
        record_key(3, scancode, down);
        PUSH(event);
    }
}

void input_sdl_motion(int major, const mouse_state *mouse)
{
    if (major == 1) {
        motion_event_12 event = {.type = MOTION_12, .state = (uint8_t)mouse->buttons,
                                 .x = (uint16_t)mouse->x, .y = (uint16_t)mouse->y,
                                 .moved_x = (int16_t)mouse->moved_x,
                                 .moved_y = (int16_t)mouse->moved_y};
        PUSH(event);
    } else if (major == 2) {
        motion_event_2 event = {.type = MOTION, .window = window_id(2), .state = mouse->buttons,
                                .x = mouse->x, .y = mouse->y, .moved_x = mouse->moved_x,
                                .moved_y = mouse->moved_y};
        PUSH(event);
    } else {
        motion_event_3 event = {.head = {.type = MOTION, .window = window_id(3)},
                                .state = mouse->buttons, .x = (float)mouse->x,
                                .y = (float)mouse->y, .moved_x = (float)mouse->moved_x,
                                .moved_y = (float)mouse->moved_y};
        PUSH(event);
    }
}

static void turn_wheel(int major, int by)
{
    if (major == 2) {
        wheel_event_2 event = {.type = WHEEL, .window = window_id(2), .y = by,
                               .precise_y = (float)by};
        PUSH(event);
    } else {
        wheel_event_3 event = {.head = {.type = WHEEL, .window = window_id(3)}, .y = (float)by};
        PUSH(event);
    }
}

void input_sdl_button(int major, const mouse_state *mouse, int button, bool down)
{
    if (major != 1 && (button == WHEEL_UP || button == WHEEL_DOWN)) {
        if (down)
            turn_wheel(major, button == WHEEL_UP ? 1 : -1);
    } else if (major == 1) {
        button_event_12 event = {.type = down ? BUTTON_DOWN_12 : BUTTON_UP_12,
                                 .button = (uint8_t)button, .state = down,
                                 .x = (uint16_t)mouse->x, .y = (uint16_t)mouse->y};
        PUSH(event);
    } else if (major == 2) {
        button_event_2 event = {.type = down ? BUTTON_DOWN : BUTTON_UP, .window = window_id(2),
                                .button = (uint8_t)button, .state = down, .clicks = 1,
                                .x = mouse->x, .y = mouse->y};
        PUSH(event);
    } else {
        button_event_3 event = {.head = {.type = down ? BUTTON_DOWN : BUTTON_UP,
                                         .window = window_id(3)},
                                .button = (uint8_t)button, .down = down, .clicks = 1,
                                .x = (float)mouse->x, .y = (float)mouse->y};
        PUSH(event);
    }
}
