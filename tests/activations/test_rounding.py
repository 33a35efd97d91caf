"""How true the catalogue is: every half-precision number, single precision all over the line, doubles at hard places.

The oracle is the entry in double precision, which is itself compared with 50 digits. Where a double cannot tell to
which side of the middle between two half-precision numbers the truth lies, as many digits are taken as are needed.
"""

import functools
import math

import mpmath as mp
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from benchmarks.formulas import EXACT
from limen.activations import Activation, Entry, get, names
from limen.activations.rounding import rounded

Floats = npt.NDArray[np.float64]
HALVES = [torch.float16, torch.bfloat16]
PRECISION = {torch.float16: (11, -24), torch.bfloat16: (8, -133), torch.float32: (24, -149)}
"""Bits of the significand and exponent of the smallest number."""

every = pytest.mark.parametrize("name", names(kind="elementwise"))
both = pytest.mark.parametrize("order", [0, 1], ids=["value", "slope"])


BEYOND_ALL_DIGITS = {"tanhshrink": 1}
"""Whose magnitude is above a middle by less than 700 digits show: ``x - tanh x`` is more than ``x - 1``."""


def function(act: Activation, order: int):
    return (act.f, act.df, act.d2f)[order]


def exact(act: Activation, order: int, x: float) -> mp.mpf:
    """The value, slope or curvature, to two fifths of the digits at work."""
    at = mp.mpf(x)
    if order == 0:
        return EXACT[act.name](at, act)
    fine = mp.mp.dps // 5
    with mp.workdps(mp.mp.dps + 2 * fine + 20 + lost_near_zero(x)):  # the square of a step is lost in a difference
        step = (abs(at) or 1) * mp.mpf(10) ** -fine
        below, above = (EXACT[act.name](at + side * step, act) for side in (-1, 1))
        if order == 1:
            return (above - below) / (2 * step)
        return (above - 2 * EXACT[act.name](at, act) + below) / step**2


def lost_near_zero(x: float) -> int:
    """Digits of one less the square of a number."""
    return max(0, math.ceil(-2 * math.log10(abs(x)))) if x else 0


def unit(y: Floats, dtype: torch.dtype) -> Floats:
    """One unit in the last place of a number of that type."""
    bits, smallest = PRECISION[dtype]
    exponent = np.frexp(y)[1] - bits
    return np.ldexp(1.0, np.maximum(exponent, smallest))


def nearest(y: Floats, dtype: torch.dtype) -> Floats:
    """Doubles rounded to a type, ties to even: a second way, without torch."""
    step = unit(y, dtype)
    steps = np.where(np.isfinite(y), np.rint(y / step), y)
    found = steps * step
    return np.where(np.abs(found) > torch.finfo(dtype).max, np.copysign(np.inf, found), found)


def all_of(dtype: torch.dtype) -> Tensor:
    """Every number of a 16-bit type but the NaNs."""
    numbers = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    return numbers[~numbers.isnan()]


@functools.cache
def single_line() -> Tensor:
    """Every 16,411th bit pattern of single precision, 500 to each power of two on either side, and a dense grid."""
    patterns = torch.arange(0, 2**32, 16_411, dtype=torch.int64).to(torch.int32).view(torch.float32)
    return torch.cat([patterns[patterns.isfinite()], torch.linspace(-25, 25, 50_001)])


HARD = np.concatenate(
    [
        np.random.default_rng(7).uniform(-40, 40, 60),
        np.random.default_rng(8).uniform(-3, 3, 60),
        np.exp(np.random.default_rng(9).uniform(-80, 6, 60)) * np.resize([-1.0, 1.0], 60),
        [-700.0, -300.0, -104.5, -88.9, -38.0, -19.1, -13.3, -9.0, -5.5, 9.1, 17.0, 20.000001, 37.0, 88.9, 300.0],
    ]
)


# --- rounding itself -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32], ids=str)
def test_a_double_is_rounded_once(dtype: torch.dtype) -> None:
    numbers = all_of(dtype).double() if dtype in HALVES else single_line()[::50].double()
    numbers = numbers[numbers.isfinite()].sort().values.unique()
    middles = (numbers[1:] + numbers[:-1]) / 2
    ends = torch.tensor([math.inf, -math.inf, 1e300, -1e300, 5e-324, -5e-324, torch.finfo(dtype).max * (1 + 2.0**-12)])
    hairs = [middles * (1 + 2.0**-50), middles * (1 - 2.0**-50)]
    y = torch.cat([numbers, middles, *hairs, ends.double(), numbers * (1 + 1e-9)])
    assert torch.equal(rounded(y, dtype).double(), torch.from_numpy(nearest(y.numpy(), dtype)))


def test_rounding_keeps_the_sign_of_zero_and_not_a_number() -> None:
    y = torch.tensor([-0.0, 0.0, -1e-300, math.nan], dtype=torch.float64)
    for dtype in HALVES:
        found = rounded(y, dtype)
        assert found.signbit()[:3].tolist() == [True, False, True]
        assert found[3].isnan()


def test_autograd_passes_through_a_rounding() -> None:
    x = torch.linspace(-3, 3, 101).to(torch.bfloat16).requires_grad_()
    act = get("mish")
    (slope,) = torch.autograd.grad(act.f(x).sum(), x)
    torch.testing.assert_close(slope, act.df(x.detach()))  # autograd rounds the same slope once more


# --- the oracle against fifty digits --------------------------------------------------------------------------


