"""Units that fall silent one after another."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from limen.findings.figures import share
from limen.findings.finding import Finding
from limen.findings.loss_trend import loss_trend
from limen.findings.rules.registry import rule
from limen.findings.silence import convincingly_dead
from limen.findings.thresholds import Thresholds
from limen.findings.violence import violence
from limen.vitals import SiteVitals, Vitals

Integers = npt.NDArray[np.int64]


@rule("dying-units")
def dying_units(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A layer that loses units one after another, not yet enough of them to be called dead as a whole.

    Why it matters: what kills units one by one (steps that are too large, a shrinking input, weight decay on a
    shift) goes on until the layer is dead; now it can still be stopped without repair.

    How it is measured: units that fired in the first window and are dead now (see dead-units), at least an eighth of
    the layer, at least a quarter of them since the middle of the run, while the recorded number of dead units rises,
    and not before step 200: the first steps of a healthy training shed units too. Where the loss falls, or several
    losses say nothing, only with a sign of violence while they died: a step that moved a weight by a tenth of itself,
    or a jump of the loss, unless half of them died after it and the loss has fallen since. Once a quarter of the
    layer was killed, dead-units speaks instead. A rarely used unit is
    taken for dead by chance with less than 0.7 % (five activations were expected, none came), so that four of 32 are
    with less than 1e-4: over the hundred looks at a million steps in less than 1 % of runs.

    Known to misfire: a layer far wider than its task needs, whose loss has stopped falling.

    Answered by: lower-learning-rate, revive-units, swap-activation.

    Source: Lu et al. 2020, arXiv:1903.06733; Sokar et al. 2023, "The Dormant Neuron Phenomenon", arXiv:2302.12902.
    """
    if vitals.step < limits.patience:
        return
    trend = loss_trend(vitals, limits)
    excused = trend is None or not trend.stuck
    for seen in vitals.sites:
        dead = convincingly_dead(seen, limits)
        died = seen.last_active[dead][seen.last_active[dead] > max(seen.birth.last_step, limits.steps)]
        if seen.site.head or not _is_dying(seen, dead, died, vitals.step, limits):
            continue
        signs = violence(vitals, died, limits, after=int(died.min()) - limits.window, until=int(died.max()) + 1)
        learned = trend is not None and trend.learned  # a jump that is over killed none of those that died later
        thrown = signs.spike is not None and (signs.spike.step >= np.median(died) or not learned)
        if not excused or signs.jump is not None or thrown:
            yield _finding(seen, dead, died, limits)


def _is_dying(seen: SiteVitals, dead: Integers, died: Integers, step: int, limits: Thresholds) -> bool:
    units = len(seen.last_active)
    killed = share(int((seen.last_active[dead] > 0).sum()), units)
    return (
        len(died) >= limits.fewest_units
        and share(len(died), units) >= limits.dying_rise
        and killed < limits.dead_warning
        and share(int((died > step / 2).sum()), len(died)) >= limits.dying_lasting
        and _rises(seen)
    )


def _rises(seen: SiteVitals) -> bool:
    """True when the number of dead units is higher in the last third of the rows than before."""
    dead = seen.history.dead
    if len(dead) < 6:
        return False
    early, middle, late = (float(np.median(part)) for part in np.array_split(dead, 3))
    return late > early and late >= middle


def _finding(seen: SiteVitals, dead: Integers, died: Integers, limits: Thresholds) -> Finding:
    units, first = len(seen.last_active), int(died.min()) + 1
    return Finding(
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
        message=f"{len(died)} of {units} units of {seen.site.described} have died: "
        f"the first was last active at step {first - 1}, half of them at step {int(np.median(died))} or later; "
        f"{len(dead)} are dead now.",
    )
