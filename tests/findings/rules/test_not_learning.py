import numpy as np
import pytest

from limen.findings import Thresholds
from limen.findings.rules import not_learning
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
SOUND = Layer("fc1")
FLAT = noisy(2.3, 0.02)


def ill(layer: Layer = SOUND, loss: object = FLAT, **story: object) -> Vitals:
    return Patient((layer, Layer("fc2", update=layer.update)), losses=(loss,), **story).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "witness"),
    [
        (ill(Layer("fc1", update=1e-9)), "no weight moves by more than 1.0e-09"),
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


def test_a_dip_shorter_than_an_eighth_of_the_run_is_no_fall() -> None:
    dip = noisy(lambda t: np.where((t > 100) & (t < 110), 1.0, 2.3), 0.02)
    assert len(list(not_learning(ill(Layer("fc1", update=1e-9), dip), LIMITS))) == 1
