/* Waiting on the virtual clock: who waits, who is due, when time may move.
 *
 * The frame thread moves the clock: at the boundary, and at once when it sleeps. On the way it stops
 * at every deadline of another thread, wakes that thread and lets it run until it waits again (the
 * barrier), so that what runs within a frame does not depend on the machine's speed.
 */
#ifndef NG_WAIT_H
#define NG_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The monotonic clock started this long before the load. */
#define NG_MONOTONIC_BASE (1000LL * 1000000000LL)

/* Other threads look at this real interval whether everything stands still. */
#define NG_SLICE_NS 20000000LL

void wait_start(void);

/* The frame thread is about to wait for Python, or has been let go. */
void wait_park(bool parked);

/* Move the clock to `time`, through every deadline on the way. Frame thread only. */
void wait_advance(int64_t time);

/* Is this the thread that moves the clock by waiting? Running free nobody does. */
bool wait_moves_clock(void);

/* Sleep until `deadline`: the frame thread moves the clock, others block. */
void wait_until(int64_t deadline);

/* A timed wait of the frame thread for something that only real time brings: `step_ns` of it have
 * passed in vain. Moves the clock towards `deadline` if nobody else is running. */
void wait_in_vain(int64_t deadline, int64_t step_ns);

/* A timed wait of another thread, around the real call, which is repeated in slices. */
void wait_begin(int64_t deadline, pthread_cond_t *condition, pthread_mutex_t *mutex);
bool wait_is_due(void);
int64_t wait_slice(void); /* how long one real call may last */
void wait_slice_over(void);
void wait_end(void);

/* Held while the process is copied; the copy has only the thread that copied. */
void wait_lock(void);
void wait_unlock(void);
void wait_forget_threads(void);

#endif
