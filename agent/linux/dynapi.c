/* SDL 2 and 3 inside a program, or in a library that hides them: their names cannot be replaced, but
 * each call goes through SDL's own table of functions, which it offers to the library that
 * SDL_DYNAMIC_API (SDL3_DYNAMIC_API) names: us. We decline, so SDL fills the table with its own
 * functions; at the next opportunity we take their places. The order of the table never changes. */
#include "dynapi.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "../core/log.h"
#include "hook.h"
#include "sdl.h"
#include "sdl_hooks.h"

static const struct {
    const char *name;
    int16_t places[2]; /* in the tables of SDL 2 and 3; -1: not there, or not needed */
} known[] = {
    {"SDL_AddGamepadMapping", {-1, 20}},
    {"SDL_AttachVirtualJoystick", {-1, 28}},
    {"SDL_ConvertSurface", {-1, 82}},
    {"SDL_Delay", {443, 131}},
    {"SDL_DestroySurface", {-1, 146}},
    {"SDL_GL_GetDrawableSize", {519, -1}},
    {"SDL_GL_GetProcAddress", {510, 195}},
    {"SDL_GL_SwapWindow", {522, 202}},
    {"SDL_GUIDToString", {-1, 209}},
    {"SDL_GameControllerAddMapping", {94, -1}},
    {"SDL_GameControllerGetAxis", {108, -1}},
    {"SDL_GameControllerGetButton", {112, -1}},
    {"SDL_GameControllerOpen", {99, -1}},
    {"SDL_GetGamepadAxis", {-1, 306}},
    {"SDL_GetGamepadButton", {-1, 309}},
    {"SDL_GetJoystickAxis", {-1, 365}},
    {"SDL_GetJoystickButton", {-1, 368}},
    {"SDL_GetJoystickGUIDForID", {-1, 374}},
    {"SDL_GetJoystickHat", {-1, 376}},
    {"SDL_GetKeyFromScancode", {179, 397}},
    {"SDL_GetKeyboardFocus", {175, 399}},
    {"SDL_GetKeyboardState", {176, 401}},
    {"SDL_GetMouseState", {205, 413}},
    {"SDL_GetRelativeMouseState", {206, 460}},
    {"SDL_GetRenderTarget", {280, -1}},
    {"SDL_GetRendererInfo", {263, -1}},
    {"SDL_GetRendererOutputSize", {264, -1}},
    {"SDL_GetWindowID", {472, 544}},
    {"SDL_GetWindowSizeInPixels", {-1, 559}},
    {"SDL_GetWindowSurface", {496, 560}},
    {"SDL_Init", {13, 602}},
    {"SDL_InitSubSystem", {14, 604}},
    {"SDL_JoystickAttachVirtual", {695, -1}},
    {"SDL_JoystickAttachVirtualEx", {811, -1}},
    {"SDL_JoystickGetAxis", {170, -1}},
    {"SDL_JoystickGetButton", {173, -1}},
    {"SDL_JoystickGetDeviceGUID", {158, -1}},
    {"SDL_JoystickGetGUIDString", {160, -1}},
    {"SDL_JoystickGetHat", {171, -1}},
    {"SDL_JoystickOpen", {156, -1}},
    {"SDL_JoystickSetVirtualAxis", {698, -1}},
    {"SDL_JoystickSetVirtualButton", {699, -1}},
    {"SDL_JoystickSetVirtualHat", {700, -1}},
    {"SDL_NumJoysticks", {154, -1}},
    {"SDL_OpenGamepad", {-1, 660}},
    {"SDL_OpenJoystick", {-1, 665}},
    {"SDL_PollEvent", {81, 677}},
    {"SDL_PumpEvents", {75, 681}},
    {"SDL_PushEvent", {84, 682}},
    {"SDL_RenderFlush", {650, -1}},
    {"SDL_RenderGetViewport", {284, -1}},
    {"SDL_RenderGetWindow", {805, -1}},
    {"SDL_RenderPresent", {305, 744}},
    {"SDL_RenderReadPixels", {304, 745}},
    {"SDL_RenderSetViewport", {283, -1}},
    {"SDL_SetJoystickVirtualAxis", {-1, 825}},
    {"SDL_SetJoystickVirtualButton", {-1, 827}},
    {"SDL_SetJoystickVirtualHat", {-1, 828}},
    {"SDL_UpdateWindowSurface", {497, 958}},
    {"SDL_UpdateWindowSurfaceRects", {498, 959}},
    {"SDL_WaitEvent", {82, 972}},
    {"SDL_WaitEventTimeout", {83, 973}},
    {"SDL_WasInit", {16, 982}},
};

