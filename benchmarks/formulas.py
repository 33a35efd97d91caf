"""The formulas of the papers, written again for any precision. A slope of 0.01 is meant as the decimal number."""

import functools
from collections.abc import Callable
from fractions import Fraction

import mpmath as mp

from limen.activations import Activation


def logistic(x: mp.mpf) -> mp.mpf:
    return 1 / (1 + mp.exp(-x))


def softplus(x: mp.mpf) -> mp.mpf:
    return mp.log1p(mp.exp(x))


def normal(x: mp.mpf) -> mp.mpf:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def clip(x: mp.mpf, low: float, high: float) -> mp.mpf:
    return min(max(x, mp.mpf(low)), mp.mpf(high))


def quotient(x: mp.mpf, act: Activation) -> mp.mpf:
    """Molina et al. 2020, the safe form."""
    top = sum(mp.mpf(a) * x**power for power, a in enumerate(act.numerator))
    return top / (1 + abs(sum(mp.mpf(b) * x ** (power + 1) for power, b in enumerate(act.denominator))))


def hats(x: mp.mpf, act: Activation) -> mp.mpf:
    """Straight lines between values on an even grid; the outer ones go on."""
    values = [mp.mpf(value) for value in act.coefficients]
    place = (x - mp.mpf(act.low)) / (mp.mpf(act.high) - mp.mpf(act.low)) * (len(values) - 1)
    left = int(min(max(mp.floor(place), 0), len(values) - 2))
    return values[left] + (place - left) * (values[left + 1] - values[left])


def bell(place: mp.mpf, order: int = 3) -> mp.mpf:
    """The B-spline on the knots 0 to ``order + 1``, by the recursion of Cox and de Boor."""
    if order == 0:
        return mp.mpf(0 <= place < 1)
    return (place * bell(place, order - 1) + (order + 1 - place) * bell(place - 1, order - 1)) / order


def kan_spline(x: mp.mpf, act: Activation) -> mp.mpf:
    """Liu et al. 2024, Sec. 2.2, on a grid that goes on beyond its ends."""
    place = (x - mp.mpf(act.low)) / (mp.mpf(act.high) - mp.mpf(act.low)) * (len(act.coefficients) - 3)
    heights = enumerate(act.coefficients)
    spline = sum((mp.mpf(c) * bell(place + 3 - k) for k, c in heights if c and 0 < place + 3 - k < 4), mp.mpf(0))
    return mp.mpf(act.base_weight) * x * logistic(x) + mp.mpf(act.spline_weight) * spline


def acon_c(x: mp.mpf, act: Activation) -> mp.mpf:
    """Ma et al. 2021: the smooth maximum of two lines."""
    p1, p2, beta = mp.mpf(act.p1), mp.mpf(act.p2), mp.mpf(act.beta)
    return (p1 - p2) * x * logistic(beta * (p1 - p2) * x) + p2 * x


def of_ratio(number: float) -> mp.mpf:
    """The fraction of small numbers that is meant by a number, such as 1/3."""
    meant = Fraction(number).limit_denominator(10**6)
    return mp.mpf(meant.numerator) / meant.denominator


@functools.cache
def selu_alpha(bits: int) -> mp.mpf:
    """Klambauer et al. 2017, Eq. 14: the alpha for which mean 0 and variance 1 are a fixed point."""
    with mp.workprec(bits):
        return -mp.sqrt(2 / mp.pi) / (mp.erfc(1 / mp.sqrt(2)) * mp.exp(mp.mpf(1) / 2) - 1)


@functools.cache
def selu_scale(bits: int) -> mp.mpf:
    """The scale that makes the second moment 1 at that alpha."""
    alpha = selu_alpha(bits)
    with mp.workprec(bits):
        left = alpha**2 * (mp.exp(2) * mp.erfc(mp.sqrt(2)) - 2 * mp.exp(0.5) * mp.erfc(1 / mp.sqrt(2)) + 1)
        return mp.sqrt(2 / (1 + left))


