/* What every hook needs: is the agent on, is the call our own, where is the real function. */
#ifndef NG_HOOK_H
#define NG_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../core/clock.h"
#include "../protocol.h"

#define EXPORT __attribute__((visibility("default")))
/* May be called before the sanitizers are ready, where the agent is built with them. */
#define EARLY __attribute__((no_sanitize("address"), no_sanitize("undefined")))
#define LOCAL_THREAD static __thread __attribute__((tls_model("initial-exec")))

/* The real function behind a hook, looked up once per place. */
#define REAL(function) \
    ({ \
        static __typeof__(&function) real_function; \
        if (!real_function) \
            real_function = (__typeof__(&function))hook_next(#function); \
        real_function; \
    })

/* The real dlsym. */
typedef void *(*dlsym_function)(void *handle, const char *name);
dlsym_function hook_dlsym(void);

/* The next definition of `name` after the agent; NULL if there is none. */
void *hook_next(const char *name);

/* The same, for functions of libraries that the game may have opened with dlopen. */
void *hook_library(const char *name, const char *library);

/* A function that the game looked up at run time and that we replaced: remember the real one.
 * `name` must stay valid. */
void hook_learn(const char *name, void *real);

/* Started by Python with a board, and not told to leave this process alone. */
bool agent_on(void);

/* The hooks of clocks and waits rule: agent_on, not in real time, not a call of our own. */
bool agent_owns_time(void);

/* Calls between these two are the agent's own and reach the real functions. */
void own_begin(void);
void own_end(void);
bool own_code(void);

/* Kernel's number of this thread; and of the one that presents, or will (the main thread). */
pid_t thread_self(void);
bool thread_is_frame(void);
pid_t thread_frame(void);
void thread_set_frame(void);

extern ng_board *agent_board; /* NULL unless agent_on */
extern ng_clock agent_clock;

/* Count what was seen of the game. */
void agent_saw(int what);

#endif
