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

#define OUT_LIMIT NG_SQUASH_MOST
#define PAIR_LIMIT (NG_PICTURE_LIMIT / NG_SQUASH_LEAST / 2 + 2)
#define ROW_UNIT 128      /* weights of the rows of one output row add up to this, */
#define COLUMN_UNIT 16384 /* those of the columns of one output pixel to this: */
#define SHIFT 21          /* together 2 to the power of this; sums fit into 31 bits */

typedef uint8_t bytes16 __attribute__((vector_size(16), aligned(1), may_alias));

static int16_t rows_sum[(NG_PICTURE_LIMIT + 2 * PAIR_LIMIT) * 4]; /* columns are read in pairs */

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

/* The columns of each output pixel, in pairs: where they begin, and their weights, once for each of
 * the four bytes of a pixel. All have as many pairs as the one with most; what is missing weighs 0. */
static struct {
    int width, size, pairs;
    int first[OUT_LIMIT];
    int16_t weights[OUT_LIMIT * PAIR_LIMIT][8] __attribute__((aligned(16)));
} columns;

static void prepare_columns(int width, int size)
{
    static uint32_t weights[NG_PICTURE_LIMIT + 2];
    if (columns.width == width && columns.size == size)
        return;
    columns.width = width;
    columns.size = size;
    columns.pairs = 1;
    for (int x = 0; x < size; x++) {
        int count = cover(x, size, width, COLUMN_UNIT, &columns.first[x], weights);
        columns.pairs = (count + 1) / 2 > columns.pairs ? (count + 1) / 2 : columns.pairs;
    }
    for (int x = 0; x < size; x++) {
        int count = cover(x, size, width, COLUMN_UNIT, &columns.first[x], weights);
        for (int i = 0; i < 2 * columns.pairs; i++)
            for (int j = 0; j < 4; j++)
                columns.weights[x * columns.pairs + i / 2][2 * j + i % 2] =
                    (int16_t)(i < count ? weights[i] : 0);
    }
}

#ifdef __SSE2__
/* The sums of one output pixel. */
__attribute__((always_inline)) static inline __m128i add_cells(const int16_t *sum, int x, int pairs)
{
    const __m128i *cell = (const __m128i *)(sum + 4 * columns.first[x]);
    const __m128i *weight = (const __m128i *)columns.weights[x * pairs];
    __m128i total = _mm_set1_epi32(1 << (SHIFT - 1));
    for (int i = 0; i < pairs; i++) {
        __m128i pair = _mm_loadu_si128(cell + i);
        pair = _mm_unpacklo_epi16(pair, _mm_unpackhi_epi64(pair, pair));
        total = _mm_add_epi32(total, _mm_madd_epi16(pair, weight[i]));
    }
    return _mm_srai_epi32(total, SHIFT);
}

__attribute__((always_inline)) static inline void add_columns_in(const int16_t *sum, uint8_t *out,
                                                                 int size, int pairs)
{
    for (int x = 0; x < size; x += 4, out += 16) {
        __m128i one = _mm_packs_epi32(add_cells(sum, x, pairs), add_cells(sum, x + 1, pairs));
        __m128i two = _mm_packs_epi32(add_cells(sum, x + 2, pairs), add_cells(sum, x + 3, pairs));
        _mm_storeu_si128((__m128i *)out, _mm_packus_epi16(one, two));
    }
}
#endif

/* From the sums of rows to one row of output, pixels of four bytes. */
static void add_columns(const int16_t *sum, uint8_t *out, int size)
{
#ifdef __SSE2__
    switch (columns.pairs) { /* with the number known, the loop is unrolled */
    case 1: add_columns_in(sum, out, size, 1); return;
    case 2: add_columns_in(sum, out, size, 2); return;
    case 3: add_columns_in(sum, out, size, 3); return;
    default: add_columns_in(sum, out, size, columns.pairs); return;
    }
#else
    for (int x = 0; x < size; x++, out += 4)
        for (int j = 0; j < 4; j++) {
            int32_t total = 1 << (SHIFT - 1);
            for (int i = 0; i < 2 * columns.pairs; i++)
                total += sum[4 * (columns.first[x] + i) + j] *
                         columns.weights[x * columns.pairs + i / 2][2 * j + i % 2];
            out[j] = (uint8_t)(total >> SHIFT);
        }
#endif
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
