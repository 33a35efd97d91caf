"""The first NaN or infinity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from limen.findings.finding import Finding
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.vitals import Vitals


@dataclass(frozen=True, order=True)
class _Sighting:
    """Sorted by step, then forward before backward, then along the forward pass."""

    step: int
    backward: bool
    order: int
    where: str
    layer: str | None
    lasting: bool
    count: int


@rule("non-finite")
def non_finite(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A value that is NaN or infinite, with the place where it appeared first.

    Why it matters: NaN spreads through every sum it meets; after one update with it the whole network is lost, and
    the place where it is noticed is rarely the place where it began.

    How it is measured: pre-activations of every site, and every parameter with its gradient, are counted at each
    watched step. The earliest step wins; within a step sites come before gradients, and the order of the forward
    pass decides. It is an error while the loss or any such place is still not finite, and only a remark when all have
    recovered, as after a step that a gradient scaler skipped. Sites of a softmax, which takes masks of minus infinity
    on purpose, are left out.

    Known to misfire: masks of minus infinity at a site of any other function.

    Answered by: lower-learning-rate, clip-gradients, fix-loss, scale-inputs.

    Source: IEEE 754-2019, section 6.2, on how NaN propagates.
    """
    sightings = [*_sites(vitals), *_parameters(vitals), *_losses(vitals)]
    if not sightings:
        return
    first = min(sightings)
    broken = any(len(loss.value) and not np.isfinite(loss.value[-1]) for loss in vitals.losses)
    lasting = broken or any(one.lasting for one in sightings)
    begins = " The model's input was not finite to begin with." if _input_broken(vitals) else ""
    later = " and is still there" if lasting else "; all values have been finite again since"
    seen = vitals.site(first.where)
    place = seen.site.title if seen is not None else first.where
    yield Finding(
        symptom="non-finite",
        severity="error" if lasting else "info",
        where=first.where,
        layer=first.layer,
        units=(),
        step=first.step,
        measured=float(first.count),
        limit=0.0,
        unit="values",
        confidence=1.0,
        causes=(),
        remedies=(),
        message=f"The first NaN or infinity appeared at step {first.step} in {place}{later}.{begins}",
    )


def _sites(vitals: Vitals) -> Iterator[_Sighting]:
    for seen in vitals.sites:
        if seen.first_nonfinite is None or "softmax" in seen.site.function:  # masks of minus infinity are its custom
            continue
        counts = seen.history.nonfinite
        lasting = bool(counts[-1] > 0) if len(counts) else seen.recent.nonfinite > 0
        yield _Sighting(
            seen.first_nonfinite,
            False,
            seen.site.order,
            seen.site.name,
            seen.site.layer,
            lasting,
            max(seen.total.nonfinite, 1),
        )


def _parameters(vitals: Vitals) -> Iterator[_Sighting]:
    for seen in vitals.parameters:
        if seen.first_nonfinite is None:
            continue
        address, weights = seen.parameter, seen.history.weight
        lasting = len(weights) == 0 or not np.isfinite(weights[-1])
        yield _Sighting(seen.first_nonfinite, True, address.order, address.name, address.layer, bool(lasting), 1)


def _losses(vitals: Vitals) -> Iterator[_Sighting]:
    for loss in vitals.losses:
        broken = np.flatnonzero(~np.isfinite(loss.value))
        if len(broken):  # after every site, before every gradient of its step
            step, last = int(loss.step[broken[0]]), len(loss.value) - 1
            yield _Sighting(step, False, LAST, "loss", None, bool(broken[-1] == last), len(broken))


LAST = 2**31


def _input_broken(vitals: Vitals) -> bool:
    inputs = vitals.inputs
    return inputs is not None and not all(np.isfinite([inputs.mean, inputs.std, inputs.low, inputs.high]))
