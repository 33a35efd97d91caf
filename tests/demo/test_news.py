"""What is told of a watched training, once each."""

from dataclasses import replace

from limen.demo.news import Line, Told, healed, news
from limen.findings import Cause, Finding
from limen.journal import TreatmentRecord

FOUND = Finding(
    symptom="dead-units", severity="warning", where="relu1", layer="fc1", units=tuple(range(10)), step=21, measured=0.4,
    limit=0.25, unit="share of units", confidence=0.9, causes=(Cause("learning-rate-too-high", 0.62, "Step 8 moved."),),
    remedies=("revive-units",), message="40 of 100 units are dead.",
)  # fmt: skip
TREATED = TreatmentRecord("revive-units", "relu1", 50, kept=True, detail="10 units drawn anew")


def test_a_finding_names_symptom_layer_units_step_and_cause() -> None:
    lines, _ = news(Told(), (FOUND,), ())
    assert lines == (
        Line("found", "dead-units at relu1, fed by layer fc1, since step 21"),
        Line("what", "40 of 100 units are dead."),
        Line("units", "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"),
        Line("why", "learning-rate-too-high (62 % sure). Step 8 moved."),
    )


def test_the_same_is_told_once() -> None:
    _, told = news(Told(), (FOUND,), (TREATED,))
    assert news(told, (replace(FOUND, units=(1, 2, 3), step=20),), (TREATED,))[0] == ()


def test_a_repair_is_told_after_what_it_repairs() -> None:
    lines, _ = news(Told(), (FOUND,), (TREATED,), brief=True)
    assert [line.label for line in lines] == ["found", "why", "repaired"]
    assert lines[-1].text == "after step 50: 10 units drawn anew"


def test_mere_information_is_not_told() -> None:
    assert news(Told(), (replace(FOUND, severity="info"),), ())[0] == ()


def test_what_is_over_healed() -> None:
    assert healed((replace(FOUND, closed=70),)) == (Line("healed", "dead-units at relu1, by step 70"),)


def test_dying_units_that_are_dead_now_did_not_heal() -> None:
    assert healed((FOUND, replace(FOUND, symptom="dying-units", closed=60))) == ()
