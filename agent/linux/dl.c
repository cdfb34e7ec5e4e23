/* Names that games and libraries look up at run time. */
#include <dlfcn.h>
#include <string.h>

#include "hook.h"

#define REPLACED(X) \
    X(SDL_Init) X(SDL_InitSubSystem) X(SDL_RenderPresent) X(SDL_UpdateWindowSurface) \
    X(SDL_UpdateWindowSurfaceRects) X(SDL_JoystickOpen) X(SDL_GameControllerOpen) \
    X(SDL_GL_SwapWindow) X(SDL_GL_GetProcAddress) X(glXSwapBuffers) X(eglSwapBuffers) \
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

EXPORT void *dlsym(void *restrict handle, const char *restrict name)
{
    dlsym_function real = hook_dlsym();
    if (handle != RTLD_NEXT && !own_code() && agent_on()) {
        int row = find(name);
        void *found = row < 0 ? NULL : real(handle, name);
        if (found && found != replaced[row].function)
            hook_learn(replaced[row].name, found);
        if (found)
            return replaced[row].function;
    }
    return real(handle, name); /* a tail call: RTLD_NEXT looks at who called */
}
