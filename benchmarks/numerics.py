"""How true limen's and torch's activation functions are: the worst error of each, and where it is.

Single precision at every 4,099th bit pattern and on a dense grid in ±25, both half precisions at every number, doubles
at places where digits are easily lost. The truth is the catalogue's entry in double precision, which the tests compare
with fifty digits; for doubles it is those digits themselves. Slopes and curvatures of torch are autograd's.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpmath as mp
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.formulas import EXACT
from benchmarks.record import RESULTS, save
from benchmarks.tables import show
from limen.activations import Activation, Entry, get, names

Floats = npt.NDArray[np.float64]

TORCH: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "arctan": torch.atan,
    "asinh": torch.asinh,
    "celu": F.celu,
    "elu": F.elu,
    "erf": torch.erf,
    "gelu": F.gelu,
    "gelu_tanh": functools.partial(F.gelu, approximate="tanh"),
    "hardshrink": F.hardshrink,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "hardtanh": F.hardtanh,
    "identity": torch.clone,
    "leaky_relu": F.leaky_relu,
    "logsigmoid": F.logsigmoid,
    "mish": F.mish,
    "prelu": lambda x: F.prelu(x, torch.full((1,), 0.25, dtype=x.dtype)),
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "sin": torch.sin,
    "softplus": F.softplus,
    "softshrink": F.softshrink,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
    "threshold": functools.partial(F.threshold, threshold=1.0, value=0.0),
}
"""The operators of torch, with the parameters of the catalogue."""

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
BITS = {torch.float32: (24, -149), torch.bfloat16: (8, -133), torch.float16: (11, -24), torch.float64: (53, -1074)}
"""Of the significand, and the exponent of the smallest number."""

CASES = [
    ("sigmoid", "slope", "float32", 17.0),
    ("tanh", "slope", "float32", 9.1),
    ("gelu", "value", "float32", -5.5),
    ("gelu", "value", "float64", -9.0),
    ("gelu_tanh", "value", "float32", -5.0),
    ("gelu_tanh", "slope", "float32", 1.9e19),
    ("silu", "value", "float32", -90.0),
    ("mish", "slope", "float32", -90.0),
    ("softplus", "value", "float64", math.nextafter(20.0, 21.0)),
    ("sigmoid", "slope", "float64", 37.0),
    ("tanh", "slope", "float64", 19.1),
    ("silu", "value", "float64", -710.0),
    ("softsign", "slope", "float32", 1e8),
    ("tanhshrink", "value", "float32", 3e-4),
    ("hardswish", "value", "float32", 1e38),
    ("sigmoid", "curvature", "float32", 21.0),
    ("silu", "curvature", "float32", 21.0),
    ("mish", "curvature", "float32", 12.0),
    ("tanh", "curvature", "float32", 12.0),
]
"""Where torch loses most: function, what of it, type and input."""


@dataclass(frozen=True)
class Row:
    """The worst of one function in one type.

    Attributes:
        function: its name in the catalogue.
        what: ``value``, ``slope`` or ``curvature``.
        type: of the numbers.
        limen: the largest error of limen, in units in the last place of the truth; infinite for a NaN or a wrong
            infinity.
        limen_at: its input.
        torch: likewise of torch's operator; None where torch has none.
        torch_at: its input.
        torch_wrong: share of the inputs at which torch's result is not the number next to the truth.
        limen_wrong: the same of limen.
    """

    function: str
    what: str
    type: str
    limen: float
    limen_at: float
    limen_wrong: float
    torch: float | None = None
    torch_at: float | None = None
    torch_wrong: float | None = None


@dataclass(frozen=True)
class Case:
    """One input: what limen and torch make of it, and the truth."""

    function: str
    what: str
    type: str
    input: float
    truth: float
    limen: float
    torch: float


def inputs(dtype: torch.dtype) -> Tensor:
    """Where a type is looked at; finite numbers only."""
    if dtype == torch.float64:
        draw = np.random.default_rng(3)
        far, near = draw.uniform(-40, 40, 60), draw.uniform(-3, 3, 40)
        small = np.exp(draw.uniform(-40, 6, 30)) * np.resize([-1.0, 1.0], 30)
        lost = [x for _, _, kind, x in CASES if kind == "float64"] + [37.0, 19.1, -8.0, -19.1, -37.0, -700.0]
        return torch.from_numpy(np.concatenate([far, near, small, lost]))
    if dtype == torch.float32:
        patterns = torch.arange(0, 2**32, 4099, dtype=torch.int64).to(torch.int32).view(torch.float32)
        found = torch.cat([patterns, torch.linspace(-25, 25, 400_001)])
    else:
        found = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    return found[found.isfinite()]


def of_limen(act: Activation, what: str, x: Tensor) -> Tensor:
    return {"value": act.f, "slope": act.df, "curvature": act.d2f}[what](x)


def of_torch(name: str, what: str, x: Tensor) -> Tensor | None:
    """None where torch refuses, as for the curvature of ``hardsigmoid``."""
    z = x.clone().requires_grad_()
    y = TORCH[name](z)
    if what == "value":
        return y.detach()
    try:
        (slope,) = torch.autograd.grad(y.sum(), z, create_graph=what == "curvature")
        if what == "slope":
            return slope
        return torch.autograd.grad(slope.sum(), z)[0] if slope.requires_grad else torch.zeros_like(x)
    except RuntimeError as refused:
        if "not implemented" in str(refused):
            return None
        raise


def digits(act: Activation, what: str, x: float) -> mp.mpf:
    """The truth at a double, to fifty digits: derivatives from differences of many more."""
    with mp.workdps(200 + int(min(abs(x), 800)) + int(min(x * x, 700)) * (what != "value")):
        at = mp.mpf(x)
        if what == "value":
            return EXACT[act.name](at, act)
        step = (abs(at) or 1) * mp.mpf(10) ** -55
        below, here, above = (EXACT[act.name](at + side * step, act) for side in (-1, 0, 1))
        found = (above - below) / (2 * step) if what == "slope" else (above - 2 * here + below) / step**2
        rounding = abs(here) * mp.mpf(10) ** (5 - mp.mp.dps) / step ** (1 if what == "slope" else 2)
        return found if abs(found) > rounding else mp.mpf(0)


def unit(truth: Floats, dtype: torch.dtype) -> Floats:
    """One unit in the last place of numbers of that type."""
    bits, smallest = BITS[dtype]
    return np.ldexp(1.0, np.maximum(np.frexp(truth)[1] - bits, smallest))


def errors(found: Tensor, truth: Floats, rest: Floats) -> Floats:
    """In units in the last place of ``truth + rest``; infinite where a number is not finite that should be."""
    largest = torch.finfo(found.dtype).max
    got = found.double().numpy(force=True)  # a slope that does not change is a tensor without storage
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs((got - truth) - rest) / unit(truth, found.dtype)
        over = np.abs(truth) > largest * (1 - torch.finfo(found.dtype).eps)  # may round to an infinity
        off = np.where(over & np.isinf(got) & (np.sign(got) == np.sign(truth)), 0.0, off)
    return np.where(np.isfinite(got) | over, off, np.inf)


def measure(name: str, what: str, kind: str) -> Row:
    """One function in one type."""
    act, x = get(name), inputs(TYPES[kind])
    assert isinstance(act, Entry)
    choices = act.kinks if what == "slope" else (*act.kinks, *act.sheet.bends) if what == "curvature" else ()
    x = x[~torch.isin(x.double(), torch.tensor(choices, dtype=torch.float64))]  # where a side has to be chosen
    if kind == "float64":
        exact = [digits(act, what, float(each)) for each in x]
        truth = np.array([float(each) for each in exact])
        rest = np.array([float(each - mp.mpf(float(each))) for each in exact])
    else:
        truth, rest = of_limen(act, what, x.double()).numpy(), np.zeros(len(x))

    def worst(found: Tensor) -> tuple[float, float, float]:
        off = errors(found, truth, rest)
        top = int(off.argmax())
        return float(off[top]), float(x[top]), float((off > 0.5 * (1 + 1e-6)).mean())

    theirs = of_torch(name, what, x) if name in TORCH else None
    other = (None, None, None) if theirs is None else worst(theirs)
    return Row(name, what, kind, *worst(of_limen(act, what, x)), *other)


def case(name: str, what: str, kind: str, x: float) -> Case:
    """One of torch's worst, in a tensor long enough for its vectorised loop."""
    act, at = get(name), torch.full((64,), x, dtype=TYPES[kind])
    truth, theirs = digits(act, what, float(at[0])), of_torch(name, what, at)
    assert theirs is not None
    return Case(
        name,
        what,
        kind,
        float(at[0]),
        float(truth),
        float(of_limen(act, what, at)[0]),
        float(theirs[0]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--save", type=Path, nargs="?", const=RESULTS / "numerics.json", help="also write JSON")
    parser.add_argument("--functions", nargs="*", default=names(kind="elementwise"), help="only these")
    options = parser.parse_args()
    cases = [case(*each) for each in CASES]
    columns = ["function", "what", "type", "input", "truth", "limen", "torch"]
    show(
        "Where torch loses most",
        columns,
        [[f"{v:.6g}" if isinstance(v, float) else v for v in vars(c).values()] for c in cases],
    )
    asked = [(what, kind) for what in ("value", "slope") for kind in TYPES]
    asked += [("curvature", "float32"), ("curvature", "float64")]
    rows = [measure(name, what, kind) for name in options.functions for what, kind in asked]
    columns = ["function", "what", "type", "limen", "at", "wrong", "torch", "at", "wrong"]
    show("Worst error, in units in the last place", columns, [[shown(v) for v in vars(row).values()] for row in rows])
    if options.save:
        save(options.save, [*cases, *rows], ("torch", "mpmath"))


def shown(cell: str | float | None) -> str:
    return "–" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else cell


if __name__ == "__main__":
    main()
