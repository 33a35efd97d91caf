import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.direction import direction, direction_words
from limen.findings.rules import dead_units
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, noisy

T = np.arange(1.0, 401.0)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (T, "rising"),
        (np.where(T > 310, 1.2, 1.0), "rising"),
        (np.where(T > 310, 1.09, 1.0), "steady"),  # less than a tenth
        (np.ones(400), "steady"),
        (np.zeros(400), "steady"),
        (1.0 / T, "healing"),
        (np.where(T % 2 == 0, np.nan, T), "rising"),
        (T[:15], None),
        (np.full(400, np.nan), None),
        (np.array([]), None),
    ],
)
def test_the_latest_quarter_is_held_against_the_one_before(harm: np.ndarray, expected: str | None) -> None:
    assert direction(harm) == expected


def test_noise_alone_has_no_direction() -> None:
    """Over 4,000 draws of noise as large as its level, where chance is told with less than 2 * 3.2e-5 each."""
    random = np.random.default_rng(0)
    told = [direction(1.0 + random.normal(size=64)) for _ in range(4_000)]
    assert sum(one != "steady" for one in told) <= 3


def test_a_finding_says_whether_it_gets_worse() -> None:
    dying = Layer("fc1", died=tuple(range(262, 382, 2)))
    stays = Layer("fc1", died=(0,) * 64)
    for layer, words in ((dying, " It is getting worse."), (stays, "")):
        seen = Patient((layer, Layer("fc2")), losses=(noisy(2.3, 0.01),)).vitals
        (finding, *_) = dead_units(seen, Thresholds())
        assert direction_words(finding, seen) == words
        told = next(one for one in diagnose(seen) if one.symptom == "dead-units")
        assert told.message == finding.message + words
        assert direction_words(finding, Vitals()) == ""
