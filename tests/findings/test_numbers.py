"""How a number is written, and that findings write theirs so."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen.findings.numbers import number

SOURCES = sorted((Path(__file__).parents[2] / "src" / "limen" / "findings").rglob("*.py"))
OF_THEIR_OWN = {"numbers.py", "advice.py"}  # the latter has learning rates, as they are typed into a script


@given(st.floats(-1e300, 1e300), st.integers(2, 4))
def test_what_is_written_is_the_number_to_its_digits(value: float, digits: int) -> None:
    read = float(number(value, digits).replace(",", ""))
    huge_or_tiny = not 1e-3 <= abs(value) < 1e6
    assert math.isclose(read, value, rel_tol=0.5 * 10 ** (1 - (2 if huge_or_tiny else digits)) * 1.0001)


@pytest.mark.parametrize("value", [770.4, 2.3e7, 4.2e-9, 1e-3, 123_456.0, -5.5e8])
def test_no_power_of_ten_has_a_plus_or_a_leading_zero(value: float) -> None:
    assert not re.search(r"e\+|e-?0", number(value))


@pytest.mark.parametrize(("value", "digits", "words"), [(770.4, 2, "770"), (99.96, 2, "100"), (999.7, 3, "1,000")])
def test_a_few_hundred_times_is_no_power_of_ten(value: float, digits: int, words: str) -> None:
    assert number(value, digits) == words


def test_findings_write_measured_numbers_in_no_other_way() -> None:
    own = re.compile(r":\.\d[eg]\}(?! %)")
    strays = [
        f"{file.name}: {line.strip()}"
        for file in SOURCES
        if file.name not in OF_THEIR_OWN
        for line in file.read_text().splitlines()
        if own.search(line)
    ]
    assert strays == []
