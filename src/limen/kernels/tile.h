/* Sums over one rectangle of numbers, sixteen lanes wide. Each lane adds its own numbers from top to bottom, in double:
 * so every instruction set finds the same bits. Part of path.h. */

/* The lanes of some blocks before anything was added; in vectors, as what compilers make of memset takes longer. */
static TARGET void PATH(clear)(struct lanes *all, int64_t blocks, int64_t type)
{
    const DOUBLES none = {0}, least = SPREAD(DOUBLES, INFINITY), most = -least;
    const FLOATS least32 = SPREAD(FLOATS, INFINITY), most32 = -least32;
    for (struct lanes *block = all; block < all + blocks; block++) {
        UNROLL for (int lane = 0; lane < LANES; lane += NARROW) {
            STORE(none, block->total + lane), STORE(none, block->squares + lane), STORE(none, block->shift + lane);
            STORE(none, block->left + lane), STORE(none, block->right + lane);
            if (type == F64)
                STORE(least, block->low.f64 + lane), STORE(most, block->high.f64 + lane);
        }
        UNROLL for (int lane = 0; type != F64 && lane < LANES; lane += WIDE)
            STORE(least32, block->low.f32 + lane), STORE(most32, block->high.f32 + lane);
    }
}

/* SHIFTED: the sums are of z - shift, and not of z. BOTH: there is a right side to count. */
#define TILE32(NAME, TYPE, ROW, SHIFTED, BOTH)                                                                       \
    static TARGET void PATH(NAME)(const void *from, const struct rows *at, struct limits sides, struct lanes *all)   \
    {                                                                                                                \
        const FLOATS least = SPREAD(FLOATS, (float)sides.left), most = SPREAD(FLOATS, (float)sides.right);           \
        for (int64_t wide = 0; wide < at->blocks * LANES; wide += WIDE) {                                            \
            struct lanes *block = all + wide / LANES;                                                                \
            int lane = wide % LANES;                                                                                 \
            FLOATS low, high;                                                                                        \
            SPLIT left = {0}, right = {0};                                                                           \
            DOUBLES total0, total1, squares0, squares1, shift0, shift1;                                              \
            LOAD(low, block->low.f32 + lane), LOAD(high, block->high.f32 + lane);                                    \
            LOAD(total0, block->total + lane), LOAD(total1, block->total + lane + NARROW);                           \
            LOAD(squares0, block->squares + lane), LOAD(squares1, block->squares + lane + NARROW);                   \
            LOAD(shift0, block->shift + lane), LOAD(shift1, block->shift + lane + NARROW);                           \
            const TYPE *group = (const TYPE *)from + wide;                                                           \
            for (int64_t g = 0; g < at->groups; g++, group += at->group_stride) {                                    \
                const TYPE *row = group;                                                                             \
                for (int64_t i = 0; i < at->rows; i++, row += at->row_stride) {                                      \
                    __builtin_prefetch(row + at->ahead);                                                             \
                    SPLIT z = {PATH(ROW)(row)};                                                                      \
                    left.words -= z.whole <= least;                                                                  \
                    if (BOTH)                                                                                        \
                        right.words -= z.whole >= most;                                                              \
                    low = LEAST32(z.whole, low);                                                                     \
                    high = MOST32(z.whole, high);                                                                    \
                    DOUBLES z0 = WIDEN(z.half[0]), z1 = WIDEN(z.half[1]);                                            \
                    if (SHIFTED)                                                                                     \
                        z0 -= shift0, z1 -= shift1;                                                                  \
                    total0 += z0, total1 += z1;                                                                      \
                    squares0 += z0 * z0, squares1 += z1 * z1;                                                        \
                }                                                                                                    \
            }                                                                                                        \
            STORE(low, block->low.f32 + lane), STORE(high, block->high.f32 + lane);                                  \
            STORE(total0, block->total + lane), STORE(total1, block->total + lane + NARROW);                         \
            STORE(squares0, block->squares + lane), STORE(squares1, block->squares + lane + NARROW);                 \
            for (int part = 0; part < 2; part++) {                                                                   \
                int64_t *counts = block->left + lane + part * NARROW;                                                \
                LONGS sum;                                                                                           \
                LOAD(sum, counts);                                                                                   \
                sum += WIDEN_WORDS(left.half_words[part]), STORE(sum, counts);                                       \
                counts = block->right + lane + part * NARROW;                                                        \
                LOAD(sum, counts);                                                                                   \
                sum += WIDEN_WORDS(right.half_words[part]), STORE(sum, counts);                                      \
            }                                                                                                        \
        }                                                                                                            \
    }

