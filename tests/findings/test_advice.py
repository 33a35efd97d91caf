from dataclasses import replace
from typing import Literal

import pytest

from limen.errors import UnknownName
from limen.findings import CAUSES, REMEDIES, SYMPTOMS, Cause, Finding, advice, diagnose, is_safe
from limen.findings.output_fit import CLIMB
from limen.findings.remedies import remedies_for
from limen.treatments import plan
from limen.vitals import Program, Untrained, Vitals
from tests.findings.patients import Layer, Patient, noisy
from tests.findings.test_diagnose import BIASED, DEEP_SIGMOID, KILLED, SICK, UNSCALED


@pytest.mark.parametrize("patient", SICK)
@pytest.mark.parametrize("remedy", REMEDIES)
def test_there_is_one_sentence_for_every_remedy_and_finding(patient: Patient, remedy: str) -> None:
    for finding in diagnose(patient.vitals):
        for vitals in (None, Vitals(), patient.vitals):
            said = advice(remedy, finding, vitals)
            assert said[0].isupper()
            assert said.endswith(".")
            assert "{" not in said


def test_it_speaks_of_the_case() -> None:
    (killed,) = diagnose(KILLED.vitals)
    assert advice("lower-learning-rate", killed, KILLED.vitals) == (
        "Lower the learning rate (2 → try 1). `--treat safe` does this while the training runs."
    )
    assert "the 87 dead units of fc1.linear" in advice("revive-units", killed)
    assert "leaky_relu, elu or gelu in place of relu at fc1" in advice("swap-activation", killed, KILLED.vitals)
    vanished = diagnose(DEEP_SIGMOID.vitals)[0]
    assert "a member of the ReLU family in place of sigmoid" in advice("swap-activation", vanished, DEEP_SIGMOID.vitals)
    assert "in place of sigmoid in all 10 hidden layers." in advice("swap-activation", vanished, DEEP_SIGMOID.vitals)
    assert "the weights of all 10 hidden layers again" in advice("reinitialise", vanished, DEEP_SIGMOID.vitals)
    mixed = replace(DEEP_SIGMOID, layers=(*DEEP_SIGMOID.layers[:-1], replace(DEEP_SIGMOID.layers[-1], function="relu")))
    assert "in place of sigmoid in 9 of 10 hidden layers." in advice("swap-activation", vanished, mixed.vitals)
    stuck = diagnose(UNSCALED.vitals)[0]
    assert "(33 and 78)" in advice("scale-inputs", stuck, UNSCALED.vitals)


@pytest.mark.parametrize("update", [0.02, 0.3, 50.0])
def test_the_rate_that_is_proposed_is_the_one_that_the_plan_sets(update: float) -> None:
    patient = replace(KILLED, layers=tuple(replace(layer, update=update) for layer in KILLED.layers))
    finding = replace(diagnose(KILLED.vitals)[0], causes=(Cause("learning-rate-too-high", 0.9, "So."),))
    factor = next(step.factor for step in plan((finding,), patient.vitals) if step.name == "lower-learning-rate")
    less = " or less" if update == 50.0 else ""  # the plan lowers it again where that was not enough
    assert f"(2 → try {2 * factor:.3g}{less})." in advice("lower-learning-rate", finding, patient.vitals)


def test_a_learning_rate_that_is_too_low_is_raised_from_where_it_is() -> None:
    slow = Patient(
        (Layer("fc1", update=1e-8), Layer("fc2", update=1e-8)), losses=(noisy(2.3, 0.02),), learning_rate=1e-7
    )
    finding = next(one for one in diagnose(slow.vitals) if one.symptom == "not-learning")
    assert "(1e-07 → try 1e-06)" in advice("raise-learning-rate", finding, slow.vitals)


@pytest.mark.parametrize(
    ("update", "rate"),
    [
        (1e-8, "0.01"),
        (1.05e-8, "0.01"),
        (2e-8, "0.001"),
        (9e-7, "0.0001"),
        (0.0, "1e-06"),
    ],  # 1e-3 / update, as a power of ten, times 1e-7
)
def test_a_rate_that_is_seen_to_be_too_low_is_raised_to_a_usual_update(update: float, rate: str) -> None:
    layers = tuple(Layer(f"fc{i}", update=update, weight_gradient=1.0) for i in range(2))
    slow = Patient(layers, losses=(noisy(2.3, 0.02),), learning_rate=1e-7)
    finding = next(one for one in diagnose(slow.vitals) if one.symptom is None)
    assert f"(1e-07 → try {rate})" in advice("raise-learning-rate", finding, slow.vitals)


@pytest.mark.parametrize(
    ("cause", "words"),
    [("missing-zero-grad", "zero_grad() in each step"), ("no-gradient-path", "every parameter"), ("bad-bias", "Check")],
)
def test_what_to_look_for_in_a_loop_depends_on_the_cause(cause: str, words: str) -> None:
    finding = replace(diagnose(KILLED.vitals)[0], causes=(Cause(cause, 0.9, "So."),))
    assert words in advice("fix-training-loop", finding)


