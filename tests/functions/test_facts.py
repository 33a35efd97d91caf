"""The words of a sheet say what the sheet and the docstring say."""

import math
import re

import pytest
import torch

from limen.activations import Sheet, describe, names
from limen.functions import about, facts, look_up, of_description
from limen.functions.accuracy import worst
from limen.functions.words import number
from limen.theory import forward_gain


def number_of(text: str, parameters: dict[str, float]) -> float:
    """What an end of an interval in a docstring is worth."""
    words = {"inf": math.inf, "sqrt": math.sqrt, "pi": math.pi, "max": max, "min": min, "log": math.log, **parameters}
    return float(eval(text, {"__builtins__": {}}, words))


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_the_range_of_the_docstring_is_that_of_the_sheet(name: str) -> None:
    subject = look_up(name)
    assert isinstance(subject.sheet, Sheet)
    (told,) = (part for part in about(subject.text) if part.startswith("Range: "))
    if told.startswith("Range: all reals"):
        assert subject.sheet.range == (-math.inf, math.inf) or "but" in told or "for a positive" in told
        return
    written = re.match(r"Range: [\[(]([^;]+?)[\])](;|\.| for )", told)
    if written is None:  # in words: "value and all above threshold"
        assert name == "threshold"
        return
    ends = [number_of(end, subject.parameters) for end in written[1].split(", ")]
    assert subject.sheet.range == pytest.approx(tuple(ends), abs=1e-4)  # print has five digits at most


@pytest.mark.parametrize("name", names())
def test_every_property_is_told_once_and_in_words(name: str) -> None:
    told = facts(look_up(name))
    assert len({label for label, _ in told}) == len(told)
    assert {"values", "shape", "slope", "backward keeps"} <= {label for label, _ in told}
    assert all(words and "nan" not in words.split() and "None" not in words for _, words in told)


def test_the_sheet_of_relu_in_words() -> None:
    told = dict(facts(look_up("relu")))
    assert told["values"] == "0 to ∞"
    assert told["kinks"] == "at 0: slope 0 on the left, 1 on the right, 0 there"
    assert told["flat sides"] == "left of 0, where the output is about 0: a unit can be dead"
    assert told["backward keeps"].startswith("one bit")
    assert told["gain"].startswith(number(math.sqrt(2)))
    assert "0.398942" in told["normal inputs"]  # 1 / sqrt(2 pi)


def test_a_parameter_changes_what_is_told() -> None:
    told = dict(facts(look_up("elu", alpha=0.5)))
    assert told["values"] == "-0.5 to ∞"
    assert told["parameters"] == "alpha = 0.5"
    assert "slope 0.5 on the left, 1 on the right" in told["kinks"]
    assert look_up("elu", alpha=0.5).title == "elu(alpha=0.5)"
    assert look_up("elu").title == "elu"


@pytest.mark.parametrize("name", ["gelu", "tanh", "hardtanh", "snake", "softplus"])
def test_the_moments_of_a_described_function_are_those_of_its_entry(name: str) -> None:
    described = dict(facts(of_description(describe(look_up(name).entry))))  # type: ignore[arg-type]
    assert described["normal inputs"] == dict(facts(look_up(name)))["normal inputs"]
    assert described["gain"].startswith(number(forward_gain(name)))


def test_a_described_function_says_what_is_estimated_and_what_is_wrong() -> None:
    told = dict(facts(of_description(describe(lambda x: (x * x).sqrt()))))
    assert told["not finite"] == "at 0"
    assert told["autograd"] == "gives the slope of the function"
    assert "estimated" in told
    assert "backward keeps" not in told


def test_rounding_is_measured_in_units_of_the_last_place() -> None:
    x = torch.tensor([1.0, 3.0, -8.0])
    up = torch.tensor([math.inf])
    off = lambda x: torch.nextafter(x, up) if x.dtype == torch.float32 else x  # noqa: E731
    assert worst(off, x) == 1.0
    assert worst(lambda x: x, x) == 0.0
    assert worst(torch.square, torch.tensor([1.0 + 2**-23])) == pytest.approx(2**-23, rel=1e-6)
