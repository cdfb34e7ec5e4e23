#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../core/log.h"
#include "free.h"
#include "futex.h"
#include "hook.h"
#include "threads.h"

#define WAITER_LIMIT 512
#define SETTLE_LIMIT_NS 200000000LL /* a thread that is due may run this long before we go on */
#define SETTLE_STEP_NS 50000LL
#define KICK_SIGNAL (SIGRTMAX - 3)
#define LONG_FRAME 4 /* native frames without a present: the game is loading */

enum { RUNNING, WAITING, DUE };

typedef struct {
    _Atomic int state;
    pid_t id;
    int64_t deadline;
    pthread_cond_t *condition; /* what the thread waits for, if it is one */
    pthread_mutex_t *mutex;
    bool is_late; /* did not settle: nobody waits for it until it waits again */
} waiter;

static waiter waiters[WAITER_LIMIT];
static int waiter_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int settle_signal;
static _Atomic bool parked;
LOCAL_THREAD waiter *mine;
LOCAL_THREAD int slices_still;

static void on_kick(int signal)
{
    (void)signal; /* its only use is to end a system call */
}

void wait_start(void)
{
    struct sigaction action = {.sa_handler = on_kick};
    sigaction(KICK_SIGNAL, &action, NULL);
}

void wait_lock(void)
{
    pthread_mutex_lock(&lock);
}

void wait_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void wait_forget_threads(void)
{
    memset(waiters, 0, sizeof waiters);
    waiter_count = 0;
    mine = NULL;
}

void wait_park(bool now_parked)
{
    atomic_store(&parked, now_parked);
}

/* An entry for this thread; those of ended threads are taken over. Called with the lock. */
static waiter *own_entry(void)
{
    if (mine)
        return mine;
    for (int i = 0; i < waiter_count && !mine; i++)
        if (waiters[i].state == RUNNING && !thread_exists(waiters[i].id))
            mine = &waiters[i];
    if (!mine && waiter_count < WAITER_LIMIT)
        mine = &waiters[waiter_count++];
    if (mine)
        mine->id = thread_self();
    else
        log_line("more than %d threads wait", WAITER_LIMIT);
    return mine;
}

void wait_begin(int64_t deadline, pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    wait_lock();
    waiter *entry = own_entry();
    if (entry) {
        entry->deadline = deadline;
        entry->condition = condition;
        entry->mutex = mutex;
        entry->is_late = false;
        atomic_store(&entry->state, deadline <= clock_now(&agent_clock) ? DUE : WAITING);
    }
    wait_unlock();
    slices_still = 0;
    atomic_fetch_add(&settle_signal, 1);
    futex_wake(&settle_signal);
}

bool wait_is_due(void)
{
    return !mine || atomic_load(&mine->state) == DUE ||
           (free_running() && free_now() >= mine->deadline);
}

bool wait_moves_clock(void)
{
    return thread_is_frame() && !free_running();
}

int64_t wait_slice(void)
{
    int64_t left = free_running() && mine ? mine->deadline - free_now() : NG_SLICE_NS;
    return left < 0 ? 0 : left < NG_SLICE_NS ? left : NG_SLICE_NS;
}

void wait_end(void)
{
    if (mine)
        atomic_store(&mine->state, RUNNING);
}

static int64_t earliest_deadline(void)
{
    int64_t earliest = INT64_MAX;
    for (int i = 0; i < waiter_count; i++)
        if (atomic_load(&waiters[i].state) == WAITING && waiters[i].deadline < earliest)
            earliest = waiters[i].deadline;
    return earliest;
}

static int mark_due(void)
{
    int count = 0;
    for (int i = 0; i < waiter_count; i++)
        if (atomic_load(&waiters[i].state) == WAITING &&
            waiters[i].deadline <= clock_now(&agent_clock)) {
            atomic_store(&waiters[i].state, DUE);
            count++;
        }
    return count;
}

/* Get a due thread out of whatever it waits in. Repeated until it has noticed. */
static void kick(waiter *entry)
{
    if (entry->condition) {
        bool locked = pthread_mutex_trylock(entry->mutex) == 0;
        pthread_cond_broadcast(entry->condition);
        if (locked)
            pthread_mutex_unlock(entry->mutex);
    } else {
        futex_wake(&entry->state);
        syscall(SYS_tgkill, getpid(), entry->id, KICK_SIGNAL);
    }
}

