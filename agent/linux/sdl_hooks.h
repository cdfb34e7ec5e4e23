/* Our functions in place of SDL's, for names that are looked up at run time. */
#ifndef NG_SDL_HOOKS_H
#define NG_SDL_HOOKS_H

/* What stands for `name` of that major version, or NULL if it is not replaced. */
void *sdl_replacement(int major, const char *name);

/* What stands for a function of OpenGL that was looked up, `found` if it is not replaced. */
void *gl_replacement(const char *name, void *found);

#endif
