import numpy as np

from limen.findings import Thresholds
from limen.findings.violence import Crowd, violence
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
NONE = np.array([], dtype=np.int64)


def test_a_calm_training_shows_no_sign() -> None:
    died = np.array([10, 50, 90, 130, 170, 210], dtype=np.int64)
    assert not violence(Patient().vitals, died, LIMITS, after=0, until=400)
    assert not violence(Vitals(), NONE, LIMITS, after=0, until=0)


def test_units_that_fall_silent_together_are_a_crowd() -> None:
    died = np.array([0, 7, 8, 8, 11, 90], dtype=np.int64)
    assert violence(Vitals(), died, LIMITS, after=0, until=0).crowd == Crowd(units=4, step=8)


def test_units_that_never_fired_and_a_few_are_none() -> None:
    for died in ([0] * 9, [8, 8, 8], [8, 8, 8, 8, 40, 50, 60, 70, 80, 90]):
        assert violence(Vitals(), np.array(died, dtype=np.int64), LIMITS, after=0, until=0).crowd is None


def test_a_jump_of_the_loss_must_stand_out_of_its_noise() -> None:
    def seen(loss: object) -> bool:
        patient = Patient(losses=(loss,))  # pyright: ignore
        return violence(patient.vitals, NONE, LIMITS, after=0, until=400).spike is not None

    assert seen(lambda t: np.where(t == 9, 40.0, noisy(falling(2.3, 0.5), 0.05)(t)))
    assert not seen(noisy(falling(2.3, 0.5), 0.05))
    assert not seen(noisy(0.3, 0.4))  # a reward


def test_only_the_steps_asked_for_are_looked_at() -> None:
    vitals = Patient((Layer("a", update=lambda t: np.where(t == 100, 0.9, 1e-3)),)).vitals
    assert violence(vitals, NONE, LIMITS, after=80, until=100).jump is not None
    assert violence(vitals, NONE, LIMITS, after=100, until=400).jump is None
