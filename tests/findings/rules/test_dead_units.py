from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import dead_units
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
FLAT = noisy(2.3, 0.02)
SPIKE = lambda t: np.where(t == 9, 40.0, falling(2.3, 0.5)(t))  # noqa: E731


def ill(died: tuple[int, ...], *, units: int = 64, **story: object) -> Vitals:
    return Patient((Layer("fc1", units=units, died=died), Layer("fc2")), **story).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "severity"),
    [
        (ill((0,) * 64), "error"),  # a whole layer, whatever the loss does
        (ill((8,) * 40, losses=(SPIKE,)), "error"),  # half, by violence
        (ill((0,) * 40, losses=(FLAT,)), "error"),  # half, and nothing is learned
        (ill((0,) * 40), "info"),  # half from the start, but the loss falls
        (ill((0,) * 48), "warning"),  # three quarters from the start
        (ill((8,) * 16, losses=(SPIKE,)), "warning"),  # a quarter, killed by violence
        (ill(tuple(range(40, 360, 20)), losses=(FLAT,)), "warning"),  # a quarter, killed, and nothing is learned
        (ill((0,) * 1, units=1), "error"),  # a layer of one unit
    ],
)
def test_fires(vitals: Vitals, severity: str) -> None:
    (finding,) = dead_units(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("dead-units", "fc1", severity)


BACK = noisy(lambda t: np.where(t < 60, falling(2.4, 0.5, 10.0)(t), np.minimum(0.5 + (t - 60) / 50, 2.9)), 0.1)


@pytest.mark.parametrize(("function", "severity"), [("smooth-l1", "info"), ("cross-entropy", "error")])
def test_half_that_fell_silent_early_is_a_remark_where_the_task_has_moved(function: str, severity: str) -> None:
    """A loss to targets of Q-learning falls, and rises with the values that are learned."""
    (finding,) = dead_units(ill((30,) * 34, losses=(BACK,), function=function), LIMITS)
    assert finding.severity == severity


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        ill(()),
        ill((0,) * 9),  # 14 % dead from birth, as torch's own initialisation leaves them
        ill((0,) * 22),  # a third dead from birth, in a run that learns
        ill((0,) * 22, losses=(FLAT,)),  # and in one that does not
        ill(tuple(range(30, 350, 16))),  # a third shed one by one while the loss falls
        ill((8,) * 15, losses=(SPIKE,)),  # less than a quarter
        ill((0,) * 2, units=4),  # half of a bottleneck
        ill((8,) * 64, steps=27),  # silent for 19 steps
        ill((8,) * 64, steps=108, batch=9),  # silent for 900 samples
        ill((0,) * 40, steps=100),  # born dead, and too early to say that nothing is learned
        Patient((Layer("out", died=(0,) * 40, head=True),)).vitals,  # classes that do not occur
        Patient((Layer("gate", function="sigmoid", mean=-9.0, died=(0,) * 64),)).vitals,  # a closed gate
        Patient((Layer("fc", function="leaky_relu", died=(0,) * 64),)).vitals,  # has no flat side
        Patient((Layer("tanh", function="tanh", mean=-9.0),)).vitals,  # stuck, not dead
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(dead_units(vitals, LIMITS)) == []


def test_units_that_always_fired_rarely_are_not_dead() -> None:
    # active once in 2,000 samples until step 300, then silent on 64 * 100 = 6,400: 3.2 activations missed
    rare = Patient((Layer("fc1", died=(300,) * 40, rate=1 / 2000), Layer("fc2")), losses=(FLAT,)).vitals
    assert list(dead_units(rare, LIMITS)) == []
    often = Patient((Layer("fc1", died=(300,) * 40, rate=1 / 200), Layer("fc2")), losses=(FLAT,)).vitals
    assert len(list(dead_units(often, LIMITS))) == 1


def test_the_finding_names_units_step_share_and_bound() -> None:
    (finding,) = dead_units(ill((8,) * 40, losses=(SPIKE,)), LIMITS)
    samples = (400 - 8) * 64
    assert finding.units == tuple(range(40))
    assert finding.step == 9
    assert finding.measured == pytest.approx(40 / 64)
    assert finding.layer == "fc1.linear"
    assert f"{samples:,} samples" in finding.message
    assert f"{300 / samples:.3g} % of samples" in finding.message  # the rule of three
    assert f"3 / {samples:,}" in finding.message


def test_units_dead_from_birth_are_dead_since_the_first_step() -> None:
    (finding,) = dead_units(ill((0,) * 64), LIMITS)
    assert finding.step == 1
    assert "never active, confirmed dead at step 20:" in finding.message


def test_the_limits_are_those_of_the_thresholds() -> None:
    vitals = ill((8,) * 15, losses=(SPIKE,))
    assert len(list(dead_units(vitals, Thresholds(dead_warning=0.2)))) == 1


def test_it_says_when_they_were_last_active_and_when_that_was_sure() -> None:
    (finding,) = dead_units(ill((9,) * 64, losses=(SPIKE,)), LIMITS)
    assert "half of them last active at step 9 or before, confirmed dead at step 29:" in finding.message
    assert finding.step == 10


def test_units_that_died_again_are_sure_to_be_dead_only_after_that() -> None:
    vitals = ill((150,) * 20, losses=(SPIKE,))
    site = vitals.sites[0]
    earlier = np.where(site.history.step == 33, 40, site.history.dead)  # before they were revived
    again = replace(vitals, sites=(replace(site, history=replace(site.history, dead=earlier)), *vitals.sites[1:]))
    (finding,) = dead_units(again, LIMITS)
    assert "last active at step 150 or before, confirmed dead at step 170:" in finding.message


def test_no_bound_is_ever_zero() -> None:
    (finding,) = dead_units(ill((0,) * 64, batch=10_000_000, losses=(FLAT,)), LIMITS)
    assert "less than 7.5e-8 % of samples" in finding.message  # 300 / 4e9


def test_the_samples_of_a_convolution_are_called_positions() -> None:
    vitals = ill((0,) * 64, losses=(FLAT,))
    seen = replace(vitals.sites[0], site=replace(vitals.sites[0].site, axis=1))
    (finding,) = dead_units(replace(vitals, sites=(seen, *vitals.sites[1:])), LIMITS)
    assert "25,600 positions in a row" in finding.message
    assert "% of positions" in finding.message


def test_a_site_that_is_a_number_is_told_by_its_function_and_layer() -> None:
    seen = ill((0,) * 64).sites[0]
    numbered = replace(seen, site=replace(seen.site, name="1", layer="0"))
    (finding,) = dead_units(Vitals(step=400, sites=(numbered,)), LIMITS)
    assert "64 of 64 units of relu after layer 0 are dead" in finding.message
