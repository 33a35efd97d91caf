/* One side straight, the other levelling off exponentially. */

/* log(1 + exp(x)) */
INLINE V OF(soft)(V x)
{
    struct OF(power) e = OF(exponential)(OF(fall)(x));
    V less = OF(logarithm)(OF(whole)(e));
    return OF(at_least)(SPREAD(V, 0), x) + OF(times_power)(less, e);
}

VALUE(softplus)
{
    double beta = GIVEN(0);
    if (beta == 1)
        return OF(soft)(x);
    struct OF(sum) t = OF(times)(x, beta);
    struct OF(power) e = OF(exponential)(OF(falling)(t));
    V less = OF(logarithm)(OF(whole)(e));
    return OF(at_least)(SPREAD(V, 0), x) + OF(times_power)(less * R(1 / beta), e);
}

GRADIENT(softplus)
{
    double beta = GIVEN(0);
    return grad * OF(logistic)(beta == 1 ? OF(near)(x) : OF(times)(x, beta));
}

VALUE(logsigmoid) { return -OF(soft)(-x); }

GRADIENT(logsigmoid) { return grad * OF(logistic)(OF(near)(-x)); }

/* x right of 0, height (exp(x / width) - 1) left of it. */
INLINE V OF(decay)(V x, double right, double height, double width)
{
    V left = OF(at_most)(SPREAD(V, 0), x);
    struct OF(power) e = OF(exponential)(width == 1 ? OF(near)(left) : OF(times)(left, 1 / width));
    return OF(where_above)(x, SPREAD(V, 0), x * R(right), OF(less_one)(e) * R(height));
}

INLINE V OF(decay_slope)(V x, double right, double height, double width)
{
    V left = OF(at_most)(SPREAD(V, 0), x);
    struct OF(power) e = OF(exponential)(width == 1 ? OF(near)(left) : OF(times)(left, 1 / width));
    return OF(where_above)(x, SPREAD(V, 0), N(right), OF(times_power)(N(height), e));
}

#define SELU_SCALE 1.0507009873554805
#define SELU_HEIGHT (SELU_SCALE * 1.6732632423543772)

VALUE(elu) { return OF(decay)(x, 1, GIVEN(0), 1); }

GRADIENT(elu) { return grad * OF(decay_slope)(x, 1, GIVEN(0), 1); }

VALUE(celu) { return OF(decay)(x, 1, GIVEN(0), GIVEN(0)); }

GRADIENT(celu) { return grad * OF(decay_slope)(x, 1, 1, GIVEN(0)); }

VALUE(selu) { return OF(decay)(x, SELU_SCALE, SELU_HEIGHT, 1); }

GRADIENT(selu) { return grad * OF(decay_slope)(x, SELU_SCALE, SELU_HEIGHT, 1); }
