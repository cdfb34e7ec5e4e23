/* Frames of OpenGL games, whatever shows them: SDL 2, GLX or EGL. The back buffer is read before the
 * swap, and the swap is left out. */
#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>

#include "../core/log.h"
#include "frame.h"
#include "hook.h"
#include "sdl12.h"
#include "sdl2.h"
#include "sdl_hooks.h"
#include "sdl_kinds.h"

#define GL_BGRA 0x80e1u
#define GL_UNSIGNED_BYTE 0x1401u
#define GL_BACK 0x405
#define GL_PACK_ROW_LENGTH 0x0d02u
#define GL_PACK_SKIP_ROWS 0x0d03u
#define GL_PACK_SKIP_PIXELS 0x0d04u
#define GL_PACK_ALIGNMENT 0x0d05u
#define GL_READ_BUFFER 0x0c02u
#define GL_PIXEL_PACK_BUFFER 0x88ebu
#define GL_PIXEL_PACK_BUFFER_BINDING 0x88edu
#define GL_READ_FRAMEBUFFER 0x8ca8u
#define GL_READ_FRAMEBUFFER_BINDING 0x8caau
#define GLX_WIDTH 0x801d
#define GLX_HEIGHT 0x801e
#define EGL_WIDTH 0x3057
#define EGL_HEIGHT 0x3056

typedef struct {
    void *display;
    unsigned long drawable;
    void (*size)(void *display, unsigned long drawable, int *width, int *height);
} surface;

void glXSwapBuffers(void *display, unsigned long drawable);
unsigned eglSwapBuffers(void *display, void *drawable);
void *glXGetProcAddress(const unsigned char *name);
void *glXGetProcAddressARB(const unsigned char *name);
void *eglGetProcAddress(const char *name);

/* A function of the game's OpenGL, as its own loader finds it. */
static void *gl(const char *name)
{
    static void *(*loaders[3])(const char *);
    void *found = hook_library(name, "libGL.so.1");
    if (!loaders[0]) {
        loaders[0] = (void *(*)(const char *))hook_library("glXGetProcAddressARB", "libGL.so.1");
        loaders[1] = (void *(*)(const char *))hook_library("eglGetProcAddress", "libEGL.so.1");
        loaders[2] = (void *(*)(const char *))sdl_function(sdl_linked(), "SDL_GL_GetProcAddress");
    }
    for (int i = 0; i < 3 && !found; i++)
        if (loaders[i])
            found = loaders[i](name);
    return found;
}

