"""The Padé activation unit: what it begins as, its slopes in the parameters, and large inputs."""

from __future__ import annotations

import pytest
import torch

from limen.activations import get
from limen.nn import PAU

X = torch.linspace(-5, 5, 1001, dtype=torch.float64)


@pytest.mark.parametrize(
    ("shape", "worst"),
    [("leaky_relu", 0.06), ("relu", 0.06), ("gelu", 4e-3), ("silu", 1e-4), ("tanh", 1e-4), ("sigmoid", 1e-6),
     ("softplus", 2e-4), ("mish", 3e-3), ("elu", 0.02)],
)  # fmt: skip
def test_it_begins_close_to_the_shape_that_was_named(shape: str, worst: float) -> None:
    found = PAU(shape, dtype=torch.float64)(X).detach()
    assert float((found - get(shape).f(X)).abs().max()) < worst


def test_slopes_in_the_coefficients_are_those_of_the_formula() -> None:
    module = PAU("mish", dtype=torch.float64)
    with torch.no_grad():
        module.denominator.add_(torch.tensor([0.3, -0.2, 0.1, 0.05]))
    x = X[::50] + 0.013
    each = [torch.autograd.grad(y, [module.numerator, module.denominator], retain_graph=True) for y in module(x)]
    in_top, in_bottom = (torch.cat(rows) for rows in zip(*each, strict=True))
    a, b = module.numerator[0].detach(), module.denominator[0].detach()
    inner = sum(b[k - 1] * x**k for k in range(1, 5))
    top, bottom = sum(a[j] * x**j for j in range(6)), 1 + inner.abs()
    for j in range(6):
        torch.testing.assert_close(in_top[:, j], x**j / bottom, rtol=1e-12, atol=1e-14)
    for k in range(1, 5):
        wanted = -top * inner.sign() * x**k / bottom**2
        torch.testing.assert_close(in_bottom[:, k - 1], wanted, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("x", [1e4, -1e4, 1e30, -1e30, 3e38])
def test_large_inputs_do_not_overflow_where_terms_would(x: float) -> None:
    module = PAU("leaky_relu")
    y = module(torch.tensor(x))
    far = (module.numerator[0, 5] / module.denominator[0, 3]).item()
    rest = (module.numerator[0, 4] / module.denominator[0, 3]).item()
    # P / Q = (a5 x + a4) / b4 but for 1 / x; both sides have the same slope
    assert float(y.detach()) == pytest.approx(far * x + rest, rel=1e-3)


def test_an_entry_is_taken_with_its_degrees() -> None:
    entry = get("pau", numerator=(0.0, 1.0, 0.5), denominator=(0.25, 0.125, 0.5))
    module = PAU(entry, 2, dtype=torch.float64)
    assert module.numerator.shape == (2, 3)
    assert module.denominator.shape == (2, 3)
    assert module.entry == entry
    x = torch.stack([X, -X], 1)
    torch.testing.assert_close(module(x), entry.f(x), rtol=1e-14, atol=1e-15)
