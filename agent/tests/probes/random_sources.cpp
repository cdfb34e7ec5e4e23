// Prints what each source of randomness gives, the calendar, the time zone and the locale.
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <random>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include "window.h"
uint32_t arc4random(void) __attribute__((weak));
}

static uint64_t from_file(const char *path)
{
    uint64_t value = 0;
    int file = open(path, O_RDONLY);
    if (read(file, &value, sizeof value) != sizeof value)
        std::exit(4);
    close(file);
    return value;
}

static uint64_t from_stream(const char *path)
{
    uint64_t value = 0;
    std::FILE *stream = std::fopen(path, "rb");
    if (!stream || std::fread(&value, sizeof value, 1, stream) != 1)
        std::exit(4);
    std::fclose(stream);
    return value;
}

int main()
{
    uint64_t value = 0;
    void *window = probe_window(0);
    if (getrandom(&value, sizeof value, 0) == sizeof value)
        std::printf("getrandom %016lx\n", value);
    if (getentropy(&value, sizeof value) == 0)
        std::printf("getentropy %016lx\n", value);
    std::printf("urandom %016lx\n", from_file("/dev/urandom"));
    std::printf("random %016lx\n", from_file("/dev/random"));
    std::printf("stream %016lx\n", from_stream("/dev/urandom"));
    std::printf("random_device %08x\n", std::random_device()());
    std::printf("random_device_file %08x\n", std::random_device("/dev/urandom")());
    if (arc4random)
        std::printf("arc4random %08x\n", arc4random());
    std::time_t now = std::time(nullptr);
    char text[64];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", std::localtime(&now));
    std::printf("calendar %s\n", text);
    std::printf("locale %s\n", std::setlocale(LC_ALL, ""));
    std::printf("home %s\n", std::getenv("HOME"));
    for (uint32_t frame = 0;; frame++)
        probe_frame(window, frame);
}
