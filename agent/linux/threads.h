/* Which threads of this process are running, asked of the kernel. */
#ifndef NG_THREADS_H
#define NG_THREADS_H

#include <stdbool.h>
#include <sys/types.h>

bool thread_exists(pid_t id);

/* Running, ready to run or waiting for a page or a disk; false if it sleeps or has ended. */
bool thread_runs(pid_t id);

/* Does it wait for another thread of this process (and not for a socket, file or other process)? */
bool thread_waits_for_thread(pid_t id);

/* Does any thread but this one run? */
bool threads_others_run(void);

/* The entries of a folder of the kernel whose names are numbers; returns how many. */
int folder_numbers(const char *path, int *numbers, int limit);

#endif
