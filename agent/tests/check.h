/* The smallest test kit: CHECK ends the program with the place of a broken claim. */
#ifndef NG_CHECK_H
#define NG_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(claim) \
    do { \
        if (!(claim)) { \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #claim); \
            exit(1); \
        } \
    } while (0)

#endif
