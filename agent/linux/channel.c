#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../core/log.h"
#include "frame.h"
#include "hook.h"

static int channel = -1;
static pid_t channel_pid;
static char channel_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static void leave(const char *why)
{
    log_line("leaving: %s", why);
    _exit(124);
}

/* Tells Python the exit status, which a copy could not hand over otherwise. */
static void on_exit_reply(int status, void *unused)
{
    (void)unused;
    if (!channel_is_ours())
        return;
    own_begin();
    ng_reply reply = {.kind = NG_EXIT, .status = status};
    frame_describe(&reply);
    channel_reply(&reply);
    log_line("exit(%d)", status);
    own_end();
}

void channel_start(void)
{
    const char *folder = getenv("NITROGEN_RUN");
    if (snprintf(channel_path, sizeof channel_path, "%s/channel", folder) >=
        (int)sizeof channel_path)
        leave("the path of the run folder is too long");
    on_exit(on_exit_reply, NULL);
}

void channel_open(void)
{
    if (channel >= 0)
        return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, channel_path, sizeof channel_path);
    channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (channel < 0 || connect(channel, (struct sockaddr *)&address, sizeof address) < 0)
        leave("cannot reach the channel");
    channel_pid = getpid();
    agent_board->pid = channel_pid;
}

bool channel_is_ours(void)
{
    return channel >= 0 && channel_pid == getpid();
}

void channel_replace(int socket)
{
    if (channel >= 0)
        close(channel);
    channel = socket;
    channel_pid = getpid();
}

void channel_reply(ng_reply *reply)
{
    ssize_t sent;
    reply->version = NG_VERSION;
    reply->pid = reply->pid ? reply->pid : channel_pid;
    do
        sent = send(channel, reply, sizeof *reply, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent != sizeof *reply)
        leave("the channel is closed");
}

/* The two descriptors of a request that has them; others are not kept. */
static void take_files(struct cmsghdr *header, bool wanted, int files[2])
{
    int sent[2];
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count > 2)
        count = 2; /* there is no room for more */
    memcpy(sent, CMSG_DATA(header), count * sizeof(int));
    if (wanted && count == 2)
        memcpy(files, sent, sizeof sent);
    else
        for (size_t i = 0; i < count; i++)
            close(sent[i]);
}

/* False if there is nothing, and `how` says not to wait. */
static bool receive(ng_request *request, int files[2], int how)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = request, .iov_len = sizeof *request};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received;
    files[0] = files[1] = -1;
    do
        received = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | how);
    while (received < 0 && errno == EINTR);
    if (received < 0 && how && errno == EAGAIN)
        return false;
    if (received <= 0)
        leave("Python is gone");
    if (received != sizeof *request || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
        request->version != NG_VERSION)
        leave("not a request");
    take_files(CMSG_FIRSTHDR(&message), request->kind == NG_FORK, files);
    return true;
}

void channel_receive(ng_request *request, int files[2])
{
    receive(request, files, 0);
}

bool channel_look(ng_request *request, int files[2])
{
    return receive(request, files, MSG_DONTWAIT);
}
