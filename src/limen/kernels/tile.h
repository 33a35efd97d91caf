/* Sums over one rectangle of numbers, sixteen lanes wide. Each lane adds its own numbers from top to bottom, in double:
 * so every instruction set finds the same bits. Part of path.h. */

#define WIDE (BYTES / 4)   /* float32 in a vector */
#define NARROW (BYTES / 8) /* float64 in a vector */
#define VECTOR(type) __attribute__((vector_size(BYTES))) type
#define HALF_VECTOR(type) __attribute__((vector_size(BYTES / 2))) type

#define FLOATS PATH(floats)
#define WORDS PATH(words)
#define BITS PATH(bits)
#define DOUBLES PATH(doubles)
#define LONGS PATH(longs)
#define SPLIT PATH(split)

typedef VECTOR(float) FLOATS;
typedef VECTOR(int32_t) WORDS;
typedef VECTOR(uint32_t) BITS;
typedef VECTOR(double) DOUBLES;
typedef VECTOR(int64_t) LONGS;
typedef HALF_VECTOR(float) PATH(half_floats);
typedef HALF_VECTOR(int32_t) PATH(half_words);
typedef HALF_VECTOR(uint16_t) PATH(shorts);

typedef union {
    FLOATS whole;
    WORDS words;
    PATH(half_floats) half[2];
    PATH(half_words) half_words[2];
} SPLIT;

#define LOAD(vector, from) memcpy(&(vector), (from), sizeof(vector))
#define STORE(vector, to) memcpy((to), &(vector), sizeof(vector))
#define CHOOSE(type, word, mask, yes, no) (type)(((mask) & (word)(yes)) | (~(mask) & (word)(no)))
#define SPREAD(type, value) ((type){0} + (value))
/* What gcc makes slow code of in the general way. The second is kept where the first is NaN. */
#if BYTES == 64
#define WIDEN(z) ((DOUBLES)_mm512_cvtps_pd((__m256)(z)))
#define WIDEN_WORDS(z) ((LONGS)_mm512_cvtepi32_epi64((__m256i)(z)))
#define WIDEN_SHORTS(z) ((BITS)_mm512_cvtepu16_epi32((__m256i)(z)))
#define WIDEN_HALVES(z) ((FLOATS)_mm512_cvtph_ps((__m256i)(z)))
#define LEAST32(z, low) ((FLOATS)_mm512_min_ps((__m512)(z), (__m512)(low)))
#define MOST32(z, high) ((FLOATS)_mm512_max_ps((__m512)(z), (__m512)(high)))
#define LEAST64(z, low) ((DOUBLES)_mm512_min_pd((__m512d)(z), (__m512d)(low)))
#define MOST64(z, high) ((DOUBLES)_mm512_max_pd((__m512d)(z), (__m512d)(high)))
#elif BYTES == 32
#define WIDEN(z) ((DOUBLES)_mm256_cvtps_pd((__m128)(z)))
#define WIDEN_WORDS(z) ((LONGS)_mm256_cvtepi32_epi64((__m128i)(z)))
#define WIDEN_SHORTS(z) ((BITS)_mm256_cvtepu16_epi32((__m128i)(z)))
#define WIDEN_HALVES(z) ((FLOATS)_mm256_cvtph_ps((__m128i)(z)))
#define LEAST32(z, low) ((FLOATS)_mm256_min_ps((__m256)(z), (__m256)(low)))
#define MOST32(z, high) ((FLOATS)_mm256_max_ps((__m256)(z), (__m256)(high)))
#define LEAST64(z, low) ((DOUBLES)_mm256_min_pd((__m256d)(z), (__m256d)(low)))
#define MOST64(z, high) ((DOUBLES)_mm256_max_pd((__m256d)(z), (__m256d)(high)))
#else
#define WIDEN(z) __builtin_convertvector(z, DOUBLES)
#define WIDEN_WORDS(z) __builtin_convertvector(z, LONGS)
#define WIDEN_SHORTS(z) __builtin_convertvector(z, BITS)
#define LEAST32(z, low) CHOOSE(FLOATS, WORDS, (z) < (low), z, low)
#define MOST32(z, high) CHOOSE(FLOATS, WORDS, (z) > (high), z, high)
#define LEAST64(z, low) CHOOSE(DOUBLES, LONGS, (z) < (low), z, low)
#define MOST64(z, high) CHOOSE(DOUBLES, LONGS, (z) > (high), z, high)
#endif

#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE FLOATS PATH(load_f32)(const float *from)
{
    FLOATS z;
    LOAD(z, from);
    return z;
}

INLINE FLOATS PATH(load_bf16)(const uint16_t *from)
{
    PATH(shorts) z;
    LOAD(z, from);
    return (FLOATS)(WIDEN_SHORTS(z) << 16);
}

#if BYTES > 16
INLINE FLOATS PATH(load_f16)(const uint16_t *from)
{
    PATH(shorts) z;
    LOAD(z, from);
    return WIDEN_HALVES(z);
}
#else
/* In integers, for want of an instruction. The subtraction makes the subnormal halves: unlike a product it
 * cannot be touched by a mode that flushes subnormal float32 to zero. */
INLINE FLOATS PATH(load_f16)(const uint16_t *from)
{
    PATH(shorts) z;
    LOAD(z, from);
    BITS half = WIDEN_SHORTS(z), body = (half & 0x7FFF) << 13;
    BITS special = (BITS)((half & 0x7C00) == 0x7C00), small = (BITS)((half & 0x7C00) == 0);
    BITS normal = body + (112u << 23) + (special & (112u << 23));
    BITS subnormal = (BITS)((FLOATS)(body + (113u << 23)) - 0x1p-14f);
    return (FLOATS)(CHOOSE(BITS, BITS, small, subnormal, normal) | (half & 0x8000) << 16);
}
#endif

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
