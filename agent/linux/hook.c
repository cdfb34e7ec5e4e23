#include "hook.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ng_board *agent_board;
ng_clock agent_clock;

LOCAL_THREAD int own_depth;
LOCAL_THREAD pid_t self_id;
static pid_t frame_id;

#define LEARNT_LIMIT 64
static struct {
    const char *name;
    void *real;
} learnt[LEARNT_LIMIT];

/* Found without dlsym; the version differs between machines and C libraries. */
EARLY dlsym_function hook_dlsym(void)
{
    static dlsym_function real;
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.0"};
    for (size_t i = 0; !real && i < sizeof versions / sizeof *versions; i++)
        real = (dlsym_function)dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    return real;
}

void *hook_next(const char *name)
{
    if (!strncmp(name, "pthread_cond_", 13)) { /* the oldest version must not be taken */
        void *real = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
        if (real)
            return real;
    }
    return hook_dlsym()(RTLD_NEXT, name);
}

void *hook_library(const char *name, const char *library)
{
    for (int i = 0; i < LEARNT_LIMIT && learnt[i].name; i++)
        if (!strcmp(learnt[i].name, name))
            return learnt[i].real;
    void *real = hook_next(name);
    if (real)
        return real;
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    return handle ? hook_dlsym()(handle, name) : NULL;
}

void hook_learn(const char *name, void *real)
{
    for (int i = 0; i < LEARNT_LIMIT; i++)
        if (!learnt[i].name || !strcmp(learnt[i].name, name)) {
            learnt[i].real = real;
            learnt[i].name = name;
            return;
        }
}

void own_begin(void)
{
    own_depth++;
}

void own_end(void)
{
    own_depth--;
}

EARLY bool own_code(void)
{
    return own_depth > 0;
}

bool agent_owns_time(void)
{
    return own_depth == 0 && agent_on() && agent_board->mode != NG_MODE_REALTIME;
}

pid_t thread_self(void)
{
    if (!self_id)
        self_id = (pid_t)syscall(SYS_gettid);
    return self_id;
}

pid_t thread_frame(void)
{
    return frame_id ? frame_id : getpid();
}

bool thread_is_frame(void)
{
    return thread_self() == thread_frame();
}

void thread_set_frame(void)
{
    self_id = (pid_t)syscall(SYS_gettid); /* asked anew: a copy of the game has another number */
    frame_id = self_id;
}

void agent_saw(int what)
{
    atomic_fetch_add_explicit((_Atomic uint32_t *)&agent_board->seen[what], 1,
                              memory_order_relaxed);
}
