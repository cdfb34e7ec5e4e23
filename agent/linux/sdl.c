#include "sdl.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#include "dynapi.h"
#include "hook.h"

typedef struct {
    uint8_t major, minor, patch;
} sdl12_version;

static void *handles[4];

/* Does the file name say that it is this SDL, and not one of its companions (SDL2_image)? */
static bool is_named(const char *path, int major)
{
    static const char *const names[4] = {"", "libSDL-1.2", "libSDL2", "libSDL3"};
    const char *file = strrchr(path, '/');
    file = file ? file + 1 : path;
    size_t length = strlen(names[major]);
    return !strncmp(file, names[major], length) && (file[length] == '.' || file[length] == '-');
}

struct search {
    int major;
    char path[512];
};

static int look_at(struct dl_phdr_info *library, size_t size, void *context)
{
    struct search *search = context;
    (void)size;
    if (!library->dlpi_name || !is_named(library->dlpi_name, search->major) ||
        strlen(library->dlpi_name) >= sizeof search->path)
        return 0;
    strcpy(search->path, library->dlpi_name);
    return 1;
}

static int major_of_handle(void *handle)
{
    dlsym_function find = hook_dlsym();
    if (find(handle, "SDL_Linked_Version"))
        return 1;
    if (find(handle, "SDL_GetWindowProperties"))
        return 3;
    return find(handle, "SDL_RenderPresent") ? 2 : 0;
}

static void *handle_of(void *function)
{
    Dl_info info;
    if (!function || !dladdr(function, &info) || !info.dli_fname)
        return NULL;
    return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

int sdl_major_of(void *function)
{
    Dl_info info;
    if (!function || !dladdr(function, &info) || !info.dli_fname)
        return 0;
    for (int major = 1; major <= 3; major++)
        if (is_named(info.dli_fname, major))
            return major;
    void *handle = handle_of(function);
    return handle ? major_of_handle(handle) : 0;
}

static void *handle_for(int major)
{
    struct search search = {.major = major};
    if (handles[major])
        return handles[major];
    own_begin();
    if (dl_iterate_phdr(look_at, &search)) {
        handles[major] = dlopen(search.path, RTLD_LAZY | RTLD_NOLOAD);
    } else {
        void *linked = hook_next("SDL_Init");
        if (linked && sdl_major_of(linked) == major) /* under another name */
            handles[major] = handle_of(linked);
    }
    own_end();
    return handles[major];
}

void *sdl_function(int major, const char *name)
{
    if (dynapi_has(major))
        return dynapi_function(major, name);
    void *handle = handle_for(major);
    return handle ? hook_dlsym()(handle, name) : NULL;
}

int sdl_linked(void)
{
    static int linked;
    if (linked)
        return linked;
    linked = sdl_major_of(hook_next("SDL_Init"));
    for (int major = 1; major <= 3 && !linked; major++) /* opened for one library only */
        if (handle_for(major))
            linked = major;
    return linked;
}

int sdl12_is_dress(void)
{
    static int known = -1;
    if (known < 0) {
        const sdl12_version *(*version)(void) =
            (const sdl12_version *(*)(void))sdl_function(1, "SDL_Linked_Version");
        known = version && version()->patch >= 50;
    }
    return known;
}
