/* The little of Vulkan's interface that the agent uses; declared here so that building needs no
 * header. A test compares the layout with Vulkan's own headers where these are installed. */
#ifndef NG_VULKAN_H
#define NG_VULKAN_H

#include <stdint.h>

typedef void *vk_object;  /* device, queue, command buffer */
typedef uint64_t vk_handle; /* everything else */

/* How each structure begins. */
#define VK_HEAD uint32_t type; const void *next

enum {
    VK_SUBMIT = 4, VK_ALLOCATE = 5, VK_FENCE = 8, VK_BUFFER = 12, VK_POOL = 39, VK_COMMANDS = 40,
    VK_BEGIN = 42, VK_IMAGE_BARRIER = 45
};

enum {
    VK_LAYOUT_TRANSFER_SOURCE = 6, VK_LAYOUT_PRESENT = 1000001002, VK_USAGE_TRANSFER_SOURCE = 1,
    VK_USAGE_BUFFER_TARGET = 2, VK_ASPECT_COLOUR = 1, VK_STAGE_ALL = 0x10000,
    VK_ACCESS_READ = 0x8000, VK_ACCESS_WRITE = 0x10000, VK_POOL_RESETS = 2,
    VK_MEMORY_VISIBLE = 2, VK_MEMORY_COHERENT = 4, VK_MEMORY_CACHED = 8
};
#define VK_FAMILY_IGNORED 0xffffffffu

typedef struct {
    VK_HEAD;
    uint32_t flags;
    vk_handle surface;
    uint32_t least_images, format, colour_space, width, height, layers, usage, sharing, family_count;
    const uint32_t *families;
    uint32_t transform, alpha, present_mode, clipped;
    vk_handle old;
} vk_swapchain_info;

typedef struct {
    VK_HEAD;
    uint32_t wait_count;
    const vk_handle *waits;
    uint32_t swapchain_count;
    const vk_handle *swapchains;
    const uint32_t *indices;
    int *results;
} vk_present_info;

typedef struct {
    VK_HEAD;
    uint32_t wait_count;
    const vk_handle *waits;
    const uint32_t *wait_stages;
    uint32_t command_count;
    const vk_object *commands;
    uint32_t signal_count;
    const vk_handle *signals;
} vk_submit_info;

typedef struct {
    VK_HEAD;
    uint32_t flags, family, index;
} vk_queue_info;

typedef struct {
    VK_HEAD;
    uint32_t flags, family;
} vk_pool_info;

typedef struct {
    VK_HEAD;
    vk_handle pool;
    uint32_t level, count;
} vk_commands_info;

typedef struct {
    VK_HEAD;
    uint32_t flags;
    const void *inheritance;
} vk_begin_info;

typedef struct {
    VK_HEAD;
    uint32_t flags;
} vk_fence_info;

typedef struct {
    VK_HEAD;
    uint32_t flags;
    uint64_t size;
    uint32_t usage, sharing, family_count;
    const uint32_t *families;
} vk_buffer_info;

typedef struct {
    uint64_t size, alignment;
    uint32_t types;
} vk_needs;

typedef struct {
    VK_HEAD;
    uint64_t size;
    uint32_t memory_type;
} vk_allocate_info;

typedef struct {
    uint32_t type_count;
    struct {
        uint32_t flags, heap;
    } types[32];
    uint32_t heap_count;
    struct {
        uint64_t size;
        uint32_t flags;
    } heaps[16];
} vk_memory_properties;

typedef struct {
    VK_HEAD;
    uint32_t from_access, to_access, from_layout, to_layout, from_family, to_family;
    vk_handle image;
    uint32_t aspect, mip, mip_count, layer, layer_count;
} vk_image_barrier;

typedef struct {
    uint64_t offset;
    uint32_t row_length, height_length;
    uint32_t aspect, mip, layer, layer_count;
    int32_t x, y, z;
    uint32_t width, height, depth;
} vk_image_copy;

typedef struct {
    VK_HEAD;
    vk_handle swapchain;
    uint64_t timeout;
    vk_handle semaphore, fence;
    uint32_t device_mask;
} vk_acquire_info;

#endif