#define TILES32(TYPE, NUMBER, ROW)                                                                                   \
    TILE32(one_##NUMBER, TYPE, ROW, 0, 0)                                                                            \
    TILE32(both_##NUMBER, TYPE, ROW, 0, 1)                                                                           \
    TILE32(shifted_##NUMBER, TYPE, ROW, 1, 1)

TILES32(float, f32, load_f32)
TILES32(uint16_t, bf16, load_bf16)
TILES32(uint16_t, f16, load_f16)

static TARGET void PATH(tile_f64)(const void *from, const struct rows *at, struct limits sides, struct lanes *all)
{
    const DOUBLES least = SPREAD(DOUBLES, sides.left), most = SPREAD(DOUBLES, sides.right);
    for (int64_t wide = 0; wide < at->blocks * LANES; wide += NARROW) {
        struct lanes *block = all + wide / LANES;
        int lane = wide % LANES;
        DOUBLES low, high, total, squares, shift, z;
        LONGS left, right;
        LOAD(low, block->low.f64 + lane), LOAD(high, block->high.f64 + lane);
        LOAD(left, block->left + lane), LOAD(right, block->right + lane);
        LOAD(total, block->total + lane), LOAD(squares, block->squares + lane), LOAD(shift, block->shift + lane);
        const double *group = (const double *)from + wide;
        for (int64_t g = 0; g < at->groups; g++, group += at->group_stride) {
            const double *row = group;
            for (int64_t i = 0; i < at->rows; i++, row += at->row_stride) {
                LOAD(z, row);
                left -= z <= least;
                right -= z >= most;
                low = LEAST64(z, low);
                high = MOST64(z, high);
                z -= shift;
                total += z;
                squares += z * z;
            }
        }
        STORE(low, block->low.f64 + lane), STORE(high, block->high.f64 + lane);
        STORE(left, block->left + lane), STORE(right, block->right + lane);
        STORE(total, block->total + lane), STORE(squares, block->squares + lane);
    }
}

/* Sum of squares of `rows` × 16 numbers that lie one after the other, lane by lane. */
#define SQUARES32(NAME, TYPE, ROW)                                                                                   \
    static TARGET void PATH(NAME)(const void *from, int64_t rows, double *squares)                                   \
    {                                                                                                                \
        DOUBLES sums[LANES / NARROW] = {0};                                                                          \
        const TYPE *row = from;                                                                                      \
        for (int64_t i = 0; i < rows; i++, row += LANES) {                                                           \
            UNROLL for (int v = 0; v < LANES / WIDE; v++) {                                                          \
                SPLIT z = {PATH(ROW)(row + v * WIDE)};                                                               \
                DOUBLES z0 = WIDEN(z.half[0]), z1 = WIDEN(z.half[1]);                                                \
                sums[2 * v] += z0 * z0, sums[2 * v + 1] += z1 * z1;                                                  \
            }                                                                                                        \
        }                                                                                                            \
        memcpy(squares, sums, sizeof sums);                                                                          \
    }

SQUARES32(squares_f32, float, load_f32)
SQUARES32(squares_bf16, uint16_t, load_bf16)
SQUARES32(squares_f16, uint16_t, load_f16)

static TARGET void PATH(squares_f64)(const void *from, int64_t rows, double *squares)
{
    DOUBLES sums[LANES / NARROW] = {0}, z;
    const double *row = from;
    for (int64_t i = 0; i < rows; i++, row += LANES) {
        UNROLL for (int v = 0; v < LANES / NARROW; v++) {
            LOAD(z, row + v * NARROW);
            sums[v] += z * z;
        }
    }
    memcpy(squares, sums, sizeof sums);
}

/* Sum of squares of the differences between rows of 16 numbers that lie `stride` apart and rows that were kept. */
#define CHANGES32(NAME, TYPE, ROW)                                                                                   \
    static TARGET void PATH(NAME)(const void *from, int64_t stride, const void *kept, int64_t rows, double *squares) \
    {                                                                                                                \
        DOUBLES sums[LANES / NARROW] = {0};                                                                          \
        const TYPE *row = from, *old = kept;                                                                         \
        for (int64_t i = 0; i < rows; i++, row += stride, old += LANES) {                                            \
            UNROLL for (int v = 0; v < LANES / WIDE; v++) {                                                          \
                SPLIT z = {PATH(ROW)(row + v * WIDE)}, y = {PATH(ROW)(old + v * WIDE)};                              \
                DOUBLES d0 = WIDEN(z.half[0]) - WIDEN(y.half[0]), d1 = WIDEN(z.half[1]) - WIDEN(y.half[1]);          \
                sums[2 * v] += d0 * d0, sums[2 * v + 1] += d1 * d1;                                                  \
            }                                                                                                        \
        }                                                                                                            \
        memcpy(squares, sums, sizeof sums);                                                                          \
    }

CHANGES32(changes_f32, float, load_f32)
CHANGES32(changes_bf16, uint16_t, load_bf16)
CHANGES32(changes_f16, uint16_t, load_f16)

static TARGET void PATH(changes_f64)(const void *from, int64_t stride, const void *kept, int64_t rows, double *squares)
{
    DOUBLES sums[LANES / NARROW] = {0}, z, y;
    const double *row = from, *old = kept;
    for (int64_t i = 0; i < rows; i++, row += stride, old += LANES) {
        UNROLL for (int v = 0; v < LANES / NARROW; v++) {
            LOAD(z, row + v * NARROW), LOAD(y, old + v * NARROW);
            z -= y;
            sums[v] += z * z;
        }
    }
    memcpy(squares, sums, sizeof sums);
}
