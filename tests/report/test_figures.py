from typing import Any

import numpy as np

from limen.report.figures import loss_curves, middle_update
from tests.report import hard_runs, runs


def test_the_middle_update_is_the_median_over_weights_at_each_step() -> None:
    run = runs.sick()
    step, ratio = middle_update(run.vitals.parameters)
    together = np.array([v.history.update for v in run.vitals.parameters])
    assert step.tolist() == run.vitals.parameters[0].history.step.tolist()
    assert ratio.tolist() == np.median(together, axis=0).tolist()


def test_loss_rate_and_update_are_drawn_from_the_same_steps() -> None:
    figure = loss_curves(runs.sick())
    assert figure is not None
    data: Any = figure.data
    assert [trace["yaxis"] for trace in data] == ["y", "y2", "y3"]
    assert {trace["x"][-1] for trace in data} == {1200}
    layout: Any = figure.layout
    assert [layout[key]["title"]["text"] for key in ("yaxis", "yaxis2", "yaxis3")] == [
        "loss, log scale",
        "learning rate, log scale",
        "update ratio, all weights, log scale",
    ]
    assert [(m["step"], m["fault"]) for m in layout["marks"]] == [(3, True), (60, False), (420, False)]


def test_each_curve_is_thin_enough_for_a_screen() -> None:
    figure = loss_curves(hard_runs.large(sites=3, rows=10_000))
    assert figure is not None
    data: Any = figure.data
    assert all(len(trace["x"]) <= 800 for trace in data)


def test_without_loss_rate_and_update_there_is_no_figure() -> None:
    assert loss_curves(runs.nothing()) is None
