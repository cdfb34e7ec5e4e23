/* SDL 1.2, declared here: a screen of 16 bits, shown in two parts per frame; joystick, keys, mouse. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    uint32_t flags;
    void *format;
    int w, h;
    uint16_t pitch;
    void *pixels;
} surface;

int SDL_Init(uint32_t flags);
surface *SDL_SetVideoMode(int width, int height, int bits, uint32_t flags);
void SDL_UpdateRect(surface *screen, int x, int y, unsigned w, unsigned h);
int SDL_Flip(surface *screen);
int SDL_PollEvent(void *event);
int SDL_NumJoysticks(void);
const char *SDL_JoystickName(int index);
void *SDL_JoystickOpen(int index);
int16_t SDL_JoystickGetAxis(void *joystick, int axis);
uint8_t SDL_JoystickGetButton(void *joystick, int button);
uint8_t *SDL_GetKeyState(int *count);
uint8_t SDL_GetMouseState(int *x, int *y);

#define SYMBOL_SPACE 32

int main(int count, char **arguments)
{
    uint64_t event[8];
    int x = 0, y = 0, flips = count > 1 && atoi(arguments[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (SDL_Init(0x20u | 0x200u))
        return 3;
    surface *screen = SDL_SetVideoMode(64, 48, 16, 0);
    printf("joysticks %d %s\n", SDL_NumJoysticks(), SDL_NumJoysticks() ? SDL_JoystickName(0) : "");
    void *joystick = SDL_JoystickOpen(0);
    for (uint32_t frame = 0;; frame++) {
        while (SDL_PollEvent(event))
            if (*(uint8_t *)event == 2)
                printf("key event\n");
        int south = joystick && SDL_JoystickGetButton(joystick, 0);
        printf("%u south %d x %d space %d mouse %d", frame, south,
               joystick ? SDL_JoystickGetAxis(joystick, 0) : 0,
               SDL_GetKeyState(NULL)[SYMBOL_SPACE], SDL_GetMouseState(&x, &y));
        printf(" %d %d\n", x, y);
        for (int row = 0; row < 48; row++)
            for (int column = 0; column < 64; column++) /* red above, green below */
                ((uint16_t *)((char *)screen->pixels + row * screen->pitch))[column] =
                    row < 24 ? 0xf800 : 0x07e0;
        if (flips) {
            SDL_Flip(screen);
        } else {
            SDL_UpdateRect(screen, 0, 0, 64, 24);
            SDL_UpdateRect(screen, 0, 24, 64, 24);
        }
    }
}
