from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limen.findings import SYMPTOMS, Cause
from limen.report.evidence import evidence
from tests.report import runs


@pytest.mark.parametrize("symptom", [*SYMPTOMS, None])
@pytest.mark.parametrize("where", ["relu1", "fc1.weight", "model", "nowhere"])
def test_every_symptom_at_any_place_can_be_drawn(symptom: str | None, where: str) -> None:
    run = runs.sick()
    finding = replace(run.findings[0], symptom=symptom, where=where)
    figures = evidence(run, finding)
    assert len(figures) == 2
    assert all(figure.data and figure.title for figure in figures)


def test_dead_units_are_counted_over_time_and_the_onset_is_marked() -> None:
    run = runs.sick()
    counted: Any = evidence(run, run.findings[0])[0]
    trace = counted.data[0]
    history = dict(zip(run.vitals.sites[0].history.step, run.vitals.sites[0].history.dead, strict=True))
    assert all(history[step] == dead for step, dead in zip(trace["x"], trace["y"], strict=True))
    assert counted.layout["marks"][0] == {"step": 3, "text": "since step 3", "fault": True}
    assert counted.title == "Dead units of relu1, out of 128"


def test_a_healed_finding_shows_where_it_ended() -> None:
    run = runs.sick()
    layout: Any = evidence(run, run.findings[2])[0].layout
    assert [(m["step"], m["fault"]) for m in layout["marks"]] == [(5, True), (61, False)]


def test_a_learning_rate_is_blamed_with_the_updates_of_the_layer_and_the_rate() -> None:
    run = runs.sick()
    figure: Any = evidence(run, run.findings[0])[1]
    assert figure.title == "How much each step changes fc1.weight"
    assert [trace["yaxis"] for trace in figure.data] == ["y", "y2"]
    assert 2.0 in figure.data[1]["y"]


def test_another_cause_is_not_drawn_as_a_learning_rate() -> None:
    run = runs.sick()
    finding = replace(run.findings[0], causes=(Cause("bad-bias", 0.9, ""),))
    assert len(evidence(run, finding)) == 1


def test_a_vanishing_gradient_is_a_profile_with_its_site_marked() -> None:
    run = runs.vanishing()
    finding = next(f for f in run.findings if f.symptom == "vanishing-gradient")
    figure: Any = evidence(run, finding)[0]
    _, at_onset, marked = figure.data
    assert at_onset["x"] == pytest.approx([v.history.gradient[0] for v in run.vitals.sites], rel=1e-3)  # four digits
    assert marked["y"] == ["body.1"]


def test_the_first_steps_are_spread_out_when_the_story_is_there() -> None:
    run = runs.sick()
    assert evidence(run, run.findings[0])[0].time == "log"
    assert evidence(run, replace(run.findings[0], step=900))[0].time == "linear"


def test_nothing_recorded_gives_nothing_drawn() -> None:
    run = runs.nothing()
    assert evidence(run, runs.sick().findings[0]) == []
    history = runs.all_nan()
    lost = replace(history.findings[0], symptom="exploding-activations")
    assert evidence(history, lost) == []
    assert np.isnan(history.vitals.sites[0].history.std).all()


def test_units_are_shown_when_they_fell_silent_and_when_that_was_sure() -> None:
    run = runs.sick()
    figure: Any = evidence(run, run.findings[0])[0]
    confirmed, silent = figure.data
    assert (confirmed["fill"], confirmed["y"][-1]) == ("tozeroy", 87)
    dead = list(run.findings[0].units)
    for step, units in zip(silent["x"], silent["y"], strict=True):
        assert units == (run.vitals.sites[0].last_active[dead] < step).sum()
    assert silent["x"][-1] == 1200
    assert [words for _, words in figure.key] == [
        "confirmed dead, after 20 silent steps and 1,000 silent samples",
        "the same units when they fell silent",
    ]


def test_units_that_are_alive_again_have_no_line_of_silence() -> None:
    run = runs.sick()
    figure: Any = evidence(run, run.findings[2])[0]
    assert len(figure.data) == 1
    assert len(figure.key) == 1


def test_a_convolution_has_positions_and_not_samples() -> None:
    run = runs.sick()
    sites = tuple(replace(v, site=replace(v.site, axis=1)) for v in run.vitals.sites)
    run = replace(run, vitals=replace(run.vitals, sites=sites))
    assert "silent positions" in evidence(run, run.findings[0])[0].key[0][1]
    assert "positions" in evidence(run, replace(run.findings[0], symptom=None))[0].layout["yaxis"]["title"]["text"]  # pyright: ignore
