"""What must not change a verdict: names, the order of units, the unit of the loss, width, and how many ranks saw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from limen.findings import Finding, diagnose
from limen.vitals import Moments, SiteVitals, Vitals, merge_ranks
from tests.findings.patients import Layer, Patient
from tests.findings.test_diagnose import BIASED, BROKEN, DEEP_SIGMOID, EXPLODING, KILLED, UNSCALED, WIDE_TANH
from tests.findings.trainings import HEALTHY, SICK, recorded

PATIENTS = {
    "healthy": Patient(),
    "healthy, five layers": Patient(tuple(Layer(f"l{i}", "gelu") for i in range(5))),
    "killed": KILLED,
    "biased": BIASED,
    "unscaled": UNSCALED,
    "deep sigmoid": DEEP_SIGMOID,
    "wide tanh": WIDE_TANH,
    "broken": BROKEN,
    "exploding": EXPLODING,
}
CASES: dict[str, Callable[[], Vitals]] = {name: lambda one=one: one.vitals for name, one in PATIENTS.items()} | {
    f"real: {name}": lambda name=name: recorded(name) for name in (*HEALTHY, *SICK)
}


def verdict(findings: tuple[Finding, ...]) -> list[tuple[object, ...]]:
    """Names, severities, places along the forward pass and causes in their order."""
    return [(one.name, one.severity, one.step, tuple(cause.name for cause in one.causes)) for one in findings]


def whole(vitals: Vitals, change: Callable[[str], str]) -> Vitals:
    """With every name of a site, layer, parameter or path changed; ``weight`` and ``bias`` are torch's own words."""

    def renamed(value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            layer, dot, own = value.rpartition(".") if value.endswith((".weight", ".bias")) else (value, "", "")
            return change(layer) + dot + own if name in {"name", "layer", "path", "norm", "where"} and value else value
        if isinstance(value, tuple):
            return tuple(renamed(one, name) for one in value)  # pyright: ignore
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{one.name: renamed(getattr(value, one.name), one.name) for one in fields(value)})
        return value

    return replace(
        vitals,
        sites=tuple(replace(one, site=renamed(one.site)) for one in vitals.sites),
        parameters=tuple(replace(one, parameter=renamed(one.parameter)) for one in vitals.parameters),
        program=renamed(vitals.program),
    )


def units_taken(seen: SiteVitals, units: Any) -> SiteVitals:
    """The site with these units, in this order; each as often as it is named."""

    def of(activity: Any) -> Any:
        moments: Moments = activity.moments
        return replace(
            activity,
            left=activity.left[units],
            right=activity.right[units],
            low=activity.low[units],
            high=activity.high[units],
            moments=replace(moments, mean=moments.mean[units], m2=moments.m2[units]),
        )

    return replace(
        seen,
        site=replace(seen.site, units=len(units)),
        birth=of(seen.birth),
        recent=of(seen.recent),
        total=of(seen.total),
        last_active=seen.last_active[units],
        silent_steps=seen.silent_steps[units],
        silent_samples=seen.silent_samples[units],
    )


def scaled(vitals: Vitals, factor: float) -> Vitals:
    """The same training had its loss another unit, and its learning rate made up for that."""
    return replace(
        vitals,
        losses=tuple(replace(one, value=factor * one.value) for one in vitals.losses),
        sites=tuple(
            replace(one, history=replace(one.history, gradient=factor * one.history.gradient)) for one in vitals.sites
        ),
        parameters=tuple(
            replace(one, history=replace(one.history, gradient=factor * one.history.gradient))
            for one in vitals.parameters
        ),
        optimisers=tuple(replace(one, learning_rate=one.learning_rate / factor) for one in vitals.optimisers),
    )


def twice_as_wide(vitals: Vitals) -> Vitals:
    """Each unit is there twice; whatever counts units is twice as large, and a norm over them sqrt(2) times."""
    hidden = {seen.site.layer for seen in vitals.sites}
    root = np.sqrt(2.0)

    def site(seen: SiteVitals) -> SiteVitals:
        history = replace(seen.history, dead=2 * seen.history.dead, saturated=2 * seen.history.saturated)
        return replace(units_taken(seen, np.tile(np.arange(seen.site.units), 2)), history=history)

    def parameter(seen: Any) -> Any:
        if seen.parameter.layer not in hidden:
            return seen
        shape = (2 * seen.parameter.shape[0], *seen.parameter.shape[1:])
        history = replace(seen.history, weight=root * seen.history.weight, gradient=root * seen.history.gradient)
        return replace(seen, parameter=replace(seen.parameter, shape=shape), history=history)

    return replace(vitals, sites=tuple(map(site, vitals.sites)), parameters=tuple(map(parameter, vitals.parameters)))


@pytest.mark.parametrize("case", CASES)
def test_names_do_not_matter(case: str) -> None:
    vitals = CASES[case]()
    for change in (lambda name: f"net.{name}", lambda name: name[::-1], str.upper):
        assert verdict(diagnose(whole(vitals, change))) == verdict(diagnose(vitals))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_units_does_not_matter(case: str, seed: int) -> None:
    vitals = CASES[case]()
    chance = np.random.default_rng(seed)
    orders = [chance.permutation(seen.site.units) for seen in vitals.sites]
    mixed = replace(vitals, sites=tuple(map(units_taken, vitals.sites, orders)))
    found, known = diagnose(mixed), diagnose(vitals)
    assert verdict(found) == verdict(known)
    by_name = {seen.site.name: order for seen, order in zip(vitals.sites, orders, strict=True)}
    for one, other in zip(found, known, strict=True):
        assert {int(by_name[one.where][unit]) for unit in one.units} == set(other.units)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("factor", [0.125, 8.0])
def test_the_unit_of_a_loss_of_which_no_guess_is_known_does_not_matter(case: str, factor: float) -> None:
    vitals = CASES[case]()
    plain = replace(vitals, losses=tuple(replace(one, function="other") for one in vitals.losses))
    assert verdict(diagnose(scaled(plain, factor))) == verdict(diagnose(plain))


@pytest.mark.parametrize("case", CASES)
def test_twice_the_width_does_not_matter(case: str) -> None:
    vitals = CASES[case]()
    assert verdict(diagnose(twice_as_wide(vitals))) == verdict(diagnose(vitals))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("world", [2, 3])
def test_ranks_that_all_saw_the_same_find_the_same_together(case: str, world: int) -> None:
    vitals = CASES[case]()
    assert verdict(diagnose(merge_ranks([vitals] * world, world))) == verdict(diagnose(vitals))


@pytest.mark.parametrize("case", PATIENTS)
@pytest.mark.parametrize("world", [2, 4])
def test_a_run_that_is_split_among_ranks_is_the_same_run_once_it_is_merged(case: str, world: int) -> None:
    patient = PATIENTS[case]
    parts = [replace(patient, batch=patient.batch // world).vitals for _ in range(world)]
    assert verdict(diagnose(merge_ranks(parts, world))) == verdict(diagnose(patient.vitals))


SHOWN = {
    "rate of 30": "non-finite",
    "biases of -30": "dead-units",
    "ten sigmoids": "vanishing-gradient",
    "weights times 30": "saturated-units",
}


@pytest.mark.parametrize("name", SICK)
def test_the_real_sick_trainings_show_what_they_were_given(name: str) -> None:
    assert SHOWN[name] in {one.symptom for one in diagnose(recorded(name)) if one.severity != "info"}


@pytest.mark.parametrize("name", HEALTHY)
def test_the_real_healthy_trainings_are_not(name: str) -> None:
    assert [one for one in diagnose(recorded(name)) if one.severity != "info"] == []
