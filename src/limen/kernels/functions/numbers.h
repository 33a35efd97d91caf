/* Vectors of float32, or of doubles where WIDE_NUMBERS, and what is done with them. NaN comes out wherever it went in. */

#if WIDE_NUMBERS
#define OF(name) PATH(name##_64)
#define REAL double
#define V DOUBLES
#define I LONGS
#define SIGN INT64_MIN
#define FRACTION 52
#define BIAS 1023
#define PICK(narrow, wide) wide
#define RAW_256 __m256d
#define RAW_512 __m512d
#define IN_256(name) _mm256_##name##_pd
#define IN_512(name) _mm512_##name##_pd
#define COMPARE_512 _mm512_cmp_pd_mask
#define BLEND_512 _mm512_mask_blend_pd
#else
#define OF(name) PATH(name##_32)
#define REAL float
#define V FLOATS
#define I WORDS
#define SIGN INT32_MIN
#define FRACTION 23
#define BIAS 127
#define PICK(narrow, wide) narrow
#define RAW_256 __m256
#define RAW_512 __m512
#define IN_256(name) _mm256_##name##_ps
#define IN_512(name) _mm512_##name##_ps
#define COMPARE_512 _mm512_cmp_ps_mask
#define BLEND_512 _mm512_mask_blend_ps
#endif

#define R(value) ((REAL)(value))       /* a number that stands beside a vector */
#define N(value) SPREAD(V, R(value))   /* a vector of it */
#define GIVEN(place) (at->given[place]) /* a parameter, in double */

/* a b + c, rounded once where there is an instruction for it. */
INLINE V OF(fma)(V a, V b, V c)
{
#if BYTES == 64
    return (V)IN_512(fmadd)((RAW_512)a, (RAW_512)b, (RAW_512)c);
#elif BYTES == 32
    return (V)IN_256(fmadd)((RAW_256)a, (RAW_256)b, (RAW_256)c);
#else
    return a * b + c;
#endif
}

/* Where x > limit the one, elsewhere, and where x is NaN, the other. */
INLINE V OF(where_above)(V x, V limit, V yes, V no)
{
#if BYTES == 64
    return (V)BLEND_512(COMPARE_512((RAW_512)x, (RAW_512)limit, _CMP_GT_OQ), (RAW_512)no, (RAW_512)yes);
#elif BYTES == 32
    return (V)IN_256(blendv)((RAW_256)no, (RAW_256)yes, IN_256(cmp)((RAW_256)x, (RAW_256)limit, _CMP_GT_OQ));
#else
    return CHOOSE(V, I, x > limit, yes, no);
#endif
}

INLINE V OF(at_most)(V limit, V x)
{
#if BYTES == 64
    return (V)IN_512(min)((RAW_512)limit, (RAW_512)x);
#elif BYTES == 32
    return (V)IN_256(min)((RAW_256)limit, (RAW_256)x);
#else
    return CHOOSE(V, I, limit < x, limit, x);
#endif
}

INLINE V OF(at_least)(V limit, V x)
{
#if BYTES == 64
    return (V)IN_512(max)((RAW_512)limit, (RAW_512)x);
#elif BYTES == 32
    return (V)IN_256(max)((RAW_256)limit, (RAW_256)x);
#else
    return CHOOSE(V, I, limit > x, limit, x);
#endif
}

INLINE V OF(clipped)(V x, V low, V high) { return OF(at_least)(low, OF(at_most)(high, x)); }

/* y, but NaN where x is. */
INLINE V OF(unless_nan)(V x, V y) { return (V)((I)y | (I)(x != x)); }

INLINE V OF(magnitude)(V x) { return (V)((I)x & ~SPREAD(I, SIGN)); }

/* The magnitude of y with the sign of x. */
INLINE V OF(signed_as)(V y, V x) { return (V)(((I)y & ~SPREAD(I, SIGN)) | ((I)x & SPREAD(I, SIGN))); }

/* y with a hair more to the side of x: y is the middle between two numbers of half precision, and the truth is not. */
INLINE V OF(leaning)(V y, V x)
{
#if WIDE_NUMBERS
    return OF(fma)(y, OF(signed_as)(N(0x1p-52), x), y);
#else
    return y;
#endif
}

/* Long ones as four sums side by side: one after the other each step would wait for the one before. */
INLINE V OF(polynomial)(V x, const REAL *coefficients, int degree)
{
    V square = x * x, fourth = square * square, sums[4];
    if (!WIDE_NUMBERS || degree < 5) {
        V sum = N(coefficients[degree]);
        UNROLL for (int i = degree - 1; i >= 0; i--) sum = OF(fma)(sum, x, N(coefficients[i]));
        return sum;
    }
    UNROLL for (int part = 0; part < 4; part++)
    {
        int last = degree - (degree - part) % 4;
        sums[part] = N(coefficients[last]);
        UNROLL for (int i = last - 4; i >= 0; i -= 4) sums[part] = OF(fma)(sums[part], fourth, N(coefficients[i]));
    }
    return OF(fma)(OF(fma)(sums[3], x, sums[2]), square, OF(fma)(sums[1], x, sums[0]));
}

/* 1 / x for a normal x. Doubles by two of Newton's steps, sooner than they are divided. */
INLINE V OF(inverse)(V x)
{
#if WIDE_NUMBERS && BYTES == 64
    V y = (V)_mm512_rcp14_pd((RAW_512)x);
    y = OF(fma)(y, OF(fma)(-x, y, SPREAD(V, 1)), y);
    return OF(fma)(y, OF(fma)(-x, y, SPREAD(V, 1)), y);
#else
    return 1 / x;
#endif
}

/* x / y likewise; rounded once in float32. */
INLINE V OF(ratio)(V x, V y)
{
#if WIDE_NUMBERS && BYTES == 64
    return x * OF(inverse)(y);
#else
    return x / y;
#endif
}

/* What the rounded product p = a b is off: of doubles nothing that matters, as they hold float32 products. */
INLINE V OF(rest_of_product)(V a, V b, V p)
{
#if WIDE_NUMBERS
    return SPREAD(V, 0);
#elif BYTES > 16
    return OF(fma)(a, b, -p);
#else
    V c = a * 4097, d = b * 4097, ah = c - (c - a), bh = d - (d - b), al = a - ah, bl = b - bh; /* Dekker 1971 */
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* 1 - d q, where q is 1 / d but for its rounding. */
INLINE V OF(rest_of_inverse)(V d, V q)
{
#if BYTES > 16
    return OF(fma)(-d, q, SPREAD(V, 1));
#else
    V p = d * q;
    return (1 - p) - OF(rest_of_product)(d, q, p);
#endif
}

/* a b + c without the rounding of the product, also where there is no instruction for it. */
INLINE V OF(fused)(V a, V b, V c)
{
#if BYTES > 16
    return OF(fma)(a, b, c);
#else
    V p = a * b;
    return p + (c + OF(rest_of_product)(a, b, p));
#endif
}
