/* X11 key symbols of SDL's scancodes (which are the USB ones). */
#ifndef NG_KEYSYMS_H
#define NG_KEYSYMS_H

/* 0 if there is none. */
unsigned long keysym_of_scancode(int scancode);

/* The same as SDL 1.2 names it. */
int sdl12_symbol_of_scancode(int scancode);

#endif
