/* Pieces of parabolas. */

VALUE(squared_relu)
{
    V right = OF(at_least)(SPREAD(V, 0), x);
    return right * right;
}

GRADIENT(squared_relu) { return grad * (2 * OF(at_least)(SPREAD(V, 0), x)); }

VALUE(sparse_plus)
{
    V near = OF(clipped)(x, SPREAD(V, -1), SPREAD(V, 1)) + 1;
    return OF(where_above)(x, SPREAD(V, 1), x, near * near * R(0.25));
}

GRADIENT(sparse_plus) { return grad * ((OF(clipped)(x, SPREAD(V, -1), SPREAD(V, 1)) + 1) * R(0.5)); }

VALUE(sparse_sigmoid) { return (OF(clipped)(x, SPREAD(V, -1), SPREAD(V, 1)) + 1) * R(0.5); }

GRADIENT(sparse_sigmoid) { return OF(inside)(x, SPREAD(V, -1), SPREAD(V, 1), grad * R(0.5)); }

VALUE(sqnl)
{
    V near = OF(clipped)(x, SPREAD(V, -2), SPREAD(V, 2));
    return near * (1 - OF(magnitude)(near) * R(0.25));
}

GRADIENT(sqnl) { return grad * (1 - OF(at_most)(SPREAD(V, 2), OF(magnitude)(x)) * R(0.5)); }

VALUE(hard_mish)
{
    V near = OF(clipped)(x, SPREAD(V, -2), SPREAD(V, 0));
    return OF(where_above)(x, SPREAD(V, 0), x, near * (near + 2) * R(0.5));
}

GRADIENT(hard_mish)
{
    V inner = grad * (OF(clipped)(x, SPREAD(V, -2), SPREAD(V, 0)) + 1);
    return OF(where_above)(x, SPREAD(V, -2), inner, OF(unless_nan)(x, SPREAD(V, 0)));
}