def test_a_site_that_is_a_number_is_told_by_its_layer() -> None:
    killed, vitals = diagnose(KILLED.vitals)[0], KILLED.vitals
    numbered = replace(vitals.sites[0], site=replace(vitals.sites[0].site, name="1", layer="0"))
    said = advice("swap-activation", replace(killed, where="1", layer="0"), replace(vitals, sites=(numbered,)))
    assert "in place of relu after layer 0." in said
    assert "dead units of layer 0 again" in advice("revive-units", replace(killed, where="1", layer="0"))


def test_an_unknown_remedy_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'revive-units'"):
        advice("revive-unit", diagnose(KILLED.vitals)[0])


@pytest.mark.parametrize("patient", [KILLED, BIASED])
@pytest.mark.parametrize("symptom", ["dead-units", "dying-units", "exploding-gradient", "saturated-units"])
@pytest.mark.parametrize("cause", CAUSES)
def test_what_it_calls_safe_is_what_the_plan_applies(patient: Patient, symptom: str, cause: str) -> None:
    assert symptom in SYMPTOMS
    finding = replace(
        diagnose(patient.vitals)[0],
        symptom=symptom,
        causes=(Cause(cause, 0.9, "So."),),
        remedies=remedies_for(symptom, (Cause(cause, 0.9, "So."),)),
    )
    planned = {step.name for step in plan((finding,), patient.vitals)}
    assert {remedy for remedy in REMEDIES if is_safe(remedy, finding)} == planned
    remark = replace(finding, severity="info")
    assert [remedy for remedy in REMEDIES if is_safe(remedy, remark)] == []


def found() -> Finding:
    return diagnose(KILLED.vitals)[0]


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ((), "raw scores for cross-entropy"),
        (("cross-entropy",), "one raw score for each class"),
        (("bce", "bce"), "probabilities"),
        (("mse", "l1"), "values without a bound"),
        (("mse", "bce"), "raw scores for cross-entropy"),
        (("other",), "raw scores for cross-entropy"),
    ],
)
def test_an_output_is_mended_for_the_loss_that_is_used(functions: tuple[str, ...], expected: str) -> None:
    loss = Patient().vitals.losses[0]
    vitals = replace(Vitals(), losses=tuple(replace(loss, function=one) for one in functions))
    assert advice("fix-output-head", found(), vitals) == f"Let the last layer give what the loss expects: {expected}."


def test_a_loss_that_is_climbed_is_mended_by_its_sign() -> None:
    assert "sign of the loss" in advice("fix-loss", replace(found(), unit=CLIMB))
    assert "raw scores" in advice("fix-loss", found())


def test_a_softmax_before_a_loss_that_takes_one_is_named() -> None:
    loss = replace(Patient().vitals.losses[0], function="cross-entropy", head="softmax")
    said = advice("fix-output-head", found(), replace(Vitals(), losses=(loss,)))
    assert said.startswith("Take the softmax before the loss away.")
    for head in ("linear", ""):
        spared = replace(Vitals(), losses=(replace(loss, head=head),))
        assert advice("fix-output-head", found(), spared).startswith("Let the last layer")


def about(cause: str, where: str, unit: str = "values", limit: float = 1.0) -> Finding:
    return replace(found(), causes=(Cause(cause, 0.9, "So."),), where=where, layer=where, unit=unit, limit=limit)


@pytest.mark.parametrize(
    ("unit", "limit", "words"),
    [
        ("values", 2.0, "Use batches of 16 or more"),
        ("values", 1.0, "more than one number"),
        ("independent values", 4.0, "Use batches of 16 or more"),
        ("untouched statistics", 0.0, "model.train()"),
        ("probability", 0.3, "AlphaDropout"),
    ],
)
def test_a_normalisation_is_mended_by_what_ails_it(unit: str, limit: float, words: str) -> None:
    assert words in advice("fix-normalisation", about("normalisation-misuse", "bn", unit, limit))


def test_layers_that_follow_each_other_are_named() -> None:
    program = Program(unseparated=(("fc1", "fc2", "head"),))
    said = advice("add-activation", about("missing-activation", "head"), replace(Vitals(), program=program))
    assert said == "Put an activation, relu for instance, after fc1 and fc2."
    assert "at head." in advice("add-activation", about("missing-activation", "head"))


@pytest.mark.parametrize(("reason", "words"), [("no-optimiser", "model.parameters()"), ("no-gradient", "detach")])
def test_a_layer_without_an_update_is_mended_by_why_it_has_none(
    reason: Literal["no-optimiser", "no-gradient"], words: str
) -> None:
    program = Program(untrained=(Untrained("fc1.weight", "fc1", 64, reason, True),))
    said = advice("fix-training-loop", about("no-gradient-path", "model"), replace(Vitals(), program=program))
    assert words in said
    assert ("model.parameters()" in said) != ("detach" in said)
