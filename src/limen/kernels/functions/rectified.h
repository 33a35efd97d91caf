/* Straight pieces. A slope of 0 passes nothing of any gradient, also of an infinite one; where x is NaN it is NaN. */

/* The one strictly between two limits, 0 elsewhere. */
INLINE V OF(inside)(V x, V low, V high, V yes)
{
    V no = OF(unless_nan)(x, SPREAD(V, 0));
    return OF(where_above)(x, low, OF(where_above)(high, x, yes, no), no);
}

VALUE(identity) { return x; }

GRADIENT(identity) { return OF(unless_nan)(x, grad); }

VALUE(relu) { return OF(at_least)(SPREAD(V, 0), x); }

GRADIENT(relu) { return OF(where_above)(x, SPREAD(V, 0), grad, OF(unless_nan)(x, SPREAD(V, 0))); }

VALUE(leaky_relu)
{
    if (GIVEN(0) == 0) /* times -inf would be NaN */
        return OF(relu_value)(x, at);
    return OF(where_above)(x, SPREAD(V, 0), x, x * R(GIVEN(0)));
}

GRADIENT(leaky_relu)
{
    if (GIVEN(0) == 0)
        return OF(relu_gradient)(x, grad, at);
    return OF(where_above)(x, SPREAD(V, 0), grad, OF(unless_nan)(x, grad * R(GIVEN(0))));
}

VALUE(prelu) { return OF(leaky_relu_value)(x, at); }

GRADIENT(prelu) { return OF(leaky_relu_gradient)(x, grad, at); }

VALUE(relu6) { return OF(clipped)(x, SPREAD(V, 0), SPREAD(V, 6)); }

GRADIENT(relu6) { return OF(inside)(x, SPREAD(V, 0), SPREAD(V, 6), grad); }

/* The limits as float32 has them: x is one. */
VALUE(hardtanh) { return OF(clipped)(x, SPREAD(V, (float)GIVEN(0)), SPREAD(V, (float)GIVEN(1))); }

GRADIENT(hardtanh) { return OF(inside)(x, SPREAD(V, (float)GIVEN(0)), SPREAD(V, (float)GIVEN(1)), grad); }

VALUE(hardsigmoid) { return OF(clipped)(x + 3, SPREAD(V, 0), SPREAD(V, 6)) / 6; }

GRADIENT(hardsigmoid) { return OF(inside)(x, SPREAD(V, -3), SPREAD(V, 3), grad / 6); }

VALUE(hardswish)
{
    V near = OF(clipped)(x, SPREAD(V, -3), SPREAD(V, 3));
    return OF(where_above)(x, SPREAD(V, 3), x, OF(leaning)(near * (near + 3) / 6, x));
}

GRADIENT(hardswish)
{
    V inner = grad * ((x + x + 3) / 6);
    V left = OF(where_above)(x, SPREAD(V, -3), inner, OF(unless_nan)(x, SPREAD(V, 0)));
    return OF(where_above)(SPREAD(V, 3), x, left, OF(unless_nan)(x, grad));
}

VALUE(abs) { return OF(magnitude)(x); }

GRADIENT(abs)
{
    V left = OF(where_above)(SPREAD(V, 0), x, -grad, OF(unless_nan)(x, SPREAD(V, 0)));
    return OF(where_above)(x, SPREAD(V, 0), grad, left);
}

/* The one outside of two limits, 0 on and between them. */
INLINE V OF(outside)(V x, double limit, V yes)
{
    return OF(where_above)(OF(magnitude)(x), SPREAD(V, (float)limit), yes, OF(unless_nan)(x, SPREAD(V, 0)));
}

VALUE(hardshrink) { return OF(signed_as)(OF(outside)(x, GIVEN(0), OF(magnitude)(x)), x); }

GRADIENT(hardshrink) { return OF(outside)(x, GIVEN(0), grad); }

VALUE(threshold)
{
    return OF(where_above)(x, SPREAD(V, (float)GIVEN(0)), x, OF(unless_nan)(x, N(GIVEN(1))));
}

GRADIENT(threshold)
{
    return OF(where_above)(x, SPREAD(V, (float)GIVEN(0)), grad, OF(unless_nan)(x, SPREAD(V, 0)));
}
