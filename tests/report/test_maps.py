from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limen.report.maps import activity_map, gradient_map
from tests.report import hard_runs, runs


def views(heat) -> list[Any]:
    return heat.json()["views"]


def test_the_map_holds_the_history_of_each_site() -> None:
    run = runs.vanishing()  # 400 steps: as many as there are columns
    inactive, dead, _ = views(activity_map(run))
    for vitals, shares, units in zip(run.vitals.sites, inactive["z"], dead["z"], strict=True):
        np.testing.assert_allclose(shares, 100 * vitals.history.inactive, rtol=5e-3)  # three digits
        np.testing.assert_allclose(units, 100 * vitals.history.dead / vitals.site.units, rtol=5e-3)


def test_the_gradient_is_shown_by_its_power_of_ten() -> None:
    run = runs.vanishing()
    at_sites, at_weights = views(gradient_map(run))
    for vitals, row in zip(run.vitals.sites, at_sites["z"], strict=True):
        np.testing.assert_allclose(row, np.log10(vitals.history.gradient), rtol=5e-3)  # three digits
    assert at_weights["names"] == [v.parameter.name for v in run.vitals.parameters]


def test_a_gradient_of_zero_is_a_gap_not_minus_infinity() -> None:
    run = runs.healthy()
    lost = run.vitals.sites[0]
    gradient = np.where(lost.history.step < 300, 0.0, lost.history.gradient)
    site = replace(lost, history=replace(lost.history, gradient=gradient))
    run = replace(run, vitals=replace(run.vitals, sites=(site, *run.vitals.sites[1:])))
    assert views(gradient_map(run))[0]["z"][0][0] is None


def test_the_titles_say_what_the_maps_show() -> None:
    titles = [view["title"].replace("\u00a0", " ") for view in views(activity_map(runs.sick()))]
    assert titles == [
        "relu1 is the quietest at the end: 78 % of its samples are flat",
        "87 of 128 units of relu1 died, 108 at 2 sites together",
        "No unit is saturated at the end",
    ]
    assert views(gradient_map(runs.vanishing()))[0]["title"] == (
        "The gradient shrinks 3 million-fold from the head to the first layer"  # 0.26 ** -11 = 2.7e6, and noise
    )


@pytest.mark.parametrize("make", [runs.nothing])
def test_without_a_step_there_is_no_map(make) -> None:
    assert activity_map(make()) is None
    assert gradient_map(make()) is None


def test_large_maps_have_fewer_columns() -> None:
    heat = activity_map(hard_runs.large(sites=200, rows=1024))
    assert heat is not None
    assert all(len(view["steps"]) <= 200 and len(view["z"]) == 200 for view in views(heat))


def test_each_finding_is_marked_at_its_site_and_step() -> None:
    heat = activity_map(runs.sick())
    assert heat is not None
    onsets: Any = heat.json()["onsets"]
    assert [(o["step"], o["name"]) for o in onsets] == [(3, "relu1"), (4, "relu2"), (5, "relu3")]
    assert heat.treatments == (60, 420)


def test_a_gradient_that_died_is_said_in_words() -> None:
    run = runs.healthy()
    sites = tuple(replace(v, history=replace(v.history, gradient=0.0 * v.history.gradient)) for v in run.vitals.sites)
    run = replace(run, vitals=replace(run.vitals, sites=sites))
    assert views(gradient_map(run))[0]["title"] == "No gradient reaches the first layer at the end"


def test_a_site_that_is_a_number_is_shown_with_its_function() -> None:
    run = runs.sick()
    sites = tuple(replace(v, site=replace(v.site, name=str(2 * i + 1))) for i, v in enumerate(run.vitals.sites))
    view = views(activity_map(replace(run, vitals=replace(run.vitals, sites=sites))))[0]
    assert view["names"][:2] == ["1", "3"]
    assert view["short"][:2] == ["relu after layer fc1", "relu after layer fc2"]
    assert view["title"].startswith("relu after layer fc1 is the quietest")
