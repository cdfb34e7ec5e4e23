/* The area filter: constant pictures stay, means are kept, channels and row order are right. */
#include "../core/picture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define SIZE 256
static uint8_t out[SIZE * SIZE * 3];

static void constants_stay(int width, int height)
{
    uint8_t *pixels = malloc((size_t)(width * height * 4));
    ng_picture picture = {pixels, width, height, width * 4, 2, 1, 0};
    for (int i = 0; i < width * height; i++)
        memcpy(pixels + 4 * i, (uint8_t[]){0, 127, 255, 9}, 4);
    picture_squash(&picture, out, SIZE);
    for (int i = 0; i < SIZE * SIZE; i++)
        CHECK(out[3 * i] == 255 && out[3 * i + 1] == 127 && out[3 * i + 2] == 0);
    free(pixels);
}

static void halves_stay_apart_bottom_up(void)
{
    static uint8_t pixels[512 * 512 * 4];
    memset(pixels, 200, sizeof pixels / 2); /* the bottom half comes first */
    ng_picture picture = {pixels + 511 * 512 * 4, 512, 512, -512 * 4, 0, 1, 2};
    picture_squash(&picture, out, SIZE);
    CHECK(out[0] == 0 && out[SIZE * SIZE * 3 - 1] == 200);
}

static void each_pixel_is_the_mean_of_its_area(void)
{
    static uint8_t pixels[768 * 512 * 4];
    srand(1);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)rand();
    ng_picture picture = {pixels, 768, 512, 768 * 4, 0, 1, 2};
    picture_squash(&picture, out, SIZE);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            int sum = 0;
            for (int i = 0; i < 6; i++)
                sum += pixels[((2 * y + i / 3) * 768 + 3 * x + i % 3) * 4];
            CHECK(abs(out[(y * SIZE + x) * 3] - (sum + 3) / 6) <= 1);
        }
}

static void copies_are_exact(void)
{
    uint8_t pixels[3 * 2 * 4], copy[3 * 2 * 3];
    for (int i = 0; i < 24; i++)
        pixels[i] = (uint8_t)i;
    ng_picture picture = {pixels, 3, 2, 12, 2, 1, 0};
    picture_copy(&picture, copy);
    CHECK(copy[0] == 2 && copy[2] == 0 && copy[9] == 14 && copy[17] == 20);
}

int main(void)
{
    constants_stay(256, 256);
    constants_stay(800, 600);
    constants_stay(320, 240);
    constants_stay(1, 1);
    constants_stay(17, 1999);
    constants_stay(1920, 1080);
    halves_stay_apart_bottom_up();
    each_pixel_is_the_mean_of_its_area();
    copies_are_exact();
    return 0;
}
