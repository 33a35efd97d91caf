"""All that is known of a training at one moment: what the rules read and the reports draw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from limen.sites import Parameter, Site
from limen.vitals.activity import Activity
from limen.vitals.fields import made_when_read
from limen.vitals.narrow import kept_narrow
from limen.vitals.program import Program, Scale

__all__ = [
    "InputVitals",
    "LossVitals",
    "OptimiserVitals",
    "ParameterHistory",
    "ParameterVitals",
    "SiteHistory",
    "SiteVitals",
    "Vitals",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@made_when_read(
    "step", "samples", "inactive", "dead", "saturated", "mean", "std", "low", "high", "gradient", "nonfinite"
)
@dataclass(frozen=True, eq=False)
class SiteHistory:
    """One row for each recorded step of a site, oldest first; thinned evenly as the run grows.

    Attributes:
        step: ``[rows]``, training step, from 1.
        samples: ``[rows]``, samples of that step.
        inactive: ``[rows]``, share of flat samples, all units.
        dead: ``[rows]``, units dead at that step by the evidence until then.
        saturated: ``[rows]``, units flat on at least 95 % of that step's samples on a side where the output is not
            about zero.
        mean: ``[rows]``, mean of the pre-activations, all units.
        std: ``[rows]``, their standard deviation.
        low: ``[rows]``, the smallest.
        high: ``[rows]``, the largest.
        gradient: ``[rows]``, L2 norm of the loss gradient at the site's input; NaN where none arrived.
        nonfinite: ``[rows]``, values that were NaN or infinite.
    """

    step: Integers
    samples: Integers
    inactive: Floats
    dead: Integers
    saturated: Integers
    mean: Floats
    std: Floats
    low: Floats
    high: Floats
    gradient: Floats
    nonfinite: Integers


@kept_narrow("last_active", "silent_steps", "silent_samples")
@dataclass(frozen=True, eq=False)
class SiteVitals:
    """What is known of one site.

    Attributes:
        site: its address and the flat sides of its function.
        birth: the first window of the run: the first steps until the dead-unit evidence (samples and steps) was
            reached for the first time, or what there is of it.
        recent: the latest one to two windows.
        total: everything seen.
        last_active: ``[units]``, the last step at which the unit was active; 0 where it never was.
        silent_steps: ``[units]``, steps seen since then (all of them where it never was).
        silent_samples: ``[units]``, samples seen since then.
        history: per step.
        first_nonfinite: the first step at which a pre-activation was NaN or infinite; None where none was.
    """

    site: Site
    birth: Activity
    recent: Activity
    total: Activity
    last_active: Integers
    silent_steps: Integers
    silent_samples: Integers
    history: SiteHistory
    first_nonfinite: int | None

    @property
    def samples(self) -> int:
        """Samples on which each unit was evaluated, in all."""
        return self.total.samples


@made_when_read("step", "gradient", "weight", "update")
@dataclass(frozen=True, eq=False)
class ParameterHistory:
    """One row for each recorded step of a parameter, oldest first; thinned evenly as the run grows.

    Attributes:
        step: ``[rows]``, training step, from 1.
        gradient: ``[rows]``, L2 norm of the gradient that the update used; NaN where there was none.
        weight: ``[rows]``, L2 norm of the parameter before the update, within 0.5 %.
        update: ``[rows]``, update ratio ``‖Δw‖ / ‖w‖``; NaN where it was not measured or the parameter was zero.
    """

    step: Integers
    gradient: Floats
    weight: Floats
    update: Floats


@dataclass(frozen=True, eq=False)
class ParameterVitals:
    """What is known of one trained tensor.

    Attributes:
        parameter: its address.
        history: per step.
        first_nonfinite: the first step at which it or its gradient was NaN or infinite; None where none was.
        optimiser: index into ``Vitals.optimisers`` of the one that updates it; None where none does.
        spread: standard deviation of its entries when it was first seen; NaN where unknown.
    """

    parameter: Parameter
    history: ParameterHistory
    first_nonfinite: int | None
    optimiser: int | None
    spread: float = float("nan")


@dataclass(frozen=True, eq=False)
class LossVitals:
    """The values on which ``backward`` was called.

    Attributes:
        function: what produced it, for instance ``cross-entropy``, ``mse``, ``bce-with-logits``, ``other``.
        step: ``[rows]``, training step, from 1.
        value: ``[rows]``, the loss, averaged over the backward passes of the step.
        optimiser: index into ``Vitals.optimisers`` of the one that stepped on it; None where none did.
        head: the function whose output the loss function was given: ``linear``, ``softmax``, ``log-softmax``,
            ``sigmoid``, ``relu`` or another activation; empty where unknown. A cross-entropy contains a log-softmax of
            its own, which is not meant.
        negated: True where the loss function enters with a minus, so that a descent climbs it.
        outputs: the size of what the loss function was given in the first step it was seen, of a logarithm of
            probabilities in the first steps; None where unknown.
        targets: the size of what that was compared with in the first steps, or of the first difference from it where
            ``outputs`` is None; None where unknown or where targets are classes.
    """

    function: str
    step: Integers
    value: Floats
    optimiser: int | None
    head: str = ""
    negated: bool = False
    outputs: Scale | None = None
    targets: Scale | None = None

    @property
    def first_step(self) -> int:
        """The first training step of which a value is known; 1 where none is."""
        return int(self.step[0]) if len(self.step) else 1


@dataclass(frozen=True, eq=False)
class OptimiserVitals:
    """One optimiser.

    Attributes:
        name: class name, for instance ``SGD``.
        step: ``[rows]``, training step, from 1.
        learning_rate: ``[rows]``, of its first parameter group.
        momentum: of its first parameter group; 0 where it has none.
        weight_decay: of its first parameter group; 0 where it has none.
        adaptive: True when each entry's step is scaled by its own gradient history (Adam and its kin, RMSprop,
            Adagrad), so that the size of the gradient alone says little.
        uncleared: its steps at which gradients still held what an earlier step of it had used already.
    """

    name: str
    step: Integers
    learning_rate: Floats
    momentum: float
    weight_decay: float
    adaptive: bool
    uncleared: int = 0


@dataclass(frozen=True)
class InputVitals:
    """The first floating-point tensor given to the model, over the first steps.

    Attributes:
        mean: of all entries.
        std: of all entries.
        low: the smallest entry.
        high: the largest entry.
        features: length of its last axis, or its channels after a convolution.
    """

    mean: float
    std: float
    low: float
    high: float
    features: int

    @property
    def root_mean_square(self) -> float:
        """Of all entries."""
        return math.hypot(self.mean, self.std)


@dataclass(frozen=True, eq=False)
class Vitals:
    """Everything that rules may look at: values only, never a model.

    Attributes:
        step: the last training step, from 1; 0 before the first.
        looked: training steps that were looked at; of the others only the loss is known.
        samples: training samples in the steps looked at (first axis of the model's input).
        sites: in forward order.
        parameters: in forward order.
        losses: one entry for each optimiser, or one.
        optimisers: in the order of their first step; empty for a hand-written update.
        inputs: the scale of the model's input; None where it was not seen or is not floating-point.
        notes: what could not be watched and why, for the reader of the report.
        program: what the objects of the training tell.
    """

    step: int = 0
    samples: int = 0
    sites: tuple[SiteVitals, ...] = ()
    parameters: tuple[ParameterVitals, ...] = ()
    losses: tuple[LossVitals, ...] = ()
    optimisers: tuple[OptimiserVitals, ...] = ()
    inputs: InputVitals | None = None
    notes: tuple[str, ...] = field(default=())
    looked: int = 0
    program: Program = field(default_factory=Program)

    def site(self, name: str) -> SiteVitals | None:
        """The site of this name, or None."""
        return self._named.get(name)

    @cached_property
    def _named(self) -> dict[str, SiteVitals]:
        """The first site of each name."""
        return {vitals.site.name: vitals for vitals in reversed(self.sites)}

    def parameter(self, name: str) -> ParameterVitals | None:
        """The parameter of this name, or None."""
        return next((vitals for vitals in self.parameters if vitals.parameter.name == name), None)
