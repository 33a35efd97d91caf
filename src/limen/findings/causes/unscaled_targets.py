"""Targets that are far from what a fresh network gives."""

from __future__ import annotations

import math
from collections.abc import Iterator

from limen.findings.causes.registry import fact
from limen.findings.causes.sighting import sighting
from limen.findings.figures import finite, median
from limen.findings.finding import Finding
from limen.findings.numbers import number
from limen.findings.output_fit import REGRESSION
from limen.findings.thresholds import Thresholds
from limen.vitals import InputVitals, LossVitals, Scale, Vitals

LARGE = 100.0  # root mean square of targets worth a remark: an Adam step of 1e-3 needs thousands for it
HARMFUL = 1000.0  # from which it is a warning: thirty times what a sound network of the ward learned in 600 steps
FAR = 10.0  # times the outputs of the first step: nearer than that the network is made for such targets
ALIKE = 0.05  # relative difference of means and spreads up to which targets are the inputs, as of an autoencoder
LEARNS = 0.5  # of the loss at the start, from which a network learns its targets whatever their size


@fact(
    "unscaled-targets",
    explains=("exploding-gradient", "exploding-activations", "not-learning", "slow-learning", "diverging-loss",
              "non-finite"),
)  # fmt: skip
def unscaled_targets(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Regression targets whose size is far from what the network gives at the start.

    Why it matters: the loss and its gradients begin in the millions, which throws the weights of a plain gradient
    descent; with Adam the last layer grows by about its learning rate a step and takes a hundred thousand of them.

    How it is measured: root mean square of the targets in the first steps above 100, a warning above 1000, and ten
    times that of the outputs of the first, under mse, l1, smooth-l1 or huber behind a linear layer or a function that
    is not known; as long as the loss has not come to half of its start. Where the outputs are not known, the
    pre-activations of the first step stand for them. Targets that are the inputs again are the inputs' affair.

    Known to misfire: a network that takes many steps by plan, with a learning rate to match.

    Answered by: scale-targets.

    Source: LeCun et al. 1998, "Efficient BackProp", section 4.5, on which sizes suit a network.
    """
    loss = next((one for one in vitals.losses if _is_far(one, vitals) and not _learns(one)), None)
    if loss is None or loss.targets is None:
        return
    size = loss.targets.root_mean_square
    began = (
        ""
        if loss.outputs is None
        else f"; the network began at {number(loss.outputs.low)} to {number(loss.outputs.high)}"
    )
    low, high = number(loss.targets.low, 4), number(loss.targets.high, 4)
    message = f"The targets of {loss.function} run from {low} to {high}{began}."
    why = (
        f"The targets have a root mean square of {number(size)}, to which the last layer has to grow, with a loss and "
        "gradients to match."
    )
    yield sighting(
        "unscaled-targets",
        "warning" if size >= HARMFUL else "info",
        "loss",
        why,
        confidence=0.9,
        measured=size,
        limit=HARMFUL if size >= HARMFUL else LARGE,
        unit="root mean square of the targets",
        message=message,
        step=loss.first_step,
    )


def _is_far(loss: LossVitals, vitals: Vitals) -> bool:
    """Whether the targets of a regression are large and the outputs are not."""
    if loss.function not in REGRESSION or loss.targets is None or loss.head not in ("linear", ""):
        return False
    size = loss.targets.root_mean_square
    if not (math.isfinite(size) and size >= LARGE) or _are_inputs(loss.targets, vitals.inputs):
        return False
    if loss.outputs is not None:
        return size >= FAR * loss.outputs.root_mean_square
    return loss.head == "linear" and size >= FAR * _signal(vitals)


def _signal(vitals: Vitals) -> float:
    """The largest pre-activation of the first step; infinite where none was seen."""
    first = [abs(row[0]) for seen in vitals.sites for row in (seen.history.low, seen.history.high) if len(row)]
    return max(first, default=math.inf)


def _are_inputs(targets: Scale, inputs: InputVitals | None) -> bool:
    """Whether targets have the mean and the spread of the inputs."""
    if inputs is None:
        return False
    near = ALIKE * max(targets.std, inputs.std)
    return abs(targets.mean - inputs.mean) <= near and abs(targets.std - inputs.std) <= near


def _learns(loss: LossVitals) -> bool:
    """Whether the loss has come to half of what it was."""
    values = finite(loss.value)
    part = max(len(values) // 4, 1)
    return len(values) >= 4 and median(values[-part:]) < LEARNS * median(values[:part])
