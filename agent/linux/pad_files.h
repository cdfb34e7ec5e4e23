/* The pad as device files: /dev/input/event0 (evdev) and /dev/input/js0. */
#ifndef NG_PAD_FILES_H
#define NG_PAD_FILES_H

#include <stdbool.h>

#define NG_EVENT_PATH "/dev/input/event0"
#define NG_JS_PATH "/dev/input/js0"

/* A descriptor as open() would give; `flags` as of open. -1 with errno if it cannot be had. */
int pad_file_open(bool is_js, int flags);

/* Answers an ioctl if `file` is one of ours: true, and `result` is what ioctl returns. */
bool pad_file_ioctl(int file, unsigned long request, void *argument, int *result);

/* In a copy of the game: descriptors of its own in place of those shared with the original. */
void pad_files_part(void);

#endif
