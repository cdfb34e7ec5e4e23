/* Reads the pad as evdev and as js, as a program without SDL would; lists the folder first. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/joystick.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "window.h"

static void describe(int event, int js)
{
    char name[128] = "";
    struct input_id id;
    struct input_absinfo axis;
    uint8_t keys[96] = {0}, axes = 0, buttons = 0;
    ioctl(event, EVIOCGNAME(sizeof name), name);
    ioctl(event, EVIOCGID, &id);
    ioctl(event, EVIOCGBIT(EV_KEY, sizeof keys), keys);
    ioctl(event, EVIOCGABS(ABS_RZ), &axis);
    printf("evdev %s %04x:%04x south %d rz %d..%d\n", name, id.vendor, id.product,
           keys[BTN_SOUTH / 8] >> (BTN_SOUTH % 8) & 1, axis.minimum, axis.maximum);
    ioctl(js, JSIOCGNAME(sizeof name), name);
    ioctl(js, JSIOCGAXES, &axes);
    ioctl(js, JSIOCGBUTTONS, &buttons);
    printf("js %s axes %d buttons %d\n", name, axes, buttons);
}

static void list(void)
{
    struct stat about;
    DIR *folder = opendir("/dev/input");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            printf("listed %s\n", entry->d_name);
    closedir(folder);
    printf("event0 %d js0 %d event1 %d", access("/dev/input/event0", R_OK),
           access("/dev/input/js0", R_OK), access("/dev/input/event1", F_OK));
    printf(" device %d\n", stat("/dev/input/event0", &about) == 0 && S_ISCHR(about.st_mode));
}

int main(void)
{
    void *window = probe_window(0);
    int watch = inotify_init1(IN_NONBLOCK);
    list();
    if (inotify_add_watch(watch, "/dev/input", IN_CREATE | IN_DELETE) < 0)
        puts("no watch");
    int event = open("/dev/input/event0", O_RDONLY | O_NONBLOCK);
    int js = open("/dev/input/js0", O_RDONLY | O_NONBLOCK);
    describe(event, js);
    for (uint32_t frame = 0;; frame++) {
        struct input_event read_event;
        struct js_event read_js;
        struct pollfd ready = {event, POLLIN, 0};
        if (poll(&ready, 1, 0) > 0)
            while (read(event, &read_event, sizeof read_event) == sizeof read_event)
                printf("%u event %d %d %d\n", frame, read_event.type, read_event.code,
                       read_event.value);
        while (read(js, &read_js, sizeof read_js) == sizeof read_js)
            printf("%u js %d %d %d\n", frame, read_js.type, read_js.number, read_js.value);
        probe_frame(window, frame);
    }
}
