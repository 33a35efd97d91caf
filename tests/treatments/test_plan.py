"""Which findings are answered, by what, in which order, and how often. Values are written by hand."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Cause, Finding
from limen.findings.rate_choice import RATE_LIMITS, learning_rate_factor, update_ratio
from limen.journal import TreatmentRecord
from limen.sites import Parameter, Site
from limen.treatments.plan import Step, plan
from limen.vitals import (
    Activity,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    SiteHistory,
    SiteVitals,
    Vitals,
)

DEAD = (1, 2, 3)
NOW = 60


def site(name: str = "relu1", order: int = 0, dead: tuple[int, ...] = DEAD) -> SiteVitals:
    silent = np.zeros(8, dtype=np.int64)
    silent[list(dead)] = 50
    none = Activity.none(8)
    rows, figures = np.array([], dtype=np.int64), np.array([])
    history = SiteHistory(rows, rows, figures, rows, rows, figures, figures, figures, figures, figures, rows)
    address = Site(name, name, "relu", 1, 8, -1, f"fc{order}", None, order, False, flat_left=0.0, dead_left=True)
    return SiteVitals(address, none, none, none, NOW - silent, silent, silent * 64, history, None)


def weight(order: int = 0, ratio: float | np.ndarray = 0.2, optimiser: int | None = 0) -> ParameterVitals:
    steps = np.arange(1, NOW + 1)
    ratios = np.broadcast_to(np.asarray(ratio, dtype=np.float64), steps.shape)
    history = ParameterHistory(steps, np.ones(NOW), np.ones(NOW), ratios)
    return ParameterVitals(Parameter(f"fc{order}.weight", f"fc{order}", (8, 8), order, True), history, None, optimiser)


def optimiser(lowered_at: int | None = None) -> OptimiserVitals:
    steps = np.arange(1, NOW + 1)
    lr = np.where(steps > (lowered_at or NOW), 0.1, 1.0)
    return OptimiserVitals("SGD", steps, lr, 0.9, 0.0, False)


def seen(**changes: object) -> Vitals:
    ordinary = Vitals(
        step=NOW, sites=(site(), site("relu2", 1)), parameters=(weight(0), weight(1)), optimisers=(optimiser(),)
    )
    return replace(ordinary, **changes)


def finding(
    cause: str = "learning-rate-too-high", where: str = "relu1", layer: str = "fc0", **changes: object
) -> Finding:
    ordinary = Finding(
        symptom="dead-units", severity="warning", where=where, layer=layer, units=DEAD, step=12, measured=0.4,
        limit=0.1, unit="share of units", confidence=0.9, causes=(Cause(cause, 0.8, "because"),),
        remedies=("revive-units", "lower-learning-rate"), message="",
    )  # fmt: skip
    return replace(ordinary, **changes)


def record(step: int, of: Finding, name: str = "revive-units") -> TreatmentRecord:
    return TreatmentRecord(name, of.where, step, kept=True, detail="", finding=of.key)


def names(steps: tuple[Step, ...]) -> list[tuple[str, str]]:
    return [(step.name, step.where) for step in steps]


def test_units_killed_by_the_learning_rate_are_revived_after_it_is_lowered() -> None:
    lower, revive = plan((finding(),), seen())
    assert lower == Step("lower-learning-rate", "SGD", (), 0, 1e-2 / 0.2, "dead-units @ relu1")
    assert revive == Step("revive-units", "relu1", DEAD, None, 1.0, "dead-units @ relu1")


def test_one_rate_is_lowered_once_and_sites_are_revived_in_forward_order() -> None:
    found = (finding(where="relu2", layer="fc1"), finding())
    assert names(plan(found, seen())) == [
        ("lower-learning-rate", "SGD"),
        ("revive-units", "relu1"),
        ("revive-units", "relu2"),
    ]


@pytest.mark.parametrize("cause", ["bad-bias", "bad-initialisation", "dead-from-start"])
def test_a_cause_in_the_units_own_weights_needs_no_lower_rate(cause: str) -> None:
    assert names(plan((finding(cause),), seen())) == [("revive-units", "relu1")]


def test_a_rate_that_came_down_since_the_onset_is_not_lowered_again() -> None:
    assert names(plan((finding(),), seen(optimisers=(optimiser(lowered_at=40),)))) == [("revive-units", "relu1")]


def test_the_optimiser_of_the_sick_layer_is_the_one_that_is_lowered() -> None:
    vitals = seen(parameters=(weight(0, optimiser=1), weight(1)), optimisers=(optimiser(), optimiser()))
    assert plan((finding(),), vitals)[0].optimiser == 1


def test_only_units_that_are_still_dead_are_revived() -> None:
    vitals = seen(sites=(site(dead=(2, 5)),))
    assert plan((finding("bad-bias"),), vitals)[0].units == (2,)


@pytest.mark.parametrize(
    ("found", "vitals"),
    [
        (finding(closed=50), seen()),
        (finding(severity="info"), seen()),
        (finding("unscaled-inputs"), seen()),
        (finding(remedies=("swap-activation",)), seen()),
        (finding(symptom="saturated-units"), seen()),
        (finding("bad-bias"), seen(sites=(site(dead=()),))),
        (finding(), seen(optimisers=(), parameters=(weight(optimiser=None),))),  # a hand-written update goes on killing
        (finding(remedies=("revive-units",)), seen()),  # the rate still acts and may not be lowered
    ],
    ids=["closed", "info", "cause acts", "no remedy", "other symptom", "alive", "hand-written", "rate acts"],
)
def test_nothing_is_planned(found: Finding, vitals: Vitals) -> None:
    assert plan((found,), vitals) == ()


def test_a_finding_is_left_alone_for_fifty_steps_after_a_treatment() -> None:
    found = finding("bad-bias")
    assert plan((found,), seen(), (record(NOW - 49, found),)) == ()
    assert names(plan((found,), seen(), (record(NOW - 50, found),))) == [("revive-units", "relu1")]


def test_a_finding_is_treated_three_times_at_most() -> None:
    found = finding("bad-bias")
    before = tuple(record(step, found) for step in (1, 3, 5))
    assert names(plan((found,), seen(), before[:2])) == [("revive-units", "relu1")]
    assert plan((found,), seen(), before) == ()


def test_treatments_of_one_step_count_as_one_occasion() -> None:
    found = finding("bad-bias")
    before = (record(1, found, "lower-learning-rate"), record(1, found), record(3, found))
    assert names(plan((found,), seen(), before)) == [("revive-units", "relu1")]


@pytest.mark.parametrize(("ratio", "lowered"), [(0.2, True), (0.005, False)])
def test_a_treated_finding_lowers_the_rate_again_only_while_updates_are_too_large(ratio: float, lowered: bool) -> None:
    found = finding(step=2)
    vitals = seen(parameters=(weight(0, ratio), weight(1, ratio)), optimisers=(optimiser(lowered_at=5),))
    steps = names(plan((found,), vitals, (record(5, found),)))
    assert steps == [("lower-learning-rate", "SGD")] * lowered + [("revive-units", "relu1")]


def test_the_update_ratio_is_the_median_over_weights_of_the_largest_in_the_window() -> None:
    steps = np.arange(1, NOW + 1)
    first, second, third = (np.where(steps == 10, peak, 0.001) for peak in (0.1, 0.3, 9.0))
    vitals = seen(parameters=(weight(0, first), weight(1, second), weight(2, third), weight(3, 5.0, optimiser=None)))
    assert update_ratio(vitals, 0, 0, 20) == 0.3
    assert update_ratio(vitals, 0, 10, 20) == 0.001
    assert np.isnan(update_ratio(vitals, 1, 0, 20))


@pytest.mark.parametrize("ratio", [1e-6, 1e-3, 0.02, 0.5, 1e3, float("inf"), float("nan")])
def test_the_factor_stays_within_its_limits(ratio: float) -> None:
    assert RATE_LIMITS.strongest <= learning_rate_factor(ratio) <= RATE_LIMITS.weakest
