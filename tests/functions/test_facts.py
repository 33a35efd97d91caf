"""The words of a sheet say what the sheet and the docstring say."""

import math
import re

import pytest
import torch

from limen.activations import describe, names
from limen.functions import about, facts, look_up, of_description
from limen.functions.accuracy import worst
from limen.functions.words import number
from limen.theory import forward_gain


def told_range(name: str) -> tuple[float, ...] | None:
    """The interval that a docstring begins its range with; None where it is in words."""
    subject = look_up(name)
    (told,) = (part for part in about(subject.text) if part.startswith("Range: "))
    if re.match(r"Range: all (reals|numbers)[;.]", told):
        return -math.inf, math.inf
    written = re.match(r"Range: [\[(]([^;]+?)[\])](;|\.| for )", told)
    known = {"inf": math.inf, "sqrt": math.sqrt, "pi": math.pi, "max": max, "min": min, **subject.parameters}
    try:
        return (
            tuple(float(eval(end, {"__builtins__": {}}, known)) for end in written[1].split(", ")) if written else None
        )
    except (NameError, SyntaxError, TypeError):
        return None


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_the_range_of_the_docstring_is_that_of_the_sheet(name: str) -> None:
    told = told_range(name)
    if told is not None:
        assert look_up(name).sheet.range == pytest.approx(told, abs=1e-4)  # print has five digits at most


def test_nearly_all_docstrings_have_a_range_that_can_be_read() -> None:
    assert sum(told_range(name) is not None for name in names(kind="elementwise")) >= 40


@pytest.mark.parametrize("name", names())
def test_every_property_is_told_once_and_in_words(name: str) -> None:
    told = facts(look_up(name))
    assert len({label for label, _ in told}) == len(told)
    assert {"values", "shape", "slope", "backward keeps"} <= {label for label, _ in told}
    assert all(words and "nan" not in words.split() and "None" not in words for _, words in told)


@pytest.mark.parametrize(("alpha", "left"), [(-1.0, "-1"), (3.0, "3")])
def test_the_slope_beside_a_kink_is_its_limit_there(alpha: float, left: str) -> None:
    told = dict(facts(look_up("elu", alpha=alpha)))  # alpha exp(x) tends to alpha
    assert told["kinks"].startswith(f"at 0: slope {left} on the left, 1 on the right, ")


def test_libraries_that_mean_the_same_are_named_together() -> None:
    told = dict(facts(look_up("leaky_relu")))["elsewhere"]
    assert "in keras and tensorflow this name means leaky_relu with negative_slope = 0.2; in keras2 this" in told


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


def test_what_other_libraries_mean_by_a_name_is_told() -> None:
    assert dict(facts(look_up("gelu")))["elsewhere"] == "in jax this name means gelu_tanh"
    assert (
        "in keras2 this name means leaky_relu with negative_slope = 0.3"
        in dict(facts(look_up("leaky_relu")))["elsewhere"]
    )
    assert "elsewhere" not in dict(facts(look_up("relu")))


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
