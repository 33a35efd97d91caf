"""The verdict as a whole: the sick cases with their causes, the laws of ``diagnose``, and findings over time."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.findings import REMEDIES, Finding, diagnose, track
from limen.vitals import InputVitals, Vitals
from tests.findings.patients import EDGES, Layer, Patient, falling, noisy

FLAT = noisy(2.3, 0.02)
SPIKE = lambda t: np.where(t == 4, 60.0, falling(2.3, 0.9)(t))  # noqa: E731
JUMP = lambda t: np.where(t == 3, 1.5, 1e-2)  # noqa: E731
PIXELS = InputVitals(mean=33.0, std=78.0, low=0.0, high=255.0, features=784)


def chain(function: str, factor: float, scale: float, *, update: float = 1e-3, **more: object) -> tuple[Layer, ...]:
    return tuple(
        Layer(
            f"l{i}",
            function=function,
            scale=scale,
            gradient=0.05 * (g := factor ** (9 - i)),
            weight_gradient=0.1 * g,
            update=max(update, 1e-3 * g) if factor > 1 else update * g,
            **more,  # pyright: ignore
        )
        for i in range(10)
    )


KILLED = Patient(
    (Layer("fc1", units=128, died=(4,) * 60 + (5,) * 20 + (9,) * 7, update=JUMP), Layer("fc2"), Layer("fc3")),
    learning_rate=2.0,
    losses=(SPIKE,),
)
BIASED = Patient((Layer("fc1"), Layer("fc2", mean=-10.0, std=0.4, bias=10.0, died=(0,) * 64)), losses=(FLAT,))
UNSCALED = Patient((Layer("t1", function="tanh", mean=20.0, std=5.0, scale=0.58), Layer("t2", "tanh")), inputs=PIXELS)
DEEP_SIGMOID = Patient(chain("sigmoid", 0.14, 0.58), losses=(FLAT,))
WIDE_TANH = Patient((Layer("t1", function="tanh", std=16.0, scale=16.0, fan_in=256),), losses=(FLAT,))
BROKEN = Patient((Layer("a", update=JUMP, nonfinite=5), Layer("b", nonfinite=5)), losses=(SPIKE,))
EXPLODING = Patient(chain("relu", 3.0, 4.2, update=0.8), losses=(lambda t: 50.0 * 1.01**t,))


@pytest.mark.parametrize(
    ("patient", "symptom", "where", "cause", "remedy", "step"),
    [
        (KILLED, "dead-units", "fc1", "learning-rate-too-high", "lower-learning-rate", 5),
        (BIASED, "dead-units", "fc2", "bad-bias", "reinitialise", 1),
        (UNSCALED, "saturated-units", "t1", "unscaled-inputs", "scale-inputs", 1),
        (DEEP_SIGMOID, "vanishing-gradient", "l0", "saturating-activation", "swap-activation", 1),
        (WIDE_TANH, "saturated-units", "t1", "bad-initialisation", "reinitialise", 1),
        (BROKEN, "non-finite", "a", "learning-rate-too-high", "lower-learning-rate", 5),
        (EXPLODING, "exploding-gradient", "l0", "bad-initialisation", "reinitialise", 1),
    ],
)
def test_a_sick_training_is_named_with_place_cause_remedy_and_step(
    patient: Patient, symptom: str, where: str, cause: str, remedy: str, step: int
) -> None:
    found = next(one for one in diagnose(patient.vitals) if one.symptom == symptom)
    assert (found.where, found.causes[0].name, found.remedies[0], found.step) == (where, cause, remedy, step)


SICK = [KILLED, BIASED, UNSCALED, DEEP_SIGMOID, WIDE_TANH, BROKEN, EXPLODING]


def test_the_killed_units_are_listed() -> None:
    (found,) = diagnose(KILLED.vitals)
    assert found.units == tuple(range(87))
    assert found.remedies[:2] == ("lower-learning-rate", "revive-units")
    assert found.severity == "error"


def test_nothing_passes_a_dead_layer_so_no_vanishing_is_told_besides() -> None:
    layers = (*chain("sigmoid", 0.14, 0.58), Layer("dead", died=(0,) * 64, gradient=1.0, weight_gradient=1.0))
    told = [one.symptom for one in diagnose(Patient(layers, losses=(FLAT,)).vitals)]
    assert "dead-units" in told
    assert "vanishing-gradient" not in told


def test_what_follows_a_nan_is_not_told_besides() -> None:
    layers = (Layer("fc1", died=(5,) * 64, nonfinite=7), Layer("fc2", nonfinite=7))
    assert [one.symptom for one in diagnose(Patient(layers, losses=(SPIKE,)).vitals)] == ["non-finite"]


def test_what_keeps_a_training_from_learning_is_the_cause_of_that_too() -> None:
    found = {one.symptom: one for one in diagnose(BIASED.vitals)}
    assert found["not-learning"].causes[0].name == "bad-bias"
    assert found["not-learning"].causes[0].confidence <= found["dead-units"].causes[0].confidence


def test_errors_come_before_warnings_and_more_dead_before_fewer() -> None:
    layers = (
        Layer("a", died=(0,) * 50),
        Layer("b", died=(0,) * 64),
        Layer("c", died=(0,) * 56),
    )
    told = diagnose(Patient(layers).vitals)
    assert [(one.where, one.severity) for one in told] == [("b", "error"), ("c", "warning"), ("a", "warning")]


@pytest.mark.parametrize("patient", SICK)
def test_every_finding_can_be_acted_on(patient: Patient) -> None:
    for one in diagnose(patient.vitals):
        assert one.causes
        assert one.remedies
        assert set(one.remedies) <= set(REMEDIES)
        assert 0.0 < one.confidence <= 1.0
        assert [cause.confidence for cause in one.causes] == sorted((c.confidence for c in one.causes), reverse=True)
        assert all(0.0 < cause.confidence <= 1.0 and cause.evidence.endswith(".") for cause in one.causes)
        assert 1 <= one.step <= patient.steps
        assert one.closed is None


def verdict(vitals: Vitals) -> list[tuple[str | None, str, float, tuple[tuple[str, float], ...]]]:
    return [
        (one.symptom, one.severity, one.measured, tuple((cause.name, cause.confidence) for cause in one.causes))
        for one in diagnose(vitals)
    ]


@pytest.mark.parametrize("patient", SICK)
def test_the_names_of_the_sites_do_not_matter(patient: Patient) -> None:
    renamed = replace(patient, layers=tuple(replace(one, name=f"net.x{i}") for i, one in enumerate(patient.layers)))
    assert verdict(renamed.vitals) == verdict(patient.vitals)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_the_order_of_the_units_does_not_matter(seed: int) -> None:
    vitals = KILLED.vitals
    shuffled = np.random.default_rng(seed).permutation(128)
    site = vitals.sites[0]

    def mixed(activity: object) -> object:
        moments = replace(activity.moments, mean=activity.moments.mean[shuffled], m2=activity.moments.m2[shuffled])  # pyright: ignore
        return replace(activity, left=activity.left[shuffled], right=activity.right[shuffled], moments=moments)  # pyright: ignore

    other = replace(
        site,
        birth=mixed(site.birth),
        recent=mixed(site.recent),
        total=mixed(site.total),
        last_active=site.last_active[shuffled],
        silent_steps=site.silent_steps[shuffled],
        silent_samples=site.silent_samples[shuffled],
    )
    changed = replace(vitals, sites=(other, *vitals.sites[1:]))
    assert verdict(changed) == verdict(vitals)
    assert {int(shuffled[unit]) for unit in diagnose(changed)[0].units} == set(diagnose(vitals)[0].units)


courses = st.sampled_from([0.0, 1e-30, 1.0, 1e30, float("nan"), float("inf")])
layers = st.builds(
    Layer,
    name=st.sampled_from(["a", "b", "c", "d", "e"]),
    function=st.sampled_from(sorted(EDGES)),
    units=st.integers(1, 9),
    fan_in=st.integers(1, 9),
    mean=st.sampled_from([-1e9, -3.0, 0.0, 3.0, 1e9]),
    std=st.sampled_from([0.0, 1e-9, 1.0, 1e9]),
    died=st.lists(st.integers(0, 30), max_size=1).map(tuple),
    gradient=courses,
    weight_gradient=courses,
    update=courses,
    scale=st.sampled_from([0.0, 1.0, 1e20]),
    head=st.booleans(),
    nonfinite=st.none() | st.integers(1, 30),
    weight_nonfinite=st.none() | st.integers(1, 30),
    norm=st.none() | st.just("norm"),
)
patients = st.builds(
    Patient,
    layers=st.lists(layers, max_size=5).map(tuple),
    steps=st.sampled_from([0, 1, 2, 7, 30, 250]),
    batch=st.sampled_from([0, 1, 1000]),
    losses=st.lists(courses, max_size=2).map(tuple),
    function=st.sampled_from(["cross-entropy", "mse", "bce", "other"]),
    classes=st.integers(0, 3),
    optimiser=st.sampled_from(["SGD", "Adam"]),
    learning_rate=courses,
    inputs=st.none() | st.builds(InputVitals, courses, courses, courses, courses, st.integers(0, 3)),
)


@given(patient=patients)
@settings(max_examples=300, deadline=None)
def test_no_vitals_make_it_fail(patient: Patient) -> None:
    for one in diagnose(patient.vitals):
        assert one.message
        assert one.step >= 1


def test_no_optimiser_and_no_sites_make_no_difference_to_that() -> None:
    bare = replace(
        KILLED.vitals,
        optimisers=(),
        parameters=tuple(replace(one, optimiser=None) for one in KILLED.vitals.parameters),
    )
    assert diagnose(bare)[0].causes[0].name == "learning-rate-too-high"
    assert diagnose(replace(KILLED.vitals, sites=())) == ()
    assert diagnose(Vitals()) == ()


# Findings over time --------------------------------------------------------------------------------------------


def found(where: str, step: int, units: tuple[int, ...] = (), closed: int | None = None) -> Finding:
    return Finding(
        "dead-units", "error", where, None, units, step, 0.5, 0.5, "share of units", 0.9, (), (), "m", closed
    )


def test_the_same_finding_keeps_its_earliest_step_and_its_latest_units() -> None:
    (one,) = track((found("a", 10, (1,)),), (found("a", 30, (1, 2)),), 50)
    assert (one.step, one.units, one.closed) == (10, (1, 2), None)
    (one,) = track((found("a", 30),), (found("a", 10),), 50)
    assert one.step == 10


def test_what_is_gone_is_closed_once() -> None:
    first = track((found("a", 10),), (), 50)
    assert [one.closed for one in first] == [50]
    assert track(first, (), 70) == first


def test_what_comes_back_is_open_again_since_its_first_step() -> None:
    (one,) = track((found("a", 10, closed=50),), (found("a", 60),), 70)
    assert (one.step, one.closed) == (10, None)


def test_open_findings_come_first_and_the_latest_closed_next() -> None:
    before = (found("a", 1, closed=20), found("b", 1), found("c", 1, closed=30))
    assert [one.where for one in track(before, (found("z", 9),), 40)] == ["z", "b", "c", "a"]
    assert track((), (), 1) == ()
