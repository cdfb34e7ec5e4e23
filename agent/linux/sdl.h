/* SDL 1.2, 2 and 3 share names of functions: which one a game means, and where its functions are. */
#ifndef NG_SDL_H
#define NG_SDL_H

/* A function of that major version of SDL, as loaded into this process; NULL if there is none. */
void *sdl_function(int major, const char *name);

/* The major version that the program's own names are bound to (SDL_Init and so on), or 0. */
int sdl_linked(void);

/* The major version of the library that holds `function`, or 0 if it is no SDL. */
int sdl_major_of(void *function);

/* Is SDL 1.2 only a dress of SDL 2 (sdl12-compat)? Then SDL 2's hooks do the work. */
int sdl12_is_dress(void);

#define SDL_FUNCTION(major, result, name, ...) \
    ({ \
        static result (*function)(__VA_ARGS__); \
        if (!function) \
            function = (result (*)(__VA_ARGS__))sdl_function(major, #name); \
        function; \
    })

#endif
