"""Vitals written by hand: a ``Patient`` is a training told as a story, a ``Layer`` one site of it with its weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from limen.sites import Parameter, Site
from limen.vitals import (
    Activity,
    Histogram,
    InputVitals,
    LossVitals,
    Moments,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    Program,
    SiteHistory,
    SiteVitals,
    Vitals,
)

Floats = npt.NDArray[np.float64]
Course = float | Callable[[Floats], Floats]

EDGES: dict[str, tuple[float | None, float | None, bool]] = {
    "relu": (0.0, None, True),
    "gelu": (-2.9, None, True),
    "tanh": (-2.993, 2.993, False),  # sech²(z) = 0.01
    "sigmoid": (-5.985, 5.985, True),  # s(z) s(-z) = 0.0025
    "leaky_relu": (None, None, False),
    "selu": (-4.605, None, False),  # exp(z) = 0.01
}
WINDOW = 20


def falling(start: float, end: float, steps: float = 100.0) -> Callable[[Floats], Floats]:
    """A loss that falls exponentially with a time constant of ``steps``."""
    return lambda t: end + (start - end) * np.exp(-(t - 1) / steps)


def noisy(course: Course, spread: float, seed: int = 0) -> Callable[[Floats], Floats]:
    """The same with Gaussian noise of a fixed spread."""
    return lambda t: along(course, t) + np.random.default_rng(seed).normal(0.0, spread, len(t))


def along(course: Course, t: Floats) -> Floats:
    return np.asarray(course(t), dtype=float) if callable(course) else np.full(len(t), float(course))


@dataclass(frozen=True)
class Layer:
    """One linear layer with its activation.

    Attributes:
        name: of the site; its layer is ``name.linear`` with a weight and a bias.
        function: one of ``EDGES``.
        units: of the layer.
        fan_in: inputs of the layer.
        mean: of the pre-activations, one for all or one for each unit.
        std: over samples, of every unit.
        trained_mean: the same after the first window; None for no change.
        trained_std: the same after the first window; None for no change.
        died: last active step of the first units of the layer; 0 for never. All others live.
        rate: share of samples on which the units of ``died`` were active until then.
        gradient: L2 norm at the site's input, along the steps.
        weight_gradient: L2 norm of the weight's gradient.
        update: update ratio of the weight.
        scale: of the weight at birth, times sqrt(fan_in): 0.58 for torch's own, 1.41 for He.
        bias: root mean square of the bias at birth.
        head: the site is the model's output.
        nonfinite: step of the first NaN at the site.
        weight_nonfinite: step of the first NaN in the weight's gradient.
        model: name of the model.
        norm: name of a normalisation between layer and site.
        alike: all units have the same range; otherwise each has its own.
    """

    name: str
    function: str = "relu"
    units: int = 64
    fan_in: int = 64
    mean: float | tuple[float, ...] = 0.0
    std: float = 1.0
    trained_mean: float | None = None
    trained_std: float | None = None
    died: tuple[int, ...] = ()
    rate: float = 0.5
    gradient: Course = 0.05
    weight_gradient: Course = 0.1
    update: Course = 1e-3
    scale: float = 1.41
    bias: float = 0.05
    head: bool = False
    nonfinite: int | None = None
    weight_nonfinite: int | None = None
    model: str = "Net"
    norm: str | None = None
    alike: bool = False


STANDARDISED = InputVitals(mean=0.0, std=1.0, low=-3.0, high=3.0, features=64)


@dataclass(frozen=True)
class Patient:
    """A training.

    Attributes:
        layers: in forward order.
        steps: training steps; all are recorded, thinned evenly to 512 rows.
        batch: samples of a step.
        losses: the course of each loss.
        function: of the losses.
        classes: outputs of the last linear layer, ``head``, which has no activation; 0 for no such layer.
        optimiser: class name.
        learning_rate: of every step.
        inputs: the model's input.
        program: what its objects tell.
    """

    layers: tuple[Layer, ...] = (Layer("fc1"), Layer("fc2"))
    steps: int = 400
    batch: int = 64
    losses: tuple[Course, ...] = field(default=(noisy(falling(2.4, 0.2), 0.05),))
    function: str = "cross-entropy"
    classes: int = 10
    optimiser: str = "SGD"
    learning_rate: float = 0.1
    inputs: InputVitals | None = STANDARDISED
    program: Program = field(default_factory=Program)

    @property
    def vitals(self) -> Vitals:
        """What limen would have seen of it."""
        step = self.rows
        return Vitals(
            step=self.steps,
            samples=self.steps * self.batch,
            sites=tuple(self._site(layer, order) for order, layer in enumerate(self.layers)),
            parameters=(
                *(one for order, layer in enumerate(self.layers) for one in self._parameters(layer, order)),
                *self._head,
            ),
            losses=tuple(
                LossVitals(self.function, step, along(loss, step.astype(float)), 0) for loss in self.losses if len(step)
            ),
            optimisers=(
                OptimiserVitals(
                    self.optimiser,
                    step,
                    np.full(len(step), self.learning_rate),
                    0.0,
                    0.0,
                    self.optimiser.startswith("Adam"),
                ),
            ),
            inputs=self.inputs,
            program=self.program,
        )

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        stride = max(1, -(-self.steps // 512))
        return np.arange(1, self.steps + 1, stride, dtype=np.int64)

    @property
    def _head(self) -> tuple[ParameterVitals, ...]:
        if self.classes == 0 or not self.layers:
            return ()
        step, last = self.rows, self.layers[-1]
        norm, t = np.full(len(step), 0.58 * np.sqrt(self.classes)), step.astype(float)
        history = ParameterHistory(step, along(last.weight_gradient, t), norm, along(last.update, t))
        address = Parameter("head.weight", "head", (self.classes, last.units), 2 * len(self.layers), True)
        return (ParameterVitals(address, history, None, 0),)

    def _site(self, layer: Layer, order: int) -> SiteVitals:
        left, right, dead_left = EDGES[layer.function]
        site = Site(
            layer.name, layer.name, layer.function, 1, layer.units, -1, f"{layer.name}.linear", layer.norm, order,
            layer.head, layer.model, left, right, dead_left,
        )  # fmt: skip
        last = np.full(layer.units, self.steps, dtype=np.int64)
        last[: len(layer.died)] = layer.died
        silent = self.steps - last
        window = min(max(WINDOW, -(-1000 // max(self.batch, 1))), self.steps)
        recent = min(2 * window, self.steps)
        return SiteVitals(
            site=site,
            birth=self._activity(layer, 1, window, last, born=True),
            recent=self._activity(layer, self.steps - recent + 1, self.steps, last),
            total=self._activity(layer, 1, self.steps, last),
            last_active=last,
            silent_steps=silent,
            silent_samples=silent * self.batch,
            history=self._history(layer, last, window),
            first_nonfinite=layer.nonfinite,
        )

    def _activity(
        self, layer: Layer, first: int, final: int, last: npt.NDArray[np.int64], *, born: bool = False
    ) -> Activity:
        steps = max(final - first + 1, 0)
        if steps == 0 or self.batch == 0:
            return Activity.none(layer.units)
        n = steps * self.batch
        mean, std = self._scale(layer, born)
        left, right, _ = EDGES[layer.function]
        low = np.array([0.0 if left is None else NormalDist(m, std).cdf(left) if std else m <= left for m in mean])
        high = np.array(
            [0.0 if right is None else 1 - NormalDist(m, std).cdf(right) if std else m >= right for m in mean]
        )
        below = np.round(low * n).astype(np.int64)
        reach = 4.0 if layer.alike else np.linspace(3.5, 4.5, layer.units)
        k = len(layer.died)  # units that die are active at their own rate until then, and never after
        alive = np.clip(last[:k] - first + 1, 0, steps) * self.batch
        below[:k] = n - np.round(alive * layer.rate).astype(np.int64)
        below[:k] = np.where(alive > 0, np.minimum(below[:k], n - 1), n)
        return Activity(
            steps, first, final, below, np.round(high * n).astype(np.int64),
            Moments(n, mean, np.full(layer.units, n * std**2)), mean - reach * std, mean + reach * std,
            0, Histogram.none(),
        )  # fmt: skip

    def _scale(self, layer: Layer, born: bool) -> tuple[Floats, float]:
        mean = np.resize(np.asarray(layer.mean, dtype=float), layer.units)
        std = layer.std
        if not born:
            mean = mean if layer.trained_mean is None else np.full(layer.units, layer.trained_mean)
            std = std if layer.trained_std is None else layer.trained_std
        return mean, std

    def _history(self, layer: Layer, last: npt.NDArray[np.int64], window: int) -> SiteHistory:
        step = self.rows
        t = step.astype(float)
        died = last[: len(layer.died)]
        _, _, dead_left = EDGES[layer.function]
        dead = np.array([int(((s - died) >= window).sum()) if dead_left else 0 for s in step], dtype=np.int64)
        mean, std = self._scale(layer, False)
        nonfinite = np.zeros(len(step), dtype=np.int64)
        if layer.nonfinite is not None:
            nonfinite[step >= layer.nonfinite] = self.batch
        whole = self._activity(layer, 1, self.steps, last)
        flat = whole.right if dead_left else whole.left + whole.right
        stuck = int((flat >= 0.95 * max(whole.samples, 1)).sum())
        return SiteHistory(
            step, np.full(len(step), self.batch, dtype=np.int64), np.full(len(step), whole.inactive_share), dead,
            np.full(len(step), stuck, dtype=np.int64), np.full(len(step), float(mean.mean())),
            np.full(len(step), std), np.full(len(step), float(mean.min()) - 4 * std),
            np.full(len(step), float(mean.max()) + 4 * std), along(layer.gradient, t), nonfinite,
        )  # fmt: skip

    def _parameters(self, layer: Layer, order: int) -> tuple[ParameterVitals, ParameterVitals]:
        step = self.rows
        t, where = step.astype(float), f"{layer.name}.linear"
        norm = np.full(len(step), layer.scale * np.sqrt(layer.units))
        gradient = along(layer.weight_gradient, t)
        if layer.weight_nonfinite is not None:
            gradient = np.where(step >= layer.weight_nonfinite, np.inf, gradient)
            norm = np.where(step > layer.weight_nonfinite, np.nan, norm)
        weight = ParameterVitals(
            Parameter(f"{where}.weight", where, (layer.units, layer.fan_in), 2 * order, True),
            ParameterHistory(step, gradient, norm, along(layer.update, t)),
            layer.weight_nonfinite,
            0,
        )
        bias = ParameterVitals(
            Parameter(f"{where}.bias", where, (layer.units,), 2 * order + 1, False),
            ParameterHistory(
                step, gradient, np.full(len(step), layer.bias * np.sqrt(layer.units)), along(layer.update, t)
            ),
            None,
            0,
        )
        return weight, bias
