/* Names that games and libraries look up at run time. */
#include <dlfcn.h>
#include <string.h>

#include "dynapi.h"
#include "hook.h"
#include "present_vulkan.h"
#include "sdl.h"
#include "sdl_hooks.h"
#include "udev.h"

#define REPLACED(X) \
    X(glXSwapBuffers) X(eglSwapBuffers) \
    X(glXGetProcAddress) X(glXGetProcAddressARB) X(eglGetProcAddress) \
    X(clock_gettime) X(gettimeofday) X(nanosleep) X(usleep) X(getrandom)

#define DECLARE(name) extern char replacement_##name[] __asm__(#name) __attribute__((visibility("default")));
REPLACED(DECLARE)

static const struct {
    const char *name;
    void *function;
} replaced[] = {
#define ROW(name) {#name, replacement_##name},
    REPLACED(ROW)
};

static int find(const char *name)
{
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
        if (!strcmp(replaced[i].name, name))
            return (int)i;
    return -1;
}

/* For names of libraries that we know: ours, or what was found. */
static void *look_up(void *found, const char *name, void *caller)
{
    void *ours;
    if (name[0] == 'S') /* any version has it if version 2 has */
        ours = sdl_replacement(2, name) ? sdl_replacement(sdl_major_of(found), name) : NULL;
    else if (name[0] == 'v')
        ours = vulkan_replacement(name);
    else /* SDL 2 and 3 have their pad inside and must not find it a second time */
        ours = sdl_major_of(caller) >= 2 ? NULL : udev_replacement(name);
    return ours ? ours : found;
}

EARLY EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
    dlsym_function real = hook_dlsym();
    if (handle != RTLD_NEXT && !own_code() && agent_on()) {
        int row = find(name);
        dynapi_take_places();
        bool by_library = !strncmp(name, "SDL_", 4) || !strncmp(name, "udev_", 5) ||
                          !strncmp(name, "vk", 2);
        void *found = row >= 0 || by_library ? real(handle, name) : NULL;
        if (row < 0 && found)
            return look_up(found, name, __builtin_return_address(0));
        if (found && found != replaced[row].function)
            hook_learn(replaced[row].name, found);
        if (found)
            return replaced[row].function;
    }
    return real(handle, name); /* a tail call: RTLD_NEXT looks at who called */
}
