/* Exponential, logarithm and normal distribution. Polynomials interpolate at Chebyshev's nodes; their relative error is
 * below 2^-25 in float32 and 2^-43 in doubles, which are rounded to 24 bits at the end. */

#define FAR 110 /* exp(-FAR) is 0 in every type but double */

/* A number and, where it is rounded, what that lost: an exponential would multiply it by the exponent. */
struct OF(sum) {
    V near, rest;
    int rounded;
};

/* x, at most FAR away from 0. */
INLINE struct OF(sum) OF(near)(V x)
{
    return (struct OF(sum)){OF(clipped)(x, SPREAD(V, -FAR), SPREAD(V, FAR)), {0}, 0};
}

/* x times a constant or a parameter > 0, at most FAR away from 0. */
INLINE struct OF(sum) OF(times)(V x, double factor)
{
    V limit = N(FAR / factor < FLT_MAX ? FAR / factor : FLT_MAX), high = N(factor);
    x = OF(clipped)(x, -limit, limit);
    V product = x * high;
    return (struct OF(sum)){product, OF(rest_of_product)(x, high, product) + x * R(factor - (double)R(factor)), 1};
}

INLINE V OF(negative)(V x) { return (V)((I)x | SPREAD(I, SIGN)); }

/* -|x|, at least -FAR. */
INLINE struct OF(sum) OF(fall)(V x)
{
    return (struct OF(sum)){OF(at_least)(SPREAD(V, -FAR), OF(negative)(x)), {0}, 0};
}

/* -|x| of a sum that is near already. */
INLINE struct OF(sum) OF(falling)(struct OF(sum) x)
{
    return (struct OF(sum)){OF(negative)(x.near), (V)((I)x.rest ^ (~(I)x.near & SPREAD(I, SIGN))), x.rounded};
}

/* exp(t) = (base + more) 2^k: apart, as the whole may be too small for the type where a product with it is not. */
struct OF(power) {
    V base, more, k;
    I bits;
};

/* For |t| <= 2 FAR. Reduced as Cody & Waite 1980; with 512 bits to an eighth of a power of two, whose eight bases are
 * one vector. */
INLINE struct OF(power) OF(exponential)(struct OF(sum) t)
{
#if WIDE_NUMBERS && BYTES == 64
    static const double wide[] = {0x1p-1, 0x1.5555554dd440fp-3, 0x1.5555555194cccp-5, 0x1.1114f8add4fbcp-7,
                                  0x1.6c1aa90785263p-10};
    const V bases = {0x1p0,
                     0x1.172b83c7d517bp0,
                     0x1.306fe0a31b715p0,
                     0x1.4bfdad5362a27p0,
                     0x1.6a09e667f3bcdp0,
                     0x1.8ace5422aa0dbp0,
                     0x1.ae89f995ad3adp0,
                     0x1.d5818dcfba487p0};
    const V magic = SPREAD(V, 0x1.8p49);
#else
    static const float narrow[] = {0x1p-1f, 0x1.5554dep-3f, 0x1.55551ap-5f, 0x1.120b62p-7f, 0x1.6d10fcp-10f};
    static const double wide[] = {0x1p-1,
                                  0x1.5555555553b7dp-3,
                                  0x1.5555555554cb8p-5,
                                  0x1.1111111c45d5bp-7,
                                  0x1.6c16c1738ecf7p-10,
                                  0x1.a019adabfb6abp-13,
                                  0x1.a019c9ab213aap-16,
                                  0x1.72c720b2e07bfp-19,
                                  0x1.28803926c8ea8p-22};
    const V magic = N(PICK(0x1.8p23, 0x1.8p52));
#endif
    V shifted = OF(fma)(t.near, N(1.4426950408889634), magic), k = shifted - magic;
    V r = OF(fma)(k, N(PICK(-0x1.62e4p-1, -0x1.62e42fefa38p-1)), t.near);
    r = OF(fma)(k, N(PICK(-1.428606765330187e-06, -0x1.ef35793c7673p-45)), r);
    if (t.rounded)
        r += t.rest;
    V more = OF(fma)(r * r, OF(polynomial)(r, PICK(narrow, wide), PICK(4, sizeof wide / sizeof *wide - 1)), r);
#if WIDE_NUMBERS && BYTES == 64
    V base = (V)_mm512_permutexvar_pd((__m512i)shifted, (__m512d)bases);
    return (struct OF(power)){base, base * more, k, (I)shifted};
#else
    return (struct OF(power)){SPREAD(V, 1), more, k, (I)shifted - (I)magic};
#endif
}

