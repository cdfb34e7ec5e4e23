/* The clocks that games read. */
#include <stdlib.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <time.h>

#include "dynapi.h"
#include "free.h"
#include "hook.h"
#include "wait.h"

static int64_t read_clock(void)
{
    agent_saw(NG_SEEN_CLOCK);
    dynapi_take_places();
    if (free_running())
        return free_now();
    return thread_is_frame() ? clock_read(&agent_clock) : clock_now(&agent_clock);
}

static int64_t calendar(void)
{
    return agent_board->epoch_ns + read_clock();
}

static bool is_calendar(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE || id == CLOCK_TAI;
}

/* Processor-time clocks count from the load: games seed random numbers from them. */
static bool is_processor(clockid_t id)
{
    return id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID || id < 0;
}

static struct timespec to_timespec(int64_t time)
{
    return (struct timespec){.tv_sec = time / NG_SECOND, .tv_nsec = time % NG_SECOND};
}

EXPORT int clock_gettime(clockid_t id, struct timespec *out)
{
    if (!agent_owns_time())
        return REAL(clock_gettime)(id, out);
    if (is_calendar(id))
        *out = to_timespec(calendar());
    else
        *out = to_timespec(read_clock() + (is_processor(id) ? 0 : NG_MONOTONIC_BASE));
    return 0;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    if (!agent_owns_time())
        return REAL(gettimeofday)(out, zone);
    struct timespec now = to_timespec(calendar());
    *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    if (zone)
        *(struct timezone *)zone = (struct timezone){0};
    return 0;
}

EXPORT time_t time(time_t *out)
{
    if (!agent_owns_time())
        return REAL(time)(out);
    time_t now = calendar() / NG_SECOND;
    if (out)
        *out = now;
    return now;
}

EXPORT int timespec_get(struct timespec *out, int base)
{
    if (!agent_owns_time())
        return REAL(timespec_get)(out, base);
    if (base != TIME_UTC)
        return 0;
    *out = to_timespec(calendar());
    return base;
}

EXPORT int ftime(struct timeb *out)
{
    if (!agent_owns_time()) {
        struct timespec real;
        REAL(clock_gettime)(CLOCK_REALTIME, &real);
        *out = (struct timeb){.time = real.tv_sec,
                              .millitm = (unsigned short)(real.tv_nsec / 1000000)};
        return 0;
    }
    struct timespec now = to_timespec(calendar());
    *out = (struct timeb){.time = now.tv_sec, .millitm = (unsigned short)(now.tv_nsec / 1000000)};
    return 0;
}

EXPORT clock_t clock(void)
{
    if (!agent_owns_time())
        return REAL(clock)();
    return (clock_t)(read_clock() / (NG_SECOND / CLOCKS_PER_SEC));
}
