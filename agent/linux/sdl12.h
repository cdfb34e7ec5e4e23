/* The little of SDL 1.2's interface that the agent uses. */
#ifndef NG_SDL12_H
#define NG_SDL12_H

#include <stdint.h>

typedef struct {
    int count;
    struct {
        uint8_t red, green, blue, unused;
    } *colours;
} sdl12_palette;

typedef struct {
    sdl12_palette *palette;
    uint8_t bits, bytes;
    uint8_t red_loss, green_loss, blue_loss, alpha_loss;
    uint8_t red_shift, green_shift, blue_shift, alpha_shift;
    uint32_t red_mask, green_mask, blue_mask, alpha_mask;
} sdl12_format;

typedef struct {
    uint32_t flags;
    sdl12_format *format;
    int w, h;
    uint16_t pitch;
    void *pixels;
} sdl12_surface;

#endif