#define GL(result, name, ...) \
    ({ \
        static result (*function)(__VA_ARGS__); \
        if (!function) \
            function = (result (*)(__VA_ARGS__))gl(#name); \
        function; \
    })

/* What reading pixels depends on, put aside and brought back. */
typedef struct {
    int row_length, skip_rows, skip_pixels, alignment, read_buffer, pack_buffer, framebuffer;
} read_state;

static void read_state_save(read_state *state, void (*get)(unsigned, int *))
{
    get(GL_PACK_ROW_LENGTH, &state->row_length);
    get(GL_PACK_SKIP_ROWS, &state->skip_rows);
    get(GL_PACK_SKIP_PIXELS, &state->skip_pixels);
    get(GL_PACK_ALIGNMENT, &state->alignment);
    get(GL_READ_BUFFER, &state->read_buffer);
    get(GL_PIXEL_PACK_BUFFER_BINDING, &state->pack_buffer);
    get(GL_READ_FRAMEBUFFER_BINDING, &state->framebuffer);
}

static void read_state_set(const read_state *state)
{
    void (*store)(unsigned, int) = GL(void, glPixelStorei, unsigned, int);
    void (*bind_buffer)(unsigned, unsigned) = GL(void, glBindBuffer, unsigned, unsigned);
    void (*bind_frame)(unsigned, unsigned) = GL(void, glBindFramebuffer, unsigned, unsigned);
    store(GL_PACK_ROW_LENGTH, state->row_length);
    store(GL_PACK_SKIP_ROWS, state->skip_rows);
    store(GL_PACK_SKIP_PIXELS, state->skip_pixels);
    store(GL_PACK_ALIGNMENT, state->alignment);
    if (bind_frame)
        bind_frame(GL_READ_FRAMEBUFFER, (unsigned)state->framebuffer);
    GL(void, glReadBuffer, unsigned)((unsigned)state->read_buffer);
    if (bind_buffer)
        bind_buffer(GL_PIXEL_PACK_BUFFER, (unsigned)state->pack_buffer);
}

static uint8_t *room_for(size_t bytes)
{
    static uint8_t *pixels;
    static size_t room;
    if (bytes > room) {
        void *more = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return NULL;
        if (pixels)
            munmap(pixels, room);
        pixels = more;
        room = bytes;
    }
    return pixels;
}

static bool grab(void *context, ng_picture *picture)
{
    static const read_state plain = {.alignment = 4, .read_buffer = GL_BACK};
    const surface *shown = context;
    read_state kept = {0};
    int width = 0, height = 0;
    void (*get)(unsigned, int *) = GL(void, glGetIntegerv, unsigned, int *);
    void (*read)(int, int, int, int, unsigned, unsigned, void *) =
        GL(void, glReadPixels, int, int, int, int, unsigned, unsigned, void *);
    if (!get || !read) {
        frame_explain("OpenGL's functions were not found");
        return false;
    }
    shown->size(shown->display, shown->drawable, &width, &height);
    if (width < 1 || height < 1 || width > NG_PICTURE_LIMIT || height > NG_PICTURE_LIMIT) {
        frame_explain("an OpenGL window of %d x %d pixels", width, height);
        return false;
    }
    uint8_t *pixels = room_for((size_t)width * (size_t)height * 4);
    if (!pixels)
        return false;
    read_state_save(&kept, get);
    read_state_set(&plain);
    read(0, 0, width, height, GL_BGRA, GL_UNSIGNED_BYTE, pixels);
    read_state_set(&kept);
    *picture = (ng_picture){.pixels = pixels + (ptrdiff_t)(height - 1) * width * 4,
                            .width = width, .height = height, .stride = -(ptrdiff_t)width * 4,
                            .red = 2, .green = 1, .blue = 0};
    return true;
}

static void flush(void)
{
    void (*function)(void) = GL(void, glFlush, void);
    if (function)
        function();
}

static void boundary(int seen, surface *shown)
{
    own_begin();
    flush();
    own_end();
    frame_boundary(seen, grab, shown);
}

static void size_of_window(void *window, unsigned long unused, int *width, int *height)
{
    (void)unused;
    SDL2(void, SDL_GL_GetDrawableSize, SDL_Window *, int *, int *)(window, width, height);
}

static void size_of_window3(void *window, unsigned long unused, int *width, int *height)
{
    (void)unused;
    SDL_FUNCTION(3, bool, SDL_GetWindowSizeInPixels, void *, int *, int *)(window, width, height);
}

static void size_of_screen(void *nothing, unsigned long unused, int *width, int *height)
{
    (void)nothing, (void)unused;
    const sdl12_surface *screen = SDL_FUNCTION(1, sdl12_surface *, SDL_GetVideoSurface, void)();
    if (screen) {
        *width = screen->w;
        *height = screen->h;
    }
}

static void size_of_glx(void *display, unsigned long drawable, int *width, int *height)
{
    unsigned value = 0;
    void (*query)(void *, unsigned long, int, unsigned *) =
        (void (*)(void *, unsigned long, int, unsigned *))hook_library("glXQueryDrawable",
                                                                      "libGL.so.1");
    query(display, drawable, GLX_WIDTH, &value);
    *width = (int)value;
    query(display, drawable, GLX_HEIGHT, &value);
    *height = (int)value;
}

static void size_of_egl(void *display, unsigned long drawable, int *width, int *height)
{
    unsigned (*query)(void *, void *, int, int *) =
        (unsigned (*)(void *, void *, int, int *))hook_library("eglQuerySurface", "libEGL.so.1");
    query(display, (void *)drawable, EGL_WIDTH, width);
    query(display, (void *)drawable, EGL_HEIGHT, height);
}

int sdl2_swap(void *window)
{
    surface shown = {window, 0, size_of_window};
    boundary(NG_SEEN_PRESENT_SDL2_GL, &shown);
    return 0;
}

int sdl3_swap(void *window)
{
    surface shown = {window, 0, size_of_window3};
    boundary(NG_SEEN_PRESENT_SDL3_GL, &shown);
    return 1;
}

int sdl12_swap(void)
{
    surface shown = {NULL, 0, size_of_screen};
    boundary(NG_SEEN_PRESENT_SDL12_GL, &shown);
    return 0;
}

EXPORT void glXSwapBuffers(void *display, unsigned long drawable)
{
    if (own_code() || !agent_on()) {
        ((void (*)(void *, unsigned long))hook_library("glXSwapBuffers", "libGL.so.1"))(display,
                                                                                       drawable);
        return;
    }
    surface shown = {display, drawable, size_of_glx};
    boundary(NG_SEEN_PRESENT_GLX, &shown);
}

EXPORT unsigned eglSwapBuffers(void *display, void *drawable)
{
    if (own_code() || !agent_on())
        return ((unsigned (*)(void *, void *))hook_library("eglSwapBuffers", "libEGL.so.1"))(
            display, drawable);
    surface shown = {display, (unsigned long)drawable, size_of_egl};
    boundary(NG_SEEN_PRESENT_EGL, &shown);
    return 1;
}

/* Look-ups by name: the swap functions are ours. */
void *gl_replacement(const char *name, void *found)
{
    if (own_code() || !agent_on())
        return found;
    if (!strcmp(name, "glXSwapBuffers"))
        return (void *)glXSwapBuffers;
    if (!strcmp(name, "eglSwapBuffers"))
        return (void *)eglSwapBuffers;
    return found;
}

static void *look_up(const char *loader, const char *library, const char *name)
{
    void *(*real)(const char *) = (void *(*)(const char *))hook_library(loader, library);
    return gl_replacement(name, real ? real(name) : NULL);
}

EXPORT void *glXGetProcAddress(const unsigned char *name)
{
    return look_up("glXGetProcAddress", "libGL.so.1", (const char *)name);
}

EXPORT void *glXGetProcAddressARB(const unsigned char *name)
{
    return look_up("glXGetProcAddressARB", "libGL.so.1", (const char *)name);
}

EXPORT void *eglGetProcAddress(const char *name)
{
    return look_up("eglGetProcAddress", "libEGL.so.1", name);
}
