/* Copying an image of Vulkan to memory, over the queue that presents it. */
#ifndef NG_VULKAN_COPY_H
#define NG_VULKAN_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "hook.h"
#include "vulkan.h"

#define VK(result, name, ...) \
    ({ \
        static result (*function)(__VA_ARGS__); \
        if (!function) \
            function = (result (*)(__VA_ARGS__))hook_library(#name, "libvulkan.so.1"); \
        function; \
    })

typedef struct {
    vk_object queue, device, physical;
    uint32_t family;
    vk_handle pool, fence, buffer, memory;
    vk_object commands;
    uint64_t room;
    uint8_t *pixels;
} vk_line; /* a queue, and what is needed to copy from it */

/* As vkQueueSubmit. */
int line_submit(vk_line *line, const vk_submit_info *info, vk_handle fence);

/* Make what is needed, once. */
bool line_prepare(vk_line *line);

/* Submit, and wait until it is done. */
bool line_finish(vk_line *line, const vk_submit_info *info);

/* The image, ready to be presented, into `line->pixels`: four bytes each, rows without gaps. */
bool line_copy(vk_line *line, vk_handle image, uint32_t width, uint32_t height);

#endif
