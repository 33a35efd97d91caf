"""What the rules of all peers read off the vitals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from limen.vitals import ParameterVitals, SiteVitals, Vitals

__all__ = ["Rules", "kernels", "mean_gradient", "not_finite", "rectifiers", "solved", "squashers"]

Floats = npt.NDArray[np.float64]
Rules = dict[str, Callable[[Vitals], bool]]


def kernels(vitals: Vitals) -> list[ParameterVitals]:
    """Weights with at least one recorded step, in forward order."""
    return [one for one in vitals.parameters if one.parameter.weight and len(one.history.step)]


def mean_gradient(one: ParameterVitals) -> Floats:
    """``[rows]``, root of the mean squared gradient: where it is below a limit, so is the mean absolute one."""
    return one.history.gradient / np.prod(one.parameter.shape) ** 0.5


def rectifiers(vitals: Vitals) -> list[SiteVitals]:
    """Sites of ReLU, where flat is the same as zero, with at least one recorded step."""
    return [one for one in vitals.sites if one.site.function in ("relu", "relu6") and len(one.history.step)]


def squashers(vitals: Vitals) -> list[SiteVitals]:
    """Sites of tanh and sigmoid, with at least one recorded step."""
    return [one for one in vitals.sites if one.site.function in ("tanh", "sigmoid") and len(one.history.step)]


def not_finite(vitals: Vitals) -> bool:
    """Whether a loss, activation, weight or gradient was NaN or infinite."""
    seen = [one.first_nonfinite for one in (*vitals.sites, *vitals.parameters)]
    return any(step is not None for step in seen) or any(not np.isfinite(one.value).all() for one in vitals.losses)


def solved(vitals: Vitals, windows: int = 10) -> Floats:
    """``[windows]``, share of the first losses that is gone in each part of the run; empty where there are too few."""
    if not vitals.losses or len(vitals.losses[0].value) < 2 * windows:
        return np.empty(0)
    means = np.array([part.mean() for part in np.array_split(vitals.losses[0].value, windows)])
    first = vitals.losses[0].value[:3].mean()
    return 1 - means / first if first else np.zeros(windows)
