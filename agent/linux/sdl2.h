/* The little of SDL 2's interface that the agent uses; declared here so that building needs no SDL. */
#ifndef NG_SDL2_H
#define NG_SDL2_H

#include <stdint.h>

#include "sdl.h"

typedef struct SDL_Window SDL_Window;
typedef struct SDL_Renderer SDL_Renderer;
typedef struct SDL_Texture SDL_Texture;
typedef struct SDL_Joystick SDL_Joystick;

typedef struct {
    int x, y, w, h;
} SDL_Rect;

typedef struct {
    uint32_t format;
    void *palette;
    uint8_t bits_per_pixel, bytes_per_pixel, padding[2];
    uint32_t red_mask, green_mask, blue_mask, alpha_mask;
} SDL_PixelFormat;

typedef struct {
    uint32_t flags;
    SDL_PixelFormat *format;
    int w, h, pitch;
    void *pixels;
} SDL_Surface;

typedef struct {
    const char *name;
    uint32_t flags, texture_formats_count, texture_formats[16];
    int max_texture_width, max_texture_height;
} SDL_RendererInfo;

#define SDL_RENDERER_SOFTWARE 1u
#define SDL_PIXELFORMAT_RGB888 0x16161804u /* XRGB8888: bytes B G R X */
#define SDL_INIT_JOYSTICK 0x200u
#define SDL_INIT_GAMECONTROLLER 0x2000u
#define SDL_JOYSTICK_TYPE_GAMECONTROLLER 1

typedef struct {
    uint8_t data[16];
} SDL_JoystickGUID;

typedef struct {
    uint16_t version, type, axes, buttons, hats, vendor, product, padding;
    uint32_t button_mask, axis_mask;
    const char *name;
    void *user, (*Update)(void *), (*SetPlayerIndex)(void *, int);
    int (*Rumble)(void *, uint16_t, uint16_t), (*RumbleTriggers)(void *, uint16_t, uint16_t);
    int (*SetLED)(void *, uint8_t, uint8_t, uint8_t), (*SendEffect)(void *, const void *, int);
} SDL_VirtualJoystickDesc;

/* A function of the game's SDL 2, or NULL where this version lacks it. */
#define SDL2(result, name, ...) SDL_FUNCTION(2, result, name, __VA_ARGS__)

#endif
