/* News of udev, of which there are none: a descriptor in which nothing comes. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hook.h"
#include "udev.h"

struct udev;
struct udev_device;

struct udev_monitor {
    struct udev *udev;
    int count, file;
};

UDEV(struct udev_monitor *, udev_monitor_new_from_netlink, (struct udev *udev, const char *name),
     (udev, name))
{
    struct udev_monitor *made = calloc(1, sizeof *made);
    (void)name;
    if (made)
        *made = (struct udev_monitor){udev, 1, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    return made;
}

UDEV(int, udev_monitor_filter_add_match_subsystem_devtype,
     (struct udev_monitor *monitor, const char *subsystem, const char *type),
     (monitor, subsystem, type))
{
    (void)monitor, (void)subsystem, (void)type;
    return 0;
}

UDEV(int, udev_monitor_enable_receiving, (struct udev_monitor *monitor), (monitor))
{
    (void)monitor;
    return 0;
}

UDEV(int, udev_monitor_get_fd, (struct udev_monitor *monitor), (monitor))
{
    return monitor->file;
}

UDEV(struct udev_device *, udev_monitor_receive_device, (struct udev_monitor *monitor), (monitor))
{
    (void)monitor;
    return NULL;
}

UDEV(struct udev_monitor *, udev_monitor_unref, (struct udev_monitor *monitor), (monitor))
{
    if (monitor && --monitor->count == 0) {
        syscall(SYS_close, monitor->file);
        free(monitor);
    }
    return NULL;
}
