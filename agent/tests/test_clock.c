/* The laws of the clock, for many frame rates. */
#include "../core/clock.h"
#include "check.h"

static void grid_is_ideal(uint32_t numerator, uint32_t denominator)
{
    ng_clock clock;
    clock_start(&clock, numerator, denominator);
    for (int64_t k = 1; k <= 2000; k++) {
        __int128 exact = (__int128)k * NG_SECOND * denominator;
        clock_boundary(&clock);
        CHECK((__int128)clock_now(&clock) * numerator >= exact);          /* rounded up ... */
        CHECK((__int128)(clock_now(&clock) - 1) * numerator < exact);     /* ... by less than 1 ns */
    }
}

static void sleeps_count_against_the_boundary(void)
{
    ng_clock clock;
    clock_start(&clock, 60, 1);
    for (int k = 0; k < 600; k++) {
        int64_t start = clock_now(&clock);
        clock_advance(&clock, start + 10000000); /* 10 ms of 16.7 */
        clock_boundary(&clock);
    }
    CHECK(clock_now(&clock) == 10 * NG_SECOND);
    clock_advance(&clock, clock_now(&clock) + 2 * NG_SECOND); /* a long sleep moves the frame ... */
    clock_boundary(&clock);
    CHECK(clock_now(&clock) == 12 * NG_SECOND);
    clock_boundary(&clock); /* ... and the next one is a frame long again */
    CHECK(clock_now(&clock) == 12 * NG_SECOND + 16666667);
}

static void time_stands_still_and_never_goes_back(void)
{
    ng_clock clock;
    clock_start(&clock, 50, 1);
    int64_t first = clock_read(&clock);
    for (uint32_t i = 1; i < NG_FREE_READS; i++)
        CHECK(clock_read(&clock) == first);
    CHECK(!clock_advance(&clock, first - 5));
    CHECK(clock_now(&clock) == first);
}

static void spinning_ends_on_the_grid(void)
{
    ng_clock clock;
    clock_start(&clock, 60, 1);
    for (int frame = 1; frame <= 60; frame++) {
        int64_t start = clock_now(&clock), reads = 0;
        while (clock_read(&clock) < start + 16000000)
            CHECK(++reads < 10000);
        clock_boundary(&clock);
        CHECK(clock_now(&clock) == (frame * NG_SECOND + 59) / 60);
    }
}

int main(void)
{
    grid_is_ideal(60, 1);
    grid_is_ideal(50, 1);
    grid_is_ideal(200, 3);
    grid_is_ideal(60000, 1001);
    grid_is_ideal(1, 1);
    grid_is_ideal(1000, 1);
    sleeps_count_against_the_boundary();
    time_stands_still_and_never_goes_back();
    spinning_ends_on_the_grid();
    return 0;
}
