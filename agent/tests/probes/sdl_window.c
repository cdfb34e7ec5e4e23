/* The plainest SDL 2 program: a window surface, a pad, keys and the mouse. Prints what it gets.
 * Also built with a private copy of SDL 2, and with SDL 2 inside. */
#include <string.h>

#include "window.h"

void *SDL_JoystickOpen(int index);
int SDL_NumJoysticks(void);
const char *SDL_JoystickName(void *joystick);
int16_t SDL_JoystickGetAxis(void *joystick, int axis);
uint8_t SDL_JoystickGetButton(void *joystick, int button);
uint32_t SDL_GetMouseState(int *x, int *y);
const uint8_t *SDL_GetKeyboardState(int *count);

#define SCANCODE_SPACE 44

int main(void)
{
    void *window = probe_window(0x200u);
    int joysticks = SDL_NumJoysticks(), x = 0, y = 0;
    void *joystick = SDL_JoystickOpen(0);
    printf("joysticks %d %s\n", joysticks, joystick ? SDL_JoystickName(joystick) : "none");
    for (uint32_t frame = 0;; frame++) {
        uint32_t buttons = SDL_GetMouseState(&x, &y);
        bool south = joystick && SDL_JoystickGetButton(joystick, 0);
        printf("%u south %d x %d space %d mouse %u %d %d\n", frame, south,
               joystick ? SDL_JoystickGetAxis(joystick, 0) : 0,
               SDL_GetKeyboardState(NULL)[SCANCODE_SPACE], buttons, x, y);
        probe_frame(window, (south ? 0xff0000u : 0) | (frame & 0xffu));
    }
}
