/* Every clock and every timed wait, on the thread that presents and on another one. Prints how far
 * the monotonic clock moved in each, in microseconds. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "window.h"

static int quiet[2]; /* a pipe in which nothing comes */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static struct timespec in(clockid_t id, long milliseconds)
{
    struct timespec time;
    clock_gettime(id, &time);
    time.tv_nsec += milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

static void wait_by(int way)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec end = in(CLOCK_REALTIME, 10), ten = {0, 10000000};
    struct timeval ten_too = {0, 10000};
    struct pollfd file = {quiet[0], POLLIN, 0};
    struct epoll_event event = {.events = EPOLLIN};
    fd_set files;
    sem_t semaphore;
    int epoll;
    switch (way) {
    case 0: nanosleep(&ten, NULL); break;
    case 1: clock_nanosleep(CLOCK_MONOTONIC, 0, &ten, NULL); break;
    case 2: end = in(CLOCK_MONOTONIC, 10); clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL); break;
    case 3: usleep(10000); break;
    case 4: poll(&file, 1, 10); break;
    case 5: poll(NULL, 0, 10); break;
    case 6: FD_ZERO(&files); FD_SET(quiet[0], &files); select(quiet[0] + 1, &files, NULL, NULL, &ten_too); break;
    case 7: epoll = epoll_create1(0); epoll_ctl(epoll, EPOLL_CTL_ADD, quiet[0], &event); epoll_wait(epoll, &event, 1, 10); close(epoll); break;
    case 8: pthread_mutex_lock(&mutex); pthread_cond_timedwait(&condition, &mutex, &end); pthread_mutex_unlock(&mutex); break;
    case 9: FD_ZERO(&files); FD_SET(quiet[0], &files); pselect(quiet[0] + 1, &files, NULL, NULL, &ten, NULL); break;
    case 10: epoll = epoll_create1(0); epoll_ctl(epoll, EPOLL_CTL_ADD, quiet[0], &event); epoll_pwait(epoll, &event, 1, 10, NULL); close(epoll); break;
    case 11: sem_init(&semaphore, 0, 0); sem_timedwait(&semaphore, &end); break;
    }
}
#define WAYS 12

static void *other(void *unused)
{
    (void)unused;
    for (int way = 0; way < WAYS; way++) {
        int64_t start = now();
        wait_by(way);
        printf("other %d %ld\n", way, (long)((now() - start) / 1000));
    }
    return NULL;
}

int main(void)
{
    void *window = probe_window(0);
    struct timeval day;
    pthread_t thread;
    if (pipe(quiet))
        return 3;
    gettimeofday(&day, NULL);
    printf("calendar %ld %ld\n", (long)time(NULL), (long)day.tv_sec);
    probe_frame(window, 0);
    for (int way = 0; way < WAYS; way++) {
        int64_t start = now();
        wait_by(way);
        printf("frame %d %ld\n", way, (long)((now() - start) / 1000));
    }
    int64_t start = now();
    for (int i = 0; i < 100; i++)
        now();
    printf("still %ld\n", (long)(now() - start));
    pthread_create(&thread, NULL, other, NULL);
    for (uint32_t frame = 1;; frame++) {
        start = now();
        probe_frame(window, frame);
        if (frame < 40)
            printf("period %ld\n", (long)((now() - start) / 1000));
    }
}
