from dataclasses import replace

import numpy as np
import pytest

from limen.findings import diagnose
from limen.journal import Run
from limen.report.course import loss_title
from limen.vitals import LossVitals
from tests.findings.patients import Layer, Patient, noisy
from tests.report import runs

NAN, INFINITE = float("nan"), float("inf")


def with_losses(*courses: list[float]) -> Run:
    run = runs.healthy()
    losses = tuple(LossVitals("mse", np.arange(1, len(c) + 1), np.array(c), None) for c in courses)
    return replace(run, vitals=replace(run.vitals, losses=losses))


def levels(*values: float) -> list[float]:
    """80 steps on each level."""
    return [value for value in values for _ in range(80)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (levels(2.3, 2, 1.5, 1, 0.5, 0.2, 0.1, 0.1), "The loss fell from 2.3 to 0.1"),
        (levels(2.3, 0.31, 1, 1, 1.2, 1.5, 1.9, 1.9), "The loss fell from 2.3 to 0.31 by step 160, then rose to 1.9"),
        (levels(2.3, 0.31, 0.2, 0.2, 0.2, 0.2, 0.2, 0.22), "The loss fell from 2.3 to 0.22"),
        (levels(2.3, 2.4, 3, 4, 5, 5, 5, 5), "The loss rose from 2.3 to 5"),
        (levels(2.3, 2.3, 2.3, 2.3, 2.3, 2.3, 2.29, 2.29), "The loss hardly moved: 2.3 at the start, 2.29 at the end"),
        (levels(-1, -1, -2, -2, -3, -3, -3, -3), "The loss fell from -1 to -3"),
        (levels(0, 0, 0, 0, 0, 0, 0, 0), "The loss hardly moved: 0 at the start, 0 at the end"),
        ([2.3, 1.0, 0.1], "The loss went from 2.3 to 0.1"),  # too few to tell a fall from noise
        ([1.0, 2.0, NAN, INFINITE], "The loss stopped being a finite number at step 3"),
        ([NAN], "The loss was never a finite number"),
        ([0.5], "The loss was 0.5 at step 1"),
    ],
)
def test_the_title_says_what_became_of_the_loss(values: list[float], words: str) -> None:
    assert loss_title(with_losses(values)) == words


def test_several_losses_are_told_one_by_one() -> None:
    assert loss_title(with_losses([2.0, 1.0], [3.0, 4.0])) == "2 losses: mse from 2 to 1, mse from 3 to 4"
    assert loss_title(with_losses([NAN], [NAN])) == "No loss was ever a finite number"
    assert loss_title(with_losses()) == "No loss was seen"


@pytest.mark.parametrize("seed", range(10))
def test_no_loss_is_said_to_have_fallen_that_is_found_not_to(seed: int) -> None:
    """A first value by chance high above the noise around it is no fall."""
    vitals = Patient(layers=(Layer("fc1", update=0.5),), losses=(noisy(2.3, 0.3, seed),)).vitals
    assert "not-learning" in {finding.name for finding in diagnose(vitals)}
    assert "fell" not in loss_title(replace(runs.healthy(), vitals=vitals))
