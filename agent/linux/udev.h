/* Functions in place of libudev's. */
#ifndef NG_UDEV_H
#define NG_UDEV_H

typedef struct {
    const char *name;
    void *function;
} udev_row;

/* What stands for `name`, or NULL. */
void *udev_replacement(const char *name);

/* A function of libudev: ours where the agent is on, else the real one. Followed by its body. */
#define UDEV(result, name, parameters, arguments) \
    result name parameters; \
    static result ours_##name parameters; \
    EXPORT result name parameters \
    { \
        if (agent_on()) \
            return ours_##name arguments; \
        return REAL(name) arguments; \
    } \
    static const udev_row row_##name \
        __attribute__((section("udev_rows"), used)) = {#name, (void *)ours_##name}; \
    static result ours_##name parameters

#endif
