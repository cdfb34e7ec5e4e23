#include "picture.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FAST __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define FAST
#endif

#define OUT_LIMIT 512
#define UNIT 256 /* weights of the rows of one output row add up to this */

typedef uint32_t quad __attribute__((vector_size(16)));
typedef uint16_t quad16 __attribute__((vector_size(8), aligned(2)));

static uint16_t rows_sum[NG_PICTURE_LIMIT * 4];

/* How much of each source cell [first + i, first + i + 1) lies in output cell `index` of `count`,
 * in parts of `unit`, adding up to exactly `unit`. Returns the number of cells. */
static int cover(int index, int count, int source, uint32_t unit, int *first, uint32_t *weights)
{
    int64_t low = (int64_t)index * source, high = (int64_t)(index + 1) * source;
    int cells = 0, largest = 0;
    uint32_t total = 0;
    *first = (int)(low / count);
    for (int64_t cell = *first; cell * count < high; cell++, cells++) {
        int64_t from = cell * count > low ? cell * count : low;
        int64_t to = (cell + 1) * count < high ? (cell + 1) * count : high;
        weights[cells] = (uint32_t)(((to - from) * unit + source / 2) / source);
        total += weights[cells];
        if (weights[cells] > weights[largest])
            largest = cells;
    }
    weights[largest] += unit - total;
    return cells;
}

FAST static void add_row(uint16_t *sum, const uint8_t *row, int bytes, uint16_t weight, int is_first)
{
    if (is_first)
        for (int i = 0; i < bytes; i++)
            sum[i] = (uint16_t)(row[i] * weight);
    else
        for (int i = 0; i < bytes; i++)
            sum[i] = (uint16_t)(sum[i] + row[i] * weight);
}

void picture_squash(const ng_picture *picture, uint8_t *out, int size)
{
    static uint32_t weights[NG_PICTURE_LIMIT + 2];
    static uint16_t column_weights[NG_PICTURE_LIMIT + 2 * OUT_LIMIT];
    static int firsts[OUT_LIMIT], counts[OUT_LIMIT], known_width, known_size;
    int first;

    if (known_width != picture->width || known_size != size) {
        uint16_t *next = column_weights;
        for (int x = 0; x < size; x++) {
            counts[x] = cover(x, size, picture->width, 65535, &firsts[x], weights);
            for (int i = 0; i < counts[x]; i++)
                *next++ = (uint16_t)weights[i];
        }
        known_width = picture->width;
        known_size = size;
    }
    for (int y = 0; y < size; y++) {
        int cells = cover(y, size, picture->height, UNIT, &first, weights);
        for (int i = 0; i < cells; i++)
            if (weights[i] || i == 0)
                add_row(rows_sum, picture->pixels + (first + i) * picture->stride,
                        picture->width * 4, (uint16_t)weights[i], i == 0);
        const uint16_t *weight = column_weights;
        for (int x = 0; x < size; x++, out += 3) {
            quad sum = {1u << 23, 1u << 23, 1u << 23, 1u << 23};
            const quad16 *cell = (const quad16 *)(rows_sum + 4 * firsts[x]);
            for (int i = 0; i < counts[x]; i++)
                sum += __builtin_convertvector(cell[i], quad) * (uint32_t)*weight++;
            sum >>= 24;
            out[0] = (uint8_t)sum[picture->red];
            out[1] = (uint8_t)sum[picture->green];
            out[2] = (uint8_t)sum[picture->blue];
        }
    }
}

void picture_copy(const ng_picture *picture, uint8_t *out)
{
    for (int y = 0; y < picture->height; y++) {
        const uint8_t *row = picture->pixels + y * picture->stride;
        for (int x = 0; x < picture->width; x++, row += 4, out += 3) {
            out[0] = row[picture->red];
            out[1] = row[picture->green];
            out[2] = row[picture->blue];
        }
    }
}
