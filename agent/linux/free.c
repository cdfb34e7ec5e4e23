#include "free.h"

#include <linux/futex.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../core/log.h"
#include "../core/pad.h"
#include "hook.h"

static _Atomic bool follows;
static int64_t ahead; /* virtual minus real time */

static int64_t real_now(void)
{
    struct timespec now;
    own_begin();
    clock_gettime(CLOCK_MONOTONIC, &now);
    own_end();
    return now.tv_sec * NG_SECOND + now.tv_nsec;
}

bool free_running(void)
{
    return atomic_load_explicit(&follows, memory_order_acquire);
}

void free_look_at_mode(void)
{
    bool free = agent_board->mode == NG_MODE_FREE;
    if (free == free_running())
        return;
    ahead = clock_now(&agent_clock) - real_now();
    atomic_store_explicit(&follows, free, memory_order_release);
    log_line(free ? "running free" : "stepped");
}

int64_t free_now(void)
{
    if (free_running())
        clock_advance(&agent_clock, real_now() + ahead);
    return clock_now(&agent_clock);
}

void free_sleep_until(int64_t time)
{
    for (int64_t left; (left = time - free_now()) > 0;) {
        struct timespec sleep = {left / NG_SECOND, left % NG_SECOND};
        syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &sleep, NULL);
    }
}

void free_publish_begin(void)
{
    atomic_fetch_add((_Atomic uint32_t *)&agent_board->frame_sequence, 1);
}

void free_publish_end(uint64_t frame)
{
    agent_board->frame = frame;
    agent_board->frame_time_ns = clock_now(&agent_clock);
    agent_board->frame_real_ns = real_now();
    atomic_fetch_add((_Atomic uint32_t *)&agent_board->frame_sequence, 1);
    syscall(SYS_futex, &agent_board->frame_sequence, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void free_take_pad(void)
{
    for (int tries = 0; tries < 1000; tries++) { /* a writer that was stopped must not stop us */
        _Atomic uint32_t *sequence = (_Atomic uint32_t *)&agent_board->pad_sequence;
        uint32_t before = atomic_load(sequence);
        ng_pad pad = agent_board->pad;
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load(sequence) == before) {
            pad_set(&pad);
            return;
        }
    }
}
