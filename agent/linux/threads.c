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

bool thread_runs(pid_t id)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0)
        return false;
    text[length] = 0;
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
