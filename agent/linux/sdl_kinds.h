/* What each version of SDL does at a present, and when it has started. Results as SDL's own. */
#ifndef NG_SDL_KINDS_H
#define NG_SDL_KINDS_H

#include <stdbool.h>
#include <stdint.h>

int sdl12_flip(void *screen);
int sdl12_update(void *screen, bool all); /* parts of the screen: the frame ends later if not all */
void sdl12_finish_update(void);           /* it ends now, if parts of it were shown */
int sdl12_swap(void);

void sdl2_plug_in(uint32_t flags);
int sdl2_present(void *renderer);
int sdl2_show(void *window);
int sdl2_swap(void *window);

void sdl3_plug_in(uint32_t flags);
int sdl3_present(void *renderer);
int sdl3_show(void *window);
int sdl3_swap(void *window);

#endif
