"""What follows from what: the table, and that it is what findings are folded by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from limen.findings import SYMPTOMS, Cause, Finding, group
from limen.findings.consequences import CONSEQUENCES, folded, follows, handed_down
from limen.findings.thresholds import Thresholds

LIMITS = Thresholds()
REASON = Cause("bad-initialisation", 0.9, "Began wide.")


def found(symptom: str | None, *, severity: str = "error", step: int = 1, cause: Cause = REASON) -> Finding:
    return Finding(
        symptom, severity, f"at {symptom}", None, (), step, 1.0, 0.5, "steps", 0.9, (cause,), (), "Ill.",  # pyright: ignore
    )  # fmt: skip


def test_the_table_speaks_of_symptoms_once_each_and_gives_a_reason() -> None:
    pairs = [(one.root, one.symptom) for one in CONSEQUENCES]
    assert len(set(pairs)) == len(pairs)
    assert {name for pair in pairs for name in pair} == set(SYMPTOMS)
    assert all(one.root != one.symptom and one.reason.endswith(".") for one in CONSEQUENCES)


def test_nothing_is_listed_below_its_own_consequence() -> None:
    below = {name: {one for one in SYMPTOMS if follows(name, one)} for name in SYMPTOMS}

    def all_below(name: str) -> set[str]:
        return below[name].union(*map(all_below, below[name]))  # does not end where there is a circle

    assert all(name not in all_below(name) for name in SYMPTOMS)


def test_everything_that_keeps_a_network_from_learning_is_above_a_loss_that_does_not_fall() -> None:
    assert all(follows(name, "not-learning") for name in set(SYMPTOMS) - {"not-learning", "non-finite"})
    assert not any(follows("not-learning", name) for name in SYMPTOMS)


@pytest.mark.parametrize("root", ["dead-units", "saturated-units"])
def test_a_vanished_gradient_is_left_out_below_a_layer_that_passes_none(root: str) -> None:
    vanished = found("vanishing-gradient")
    assert folded([found(root), vanished], LIMITS) == [found(root)]
    assert folded([found(root, severity="warning"), vanished], LIMITS) == [found(root, severity="warning"), vanished]


@pytest.mark.parametrize("symptom", [name for name in SYMPTOMS if name != "non-finite"])
def test_after_a_nan_counts_what_twenty_steps_before_it_agreed_on_and_what_led_to_it(symptom: str) -> None:
    nan = found("non-finite", step=100)
    early, late = found(symptom, step=80), found(symptom, step=81)
    assert folded([nan, early], LIMITS) == [nan, early]
    assert (late in folded([nan, late], LIMITS)) == (symptom == "exploding-gradient")
    passed = replace(nan, severity="info")  # all values have been finite again since
    assert folded([passed, late], LIMITS) == [passed, late]


def test_a_chain_of_consequences_is_one_root() -> None:
    chain = [found(name) for name in ("exploding-activations", "exploding-gradient", "non-finite", "not-learning")]
    (one,) = group(reversed(chain))
    assert one.root == chain[0]
    assert {finding.symptom for finding in one.consequences} == {finding.symptom for finding in chain[1:]}


def test_an_explosion_for_another_reason_is_another_root() -> None:
    nan = found("non-finite", cause=Cause("loss-numerics", 0.9, "A log of zero."))
    assert len(group([found("exploding-gradient"), nan])) == 2


def test_a_cause_that_is_seen_is_above_all_that_it_is_the_likeliest_cause_of() -> None:
    seen = Cause("learning-rate-too-high", 0.9, "Step 3 moved a.")
    fact = found(None, severity="warning", cause=seen)
    chain = [found(name, cause=seen) for name in ("exploding-gradient", "non-finite")]
    (one,) = group([*chain, fact])
    assert (one.root, one.consequences) == (fact, tuple(chain))


def test_only_errors_hand_their_causes_down_and_only_to_a_loss_that_does_not_fall() -> None:
    dead, warned = found("dead-units"), found("saturated-units", severity="warning")
    flat = found("not-learning")
    assert handed_down(flat, [dead, warned, flat]) == [dead]
    assert handed_down(found("dying-units"), [dead, warned]) == []
