/* Seeded randomness in place of the kernel's. */
#ifndef NG_RANDOM_H
#define NG_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_seed(uint64_t seed);
void random_fill(void *bytes, size_t count);

/* A descriptor that reads as /dev/urandom would, for so many bytes; `flags` as of open. */
#define NG_RANDOM_BYTES 262144
int random_file(int flags);

#endif
