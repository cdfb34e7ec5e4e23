/* Reads a byte of a file in each frame, as a game streams its music, and prints it. */
#include <fcntl.h>
#include <unistd.h>

#include "window.h"

int main(int count, char **arguments)
{
    void *window = probe_window(0);
    int file = open(count > 1 ? arguments[1] : "/dev/null", O_RDONLY);
    for (uint32_t frame = 0;; frame++) {
        char byte = 0;
        if (read(file, &byte, 1) == 1)
            printf("%u read %c\n", frame, byte);
        probe_frame(window, frame);
    }
}
