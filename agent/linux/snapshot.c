#include "snapshot.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/log.h"
#include "channel.h"
#include "frame.h"
#include "hook.h"
#include "open_files.h"
#include "pad_files.h"
#include "random.h"
#include "wait.h"

void lifeline_hold(void);
bool board_map(int file);

static void explain(ng_reply *reply, const char *why)
{
    reply->kind = NG_FAILED;
    strncpy(reply->text, why, sizeof reply->text - 1);
    log_line("no copy: %s", why);
}

static void become_copy(const ng_request *request, const int files[2], ng_reply *reply)
{
    ng_board *old = agent_board;
    channel_replace(files[0]);
    lifeline_hold();
    if (!board_map(files[1]))
        _exit(126);
    memcpy((uint8_t *)agent_board + NG_HEADER_BYTES, (uint8_t *)old + NG_HEADER_BYTES,
           NG_OBSERVATION_BYTES);
    munmap(old, NG_PICTURE_OFFSET + (size_t)old->picture_bytes);
    syscall(SYS_close, files[1]);
    agent_board->pid = getpid();
    thread_set_frame();
    wait_forget_threads();
    pad_files_part();
    open_files_part();
    if (request->seed)
        random_seed(request->seed);
    reply->kind = NG_FRAME;
    frame_describe(reply);
}

void snapshot_fork(const ng_request *request, const int files[2], ng_reply *reply)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, kept;
    if (files[0] < 0 || files[1] < 0) {
        explain(reply, "a copy needs a socket and a board");
        return;
    }
    sigaction(SIGCHLD, &ignore, &kept); /* the original never steps again; ended copies vanish */
    wait_lock();
    pid_t pid = fork();
    if (pid == 0)
        become_copy(request, files, reply);
    wait_unlock();
    if (pid == 0) {
        sigaction(SIGCHLD, &kept, NULL);
        return;
    }
    syscall(SYS_close, files[0]);
    syscall(SYS_close, files[1]);
    if (pid < 0) {
        explain(reply, strerror(errno));
        return;
    }
    reply->kind = NG_FORKED;
    reply->pid = pid;
    frame_describe(reply);
    log_line("copied to %d", (int)pid);
}
