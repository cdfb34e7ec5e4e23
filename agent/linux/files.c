/* Paths of devices that we stand in for: pads under /dev/input, and the kernel's randomness.
 *
 * The folder /dev/input is a folder of the run with the two names that exist; real input devices are
 * never seen. SDL 2 and 3 get their pad from inside, so to them the folder is empty. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"
#include "pad_files.h"
#include "random.h"
#include "sdl.h"

#define FOLDER "/dev/input"
#define INPUT_MAJOR 13
#define EVENT_MINOR 64

enum { ORDINARY, EVENT_FILE, JS_FILE, INPUT_FOLDER, NOTHING, RANDOM };

static void touch(const char *folder, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path)
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
}

/* Stands for /dev/input; `full` or without pads. */
static const char *stand_in(bool full)
{
    static char folders[2][PATH_MAX];
    char *path = folders[full];
    const char *run = getenv("NITROGEN_RUN");
    if (*path || !run)
        return path;
    if (snprintf(path, PATH_MAX, "%s/%s", run, full ? "input" : "no-input") >= PATH_MAX)
        return FOLDER;
    syscall(SYS_mkdirat, AT_FDCWD, path, 0700);
    if (full) {
        touch(path, "event0");
        touch(path, "js0");
    }
    return path;
}

static bool is_from_sdl(void *caller)
{
    return sdl_major_of(caller) >= 2;
}

static int kind_of(const char *path, void *caller)
{
    if (!path || path[0] != '/' || strncmp(path, "/dev/", 5) || own_code() || !agent_on())
        return ORDINARY;
    if (!strcmp(path, "/dev/urandom") || !strcmp(path, "/dev/random"))
        return RANDOM;
    if (!strncmp(path, "/dev/js", 7))
        return NOTHING;
    if (strncmp(path, FOLDER, sizeof FOLDER - 1))
        return ORDINARY;
    if (!path[sizeof FOLDER - 1] || !strcmp(path, FOLDER "/"))
        return INPUT_FOLDER;
    if (is_from_sdl(caller))
        return NOTHING;
    return !strcmp(path, NG_EVENT_PATH) ? EVENT_FILE : !strcmp(path, NG_JS_PATH) ? JS_FILE : NOTHING;
}

static int missing(void)
{
    errno = ENOENT;
    return -1;
}

static int open_stand_in(int kind, int flags, void *caller)
{
    switch (kind) {
    case EVENT_FILE:
    case JS_FILE:
        return pad_file_open(kind == JS_FILE, flags);
    case RANDOM:
        return random_file(flags);
    case INPUT_FOLDER:
        return (int)syscall(SYS_openat, AT_FDCWD, stand_in(!is_from_sdl(caller)), flags);
    default:
        return missing();
    }
}

#define CALLER __builtin_return_address(0)

/* The mode follows the flags only where a file may be made. */
#define MODE(flags, last) \
    ({ \
        mode_t mode = 0; \
        if ((flags) & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, last); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        mode; \
    })

#define OPEN(name) \
    EXPORT int name(const char *path, int flags, ...) \
    { \
        int kind = kind_of(path, CALLER); \
        mode_t mode = MODE(flags, flags); \
        return kind == ORDINARY ? REAL(name)(path, flags, mode) \
                                : open_stand_in(kind, flags, CALLER); \
    }
#define OPEN_AT(name) \
    EXPORT int name(int folder, const char *path, int flags, ...) \
    { \
        int kind = kind_of(path, CALLER); \
        mode_t mode = MODE(flags, flags); \
        return kind == ORDINARY ? REAL(name)(folder, path, flags, mode) \
                                : open_stand_in(kind, flags, CALLER); \
    }
#define OPEN_CHECKED(name) \
    int name(const char *path, int flags); \
    EXPORT int name(const char *path, int flags) \
    { \
        int kind = kind_of(path, CALLER); \
        return kind == ORDINARY ? REAL(name)(path, flags) : open_stand_in(kind, flags, CALLER); \
    }
#define OPEN_STREAM(name) \
    EXPORT FILE *name(const char *restrict path, const char *restrict mode) \
    { \
        int kind = kind_of(path, CALLER); \
        if (kind == ORDINARY) \
            return REAL(name)(path, mode); \
        int file = open_stand_in(kind, O_RDONLY | O_CLOEXEC, CALLER); \
        return file < 0 ? NULL : fdopen(file, "r"); \
    }

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)
OPEN_CHECKED(__open_2)
OPEN_CHECKED(__open64_2)
OPEN_STREAM(fopen)
OPEN_STREAM(fopen64)

