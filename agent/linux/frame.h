/* The frame boundary, common to every way of presenting. */
#ifndef NG_FRAME_H
#define NG_FRAME_H

#include <stdbool.h>

#include "../core/picture.h"
#include "../protocol.h"

/* Points `picture` at the frame that the game is about to present; false: says why in the log. */
typedef bool (*frame_grab)(void *context, ng_picture *picture);

/* Called by a present hook, on the thread that presents, before anything is shown: hands the frame
 * over, waits for a step, applies the pad and moves the clock. `seen` is one of NG_SEEN_*. */
void frame_boundary(int seen, frame_grab grab, void *context);

/* The frames up to the next one that Python looks at need not be drawn. */
bool frame_skips_drawing(void);

/* The window, 0 x 0 before the first frame that was looked at. */
void frame_size(int *window_width, int *window_height);

/* Fill in clock, frame number and size. */
void frame_describe(ng_reply *reply);

/* Why a picture could not be had; at most NG_TEXT_BYTES - 1 characters are kept. */
void frame_explain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
