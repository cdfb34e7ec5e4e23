/* Frames of SDL 2 games that draw with SDL's renderer or straight into the window surface. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "frame.h"
#include "hook.h"
#include "sdl2.h"
#include "sdl_kinds.h"

static int byte_of_mask(uint32_t mask)
{
    return mask ? __builtin_ctz(mask) / 8 : 0;
}

static bool grab_surface(SDL_Surface *surface, ng_picture *picture)
{
    if (!surface || !surface->pixels || surface->format->bytes_per_pixel != 4) {
        frame_explain("a window surface of %d bytes per pixel, not 4",
                      surface ? surface->format->bytes_per_pixel : 0);
        return false;
    }
    *picture = (ng_picture){
        .pixels = surface->pixels, .width = surface->w, .height = surface->h,
        .stride = surface->pitch,
        .red = byte_of_mask(surface->format->red_mask),
        .green = byte_of_mask(surface->format->green_mask),
        .blue = byte_of_mask(surface->format->blue_mask),
    };
    return true;
}

static bool grab_window(void *window, ng_picture *picture)
{
    return grab_surface(SDL2(SDL_Surface *, SDL_GetWindowSurface, SDL_Window *)(window), picture);
}

/* Renderers on a graphics library: SDL reads the pixels back; only within the viewport. */
static bool read_back(SDL_Renderer *renderer, ng_picture *picture)
{
    static uint8_t *pixels;
    static size_t room;
    SDL_Rect viewport;
    int width = 0, height = 0;
    SDL2(int, SDL_GetRendererOutputSize, SDL_Renderer *, int *, int *)(renderer, &width, &height);
    size_t bytes = (size_t)width * (size_t)height * 4;
    if (!bytes || width > NG_PICTURE_LIMIT || height > NG_PICTURE_LIMIT)
        return false;
    if (bytes > room) {
        void *more = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return false;
        if (pixels)
            munmap(pixels, room);
        pixels = more;
        room = bytes;
    }
    SDL2(void, SDL_RenderGetViewport, SDL_Renderer *, SDL_Rect *)(renderer, &viewport);
    SDL2(int, SDL_RenderSetViewport, SDL_Renderer *, const SDL_Rect *)(renderer, NULL);
    int failed = SDL2(int, SDL_RenderReadPixels, SDL_Renderer *, const SDL_Rect *, uint32_t, void *,
                      int)(renderer, NULL, SDL_PIXELFORMAT_RGB888, pixels, width * 4);
    SDL2(int, SDL_RenderSetViewport, SDL_Renderer *, const SDL_Rect *)(renderer, &viewport);
    *picture = (ng_picture){.pixels = pixels, .width = width, .height = height,
                            .stride = width * 4, .red = 2, .green = 1, .blue = 0};
    return !failed;
}

static bool grab_renderer(void *context, ng_picture *picture)
{
    SDL_Renderer *renderer = context;
    SDL_RendererInfo info;
    SDL_Window *(*window_of)(SDL_Renderer *) =
        SDL2(SDL_Window *, SDL_RenderGetWindow, SDL_Renderer *);
    if (SDL2(int, SDL_GetRendererInfo, SDL_Renderer *, SDL_RendererInfo *)(renderer, &info))
        return false;
    if ((info.flags & SDL_RENDERER_SOFTWARE) && window_of && window_of(renderer))
        return grab_window(window_of(renderer), picture); /* it draws there: nothing to copy */
    return read_back(renderer, picture);
}

int sdl2_present(void *renderer)
{
    own_begin();
    int (*flush)(SDL_Renderer *) = SDL2(int, SDL_RenderFlush, SDL_Renderer *);
    if (flush)
        flush(renderer); /* draw what SDL has only noted so far; showing it is left out */
    own_end();
    frame_boundary(NG_SEEN_PRESENT_SDL2_RENDERER, grab_renderer, renderer);
    return 0;
}

int sdl2_show(void *window)
{
    frame_boundary(NG_SEEN_PRESENT_SDL2_SURFACE, grab_window, window);
    return 0;
}
