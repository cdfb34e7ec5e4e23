/* A small window for probes that are not about drawing: SDL 2's surface, declared here so that no
 * header is needed. The whole window has one colour. */
#ifndef NG_PROBE_WINDOW_H
#define NG_PROBE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint32_t flags;
    void *format;
    int w, h, pitch;
    void *pixels;
} probe_surface;

int SDL_Init(uint32_t flags);
void *SDL_CreateWindow(const char *title, int x, int y, int w, int h, uint32_t flags);
probe_surface *SDL_GetWindowSurface(void *window);
int SDL_UpdateWindowSurface(void *window);
int SDL_PollEvent(void *event);

#define PROBE_WIDTH 64
#define PROBE_HEIGHT 48

static void *probe_window(uint32_t flags)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (SDL_Init(flags | 0x20u))
        exit(3);
    return SDL_CreateWindow("probe", 0, 0, PROBE_WIDTH, PROBE_HEIGHT, 0);
}

/* Shows a frame of one colour, 0xRRGGBB, and waits as a game would: not at all. */
static void probe_frame(void *window, uint32_t colour)
{
    probe_surface *surface = SDL_GetWindowSurface(window);
    uint64_t event[16];
    while (SDL_PollEvent(event))
        continue;
    for (int y = 0; y < surface->h; y++)
        for (int x = 0; x < surface->w; x++)
            ((uint32_t *)((char *)surface->pixels + y * surface->pitch))[x] = colour;
    SDL_UpdateWindowSurface(window);
}

#endif
