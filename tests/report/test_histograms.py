from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from limen.report.histograms import histogram_series
from limen.vitals import BINS, EDGES, Histogram
from tests.report import hard_runs, runs


def smallest(run, vitals) -> float:
    """The scale of the axis: twice the smallest standard deviation at the steps shown."""
    spread = dict(zip(vitals.history.step.tolist(), vitals.history.std.tolist(), strict=True))
    return 2 * min(spread[step] for step, _ in run.histograms[vitals.site.name])


def series(make=runs.sick) -> list[Any]:
    return histogram_series(make())


@pytest.mark.parametrize("make", [runs.sick, runs.vanishing, runs.healthy])
def test_the_areas_of_all_bars_are_one(make) -> None:
    for entry in series(make):
        for density in entry["density"]:
            # three digits per bar, at most 80 bars
            assert np.dot(np.diff(entry["edges"]), density) == pytest.approx(1.0, abs=5e-3)


def test_the_area_left_of_zero_is_the_share_of_negative_samples() -> None:
    run = runs.sick()
    (entry,) = [e for e in series() if e["site"] == "relu1"]
    edges = np.array(entry["edges"])
    for (_, histogram), density in zip(run.histograms["relu1"], entry["density"], strict=True):
        area = np.dot(np.diff(edges)[edges[:-1] < 0], np.array(density)[edges[:-1] < 0])
        share = histogram.counts[: BINS // 2 + 1].sum() / histogram.total  # the middle bin is drawn on the left
        assert area == pytest.approx(share, abs=5e-3)  # as above


def test_no_bar_crosses_zero_and_edges_rise() -> None:
    for entry in series():
        edges = np.array(entry["edges"])
        assert (np.diff(edges) > 0).all()
        assert 0.0 in edges


def test_a_normal_distribution_has_its_density_on_the_axis() -> None:
    vitals = runs.healthy().vitals.sites[1]
    (entry,) = [e for e in series(runs.healthy) if e["site"] == "relu2"]
    edges = np.array(entry["edges"])
    scale = smallest(runs.healthy(), vitals)
    expected = np.diff(norm.cdf(scale * np.sinh(edges), loc=-0.05, scale=1.1)) / np.diff(edges)
    # edges have four digits, densities three; a narrow bar holds some 700 of 16,384 samples, rounded in each bin
    np.testing.assert_allclose(entry["density"][0], expected, atol=0.01)


def test_ticks_stand_where_their_numbers_are_on_the_axis() -> None:
    run = runs.vanishing()
    for entry, vitals in zip(series(runs.vanishing), run.vitals.sites, strict=True):
        scale = smallest(run, vitals)
        expected = np.arcsinh(np.array([float(word) for word in entry["labels"]]) / scale)
        np.testing.assert_allclose(entry["ticks"], expected, rtol=1e-3)  # four digits
        np.testing.assert_allclose(entry["flat"], np.arcsinh(np.array([-5.9, 5.9]) / scale), rtol=1e-3)


def test_one_far_value_is_still_drawn() -> None:
    run = runs.healthy()
    counts = np.zeros(BINS, dtype=np.int64)
    counts[-1], counts[BINS // 2 + 20] = 1, 999  # beyond 65,536, and about 0.04
    histograms = {"relu1": ((1, Histogram(counts)),)}
    (entry,) = histogram_series(replace(run, histograms=histograms))
    assert entry["density"][0][-1] > 0
    assert np.isfinite(entry["edges"]).all()
    assert EDGES[-1] == np.inf


def test_a_site_without_samples_or_histograms_is_left_out() -> None:
    assert series(runs.all_nan) == []
    assert series(runs.nothing) == []


def test_many_histograms_are_thinned_to_the_first_the_last_and_some_between() -> None:
    many = series(lambda: hard_runs.large(sites=200, rows=20))
    assert {len(entry["steps"]) for entry in many} == {12}
    assert (many[0]["steps"][0], many[0]["steps"][-1]) == (1, 10_000)
