#include "clock.h"

#include <stdatomic.h>

void clock_start(ng_clock *clock, uint32_t numerator, uint32_t denominator)
{
    atomic_store(&clock->now, 0);
    clock->frame_start = 0;
    clock->numerator = numerator;
    clock->denominator = denominator;
    clock->reads = 0;
}

int64_t clock_now(const ng_clock *clock)
{
    return atomic_load_explicit(&clock->now, memory_order_acquire);
}

int clock_advance(ng_clock *clock, int64_t time)
{
    int64_t now = clock_now(clock);
    while (time > now)
        if (atomic_compare_exchange_weak(&clock->now, &now, time))
            return 1;
    return 0;
}

int64_t clock_next_point(const ng_clock *clock)
{
    __int128 period = (__int128)NG_SECOND * clock->denominator; /* times numerator */
    __int128 index = (__int128)clock->frame_start * clock->numerator / period + 1;
    /* Points are rounded up: else a busy wait for the period misses it by a tick. */
    return (int64_t)((index * period + clock->numerator - 1) / clock->numerator);
}

int64_t clock_read(ng_clock *clock)
{
    if (++clock->reads > NG_FREE_READS) {
        int64_t now = clock_now(clock), point = clock_next_point(clock);
        int64_t next = now + NG_SPIN_STEP;
        clock_advance(clock, now < point && point < next ? point : next);
    }
    return clock_now(clock);
}

void clock_boundary(ng_clock *clock)
{
    clock_advance(clock, clock_next_point(clock));
    clock->frame_start = clock_now(clock);
    clock->reads = 0;
}
