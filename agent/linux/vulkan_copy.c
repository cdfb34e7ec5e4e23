#include "vulkan_copy.h"

#define DEADLINE_NS 20000000000u /* real time for the work of one frame */

int line_submit(vk_line *line, const vk_submit_info *info, vk_handle fence)
{
    return VK(int, vkQueueSubmit, vk_object, uint32_t, const vk_submit_info *, vk_handle)(
        line->queue, 1, info, fence);
}

static bool wait(vk_line *line)
{
    bool done = VK(int, vkWaitForFences, vk_object, uint32_t, const vk_handle *, uint32_t,
                   uint64_t)(line->device, 1, &line->fence, 1, DEADLINE_NS) == 0;
    return VK(int, vkResetFences, vk_object, uint32_t, const vk_handle *)(line->device, 1,
                                                                         &line->fence) == 0 &&
           done;
}

bool line_finish(vk_line *line, const vk_submit_info *info)
{
    return line_submit(line, info, line->fence) == 0 && wait(line);
}

bool line_prepare(vk_line *line)
{
    vk_fence_info fence = {.type = VK_FENCE};
    vk_pool_info pool = {.type = VK_POOL, .flags = VK_POOL_RESETS, .family = line->family};
    if (line->commands)
        return true;
    if (VK(int, vkCreateFence, vk_object, const vk_fence_info *, const void *, vk_handle *)(
            line->device, &fence, NULL, &line->fence) ||
        VK(int, vkCreateCommandPool, vk_object, const vk_pool_info *, const void *, vk_handle *)(
            line->device, &pool, NULL, &line->pool))
        return false;
    vk_commands_info commands = {.type = VK_COMMANDS, .pool = line->pool, .count = 1};
    if (VK(int, vkAllocateCommandBuffers, vk_object, const vk_commands_info *, vk_object *)(
            line->device, &commands, &line->commands))
        return false;
    return true;
}

static uint32_t memory_type(vk_object physical, uint32_t allowed)
{
    vk_memory_properties about;
    uint32_t best = UINT32_MAX, wanted = VK_MEMORY_VISIBLE | VK_MEMORY_COHERENT;
    VK(void, vkGetPhysicalDeviceMemoryProperties, vk_object, vk_memory_properties *)(physical,
                                                                                    &about);
    for (uint32_t i = 0; i < about.type_count; i++)
        if ((allowed & 1u << i) && (about.types[i].flags & wanted) == wanted &&
            (best == UINT32_MAX || (about.types[i].flags & VK_MEMORY_CACHED)))
            best = i;
    return best;
}

static bool line_room(vk_line *line, uint64_t bytes)
{
    vk_buffer_info buffer = {.type = VK_BUFFER, .size = bytes, .usage = VK_USAGE_BUFFER_TARGET};
    vk_needs needs;
    if (bytes <= line->room)
        return true;
    if (line->buffer)
        VK(void, vkDestroyBuffer, vk_object, vk_handle, const void *)(line->device, line->buffer,
                                                                     NULL);
    if (line->memory)
        VK(void, vkFreeMemory, vk_object, vk_handle, const void *)(line->device, line->memory, NULL);
    line->buffer = line->memory = line->room = 0;
    if (VK(int, vkCreateBuffer, vk_object, const vk_buffer_info *, const void *, vk_handle *)(
            line->device, &buffer, NULL, &line->buffer))
        return false;
    VK(void, vkGetBufferMemoryRequirements, vk_object, vk_handle, vk_needs *)(
        line->device, line->buffer, &needs);
    vk_allocate_info memory = {.type = VK_ALLOCATE, .size = needs.size,
                               .memory_type = memory_type(line->physical, needs.types)};
    if (VK(int, vkAllocateMemory, vk_object, const vk_allocate_info *, const void *, vk_handle *)(
            line->device, &memory, NULL, &line->memory) ||
        VK(int, vkBindBufferMemory, vk_object, vk_handle, vk_handle, uint64_t)(
            line->device, line->buffer, line->memory, 0) ||
        VK(int, vkMapMemory, vk_object, vk_handle, uint64_t, uint64_t, uint32_t, void *)(
            line->device, line->memory, 0, needs.size, 0, &line->pixels))
        return false;
    line->room = bytes;
    return true;
}

static void change_layout(vk_object commands, vk_handle image, uint32_t from, uint32_t to)
{
    vk_image_barrier barrier = {
        .type = VK_IMAGE_BARRIER, .from_access = VK_ACCESS_WRITE | VK_ACCESS_READ,
        .to_access = VK_ACCESS_WRITE | VK_ACCESS_READ, .from_layout = from, .to_layout = to,
        .from_family = VK_FAMILY_IGNORED, .to_family = VK_FAMILY_IGNORED, .image = image,
        .aspect = VK_ASPECT_COLOUR, .mip_count = 1, .layer_count = 1,
    };
    VK(void, vkCmdPipelineBarrier, vk_object, uint32_t, uint32_t, uint32_t, uint32_t, const void *,
       uint32_t, const void *, uint32_t, const vk_image_barrier *)(
        commands, VK_STAGE_ALL, VK_STAGE_ALL, 0, 0, NULL, 0, NULL, 1, &barrier);
}

bool line_copy(vk_line *line, vk_handle image, uint32_t width, uint32_t height)
{
    vk_begin_info begin = {.type = VK_BEGIN, .flags = 1};
    vk_image_copy whole = {.aspect = VK_ASPECT_COLOUR, .layer_count = 1, .width = width,
                           .height = height, .depth = 1};
    vk_submit_info work = {.type = VK_SUBMIT, .command_count = 1, .commands = &line->commands};
    if (!line_room(line, (uint64_t)width * height * 4) ||
        VK(int, vkBeginCommandBuffer, vk_object, const vk_begin_info *)(line->commands, &begin))
        return false;
    change_layout(line->commands, image, VK_LAYOUT_PRESENT, VK_LAYOUT_TRANSFER_SOURCE);
    VK(void, vkCmdCopyImageToBuffer, vk_object, vk_handle, uint32_t, vk_handle, uint32_t,
       const vk_image_copy *)(line->commands, image, VK_LAYOUT_TRANSFER_SOURCE, line->buffer, 1,
                              &whole);
    change_layout(line->commands, image, VK_LAYOUT_TRANSFER_SOURCE, VK_LAYOUT_PRESENT);
    return VK(int, vkEndCommandBuffer, vk_object)(line->commands) == 0 &&
           line_finish(line, &work);
}
