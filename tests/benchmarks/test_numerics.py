"""The benchmark of numerics: its cases are those that are known of torch, and its errors are those of a formula."""

import math

import numpy as np
import pytest
import torch

from benchmarks.numerics import CASES, TORCH, case, errors, inputs, measure, of_limen, of_torch, unit
from limen.activations import get, names

KNOWN = {
    ("sigmoid", "slope"): ("0", "4.1399e-08"),
    ("tanh", "slope"): ("0", "4.9877e-08"),
    ("gelu", "value"): ("-1.639e-07", "-1.0444e-07"),
    ("gelu_tanh", "value"): ("-2.980e-07", "-2.292e-07"),
    ("gelu_tanh", "slope"): ("nan", "1"),
    ("silu", "value"): ("-0", "-7.3746e-38"),
    ("mish", "slope"): ("8.19e-40", "-7.29e-38"),
    ("softsign", "slope"): ("0", "1e-16"),
    ("tanhshrink", "value"): ("0", "9.0e-12"),
    ("hardswish", "value"): ("inf", "1e+38"),
    ("sigmoid", "curvature"): ("-0", "-7.58e-10"),
    ("silu", "curvature"): ("0", "-1.44e-08"),
    ("mish", "curvature"): ("0", "-3.3e-09"),
    ("tanh", "curvature"): ("-0", "-3.0e-10"),
}
"""What torch 2.13 returned on another day, and the truth, to the digits that were written down."""

this_torch = pytest.mark.skipif(not torch.__version__.startswith("2.13"), reason="known of torch 2.13")


def agrees(found: float, printed: str) -> bool:
    """Whether a number is the printed one to the digits that it has."""
    figures = len(printed.split("e")[0].replace("-", "").replace(".", ""))
    return math.isnan(found) if printed == "nan" else f"{found:.{figures}g}" == f"{float(printed):.{figures}g}"


@this_torch
@pytest.mark.parametrize("each", [each for each in CASES if each[2] == "float32"], ids=lambda each: each[0])
def test_torch_loses_what_is_known_of_it_and_limen_nothing(each: tuple[str, str, str, float]) -> None:
    found = case(*each)
    printed, truth = KNOWN[each[:2]]
    assert agrees(found.torch, printed)
    assert agrees(found.truth, truth)
    assert found.limen == pytest.approx(found.truth, rel=2.0**-24)


@this_torch
def test_softplus_of_torch_falls_in_doubles_and_that_of_limen_does_not() -> None:
    found = case("softplus", "value", "float64", math.nextafter(20.0, 21.0))
    assert found.truth - found.torch == pytest.approx(2.06e-9, rel=1e-2)
    assert found.limen == found.truth
    for lost in (
        ("gelu", "value", -9.0),
        ("sigmoid", "slope", 37.0),
        ("tanh", "slope", 19.1),
        ("silu", "value", -710.0),
    ):
        found = case(*lost[:2], "float64", lost[2])
        assert found.torch == 0
        assert found.limen == pytest.approx(found.truth, rel=2.0**-52)


@this_torch
def test_torch_has_no_curvature_of_hardsigmoid() -> None:
    assert of_torch("hardsigmoid", "curvature", torch.zeros(3)) is None
    assert measure("hardsigmoid", "curvature", "float32").torch is None


@this_torch
@pytest.mark.parametrize(
    ("name", "what", "kind", "share"),
    [
        ("sigmoid", "slope", "bfloat16", 1.5),
        ("sigmoid", "slope", "float16", 16.0),
        ("tanh", "slope", "float16", 11.2),
        ("softsign", "slope", "bfloat16", 27.9),
        ("softsign", "slope", "float16", 58.2),
        ("tanhshrink", "value", "bfloat16", 17.4),
        ("tanhshrink", "slope", "float16", 42.0),
    ],
)
def test_the_known_shares_of_wrong_results_are_found_again(name: str, what: str, kind: str, share: float) -> None:
    row = measure(name, what, kind)
    assert row.torch_wrong is not None
    assert 100 * row.torch_wrong == pytest.approx(share, abs=0.06)
    assert row.limen_wrong == 0


def test_errors_are_in_units_of_the_last_place_of_the_truth() -> None:
    truth = np.array([1.0, 1.5, 3.0, 1e-45, 1e39, 2.0, 1.0])
    found = torch.tensor([1 + 2.0**-23, 1.5 - 2.0**-23, 3.0, 0.0, math.inf, math.nan, math.inf])
    last = 2.0**-149
    assert errors(found, truth, 0 * truth).tolist() == [1, 1, 0, 1e-45 / last, 0, math.inf, math.inf]
    assert unit(np.array([1.0, 1.999, 0.5]), torch.bfloat16).tolist() == [2.0**-7, 2.0**-7, 2.0**-8]


def test_every_half_precision_number_is_an_input() -> None:
    assert len(inputs(torch.bfloat16)) == 65280
    assert len(inputs(torch.float16)) == 63488


@pytest.mark.parametrize("name", TORCH)
def test_limen_and_torch_mean_the_same_function(name: str) -> None:
    assert name in names(kind="elementwise")
    x = torch.linspace(-4.99, 4.99, 100, dtype=torch.float64)
    for what in ("value", "slope"):
        # torch rounds 1 / 6 to single precision
        torch.testing.assert_close(of_limen(get(name), what, x), of_torch(name, what, x), rtol=1e-7, atol=1e-9)
