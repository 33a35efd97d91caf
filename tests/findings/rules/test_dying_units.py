import numpy as np
import pytest
from scipy.stats import binom, poisson

from limen.findings import Thresholds
from limen.findings.rules import dying_units
from limen.vitals import Vitals
from tests.findings.courses import looks
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
FLAT = noisy(2.3, 0.02)
ONE_BY_ONE = tuple(range(60, 360, 30))  # 10 of 64 units, the last at step 330
JUMP = lambda t: np.where(t == 200, 0.4, 1e-3)  # noqa: E731


def ill(died: tuple[int, ...], *, steps: int = 400, loss: object = FLAT, update: object = 1e-3) -> Vitals:
    return Patient((Layer("fc1", died=died, update=update), Layer("fc2")), steps=steps, losses=(loss,)).vitals  # pyright: ignore


@pytest.mark.parametrize(
    "vitals", [ill(ONE_BY_ONE), ill((0,) * 10 + ONE_BY_ONE), ill(ONE_BY_ONE, loss=falling(2.3, 0.5), update=JUMP)]
)
def test_fires(vitals: Vitals) -> None:
    (finding,) = dying_units(vitals, LIMITS)
    assert (finding.symptom, finding.where, finding.severity) == ("dying-units", "fc1", "warning")
    assert finding.measured == pytest.approx(10 / 64)
    assert finding.step == 61


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        ill(ONE_BY_ONE[:7]),  # 11 % of the layer
        ill(ONE_BY_ONE, loss=falling(2.3, 0.5)),  # shed while the loss falls, without violence
        ill(tuple(range(30, 60, 3))),  # a process that ended early
        ill((0,) * 14),  # never alive
        ill(ONE_BY_ONE * 2),  # a quarter and more: dead-units speaks
        Patient((Layer("out", head=True, died=ONE_BY_ONE),), losses=(FLAT,)).vitals,
    ],
)
def test_stays_silent(vitals: Vitals) -> None:
    assert list(dying_units(vitals, LIMITS)) == []


@pytest.mark.parametrize(("peak", "told"), [(40, False), (300, True)])
def test_a_jump_of_the_loss_before_most_deaths_is_forgiven_where_it_has_fallen_since(peak: int, told: bool) -> None:
    """A codebook and its encoder throw a loss up at first, and spare units go later."""
    jump = lambda t: np.where(np.abs(t - peak) < 5, 12.0, falling(2.3, 0.5)(t))  # noqa: E731
    assert bool(list(dying_units(ill(tuple(range(30, 330, 30)), loss=jump), LIMITS))) is told


def test_rare_units_are_taken_for_dying_by_chance_in_less_than_a_percent_of_runs() -> None:
    """The claim of the manual page: the smallest crowd that is told, of the widest layer in which it is an eighth."""
    by_chance = poisson.pmf(0, LIMITS.surprise)
    crowd = LIMITS.fewest_units
    units = int(crowd / LIMITS.dying_rise)
    assert (crowd, units) == (4, 32)
    assert by_chance < 0.007
    assert binom.sf(crowd - 1, units, by_chance) * len(list(looks(1_000_000))) < 0.01
