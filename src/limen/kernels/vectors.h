/* Vectors of one instruction set, and how they are filled. Needs PATH, TARGET and BYTES, as path.h says. */

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
