"""What is read of a program, and the size of what goes in and out of it."""

import math

import numpy as np
import pytest

from limen.vitals import InputVitals, Scale


@pytest.mark.parametrize("entries", [[0.0, 0.0], [3.0, -4.0, 5.0], [1e6, 1e6 + 1.0], [255.0]], ids=str)
def test_the_root_mean_square_is_that_of_the_entries(entries: list[float]) -> None:
    mean, std = float(np.mean(entries)), float(np.std(entries))
    expected = math.sqrt(math.fsum(one * one for one in entries) / len(entries))
    assert Scale(mean, std, min(entries), max(entries)).root_mean_square == pytest.approx(expected, rel=1e-12)
    assert InputVitals(mean, std, min(entries), max(entries), 1).root_mean_square == pytest.approx(expected, rel=1e-12)


def test_what_is_no_number_has_no_size() -> None:
    assert math.isnan(Scale(math.nan, 1.0, 0.0, 1.0).root_mean_square)
