"""Vitals with gaps, of one step, of a million, full of NaN: never an exception, never a finding without evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from limen.findings import Finding, advice, diagnose
from limen.findings.causes import FACTS
from limen.findings.rules import RULES
from limen.findings.thresholds import Thresholds
from limen.vitals import InputVitals, Vitals
from tests.findings.patients import Layer, Patient, falling, noisy
from tests.findings.trainings import HEALTHY, SICK, recorded

LIMITS = Thresholds()
CHECKS: dict[str, Callable[..., Any]] = RULES | {name: fact.sight for name, fact in FACTS.items()}
LENIENT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAN = float("nan")


def serious(vitals: Vitals) -> list[str]:
    return [one.name for one in diagnose(vitals) if one.severity != "info"]


def rows(history: Any, chosen: Any) -> Any:
    """A history with these rows only."""
    return replace(history, **{one.name: getattr(history, one.name)[chosen] for one in fields(history)})


def everywhere(value: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """The same value with every array changed that is in it."""
    if isinstance(value, np.ndarray):
        return change(name, value)
    if isinstance(value, tuple):
        return tuple(everywhere(one, change, name) for one in value)  # pyright: ignore
    if is_dataclass(value):
        found = {one.name: everywhere(getattr(value, one.name), change, one.name) for one in fields(value)}
        return replace(value, **found)  # pyright: ignore
    return value


def histories(vitals: Vitals, change: Callable[[Any], Any]) -> Vitals:
    return replace(
        vitals,
        sites=tuple(replace(one, history=change(one.history)) for one in vitals.sites),
        parameters=tuple(replace(one, history=change(one.history)) for one in vitals.parameters),
    )


# Spoilt: any nonsense in any array -------------------------------------------------------------------------------

values = st.sampled_from([NAN, np.inf, -np.inf, 0.0, -1.0, 1e-300, 1e300])
counts = st.sampled_from([0, 1, 2**40])


@given(data=st.data(), name=st.sampled_from([*HEALTHY, *SICK]))
@LENIENT
def test_nonsense_in_any_array_is_no_exception(data: st.DataObject, name: str) -> None:
    rate = data.draw(st.sampled_from([0.05, 0.5, 1.0]))
    chance = np.random.default_rng(data.draw(st.integers(0, 1000)))
    value, count = data.draw(values), data.draw(counts)

    def spoil(_: str, array: Any) -> Any:
        if chance.random() > rate:
            return array
        return np.full_like(array, value if array.dtype.kind == "f" else count)

    for one in diagnose(everywhere(recorded(name), spoil)):
        assert_sound(one)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", [NAN, np.inf, 0.0])
@pytest.mark.parametrize("name", [HEALTHY[0], *SICK])
def test_every_rule_and_fact_stands_the_same_number_everywhere(check: str, value: float, name: str) -> None:
    spoilt = everywhere(
        recorded(name), lambda _, array: np.full_like(array, value) if array.dtype.kind == "f" else array
    )
    with np.errstate(all="ignore"):
        assert all(isinstance(one, Finding) for one in CHECKS[check](spoilt, LIMITS))


def assert_sound(one: Finding) -> None:
    assert one.message
    assert 0.0 < one.confidence <= 1.0
    assert all(0.0 < cause.confidence <= 1.0 for cause in one.causes)
    assert list(one.causes) == sorted(one.causes, key=lambda cause: -cause.confidence)


# Missing: what is taken away must not turn into a finding ---------------------------------------------------------

LESS: dict[str, Callable[[Vitals], Vitals]] = {
    "no sites": lambda v: replace(v, sites=()),
    "every other site": lambda v: replace(v, sites=v.sites[::2]),
    "no parameters": lambda v: replace(v, parameters=()),
    "half of the parameters": lambda v: replace(v, parameters=v.parameters[: len(v.parameters) // 2]),
    "no loss": lambda v: replace(v, losses=()),
    "no value of the loss": lambda v: replace(v, losses=tuple(rows_of_loss(one, slice(0)) for one in v.losses)),
    "one value of the loss": lambda v: replace(v, losses=tuple(rows_of_loss(one, slice(1)) for one in v.losses)),
    "every ninth loss": lambda v: replace(v, losses=tuple(rows_of_loss(one, slice(0, None, 9)) for one in v.losses)),
    "no optimisers": lambda v: replace(v, optimisers=()),
    "nobody updates": lambda v: replace(v, parameters=tuple(replace(one, optimiser=None) for one in v.parameters)),
    "no learning rates": lambda v: replace(
        v,
        optimisers=tuple(replace(one, step=one.step[:0], learning_rate=one.learning_rate[:0]) for one in v.optimisers),
    ),
    "no inputs": lambda v: replace(v, inputs=None),
    "no histories": lambda v: histories(v, lambda one: rows(one, slice(0))),
    "one row": lambda v: histories(v, lambda one: rows(one, slice(1))),
    "sampled rows": lambda v: histories(v, lambda one: rows(one, slice(0, None, 7))),
    "late rows only": lambda v: histories(v, lambda one: rows(one, slice(40, None))),
    "ended early": lambda v: histories(v, lambda one: rows(one, slice(30))),
    "no gradients": lambda v: histories(v, lambda one: replace(one, gradient=np.full(len(one.step), NAN))),
    "no updates": lambda v: replace(
        v,
        parameters=tuple(
            replace(one, history=replace(one.history, update=np.full(len(one.history.step), NAN)))
            for one in v.parameters
        ),
    ),
    "a step that is not said": lambda v: replace(v, step=0, samples=0, looked=0),
}


def rows_of_loss(loss: Any, chosen: slice) -> Any:
    return replace(loss, step=loss.step[chosen], value=loss.value[chosen])


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("less", LESS)
def test_a_healthy_training_stays_healthy_however_little_is_known_of_it(name: str, less: str) -> None:
    assert serious(LESS[less](recorded(name))) == []


@given(name=st.sampled_from(HEALTHY), gaps=st.lists(st.sampled_from(sorted(LESS)), min_size=2, max_size=4))
@LENIENT
def test_so_it_does_whatever_is_missing_together(name: str, gaps: list[str]) -> None:
    vitals = recorded(name)
    for gap in gaps:
        vitals = LESS[gap](vitals)
    assert serious(vitals) == []


@given(name=st.sampled_from(SICK), gaps=st.lists(st.sampled_from(sorted(LESS)), min_size=1, max_size=4))
@LENIENT
def test_a_sick_training_with_gaps_is_no_exception(name: str, gaps: list[str]) -> None:
    vitals = recorded(name)
    for gap in gaps:
        vitals = LESS[gap](vitals)
    for one in diagnose(vitals):
        assert_sound(one)
        assert all(advice(remedy, one, vitals) for remedy in one.remedies)


# Odd: sizes and lengths far from the usual -----------------------------------------------------------------------

FALLS = (noisy(falling(2.4, 0.2), 0.05),)


@pytest.mark.parametrize("steps", [0, 1, 2, 10, 19, 1_000_000])
@pytest.mark.parametrize("units", [1, 2, 10_000])
@pytest.mark.parametrize("losses", [FALLS, (), (2.3,), (0.0,), (noisy(-3.0, 1.0),)], ids=range(5))
def test_a_sound_network_of_any_size_and_length_is_silent(steps: int, units: int, losses: Any) -> None:
    layers = (Layer("a", units=units), Layer("b", "tanh", units=units), Layer("c", "gelu", units=units))
    assert serious(Patient(layers, steps=steps, losses=losses).vitals) == []


@pytest.mark.parametrize("steps", [1, 10, 19])
def test_units_that_are_silent_for_too_few_steps_are_no_finding(steps: int) -> None:
    layers = (Layer("a", died=(0,) * 64), Layer("b", "tanh", mean=30.0))
    assert serious(Patient(layers, steps=steps, losses=FALLS, batch=10_000).vitals) == []


@pytest.mark.parametrize("batch", [0, 1, 2])
def test_units_that_are_silent_on_too_few_samples_are_no_finding(batch: int) -> None:
    layers = (Layer("a", died=(0,) * 64), Layer("b", "tanh", mean=30.0))
    assert serious(Patient(layers, steps=400, losses=FALLS, batch=batch).vitals) == []


@pytest.mark.parametrize("units", [1, 2, 3])
def test_a_layer_that_is_dead_as_a_whole_is_a_finding_however_small(units: int) -> None:
    assert serious(Patient((Layer("a", units=units, died=(0,) * units),)).vitals)[:1] == ["dead-units"]


@pytest.mark.parametrize(
    "inputs", [InputVitals(NAN, NAN, NAN, NAN, 0), InputVitals(0.0, 0.0, 0.0, 0.0, 1)], ids=range(2)
)
def test_inputs_of_which_nothing_is_known_or_that_are_all_zero_make_no_finding_of_their_own(
    inputs: InputVitals,
) -> None:
    assert serious(Patient(inputs=inputs).vitals) == []
