/* Running free: the virtual clock follows real time, and frames are published without waiting. */
#ifndef NG_FREE_H
#define NG_FREE_H

#include <stdbool.h>
#include <stdint.h>

#include "../protocol.h"

/* Is the game running free now? */
bool free_running(void);

/* Take up a mode that Python has set; at the load and at each present. */
void free_look_at_mode(void);

/* Virtual time now; running free, the clock is first moved to where real time has come. */
int64_t free_now(void);

/* Sleep, really, until the clock has come to `time`. */
void free_sleep_until(int64_t time);

/* Let Python see the frame: between begin and end the observation may be written. */
void free_publish_begin(void);
void free_publish_end(uint64_t frame);

/* Hold what Python has written last. */
void free_take_pad(void);

#endif
