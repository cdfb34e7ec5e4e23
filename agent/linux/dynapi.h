/* An SDL that is part of the program itself. */
#ifndef NG_DYNAPI_H
#define NG_DYNAPI_H

#include <stdbool.h>

/* Called now and then: takes the places in a table that SDL has filled meanwhile. */
void dynapi_take_places(void);

/* Is there such an SDL of that major version, and its own function, or NULL. */
bool dynapi_has(int major);
void *dynapi_function(int major, const char *name);

#endif
