#include "frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/log.h"
#include "../core/pad.h"
#include "channel.h"
#include "hook.h"
#include "snapshot.h"
#include "wait.h"

static uint64_t presented; /* frames before this one */
static uint32_t remaining; /* frames to run before Python is asked again */
static uint32_t flags;     /* of the present step */
static int width, height;
static char why[NG_TEXT_BYTES];

void frame_explain(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(why, sizeof why, format, values);
    va_end(values);
}

void frame_describe(ng_reply *reply)
{
    reply->time_ns = clock_now(&agent_clock);
    reply->frame = presented;
    reply->width = width;
    reply->height = height;
}

bool frame_skips_drawing(void)
{
    return remaining > 1 && (flags & NG_FLAG_SKIP_DRAWING);
}

static void fail(ng_reply *reply)
{
    reply->kind = NG_FAILED;
    memcpy(reply->text, why, sizeof why);
    log_line("failed: %s", why);
}

static bool look(frame_grab grab, void *context, ng_picture *picture)
{
    frame_explain("the picture could not be read");
    if (!grab(context, picture))
        return false;
    if (picture->width < 1 || picture->height < 1 || picture->width > NG_PICTURE_LIMIT ||
        picture->height > NG_PICTURE_LIMIT) {
        frame_explain("a window of %d x %d pixels", picture->width, picture->height);
        return false;
    }
    width = picture->width;
    height = picture->height;
    return true;
}

static void observe(frame_grab grab, void *context, ng_reply *reply)
{
    ng_picture picture;
    if (flags & NG_FLAG_UNSEEN)
        return;
    if (look(grab, context, &picture))
        picture_squash(&picture, (uint8_t *)agent_board + NG_HEADER_BYTES, NG_OBSERVATION_SIZE);
    else
        fail(reply);
}

static void capture(frame_grab grab, void *context, ng_reply *reply)
{
    ng_picture picture;
    reply->kind = NG_PICTURE;
    if (!look(grab, context, &picture)) {
        fail(reply);
    } else if ((int64_t)picture.width * picture.height * 3 > agent_board->picture_bytes) {
        frame_explain("the window is %dx%d, more than the size that was declared",
                      picture.width, picture.height);
        fail(reply);
    } else {
        picture_copy(&picture, (uint8_t *)agent_board + NG_PICTURE_OFFSET);
    }
    frame_describe(reply);
}

/* Answers requests until one lets the game go on. */
static void serve(frame_grab grab, void *context)
{
    ng_request request;
    int files[2];
    for (;;) {
        ng_reply reply = {0};
        channel_receive(&request, files);
        switch (request.kind) {
        case NG_STEP:
            pad_set(&request.pad);
            remaining = request.frames ? request.frames : 1;
            flags = request.flags;
            return;
        case NG_CAPTURE:
            capture(grab, context, &reply);
            break;
        case NG_FORK:
            snapshot_fork(&request, files, &reply);
            break;
        case NG_QUIT:
            log_line("told to quit");
            _exit(0);
        default:
            frame_explain("no request %u", request.kind);
            fail(&reply);
        }
        channel_reply(&reply);
    }
}

void frame_boundary(int seen, frame_grab grab, void *context)
{
    thread_set_frame();
    own_begin();
    agent_saw(seen);
    if (remaining <= 1) {
        ng_reply reply = {.kind = NG_FRAME};
        channel_open();
        wait_park(true);
        observe(grab, context, &reply);
        frame_describe(&reply);
        channel_reply(&reply);
        serve(grab, context);
        wait_park(false);
    } else {
        remaining--;
    }
    pad_apply();
    presented++;
    if (!(agent_board->mode & NG_MODE_REALTIME))
        wait_advance(clock_next_point(&agent_clock));
    clock_boundary(&agent_clock);
    own_end();
}
