/* The pad for SDL 2 games: a virtual joystick inside the game's own SDL, laid out like the real one,
 * with the mapping that makes it a game controller as well. */
#include "../core/pad.h"

#include <stdio.h>
#include <string.h>

#include "../core/log.h"
#include "hook.h"
#include "sdl2.h"
#include "sdl_kinds.h"

static SDL_Joystick *joystick;

static void apply(const ng_pad *pad)
{
    pad_raw raw;
    if (!joystick)
        return;
    int (*set_axis)(SDL_Joystick *, int, int16_t) =
        SDL2(int, SDL_JoystickSetVirtualAxis, SDL_Joystick *, int, int16_t);
    int (*set_button)(SDL_Joystick *, int, uint8_t) =
        SDL2(int, SDL_JoystickSetVirtualButton, SDL_Joystick *, int, uint8_t);
    int (*set_hat)(SDL_Joystick *, int, uint8_t) =
        SDL2(int, SDL_JoystickSetVirtualHat, SDL_Joystick *, int, uint8_t);
    pad_to_raw(pad, &raw);
    for (int i = 0; i < NG_RAW_AXES; i++)
        set_axis(joystick, i, raw.axes[i]);
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        set_button(joystick, i, raw.buttons[i]);
    set_hat(joystick, 0, (uint8_t)((raw.hat_y < 0 ? 1 : 0) | (raw.hat_x > 0 ? 2 : 0) |
                                   (raw.hat_y > 0 ? 4 : 0) | (raw.hat_x < 0 ? 8 : 0)));
}

const pad_driver pad_sdl = {"sdl", apply};

static int attach(void)
{
    SDL_VirtualJoystickDesc description = {
        .version = 1, .type = SDL_JOYSTICK_TYPE_GAMECONTROLLER, .axes = NG_RAW_AXES,
        .buttons = NG_RAW_BUTTONS, .hats = 1, .vendor = NG_PAD_VENDOR,
        .product = NG_PAD_PRODUCT, .name = NG_PAD_NAME,
    };
    int (*attach_described)(const SDL_VirtualJoystickDesc *) =
        SDL2(int, SDL_JoystickAttachVirtualEx, const SDL_VirtualJoystickDesc *);
    int (*attach_plain)(int, int, int, int) =
        SDL2(int, SDL_JoystickAttachVirtual, int, int, int, int);
    if (attach_described)
        return attach_described(&description);
    if (attach_plain)
        return attach_plain(SDL_JOYSTICK_TYPE_GAMECONTROLLER, NG_RAW_AXES, NG_RAW_BUTTONS, 1);
    log_line("this SDL has no virtual joysticks (2.0.14 or newer is needed)");
    return -1;
}

static void add_mapping(int index)
{
    char mapping[512] = "";
    SDL_JoystickGUID id = SDL2(SDL_JoystickGUID, SDL_JoystickGetDeviceGUID, int)(index);
    SDL2(void, SDL_JoystickGetGUIDString, SDL_JoystickGUID, char *, int)(id, mapping, 33);
    strncat(mapping, NG_PAD_MAPPING, sizeof mapping - strlen(mapping) - 1);
    SDL2(int, SDL_GameControllerAddMapping, const char *)(mapping);
}

void sdl2_plug_in(uint32_t flags)
{
    if (!(flags & (SDL_INIT_JOYSTICK | SDL_INIT_GAMECONTROLLER)))
        return;
    if (joystick && SDL2(int, SDL_NumJoysticks, void)() > 0)
        return;
    int index = attach();
    if (index < 0)
        return;
    add_mapping(index);
    joystick = SDL2(SDL_Joystick *, SDL_JoystickOpen, int)(index);
    log_line("pad plugged in%s", joystick ? "" : ", but it cannot be opened");
    agent_saw(NG_SEEN_PAD_ADDED);
    apply(pad_state());
}
