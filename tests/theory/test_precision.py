"""Every expectation of every entry at small, middling and large variances, against sums in forty digits."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import torch

from limen.activations import Activation, Entry
from limen.errors import InvalidValue
from limen.theory import chi_1, forward_gain, jacobian_spread, moments
from limen.theory.curve import Function
from limen.theory.stack import Stack
from tests.activations.test_catalogue import EVERY, EXACT
from tests.theory.functions import FORMULAS, FUNCTIONS

Formula = Callable[[mp.mpf], mp.mpf]

DIGITS = 40
NODES = 24
REACH = 13
"""Standard deviations; the density beyond is below 1e-36."""


@functools.cache
def legendre() -> list[tuple[mp.mpf, mp.mpf]]:
    """Gauss-Legendre nodes on [-1, 1] and their weights: those of numpy, polished by Newton's method."""

    def value_and_slope(x: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        before, now = mp.mpf(1), x
        for n in range(1, NODES):
            before, now = now, ((2 * n + 1) * x * now - n * before) / (n + 1)
        return now, NODES * (x * now - before) / (x * x - 1)

    nodes = []
    for rough in np.polynomial.legendre.leggauss(NODES)[0]:
        x = mp.mpf(float(rough))
        for _ in range(3):
            value, slope = value_and_slope(x)
            x -= value / slope
        nodes.append((x, 2 / ((1 - x * x) * value_and_slope(x)[1] ** 2)))
    return nodes


def cuts(kinks: tuple[float, ...], variance: float, wave: float = math.inf) -> list[mp.mpf]:
    """Where to cut the line, in standard deviations: evenly, at each wave, ever closer to 0 and to each kink."""
    spread = mp.sqrt(variance)
    near = [kink + side * 2.0**power for kink in (0.0, *kinks) for power in range(-2, 9) for side in (-1, 1)]
    even = [mp.mpf(edge) for edge in range(-REACH, REACH + 1)]
    waves = np.arange(-REACH * float(spread), REACH * float(spread), wave) if math.isfinite(wave) else ()
    places = {mp.mpf(place) / spread for place in (*near, 0.0, *kinks, *waves)}
    return sorted({*even, *(place for place in places if abs(place) < REACH)})


@functools.cache
def grid(kinks: tuple[float, ...], variance: float, wave: float) -> list[tuple[mp.mpf, mp.mpf, mp.mpf]]:
    """Arguments, their masses, and what growth weighs a squared value with; no node is a kink."""
    spread, nodes = mp.sqrt(mp.mpf(variance)), []
    for low, high in pairwise(cuts(kinks, variance, wave)):
        for node, weight in legendre():
            z = (low + high + (high - low) * node) / 2
            mass = weight * (high - low) / 2 * mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
            nodes.append((spread * z, mass, (z * z - 1) / (2 * spread**2)))
    return nodes


def exact(formula: Formula, kinks: tuple[float, ...], variance: float, wave: float = math.inf) -> dict[str, mp.mpf]:
    """The expectations, with slopes by central differences in forty digits.

    So the slope is that of the pieces where the value jumps. Growth is by parts, from the value alone.
    """
    with mp.workdps(DIGITS):
        step = mp.mpf(10) ** -14
        sums = dict.fromkeys(
            ("mean", "square", "slope", "slope_square", "growth", "size", "steep", "fourth"), mp.mpf(0)
        )
        for x, mass, tilt in grid(kinks, variance, wave):
            f, above, below = (formula(at) for at in (x, x + step, x - step))
            slope = (above - below) / (2 * step)
            weighed, steep = mass * f, mass * slope
            square, slope_square = weighed * f, steep * slope
            fourth = slope_square * slope * slope
            terms = (weighed, square, steep, slope_square, square * tilt, abs(weighed), abs(steep), fourth)
            for key, term in zip(sums, terms, strict=True):
                sums[key] += term
        return sums


def check(function: Function, truth: dict[str, mp.mpf], variance: float) -> None:
    found = moments(function, variance)
    assert found.square == pytest.approx(float(truth["square"]), rel=1e-12)
    assert found.slope_square == pytest.approx(float(truth["slope_square"]), rel=1e-12)
    assert found.mean == pytest.approx(float(truth["mean"]), abs=1e-12 * float(truth["size"]))
    assert found.slope == pytest.approx(float(truth["slope"]), abs=1e-12 * float(truth["steep"]))
    # terms of both signs: in units of E |z f f'| <= sqrt(E f² E f'²)
    scale = math.sqrt(float(truth["square"] * truth["slope_square"]) / variance)
    assert found.growth == pytest.approx(float(truth["growth"]), abs=1e-12 * scale, rel=1e-12)
    centred = float(truth["square"] - truth["mean"] ** 2)
    assert found.output_variance == pytest.approx(centred, rel=1e-11)
    # and what is made of them
    gain = forward_gain(function, variance)
    assert gain == pytest.approx(float(mp.sqrt(variance / truth["square"])), rel=1e-12)
    slope = float(variance * truth["slope_square"] / truth["square"])
    assert chi_1(Stack(function, gain**2), variance) == pytest.approx(slope, rel=3e-12)
    spread = float(truth["fourth"] / truth["slope_square"] ** 2 - 1)
    assert jacobian_spread(function, 1, variance, orthogonal=True) == pytest.approx(spread, rel=1e-11, abs=1e-12)


VARIANCES = (1e-3, 1.0, 1e3)
FARTHEST = 14.0
"""Standard deviations beyond which numbers do not count."""


def reaches(act: Activation, variance: float) -> bool:
    """Whether the function is anything but 0 up to there."""
    near = np.linspace(-FARTHEST, FARTHEST, 4001) * math.sqrt(variance)
    return bool(act.f(torch.from_numpy(near)).any())


CASES = [(act, variance) for act in EVERY for variance in VARIANCES]
REACHED = [case for case in CASES if reaches(*case)]


@pytest.mark.parametrize(("act", "variance"), REACHED, ids=repr)
def test_expectations_of_every_entry_are_exact_to_twelve_digits(act: Activation, variance: float) -> None:
    wave = act.sheet.period if isinstance(act, Entry) and act.sheet.period else math.inf
    check(act, exact(lambda x: EXACT[act.name](x, act), act.kinks, variance, wave), variance)


@pytest.mark.parametrize(("act", "variance"), [case for case in CASES if case not in REACHED], ids=repr)
def test_a_function_that_nothing_reaches_has_moments_of_zero_and_no_gain(act: Activation, variance: float) -> None:
    edge = mp.mpf(min(abs(kink) for kink in act.kinks)) / mp.sqrt(variance)
    chance = mp.erfc(edge / mp.sqrt(2))
    assert 0 < chance < 1e-43  # in truth they are not 0, but no signal has so many numbers
    found = moments(act, variance)
    assert not any((found.mean, found.square, found.slope, found.slope_square, found.growth, found.output_variance))
    with pytest.raises(InvalidValue, match="the mean square of its value is 0, so no gain"):
        forward_gain(act, variance)
    with pytest.raises(InvalidValue, match="its slope is 0 wherever it reaches"):
        jacobian_spread(act, 1, variance)


@pytest.mark.parametrize("variance", [1e-3, 1.0, 30.0])
@pytest.mark.parametrize("name", FORMULAS)
def test_so_are_those_of_a_users_functions_whose_slope_autograd_finds(name: str, variance: float) -> None:
    check(FUNCTIONS[name], exact(FORMULAS[name], (), variance), variance)
