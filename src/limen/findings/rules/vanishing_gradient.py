"""Early layers that no longer hear the loss."""

from collections.abc import Iterator

import numpy as np

from limen.findings.finding import Finding, Severity
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.findings.numbers import number
from limen.findings.profile import PROFILE, Profile, gradient_profiles
from limen.findings.rules.registry import rule
from limen.findings.thresholds import Thresholds
from limen.vitals import SiteVitals, Vitals


@rule("vanishing-gradient")
def vanishing_gradient(vitals: Vitals, limits: Thresholds) -> Iterator[Finding]:
    """A gradient that shrinks at every layer on its way to the input, so that the early layers stand still.

    Why it matters: the last layers fit what random early layers give them; depth is paid for and not used.

    How it is measured: over the latest recorded steps, and in three quarters of them by itself, the gradient at the
    first site is below 1 % of that at the last and falls with depth (rank correlation of at least 0.8, four layers or
    more), and the early layer starves: its gradient, as a share of its weight, and its update ratio are a thousand
    times smaller than the last layer's. That is an error where the loss has not fallen: after 200 steps, or at once
    where less than 1e-8 is left at the first site. Where it falls, or tells nothing, a layer that is a hundred thousand
    times slower is a warning. With an adaptive optimiser, which takes steps of one size whatever the gradient, only
    updates tell of starving; without it, a gradient below 0.1 % at the first site is a warning where the loss has not
    fallen. No absolute size is used: a converged training is small everywhere.

    Known to misfire: layers with learning rates of their own whose gradient is small as well.

    Answered by: swap-activation, reinitialise, add-normalisation, change-optimiser.

    Source: Hochreiter 1991; Glorot & Bengio 2010; Schoenholz et al. 2017, "Deep Information Propagation",
    arXiv:1611.01232.
    """
    trend = loss_trend(vitals, limits)
    for profile in gradient_profiles(vitals, limits.window):
        severity = _severity(profile, trend, limits)
        if severity is not None and _sustained(profile, vitals, limits):
            yield _finding(profile, vitals, severity, limits)


def _severity(profile: Profile, trend: LossTrend | None, limits: Thresholds) -> Severity | None:
    if profile.rows < limits.window or not profile.vanishes(limits):
        return None
    known = trend is not None and trend.positive and (trend.steps >= limits.patience or profile.ratio <= limits.lost)
    learned = trend.learned if trend is not None and known else None
    pace = _pace(profile)
    if profile.adaptive and pace > limits.starved:
        hopeless = learned is False and profile.ratio <= limits.starved
        return "warning" if hopeless else None
    if pace > limits.starved:
        return None
    if learned is False:
        return "error"
    return "warning" if pace <= limits.starved_badly else None


def _pace(profile: Profile) -> float:
    """How slowly the first weight moves beside the last: the kinder of gradient and update, where both are known."""
    if profile.adaptive:
        return profile.slowness if np.isfinite(profile.slowness) else 1.0
    return max(profile.starvation, profile.slowness) if np.isfinite(profile.slowness) else profile.starvation


def _site(vitals: Vitals, name: str) -> SiteVitals:
    return next(seen for seen in vitals.sites if seen.site.name == name)


def _row_ratios(profile: Profile, vitals: Vitals) -> tuple[np.ndarray, np.ndarray]:
    """Steps at which both ends of the profile were recorded, and the ratio there."""
    first, last = (_site(vitals, profile.rungs[end].site.name).history for end in (0, -1))
    steps, here, there = np.intersect1d(first.step, last.step, return_indices=True)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = first.gradient[here] / last.gradient[there]
    known = np.isfinite(ratios)
    return steps[known], ratios[known]


def _sustained(profile: Profile, vitals: Vitals, limits: Thresholds) -> bool:
    """True when three quarters of the latest rows are below the limit one by one, not only in the median."""
    _, ratios = _row_ratios(profile, vitals)
    latest = ratios[-limits.window :]
    return len(latest) >= limits.window and float(np.quantile(latest, 0.75)) <= limits.vanished


def _finding(profile: Profile, vitals: Vitals, severity: Severity, limits: Thresholds) -> Finding:
    first, last = profile.rungs[0], profile.rungs[-1]
    steps, ratios = _row_ratios(profile, vitals)
    above = np.flatnonzero(ratios > limits.vanished)
    since = int(steps[min(above[-1] + 1, len(steps) - 1)]) if len(above) else 1  # the latest row may be above
    pace = f", and {first.weight} moves {_times(profile)} more slowly for its size than {last.weight}"
    return Finding(
        symptom="vanishing-gradient",
        severity=severity,
        where=first.site.name,
        layer=first.site.layer,
        units=(),
        step=since,
        measured=profile.ratio,
        limit=limits.vanished,
        unit=PROFILE,
        confidence=0.9 if severity == "error" else 0.7,
        causes=(),
        remedies=(),
        message=f"The gradient is {number(profile.ratio)} times as large at {first.site.title} as at "
        f"{last.site.title}, a factor of {number(profile.factor, 2)} for each of {profile.depth - 1} layers{pace}.",
    )


def _times(profile: Profile) -> str:
    pace = _pace(profile)
    return "infinitely" if pace <= 0.0 else f"{number(1.0 / pace, 1)} times"
