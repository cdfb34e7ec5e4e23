/* Frames of SDL 1.2 games: SDL_Flip, or updates of parts of the screen.
 *
 * A game may show its parts one after the other. The frame then ends when it next looks for events
 * or waits, so that it is whole and counts once. */
#include <sys/mman.h>

#include "frame.h"
#include "hook.h"
#include "sdl.h"
#include "sdl12.h"
#include "sdl_kinds.h"

static sdl12_surface *updated;

static uint8_t *room_for(size_t pixels)
{
    static uint8_t *room;
    static size_t size;
    if (pixels * 4 > size) {
        void *more = mmap(NULL, pixels * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return NULL;
        if (room)
            munmap(room, size);
        room = more;
        size = pixels * 4;
    }
    return room;
}

/* A channel of a pixel as 0..255, whatever its width. */
static uint8_t channel_of(uint32_t pixel, uint32_t mask, int shift, int loss)
{
    uint32_t value = (pixel & mask) >> shift, most = 255u >> loss;
    return (uint8_t)(most ? value * 255u / most : 0);
}

static void widen_row(const sdl12_format *format, const uint8_t *row, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++, row += format->bytes, out += 4) {
        uint32_t pixel = row[0];
        if (format->palette) {
            bool known = (int)pixel < format->palette->count;
            out[0] = known ? format->palette->colours[pixel].red : 0;
            out[1] = known ? format->palette->colours[pixel].green : 0;
            out[2] = known ? format->palette->colours[pixel].blue : 0;
            continue;
        }
        for (int i = 1; i < format->bytes; i++)
            pixel |= (uint32_t)row[i] << (8 * i);
        out[0] = channel_of(pixel, format->red_mask, format->red_shift, format->red_loss);
        out[1] = channel_of(pixel, format->green_mask, format->green_shift, format->green_loss);
        out[2] = channel_of(pixel, format->blue_mask, format->blue_shift, format->blue_loss);
    }
}

static bool grab(void *context, ng_picture *picture)
{
    const sdl12_surface *screen = context;
    if (!screen || !screen->pixels || screen->w < 1 || screen->h < 1 ||
        screen->w > NG_PICTURE_LIMIT || screen->h > NG_PICTURE_LIMIT) {
        frame_explain("SDL 1.2 has no screen in memory");
        return false;
    }
    const sdl12_format *format = screen->format;
    *picture = (ng_picture){.pixels = screen->pixels, .width = screen->w, .height = screen->h,
                            .stride = screen->pitch, .red = format->red_shift / 8,
                            .green = format->green_shift / 8, .blue = format->blue_shift / 8};
    if (format->bytes == 4 && !format->red_loss && !format->green_loss && !format->blue_loss)
        return true;
    uint8_t *wide = room_for((size_t)screen->w * (size_t)screen->h);
    if (!wide)
        return false;
    for (int y = 0; y < screen->h; y++)
        widen_row(format, (const uint8_t *)screen->pixels + y * screen->pitch, screen->w,
                  wide + (size_t)y * (size_t)screen->w * 4);
    *picture = (ng_picture){.pixels = wide, .width = screen->w, .height = screen->h,
                            .stride = (ptrdiff_t)screen->w * 4, .red = 0, .green = 1, .blue = 2};
    return true;
}

int sdl12_flip(void *screen)
{
    updated = NULL;
    frame_boundary(NG_SEEN_PRESENT_SDL12, grab, screen);
    return 0;
}

int sdl12_update(void *screen, bool all)
{
    if (all)
        return sdl12_flip(screen);
    updated = screen;
    return 0;
}

void sdl12_finish_update(void)
{
    if (updated)
        sdl12_flip(updated);
}