#define PLACE_LIMIT 1024

static void **tables[4]; /* of versions 2 and 3, once filled */
static void *originals[4][PLACE_LIMIT];
static size_t sizes[4];
static void **offered; /* one that will be filled soon */
static void *last_before;
static int offered_major;
static _Atomic bool pending;

static int place_of(int major, const char *name)
{
    for (size_t i = 0; major >= 2 && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) {
            int place = known[i].places[major - 2];
            return place < (int)sizes[major] ? place : -1;
        }
    return -1;
}

void *dynapi_function(int major, const char *name)
{
    int place = tables[major] ? place_of(major, name) : -1;
    return place < 0 ? NULL : originals[major][place];
}

bool dynapi_has(int major)
{
    return tables[major] != NULL;
}

/* The pad comes to such a program as device files, so the start of SDL is left alone. */
static bool is_taken(const char *name)
{
    return strncmp(name, "SDL_Init", 8) != 0;
}

void dynapi_take_places(void)
{
    if (!atomic_load_explicit(&pending, memory_order_relaxed))
        return;
    int major = offered_major;
    if (offered[sizes[major] - 1] == last_before || !atomic_exchange(&pending, false))
        return;
    memcpy(originals[major], offered, sizeof(void *) * (sizes[major] < PLACE_LIMIT ? sizes[major]
                                                                                  : PLACE_LIMIT));
    tables[major] = offered;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int place = place_of(major, known[i].name);
        void *ours = sdl_replacement(major, known[i].name);
        if (place >= 0 && ours && is_taken(known[i].name))
            offered[place] = ours;
    }
    agent_saw(major == 3 ? NG_SEEN_SDL3_INIT : NG_SEEN_SDL2_INIT);
    log_line("SDL %d is inside the program: its table of functions is taken", major);
}

/* Can its names be replaced? Those that the program itself defines never are, exported or not. */
static bool is_reached_by_name(const Dl_info *sdl, void *library)
{
    Dl_info program, present;
    void *function = library ? hook_dlsym()(library, "SDL_RenderPresent") : NULL;
    if (dladdr((void *)getauxval(AT_ENTRY), &program) && program.dli_fbase == sdl->dli_fbase)
        return false;
    return function && dladdr(function, &present) && present.dli_fbase == sdl->dli_fbase;
}

/* What SDL calls once, before anything else: 0 if the table is filled, -1 to let it do that. */
EXPORT int32_t SDL_DYNAPI_entry(uint32_t version, void **table, uint32_t bytes)
{
    Dl_info caller;
    int major = version == 1 ? 2 : 3;
    if (!agent_on() || !dladdr(__builtin_return_address(0), &caller))
        return -1;
    void *library = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (is_reached_by_name(&caller, library)) {
        int32_t (*own)(uint32_t, void **, uint32_t) =
            (int32_t(*)(uint32_t, void **, uint32_t))hook_dlsym()(library, "SDL_DYNAPI_entry");
        return own ? own(version, table, bytes) : -1;
    }
    if (tables[major] || bytes < sizeof(void *))
        return -1;
    sizes[major] = bytes / sizeof(void *);
    offered = table;
    offered_major = major;
    last_before = table[sizes[major] - 1];
    atomic_store(&pending, true);
    return -1;
}
