/* The socket to Python: hand over a frame, wait for the next request, end when Python is gone. */
#ifndef NG_CHANNEL_H
#define NG_CHANNEL_H

#include <stdbool.h>

#include "../protocol.h"

void channel_start(void);

/* Connect on first use. Ends the process if Python cannot be reached. */
void channel_open(void);

/* Is this process the one that speaks for the game? (Not a helper that the game forked.) */
bool channel_is_ours(void);

void channel_reply(ng_reply *reply);

/* Waits for the next request. `files` takes the descriptors that came with it (NG_FORK: two), -1
 * where there are none. Ends the process if Python is gone or sends what is no request. */
void channel_receive(ng_request *request, int files[2]);

/* The same without waiting; false if there is no request. */
bool channel_look(ng_request *request, int files[2]);

/* Speak over this socket from now on (in a copy). */
void channel_replace(int socket);

#endif