/* y 2^k, rounded once also where it is too small for a full significand. */
INLINE V OF(scaled)(V y, struct OF(power) e)
{
#if BYTES == 64
    return (V)IN_512(scalef)((RAW_512)y, (RAW_512)e.k);
#elif WIDE_NUMBERS
    return y * (V)((e.bits + BIAS) << FRACTION);
#else
    I half = e.bits >> 1;
    return y * (V)((half + BIAS) << FRACTION) * (V)((e.bits - half + BIAS) << FRACTION);
#endif
}

INLINE V OF(whole)(struct OF(power) e) { return OF(scaled)(e.base + e.more, e); }

/* y exp(t), also where exp(t) is too small for the type. */
INLINE V OF(times_power)(V y, struct OF(power) e)
{
#if WIDE_NUMBERS
    return y * OF(whole)(e); /* nothing is too small here */
#else
    return OF(scaled)(OF(fma)(y, e.more, y), e);
#endif
}

/* exp(t) - 1, with all its digits near 0. */
INLINE V OF(less_one)(struct OF(power) e)
{
    return OF(scaled)(e.more, e) + (OF(scaled)(e.base, e) - 1);
}

/* log(1 + e) / e for 0 <= e <= 1: 2 atanh(e / (2 + e)) / e. */
INLINE V OF(logarithm)(V e)
{
    static const float narrow[] = {0x1.5554e2p-2f, 0x1.99da14p-3f, 0x1.1e5cfcp-3f, 0x1.2055eep-3f};
    static const double wide[] = {0x1.555555554ab02p-2, 0x1.999999ad7f2d3p-3,
                                  0x1.24924201346fep-3, 0x1.c71f00220063cp-4, 0x1.741ba346d2a33p-4,
                                  0x1.3ee3597079f29p-4, 0x1.e11304c45c4bep-5, 0x1.802a0bb9f02a2p-4};
    V q = OF(inverse)(e + 2), s = e * q, square = s * s, twice = q + q;
    return OF(fma)(twice * square, OF(polynomial)(square, PICK(narrow, wide), PICK(3, 7)), twice);
}

#define NORMAL_FAR 15 /* beyond it the normal distribution is 0 in every type but double */

/* exp(-a^2 / 2) for 0 <= a <= NORMAL_FAR. */
INLINE struct OF(power) OF(bell)(V a)
{
    V square = a * a;
    return OF(exponential)((struct OF(sum)){square * R(-0.5), OF(rest_of_product)(a, a, square) * R(-0.5), 1});
}

/* Phi(-a) = ratio (1 + off) exp(-a^2 / 2), the normal distribution's left tail for 0 <= a <= NORMAL_FAR. */
struct OF(tail) {
    V ratio, off;
    struct OF(power) bell;
};

/* Mills' ratio is a polynomial in (a - c) / (a + c), over a + c. */
INLINE struct OF(tail) OF(normal_tail)(V a)
{
    static const float narrow[] = {0x1.754a76p-1f, -0x1.04c72ap-1f, 0x1.d71382p-3f, -0x1.832d32p-5f, -0x1.56d40ap-7f,
                                   0x1.c8c7dcp-8f, 0x1.0c7a08p-10f, -0x1.0f2e8cp-10f, -0x1.0098a8p-12f, 0x1.1799cp-13f,
                                   0x1.d17fe4p-15f};
    static const double wide[] = {0x1.89d3abe1f95b3p-1,   -0x1.54ad03f27ca07p-1,  0x1.fb31653876192p-2,
                                  -0x1.410ed5f8764e1p-2,  0x1.51f6329f5f51fp-3,   -0x1.1b1c254c177a7p-4,
                                  0x1.54b4d4b8afa36p-6,   -0x1.8859107008679p-9,  -0x1.a24fed1dbfcc2p-11,
                                  0x1.1daf7da8aba4bp-11,  -0x1.f22c669a56179p-15, -0x1.a19ab0dee4416p-15,
                                  0x1.1850fc7ddc6a4p-16,  0x1.0fd50c3c5767cp-18,  -0x1.754257a4a44a2p-19,
                                  -0x1.e71a4096a9e9p-22,  0x1.929d93fa69eb7p-22,  0x1.c3c7c4b59b162p-24};
    const REAL c = PICK(3, 5);
    V d = a + c, q = OF(inverse)(d), t = (a - c) * q;
    V ratio = q * OF(polynomial)(t, PICK(narrow, wide), PICK(10, 17));
#if WIDE_NUMBERS
    return (struct OF(tail)){ratio, SPREAD(V, 0), OF(bell)(a)};
#else /* what d and q are off matters 1.7-fold at a = 0 and once far out */
    V off = OF(rest_of_inverse)(d, q) - q * (a - (d - c));
    return (struct OF(tail)){ratio, off * OF(fma)(t, SPREAD(V, -0.35f), SPREAD(V, 1.35f)), OF(bell)(a)};
#endif
}
