/* The home folder of games that ask the user database instead of the environment. */
#include <pwd.h>
#include <stdlib.h>

#include "hook.h"

static struct passwd *at_home(struct passwd *entry)
{
    char *home = getenv("HOME");
    if (entry && home && !own_code() && agent_on())
        entry->pw_dir = home;
    return entry;
}

EXPORT struct passwd *getpwuid(uid_t id)
{
    return at_home(REAL(getpwuid)(id));
}

EXPORT struct passwd *getpwnam(const char *name)
{
    return at_home(REAL(getpwnam)(name));
}

EXPORT int getpwuid_r(uid_t id, struct passwd *restrict space, char *restrict text, size_t size,
                      struct passwd **restrict result)
{
    int failed = REAL(getpwuid_r)(id, space, text, size, result);
    if (!failed)
        at_home(*result);
    return failed;
}
