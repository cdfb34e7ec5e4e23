/* Functions in place of Vulkan's. */
#ifndef NG_PRESENT_VULKAN_H
#define NG_PRESENT_VULKAN_H

typedef struct {
    const char *name;
    void *function;
} vk_row;

/* What stands for `name`, or NULL. */
void *vulkan_replacement(const char *name);

/* An exported function of ours that is also found by name. Followed by its body. */
#define HOOKED(result, name, parameters) \
    EXPORT result name parameters; \
    static const vk_row row_##name \
        __attribute__((section("vulkan_rows"), used)) = {#name, (void *)name}; \
    EXPORT result name parameters

#endif
