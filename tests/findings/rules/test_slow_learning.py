import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.rules import not_learning, slow_learning
from limen.vitals import OptimiserVitals, Scale, Vitals
from tests.findings.patients import STANDARDISED, Course, Layer, Patient, falling, noisy

LIMITS = Thresholds()
FLAT = noisy(2.3, 0.02)
CRAWLING = lambda t: 2.3 - 2e-6 * t  # noqa: E731


def crawling(update: Course = 5e-6, loss: Course = FLAT, **story: object) -> Vitals:
    return Patient((Layer("fc1", update=update), Layer("fc2", update=update)), losses=(loss,), **story).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "limit"),
    [
        (crawling(), 1e-5),
        (crawling(steps=51), 1e-5),
        (crawling(0.99e-5), 1e-5),
        (crawling(1.01e-6), 1e-5),
        (crawling(loss=noisy(lambda t: 2.3 - 2e-6 * t, 1e-3), steps=100_000), 1e-5),  # falls, by a tenth in 115,000
        (crawling(0.9e-4, CRAWLING, steps=4_000), 1e-4),  # and the level of a guess is known
    ],
)
def test_fires(vitals: Vitals, limit: float) -> None:
    (finding,) = slow_learning(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity, finding.step) == ("slow-learning", "model", "warning", 1)
    assert finding.limit == limit
    assert finding.measured <= finding.limit


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        crawling(steps=49),
        crawling(1.01e-5),
        crawling(1e-6),  # that is not-learning
        crawling(lambda t: np.where(t < 100, 1e-3, 5e-6)),  # it has come to rest
        crawling(loss=noisy(0.4, 0.01)),  # fine-tuning: better than a guess
        crawling(loss=noisy(0.0, 1.0), function="other"),  # a reward
        crawling(loss=falling(2.3, 0.2, 20.0)),  # it falls
        crawling(loss=noisy(2.3, 1.0)),  # nobody could see it fall
        crawling(0.9e-4),  # after 400 steps nobody knows
        crawling(0.9e-4, CRAWLING, steps=4_000, function="other"),  # unknown what a guess costs
        Patient((Layer("g", update=5e-6),), losses=(FLAT, FLAT)).vitals,  # adversaries
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(slow_learning(vitals, LIMITS)) == []


def test_a_warm_up_is_meant_to_be_slow() -> None:
    seen = crawling()
    rates = OptimiserVitals("SGD", seen.losses[0].step, seen.losses[0].step * 1e-9, 0.0, 0.0, False)
    warming = dataclasses.replace(seen, optimisers=(rates,))
    assert list(slow_learning(warming, LIMITS)) == []


def test_targets_that_were_seen_tell_what_a_guess_costs() -> None:
    """A mean squared error of a third of the targets' variance is that of a trained network."""
    seen = crawling(loss=noisy(3.0, 0.02), function="mse")
    assert len(list(slow_learning(seen, LIMITS))) == 1
    known = dataclasses.replace(seen.losses[0], targets=Scale(0.0, 3.0, -9.0, 9.0))
    assert list(slow_learning(dataclasses.replace(seen, losses=(known,)), LIMITS)) == []


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(scale: float) -> None:
    for loss, told in ((FLAT, 1), (falling(2.3, 0.2, 20.0), 0)):
        scaled = crawling(loss=lambda t, loss=loss: scale * loss(t), function="mse")
        assert len(list(slow_learning(scaled, LIMITS))) == told


def test_its_cause_is_the_learning_rate_where_a_gradient_is_there() -> None:
    found = {one.symptom: one for one in diagnose(crawling())}
    assert found["slow-learning"].causes[0].name == "learning-rate-too-low"
    assert found["slow-learning"].remedies[0] == "raise-learning-rate"
    assert list(not_learning(crawling(), LIMITS)) == []


def test_without_a_cause_its_remedies_are_guesses() -> None:
    layers = tuple(Layer(f"fc{i}", update=5e-6, weight_gradient=1e-7) for i in range(2))
    (finding,) = [
        one
        for one in diagnose(Patient(layers, losses=(FLAT,), inputs=STANDARDISED).vitals)
        if one.symptom == "slow-learning"
    ]
    assert finding.causes == ()
    assert finding.remedies == ("raise-learning-rate", "fix-loss")
