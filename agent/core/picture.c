#include "picture.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FAST __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define FAST
#endif

#define OUT_LIMIT 512
#define ROW_UNIT 128      /* weights of the rows of one output row add up to this, */
#define COLUMN_UNIT 16384 /* those of the columns of one output pixel to this: */
#define SHIFT 21          /* together 2 to the power of this; sums fit into 31 bits */

typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

static int16_t rows_sum[NG_PICTURE_LIMIT * 4 + 8]; /* columns are read in pairs */

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

/* Pixels of four bytes to RGB. */
FAST static void pack_row(const ng_picture *picture, const uint8_t *row, int width, uint8_t *out)
{
    const uint8_t red = (uint8_t)picture->red, green = (uint8_t)picture->green,
                  blue = (uint8_t)picture->blue;
    bytes16 order = {0};
    int x = 0;
    for (int i = 0; i < 4; i++) {
        order[3 * i] = (uint8_t)(red + 4 * i);
        order[3 * i + 1] = (uint8_t)(green + 4 * i);
        order[3 * i + 2] = (uint8_t)(blue + 4 * i);
    }
    for (; x + 6 <= width; x += 4, row += 16, out += 12) /* 16 bytes are written: room for them */
        *(bytes16 *)out = __builtin_shuffle(*(const bytes16 *)row, order);
    for (; x < width; x++, row += 4, out += 3) {
        out[0] = row[red];
        out[1] = row[green];
        out[2] = row[blue];
    }
}

/* Two rows at a time. */
FAST static void add_rows(int16_t *sum, const uint8_t *one, const uint8_t *two, int bytes,
                          int16_t weight, int16_t weight_two, int is_first)
{
    if (is_first)
        for (int i = 0; i < bytes; i++)
            sum[i] = (int16_t)(one[i] * weight + two[i] * weight_two);
    else
        for (int i = 0; i < bytes; i++)
            sum[i] = (int16_t)(sum[i] + one[i] * weight + two[i] * weight_two);
}

/* The columns of each output pixel, in pairs: where they begin, how many, their weights. */
static struct {
    int width, size;
    int first[OUT_LIMIT], pairs[OUT_LIMIT];
    int16_t weights[NG_PICTURE_LIMIT + 4 * OUT_LIMIT];
} columns;

static void prepare_columns(int width, int size)
{
    static uint32_t weights[NG_PICTURE_LIMIT + 2];
    int16_t *next = columns.weights;
    if (columns.width == width && columns.size == size)
        return;
    for (int x = 0; x < size; x++) {
        int count = cover(x, size, width, COLUMN_UNIT, &columns.first[x], weights);
        columns.pairs[x] = (count + 1) / 2;
        for (int i = 0; i < 2 * columns.pairs[x]; i++)
            *next++ = (int16_t)(i < count ? weights[i] : 0);
    }
    columns.width = width;
    columns.size = size;
}

/* From the sums of rows to one row of output, pixels of four bytes. */
static void add_columns(const int16_t *sum, uint8_t *out, int size)
{
    const int16_t *weight = columns.weights;
    for (int x = 0; x < size; x++, out += 4) {
        const int16_t *cell = sum + 4 * columns.first[x];
#ifdef __SSE2__
        __m128i total = _mm_set1_epi32(1 << (SHIFT - 1));
        for (int i = 0; i < columns.pairs[x]; i++, cell += 8, weight += 2) {
            int32_t both;
            memcpy(&both, weight, sizeof both);
            __m128i pair = _mm_loadu_si128((const __m128i *)cell);
            pair = _mm_unpacklo_epi16(pair, _mm_srli_si128(pair, 8));
            total = _mm_add_epi32(total, _mm_madd_epi16(pair, _mm_set1_epi32(both)));
        }
        total = _mm_packs_epi32(_mm_srai_epi32(total, SHIFT), total);
        int32_t pixel = _mm_cvtsi128_si32(_mm_packus_epi16(total, total));
        memcpy(out, &pixel, sizeof pixel);
#else
        int32_t total[4];
        for (int i = 0; i < 4; i++)
            total[i] = 1 << (SHIFT - 1);
        for (int i = 0; i < 2 * columns.pairs[x]; i++, cell += 4, weight++)
            for (int j = 0; j < 4; j++)
                total[j] += cell[j] * *weight;
        for (int i = 0; i < 4; i++)
            out[i] = (uint8_t)(total[i] >> SHIFT);
#endif
    }
}

void picture_squash(const ng_picture *picture, uint8_t *out, int size)
{
    static uint32_t weights[NG_PICTURE_LIMIT + 2];
    static uint8_t row[OUT_LIMIT * 4];
    int first, bytes = picture->width * 4;

    if (picture->width == size && picture->height == size) {
        picture_copy(picture, out);
        return;
    }
    prepare_columns(picture->width, size);
    for (int y = 0; y < size; y++, out += 3 * size) {
        int cells = cover(y, size, picture->height, ROW_UNIT, &first, weights);
        for (int i = 0; i < cells; i += 2) {
            const uint8_t *one = picture->pixels + (first + i) * picture->stride;
            int has_two = i + 1 < cells && weights[i + 1];
            add_rows(rows_sum, one, has_two ? one + picture->stride : one, bytes,
                     (int16_t)weights[i], has_two ? (int16_t)weights[i + 1] : 0, i == 0);
        }
        add_columns(rows_sum, row, size);
        pack_row(picture, row, size, out);
    }
}

void picture_copy(const ng_picture *picture, uint8_t *out)
{
    for (int y = 0; y < picture->height; y++)
        pack_row(picture, picture->pixels + y * picture->stride, picture->width,
                 out + (size_t)y * (size_t)picture->width * 3);
}
