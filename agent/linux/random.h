/* Seeded randomness in place of the kernel's. */
#ifndef NG_RANDOM_H
#define NG_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_seed(uint64_t seed);
void random_fill(void *bytes, size_t count);

#endif
