/* Load: does nothing at all unless Python started the process with a run folder. */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/log.h"
#include "channel.h"
#include "free.h"
#include "wait.h"

#define FOLDER_VARIABLE "NITROGEN_RUN"
#define LIFELINE_VARIABLE "NITROGEN_LIFELINE_ONLY"

#ifdef __SANITIZE_ADDRESS__
#define FIRST STARTING /* the sanitizer must be ready: not before our constructor */
#else
#define FIRST UNKNOWN
#endif
static enum { UNKNOWN, STARTING, OFF, ON } state = FIRST;
static int lifeline = -1;

static int run_path(char *path, const char *name)
{
    const char *folder = getenv(FOLDER_VARIABLE);
    return folder && snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* Opened and marked so that the kernel kills this process when Python closes its end, however it
 * ends. Needs no thread, and works while the game hangs. */
void lifeline_hold(void)
{
    char path[PATH_MAX], byte;
    if (!run_path(path, "lifeline"))
        return;
    if (lifeline >= 0)
        syscall(SYS_close, lifeline);
    lifeline = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (lifeline < 0)
        _exit(125);
    fcntl(lifeline, F_SETOWN, getpid());
    fcntl(lifeline, F_SETSIG, SIGKILL);
    fcntl(lifeline, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC);
    if (syscall(SYS_read, lifeline, &byte, 1) == 0) /* nobody holds the other end any more */
        _exit(125);
}

/* Map the board at `file`; ends the process if it is not ours, rather than run unsupervised. */
bool board_map(int file)
{
    ng_board *board = mmap(NULL, NG_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (board == MAP_FAILED || board->magic != NG_MAGIC || board->version != NG_VERSION)
        return false;
    size_t bytes = NG_PICTURE_OFFSET + (size_t)board->picture_bytes;
    munmap(board, NG_HEADER_BYTES);
    board = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (board == MAP_FAILED)
        return false;
    agent_board = board;
    return true;
}

static bool start(void)
{
    char path[PATH_MAX];
    if (!run_path(path, "board"))
        return false;
    lifeline_hold();
    if (getenv(LIFELINE_VARIABLE)) /* a helper of the game, like its display server */
        return false;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    if (file < 0 || !board_map(file))
        _exit(126);
    syscall(SYS_close, file);
    if (run_path(path, "agent.log"))
        log_open(path);
    clock_start(&agent_clock, agent_board->rate_numerator, agent_board->rate_denominator);
    wait_start();
    free_look_at_mode();
    channel_start();
    agent_saw(NG_SEEN_LOAD);
    char program[256] = "";
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    log_line("loaded into %s", length > 0 ? program : "?");
    return true;
}

EARLY bool agent_on(void)
{
    if (state == UNKNOWN) {
        state = STARTING;
        own_begin();
        int kept = errno;
        state = start() ? ON : OFF;
        errno = kept;
        own_end();
    }
    return state == ON;
}

__attribute__((constructor)) static void load(void)
{
#ifdef __SANITIZE_ADDRESS__
    state = UNKNOWN;
#endif
    agent_on();
}
