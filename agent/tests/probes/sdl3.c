/* SDL 3 from the library that is named, through functions looked up in it: draws with the renderer
 * ("renderer"), in the window surface ("surface") or with OpenGL ("gl"); joystick and gamepad. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    uint32_t flags, format;
    int w, h, pitch;
    void *pixels;
} surface;

static void *library;
#define SDL(result, name, ...) ((result (*)(__VA_ARGS__))dlsym(library, #name))

int main(int count, char **arguments)
{
    uint64_t event[16];
    int pads = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    library = dlopen(arguments[1], RTLD_NOW);
    bool renders = count > 2 && !strcmp(arguments[2], "renderer");
    bool has_gl = count > 2 && !strcmp(arguments[2], "gl");
    if (!library || !SDL(bool, SDL_Init, uint32_t)(0x20u | 0x200u | 0x2000u))
        return 3;
    void *window = SDL(void *, SDL_CreateWindow, const char *, int, int, uint64_t)(
        "p", 64, 48, has_gl ? 2 : 0);
    void *renderer = renders ? SDL(void *, SDL_CreateRenderer, void *, const char *)(window,
                                                                                    "software")
                             : NULL;
    void *gl = has_gl ? dlopen("libGL.so.1", RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (has_gl && !SDL(void *, SDL_GL_CreateContext, void *)(window))
        return 4;
    uint32_t *ids = SDL(uint32_t *, SDL_GetGamepads, int *)(&pads);
    void *pad = pads ? SDL(void *, SDL_OpenGamepad, uint32_t)(ids[0]) : NULL;
    printf("gamepads %d %s\n", pads, pad ? SDL(const char *, SDL_GetGamepadName, void *)(pad) : "");
    for (unsigned frame = 0;; frame++) {
        while (SDL(bool, SDL_PollEvent, void *)(event))
            continue;
        bool south = pad && SDL(bool, SDL_GetGamepadButton, void *, int)(pad, 0);
        int x = pad ? SDL(int16_t, SDL_GetGamepadAxis, void *, int)(pad, 0) : 0;
        bool space = SDL(const bool *, SDL_GetKeyboardState, int *)(NULL)[44];
        printf("%u south %d x %d space %d\n", frame, south, x, space);
        if (gl) {
            ((void (*)(float, float, float, float))dlsym(gl, "glClearColor"))(south, 0.4f, 0.2f, 1);
            ((void (*)(unsigned))dlsym(gl, "glClear"))(0x4000u);
            SDL(bool, SDL_GL_SwapWindow, void *)(window);
        } else if (renderer) {
            SDL(bool, SDL_SetRenderDrawColor, void *, uint8_t, uint8_t, uint8_t, uint8_t)(
                renderer, south ? 255 : 0, 100, 50, 255);
            SDL(bool, SDL_RenderClear, void *)(renderer);
            SDL(bool, SDL_RenderPresent, void *)(renderer);
        } else {
            surface *screen = SDL(surface *, SDL_GetWindowSurface, void *)(window);
            uint32_t colour = (south ? 0xff0000u : 0) | 0x6432u;
            for (int i = 0; i < screen->h * screen->pitch / 4; i++)
                ((uint32_t *)screen->pixels)[i] = colour;
            SDL(bool, SDL_UpdateWindowSurface, void *)(window);
        }
    }
}
