/* What libudev answers about input devices: one pad, as device files event0 and js0 with a common
 * parent, and no changes ever. Other subsystems are empty. Programs that are linked to libudev or
 * look it up at run time get these functions; SDL 2 and 3 do not, their pad is inside them. */
#include "udev.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "../core/pad.h"
#include "hook.h"
#include "pad_files.h"

#define ROOT "/sys/devices/virtual/input/input0"

struct udev {
    int count;
};

struct udev_device {
    struct udev *udev;
    const char *path, *name, *node;
    dev_t number;
};

struct udev_list_entry {
    const char *name, *value;
    struct udev_list_entry *next;
};

struct udev_enumerate {
    struct udev *udev;
    int count;
    bool wants_input, wants_others;
};

static struct udev the_udev;
static struct udev_device parent = {&the_udev, ROOT, "input0", NULL, 0};
static struct udev_device devices[] = {
    {&the_udev, ROOT "/event0", "event0", NG_EVENT_PATH, 0},
    {&the_udev, ROOT "/js0", "js0", NG_JS_PATH, 0},
};
static struct udev_list_entry entries[] = {
    {ROOT, NULL, &entries[1]}, {ROOT "/event0", NULL, &entries[2]}, {ROOT "/js0", NULL, NULL},
};
static struct udev_list_entry properties[] = {
    {"ID_INPUT", "1", &properties[1]}, {"ID_INPUT_JOYSTICK", "1", &properties[2]},
    {"ID_BUS", "usb", &properties[3]}, {"ID_VENDOR_ID", "045e", &properties[4]},
    {"ID_MODEL_ID", "028e", NULL},
};

static struct udev_device *device_at(const char *path)
{
    if (!strcmp(path, ROOT))
        return &parent;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (!strcmp(path, devices[i].path) || !strcmp(path, devices[i].name))
            return &devices[i];
    return NULL;
}

UDEV(struct udev *, udev_new, (void), ())
{
    agent_saw(NG_SEEN_UDEV);
    devices[0].number = makedev(13, 64);
    devices[1].number = makedev(13, 0);
    return &the_udev;
}

UDEV(struct udev *, udev_ref, (struct udev *udev), (udev))
{
    return udev;
}

UDEV(struct udev *, udev_unref, (struct udev *udev), (udev))
{
    (void)udev;
    return NULL;
}

/* --- lists --------------------------------------------------------------------------------------- */

UDEV(struct udev_list_entry *, udev_list_entry_get_next, (struct udev_list_entry *entry), (entry))
{
    return entry ? entry->next : NULL;
}

UDEV(const char *, udev_list_entry_get_name, (struct udev_list_entry *entry), (entry))
{
    return entry ? entry->name : NULL;
}

UDEV(const char *, udev_list_entry_get_value, (struct udev_list_entry *entry), (entry))
{
    return entry ? entry->value : NULL;
}

UDEV(struct udev_list_entry *, udev_list_entry_get_by_name,
     (struct udev_list_entry *entry, const char *name), (entry, name))
{
    while (entry && strcmp(entry->name, name))
        entry = entry->next;
    return entry;
}

UDEV(struct udev_enumerate *, udev_enumerate_new, (struct udev *udev), (udev))
{
    struct udev_enumerate *made = calloc(1, sizeof *made);
    if (made)
        *made = (struct udev_enumerate){.udev = udev, .count = 1};
    return made;
}

UDEV(struct udev_enumerate *, udev_enumerate_unref, (struct udev_enumerate *list), (list))
{
    if (list && --list->count == 0)
        free(list);
    return NULL;
}

UDEV(int, udev_enumerate_add_match_subsystem, (struct udev_enumerate *list, const char *name),
     (list, name))
{
    if (name && !strcmp(name, "input"))
        list->wants_input = true;
    else
        list->wants_others = true;
    return 0;
}

#define MATCH(name) \
    UDEV(int, name, (struct udev_enumerate *list, const char *key, const char *value), \
         (list, key, value)) \
    { \
        (void)list, (void)key, (void)value; \
        return 0; \
    }

MATCH(udev_enumerate_add_match_property)
MATCH(udev_enumerate_add_match_sysattr)
MATCH(udev_enumerate_add_nomatch_sysattr)

