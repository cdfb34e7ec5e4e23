/* From the game's pixels to RGB: at window size, and squashed to the observation. */
#ifndef NG_PICTURE_H
#define NG_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* Pixels of four bytes, where and how they lie. `stride` may be negative (bottom row first). */
typedef struct {
    const uint8_t *pixels; /* the top left one */
    int width;
    int height;
    ptrdiff_t stride;
    int red, green, blue; /* byte of each channel within a pixel */
} ng_picture;

#define NG_PICTURE_LIMIT 8192 /* widest and highest picture that is accepted */

/* Whole picture, area filter, into `size` x `size` RGB: a multiple of four within these limits.
 * Shrinking or enlarging in either axis. */
#define NG_SQUASH_LEAST 256
#define NG_SQUASH_MOST 512
void picture_squash(const ng_picture *picture, uint8_t *out, int size);

/* Same size, tightly packed RGB. */
void picture_copy(const ng_picture *picture, uint8_t *out);

#endif
