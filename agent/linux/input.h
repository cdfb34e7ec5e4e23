/* Keys and the mouse, as the game's own library or the display server would send them. */
#ifndef NG_INPUT_H
#define NG_INPUT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int x, y;         /* in the window, in pixels */
    int moved_x, moved_y; /* by the newest motion */
    uint32_t buttons; /* bit 0 left, 1 middle, 2 right */
} mouse_state;

/* SDL: the major version that has a window now, 0 if none. */
int input_sdl_in_use(void);
void input_sdl_key(int major, int scancode, bool down);
void input_sdl_motion(int major, const mouse_state *mouse);
void input_sdl_button(int major, const mouse_state *mouse, int button, bool down);

/* X11: by the display server's test extension, over a connection of our own. */
void input_x11_key(int scancode, bool down);
void input_x11_motion(const mouse_state *mouse, bool absolute);
void input_x11_button(int button, bool down);

/* What the game is told when it asks where the mouse is: false if it is not ours to say. */
bool mouse_ask(bool relative, int *x, int *y, uint32_t *buttons);

#endif