EXACT: dict[str, Callable[[mp.mpf, Activation], mp.mpf]] = {
    "identity": lambda x, _: x,
    "relu": lambda x, _: max(x, mp.mpf(0)),
    "leaky_relu": lambda x, act: x if x > 0 else mp.mpf(str(act.negative_slope)) * x,
    "prelu": lambda x, act: x if x > 0 else mp.mpf(str(act.negative_slope)) * x,
    "relu6": lambda x, _: clip(x, 0, 6),
    "squared_relu": lambda x, _: max(x, mp.mpf(0)) ** 2,
    "sigmoid": lambda x, _: logistic(x),
    "tanh": lambda x, _: mp.tanh(x),
    "softsign": lambda x, _: x / (1 + abs(x)),
    "hardtanh": lambda x, act: clip(x, act.min_val, act.max_val),
    "hardsigmoid": lambda x, _: clip(x + 3, 0, 6) / 6,
    "hardsigmoid_keras2": lambda x, _: clip(x / 5 + mp.mpf(1) / 2, 0, 1),
    "elu": lambda x, act: x if x > 0 else mp.mpf(act.alpha) * mp.expm1(x),
    "celu": lambda x, act: x if x > 0 else mp.mpf(act.alpha) * mp.expm1(x / mp.mpf(act.alpha)),
    "selu": lambda x, _: selu_scale(mp.mp.prec) * (x if x > 0 else selu_alpha(mp.mp.prec) * mp.expm1(x)),
    "softplus": lambda x, act: mp.log1p(mp.exp(mp.mpf(act.beta) * x)) / mp.mpf(act.beta),
    "logsigmoid": lambda x, _: -mp.log1p(mp.exp(-x)),
    "silu": lambda x, _: x * logistic(x),
    "quick_gelu": lambda x, _: x * logistic(mp.mpf("1.702") * x),
    "gelu": lambda x, _: x * normal(x),
    "gelu_tanh": lambda x, _: x * logistic(2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)),
    "mish": lambda x, _: x * mp.tanh(softplus(x)),
    "abs": lambda x, _: abs(x),
    "arctan": lambda x, _: mp.atan(x),
    "erf": lambda x, _: mp.erf(x),
    "gaussian": lambda x, _: mp.exp(-x * x),
    "sin": lambda x, act: mp.sin(mp.mpf(act.w0) * x),
    "tanhshrink": lambda x, _: x - mp.tanh(x),
    "hardshrink": lambda x, act: x if abs(x) > act.lambd else mp.mpf(0),
    "softshrink": lambda x, act: mp.sign(x) * max(abs(x) - mp.mpf(act.lambd), 0),
    "threshold": lambda x, act: x if x > act.threshold else mp.mpf(act.value),
    "squareplus": lambda x, act: (x + mp.sqrt(x**2 + mp.mpf(act.b))) / 2,
    "bent_identity": lambda x, _: (mp.sqrt(x**2 + 1) - 1) / 2 + x,
    "isru": lambda x, act: x / mp.sqrt(1 + mp.mpf(act.alpha) * x**2),
    "isrlu": lambda x, act: x if x >= 0 else x / mp.sqrt(1 + mp.mpf(act.alpha) * x**2),
    "asinh": lambda x, _: mp.sign(x) * mp.log(abs(x) + mp.sqrt(x**2 + 1)),
    "sqnl": lambda x, _: clip(x, -2, 2) - mp.sign(x) * clip(x, -2, 2) ** 2 / 4,
    "lisht": lambda x, _: x * mp.tanh(x),
    "lecun_tanh": lambda x, _: mp.mpf("1.7159") * mp.tanh(2 * x / 3),
    "star_relu": lambda x, act: mp.mpf(act.scale) * max(x, mp.mpf(0)) ** 2 + mp.mpf(act.bias),
    "serf": lambda x, _: x * mp.erf(softplus(x)),
    "tanhexp": lambda x, _: x * mp.tanh(mp.exp(x)),
    "logish": lambda x, _: x * mp.log1p(logistic(x)),
    "smish": lambda x, _: x * ((1 + logistic(x)) ** 2 - 1) / ((1 + logistic(x)) ** 2 + 1),
    "phish": lambda x, _: x * mp.tanh(x * normal(x)),
    "snake": lambda x, act: x + mp.sin(mp.mpf(act.alpha) * x) ** 2 / mp.mpf(act.alpha),
    "sparse_plus": lambda x, _: x if x >= 1 else max(x + 1, mp.mpf(0)) ** 2 / 4,
    "sparse_sigmoid": lambda x, _: clip((x + 1) / 2, 0, 1),
    "hard_mish": lambda x, _: x / 2 * clip(x + 2, 0, 2),
    "hardswish": lambda x, _: x * clip(x + 3, 0, 6) / 6,
    "swish": lambda x, act: x * logistic(mp.mpf(act.beta) * x),
    "rrelu": lambda x, act: x if x > 0 else (of_ratio(act.lower) + of_ratio(act.upper)) / 2 * x,
    "apl": lambda x, act: (
        max(x, mp.mpf(0)) + sum(mp.mpf(a) * max(b - x, 0) for a, b in zip(act.slopes, act.hinges, strict=True))
    ),
    "pau": quotient,
    "acon_c": acon_c,
    "linear_spline": hats,
    "kan_spline": kan_spline,
    "dynamic_tanh": lambda x, act: mp.mpf(act.weight) * mp.tanh(mp.mpf(act.alpha) * x) + mp.mpf(act.bias),
    "scaled_tanh": lambda x, act: mp.mpf(act.low) + (mp.mpf(act.high) - mp.mpf(act.low)) * logistic(2 * x),
}
"""The formulas of the papers, written again for any precision."""