UDEV(int, udev_enumerate_add_match_sysname, (struct udev_enumerate *list, const char *name),
     (list, name))
{
    (void)list, (void)name;
    return 0;
}

UDEV(int, udev_enumerate_scan_devices, (struct udev_enumerate *list), (list))
{
    (void)list;
    return 0;
}

UDEV(struct udev_list_entry *, udev_enumerate_get_list_entry, (struct udev_enumerate *list), (list))
{
    return list->wants_others && !list->wants_input ? NULL : entries;
}

/* --- devices ------------------------------------------------------------------------------------- */

UDEV(struct udev_device *, udev_device_new_from_syspath, (struct udev *udev, const char *path),
     (udev, path))
{
    (void)udev;
    return device_at(path);
}

UDEV(struct udev_device *, udev_device_new_from_devnum,
     (struct udev *udev, char type, dev_t number), (udev, type, number))
{
    (void)udev;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (type == 'c' && devices[i].number == number)
            return &devices[i];
    return NULL;
}

UDEV(struct udev_device *, udev_device_new_from_subsystem_sysname,
     (struct udev *udev, const char *subsystem, const char *name), (udev, subsystem, name))
{
    (void)udev;
    return strcmp(subsystem, "input") ? NULL : device_at(name);
}

UDEV(struct udev_device *, udev_device_ref, (struct udev_device *device), (device))
{
    return device;
}

UDEV(struct udev_device *, udev_device_unref, (struct udev_device *device), (device))
{
    (void)device;
    return NULL;
}

UDEV(struct udev_device *, udev_device_get_parent, (struct udev_device *device), (device))
{
    return device && device != &parent ? &parent : NULL;
}

UDEV(struct udev_device *, udev_device_get_parent_with_subsystem_devtype,
     (struct udev_device *device, const char *subsystem, const char *type),
     (device, subsystem, type))
{
    (void)type; /* the parent answers as the USB device, too */
    return device && (!strcmp(subsystem, "input") || !strcmp(subsystem, "usb")) ? &parent : NULL;
}

UDEV(const char *, udev_device_get_sysattr_value, (struct udev_device *device, const char *name),
     (device, name))
{
    static const char *const known[][2] = {
        {"name", NG_PAD_NAME}, {"product", NG_PAD_NAME}, {"idVendor", "045e"},
        {"idProduct", "028e"}, {"id/vendor", "045e"}, {"id/product", "028e"},
        {"id/version", "0110"}, {"id/bustype", "0003"}, {"manufacturer", "Microsoft"},
    };
    for (size_t i = 0; device && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i][0], name))
            return known[i][1];
    return NULL;
}

UDEV(const char *, udev_device_get_property_value, (struct udev_device *device, const char *name),
     (device, name))
{
    struct udev_list_entry *entry = properties;
    while (device && entry && strcmp(entry->name, name))
        entry = entry->next;
    return device && entry ? entry->value : NULL;
}

UDEV(struct udev_list_entry *, udev_device_get_properties_list_entry, (struct udev_device *device),
     (device))
{
    return device ? properties : NULL;
}

#define SAYS(name, type, answer) \
    UDEV(type, name, (struct udev_device *device), (device)) \
    { \
        return device ? (type)(answer) : (type)0; \
    }

SAYS(udev_device_get_devnode, const char *, device->node)
SAYS(udev_device_get_syspath, const char *, device->path)
SAYS(udev_device_get_devpath, const char *, device->path + 4) /* without /sys */
SAYS(udev_device_get_sysname, const char *, device->name)
SAYS(udev_device_get_sysnum, const char *, "0")
SAYS(udev_device_get_subsystem, const char *, "input")
SAYS(udev_device_get_devtype, const char *, NULL)
SAYS(udev_device_get_driver, const char *, NULL)
SAYS(udev_device_get_action, const char *, NULL)
SAYS(udev_device_get_udev, struct udev *, device->udev)
SAYS(udev_device_get_devnum, dev_t, device->number)
SAYS(udev_device_get_is_initialized, int, 1)

void *udev_replacement(const char *name)
{
    extern const udev_row __start_udev_rows[], __stop_udev_rows[];
    for (const udev_row *row = __start_udev_rows; row < __stop_udev_rows; row++)
        if (!strcmp(row->name, name))
            return row->function;
    return NULL;
}
