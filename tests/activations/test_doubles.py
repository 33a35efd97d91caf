"""Doubles: every entry within two units in the last place, or of its largest term where its terms cancel."""

import math

import mpmath as mp
import pytest
import torch

from benchmarks.formulas import EXACT
from limen.activations import (
    Activation,
    Entry,
    InDoubles,
    exponential,
    gated,
    get,
    names,
    normal,
    periodic,
    sigmoidal,
    smooth_gates,
    twofold,
)
from tests.activations.test_rounding import HARD

SMALLEST = 2.0**-1000
"""Below, a double has lost bits, and what is made of several of them likewise."""

NEAR_ROOTS = [root * (1 + side * step) + side * step**2 for root in (1.0,) for side in (-1, 1)
              for step in (1e-12, 1e-8, 1e-5, 1e-3, 1e-2, 0.05, 0.2)]  # fmt: skip


def entry(name: str) -> Entry:
    act = get(name)
    assert isinstance(act, Entry)
    return act


def points(act: Entry) -> list[float]:
    """Hard places, and around each root of the slope."""
    close = [root * factor for root in act.sheet.roots for factor in NEAR_ROOTS]
    return [x for x in (*HARD.tolist(), *close) if x and x not in act.kinks]


def truth(act: Activation, order: int, x: float) -> mp.mpf:
    """Value or slope; differences over 1e-40 of ``x``, with the digits that ``1 - tanh x`` and ``1 - erf x`` need.

    The latter only in the slope of ``erf`` itself, which is below all doubles beyond 27: gates are made of ``erfc``.
    """
    lost = int(min(abs(x), 800)) + int(min(x * x, 27**2) / 2 if (act.name, order) == ("erf", 1) else 0)
    with mp.workdps(160 + lost):
        at = mp.mpf(x)
        if order == 0:
            return EXACT[act.name](at, act)
        step = abs(at) * mp.mpf(10) ** -40
        return (EXACT[act.name](at + step, act) - EXACT[act.name](at - step, act)) / (2 * step)


def terms(act: Entry, order: int, x: float, found: mp.mpf) -> mp.mpf:
    """The largest term where terms cancel: next to a root of the slope, and of a value that is a sum."""
    if act.name == "star_relu" and order == 0:
        return mp.mpf(abs(act.bias))  # type: ignore[attr-defined]
    if act.name == "snake" and order == 0:
        return max(abs(mp.mpf(x)), mp.mpf(1))
    if order == 0 or not any(abs(x - root) < 1 for root in act.sheet.roots):
        return mp.mpf(0)
    gate = truth(act, 0, x) / mp.mpf(x)
    inner = 0
    if act.name == "phish":  # the slope of whose gate is a sum itself
        inner = (abs(x) * mp.ncdf(x) + x**2 * mp.npdf(x)) * (1 - gate**2)
    return max(abs(gate), abs(found - gate), inner)


@pytest.mark.parametrize("name", [name for name in names(kind="elementwise") if name != "pau"])
@pytest.mark.parametrize("order", [0, 1], ids=["value", "slope"])
def test_doubles_are_within_two_units_or_one_of_the_largest_term(name: str, order: int) -> None:
    # the terms of pau, a polynomial, cancel as its coefficients say; test_rounding holds it to 2⁻⁴²
    act = entry(name)
    x = points(act)
    found = (act.f, act.df)[order](torch.tensor(x, dtype=torch.float64)).tolist()
    for at, y in zip(x, found, strict=True):
        exact = truth(act, order, at)
        if abs(exact) < SMALLEST:
            assert abs(y) <= 2 * SMALLEST
            continue
        last = mp.mpf(2) ** (mp.frexp(exact)[1] - 53)
        off = abs(mp.mpf(y) - exact)
        assert off <= max(2 * last, mp.mpf(2) ** -53 * terms(act, order, at, exact)), (at, y, float(off / last))


@pytest.mark.parametrize("w0", [30.0, 0.3, 1 / 3])
def test_a_wave_is_true_where_its_angle_is_rounded(w0: float) -> None:
    act = get("sin", w0=w0)
    for x in (1.1, -7.3, 1234.5678, 1e8 + 0.1):
        with mp.workdps(60):
            angle = mp.mpf(w0) * mp.mpf(x)
            for found, exact in ((act.f, mp.sin(angle)), (act.df, w0 * mp.cos(angle))):
                y = float(found(torch.tensor(x, dtype=torch.float64)))
                assert y == pytest.approx(float(exact), rel=2.0**-51)


def test_the_constants_of_two_doubles_are_right() -> None:
    with mp.workdps(60):
        scale = mp.sqrt(2 / mp.pi)
        floor = -EXACT["selu"](mp.mpf(-200), get("selu"))
        for first, rest, exact in (
            (normal.ROOT_HALF, normal.ROOT_HALF_REST, mp.sqrt(mp.mpf(1) / 2)),
            (normal.DENSITY, normal.DENSITY_REST, 1 / mp.sqrt(2 * mp.pi)),
            (gated.LINEAR, gated.LINEAR_REST, 2 * scale),
            (gated.CUBIC, gated.CUBIC_REST, 2 * scale * mp.mpf("0.044715")),
            (gated.BETA, gated.BETA_REST, mp.mpf("1.702")),
            (sigmoidal.HEIGHT, sigmoidal.HEIGHT_REST, mp.mpf("1.7159")),
            (sigmoidal.STRETCH, sigmoidal.STRETCH_REST, mp.mpf(2) / 3),
            (smooth_gates.SPREAD, smooth_gates.SPREAD_REST, 2 / mp.sqrt(mp.pi)),
            (periodic.QUARTER, periodic.QUARTER_REST, mp.pi / 4),
            (twofold.LOG_2, twofold.LOG_2_REST, mp.log(2)),
            (exponential.SELU_FLOOR, exponential.SELU_FLOOR_REST, floor),
        ):
            assert abs(mp.mpf(first) + mp.mpf(rest) - exact) < abs(exact) * mp.mpf(2) ** -85, first


def test_plain_doubles_are_not_far_from_it() -> None:
    x = torch.linspace(-30, 30, 2001, dtype=torch.float64)
    for name in names(kind="elementwise"):
        for method in (get(name).f, get(name).df):
            torch.testing.assert_close(InDoubles(method)(x), method(x), rtol=1e-12, atol=1e-15)
            assert torch.equal(InDoubles(method)(x.float()), method(x.float()))
    assert math.isnan(float(InDoubles(get("mish").f)(torch.tensor(math.nan, dtype=torch.float64))))
