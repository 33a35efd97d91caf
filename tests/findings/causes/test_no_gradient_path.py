"""Layers that no update reaches: by what of the weights stays as it was drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.causes import no_gradient_path
from limen.vitals import Program, Untrained, Vitals
from tests.findings.patients import Layer, Patient, noisy

LIMITS = Thresholds()
NAN = float("nan")


def left(layer: str, *, reason: str = "no-optimiser", entries: int = 64 * 64, as_drawn: bool = True) -> Untrained:
    return Untrained(f"{layer}.linear.weight", f"{layer}.linear", entries, reason, as_drawn)  # pyright: ignore[reportArgumentType]


def cut(name: str) -> Layer:
    return Layer(name, gradient=NAN, weight_gradient=NAN, update=0.0)


def given(*untrained: Untrained, layers: tuple[Layer, ...] = (), classes: int = 10, steps: int = 20) -> Vitals:
    """The optimiser moves ``layers``, and the head after them where there is one."""
    return Patient(layers, steps=steps, classes=classes, program=Program(untrained=untrained)).vitals


def forgotten() -> Vitals:
    """The head alone is in the optimiser."""
    vitals = given(layers=(Layer("fc1"), Layer("fc2")))
    own = tuple(one for one in vitals.parameters if one.parameter.layer == "head")
    return replace(vitals, parameters=own, program=Program(untrained=(left("fc1"), left("fc2"))))


def detached() -> Vitals:
    vitals = given(layers=(cut("fc1"), cut("fc2")))
    head = vitals.parameters[-1]
    heard = replace(head, history=replace(head.history, gradient=np.full(20, 0.1), update=np.full(20, 1e-3)))
    lost = (left("fc1", reason="no-gradient"), left("fc2", reason="no-gradient"))
    return replace(vitals, parameters=(*vitals.parameters[:-1], heard), program=Program(untrained=lost))


def taken_over(entries: int) -> Vitals:
    """The head alone is in the optimiser; of two layers before it the first looks drawn, and the other trained."""
    untrained = (left("fc1"), left("fc2", entries=entries, as_drawn=False))
    return replace(forgotten(), program=Program(untrained=untrained))


def half(entries: int, *, as_drawn: bool = True) -> Vitals:
    """Of two layers and a head, one is forgotten; the other has 4,096 entries."""
    return given(left("fc0", entries=entries, as_drawn=as_drawn), layers=(Layer("fc1"),))


@pytest.mark.parametrize(
    ("vitals", "words"),
    [
        (forgotten(), "2 of 3 layers stay as they were drawn: they get gradients, and no optimiser holds them"),
        (detached(), "2 of 3 layers stay as they were drawn: the forward pass runs through them"),
        (half(4096), "1 of 3 layers"),
        (taken_over(4096), "1 of 2 layers"),
    ],
    ids=["forgotten", "detached", "just half", "half of it taken over"],
)
def test_fires(vitals: Vitals, words: str) -> None:
    (finding,) = no_gradient_path(vitals, LIMITS)
    assert (finding.name, finding.symptom, finding.severity, finding.where) == (
        "no-gradient-path", None, "warning", "model",
    )  # fmt: skip
    assert words in finding.message
    assert finding.causes[0].evidence.startswith(words)
    assert next(one for one in diagnose(vitals) if one.symptom is None).remedies == ("fix-training-loop",)


def begun_late() -> Vitals:
    """What was found without a gradient has had one since; its sites, in compiled code, show none."""
    vitals = detached()
    gradient = np.append(np.full(19, NAN), 0.1)
    reached = tuple(replace(one, history=replace(one.history, gradient=gradient)) for one in vitals.parameters)
    return replace(vitals, parameters=reached)


def test_a_layer_that_is_used_late_is_not_told_of() -> None:
    assert list(no_gradient_path(begun_late(), LIMITS)) == []


def test_where_nothing_is_trained_it_is_an_error() -> None:
    vitals = replace(forgotten(), parameters=())
    (finding,) = no_gradient_path(vitals, LIMITS)
    assert (finding.severity, finding.measured) == ("error", 1.0)


@pytest.mark.parametrize(
    "vitals",
    [half(4095), given(left("fc0", entries=1), layers=(Layer("fc1"),)), taken_over(4097)],
    ids=["just less than half", "next to nothing", "taken over"],
)
def test_of_a_lesser_part_it_is_a_remark(vitals: Vitals) -> None:
    (finding,) = no_gradient_path(vitals, LIMITS)
    assert finding.severity == "info"


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        given(layers=(Layer("fc1"),)),
        half(100_000, as_drawn=False),
        given(left("unused", reason="no-gradient", entries=10**6), layers=(Layer("fc1"),)),
        given(left("fc1", reason="no-gradient"), layers=(Layer("fc1", gradient=0.1, weight_gradient=NAN),)),
        given(left("fc1", reason="no-gradient"), layers=(cut("fc1"),), steps=5),
        given(left("fc1", reason="no-gradient"), layers=(cut("fc1"),), steps=0),
    ],
    ids=["nothing", "all trained", "trained before", "not run", "heard at its site", "too few steps", "no steps"],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(no_gradient_path(vitals, LIMITS)) == []


def unheard(entries: int) -> Vitals:
    """No activation function was seen, as none is under no_grad; a head of 64 × 10 learns behind one trained layer."""
    lost = (left("fc1", reason="no-gradient", entries=entries),)
    return replace(given(layers=(Layer("fc2"),)), sites=(), program=Program(untrained=lost))


def test_where_no_site_was_seen_the_optimiser_tells_what_is_meant_to_learn() -> None:
    (finding,) = no_gradient_path(unheard(64 * 64), LIMITS)
    assert finding.severity == "warning"
    assert "1 of 3 layers stay as they were drawn: an optimiser holds them, and no backward pass" in finding.message


def test_where_no_site_was_seen_a_lesser_part_may_not_be_in_use() -> None:
    assert list(no_gradient_path(unheard(64 * 64 - 1), LIMITS)) == []


def test_a_recurrent_layer_is_known_by_the_gates_that_it_holds() -> None:
    vitals = given(layers=(cut("rnn.l0.input"),))
    gate = replace(vitals.sites[0], site=replace(vitals.sites[0].site, layer=None))
    lost = Untrained("rnn.weight_hh_l0", "rnn", 4096, "no-gradient", True)
    vitals = replace(vitals, sites=(gate,), program=Program(untrained=(lost,)))
    (finding,) = no_gradient_path(vitals, LIMITS)
    assert "(rnn)" in finding.message


def test_each_of_several_models_is_judged_by_itself() -> None:
    vitals = given(layers=(Layer("G.fc1", model="G"), Layer("G.fc2", model="G"), Layer("D.fc1", model="D")))
    own = tuple(one for one in vitals.parameters if one.parameter.name.startswith("G."))
    lost = Program(untrained=(left("D.fc1", entries=64),))
    (finding,) = no_gradient_path(replace(vitals, parameters=own, program=lost), LIMITS)
    assert (finding.where, finding.severity) == ("D", "error")


def test_many_layers_are_not_all_named() -> None:
    vitals = given(*(left(f"fc{i}") for i in range(9)))
    (finding,) = no_gradient_path(vitals, LIMITS)
    assert "fc3.linear and 5 more" in finding.message


def test_a_loss_that_does_not_fall_has_it_as_its_cause() -> None:
    patient = Patient(tuple(Layer(f"fc{i}", update=0.5) for i in range(2)), losses=(noisy(2.3, 0.02),))
    vitals = replace(patient.vitals, program=Program(untrained=(left("fc8", entries=10**6),)))
    (harm,) = (one for one in diagnose(vitals) if one.symptom == "not-learning")
    assert harm.causes[0].name == "no-gradient-path"
