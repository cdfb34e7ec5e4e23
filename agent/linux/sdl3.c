/* SDL 3: frames of its renderer and of window surfaces, and the virtual pad. */
#include <string.h>

#include "../core/log.h"
#include "../core/pad.h"
#include "frame.h"
#include "hook.h"
#include "sdl.h"
#include "sdl_kinds.h"

#define SDL3(result, name, ...) SDL_FUNCTION(3, result, name, __VA_ARGS__)
#define INIT_JOYSTICK 0x200u
#define INIT_GAMEPAD 0x2000u
#define TYPE_GAMEPAD 1
#define FORMAT_XRGB8888 0x16161804u
#define FORMAT_ARGB8888 0x16362004u

typedef struct {
    uint32_t flags, format;
    int w, h, pitch;
    void *pixels;
} surface3;

typedef struct {
    uint32_t version; /* size of this */
    uint16_t type, padding, vendor, product, axes, buttons, balls, hats, touchpads, sensors;
    uint16_t padding2[2];
    uint32_t button_mask, axis_mask;
    const char *name;
    const void *touchpads_about, *sensors_about;
    void *user, *functions[8];
} virtual_pad;

static void *joystick;
static surface3 *copied;

static bool use(surface3 *surface, ng_picture *picture)
{
    if (!surface)
        return false;
    if (surface->format != FORMAT_XRGB8888 && surface->format != FORMAT_ARGB8888) {
        surface3 *other = SDL3(surface3 *, SDL_ConvertSurface, surface3 *, uint32_t)(
            surface, FORMAT_XRGB8888);
        if (copied)
            SDL3(void, SDL_DestroySurface, surface3 *)(copied);
        copied = surface = other;
        if (!surface)
            return false;
    }
    *picture = (ng_picture){.pixels = surface->pixels, .width = surface->w, .height = surface->h,
                            .stride = surface->pitch, .red = 2, .green = 1, .blue = 0};
    return true;
}

static bool grab_renderer(void *renderer, ng_picture *picture)
{
    if (copied)
        SDL3(void, SDL_DestroySurface, surface3 *)(copied);
    copied = SDL3(surface3 *, SDL_RenderReadPixels, void *, const void *)(renderer, NULL);
    surface3 *read = copied;
    if (read && read->format != FORMAT_XRGB8888 && read->format != FORMAT_ARGB8888) {
        copied = NULL;
        bool done = use(read, picture);
        SDL3(void, SDL_DestroySurface, surface3 *)(read);
        return done;
    }
    return use(read, picture);
}

static bool grab_window(void *window, ng_picture *picture)
{
    return use(SDL3(surface3 *, SDL_GetWindowSurface, void *)(window), picture);
}

int sdl3_present(void *renderer)
{
    frame_boundary(NG_SEEN_PRESENT_SDL3_RENDERER, grab_renderer, renderer);
    return 1;
}

int sdl3_show(void *window)
{
    frame_boundary(NG_SEEN_PRESENT_SDL3_SURFACE, grab_window, window);
    return 1;
}

static void apply(const ng_pad *pad)
{
    pad_raw raw;
    if (!joystick)
        return;
    pad_to_raw(pad, &raw);
    for (int i = 0; i < NG_RAW_AXES; i++)
        SDL3(bool, SDL_SetJoystickVirtualAxis, void *, int, int16_t)(joystick, i, raw.axes[i]);
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        SDL3(bool, SDL_SetJoystickVirtualButton, void *, int, bool)(joystick, i, raw.buttons[i]);
    uint8_t hat = (uint8_t)((raw.hat_y < 0 ? 1 : 0) | (raw.hat_x > 0 ? 2 : 0) |
                            (raw.hat_y > 0 ? 4 : 0) | (raw.hat_x < 0 ? 8 : 0));
    SDL3(bool, SDL_SetJoystickVirtualHat, void *, int, uint8_t)(joystick, 0, hat);
}

const pad_driver pad_sdl3 = {"sdl3", apply};

typedef struct {
    uint8_t data[16];
} guid3;

void sdl3_plug_in(uint32_t flags)
{
    virtual_pad description = {
        .version = sizeof description, .type = TYPE_GAMEPAD, .vendor = NG_PAD_VENDOR,
        .product = NG_PAD_PRODUCT, .axes = NG_RAW_AXES, .buttons = NG_RAW_BUTTONS, .hats = 1,
        .name = NG_PAD_NAME,
    };
    char mapping[512] = "";
    if (joystick || !(flags & (INIT_JOYSTICK | INIT_GAMEPAD)))
        return;
    uint32_t (*attach)(const virtual_pad *) =
        SDL3(uint32_t, SDL_AttachVirtualJoystick, const virtual_pad *);
    uint32_t id = attach ? attach(&description) : 0;
    if (!id) {
        log_line("this SDL 3 has no virtual joysticks");
        return;
    }
    guid3 guid = SDL3(guid3, SDL_GetJoystickGUIDForID, uint32_t)(id);
    SDL3(void, SDL_GUIDToString, guid3, char *, int)(guid, mapping, 33);
    strncat(mapping, NG_PAD_MAPPING, sizeof mapping - strlen(mapping) - 1);
    SDL3(int, SDL_AddGamepadMapping, const char *)(mapping);
    joystick = SDL3(void *, SDL_OpenJoystick, uint32_t)(id);
    log_line("SDL 3 pad plugged in%s", joystick ? "" : ", but it cannot be opened");
    agent_saw(NG_SEEN_PAD_ADDED);
    apply(pad_state());
}
