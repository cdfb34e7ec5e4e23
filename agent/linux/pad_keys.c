/* Keys for games that read no pad: the board's table says which control is which key.
 *
 * SDL 2 games get the key events that SDL itself would make, without a display; other X11 games get
 * them from the display server's test extension, over a connection of our own. */
#include "../core/pad.h"

#include <dlfcn.h>
#include <string.h>

#include "../core/log.h"
#include "hook.h"
#include "keysyms.h"
#include "sdl2.h"

#define STICK_KEY 0.5f

static bool held[NG_KEY_COUNT];

static bool wanted(const ng_pad *pad, int control)
{
    if (control < NG_BUTTON_COUNT)
        return pad->buttons[control] > NG_PRESSED;
    float value = pad->sticks[(control - NG_BUTTON_COUNT) / 2];
    return (control - NG_BUTTON_COUNT) % 2 ? value > STICK_KEY : value < -STICK_KEY;
}

static bool sdl_in_use(void)
{
    uint32_t (*started)(uint32_t) = SDL2(uint32_t, SDL_WasInit, uint32_t);
    return started && (started(SDL_INIT_VIDEO) & SDL_INIT_VIDEO);
}

static void send_sdl(int scancode, bool down)
{
    SDL_KeyboardEvent event = {
        .type = down ? SDL_KEYDOWN : SDL_KEYUP, .state = down, .scancode = scancode,
        .sym = SDL2(int32_t, SDL_GetKeyFromScancode, int)(scancode),
    };
    union {
        SDL_KeyboardEvent key;
        uint8_t space[SDL_EVENT_BYTES];
    } padded;
    int count = 0;
    uint8_t *states = (uint8_t *)(uintptr_t)SDL2(const uint8_t *, SDL_GetKeyboardState, int *)(&count);
    SDL_Window *window = SDL2(SDL_Window *, SDL_GetKeyboardFocus, void)();
    uint32_t (*id_of)(SDL_Window *) = SDL2(uint32_t, SDL_GetWindowID, SDL_Window *);
    event.window = window ? id_of(window) : 1;
    memset(&padded, 0, sizeof padded);
    padded.key = event;
    if (states && scancode < count)
        states[scancode] = down; /* for games that look instead of listening */
    SDL2(int, SDL_PushEvent, void *)(&padded);
}

static void *test_display(void)
{
    static void *display;
    static bool tried;
    if (!tried) {
        void *(*open)(const char *);
        void *x11 = dlopen("libX11.so.6", RTLD_NOW), *xtst = dlopen("libXtst.so.6", RTLD_NOW);
        tried = true;
        open = x11 ? (void *(*)(const char *))dlsym(x11, "XOpenDisplay") : NULL;
        display = open && xtst ? open(NULL) : NULL;
        if (!display)
            log_line("no keys: the X test extension (libXtst) cannot be used");
    }
    return display;
}

#define X11(result, name, library, ...) ((result (*)(__VA_ARGS__))hook_library(#name, library))

static void send_x11(int scancode, bool down)
{
    void *display = test_display();
    unsigned long symbol = keysym_of_scancode(scancode);
    if (!display || !symbol)
        return;
    unsigned code = X11(uint8_t, XKeysymToKeycode, "libX11.so.6", void *, unsigned long)(display,
                                                                                        symbol);
    X11(int, XTestFakeKeyEvent, "libXtst.so.6", void *, unsigned, int, unsigned long)(display, code,
                                                                                     down, 0);
    X11(int, XSync, "libX11.so.6", void *, int)(display, 0); /* it is in the game's queue now */
}

static void apply(const ng_pad *pad)
{
    for (int i = 0; i < NG_KEY_COUNT; i++) {
        int scancode = agent_board->keys[i];
        bool down = wanted(pad, i);
        if (!scancode || down == held[i])
            continue;
        held[i] = down;
        agent_saw(NG_SEEN_KEYS);
        if (sdl_in_use())
            send_sdl(scancode, down);
        else
            send_x11(scancode, down);
    }
}

const pad_driver pad_keys = {"keys", apply};
