/* Each function over numbers that lie one after the other. Part of path.h. */

typedef PATH(half_floats) PATH(halves);

#if BYTES == 64
#define NARROWED(z) ((PATH(halves))_mm512_cvtpd_ps((__m512d)(z)))
#define PUT(z, to) (past_cache ? _mm512_stream_ps((to), (__m512)(z)) : _mm512_storeu_ps((to), (__m512)(z)))
#define PUT_HALF(z, to) (past_cache ? _mm256_stream_ps((to), (__m256)(z)) : _mm256_storeu_ps((to), (__m256)(z)))
#elif BYTES == 32
#define NARROWED(z) ((PATH(halves))_mm256_cvtpd_ps((__m256d)(z)))
#define PUT(z, to) (past_cache ? _mm256_stream_ps((to), (__m256)(z)) : _mm256_storeu_ps((to), (__m256)(z)))
#define PUT_HALF(z, to) (past_cache ? _mm_stream_ps((to), (__m128)(z)) : _mm_storeu_ps((to), (__m128)(z)))
#else
#define NARROWED(z) __builtin_convertvector(z, PATH(halves))
#define PUT(z, to) STORE(z, to)
#define PUT_HALF(z, to) STORE(z, to)
#endif

/* Doubles rounded to odd: of the two float32 around each the one whose last bit is 1. Rounded once more, to half
 * precision, that is the number next to the double. Source: Boldo & Melquiond 2008, IEEE Transactions on Computers 57. */
INLINE PATH(halves) PATH(to_odd)(DOUBLES z)
{
    PATH(halves) near = NARROWED(z), off = NARROWED((z - WIDEN(near)) * 0x1p300);
    PATH(half_words) bits = (PATH(half_words))near, inexact = (off > 0) | (off < 0);
    PATH(half_words) outwards = ((bits ^ (PATH(half_words))off) >> 31) & inexact; /* beyond the double */
    return (PATH(halves))((bits + outwards) | (inexact & 1));
}

/* A read of its own: gcc would read only where a comparison says so, which takes longer. */
#if defined(__x86_64__)
#define READ(vector, from)                                                                                           \
    LOAD(vector, from);                                                                                              \
    __asm__("" : "+v"(vector))
#else
#define READ(vector, from) LOAD(vector, from)
#endif

#define LOOP(NAME, FLOAT, LANES_OF, WORK)                                                                            \
    static TARGET void PATH(NAME)(const float *from, const float *grad, float *out, int64_t vectors,                 \
                                  const struct numbers *given, int past_cache)                                       \
    {                                                                                                                \
        const struct numbers numbers = *given, *at = &numbers;                                                       \
        for (int64_t i = 0; i < vectors * WIDE; i += LANES_OF) {                                                     \
            FLOAT x, g;                                                                                              \
            READ(x, from + i);                                                                                       \
            WORK;                                                                                                    \
        }                                                                                                            \
    }

