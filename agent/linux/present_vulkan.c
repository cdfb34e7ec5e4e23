/* Frames of Vulkan games. A swapchain's images are handed out in turn and never really shown, so
 * neither display nor its pace matters; before a present the image is copied to memory. */
#include "present_vulkan.h"

#include <string.h>

#include "../core/log.h"
#include "frame.h"
#include "hook.h"
#include "vulkan_copy.h"

#define LIMIT 16
#define IMAGE_LIMIT 16

typedef struct {
    vk_handle handle;
    vk_object device;
    uint32_t format, width, height, count, next;
    vk_handle images[IMAGE_LIMIT];
} vk_chain;

typedef struct {
    vk_line *line;
    vk_chain *chain;
    uint32_t index;
} shown;

static struct {
    vk_object device, physical;
} devices[LIMIT];
static vk_line lines[LIMIT];
static vk_chain chains[LIMIT];

static vk_line *line_of(vk_object device, vk_object queue)
{
    for (int i = 0; i < LIMIT; i++)
        if (lines[i].queue && (queue ? lines[i].queue == queue : lines[i].device == device))
            return &lines[i];
    return NULL;
}

static vk_chain *chain_of(vk_handle handle)
{
    for (int i = 0; i < LIMIT; i++)
        if (chains[i].handle == handle)
            return &chains[i];
    return NULL;
}

static void note_queue(vk_object device, uint32_t family, vk_object queue)
{
    if (!queue || line_of(device, queue))
        return;
    for (int i = 0; i < LIMIT; i++) {
        if (lines[i].queue)
            continue;
        lines[i] = (vk_line){.queue = queue, .device = device, .family = family};
        for (int j = 0; j < LIMIT; j++)
            if (devices[j].device == device)
                lines[i].physical = devices[j].physical;
        return;
    }
}

static bool grab(void *context, ng_picture *picture)
{
    const shown *frame = context;
    const vk_chain *chain = frame->chain;
    bool blue_first = chain->format == 44 || chain->format == 50; /* B8G8R8A8, UNORM and SRGB */
    if (!blue_first && chain->format != 37 && chain->format != 43) {
        frame_explain("a Vulkan swapchain of format %u, not of four bytes", chain->format);
        return false;
    }
    if (!line_copy(frame->line, chain->images[frame->index], chain->width, chain->height)) {
        frame_explain("Vulkan could not copy the image");
        return false;
    }
    *picture = (ng_picture){.pixels = frame->line->pixels, .width = (int)chain->width,
                            .height = (int)chain->height, .stride = (ptrdiff_t)chain->width * 4,
                            .red = blue_first ? 2 : 0, .green = 1, .blue = blue_first ? 0 : 2};
    return true;
}

/* --- hooks --------------------------------------------------------------------------------------- */

#define PASSES (own_code() || !agent_on())

HOOKED(int, vkCreateDevice, (vk_object physical, const void *info, const void *memory,
                             vk_object *device))
{
    int result = VK(int, vkCreateDevice, vk_object, const void *, const void *, vk_object *)(
        physical, info, memory, device);
    for (int i = 0; i < LIMIT && result == 0; i++)
        if (!devices[i].device || devices[i].device == *device) {
            devices[i].device = *device;
            devices[i].physical = physical;
            break;
        }
    return result;
}

HOOKED(void, vkDestroyDevice, (vk_object device, const void *memory))
{
    for (int i = 0; i < LIMIT; i++) {
        if (lines[i].device == device && device)
            memset(&lines[i], 0, sizeof lines[i]);
        if (chains[i].device == device && device)
            memset(&chains[i], 0, sizeof chains[i]);
        if (devices[i].device == device)
            devices[i].device = NULL;
    }
    VK(void, vkDestroyDevice, vk_object, const void *)(device, memory);
}

HOOKED(void, vkGetDeviceQueue, (vk_object device, uint32_t family, uint32_t index,
                                vk_object *queue))
{
    VK(void, vkGetDeviceQueue, vk_object, uint32_t, uint32_t, vk_object *)(device, family, index,
                                                                          queue);
    note_queue(device, family, *queue);
}

HOOKED(void, vkGetDeviceQueue2, (vk_object device, const vk_queue_info *info, vk_object *queue))
{
    VK(void, vkGetDeviceQueue2, vk_object, const vk_queue_info *, vk_object *)(device, info, queue);
    note_queue(device, info->family, *queue);
}

