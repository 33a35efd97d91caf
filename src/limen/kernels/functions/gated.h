/* The input times a gate that the input itself opens. */

#define GATE_OPEN 40 /* the gate is 1 beyond it, also in doubles */

/* x s(u), where u is odd in x. On the left x is at most FAR away from 0: further out the gate is 0 in every type. */
INLINE V OF(gated)(V x, struct OF(sum) u)
{
    V y = OF(ratio)(OF(at_least)(SPREAD(V, -FAR), x), OF(shrunk)(u)) * SHRINK;
    return OF(leaning)(OF(where_above)(u.near, SPREAD(V, GATE_OPEN), x, y), x);
}

/* s + x u' s (1 - s), where t is -|u| and `rest` is 1 - |x| u': the slopes at x and -x add to 1. */
INLINE V OF(gated_slope)(V x, struct OF(sum) t, V rest)
{
    struct OF(power) e = OF(exponential)(t);
    V whole = OF(whole)(e), square = OF(fma)(whole, whole + 2, SPREAD(V, 1));
    V left = OF(times_power)(OF(ratio)(whole + rest, square), e);
    return OF(where_above)(x, SPREAD(V, 0), 1 - left, left);
}

VALUE(silu) { return OF(gated)(x, OF(near)(x)); }

GRADIENT(silu)
{
    struct OF(sum) t = OF(fall)(x);
    return grad * OF(gated_slope)(x, t, t.near + 1);
}

#define QUICK 1.702

VALUE(quick_gelu) { return OF(gated)(x, OF(times)(x, QUICK)); }

GRADIENT(quick_gelu)
{
    struct OF(sum) t = OF(falling)(OF(times)(x, QUICK));
    return grad * OF(gated_slope)(x, t, t.near + 1);
}

#define LINEAR 1.5957691216057308 /* 2 sqrt(2 / pi) */
#define CUBIC 0.07135481627260025 /* 0.044715 times it */
#define OPEN 11                   /* beyond it the gate of gelu_tanh is 0 or 1 in every type but double */

/* The gate's argument, x (LINEAR + CUBIC x^2), with what its roundings lost. */
INLINE struct OF(sum) OF(opening)(V x)
{
    V square = x * x, high = N(CUBIC), cubic = square * high, factor = cubic + R(LINEAR);
    V part = factor - cubic, off = (cubic - (factor - part)) + (R(LINEAR) - part);
    V lost = OF(rest_of_product)(square, high, cubic) + high * OF(rest_of_product)(x, x, square) +
             (square * R(CUBIC - (double)R(CUBIC)) + R(LINEAR - (double)R(LINEAR)));
    V u = x * factor;
    return (struct OF(sum)){u, OF(rest_of_product)(x, factor, u) + x * (off + lost), 1};
}

VALUE(gelu_tanh) { return OF(gated)(x, OF(opening)(OF(clipped)(x, SPREAD(V, -OPEN), SPREAD(V, OPEN)))); }

GRADIENT(gelu_tanh)
{
    V near = OF(clipped)(x, SPREAD(V, -OPEN), SPREAD(V, OPEN));
    V steep = OF(magnitude)(near) * OF(fma)(near * near, N(3 * CUBIC), N(LINEAR));
    return grad * OF(gated_slope)(x, OF(falling)(OF(opening)(near)), 1 - steep);
}

/* x Phi(x), which on the right is x - x Phi(-x). */
VALUE(gelu)
{
    V a = OF(at_most)(SPREAD(V, NORMAL_FAR), OF(magnitude)(x));
    struct OF(tail) tail = OF(normal_tail)(a);
    if (!WIDE_NUMBERS)
        tail.bell.more += tail.off;
    V right = OF(fma)(-a, OF(times_power)(tail.ratio, tail.bell), x);
    V left = OF(times_power)(-a * tail.ratio, tail.bell);
    return OF(leaning)(OF(where_above)(x, SPREAD(V, 0), right, left), x);
}

/* Phi(x) + x phi(x): the slopes at x and -x add to 1. */
GRADIENT(gelu)
{
    V a = OF(at_most)(SPREAD(V, NORMAL_FAR), OF(magnitude)(x));
    struct OF(tail) tail = OF(normal_tail)(a);
    if (!WIDE_NUMBERS)
        tail.ratio += tail.ratio * tail.off;
    V left = OF(times_power)(OF(fma)(a, N(-0.3989422804014327), tail.ratio), tail.bell);
    return grad * OF(where_above)(x, SPREAD(V, 0), 1 - left, left);
}

#define MISH_OPEN (GATE_OPEN / 2)

/* x n / (n + 2), where n = e (e + 2) and e = exp(x) */
VALUE(mish)
{
    V near = OF(at_least)(SPREAD(V, -FAR), x);
    struct OF(power) power = OF(exponential)(OF(near)(OF(at_most)(SPREAD(V, MISH_OPEN), x)));
    V e = OF(whole)(power), more = e + 2;
    V left = OF(times_power)(near * OF(ratio)(more, OF(fma)(e, more, SPREAD(V, 2))), power);
    return OF(where_above)(x, SPREAD(V, MISH_OPEN), x, left);
}

/* e ((e + 2) (n + 2) + 4 x (e + 1)) / (n + 2)^2 */
GRADIENT(mish)
{
    V near = OF(clipped)(x, SPREAD(V, -FAR), SPREAD(V, MISH_OPEN));
    struct OF(power) power = OF(exponential)(OF(near)(near));
    V e = OF(whole)(power), more = e + 2, whole = OF(fma)(e, more, SPREAD(V, 2)), share = OF(inverse)(whole);
#if !WIDE_NUMBERS /* what the whole is off, on the left the slope would be twice */
    share = OF(fma)(-share * share, e * more - (whole - 2), share);
#endif
    V slope = OF(fused)(OF(fma)(share, e, share), near * 4, more) * share;
    return grad * OF(times_power)(slope, power);
}
