/* Hooks of SDL: one function for all versions that have the name, told which version it stands for.
 * The exported one serves names that the linker has bound; the others those looked up at run time. */
#include "sdl_hooks.h"

#include <string.h>

#include "../core/pad.h"
#include "free.h"
#include "hook.h"
#include "input.h"
#include "sdl.h"
#include "sdl_kinds.h"

#define CALL(result, name, ...) ((result (*)(__VA_ARGS__))real(major, #name))

/* `name`_of(major, ...) is written below; this makes its exported form and one per version. */
#define HOOK(result, name, parameters, ...) \
    result name parameters; \
    static result name##_1 parameters { return name##_of(1, __VA_ARGS__); } \
    static result name##_2 parameters { return name##_of(2, __VA_ARGS__); } \
    static result name##_3 parameters { return name##_of(3, __VA_ARGS__); } \
    EXPORT result name parameters { return name##_of(sdl_linked(), __VA_ARGS__); }

static void *real(int major, const char *name)
{
    void *found = major ? sdl_function(major, name) : NULL;
    return found ? found : hook_next(name);
}

static bool is_game(void)
{
    return !own_code() && agent_on();
}

/* SDL 1.2 that is a dress of SDL 2 gets pad, events and swaps from there: its own calls go through.
 * Its screen is ours all the same, as it would show it only when real time has passed. */
static bool works(int major)
{
    return is_game() && !(major == 1 && sdl12_is_dress());
}

static int started(int major, uint32_t flags, int result)
{
    if (!works(major) || (major == 3 ? !(uint8_t)result : result != 0))
        return result;
    own_begin();
    agent_saw(major == 3 ? NG_SEEN_SDL3_INIT : major == 2 ? NG_SEEN_SDL2_INIT : NG_SEEN_SDL12_INIT);
    if (major == 2)
        sdl2_plug_in(flags);
    else if (major == 3)
        sdl3_plug_in(flags);
    own_end();
    return result;
}

static int SDL_Init_of(int major, uint32_t flags)
{
    return started(major, flags, CALL(int, SDL_Init, uint32_t)(flags));
}
HOOK(int, SDL_Init, (uint32_t flags), flags)

static int SDL_InitSubSystem_of(int major, uint32_t flags)
{
    return started(major, flags, CALL(int, SDL_InitSubSystem, uint32_t)(flags));
}
HOOK(int, SDL_InitSubSystem, (uint32_t flags), flags)

/* --- presents ---------------------------------------------------------------------------------- */

static int SDL_RenderPresent_of(int major, void *renderer)
{
    if (!works(major))
        return CALL(int, SDL_RenderPresent, void *)(renderer);
    return major == 3 ? sdl3_present(renderer) : sdl2_present(renderer);
}
HOOK(int, SDL_RenderPresent, (void *renderer), renderer)

static int SDL_UpdateWindowSurface_of(int major, void *window)
{
    if (!works(major))
        return CALL(int, SDL_UpdateWindowSurface, void *)(window);
    return major == 3 ? sdl3_show(window) : sdl2_show(window);
}
HOOK(int, SDL_UpdateWindowSurface, (void *window), window)

static int SDL_UpdateWindowSurfaceRects_of(int major, void *window, const void *rects, int count)
{
    if (!works(major))
        return CALL(int, SDL_UpdateWindowSurfaceRects, void *, const void *, int)(window, rects,
                                                                                  count);
    return major == 3 ? sdl3_show(window) : sdl2_show(window);
}
HOOK(int, SDL_UpdateWindowSurfaceRects, (void *window, const void *rects, int count), window, rects,
     count)

static int SDL_GL_SwapWindow_of(int major, void *window)
{
    if (!works(major))
        return CALL(int, SDL_GL_SwapWindow, void *)(window);
    return major == 3 ? sdl3_swap(window) : sdl2_swap(window);
}
HOOK(int, SDL_GL_SwapWindow, (void *window), window)

static void *SDL_GL_GetProcAddress_of(int major, const char *name)
{
    return gl_replacement(name, CALL(void *, SDL_GL_GetProcAddress, const char *)(name));
}
HOOK(void *, SDL_GL_GetProcAddress, (const char *name), name)

static int SDL_Flip_of(int major, void *screen)
{
    return is_game() ? sdl12_flip(screen) : CALL(int, SDL_Flip, void *)(screen);
}
HOOK(int, SDL_Flip, (void *screen), screen)

static int SDL_UpdateRect_of(int major, void *screen, int x, int y, int w, int h)
{
    if (is_game())
        return sdl12_update(screen, w == 0 && h == 0);
    return CALL(int, SDL_UpdateRect, void *, int, int, int, int)(screen, x, y, w, h);
}
HOOK(int, SDL_UpdateRect, (void *screen, int x, int y, int w, int h), screen, x, y, w, h)

static int SDL_UpdateRects_of(int major, void *screen, int count, void *rects)
{
    if (is_game())
        return sdl12_update(screen, false);
    return CALL(int, SDL_UpdateRects, void *, int, void *)(screen, count, rects);
}
HOOK(int, SDL_UpdateRects, (void *screen, int count, void *rects), screen, count, rects)

static int SDL_GL_SwapBuffers_of(int major, int nothing)
{
    (void)nothing;
    return works(major) ? sdl12_swap() : CALL(int, SDL_GL_SwapBuffers, void)();
}
HOOK(int, SDL_GL_SwapBuffers, (int nothing), nothing)

/* --- input ------------------------------------------------------------------------------------- */

/* The game is about to look for events: running free, these are of the pad as it is now. */
static void before_events(int major)
{
    if (major == 1 && is_game())
        sdl12_finish_update();
    if (!works(major))
        return;
    own_begin();
    agent_saw(NG_SEEN_EVENTS);
    if (free_running()) {
        free_take_pad();
        pad_apply();
    }
    own_end();
}

#define EVENTS(name, parameters, types, ...) \
    static int name##_of(int major, ARGUMENTS_##types) \
    { \
        before_events(major); \
        return CALL(int, name, TYPES_##types)(__VA_ARGS__); \
    } \
    HOOK(int, name, parameters, __VA_ARGS__)
#define ARGUMENTS_event void *event
#define TYPES_event void *
#define ARGUMENTS_limit void *event, int limit_ms
#define TYPES_limit void *, int
#define ARGUMENTS_none int nothing
#define TYPES_none int

EVENTS(SDL_PollEvent, (void *event), event, event)
EVENTS(SDL_WaitEvent, (void *event), event, event)
EVENTS(SDL_WaitEventTimeout, (void *event, int limit_ms), limit, event, limit_ms)
EVENTS(SDL_PumpEvents, (int nothing), none, nothing)

static int SDL_Delay_of(int major, uint32_t time_ms)
{
    if (major == 1 && is_game())
        sdl12_finish_update();
    return CALL(int, SDL_Delay, uint32_t)(time_ms);
}
HOOK(int, SDL_Delay, (uint32_t time_ms), time_ms)

/* Where the mouse is, from the pad's table; SDL 3 counts in floats. */
static uint32_t mouse_of(int major, const char *name, bool relative, void *x, void *y)
{
    int places[2] = {0};
    uint32_t buttons = 0;
    if (!is_game() || !mouse_ask(relative, &places[0], &places[1], &buttons))
        return ((uint32_t(*)(void *, void *))real(major, name))(x, y);
    void *out[2] = {x, y};
    for (int i = 0; i < 2; i++) {
        if (out[i] && major == 3)
            *(float *)out[i] = (float)places[i];
        else if (out[i])
            *(int *)out[i] = places[i];
    }
    return buttons;
}

static uint32_t SDL_GetMouseState_of(int major, void *x, void *y)
{
    return mouse_of(major, "SDL_GetMouseState", false, x, y);
}
HOOK(uint32_t, SDL_GetMouseState, (void *x, void *y), x, y)

static uint32_t SDL_GetRelativeMouseState_of(int major, void *x, void *y)
{
    return mouse_of(major, "SDL_GetRelativeMouseState", true, x, y);
}
HOOK(uint32_t, SDL_GetRelativeMouseState, (void *x, void *y), x, y)

#define OPENS(name) \
    static void *name##_of(int major, int index) \
    { \
        if (works(major)) \
            agent_saw(NG_SEEN_PAD_OPEN); \
        return CALL(void *, name, int)(index); \
    } \
    HOOK(void *, name, (int index), index)

OPENS(SDL_JoystickOpen)
OPENS(SDL_GameControllerOpen)
OPENS(SDL_OpenJoystick)
OPENS(SDL_OpenGamepad)

#define READS(name) \
    static int name##_of(int major, void *pad, int which) \
    { \
        if (works(major)) \
            agent_saw(NG_SEEN_PAD_READ); \
        return CALL(int, name, void *, int)(pad, which); \
    } \
    HOOK(int, name, (void *pad, int which), pad, which)

READS(SDL_JoystickGetAxis)
READS(SDL_JoystickGetButton)
READS(SDL_JoystickGetHat)
READS(SDL_GameControllerGetAxis)
READS(SDL_GameControllerGetButton)
READS(SDL_GetJoystickAxis)
READS(SDL_GetJoystickButton)
READS(SDL_GetJoystickHat)
READS(SDL_GetGamepadAxis)
READS(SDL_GetGamepadButton)

/* --- look-ups ---------------------------------------------------------------------------------- */

#define ROW(name) {#name, {(void *)name##_1, (void *)name##_2, (void *)name##_3}},

static const struct {
    const char *name;
    void *functions[3];
} rows[] = {
    ROW(SDL_Init) ROW(SDL_InitSubSystem)
    ROW(SDL_RenderPresent) ROW(SDL_UpdateWindowSurface) ROW(SDL_UpdateWindowSurfaceRects)
    ROW(SDL_GL_SwapWindow) ROW(SDL_GL_GetProcAddress)
    ROW(SDL_Flip) ROW(SDL_UpdateRect) ROW(SDL_UpdateRects) ROW(SDL_GL_SwapBuffers)
    ROW(SDL_PollEvent) ROW(SDL_WaitEvent) ROW(SDL_WaitEventTimeout) ROW(SDL_PumpEvents)
    ROW(SDL_Delay) ROW(SDL_GetMouseState) ROW(SDL_GetRelativeMouseState)
    ROW(SDL_JoystickOpen) ROW(SDL_GameControllerOpen) ROW(SDL_OpenJoystick) ROW(SDL_OpenGamepad)
    ROW(SDL_JoystickGetAxis) ROW(SDL_JoystickGetButton) ROW(SDL_JoystickGetHat)
    ROW(SDL_GameControllerGetAxis) ROW(SDL_GameControllerGetButton)
    ROW(SDL_GetJoystickAxis) ROW(SDL_GetJoystickButton) ROW(SDL_GetJoystickHat)
    ROW(SDL_GetGamepadAxis) ROW(SDL_GetGamepadButton)
};

void *sdl_replacement(int major, const char *name)
{
    for (size_t i = 0; major && i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return rows[i].functions[major - 1];
    return NULL;
}
