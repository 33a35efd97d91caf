"""The page says what the results say."""

from __future__ import annotations

from ward.faults import FAULTS
from ward.reasons import REASONS
from ward.score import Share
from ward.write import PAGE, made, page


def outcome(case: str, fault: str | None, **options: object) -> dict[str, object]:
    about = {"case": case, "base": case, "half": "scored", "architecture": "mlp", "fault": fault}
    return about | {"alarms": [], "causes": [], "peers": {"AutoTrainer": []}} | options


RESULTS = {
    "minutes": 3.5,
    "jobs": 2,
    "warm": False,
    "outcomes": [
        outcome("a", "all weights zero", found=True, right=1, step=0.25, alarms=["not-learning"]),
        outcome("b", "all weights zero", peers={"AutoTrainer": ["dying ReLU"]}),
        outcome("c", None, alarms=["dead-units", "dead-units"]),
        outcome("d", None),
    ],
}
HARM = [
    {"case": "a", "fault": "all weights zero", "holds": True, "why": "not finite", "torchdiag": ["dead"]},
    {"case": "c", "fault": None, "holds": True, "why": "learns", "torchdiag": []},
]


def test_every_figure_is_on_the_page() -> None:
    written = page(RESULTS, HARM, "# The ward\n")
    low, high = Share(1, 2).interval
    half = f"1 of 2, 50.0 % ({100 * low:.1f} to {100 * high:.1f})"
    assert f"| sick, and found | – | {half} |" in written
    assert f"| sound, with an alarm | – | {half} |" in written
    assert "| all weights zero | 1/2 | 1/2 | 1/2 | 25.0 % |" in written
    assert "| mlp | 1/2 | 1/2 | 1/2 | 25.0 % | 1/2 |" in written
    assert f"| rules of AutoTrainer, restated | {half} | 0 of 2" in written
    assert "| torchdiag 0.1.0, after the last step | 1 of 1" in written


def test_every_miss_is_explained_and_every_false_alarm_named() -> None:
    written = page(RESULTS, HARM, "# The ward\n")
    assert f"**all weights zero.** {REASONS['all weights zero']}\n\n* b: nothing said\n" in written
    assert "* c: dead-units\n" in written
    assert "* d" not in written


def test_every_fault_has_a_reason() -> None:
    assert set(REASONS) == {fault.name for fault in FAULTS}


def test_the_page_is_that_of_the_saved_results() -> None:
    assert PAGE.read_text() == made()
