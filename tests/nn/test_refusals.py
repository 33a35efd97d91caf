"""Bad input is refused in words: the call, the value, and what would do."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from limen import nn as twins
from limen.activations import Activation, get, register
from limen.activations import base as catalogue
from limen.errors import InvalidValue, LimenError, UnknownName, WrongType
from limen.nn import functional
from tests.nn.family import SMALL, every, module_of

WRONG: dict[str, Any] = {
    "torch.int64": torch.ones(3, dtype=torch.int64),
    "torch.uint8": torch.ones(3, dtype=torch.uint8),
    "torch.bool": torch.ones(3, dtype=torch.bool),
    "torch.complex64": torch.ones(3, dtype=torch.complex64),
    "list": [1.0, 2.0],
    "float": 1.0,
    "NoneType": None,
}


@every
def test_what_is_no_tensor_of_floating_point_numbers_is_refused_by_name(entry: Activation) -> None:
    if entry.name == "identity":  # hands on what it is given, as torch's
        return
    for kind, wrong in WRONG.items():
        message = rf"^{entry.name}\(input of {re.escape(kind)}\): expected a tensor of floating-point numbers"
        with pytest.raises(WrongType, match=message) as caught:
            module_of(entry)(wrong)
        assert isinstance(caught.value, LimenError)
        assert isinstance(caught.value, TypeError)


def test_a_refusal_says_what_would_do() -> None:
    with pytest.raises(WrongType, match=r"Give it input\.float\(\)\."):
        functional.relu(WRONG["torch.int64"])
    with pytest.raises(WrongType, match=r"Give it its real part or its absolute value\."):
        functional.relu(WRONG["torch.complex64"])


@pytest.mark.filterwarnings("ignore:.*nested tensors|.*[Ss]parse:UserWarning")
def test_sparse_and_nested_tensors_are_refused() -> None:
    with pytest.raises(WrongType, match=r"relu\(input of torch\.sparse_coo\): .* Give it input\.to_dense\(\)\."):
        functional.relu(SMALL.to_sparse())
    for layout in (torch.strided, torch.jagged):
        parts = torch.nested.nested_tensor([SMALL, SMALL[:1]], layout=layout)
        with pytest.raises(WrongType, match=r"gelu\(input of a nested tensor\): .* Give it the parts\."):
            functional.gelu(parts)


PARAMETERS: dict[str, Callable[[], object]] = {
    "elu(alpha=nan): expected a finite number": lambda: twins.ELU(math.nan),
    "celu(alpha=0.0): expected a finite number > 0": lambda: twins.CELU(0.0),
    "softplus(beta=0.0): expected a finite number > 0": lambda: twins.Softplus(0.0),
    "leaky_relu(negative_slope=inf): expected a finite number": lambda: twins.LeakyReLU(math.inf),
    "leaky_relu(inplace=True): its backward pass needs the input": lambda: twins.LeakyReLU(-0.5, True),
    "threshold(inplace=True): its backward pass needs the input": lambda: twins.Threshold(0.0, 1.0, True),
    "hardtanh(min_val=1.0, max_val=-1.0): expected min_val < max_val": lambda: twins.Hardtanh(1.0, -1.0),
    "softshrink(lambd=-1.0): expected a finite number >= 0": lambda: twins.Softshrink(-1.0),
    "snake(alpha=-1.0): expected a finite number > 0": lambda: twins.Snake(-1.0),
    "gelu(approximate='tan'): expected 'none' or 'tanh'": lambda: twins.GELU("tan"),
    "elu(alpha='1'): expected a finite number": lambda: twins.ELU("1"),  # type: ignore[arg-type]
    "elu(alpha=nan): expected a finite number.": lambda: functional.elu(SMALL, math.nan),
    "celu(alpha=-2.0): expected": lambda: functional.celu(SMALL, -2.0),
    "silu(inplace=True): its backward pass needs the input": lambda: functional.silu(SMALL.clone(), inplace=True),
    "PReLU(num_parameters=0): expected a whole number >= 1": lambda: twins.PReLU(0),
    "PReLU(num_parameters=2.0): expected a whole number >= 1": lambda: twins.PReLU(2.0),  # type: ignore[arg-type]
    "PReLU(init=nan): expected a finite number": lambda: twins.PReLU(init=math.nan),
    "prelu(weight of 4 slopes): the input has 3 channels, the second axis of [2, 3]": lambda: twins.PReLU(4)(SMALL),
    "prelu(weight of 4 slopes): the input has no channel axis": lambda: twins.PReLU(4)(SMALL[0]),
    "prelu(weight of shape [1, 3]): expected one axis": lambda: functional.prelu(SMALL, torch.ones(1, 3)),
    "elu(beta=1.0): no such parameter. elu takes alpha": lambda: twins.Activate("elu", beta=1.0),
}


@pytest.mark.parametrize("message", PARAMETERS)
def test_a_parameter_that_will_not_do_is_named_with_its_value(message: str) -> None:
    for caught in (InvalidValue, ValueError):
        with pytest.raises(caught, match=f"^{re.escape(message)}"):
            PARAMETERS[message]()


def test_a_parameter_that_goes_bad_later_is_refused_at_the_call() -> None:
    module = twins.ELU()
    module.alpha = math.nan
    with pytest.raises(InvalidValue, match=r"elu\(alpha=nan\)"):
        module(SMALL)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"named 'gleu'\. Did you mean 'gelu'\?"):
        twins.Activate("gleu")
    with pytest.raises(UnknownName, match=r"named 'rleu'"):
        torch.ops.limen.activate(SMALL, "rleu", [], False)
    with pytest.raises(InvalidValue, match=r"relu\(1\.0,\): it takes no parameters"):
        torch.ops.limen.activate(SMALL, "relu", [1.0], False)


# --- entries of a user's own -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cube(Activation):
    """``f(x) = x³`` times a height."""

    height: float = 1.0
    source = "definition"
    kinks = ()
    monotone = True

    def f(self, x: Tensor) -> Tensor:
        return self.height * x**3

    def df(self, x: Tensor) -> Tensor:
        return 3 * self.height * x**2

    def d2f(self, x: Tensor) -> Tensor:
        return 6 * self.height * x


def test_one_that_is_not_in_the_catalogue_is_refused_and_a_registered_one_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InvalidValue, match=r"^Cube\(height=2\.0\) is no entry of the catalogue .*register"):
        twins.of_entry(Cube(2.0))
    monkeypatch.setattr(catalogue, "_ENTRIES", dict(catalogue._ENTRIES))
    register("cube")(Cube)
    module = twins.of_entry(Cube(2.0))
    x = SMALL.double().requires_grad_()
    (slope,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(slope, 6 * x**2)
    torch.testing.assert_close(curvature, 12 * x)
    assert repr(module) == "Activate(Cube(height=2.0))"
    assert get("cube", height=2.0) == module.entry  # type: ignore[comparison-overlap]
