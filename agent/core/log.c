#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int log_file = -1;
static int lines_left = 2000; /* a game that logs in every frame must not fill the disk */

void log_open(const char *path)
{
    log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

void log_line(const char *format, ...)
{
    char line[256];
    if (log_file < 0 || --lines_left < 0)
        return;
    int length = snprintf(line, sizeof line, "[%d] ", (int)getpid());
    va_list values;
    va_start(values, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, values);
    va_end(values);
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length++] = '\n';
    if (syscall(SYS_write, log_file, line, (size_t)length) < 0)
        log_file = -1; /* a full disk must not stop the game; Python reports it */
}
