#include "input.h"

#include <dlfcn.h>

#include "../core/log.h"
#include "hook.h"
#include "keysyms.h"

#define X11(result, name, library, ...) ((result (*)(__VA_ARGS__))hook_library(#name, library))
#define XLIB "libX11.so.6"
#define XTEST "libXtst.so.6"

static void *test_display(void)
{
    static void *display;
    static bool tried;
    if (!tried) {
        void *(*open)(const char *);
        void *x11 = dlopen(XLIB, RTLD_NOW), *xtst = dlopen(XTEST, RTLD_NOW);
        tried = true;
        open = x11 ? (void *(*)(const char *))dlsym(x11, "XOpenDisplay") : NULL;
        display = open && xtst ? open(NULL) : NULL;
        if (!display)
            log_line("no keys and no mouse: the X test extension (libXtst) cannot be used");
    }
    return display;
}

/* When it returns, the event is in the game's queue. */
static void finish(void *display)
{
    X11(int, XSync, XLIB, void *, int)(display, 0);
}

void input_x11_key(int scancode, bool down)
{
    void *display = test_display();
    unsigned long symbol = keysym_of_scancode(scancode);
    if (!display || !symbol)
        return;
    unsigned code = X11(uint8_t, XKeysymToKeycode, XLIB, void *, unsigned long)(display, symbol);
    X11(int, XTestFakeKeyEvent, XTEST, void *, unsigned, int, unsigned long)(display, code, down, 0);
    finish(display);
}

void input_x11_motion(const mouse_state *mouse, bool absolute)
{
    void *display = test_display();
    if (!display)
        return;
    if (absolute)
        X11(int, XTestFakeMotionEvent, XTEST, void *, int, int, int, unsigned long)(
            display, -1, mouse->x, mouse->y, 0);
    else
        X11(int, XTestFakeRelativeMotionEvent, XTEST, void *, int, int, unsigned long)(
            display, mouse->moved_x, mouse->moved_y, 0);
    finish(display);
}

void input_x11_button(int button, bool down)
{
    void *display = test_display();
    if (!display)
        return;
    X11(int, XTestFakeButtonEvent, XTEST, void *, unsigned, int, unsigned long)(
        display, (unsigned)button, down, 0);
    finish(display);
}
