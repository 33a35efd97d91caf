import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limen.findings.figures import finite, median, noise, rank_correlation, share


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=30))
def test_rank_correlation_is_scipys_spearman(values: list[int]) -> None:
    if len(set(values)) == 1:
        assert rank_correlation(values) == 0.0
    else:
        expected = stats.spearmanr(values, np.arange(len(values))).statistic
        assert rank_correlation(values) == pytest.approx(expected, abs=1e-9)  # rounding of two covariances


def test_rank_correlation_of_too_few_or_broken_values_is_zero() -> None:
    assert rank_correlation([1.0, 2.0]) == rank_correlation([1.0, np.nan, 2.0]) == 0.0


def test_median_ignores_what_is_not_finite() -> None:
    assert median([1.0, np.nan, 3.0, np.inf]) == 2.0
    assert np.isnan(median([np.nan]))
    assert np.isnan(median([]))
    assert finite([np.inf, 1.0]).tolist() == [1.0]


def test_noise_is_the_standard_deviation_around_a_slope() -> None:
    t = np.arange(20_000)
    values = 0.01 * t + np.random.default_rng(0).normal(0.0, 0.3, len(t))
    assert noise(values) == pytest.approx(0.3, rel=0.05)  # the MAD of 20,000 values errs by about 1 %


def test_a_line_and_a_short_series_have_no_noise() -> None:
    assert noise(np.arange(10.0)) == 0.0
    assert noise([1.0, 5.0]) == noise([]) == 0.0


def test_a_share_of_nothing_is_zero() -> None:
    assert share(3, 0) == 0.0
    assert share(1, 4) == 0.25
