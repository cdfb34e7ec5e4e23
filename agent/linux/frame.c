#include "frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../core/log.h"
#include "../core/pad.h"
#include "channel.h"
#include "free.h"
#include "hook.h"
#include "snapshot.h"
#include "wait.h"

static uint64_t presented; /* frames before this one */
static uint32_t remaining = 1; /* frames to run before Python is told; 0: nothing is owed */
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

void frame_size(int *window_width, int *window_height)
{
    *window_width = width;
    *window_height = height;
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
        frame_explain("the window is %dx%d, more than the size that was declared: raise Game.size",
                      picture.width, picture.height);
        fail(reply);
    } else {
        picture_copy(&picture, (uint8_t *)agent_board + NG_PICTURE_OFFSET);
    }
    frame_describe(reply);
}

/* Answers one request; true if it lets the game go on. */
static bool answer(const ng_request *request, const int files[2], frame_grab grab, void *context)
{
    ng_reply reply = {0};
    switch (request->kind) {
    case NG_STEP:
        if (free_running()) {
            frame_explain("the game runs free: set the mode to stepped and wait for a frame first");
            fail(&reply);
            break;
        }
        if (request->frames > NG_FRAMES_LIMIT) {
            frame_explain("a step of %u frames, more than %u", request->frames, NG_FRAMES_LIMIT);
            fail(&reply);
            break;
        }
        pad_set(&request->pad);
        remaining = request->frames ? request->frames : 1;
        flags = request->flags;
        return true;
    case NG_CAPTURE:
        capture(grab, context, &reply);
        break;
    case NG_FORK:
        snapshot_fork(request, files, &reply);
        break;
    case NG_QUIT:
        log_line("told to quit");
        _exit(0);
    default:
        frame_explain("no request %u", request->kind);
        fail(&reply);
    }
    channel_reply(&reply);
    return false;
}

static void tell(frame_grab grab, void *context)
{
    ng_reply reply = {.kind = NG_FRAME};
    channel_open();
    observe(grab, context, &reply);
    frame_describe(&reply);
    channel_reply(&reply);
}

/* Hand the frame over and wait until a request lets the game go on. */
static void park(frame_grab grab, void *context)
{
    ng_request request;
    int files[2];
    wait_park(true);
    tell(grab, context);
    do
        channel_receive(&request, files);
    while (!answer(&request, files, grab, context));
    wait_park(false);
}

/* Hand the frame over and go on. The first free frame answers the last step. */
static void publish(frame_grab grab, void *context)
{
    ng_request request;
    ng_picture picture;
    int files[2];
    if (remaining) {
        remaining = 0;
        flags = 0;
        tell(grab, context);
    }
    while (channel_look(&request, files))
        answer(&request, files, grab, context);
    free_publish_begin();
    if (look(grab, context, &picture))
        picture_squash(&picture, (uint8_t *)agent_board + NG_HEADER_BYTES, NG_OBSERVATION_SIZE);
    free_publish_end(presented);
    free_take_pad();
}

void frame_boundary(int seen, frame_grab grab, void *context)
{
    thread_set_frame();
    own_begin();
    agent_saw(seen);
    free_look_at_mode();
    if (free_running())
        publish(grab, context);
    else if (remaining <= 1)
        park(grab, context);
    else
        remaining--;
    pad_apply();
    presented++;
    if (free_running())
        free_sleep_until(clock_next_point(&agent_clock));
    else if (agent_board->mode != NG_MODE_REALTIME)
        wait_advance(clock_next_point(&agent_clock));
    clock_boundary(&agent_clock);
    own_end();
}
