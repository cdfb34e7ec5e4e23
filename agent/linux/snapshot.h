/* Copy the game at a frame boundary: a save-state. */
#ifndef NG_SNAPSHOT_H
#define NG_SNAPSHOT_H

#include "../protocol.h"

/* Forks. `files` are the copy's socket and board. Returns in both: in the original `reply` is
 * NG_FORKED with the copy's process number, in the copy it is NG_FRAME, to go over its socket. */
void snapshot_fork(const ng_request *request, const int files[2], ng_reply *reply);

#endif