@every
@pytest.mark.parametrize("order", [0, 1, 2], ids=["value", "slope", "curvature"])
def test_in_doubles_the_error_is_far_below_that_of_single_precision(name: str, order: int) -> None:
    """Relative 2⁻⁴², or 2⁻⁴⁸ of the largest terms where these cancel; of the slope at a root, that is."""
    act = get(name)
    assert isinstance(act, Entry)
    special = [*act.kinks, *act.sheet.bends, *act.sheet.roots]
    points = [*HARD, *(place * (1 + 1e-9) + 1e-12 for place in special), *(root + 2.0**-20 for root in act.sheet.roots)]
    found = function(act, order)(torch.tensor(points, dtype=torch.float64)).tolist()
    with mp.workdps(50):
        for x, y in zip(points, found, strict=True):
            truth = in_full(act, order, x)
            off = abs(mp.mpf(y) - truth)
            allowed = max(abs(truth) * mp.mpf(2) ** -42, 1e-290)  # below, doubles themselves end
            if order:
                allowed = max(allowed, mp.mpf(2) ** -48 * min(1, abs(mp.mpf(x)) + abs(truth)))
            assert off <= allowed, (x, y, mp.nstr(truth, 17))


def in_full(act: Activation, order: int, x: float) -> mp.mpf:
    """Fifty digits, more where the formula itself cancels: ``x - tanh x`` and ``1 - tanh² x``, ``sqrt(x² + b) + x``."""
    with mp.workdps(mp.mp.dps + 10 + lost_near_zero(x) + int(abs(x) if abs(x) < 800 else 0)):
        return exact(act, order, x)


DOUBLES = [
    ("softplus", 0, (-700, 700)),
    ("softplus", 1, (-700, 700)),
    ("logsigmoid", 0, (-700, 700)),
    ("sigmoid", 0, (-700, 700)),
    ("sigmoid", 1, (-700, 700)),
    ("tanh", 1, (-350, 350)),
    ("gelu", 0, (-37, 10)),
    ("silu", 0, (-700, 700)),
]


@pytest.mark.parametrize(("name", "order", "ends"), DOUBLES)
def test_doubles_are_good_to_two_units_where_torch_loses_digits(
    name: str, order: int, ends: tuple[float, float]
) -> None:
    draw = np.random.default_rng(11)
    near = draw.uniform(max(ends[0], -40), min(ends[1], 40), 200)
    points = np.concatenate([near, draw.uniform(*ends, 50), [20.0, math.nextafter(20.0, 21), -8.0, -5.5, 8.0]])
    act, worst = get(name), 0.0
    with mp.workdps(50):
        for x, y in zip(points, function(act, order)(torch.from_numpy(points)).tolist(), strict=True):
            truth = in_full(act, order, x)
            last = mp.mpf(2) ** (mp.frexp(truth)[1] - 53)
            worst = max(worst, float(abs(mp.mpf(y) - truth) / last))
    assert worst <= 2, worst


# --- single precision -----------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("order", [0, 1, 2], ids=["value", "slope", "curvature"])
def test_single_precision_is_within_one_unit_over_the_whole_line(name: str, order: int) -> None:
    act, overflows = get(name), 2.0**128 - 2.0**103  # the middle between the last number and 2¹²⁸, which is even
    for x in single_line().split(2**16):  # parts that stay in the processor's cache
        truth = function(act, order)(x.double()).numpy()
        found = function(act, order)(x).double().numpy()
        allowed = (0.5 + 2.0**-12) * unit(truth, torch.float32)
        beyond = np.abs(truth) >= torch.finfo(torch.float32).max
        assert (np.isinf(found) == (np.abs(truth) >= overflows)).all()
        assert (np.abs(found - truth)[~beyond] <= allowed[~beyond]).all()


# --- half precision -------------------------------------------------------------------------------------------


@every
@both
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_every_half_precision_number_is_rounded_correctly(name: str, order: int, dtype: torch.dtype) -> None:
    act = get(name)
    x = all_of(dtype)
    x = x[x.isfinite()]
    if order:  # the slope at a kink is a choice, which has its own test
        x = x[~torch.isin(x.double(), torch.tensor(act.kinks, dtype=torch.float64))]
    truth = function(act, order)(x.double()).numpy()
    wanted, found = nearest(truth, dtype), function(act, order)(x).double().numpy()
    step = unit(truth, dtype)
    steps = np.abs(truth) / step
    close = np.abs(steps - np.floor(steps) - 0.5) < 2.0**-24  # the double does not tell
    close &= np.abs(truth) <= torch.finfo(dtype).max
    wrong = x.double().numpy()[(found != wanted) & ~close]
    assert not len(wrong), wrong
    for at in np.flatnonzero(close):
        with mp.workdps(700):
            middle = (mp.floor(mp.mpf(steps[at])) + mp.mpf(0.5)) * mp.mpf(step[at])
            size = abs(exact(act, order, float(x[at])))
            over = size - middle
            if abs(over) < middle * mp.mpf(10) ** (-600 if order == 0 else -200):
                even = -1 if math.floor(steps[at]) % 2 == 0 else 1  # a middle in truth
                over = BEYOND_ALL_DIGITS.get(name, even)
        bounds = math.floor(steps[at]), math.floor(steps[at]) + 1
        assert abs(found[at]) == bounds[over > 0] * step[at], (float(x[at]), found[at], wanted[at])


@every
def test_the_bits_do_not_depend_on_the_place_in_a_tensor(name: str) -> None:
    act = get(name)
    x = torch.linspace(-12, 12, 4001)
    for order in (0, 1):
        whole = function(act, order)(x)
        alone = torch.stack([function(act, order)(part) for part in x[::97]])
        strided = function(act, order)(torch.stack([x, x], 1)[:, 0])
        assert torch.equal(whole[::97], alone)
        assert torch.equal(whole, strided)
