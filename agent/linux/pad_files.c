/* The pad as device files, laid out as Linux's xpad driver does. A descriptor is one end of a socket
 * pair, so reading and polling need no hooks; ioctls are answered by pad_ioctl.c. */
#include "pad_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/joystick.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/log.h"
#include "../core/pad.h"
#include "free.h"
#include "hook.h"
#include "pad_ioctl.h"

#define OPEN_LIMIT 16
#define READ_LIMIT 4096

static pad_file files[OPEN_LIMIT];
static int file_count; /* entries ever used; 0: every ioctl goes straight through */
static int known[NG_PAD_VALUES]; /* what the game has been told */

void pad_file_values(int values[NG_PAD_VALUES])
{
    pad_raw raw;
    pad_to_raw(pad_state(), &raw);
    for (int i = 0; i < NG_RAW_BUTTONS; i++)
        values[i] = raw.buttons[i];
    for (int i = 0; i < NG_RAW_AXES; i++)
        values[NG_RAW_BUTTONS + i] = raw.axes[i];
    values[NG_RAW_BUTTONS + NG_RAW_AXES] = raw.hat_x;
    values[NG_RAW_BUTTONS + NG_RAW_AXES + 1] = raw.hat_y;
}

static ino_t identity_of(int file)
{
    struct stat about;
    return syscall(SYS_fstat, file, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

static pad_file *find(int file)
{
    ino_t identity = file_count ? identity_of(file) : 0;
    for (int i = 0; identity && i < file_count; i++)
        if (files[i].identity == identity)
            return &files[i];
    return NULL;
}

static void drop(pad_file *file)
{
    syscall(SYS_close, file->ours);
    *file = (pad_file){.ours = -1};
}

/* The game may have closed its end: then ours is of no use. One that never reads loses events, as
 * with the real device. */
static void put(pad_file *file, const void *bytes, size_t size)
{
    ssize_t sent = syscall(SYS_sendto, file->ours, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
    if (sent < 0 && errno != EAGAIN)
        drop(file);
    else
        file->is_told = true;
}

static void put_event(pad_file *file, int type, int code, int value)
{
    int64_t now = free_now() + (file->clock == CLOCK_REALTIME ? agent_board->epoch_ns
                                                               : NG_PAD_MONOTONIC_BASE);
    struct input_event event = {.type = (uint16_t)type, .code = (uint16_t)code, .value = value};
    event.input_event_sec = now / NG_SECOND;
    event.input_event_usec = now % NG_SECOND / 1000;
    put(file, &event, sizeof event);
}

static void put_js(pad_file *file, int index, int value, int flag)
{
    bool is_button = index < NG_RAW_BUTTONS;
    struct js_event event = {
        .time = (uint32_t)(free_now() / 1000000),
        .type = (uint8_t)((is_button ? JS_EVENT_BUTTON : JS_EVENT_AXIS) | flag),
        .number = (uint8_t)(is_button ? index : index - NG_RAW_BUTTONS),
        .value = (int16_t)(is_button ? value : pad_js_value(index, value)),
    };
    put(file, &event, sizeof event);
}

static void tell_change(pad_file *file, const int before[], const int after[])
{
    bool changed = false;
    for (int i = 0; i < NG_PAD_VALUES && file->ours >= 0; i++) {
        if (before[i] == after[i])
            continue;
        changed = true;
        if (file->is_js)
            put_js(file, i, after[i], 0);
        else
            put_event(file, i < NG_RAW_BUTTONS ? EV_KEY : EV_ABS, pad_code(i),
                      pad_evdev_value(i, after[i]));
    }
    if (changed && !file->is_js && file->ours >= 0)
        put_event(file, EV_SYN, SYN_REPORT, 0);
}

/* What was told last has been read. */
static void count_reading(pad_file *file)
{
    int unread = 0;
    if (file->ours < 0 || !file->is_told || ioctl(file->ours, TIOCOUTQ, &unread) || unread)
        return;
    file->is_told = false;
    agent_saw(NG_SEEN_PAD_READ);
}

static void apply(const ng_pad *pad)
{
    int values[NG_PAD_VALUES];
    (void)pad;
    if (!file_count)
        return;
    pad_file_values(values);
    for (int i = 0; i < file_count; i++) {
        count_reading(&files[i]);
        if (files[i].ours >= 0)
            tell_change(&files[i], known, values);
    }
    memcpy(known, values, sizeof known);
}

const pad_driver pad_files = {"files", apply};

int pad_file_open(bool is_js, int flags)
{
    int pair[2], slot = 0, values[NG_PAD_VALUES];
    int kind = SOCK_STREAM | (flags & O_CLOEXEC ? SOCK_CLOEXEC : 0);
    while (slot < file_count && files[slot].ours >= 0)
        slot++;
    if (slot == OPEN_LIMIT) {
        log_line("the pad was opened more than %d times", OPEN_LIMIT);
        errno = EMFILE;
        return -1;
    }
    if (syscall(SYS_socketpair, AF_UNIX, kind, 0, pair) < 0)
        return -1;
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    if (flags & O_NONBLOCK)
        fcntl(pair[1], F_SETFL, O_RDWR | O_NONBLOCK);
    files[slot] = (pad_file){.ours = pair[0], .theirs = pair[1], .is_js = is_js,
                             .clock = CLOCK_REALTIME, .identity = identity_of(pair[1])};
    if (!file_count)
        pad_file_values(known);
    if (slot == file_count)
        file_count++;
    if (is_js) {
        pad_file_values(values);
        for (int i = 0; i < NG_PAD_VALUES; i++)
            put_js(&files[slot], i, values[i], JS_EVENT_INIT);
    }
    log_line("the pad was opened as %s", is_js ? NG_JS_PATH : NG_EVENT_PATH);
    agent_saw(NG_SEEN_PAD_OPEN);
    return pair[1];
}

bool pad_file_ioctl(int file, unsigned long request, void *argument, int *result)
{
    pad_file *found = find(file);
    if (!found)
        return false;
    *result = found->is_js ? pad_js_ioctl(request, argument)
                           : pad_evdev_ioctl(found, request, argument);
    return true;
}

static void part(pad_file *file)
{
    char unread[READ_LIMIT];
    int pair[2], flags = fcntl(file->theirs, F_GETFL);
    bool keeps = fcntl(file->theirs, F_GETFD) & FD_CLOEXEC;
    ssize_t bytes = syscall(SYS_recvfrom, file->theirs, unread, sizeof unread,
                            MSG_PEEK | MSG_DONTWAIT, NULL, NULL);
    syscall(SYS_close, file->ours);
    file->ours = -1;
    if (identity_of(file->theirs) != file->identity ||
        syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return;
    syscall(SYS_dup3, pair[1], file->theirs, keeps ? O_CLOEXEC : 0);
    syscall(SYS_close, pair[1]);
    fcntl(file->theirs, F_SETFL, flags);
    file->ours = pair[0];
    file->identity = identity_of(file->theirs);
    if (bytes > 0)
        put(file, unread, (size_t)bytes);
}

void pad_files_part(void)
{
    for (int i = 0; i < file_count; i++)
        if (files[i].ours >= 0)
            part(&files[i]);
}