EXPORT int ioctl(int file, unsigned long request, ...)
{
    va_list rest;
    int result;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (!own_code() && agent_on() && pad_file_ioctl(file, request, argument, &result))
        return result;
    return REAL(ioctl)(file, request, argument);
}

/* --- what is said about the files ---------------------------------------------------------------- */

static int about(int kind, struct stat *out, void *caller)
{
    if (kind == INPUT_FOLDER)
        return (int)syscall(SYS_newfstatat, AT_FDCWD, stand_in(!is_from_sdl(caller)), out, 0);
    if (kind == NOTHING)
        return missing();
    memset(out, 0, sizeof *out);
    out->st_mode = S_IFCHR | 0660;
    out->st_nlink = 1;
    out->st_ino = (ino_t)(1000 + kind);
    out->st_uid = getuid();
    out->st_gid = getgid();
    out->st_rdev = kind == RANDOM ? makedev(1, 9)
                                  : makedev(INPUT_MAJOR, kind == EVENT_FILE ? EVENT_MINOR : 0);
    return 0;
}

/* On 64-bit machines both layouts are the same. */
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "stat");

#define STAT(name, type) \
    EXPORT int name(const char *restrict path, struct type *restrict out) \
    { \
        int kind = kind_of(path, CALLER); \
        return kind == ORDINARY ? REAL(name)(path, out) : about(kind, (struct stat *)out, CALLER); \
    }
#define STAT_AT(name, type) \
    EXPORT int name(int folder, const char *restrict path, struct type *restrict out, int flags) \
    { \
        int kind = kind_of(path, CALLER); \
        return kind == ORDINARY ? REAL(name)(folder, path, out, flags) \
                                : about(kind, (struct stat *)out, CALLER); \
    }
#define OLD_STAT(name, type) \
    int name(int version, const char *path, struct type *out); \
    EXPORT int name(int version, const char *path, struct type *out) \
    { \
        int kind = kind_of(path, CALLER); \
        return kind == ORDINARY ? REAL(name)(version, path, out) \
                                : about(kind, (struct stat *)out, CALLER); \
    }

STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)
STAT_AT(fstatat, stat)
STAT_AT(fstatat64, stat64)
OLD_STAT(__xstat, stat)
OLD_STAT(__xstat64, stat64)
OLD_STAT(__lxstat, stat)
OLD_STAT(__lxstat64, stat64)

EXPORT int access(const char *path, int mode)
{
    int kind = kind_of(path, CALLER);
    return kind == ORDINARY ? REAL(access)(path, mode) : kind == NOTHING ? missing() : 0;
}

EXPORT int faccessat(int folder, const char *path, int mode, int flags)
{
    int kind = kind_of(path, CALLER);
    return kind == ORDINARY ? REAL(faccessat)(folder, path, mode, flags)
                            : kind == NOTHING ? missing() : 0;
}

/* --- the folder -------------------------------------------------------------------------------- */

static const char *folder_of(const char *path, void *caller)
{
    return kind_of(path, caller) == INPUT_FOLDER ? stand_in(!is_from_sdl(caller)) : path;
}

EXPORT DIR *opendir(const char *path)
{
    return REAL(opendir)(folder_of(path, CALLER));
}

typedef int (*choose)(const struct dirent *);
typedef int (*compare)(const struct dirent **, const struct dirent **);

EXPORT int scandir(const char *restrict path, struct dirent ***restrict list, choose chosen,
                   compare order)
{
    return REAL(scandir)(folder_of(path, CALLER), list, chosen, order);
}

typedef int (*choose64)(const struct dirent64 *);
typedef int (*compare64)(const struct dirent64 **, const struct dirent64 **);

EXPORT int scandir64(const char *restrict path, struct dirent64 ***restrict list, choose64 chosen,
                     compare64 order)
{
    return REAL(scandir64)(folder_of(path, CALLER), list, chosen, order);
}

EXPORT int inotify_add_watch(int file, const char *path, uint32_t mask)
{
    return REAL(inotify_add_watch)(file, folder_of(path, CALLER), mask);
}
