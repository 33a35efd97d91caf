import dataclasses

import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import not_learning
from limen.vitals import OptimiserVitals, Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
SOUND = Layer("fc1")
FLAT = noisy(2.3, 0.02)


def ill(layer: Layer = SOUND, loss: object = FLAT, **story: object) -> Vitals:
    return Patient((layer, Layer("fc2", update=layer.update)), losses=(loss,), **story).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "witness"),
    [
        (ill(Layer("fc1", update=1e-9)), "no weight moves by more than 1.0e-9"),
        (ill(Layer("fc1", update=0.6)), "60 % of its norm in a typical step"),
        (ill(Layer("fc1", died=(0,) * 64)), "dead-units at fc1"),
        (ill(Layer("fc1", function="tanh", mean=8.0)), "saturated-units at fc1"),
        (ill(loss=noisy(lambda t: 2.3 + 0.05 * t, 0.02)), "times its start"),
    ],
)
def test_fires_with_its_witness(vitals: Vitals, witness: str) -> None:
    (finding,) = not_learning(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("not-learning", "model", "error")
    assert witness in finding.message


def test_without_a_level_of_a_guess_it_is_a_warning() -> None:
    (finding,) = not_learning(ill(Layer("fc1", update=1e-9), function="mse"), LIMITS)
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        ill(),  # random labels: nothing to learn, and nothing wrong with the network
        ill(loss=noisy(0.0, 1.0), function="other"),  # a policy gradient
        ill(Layer("fc1", update=1e-9), noisy(0.3, 0.01)),  # fine-tuning of a trained network
        ill(Layer("fc1", update=1e-9), falling(2.3, 0.2, 20.0)),  # converged
        ill(Layer("fc1", update=0.6), noisy(falling(2.3, 1.9), 0.02)),  # it falls, if by little
        ill(Layer("fc1", update=1e-9), steps=19),  # too early
        Patient((Layer("g", update=1e-9),), losses=(FLAT, FLAT)).vitals,  # adversaries
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(not_learning(vitals, LIMITS)) == []


@pytest.mark.parametrize(
    ("second", "told"),
    [(2.30, "2.31 at the start, 2.3 now"), (2.0, "2.31 at the start, 2 as the median of the first three, 2.3 now")],
)
def test_the_start_is_the_first_loss(second: float, told: str) -> None:
    course = lambda t: np.select([t == 1, t <= 3], [2.31, second], 2.3)  # noqa: E731
    (finding,) = not_learning(ill(Layer("fc1", update=1e-9), course), LIMITS)
    assert told in finding.message


@pytest.mark.parametrize(
    ("vitals", "told"),
    [
        (ill(Layer("fc1", update=1e-9), steps=21), 1),
        (ill(Layer("fc1", update=0.99e-6), steps=21), 1),
        (ill(Layer("fc1", update=1.01e-6), steps=21), 0),
        (ill(Layer("fc1", update=0.0, weight_gradient=0.0), steps=21), 1),
        (ill(Layer("fc1", update=0.6), steps=50), 1),
        (ill(Layer("fc1", update=0.6), steps=49), 0),
        (ill(Layer("fc1", function="tanh", mean=8.0), steps=50), 1),
        (ill(Layer("fc1", function="tanh", mean=8.0), steps=49), 0),
        (ill(Layer("fc1", std=0.0), steps=50), 1),  # blank
        (ill(Layer("fc1", std=1e-4), steps=50), 0),  # blind: it may begin to see
        (ill(Layer("fc1", std=1e-4), steps=200), 1),
        (ill(loss=noisy(lambda t: np.where(t < 5, 2.3, 9.0), 0.02), steps=99), 0),  # three times its start
        (ill(loss=noisy(lambda t: np.where(t < 5, 2.3, 9.0), 0.02), steps=101), 1),
    ],
)
def test_each_witness_has_its_time(vitals: Vitals, told: int) -> None:
    assert len(list(not_learning(vitals, LIMITS))) == told


def test_a_warm_up_has_not_begun_to_move() -> None:
    seen = ill(Layer("fc1", update=1e-9), steps=100)
    rates = OptimiserVitals("SGD", seen.losses[0].step, seen.losses[0].step * 1e-9, 0.0, 0.0, False)
    assert list(not_learning(dataclasses.replace(seen, optimisers=(rates,)), LIMITS)) == []


@pytest.mark.parametrize(("spread", "told"), [(0.4, 1), (0.7, 0)])
def test_noise_that_would_hide_a_fall_by_a_quarter_keeps_it_silent(spread: float, told: int) -> None:
    """Three standard errors of the difference of two medians of 50: 3 sqrt(pi / 50) = 0.75 of the noise."""
    assert len(list(not_learning(ill(Layer("fc1", update=0.6), noisy(2.3, spread)), LIMITS))) == told


@pytest.mark.parametrize("function", ["mse", "other"])
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_the_loss_does_not_matter(function: str, scale: float) -> None:
    for layer in (Layer("fc1", update=1e-9), Layer("fc1", update=0.6), Layer("fc1", died=(0,) * 64)):
        for loss, told in ((FLAT, 1), (noisy(falling(2.3, 0.2, 20.0), 0.02), 0)):
            scaled = ill(layer, lambda t, loss=loss: scale * loss(t), function=function)
            assert len(list(not_learning(scaled, LIMITS))) == told


@pytest.mark.parametrize("loss", [0.0, 2.3, np.nan, lambda t: np.where(t % 3 == 0, np.nan, FLAT(t))])
def test_any_loss_can_be_judged(loss: object) -> None:
    for steps in (1, 2, 10, 20, 200, 1_000_000):
        list(not_learning(ill(Layer("fc1", update=1e-9), loss, steps=steps), LIMITS))


def test_a_fall_within_the_first_rows_of_a_thinned_history_is_seen() -> None:
    """A long run whose loss fell in twenty steps: the second row that is left is at rest already."""
    seen = ill(Layer("fc1", died=(0,) * 64), noisy(falling(2.3, 0.5, 10.0), 0.05), function="mse", steps=100_000)
    assert seen.losses[0].step[1] > 100
    assert list(not_learning(seen, LIMITS)) == []


def test_a_dip_shorter_than_an_eighth_of_the_run_is_no_fall() -> None:
    dip = noisy(lambda t: np.where((t > 100) & (t < 110), 1.0, 2.3), 0.02)
    assert len(list(not_learning(ill(Layer("fc1", update=1e-9), dip), LIMITS))) == 1