HOOKED(int, vkCreateSwapchainKHR, (vk_object device, const vk_swapchain_info *info,
                                   const void *memory, vk_handle *made))
{
    vk_swapchain_info readable = *info;
    readable.usage |= VK_USAGE_TRANSFER_SOURCE;
    int result = VK(int, vkCreateSwapchainKHR, vk_object, const vk_swapchain_info *, const void *,
                    vk_handle *)(device, PASSES ? info : &readable, memory, made);
    vk_chain *chain = result == 0 && !PASSES ? chain_of(0) : NULL;
    if (!chain)
        return result;
    *chain = (vk_chain){.handle = *made, .device = device, .format = info->format,
                        .width = info->width, .height = info->height, .count = IMAGE_LIMIT};
    VK(int, vkGetSwapchainImagesKHR, vk_object, vk_handle, uint32_t *, vk_handle *)(
        device, *made, &chain->count, chain->images);
    log_line("Vulkan swapchain of %u images, format %u", chain->count, chain->format);
    return result;
}

HOOKED(void, vkDestroySwapchainKHR, (vk_object device, vk_handle handle, const void *memory))
{
    vk_chain *chain = handle ? chain_of(handle) : NULL;
    if (chain)
        memset(chain, 0, sizeof *chain);
    VK(void, vkDestroySwapchainKHR, vk_object, vk_handle, const void *)(device, handle, memory);
}

static int acquire(vk_object device, vk_chain *chain, vk_handle semaphore, vk_handle fence,
                   uint32_t *index)
{
    vk_submit_info signal = {.type = VK_SUBMIT, .signal_count = semaphore != 0,
                             .signals = &semaphore};
    vk_line *line = line_of(device, NULL);
    *index = chain->next;
    chain->next = (chain->next + 1) % chain->count;
    return line ? line_submit(line, &signal, fence) : -1;
}

HOOKED(int, vkAcquireNextImageKHR, (vk_object device, vk_handle handle, uint64_t timeout,
                                    vk_handle semaphore, vk_handle fence, uint32_t *index))
{
    vk_chain *chain = PASSES ? NULL : chain_of(handle);
    if (chain)
        return acquire(device, chain, semaphore, fence, index);
    return VK(int, vkAcquireNextImageKHR, vk_object, vk_handle, uint64_t, vk_handle, vk_handle,
              uint32_t *)(device, handle, timeout, semaphore, fence, index);
}

HOOKED(int, vkAcquireNextImage2KHR, (vk_object device, const vk_acquire_info *info,
                                     uint32_t *index))
{
    vk_chain *chain = PASSES ? NULL : chain_of(info->swapchain);
    if (chain)
        return acquire(device, chain, info->semaphore, info->fence, index);
    return VK(int, vkAcquireNextImage2KHR, vk_object, const vk_acquire_info *, uint32_t *)(
        device, info, index);
}

HOOKED(int, vkQueuePresentKHR, (vk_object queue, const vk_present_info *info))
{
    shown frame = {line_of(NULL, queue), PASSES ? NULL : chain_of(info->swapchains[0]),
                   info->indices[0]};
    uint32_t stages[LIMIT];
    if (!frame.chain || !frame.line || info->wait_count > LIMIT)
        return VK(int, vkQueuePresentKHR, vk_object, const vk_present_info *)(queue, info);
    for (uint32_t i = 0; i < info->wait_count; i++)
        stages[i] = VK_STAGE_ALL;
    vk_submit_info drawn = {.type = VK_SUBMIT, .wait_count = info->wait_count,
                            .waits = info->waits, .wait_stages = stages};
    own_begin();
    bool ready = line_prepare(frame.line) && line_finish(frame.line, &drawn);
    own_end();
    if (!ready)
        log_line("Vulkan did not finish a frame");
    frame_boundary(NG_SEEN_PRESENT_VULKAN, grab, &frame);
    for (uint32_t i = 0; info->results && i < info->swapchain_count; i++)
        info->results[i] = 0;
    return 0;
}

/* --- look-ups ------------------------------------------------------------------------------------ */

static void *replacement(const char *name)
{
    extern const vk_row __start_vulkan_rows[], __stop_vulkan_rows[];
    for (const vk_row *row = __start_vulkan_rows; row < __stop_vulkan_rows; row++)
        if (!strcmp(row->name, name))
            return row->function;
    return NULL;
}

static void *chosen(const char *name, void *found)
{
    void *ours = found && !PASSES ? replacement(name) : NULL;
    return ours ? ours : found;
}

HOOKED(void *, vkGetDeviceProcAddr, (vk_object device, const char *name))
{
    return chosen(name, VK(void *, vkGetDeviceProcAddr, vk_object, const char *)(device, name));
}

HOOKED(void *, vkGetInstanceProcAddr, (vk_object instance, const char *name))
{
    return chosen(name, VK(void *, vkGetInstanceProcAddr, vk_object, const char *)(instance, name));
}

void *vulkan_replacement(const char *name)
{
    return replacement(name);
}
