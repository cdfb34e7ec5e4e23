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
    return end && end[1] && end[2] == 'R';
}

bool threads_others_run(void)
{
    char buffer[2048];
    bool runs = false;
    int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/task",
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return false;
    for (;;) {
        long bytes = syscall(SYS_getdents64, file, buffer, sizeof buffer);
        if (bytes <= 0)
            break;
        for (long at = 0; at < bytes && !runs;) {
            const struct entry *entry = (const struct entry *)(buffer + at);
            pid_t id = (pid_t)atoi(entry->name);
            runs = id > 0 && id != thread_self() && thread_runs(id);
            at += entry->length;
        }
    }
    syscall(SYS_close, file);
    return runs;
}
