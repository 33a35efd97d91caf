"""Units that fall silent one after another."""

from collections.abc import Iterator

import numpy as np

from limen.findings.figures import share
from limen.findings.finding import Finding
from limen.findings.rules.registry import rule
from limen.findings.silence import convincingly_dead
from limen.findings.thresholds import Thresholds
from limen.vitals import SiteVitals, Vitals


@rule("dying-units")
def dying_units(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A layer that loses units one after another, not yet enough of them to be called dead as a whole.

    Why it matters: what kills units one by one (steps that are too large, a shrinking input, weight decay on a
    shift) goes on until the layer is dead; now it can still be stopped without repair.

    How it is measured: units that fired in the first window and are dead now (see dead-units), at least an eighth
    of the layer, at least a quarter of them since the middle of the run, while the recorded number of dead units
    does not fall. Once a quarter of the layer is dead, dead-units speaks instead.

    Known to misfire: a layer far wider than its task needs, which sheds units while the loss still falls.

    Answered by: lower-learning-rate, revive-units, swap-activation.

    Source: Lu et al. 2020, arXiv:1903.06733; Sokar et al. 2023, "The Dormant Neuron Phenomenon", arXiv:2302.12902.
    """
    for seen in vitals.sites:
        dead = convincingly_dead(seen, limits)
        units = len(seen.last_active)
        died = seen.last_active[dead][seen.last_active[dead] > max(seen.birth.last_step, limits.steps)]
        late = share(int((died > vitals.step / 2).sum()), len(died))
        if (
            seen.site.head
            or len(died) < limits.fewest_units
            or share(len(dead), units) >= limits.dead_warning
            or share(len(died), units) < limits.dying_rise
            or late < limits.dying_lasting
            or not _rises(seen)
        ):
            continue
        first = int(died.min()) + 1
        yield Finding(
            symptom="dying-units",
            severity="warning",
            where=seen.site.name,
            layer=seen.site.layer,
            units=tuple(int(unit) for unit in dead),
            step=first,
            measured=share(len(died), units),
            limit=limits.dying_rise,
            unit="share of units",
            confidence=0.8,
            causes=(),
            remedies=(),
            message=f"{len(died)} of {units} units of {seen.site.name} ({seen.site.function}) died since step {first}, "
            f"{late:.0%} of them in the latter half of the run; {len(dead)} are dead now.",
        )


def _rises(seen: SiteVitals) -> bool:
    """True when the number of dead units in the last third of the rows is the highest of the run."""
    dead = seen.history.dead
    if len(dead) < 6:
        return False
    early, middle, late = (float(np.median(part)) for part in np.array_split(dead, 3))
    return late > early and late >= middle
