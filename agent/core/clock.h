/* Virtual time in integer nanoseconds. No system call in here. */
#ifndef NG_CLOCK_H
#define NG_CLOCK_H

#include <stdint.h>

#define NG_SECOND 1000000000LL

/* Time as one game sees it: it starts at 0, stands still within a frame and never goes back. */
typedef struct {
    _Atomic int64_t now;
    int64_t frame_start;
    int64_t numerator; /* frames per `denominator` seconds */
    int64_t denominator;
    uint32_t reads; /* by the frame thread, in this frame */
} ng_clock;

#define NG_FREE_READS 2000u
#define NG_SPIN_STEP 1000000LL

/* Frozen at 0; `numerator / denominator` is the native frame rate in Hz. */
void clock_start(ng_clock *clock, uint32_t numerator, uint32_t denominator);

/* The time, for any thread; does not count as a read. */
int64_t clock_now(const ng_clock *clock);

/* The time, as the frame thread reads it: beyond NG_FREE_READS reads in one frame each further read
 * adds up to NG_SPIN_STEP, stopping at the grid on the way, so that spinning limiters end. */
int64_t clock_read(ng_clock *clock);

/* Move on to `time`, never back. Returns whether the clock moved. */
int clock_advance(ng_clock *clock, int64_t time);

/* The first point of the ideal grid ceil(k * period) after the start of this frame. */
int64_t clock_next_point(const ng_clock *clock);

/* The frame is over: max(now, next grid point). */
void clock_boundary(ng_clock *clock);

#endif
