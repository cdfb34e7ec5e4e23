/* What the pad's device files answer, and how values lie in them. Used by pad_files.c only. */
#ifndef NG_PAD_IOCTL_H
#define NG_PAD_IOCTL_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "../core/pad.h"
#include "wait.h"

#define NG_PAD_VALUES (NG_RAW_BUTTONS + NG_RAW_AXES + 2) /* buttons, axes, hat x and y */
#define NG_PAD_MONOTONIC_BASE NG_MONOTONIC_BASE

typedef struct {
    int ours, theirs; /* ends of the socket pair; ours is -1 in unused entries */
    bool is_js, is_told;
    clockid_t clock; /* of the events' times */
    ino_t identity;
} pad_file;

/* The present values, in that order, as pad_raw has them. */
void pad_file_values(int values[NG_PAD_VALUES]);

/* Linux's code of the value at `index`; the value as evdev and as js give it. */
int pad_code(int index);
int pad_evdev_value(int index, int value);
int pad_js_value(int index, int value);

/* As ioctl returns: -1 with errno for what this device does not know. */
int pad_evdev_ioctl(pad_file *file, unsigned long request, void *argument);
int pad_js_ioctl(unsigned long request, void *argument);

#endif
