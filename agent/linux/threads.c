#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"

#define THREAD_LIMIT 1024

struct entry { /* as the kernel writes it */
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

bool thread_exists(pid_t id)
{
    return syscall(SYS_tgkill, getpid(), id, 0) == 0 || errno != ESRCH;
}

/* The beginning of a file that the kernel writes about a thread. */
static bool read_about(pid_t id, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)id, name);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = syscall(SYS_read, file, text, size - 1);
    syscall(SYS_close, file);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

bool thread_waits_for_thread(pid_t id)
{
    char text[128];
    /* The number of the system call that it is in. A kernel that does not tell leaves only the
     * guess that a thread that sleeps waits for another one. */
    if (!read_about(id, "syscall", text, sizeof text))
        return true;
    return text[0] >= '0' && text[0] <= '9' && atoi(text) == SYS_futex;
}

bool thread_runs(pid_t id)
{
    char text[128];
    if (!read_about(id, "stat", text, sizeof text))
        return false;
    const char *end = strrchr(text, ')'); /* a name is at most 15 characters: it fits */
    return end && end[1] && (end[2] == 'R' || end[2] == 'D'); /* D: a page or a disk is awaited */
}

int folder_numbers(const char *path, int *numbers, int limit)
{
    char buffer[2048];
    int count = 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return 0;
    for (;;) {
        long bytes = syscall(SYS_getdents64, file, buffer, sizeof buffer);
        if (bytes <= 0)
            break;
        for (long at = 0; at < bytes && count < limit;) {
            const struct entry *entry = (const struct entry *)(buffer + at);
            if (entry->name[0] >= '0' && entry->name[0] <= '9' && atoi(entry->name) != file)
                numbers[count++] = atoi(entry->name);
            at += entry->length;
        }
    }
    syscall(SYS_close, file);
    return count;
}

bool threads_others_run(void)
{
    int ids[THREAD_LIMIT];
    int count = folder_numbers("/proc/self/task", ids, THREAD_LIMIT);
    for (int i = 0; i < count; i++)
        if (ids[i] != thread_self() && thread_runs(ids[i]))
            return true;
    return false;
}
