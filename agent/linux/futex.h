/* Sleeping on a word of memory, and waking who sleeps there. */
#ifndef NG_FUTEX_H
#define NG_FUTEX_H

#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../core/clock.h"

static inline void futex_wait(_Atomic int *word, int value, int64_t timeout_ns)
{
    struct timespec limit = {timeout_ns / NG_SECOND, timeout_ns % NG_SECOND};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &limit, NULL, 0);
}

static inline void futex_wake(_Atomic int *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 64, NULL, NULL, 0);
}

#endif
