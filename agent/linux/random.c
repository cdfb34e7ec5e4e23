/* Randomness that a game takes from the kernel, repeatable. */
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"

static _Atomic uint64_t counter;
static _Atomic uint64_t seed_of_all;

/* SplitMix64 of a counter: any number of threads, no lock. */
static uint64_t next(void)
{
    uint64_t z = atomic_load(&seed_of_all) + 0x9e3779b97f4a7c15u * atomic_fetch_add(&counter, 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void random_seed(uint64_t seed)
{
    atomic_store(&seed_of_all, seed * 0xd1342543de82ef95u + 1);
    atomic_store(&counter, 1);
}

void random_fill(void *bytes, size_t count)
{
    uint8_t *out = bytes;
    agent_saw(NG_SEEN_RANDOM);
    if (!atomic_load(&counter))
        random_seed(agent_board->seed);
    while (count) {
        uint64_t value = next();
        size_t part = count < sizeof value ? count : sizeof value;
        memcpy(out, &value, part);
        out += part;
        count -= part;
    }
}

int random_file(int flags)
{
    int file = (int)syscall(SYS_memfd_create, "random", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    uint64_t values[512];
    for (size_t done = 0; file >= 0 && done < NG_RANDOM_BYTES; done += sizeof values) {
        random_fill(values, sizeof values);
        if (syscall(SYS_pwrite64, file, values, sizeof values, done) != sizeof values) {
            syscall(SYS_close, file);
            return -1;
        }
    }
    return file;
}

EXPORT ssize_t getrandom(void *bytes, size_t count, unsigned flags)
{
    if (own_code() || !agent_on())
        return REAL(getrandom)(bytes, count, flags);
    random_fill(bytes, count);
    return (ssize_t)count;
}

EXPORT int getentropy(void *bytes, size_t count)
{
    if (own_code() || !agent_on())
        return REAL(getentropy)(bytes, count);
    if (count > 256) {
        errno = EIO;
        return -1;
    }
    random_fill(bytes, count);
    return 0;
}

/* Newer C libraries have these; games built for them find ours. */
uint32_t arc4random(void);
void arc4random_buf(void *bytes, size_t count);
uint32_t arc4random_uniform(uint32_t bound);

EXPORT uint32_t arc4random(void)
{
    uint32_t value;
    if (own_code() || !agent_on())
        return REAL(arc4random)();
    random_fill(&value, sizeof value);
    return value;
}

EXPORT void arc4random_buf(void *bytes, size_t count)
{
    if (own_code() || !agent_on()) {
        REAL(arc4random_buf)(bytes, count);
        return;
    }
    random_fill(bytes, count);
}

EXPORT uint32_t arc4random_uniform(uint32_t bound)
{
    if (own_code() || !agent_on())
        return REAL(arc4random_uniform)(bound);
    return bound ? (uint32_t)(((uint64_t)arc4random() * bound) >> 32) : 0;
}

/* std::random_device, which may read the processor's own generator instead of the kernel. */
unsigned random_device_value(void *self) __asm__("_ZNSt13random_device9_M_getvalEv");

EXPORT unsigned random_device_value(void *self)
{
    unsigned value;
    if (own_code() || !agent_on())
        return ((unsigned (*)(void *))hook_next("_ZNSt13random_device9_M_getvalEv"))(self);
    random_fill(&value, sizeof value);
    return value;
}
