from dataclasses import replace

from limen.findings import Cause, Finding, diagnose, group
from tests.findings.patients import Layer, Patient, noisy

KILLED = Cause("learning-rate-too-high", 0.9, "Step 3 moved a.")
UNSCALED = Cause("unscaled-inputs", 0.5, "The input is large.")
BIASED = Patient(
    tuple(Layer(f"fc{i}", mean=-10.0, std=0.4, bias=10.0, died=(0,) * 64) for i in range(3)),
    losses=(noisy(2.3, 0.02),),
)


def found(where: str, *causes: Cause, symptom: str = "dead-units", severity: str = "error", step: int = 5) -> Finding:
    return Finding(
        symptom, severity, where, where, (), step, 0.75, 0.5, "share of units", 0.9,  # pyright: ignore
        causes, tuple(f"mend-{cause.name}" for cause in causes), f"{where} is ill.",
    )  # fmt: skip


def test_the_same_symptom_for_the_same_reason_is_one_group() -> None:
    a, b = found("a", KILLED, step=9), found("b", KILLED, UNSCALED, severity="warning")
    (one,) = group((a, b))
    assert (one.symptom, one.severity, one.members, one.root) == ("dead-units", "error", (a, b), b)
    assert one.causes == (KILLED, UNSCALED)
    assert one.remedies == ("mend-learning-rate-too-high", "mend-unscaled-inputs")
    assert one.message == "dead-units in 2 places: a (75 %), b (75 %). b is ill."


def test_the_evidence_of_a_shared_cause_is_that_of_the_root() -> None:
    other = replace(KILLED, evidence="Step 4 moved b.")
    (one,) = group((found("b", other, step=9), found("a", KILLED)))
    assert one.causes == (KILLED,)


def test_other_reasons_symptoms_and_what_is_over_stand_apart() -> None:
    each = (
        found("a", KILLED),
        found("b", UNSCALED),
        found("c", KILLED, symptom="dying-units"),
        found("d"),
        replace(found("e", KILLED), closed=40),
    )
    told = group(each)
    assert [one.members for one in told] == [(finding,) for finding in each]
    assert [one.message for one in told] == [finding.message for finding in each]
    assert [one.closed for one in told] == [None, None, None, None, 40]


def test_many_places_are_counted_not_listed() -> None:
    (one,) = group(tuple(found(f"l{i}", KILLED) for i in range(9)))
    assert one.message.startswith("dead-units in 9 places: l0 (75 %), l1 (75 %), l2 (75 %), l3 (75 %) and 5 more. l0")


def test_a_loss_that_does_not_fall_for_the_same_reason_is_a_consequence() -> None:
    ill, flat = found("a", KILLED), replace(found("model", KILLED), symptom="not-learning")
    (one,) = group((ill, flat))
    assert (one.members, one.consequences) == ((ill,), (flat,))
    alone = replace(flat, causes=(UNSCALED,))
    assert [g.members for g in group((ill, alone))] == [(ill,), (alone,)]
    assert [g.members for g in group((alone,))] == [(alone,)]


def test_members_stand_in_forward_order_where_vitals_are_known() -> None:
    vitals = BIASED.vitals
    findings = diagnose(vitals)
    (one,) = group(reversed(findings), vitals)
    assert [finding.where for finding in one.members] == ["fc0", "fc1", "fc2"]
    assert one.root.where == "fc0"
    assert [finding.name for finding in one.members] == ["bad-bias"] * 3
    assert {finding.symptom for finding in one.consequences} == {"dead-units", "not-learning"}


def test_every_finding_is_in_one_group_unchanged() -> None:
    findings = diagnose(BIASED.vitals)
    kept = [one for g in group(findings) for one in (*g.members, *g.consequences)]
    assert sorted(kept, key=findings.index) == list(findings)
    assert group(()) == ()
