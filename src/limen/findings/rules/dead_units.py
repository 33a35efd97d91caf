"""Units that never fire."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from limen.findings.causes.birth import began_at_zero
from limen.findings.figures import share
from limen.findings.finding import Finding, Severity
from limen.findings.loss_trend import loss_trend
from limen.findings.rules.registry import rule
from limen.findings.silence import convincingly_dead
from limen.findings.thresholds import Thresholds
from limen.findings.updates import is_adaptive
from limen.findings.violence import violence
from limen.findings.words import bound_words, samples_of
from limen.vitals import SiteVitals, Vitals

Integers = npt.NDArray[np.int64]
FIRST_DEATHS = 0.1  # quantile of the deaths from which one looks back for what began them
FIRST_STEPS = 5  # of an adaptive optimiser, whose running means have seen next to nothing
Hope = Literal["too early", "learns", "stuck"]


@dataclass(frozen=True)
class _Loss:
    """Dead units of one site.

    Attributes:
        dead: their indices.
        died: ``[dead]``, the step each was last active; 0 for those that never were.
        units: units of the layer.
        blank: its weights began at zero, where a silent unit gets no gradient and stays.
    """

    dead: Integers
    died: Integers
    units: int
    blank: bool

    @property
    def share(self) -> float:
        return share(len(self.dead), self.units)

    @property
    def killed(self) -> int:
        return int((self.died > 0).sum())

    @property
    def step(self) -> int:
        return int(np.median(self.died)) + 1


@rule("dead-units")
def dead_units(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """Units that were silent on every sample for so long that they no longer take part in learning.

    Why it matters: a silent unit passes no gradient, so its incoming weights never change again; the layer works
    with fewer units than it has, and with none left nothing before it can learn.

    How it is measured: a unit is dead when it was flat, on a side where its output is about zero, on at least 1,000
    samples in a row and over 20 training steps. With n samples and none active its activity is below 3/n with 95 %
    confidence; the finding says that bound. A unit that fired rarely before counts only once its own earlier rate
    would have made it fire five times. Nearly a whole layer is an error. Half of it is one when the units were killed
    by violence (a step that moved a weight by a tenth of itself, a jump of the loss) or when the loss has not fallen
    in 200 steps (one without a known level of a guess that fell and came back is of a task that moved); otherwise,
    after that time, it is a remark, and a warning if three quarters of the layer were dead
    from the start. A quarter is a warning when those units were alive, and killed by a step that moved a weight by a
    fifth of itself, at a jump of the loss, or while the loss does not fall, or were born dead by weights that began at
    zero. Fewer than that are born dead or shed by healthy networks. Where the loss falls, and in the first five steps
    of an adaptive optimiser, only a step of 30 % counts as violence. Of outputs only a whole layer is reported: some
    may stand for classes that never occur.

    Known to misfire: classes or tokens so rare that their units are not needed for thousands of samples; a layer
    that is switched on late in training.

    Answered by: revive-units, lower-learning-rate, reinitialise, swap-activation.

    Source: Lu et al. 2020, "Dying ReLU and Initialization", arXiv:1903.06733; rule of three: Hanley & Lippman-Hand
    1983, JAMA 249(13).
    """
    hope = _hope(vitals, limits)
    for seen in vitals.sites:
        dead = convincingly_dead(seen, limits)
        loss = _Loss(dead, seen.last_active[dead], len(seen.last_active), began_at_zero(vitals, seen.site.layer))
        if len(dead) == 0:
            continue
        severity = _severity(loss, hope, seen.site.head, _violent(vitals, loss, hope, limits), limits)
        if severity is not None:
            yield _finding(seen, loss, severity, limits)


def _violent(vitals: Vitals, loss: _Loss, hope: Hope, limits: Thresholds) -> bool:
    """Killed, not born dead, and by something that can be pointed at: a jump of the loss, or a large step.

    Deaths at the same time alone are none: at birth many units are barely active, and the first steps of a healthy
    training silence them. The first steps of Adam and its kin are as large as the learning rate, whatever the
    gradient, and where the loss falls a step must have been larger to be blamed.
    """
    killed = loss.died[loss.died > 0]
    if loss.share < limits.dead_warning or 2 * len(killed) < len(loss.dead):
        return False
    first = int(np.quantile(killed, FIRST_DEATHS))
    signs = violence(vitals, loss.died, limits, after=first - limits.window, until=max(loss.step + 1, limits.window))
    if signs.jump is None:
        return signs.spike is not None
    adaptive = is_adaptive(vitals, signs.jump.optimiser)
    excused = hope == "learns" or (adaptive and signs.jump.step <= FIRST_STEPS)
    few = loss.share < limits.dead_error
    needed = limits.violent_update if excused else limits.telling_update if few else limits.large_update
    return signs.spike is not None or signs.jump.ratio >= needed


def _hope(vitals: Vitals, limits: Thresholds) -> Hope:
    """What the loss says. Several losses say nothing, and then nothing speaks against learning."""
    if vitals.step < limits.patience:
        return "too early"
    trend = loss_trend(vitals, limits)
    if trend is None or not trend.stuck:
        return "learns"
    moved = trend.surely_fell and not np.isfinite(trend.guess)  # it fell and came back, as to targets of Q-learning
    return "learns" if moved else "stuck"


def _severity(loss: _Loss, hope: Hope, head: bool, violent: bool, limits: Thresholds) -> Severity | None:
    enough = len(loss.dead) >= limits.fewest_units and not head  # outputs may stand for classes that never occur
    if len(loss.dead) == loss.units or (loss.share >= limits.dead_blocked and enough):
        return "error"
    if not enough:
        return None
    if loss.share >= limits.dead_error:
        born_dead = 2 * loss.killed < len(loss.dead)
        calm: dict[Hope, Severity | None] = {
            "too early": None,
            "learns": "warning" if born_dead and loss.share >= limits.dead_born else "info",
            "stuck": "error",
        }
        return "error" if violent else calm[hope]
    harmful = loss.killed if violent or hope == "stuck" else len(loss.dead) - loss.killed if loss.blank else 0
    return "warning" if share(harmful, loss.units) >= limits.dead_warning else None


def _finding(seen: SiteVitals, loss: _Loss, severity: Severity, limits: Thresholds) -> Finding:
    samples = int(seen.silent_samples[loss.dead].min())
    return Finding(
        symptom="dead-units",
        severity=severity,
        where=seen.site.name,
        layer=seen.site.layer,
        units=tuple(int(unit) for unit in loss.dead),
        step=loss.step,
        measured=loss.share,
        limit=limits.dead_error if loss.share >= limits.dead_error else limits.dead_warning,
        unit="share of units",
        confidence=1.0 - 0.05 * min(1.0, limits.samples / max(samples, 1)),
        causes=(),
        remedies=(),
        message=f"{len(loss.dead)} of {loss.units} units of {seen.site.described} are dead, "
        f"{_course(seen, loss, limits)}: silent on at least {samples:,} {samples_of(seen.site)} in a row, so "
        f"{bound_words(samples, seen.site)}.",
    )


def _course(seen: SiteVitals, loss: _Loss, limits: Thresholds) -> str:
    """When half of them were last active, and when that was sure."""
    last = int(np.median(loss.died))
    silent = seen.history.step >= last + limits.steps  # units that were dead earlier may have been revived since
    sure = seen.history.step[silent & (seen.history.dead >= (len(loss.dead) + 1) // 2)]
    confirmed = f", confirmed dead at step {int(sure[0])}" if len(sure) else ""
    return f"half of them last active at step {last} or before{confirmed}" if last else f"never active{confirmed}"
