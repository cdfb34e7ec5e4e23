/* Next to nothing per frame: SDL 2's window surface of WIDTH x HEIGHT, one bar of it redrawn. With a
 * third argument it ends after so many frames, to be timed without the agent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t flags;
    void *format;
    int w, h, pitch;
    void *pixels;
} surface;

int SDL_Init(uint32_t flags);
void *SDL_CreateWindow(const char *title, int x, int y, int w, int h, uint32_t flags);
surface *SDL_GetWindowSurface(void *window);
int SDL_UpdateWindowSurface(void *window);
int SDL_PollEvent(void *event);
void *SDL_JoystickOpen(int index);

int main(int count, char **arguments)
{
    int width = count > 1 ? atoi(arguments[1]) : 256, height = count > 2 ? atoi(arguments[2]) : 256;
    long frames = count > 3 ? atol(arguments[3]) : -1;
    uint64_t event[16];
    SDL_Init(0x20u | 0x200u);
    void *window = SDL_CreateWindow("plain", 0, 0, width, height, 0);
    SDL_JoystickOpen(0);
    for (long frame = 0; frame != frames; frame++) {
        surface *screen = SDL_GetWindowSurface(window);
        while (SDL_PollEvent(event))
            continue;
        memset((char *)screen->pixels + frame % height * screen->pitch, (int)frame,
               (size_t)screen->pitch);
        SDL_UpdateWindowSurface(window);
    }
}
