import numpy as np
import pytest
from scipy.stats import norm

from limen.findings.swings import alternation, surges, swing

STEPS = np.arange(1, 401)


def thrown(*peaks: int, height: float = 5.0) -> np.ndarray:
    """A loss of 1 that is thrown up at each of ``peaks`` and comes back over some twenty steps."""
    value = np.ones(len(STEPS))
    for peak in peaks:
        value += np.where(peak <= STEPS, (height - 1.0) * np.exp(-(STEPS - peak) / 6.0), 0.0)
    return value


def test_each_surge_is_found_with_its_low_and_peak() -> None:
    found = surges(STEPS, thrown(100, 200, 300), 3.0, 0.5)
    assert [one.step for one in found] == [100, 200, 300]
    assert all(one.left < one.step for one in found)
    assert [one.peak for one in found] == pytest.approx([1 + 4 * np.exp(-1 / 6)] * 3)


@pytest.mark.parametrize(("height", "count"), [(3.9, 3), (2.9, 0)])  # the median of three sees 1 + 0.85 of the rest
def test_a_surge_is_three_times_its_low(height: float, count: int) -> None:
    assert len(surges(STEPS, thrown(100, 200, 300, height=height), 3.0, 0.5)) == count


def test_a_surge_that_has_not_come_back_is_none_yet() -> None:
    assert len(surges(STEPS[:305], thrown(100, 200, 300)[:305], 3.0, 0.5)) == 2
    assert surges(STEPS, np.where(STEPS < 200, 1.0, 9.0), 3.0, 0.5) == []


def test_a_single_odd_batch_is_no_surge() -> None:
    assert surges(STEPS, np.where(STEPS % 50 == 0, 100.0, 1.0), 3.0, 0.5) == []


def test_too_few_rows_have_none() -> None:
    assert surges(STEPS[:2], np.ones(2), 3.0, 0.5) == []


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    value = thrown(100, 200, 300) * np.exp(0.02 * np.random.default_rng(0).normal(size=len(STEPS)))
    assert len(surges(STEPS, scale * value, 3.0, scale * 0.5)) == 3
    assert alternation(scale * value) == pytest.approx(alternation(value))
    assert swing(scale * value) == pytest.approx(swing(value))


DRAWS = {
    "normal": lambda random, shape: random.normal(size=shape),
    "cauchy": lambda random, shape: random.standard_cauchy(size=shape),
    "exponential": lambda random, shape: random.exponential(size=shape),
}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("rows", [32, 128])
def test_turning_points_of_independent_noise_are_standard_normal(kind: str, rows: int) -> None:
    """Whatever its distribution: mean 0, deviation 1, and no more beyond 3 than a normal variable has."""
    noise = DRAWS[kind](np.random.default_rng(1), (4_000, rows))
    found = np.array([alternation(one) for one in noise])
    assert found.mean() == pytest.approx(0.0, abs=4 / np.sqrt(4_000))
    assert found.std() == pytest.approx(1.0, abs=0.05)
    assert (found > 3.0).mean() <= norm.sf(3.0) + 4 * np.sqrt(norm.sf(3.0) / 4_000)


def test_all_of_a_course_that_jumps_from_side_to_side_turn() -> None:
    n = 32
    expected = ((n - 2) - 2 * (n - 2) / 3) / np.sqrt((16 * n - 29) / 90)
    assert alternation(np.array([1.0, 2.0] * (n // 2))) == pytest.approx(expected)
    assert expected > 4.0
    assert alternation(np.arange(32.0)) < -8.0
    assert alternation(np.ones(2)) == 0.0


def test_a_swing_is_a_share_of_the_level() -> None:
    assert swing(np.array([9.0, 11.0] * 10)) == pytest.approx(0.2)
    assert swing(np.ones(1)) == 0.0
    assert swing(np.zeros(5)) == 0.0
