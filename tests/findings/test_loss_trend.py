import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.loss_trend import LossTrend, loss_trend
from tests.findings.patients import Course, Patient, falling, noisy

LIMITS = Thresholds()


def trend(loss: Course, **story: object) -> LossTrend:
    found = loss_trend(Patient(losses=(loss,), **story).vitals, LIMITS)  # pyright: ignore
    assert found is not None
    return found


@pytest.mark.parametrize("loss", [falling(2.3, 0.1), noisy(falling(2.3, 1.5), 0.1), falling(2.3, 2.0)])
def test_a_fall_beyond_noise_is_learning(loss: Course) -> None:
    assert trend(loss).learned
    assert not trend(loss).stuck


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_never_learning(seed: int) -> None:
    assert not trend(noisy(2.3, 0.2, seed)).learned


def test_a_loss_far_below_a_guess_counts_as_learned() -> None:
    assert trend(noisy(0.4, 0.01)).competent
    assert not trend(noisy(0.4, 0.01), function="mse").competent  # no guess is known
    assert not trend(noisy(0.4, 0.01), function="bce").stuck  # ln 2 = 0.69


def test_a_spike_at_the_start_is_no_fall() -> None:
    assert not trend(lambda t: np.where(t == 2, 50.0, 2.3)).learned
    assert not trend(lambda t: np.where((t > 1) & (t < 5), 50.0, 2.3)).learned


def test_a_loss_three_times_its_start_has_risen() -> None:
    assert trend(lambda t: 2.3 * (1 + t / 100)).risen
    assert not trend(noisy(2.3, 0.3)).risen


def test_a_loss_that_goes_below_zero_is_never_stuck() -> None:
    assert not trend(noisy(0.0, 1.0), function="other").stuck
    assert trend(noisy(2.3, 0.1)).stuck


def test_a_guess_costs_the_logarithm_of_the_classes() -> None:
    assert trend(2.3, classes=10).chance == pytest.approx(np.log(10))
    assert trend(0.7, function="bce-with-logits").chance == pytest.approx(np.log(2))
    assert np.isnan(trend(2.3, function="mse").chance)
    assert np.isnan(trend(2.3, classes=1).chance)


def test_several_losses_or_few_rows_have_no_trend() -> None:
    assert loss_trend(Patient(losses=(2.3, 2.3)).vitals, LIMITS) is None
    assert loss_trend(Patient(steps=15).vitals, LIMITS) is None
    assert loss_trend(Patient(losses=()).vitals, LIMITS) is None


def test_the_lowest_level_has_its_step() -> None:
    assert trend(lambda t: np.where((t > 100) & (t <= 200), 0.3, 2.3)).lowest_step == 150  # the third of eight of 50