/* Everybody who was woken waits again, is stuck on something else, or has ended. */
static bool settled(bool look_closely)
{
    bool all = true;
    for (int i = 0; i < waiter_count; i++) {
        int state = atomic_load(&waiters[i].state);
        if (state == WAITING || waiters[i].is_late || waiters[i].id == thread_self())
            continue;
        if (state == DUE)
            kick(&waiters[i]);
        else if (look_closely && !thread_runs(waiters[i].id))
            continue;
        all = false;
    }
    return all;
}

static void give_up_on_late_ones(void)
{
    agent_saw(NG_SEEN_LATE);
    for (int i = 0; i < waiter_count; i++)
        if (atomic_load(&waiters[i].state) != WAITING && !waiters[i].is_late) {
            waiters[i].is_late = true;
            log_line("thread %d was due and did not settle", (int)waiters[i].id);
        }
}

static void settle(void)
{
    for (int64_t spent = 0;; spent += SETTLE_STEP_NS) {
        int before = atomic_load(&settle_signal);
        wait_lock();
        bool done = settled(spent >= 2 * SETTLE_STEP_NS);
        if (!done && spent > SETTLE_LIMIT_NS) {
            give_up_on_late_ones();
            done = true;
        }
        wait_unlock();
        if (done)
            return;
        futex_wait(&settle_signal, before, SETTLE_STEP_NS);
    }
}

void wait_advance(int64_t time)
{
    for (;;) {
        wait_lock();
        int64_t next = earliest_deadline();
        bool on_the_way = next <= time;
        clock_advance(&agent_clock, on_the_way ? next : time);
        int due = mark_due();
        wait_unlock();
        if (due)
            settle();
        if (!on_the_way)
            return;
    }
}

void wait_in_vain(int64_t deadline, int64_t step_ns)
{
    int64_t next = clock_now(&agent_clock) + step_ns;
    if (threads_others_run())
        agent_saw(NG_SEEN_ESCAPE); /* they may bring what we wait for: time passes as it really does */
    else
        next = deadline;
    wait_lock();
    int64_t earliest = earliest_deadline();
    wait_unlock();
    if (earliest < next)
        next = earliest;
    wait_advance(next < deadline ? next : deadline);
}

/* Without a present for long: give threads that load something the time they need. */
static void sleep_for_loaders(int64_t deadline)
{
    int64_t period = NG_SECOND * agent_clock.denominator / agent_clock.numerator;
    int64_t now = clock_now(&agent_clock);
    if (now - agent_clock.frame_start < LONG_FRAME * period)
        return;
    for (; now < deadline && threads_others_run(); now += NG_SECOND / 1000) {
        _Atomic int nothing = 0;
        agent_saw(NG_SEEN_ESCAPE);
        futex_wait(&nothing, 0, NG_SECOND / 1000);
    }
}

void wait_until(int64_t deadline)
{
    agent_saw(NG_SEEN_SLEEP);
    if (wait_moves_clock()) {
        sleep_for_loaders(deadline);
        wait_advance(deadline);
        return;
    }
    wait_begin(deadline, NULL, NULL);
    while (!wait_is_due()) {
        futex_wait(&mine->state, WAITING, wait_slice());
        wait_slice_over();
    }
    wait_end();
}

/* Called by a waiting thread each real slice: if the frame thread is stuck in something that only
 * another thread can end, and everybody waits, then time itself has to move. */
void wait_slice_over(void)
{
    if (free_running() || atomic_load(&parked) || wait_is_due() || thread_runs(thread_frame()) ||
        !thread_waits_for_thread(thread_frame()) || threads_others_run()) {
        slices_still = 0;
        return;
    }
    if (++slices_still < 3)
        return;
    slices_still = 0;
    wait_lock();
    int64_t next = earliest_deadline();
    if (next != INT64_MAX && clock_advance(&agent_clock, next)) {
        agent_saw(NG_SEEN_ESCAPE);
        log_line("everything waits: time moves on");
        mark_due();
        for (int i = 0; i < waiter_count; i++)
            if (atomic_load(&waiters[i].state) == DUE && &waiters[i] != mine)
                kick(&waiters[i]);
    }
    wait_unlock();
}
