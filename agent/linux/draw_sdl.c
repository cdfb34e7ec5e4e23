/* Drawing that nobody will see: calls of SDL 2's renderer into the window are left out in the frames
 * of a step before its last one, for games that redraw everything in each frame. */
#include "frame.h"
#include "hook.h"
#include "sdl2.h"

/* Drawing into a texture stays: the game may use it later. */
static bool is_unseen(SDL_Renderer *renderer)
{
    if (own_code() || !agent_on() || !frame_skips_drawing() || sdl_linked() != 2)
        return false;
    SDL_Texture *(*target)(SDL_Renderer *) =
        SDL2(SDL_Texture *, SDL_GetRenderTarget, SDL_Renderer *);
    return target && !target(renderer);
}

/* A hook of `name` with these parameters, the first being the renderer; 0 is SDL's success. */
#define DRAWING(name, parameters, arguments) \
    int name parameters; \
    EXPORT int name parameters \
    { \
        static int(*real) parameters; \
        if (!real) \
            real = (int(*) parameters)sdl_function(sdl_linked(), #name); \
        return is_unseen(renderer) ? 0 : real arguments; \
    }

typedef SDL_Renderer R;
typedef SDL_Texture T;
typedef SDL_Rect I; /* integers; F: floats, of the same size and only handed on */
typedef void F;

DRAWING(SDL_RenderClear, (R *renderer), (renderer))
DRAWING(SDL_RenderCopy, (R *renderer, T *texture, const I *from, const I *to),
        (renderer, texture, from, to))
DRAWING(SDL_RenderCopyF, (R *renderer, T *texture, const I *from, const F *to),
        (renderer, texture, from, to))
DRAWING(SDL_RenderCopyEx,
        (R *renderer, T *texture, const I *from, const I *to, double angle, const F *at, int flip),
        (renderer, texture, from, to, angle, at, flip))
DRAWING(SDL_RenderCopyExF,
        (R *renderer, T *texture, const I *from, const F *to, double angle, const F *at, int flip),
        (renderer, texture, from, to, angle, at, flip))
DRAWING(SDL_RenderFillRect, (R *renderer, const I *rect), (renderer, rect))
DRAWING(SDL_RenderFillRectF, (R *renderer, const F *rect), (renderer, rect))
DRAWING(SDL_RenderFillRects, (R *renderer, const I *rects, int count), (renderer, rects, count))
DRAWING(SDL_RenderFillRectsF, (R *renderer, const F *rects, int count), (renderer, rects, count))
DRAWING(SDL_RenderDrawRect, (R *renderer, const I *rect), (renderer, rect))
DRAWING(SDL_RenderDrawRects, (R *renderer, const I *rects, int count), (renderer, rects, count))
DRAWING(SDL_RenderDrawPoint, (R *renderer, int x, int y), (renderer, x, y))
DRAWING(SDL_RenderDrawPoints, (R *renderer, const F *points, int count), (renderer, points, count))
DRAWING(SDL_RenderDrawLine, (R *renderer, int x1, int y1, int x2, int y2),
        (renderer, x1, y1, x2, y2))
DRAWING(SDL_RenderDrawLines, (R *renderer, const F *points, int count), (renderer, points, count))
DRAWING(SDL_RenderDrawLinesF, (R *renderer, const F *points, int count), (renderer, points, count))
DRAWING(SDL_RenderGeometry,
        (R *renderer, T *texture, const F *corners, int count, const int *order, int orders),
        (renderer, texture, corners, count, order, orders))
