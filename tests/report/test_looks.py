from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limen.journal import Run
from limen.report.course import loss_title
from limen.report.evidence import evidence
from limen.report.figures import loss_curves
from limen.report.headline import headline
from limen.report.looks import blind, ending, last_look
from limen.report.maps import activity_map, gradient_map
from limen.report.page import verdict
from limen.vitals import Vitals
from tests.report import runs
from tests.report.parts import BATCH, loss_vitals, optimiser, site_vitals, weight_vitals


def looked_at(*steps: int, last: int = 600) -> Run:
    """A healthy run of which only some steps were looked at; the loss is known at all of them."""
    seen = np.array(steps)
    vitals = Vitals(
        step=last,
        samples=len(seen) * BATCH,
        sites=tuple(site_vitals(f"relu{i + 1}", i, seen, dead=lambda t: 0 * t + 40) for i in range(2)),
        parameters=(weight_vitals("fc1", 0, seen, lambda t: 1e-3 + 0 * t),),
        losses=(loss_vitals(np.arange(1, last + 1), lambda t: 0.09 + 2.2 * np.exp(-t / 90)),),
        optimisers=(optimiser(seen, lambda t: 0.05 + 0 * t),),
        looked=len(seen),
    )
    return replace(runs.healthy(), vitals=vitals)


EARLY = looked_at(*range(1, 78))
GAP = looked_at(*range(1, 101), *range(400, 601))
SPARSE = looked_at(*range(1, 51), *range(60, 601, 12))


@pytest.mark.parametrize(
    ("run", "stretches", "last", "when"),
    [
        (EARLY, ((78, 600),), 77, "at step 77"),
        (GAP, ((101, 399),), 600, "at the end"),
        (SPARSE, (), 600, "at the end"),  # samples of the whole, no stretch unseen
        (looked_at(*range(1, 590)), (), 589, "at the end"),  # near enough
        (runs.healthy(), (), 600, "at the end"),
        (runs.nothing(), (), 0, "at the end"),
    ],
)
def test_the_stretches_without_a_look_are_known(run: Run, stretches: Any, last: int, when: str) -> None:
    assert (blind(run), last_look(run), ending(run)) == (stretches, last, when)


def test_a_run_seen_at_every_step_has_no_gap_though_its_histories_are_thinned() -> None:
    run = looked_at(1, 300, 600)
    assert blind(replace(run, vitals=replace(run.vitals, looked=600))) == ()


def test_the_verdict_says_how_much_was_looked_at_and_until_when() -> None:
    assert headline(EARLY) == "healthy: 2 sites, 77 of 600 steps watched, the last at step 77, to keep the budget"
    assert headline(SPARSE) == "healthy: 2 sites, 96 of 600 steps watched"
    assert verdict(EARLY)["title"] == "Nothing to report, up to step 77"
    facts: Any = verdict(EARLY)["facts"]
    assert facts[0] == {"name": "Steps", "value": "600", "more": "77 looked at, 9,856 samples"}
    whole: Any = verdict(runs.healthy())["facts"]
    assert whole[0]["more"] == "76,800 samples looked at"


def test_no_heading_speaks_of_the_end_where_none_was_seen() -> None:
    activity, gradient = activity_map(EARLY), gradient_map(EARLY)
    assert activity is not None
    assert gradient is not None
    titles = [view.heading for view in (*activity.views, *gradient.views)]
    assert not [title for title in titles if "at the end" in title]
    assert "No unit is saturated at step 77" in titles
    assert loss_title(EARLY).startswith("The loss fell from")  # which is known at every step


@pytest.mark.parametrize(("run", "stretch"), [(EARLY, (78, 600)), (GAP, (101, 399))])
def test_maps_are_blank_where_nobody_looked_and_only_there(run: Run, stretch: tuple[int, int]) -> None:
    activity = activity_map(run)
    assert activity is not None
    told: Any = activity.json()
    assert told["blind"] == [list(stretch)]
    view = told["views"][0]
    spans = [(np.ceil(a), np.floor(b)) for a, b in zip(view["edges"], view["edges"][1:], strict=False)]
    dark = [i for i, span in enumerate(spans) if span == stretch]
    assert [i for i in range(len(spans)) if i not in view["seen"]] == dark
    for row in view["z"]:
        assert [i for i, value in enumerate(row) if value is None] == dark
    assert activity.last == len(view["seen"]) - 1


def test_curves_break_where_nobody_looked_and_the_loss_goes_on() -> None:
    figure = loss_curves(GAP)
    assert figure is not None
    data: Any = figure.data
    loss, rate, update = data
    assert None not in loss["y"]
    for curve in (rate, update):
        assert [x for x, y in zip(curve["x"], curve["y"], strict=True) if y is None] == [101]
    layout: Any = figure.layout
    assert [(part["from"], part["to"]) for part in layout["blind"]] == [(101, 399)] * 2
    assert max(part["top"] for part in layout["blind"]) <= layout["yaxis2"]["domain"][1]


def test_few_looks_are_drawn_as_points() -> None:
    finding = replace(runs.sick().findings[0], step=400, causes=())
    few: Any = evidence(looked_at(*range(1, 601, 12)), finding)[0]
    assert few.data[0]["mode"] == "lines+markers"
    all_: Any = evidence(looked_at(*range(1, 601)), finding)[0]
    assert all_.data[0]["mode"] == "lines"