#define LOOPS(NAME, ONLY, LIGHT)                                                                                     \
    LOOP(NAME##_value_fast, FLOATS, WIDE, FLOATS y = PATH(NAME##_value_32)(x, at); PUT(y, out + i))                  \
    LOOP(NAME##_gradient_fast, FLOATS, WIDE, READ(g, grad + i); FLOATS y = PATH(NAME##_gradient_32)(x, g, at);       \
         PUT(y, out + i))                                                                                            \
    LOOP(NAME##_value_exact, PATH(halves), NARROW, DOUBLES y = PATH(NAME##_value_64)(WIDEN(x), at);                  \
         PATH(halves) z = NARROWED(y); PUT_HALF(z, out + i))                                                         \
    LOOP(NAME##_gradient_exact, PATH(halves), NARROW, READ(g, grad + i);                                             \
         DOUBLES y = PATH(NAME##_gradient_64)(WIDEN(x), WIDEN(g), at); PATH(halves) z = NARROWED(y);                 \
         PUT_HALF(z, out + i))                                                                                       \
    LOOP(NAME##_value_odd, PATH(halves), NARROW, PATH(halves) z = PATH(to_odd)(PATH(NAME##_value_64)(WIDEN(x), at)); \
         PUT_HALF(z, out + i))                                                                                       \
    LOOP(NAME##_gradient_odd, PATH(halves), NARROW, READ(g, grad + i);                                               \
         PATH(halves) z = PATH(to_odd)(PATH(NAME##_gradient_64)(WIDEN(x), WIDEN(g), at)); PUT_HALF(z, out + i))

EACH_FUNCTION(LOOPS)

#define KERNELS(NAME, ONLY, LIGHT)                                                                                   \
    {{PATH(NAME##_value_fast), ONLY ? PATH(NAME##_value_fast) : PATH(NAME##_value_exact), PATH(NAME##_value_odd)},   \
     {PATH(NAME##_gradient_fast), ONLY ? PATH(NAME##_gradient_fast) : PATH(NAME##_gradient_exact),                   \
      PATH(NAME##_gradient_odd)}},

INLINE void PATH(store_bf16)(FLOATS z, uint16_t *to)
{
    BITS bits = (BITS)z, rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    rounded = CHOOSE(BITS, BITS, (BITS)(z == z), rounded, SPREAD(BITS, 0x7FC0));
    PATH(shorts) half = __builtin_convertvector(rounded, PATH(shorts));
    STORE(half, to);
}

INLINE void PATH(store_f16)(FLOATS z, uint16_t *to)
{
#if BYTES == 64
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtps_ph((__m512)z, _MM_FROUND_TO_NEAREST_INT));
#elif BYTES == 32
    _mm_storeu_si128((__m128i *)to, _mm256_cvtps_ph((__m256)z, _MM_FROUND_TO_NEAREST_INT));
#else
    BITS sign = (BITS)z & 0x80000000, size = (BITS)z ^ sign;
    BITS normal = (size - (112u << 23) + 0xFFF + (size >> 13 & 1)) >> 13;
    BITS small = (BITS)((FLOATS)size + 0.5f) - 0x3F000000; /* which rounds at 2^-24 */
    BITS special = CHOOSE(BITS, BITS, (BITS)(z == z), SPREAD(BITS, 0x7C00), SPREAD(BITS, 0x7E00));
    BITS half = CHOOSE(BITS, BITS, (BITS)(size < 0x38800000), small, normal);
    half = CHOOSE(BITS, BITS, (BITS)(size >= 0x47800000), special, half) | sign >> 16;
    PATH(shorts) narrow = __builtin_convertvector(half, PATH(shorts));
    STORE(narrow, to);
#endif
}

/* Half precision to float32 and back, a block at a time; what is missing of the last vector is zeros. */
INLINE void PATH(widen)(const void *from, float *to, int64_t entries, int64_t type)
{
    uint16_t last[WIDE] = {0};
    for (int64_t i = 0; i < entries; i += WIDE) {
        const uint16_t *at = (const uint16_t *)from + i;
        if (entries - i < WIDE)
            at = memcpy(last, at, (entries - i) * sizeof(uint16_t));
        FLOATS z = type == BF16 ? PATH(load_bf16)(at) : PATH(load_f16)(at);
        STORE(z, to + i);
    }
}

INLINE void PATH(narrow)(const float *from, void *to, int64_t entries, int64_t type)
{
    uint16_t last[WIDE];
    for (int64_t i = 0; i < entries; i += WIDE) {
        int64_t left = entries - i;
        uint16_t *at = left < WIDE ? last : (uint16_t *)to + i;
        FLOATS z;
        LOAD(z, from + i);
        if (type == BF16)
            PATH(store_bf16)(z, at);
        else
            PATH(store_f16)(z, at);
        if (left < WIDE)
            memcpy((uint16_t *)to + i, last, left * sizeof(uint16_t));
    }
}

static TARGET void PATH(run_halves)(const struct task *task, int64_t first, int64_t entries)
{
    float x[BLOCK], grad[BLOCK], out[BLOCK];
    for (int64_t i = 0; i < entries; i += BLOCK) {
        int64_t here = entries - i < BLOCK ? entries - i : BLOCK, at = (first + i) * (int64_t)sizeof(uint16_t);
        PATH(widen)(task->x + at, x, here, task->type);
        if (task->grad)
            PATH(widen)(task->grad + at, grad, here, task->type);
        task->kernel(x, grad, out, (here + WIDE - 1) / WIDE, &task->numbers, 0);
        PATH(narrow)(out, task->out + at, here, task->type);
    }
}

static TARGET void PATH(run)(const struct task *task, int64_t first, int64_t entries)
{
    if (task->type != F32) {
        PATH(run_halves)(task, first, entries);
        return;
    }
    int64_t vectors = entries / WIDE, done = vectors * WIDE, left = entries - done;
    const float *x = (const float *)task->x + first, *grad = task->grad ? (const float *)task->grad + first : NULL;
    float *out = (float *)task->out + first;
    task->kernel(x, grad, out, vectors, &task->numbers, task->past_cache);
    if (left) {
        float last[3][WIDE] = {{0}};
        memcpy(last[0], x + done, left * sizeof(float));
        if (grad)
            memcpy(last[1], grad + done, left * sizeof(float));
        task->kernel(last[0], last[1], last[2], 1, &task->numbers, 0);
        memcpy(out + done, last[2], left * sizeof(float));
    }
}
