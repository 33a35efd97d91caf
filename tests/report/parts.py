"""Parts of a watched run, written by hand with realistic figures."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from limen.sites import Parameter, Site
from limen.vitals import (
    EDGES,
    Activity,
    Histogram,
    LossVitals,
    Moments,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteHistory,
    SiteVitals,
)

BATCH = 128
Floats = npt.NDArray[np.float64]


def histogram(mean: float, std: float, total: int) -> Histogram:
    shares = np.diff(np.concatenate([[0.0], norm.cdf(EDGES[1:-1], loc=mean, scale=std), [1.0]]))
    return Histogram(np.round(shares * total).astype(np.int64))


def activity(units: int, steps: int, flat: Floats, mean: float, std: float) -> Activity:
    samples = steps * BATCH
    moments = Moments(samples, np.full(units, mean), np.full(units, samples * std**2))
    low, high = np.full(units, mean - 4 * std), np.full(units, mean + 4 * std)
    left = np.round(flat * samples).astype(np.int64)
    return Activity(
        steps, 1, steps, left, np.zeros_like(left), moments, low, high, 0, histogram(mean, std, units * samples)
    )


def site_vitals(
    name: str,
    order: int,
    steps: npt.NDArray[np.int64],
    *,
    units: int = 128,
    function: str = "relu",
    inactive: Callable[[Floats], Floats] = lambda t: 0.5 + 0.05 * np.tanh(t / 200),
    dead: Callable[[Floats], Floats] = lambda t: np.zeros_like(t),
    saturated: Callable[[Floats], Floats] = lambda t: np.zeros_like(t),
    gradient: Callable[[Floats], Floats] = lambda t: 0.05 / (1 + t / 300),
    mean: float = -0.05,
    std: float = 1.1,
    head: bool = False,
    total_steps: int | None = None,
) -> SiteVitals:
    """A site whose story is told by functions of the step."""
    rng = np.random.default_rng(order)
    t = steps.astype(float)
    noise = rng.normal(0, 1, len(t))
    share = np.clip(inactive(t) + 0.008 * noise, 0, 1)
    dead_now = np.round(dead(t)).astype(np.int64)
    spread = std * (1 + 0.1 * np.tanh(t / 100) + 0.02 * noise)
    history = SiteHistory(
        step=steps,
        samples=np.full(len(t), BATCH),
        inactive=share,
        dead=dead_now,
        saturated=np.round(saturated(t)).astype(np.int64),
        mean=np.full(len(t), mean) + 0.02 * noise,
        std=spread,
        low=mean - 4 * spread,
        high=mean + 4 * spread,
        gradient=gradient(t) * np.exp(0.15 * noise),
        nonfinite=np.zeros(len(t), dtype=np.int64),
    )
    many = total_steps or (int(steps[-1]) if len(steps) else 0)
    gone = int(dead_now[-1]) if len(dead_now) else 0
    flat = np.where(np.arange(units) < gone, 1.0, 0.5)
    relu = function in ("relu", "gelu")
    site = Site(
        name=name,
        path=name,
        function=function,
        call=1,
        units=units,
        axis=-1,
        layer=name.replace("relu", "fc"),
        norm=None,
        order=order,
        head=head,
        flat_left=0.0 if relu else -2.994 if function == "tanh" else -5.9,
        flat_right=None if relu else 2.994 if function == "tanh" else 5.9,
        dead_left=relu,
    )
    silent = np.where(np.arange(units) < gone, many, 0)
    whole = activity(units, many, flat, mean, std)
    return SiteVitals(
        site=site,
        birth=activity(units, min(many, 20), flat, mean, std),
        recent=activity(units, min(many, 40), flat, mean, std),
        total=whole,
        last_active=np.where(np.arange(units) < gone, 3, many),
        silent_steps=silent,
        silent_samples=silent * BATCH,
        history=history,
        first_nonfinite=None,
    )


def weight_vitals(layer: str, order: int, steps: npt.NDArray[np.int64], update: Callable[[Floats], Floats]):
    t = steps.astype(float)
    noise = np.exp(0.2 * np.random.default_rng(order + 100).normal(0, 1, len(t)))
    history = ParameterHistory(steps, 0.3 * noise / (1 + t / 300), np.full(len(t), 9.3) + t / 900, update(t) * noise)
    return ParameterVitals(Parameter(f"{layer}.weight", layer, (128, 128), order, True), history, None, 0)


def loss_vitals(steps: npt.NDArray[np.int64], value: Callable[[Floats], Floats]) -> LossVitals:
    t = steps.astype(float)
    noise = np.random.default_rng(7).normal(0, 1, len(t))
    return LossVitals("cross-entropy", steps, value(t) * np.exp(0.05 * noise), 0)


def optimiser(steps: npt.NDArray[np.int64], rate: Callable[[Floats], Floats]) -> OptimiserVitals:
    return OptimiserVitals("SGD", steps, rate(steps.astype(float)), 0.9, 0.0, False)


def histograms(vitals: SiteVitals, at: tuple[int, ...], drift: float = 0.0) -> tuple[tuple[int, Histogram], ...]:
    """Histograms at the given steps, the mean falling by ``drift`` standard deviations in all."""
    pooled = vitals.total.moments.pooled()
    mean, std = float(pooled.mean[0]), float(pooled.std[0])
    total = vitals.site.units * BATCH
    return tuple((step, histogram(mean - drift * std * min(1, i / 2), std, total)) for i, step in enumerate(at))
