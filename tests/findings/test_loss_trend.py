import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.loss_trend import LossTrend, loss_trend
from limen.vitals import Scale
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


OUTPUTS = Scale(0.0, 0.3, -1.0, 1.0, 10)  # logits at birth: a cross-entropy of ten classes is then between 0.8 and 4.2


@pytest.mark.parametrize(("function", "start"), [("cross-entropy", 2.3), ("bce-with-logits", 0.69)])
@pytest.mark.parametrize(("weight", "known"), [(1e-6, False), (0.1, False), (1.0, True), (64.0, False), (1e6, False)])
def test_a_loss_that_its_outputs_cannot_have_is_a_multiple_of_one(
    function: str, start: float, weight: float, known: bool
) -> None:
    seen = Patient(losses=(noisy(weight * start, weight * 0.02),), function=function).vitals
    loss = dataclasses.replace(seen.losses[0], outputs=OUTPUTS)
    found = loss_trend(dataclasses.replace(seen, losses=(loss,)), LIMITS)
    assert found is not None
    assert bool(np.isfinite(found.chance)) == known
    assert not found.competent
    assert found.stuck


def test_a_mean_squared_error_is_held_against_the_variance_of_its_targets() -> None:
    seen = Patient(losses=(noisy(3.0, 0.1),), function="mse").vitals
    for std, competent in ((1.9, False), (2.1, True)):  # 0.75 * 1.9 ** 2 = 2.7, 0.75 * 2.1 ** 2 = 3.3
        loss = dataclasses.replace(seen.losses[0], targets=Scale(5.0, std, 0.0, 9.0))
        found = loss_trend(dataclasses.replace(seen, losses=(loss,)), LIMITS)
        assert found is not None
        assert found.competent == competent


def test_the_start_of_a_thinned_history_is_its_first_row() -> None:
    """The second and third may have fallen already."""
    assert trend(falling(2.3, 0.5, 10.0), steps=100_000, function="mse").start == pytest.approx(2.3)
    assert trend(lambda t: np.where(t > 1, 0.5, 2.3), function="mse").start == pytest.approx(0.5)


def test_a_fall_is_credited_sooner_than_a_rise() -> None:
    """A false fall makes a rule silent, a false rise makes it loud."""
    found = trend(noisy(2.3, 0.1))
    assert found.rise == pytest.approx(4.0 / 3.0 * (1 + 14 / 400) * found.error)
    assert found.block_rise == pytest.approx(4.0 / 3.0 * (1 + 14 / 400) * found.block_error)


@pytest.mark.parametrize(("spread", "resolved"), [(0.6, True), (1.0, False)])
def test_noise_resolves_a_fall_by_a_quarter(spread: float, resolved: bool) -> None:
    """3 sqrt(pi / 50) = 0.75 of the noise, beside a quarter of 2.3: noise of about 0.77."""
    assert trend(noisy(2.3, spread)).resolved == resolved


def test_several_losses_or_few_rows_have_no_trend() -> None:
    assert loss_trend(Patient(losses=(2.3, 2.3)).vitals, LIMITS) is None
    assert loss_trend(Patient(steps=15).vitals, LIMITS) is None
    assert loss_trend(Patient(losses=()).vitals, LIMITS) is None


def test_the_lowest_level_has_its_step() -> None:
    assert trend(lambda t: np.where((t > 100) & (t <= 200), 0.3, 2.3)).lowest_step == 150  # the third of eight of 50
