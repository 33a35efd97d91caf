"""Causes that the objects of a training tell: dropouts, normalisations, layers in a row, strange functions."""

from __future__ import annotations

import pytest

from limen.findings import Finding, diagnose
from limen.vitals import Dropout, Interposed, Normalisation, Program, Vitals
from tests.findings.patients import Layer, Patient, noisy

STUCK = (noisy(2.303, 0.02),)


def facts(program: Program, patient: Patient | None = None) -> tuple[Finding, ...]:
    """What is seen without a symptom in a training that is sound but for its program."""
    whole = patient or Patient()
    found = diagnose(Patient(whole.layers, whole.steps, losses=whole.losses, program=program).vitals)
    return tuple(one for one in found if one.symptom is None)


def levels(program: Program, patient: Patient | None = None) -> list[tuple[str, str, str]]:
    return [(one.name, one.severity, one.where) for one in facts(program, patient)]


def dropped(share: float, width: int = 256) -> Program:
    return Program(dropouts=(Dropout("drop", share, "Dropout", width),))


@pytest.mark.parametrize(
    ("share", "width", "severity"),
    [
        (0.97, 4096, "warning"),
        (0.95, 4096, "warning"),
        (0.92, 64, "warning"),  # five values are left
        (0.92, 4096, "info"),
        (0.92, 0, "info"),
        (1.0, 64, "error"),
    ],
)
def test_a_dropout_of_nearly_all_is_seen(share: float, width: int, severity: str) -> None:
    (found,) = facts(dropped(share, width))
    assert (found.name, found.severity, found.where) == ("excess-dropout", severity, "drop")
    assert found.remedies == ("reduce-dropout",)


@pytest.mark.parametrize(("share", "width"), [(0.0, 64), (0.1, 768), (0.5, 8), (0.8, 256), (0.89, 4)])
def test_ordinary_dropout_is_silent(share: float, width: int) -> None:
    assert not facts(dropped(share, width))
    assert not facts(Program(dropouts=tuple(Dropout(f"d{i}", share, "Dropout", width) for i in range(24))))


@pytest.mark.parametrize(
    ("shares", "told"), [((0.8, 0.8), True), ((0.5,) * 5, True), ((0.5,) * 4, False), ((0.1,) * 36, False)]
)
def test_dropouts_in_a_row_explain_a_loss_that_does_not_fall(shares: tuple[float, ...], told: bool) -> None:
    dead = Patient((Layer("fc1"), Layer("fc2", died=(0,) * 64)), losses=STUCK)
    program = Program(dropouts=tuple(Dropout(f"d{i}", share, "Dropout", 512) for i, share in enumerate(shares)))
    found = diagnose(Patient(dead.layers, dead.steps, losses=STUCK, program=program).vitals)
    (stuck,) = [one for one in found if one.symptom == "not-learning"]
    assert ("excess-dropout" in [one.name for one in stuck.causes]) == told


def norm(kind: str = "BatchNorm1d", values: int = 64, **more: bool | float) -> Program:
    return Program(norms=(Normalisation("norm", kind, values, **{"trains": True, **more}),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("program", "severity"),
    [
        (norm(values=2), "warning"),
        (norm("LayerNorm", 1), "error"),
        (norm("GroupNorm", 1), "error"),
        (norm("RMSNorm", 1), "warning"),
        (norm(trains=False, untouched=True), "info"),
        (norm(dropped=0.5), "info"),
        (norm("BatchNorm2d", 1568, samples=2, independent=3.9), "warning"),
        (norm("SyncBatchNorm", 98, samples=2, independent=1.2), "warning"),
        (norm("BatchNorm2d", 784, samples=1, independent=3.9), "info"),
    ],
    ids=["of two", "layer", "group", "rms", "untouched", "dropped", "two images", "two together", "one image"],
)
def test_a_normalisation_of_next_to_nothing_or_of_something_else_is_seen(program: Program, severity: str) -> None:
    assert levels(program) == [("normalisation-misuse", severity, "norm")]


@pytest.mark.parametrize(
    "program",
    [
        norm(values=3),
        norm(values=2, trains=False),  # a frozen one takes no statistics of the batch
        norm(values=1, trains=False),
        norm("LayerNorm", 2),
        norm("LayerNorm", 768),
        norm("InstanceNorm2d", 0),  # unknown
        norm(trains=False),  # frozen, as it was trained
        norm(dropped=0.3),
        norm("BatchNorm2d", 1568, samples=2, independent=4.0),
        norm("BatchNorm2d", 1568, samples=2),  # not measured
        norm("BatchNorm2d", 2352, samples=3, independent=2.0),
        norm("BatchNorm2d", 12544, samples=16, independent=1.0),
        norm("BatchNorm2d", 1568, samples=2, independent=1.0, trains=False),
        norm("LayerNorm", 64, dropped=0.5),
    ],
    ids=str,
)
def test_ordinary_normalisations_are_silent(program: Program) -> None:
    assert not facts(program)


def test_plain_dropout_in_a_net_of_selu_is_a_remark() -> None:
    net = Patient((Layer("fc1", function="selu"), Layer("fc2", function="selu")))
    mixed = Patient((Layer("fc1", function="selu"), Layer("fc2")))
    alpha = Program(dropouts=(Dropout("drop", 0.1, "AlphaDropout", 64),))
    assert levels(dropped(0.1), net) == [("normalisation-misuse", "info", "drop")]
    assert not facts(dropped(0.1), mixed)
    assert not facts(alpha, net)


def test_layers_in_a_row_are_seen_also_in_a_net_without_any_activation() -> None:
    program = Program(unseparated=(("fc1", "fc2", "fc3"),), barely=(("fc1", "fc2", "fc3"), ("conv", "fc1")))
    (found,) = facts(program)
    assert (found.name, found.severity, found.where, found.measured) == ("missing-activation", "warning", "fc3", 3.0)
    assert "fc1, fc2 and fc3" in found.message
    assert found.remedies == ("add-activation",)
    pooled, alone = sorted(diagnose(Vitals(step=20, program=program)), key=lambda one: one.where)
    assert (alone.name, alone.severity) == ("missing-activation", "warning")
    assert "no activation in the whole model" in alone.message
    assert (pooled.where, pooled.name, "none in the whole model" in pooled.message) == ("fc1", alone.name, True)
    assert alone.confidence < found.confidence


def between(function: str, count: int, *, norm: bool = False) -> Program:
    return Program(interposed=tuple(Interposed(function, f"fc{i}", f"fc{i + 1}", norm) for i in range(count)))


@pytest.mark.parametrize(
    ("program", "severity"),
    [
        (between("exp", 2), "warning"),
        (between("exp", 1), "info"),
        (between("exp", 4, norm=True), "info"),
        (between("softmax", 2), "warning"),
        (between("softmax", 1), "info"),
        (between("pow", 3), "warning"),
        (between("pow", 2), "info"),
    ],
    ids=["exp", "one exp", "normalised exp", "softmax", "one softmax", "pow", "two pow"],
)
def test_a_strange_hidden_function_is_seen_and_in_one_place_a_remark(program: Program, severity: str) -> None:
    assert levels(program) == [("wrong-activation", severity, "fc0")]


def test_what_follows_from_a_fact_has_it_as_its_first_cause() -> None:
    dead = Patient((Layer("fc1"), Layer("fc2", died=(0,) * 64)), losses=STUCK, program=between("softmax", 3))
    (stuck,) = [one for one in diagnose(dead.vitals) if one.symptom == "not-learning"]
    assert stuck.causes[0].name == "wrong-activation"
