/* Sleeps, and waits with a time limit. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "free.h"
#include "hook.h"
#include "wait.h"

#define GRACE_NS 2000000LL /* real time that the frame thread waits before it moves the clock */

static int64_t nanoseconds(const struct timespec *time)
{
    return time->tv_sec * NG_SECOND + time->tv_nsec;
}

/* A point of either clock, as virtual time. The calendar is far ahead of the monotonic clock, so the
 * value tells which one it is; a condition does not say which clock it was made for. */
static int64_t virtual_time(const struct timespec *point)
{
    int64_t value = nanoseconds(point);
    return value >= agent_board->epoch_ns / 2 ? value - agent_board->epoch_ns
                                              : value - NG_MONOTONIC_BASE;
}

static struct timespec real_deadline(clockid_t id, int64_t wait_ns)
{
    struct timespec now;
    own_begin();
    clock_gettime(id, &now);
    own_end();
    int64_t end = nanoseconds(&now) + wait_ns;
    return (struct timespec){end / NG_SECOND, end % NG_SECOND};
}

EXPORT int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    if (!agent_owns_time())
        return REAL(nanosleep)(wanted, left);
    wait_until(free_now() + nanoseconds(wanted));
    return 0;
}

EXPORT int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted,
                           struct timespec *left)
{
    if (!agent_owns_time())
        return REAL(clock_nanosleep)(id, flags, wanted, left);
    wait_until(flags & TIMER_ABSTIME ? virtual_time(wanted)
                                     : free_now() + nanoseconds(wanted));
    return 0;
}

EXPORT int usleep(useconds_t wanted)
{
    if (!agent_owns_time())
        return REAL(usleep)(wanted);
    wait_until(free_now() + (int64_t)wanted * 1000);
    return 0;
}

EXPORT unsigned sleep(unsigned wanted)
{
    if (!agent_owns_time())
        return REAL(sleep)(wanted);
    wait_until(free_now() + wanted * NG_SECOND);
    return 0;
}

/* --- waits for descriptors: `look` polls them for at most that long in real time ------------- */

typedef int (*look_function)(void *call, int64_t wait_ns);

static int wait_for_files(look_function look, void *call, int64_t timeout_ns)
{
    int64_t deadline = free_now() + timeout_ns;
    int ready = look(call, 0);
    agent_saw(NG_SEEN_SLEEP);
    if (wait_moves_clock()) {
        while (ready == 0 && free_now() < deadline) {
            ready = look(call, GRACE_NS);
            if (ready == 0)
                wait_in_vain(deadline, GRACE_NS);
        }
        return ready;
    }
    if (ready)
        return ready;
    wait_begin(deadline, NULL, NULL);
    while (!wait_is_due() && (ready == 0 || (ready < 0 && errno == EINTR))) {
        ready = look(call, wait_slice());
        wait_slice_over();
    }
    wait_end();
    return ready < 0 && errno == EINTR ? 0 : ready;
}

static int milliseconds(int64_t time_ns)
{
    return (int)((time_ns + 999999) / 1000000);
}

struct poll_call {
    struct pollfd *files;
    nfds_t count;
};

static int look_poll(void *context, int64_t wait_ns)
{
    struct poll_call *call = context;
    return REAL(poll)(call->files, call->count, milliseconds(wait_ns));
}

static int virtual_poll(struct pollfd *files, nfds_t count, int64_t timeout_ns)
{
    struct poll_call call = {files, count};
    if (count == 0) {
        wait_until(free_now() + timeout_ns);
        return 0;
    }
    return wait_for_files(look_poll, &call, timeout_ns);
}

EXPORT int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
    if (timeout_ms <= 0 || !agent_owns_time())
        return REAL(poll)(files, count, timeout_ms);
    return virtual_poll(files, count, timeout_ms * 1000000LL);
}

EXPORT int ppoll(struct pollfd *files, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    if (!timeout || !nanoseconds(timeout) || mask || !agent_owns_time())
        return REAL(ppoll)(files, count, timeout, mask);
    return virtual_poll(files, count, nanoseconds(timeout));
}

EXPORT int epoll_pwait(int file, struct epoll_event *events, int limit, int timeout_ms,
                       const sigset_t *mask)
{
    if (timeout_ms <= 0 || mask || !agent_owns_time())
        return REAL(epoll_pwait)(file, events, limit, timeout_ms, mask);
    return epoll_wait(file, events, limit, timeout_ms);
}

struct select_call {
    int count;
    fd_set *sets[3];
    fd_set asked[3];
};

static int look_select(void *context, int64_t wait_ns)
{
    struct select_call *call = context;
    struct timeval limit = {wait_ns / NG_SECOND, wait_ns % NG_SECOND / 1000};
    for (int i = 0; i < 3; i++)
        if (call->sets[i])
            *call->sets[i] = call->asked[i];
    return REAL(select)(call->count, call->sets[0], call->sets[1], call->sets[2], &limit);
}

EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *bad, struct timeval *timeout)
{
    int64_t timeout_ns = timeout ? timeout->tv_sec * NG_SECOND + timeout->tv_usec * 1000 : 0;
    if (timeout_ns <= 0 || count > FD_SETSIZE || !agent_owns_time())
        return REAL(select)(count, in, out, bad, timeout);
    if (!in && !out && !bad) {
        wait_until(free_now() + timeout_ns);
        return 0;
    }
    struct select_call call = {.count = count, .sets = {in, out, bad}};
    for (int i = 0; i < 3; i++)
        if (call.sets[i])
            call.asked[i] = *call.sets[i];
    return wait_for_files(look_select, &call, timeout_ns);
}

EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *bad, const struct timespec *timeout,
                   const sigset_t *mask)
{
    if (!timeout || !nanoseconds(timeout) || mask || !agent_owns_time())
        return REAL(pselect)(count, in, out, bad, timeout, mask);
    struct timeval limit = {timeout->tv_sec, (timeout->tv_nsec + 999) / 1000};
    return select(count, in, out, bad, &limit);
}

struct epoll_call {
    int file;
    struct epoll_event *events;
    int limit;
};

static int look_epoll(void *context, int64_t wait_ns)
{
    struct epoll_call *call = context;
    return REAL(epoll_wait)(call->file, call->events, call->limit, milliseconds(wait_ns));
}

EXPORT int epoll_wait(int file, struct epoll_event *events, int limit, int timeout_ms)
{
    if (timeout_ms <= 0 || !agent_owns_time())
        return REAL(epoll_wait)(file, events, limit, timeout_ms);
    struct epoll_call call = {file, events, limit};
    return wait_for_files(look_epoll, &call, timeout_ms * 1000000LL);
}

/* --- condition variables and semaphores -------------------------------------------------------- */

static int wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline)
{
    bool frame = wait_moves_clock();
    int result = ETIMEDOUT;
    agent_saw(NG_SEEN_SLEEP);
    if (frame)
        while (result == ETIMEDOUT && free_now() < deadline) {
            struct timespec end = real_deadline(CLOCK_MONOTONIC, GRACE_NS);
            result = REAL(pthread_cond_clockwait)(condition, mutex, CLOCK_MONOTONIC, &end);
            if (result == ETIMEDOUT)
                wait_in_vain(deadline, GRACE_NS);
        }
    if (frame)
        return result;
    wait_begin(deadline, condition, mutex);
    while (!wait_is_due() && result == ETIMEDOUT) {
        struct timespec end = real_deadline(CLOCK_MONOTONIC, wait_slice());
        result = REAL(pthread_cond_clockwait)(condition, mutex, CLOCK_MONOTONIC, &end);
        if (result == ETIMEDOUT)
            wait_slice_over();
    }
    if (wait_is_due() && result == 0)
        result = ETIMEDOUT; /* woken by us */
    wait_end();
    return result;
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict condition,
                                  pthread_mutex_t *restrict mutex,
                                  const struct timespec *restrict end)
{
    if (!agent_owns_time())
        return REAL(pthread_cond_timedwait)(condition, mutex, end);
    return wait_condition(condition, mutex, virtual_time(end));
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *restrict condition,
                                  pthread_mutex_t *restrict mutex, clockid_t id,
                                  const struct timespec *restrict end)
{
    if (!agent_owns_time())
        return REAL(pthread_cond_clockwait)(condition, mutex, id, end);
    return wait_condition(condition, mutex, virtual_time(end));
}

static int look_semaphore(void *context, int64_t wait_ns)
{
    struct timespec end = real_deadline(CLOCK_MONOTONIC, wait_ns);
    if (REAL(sem_clockwait)(context, CLOCK_MONOTONIC, &end) == 0)
        return 1;
    return errno == ETIMEDOUT ? 0 : -1;
}

static int wait_semaphore(sem_t *semaphore, int64_t deadline)
{
    int64_t timeout_ns = deadline - free_now();
    int ready = wait_for_files(look_semaphore, semaphore, timeout_ns > 0 ? timeout_ns : 0);
    if (ready > 0)
        return 0;
    if (ready == 0)
        errno = ETIMEDOUT;
    return -1;
}

EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict end)
{
    if (!agent_owns_time())
        return REAL(sem_timedwait)(semaphore, end);
    return wait_semaphore(semaphore, virtual_time(end));
}

EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t id,
                         const struct timespec *restrict end)
{
    if (!agent_owns_time())
        return REAL(sem_clockwait)(semaphore, id, end);
    return wait_semaphore(semaphore, virtual_time(end));
}
