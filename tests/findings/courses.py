"""Losses of sound trainings, simulated, and the moments at which limen would look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from limen.vitals import LossVitals, Vitals

Floats = npt.NDArray[np.float64]
Random = np.random.Generator
Course = tuple[Floats, Floats]
ROWS = 1024


def looks(steps: int) -> Iterator[int]:
    """The steps at which a training is examined: 20, 30, ... 100, and each time it has grown by a tenth."""
    step = 20
    while step <= steps:
        yield step
        step += max(10, step // 10)


def seen(vitals: Vitals, value: Floats, step: int, function: str = "mse") -> Vitals:
    """The vitals at ``step`` of a training with the losses ``value``, thinned as the probe does."""
    stride = 1
    while step > ROWS * stride:
        stride *= 2
    rows = np.arange(0, step, stride)
    return replace(vitals, step=step, losses=(LossVitals(function, rows + 1, value[rows], 0),))


def _falls(t: Floats, random: Random) -> Course:
    start, end = 10.0 ** random.uniform(-1, 1), 10.0 ** random.uniform(-2.5, -0.5)
    level = end + (start - end) * (1 + t / random.uniform(5, 100)) ** -random.uniform(0.3, 1.5)
    return level, level * (1 + random.uniform(0.01, 0.2) * random.normal(size=len(t)))


def _plateau(t: Floats, random: Random) -> Course:
    level = 1.3 - np.tanh((t - random.uniform(50, 200)) / random.uniform(3, 30))
    return level, level + random.uniform(0.005, 0.05) * random.normal(size=len(t))


def _converged(t: Floats, random: Random) -> Course:
    level = 0.1 + 2.0 * np.exp(-t / random.uniform(3, 20))
    return level, level * np.exp(random.uniform(0.05, 0.5) * random.normal(size=len(t)))


def _bump(t: Floats, random: Random) -> Course:
    bump = 1 + random.uniform(0.2, 1.5) * np.exp(-(((t - random.uniform(5, 60)) / random.uniform(2, 15)) ** 2))
    level, value = _falls(t, random)
    return level * bump, value * bump


def _cosine(t: Floats, random: Random) -> Course:
    rate = 0.5 * (1 + np.cos(np.pi * t / len(t)))
    level = 0.2 + 1.8 * np.exp(-t / 200) + 0.3 * rate
    return level, level * (1 + 0.1 * rate * random.normal(size=len(t)))


def _heavy(t: Floats, random: Random) -> Course:
    level = 0.2 + 2.0 * np.exp(-t / random.uniform(5, 100))
    return level, np.abs(level * (1 + 0.15 * random.standard_t(2, size=len(t)))) + 1e-3


def _small_batches(t: Floats, random: Random) -> Course:
    shape, level = random.uniform(1, 8), 0.3 + 2.0 * np.exp(-t / random.uniform(10, 200))
    return level, level * random.gamma(shape, 1 / shape, size=len(t))


def _epochs(t: Floats, random: Random) -> Course:
    """Batches in the same order each time, some harder than others; of two in turn no course could be told apart."""
    batches, level = int(random.integers(3, 40)), 0.3 + 2.0 * np.exp(-t / 150)
    hard = np.exp(0.2 * random.normal(size=batches))[(t.astype(int) - 1) % batches]
    return level, level * hard * (1 + 0.02 * random.normal(size=len(t)))


def _reward(t: Floats, random: Random) -> Course:
    level = -np.tanh(t / 500)
    return level, level + random.uniform(0.3, 2.0) * random.normal(size=len(t))


SOUND: tuple[Callable[[Floats, Random], Course], ...] = (
    _falls, _plateau, _converged, _bump, _cosine, _heavy, _small_batches, _epochs, _reward,
)  # fmt: skip


def sound(number: int, steps: int) -> tuple[Floats, Floats]:
    """Expectation and value of the loss at each step of one sound training, at any scale from 1e-6 to 1e6."""
    random = np.random.default_rng(number)
    level, value = SOUND[number % len(SOUND)](np.arange(1.0, steps + 1), random)
    scale = 10.0 ** random.integers(-6, 7)
    return level * scale, value * scale


def fallen(level: Floats, by: float) -> int:
    """The first step from which the expectation has fallen by a share of its start; far away where it never does."""
    below = np.flatnonzero(level < (1.0 - by) * level[0])
    return int(below[0]) + 1 if len(below) else 2**62
