/* Functions that level off on both sides. */

/* 1 + exp(-x) for |x| <= FAR, times SHRINK: float32 could not hold it on the left. */
#define SHRINK PICK(0x1p-32f, 1)

INLINE V OF(shrunk)(struct OF(sum) x)
{
    struct OF(power) e = OF(exponential)((struct OF(sum)){-x.near, -x.rest, x.rounded});
    return OF(times_power)(N(SHRINK), e) + SHRINK;
}

/* s(x) = 1 / (1 + exp(-x)), without loss on the left. */
INLINE V OF(logistic)(struct OF(sum) x) { return OF(ratio)(N(SHRINK), OF(shrunk)(x)); }

/* s(x) s(-x) */
INLINE V OF(logistic_slope)(V x)
{
    struct OF(power) e = OF(exponential)(OF(fall)(x));
    V whole = OF(whole)(e);
    return OF(times_power)(OF(inverse)(OF(fma)(whole, whole + 2, SPREAD(V, 1))), e);
}

VALUE(sigmoid) { return OF(logistic)(OF(near)(x)); }

GRADIENT(sigmoid) { return grad * OF(logistic_slope)(x); }

VALUE(tanh)
{
    V less = OF(less_one)(OF(exponential)(OF(fall)(x + x)));
    return OF(signed_as)(OF(ratio)(less, less + 2), x);
}

GRADIENT(tanh) { return grad * (4 * OF(logistic_slope)(x + x)); }

VALUE(softsign)
{
    V near = OF(clipped)(x, N(-0x1p100), N(0x1p100)); /* it is ±1 long before */
    return near / (OF(magnitude)(near) + 1);
}

GRADIENT(softsign)
{
    V inverse = 1 / (OF(magnitude)(x) + 1);
    return grad * (inverse * inverse);
}
