"""What a real ``TorchFunctionMode`` sees, for every way of calling an activation."""

import timeit
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from limen.activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    Activation,
    GELUTanh,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
    from_call,
    of_call,
    register_call,
)

Call = Callable[[Tensor], Any]


class Recorder(TorchFunctionMode):
    """Remembers each activation that passes, with a copy of its pre-activation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Activation, Tensor, Tensor]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = of_call(func, args, kwargs)
        if found is not None:
            self.seen.append((found[0], found[1], found[1].detach().clone()))
        return func(*args, **(kwargs or {}))


def seen_by_a_mode(call: Call, z: Tensor) -> tuple[list[tuple[Activation, Tensor, Tensor]], Any]:
    with Recorder() as recorder:
        y = call(z)
    return recorder.seen, y


SLOPE = torch.full((1,), 0.125)

CALLS: dict[Activation, dict[str, Call]] = {
    ReLU(): {
        "F.relu": F.relu,
        "F.relu inplace": lambda z: F.relu(z, inplace=True),
        "F.relu(input=)": lambda z: F.relu(input=z),
        "F.relu_": F.relu_,
        "torch.relu": torch.relu,
        "torch.relu(input=)": lambda z: torch.relu(input=z),
        "torch.relu_": torch.relu_,
        "Tensor.relu": Tensor.relu,
        "Tensor.relu_": lambda z: z.relu_(),
        "clamp(min=0)": lambda z: z.clamp(min=0),
        "clamp(0)": lambda z: z.clamp(0),
        "clamp(0.0, None)": lambda z: z.clamp(0.0, None),
        "clamp_(min=0)": lambda z: z.clamp_(min=0),
        "clip(min=0)": lambda z: z.clip(min=0),
        "clip_(0)": lambda z: z.clip_(0),
        "clamp_min(0)": lambda z: z.clamp_min(0),
        "clamp_min(min=0)": lambda z: z.clamp_min(min=0),
        "clamp_min_(0)": lambda z: z.clamp_min_(0),
        "torch.clamp(min=0)": lambda z: torch.clamp(z, min=0),
        "torch.clamp(input=, min=0)": lambda z: torch.clamp(input=z, min=0),
        "torch.clamp(0)": lambda z: torch.clamp(z, 0),
        "torch.clamp_": lambda z: torch.clamp_(z, min=0),
        "torch.clip": lambda z: torch.clip(z, min=0),
        "torch.clip_": lambda z: torch.clip_(z, 0),
        "torch.clamp_min": lambda z: torch.clamp_min(z, 0),
        "torch.clamp_min_": lambda z: torch.clamp_min_(z, 0),
        "F.threshold": lambda z: F.threshold(z, 0, 0),
        "F.threshold(threshold=, value=)": lambda z: F.threshold(z, threshold=0.0, value=0.0),
        "F.threshold_": lambda z: F.threshold_(z, 0, 0),
        "torch.threshold": lambda z: torch.threshold(z, 0, 0),
        "nn.ReLU": nn.ReLU(),
        "nn.ReLU inplace": nn.ReLU(inplace=True),
        "nn.Threshold": nn.Threshold(0, 0),
    },
    ReLU6(): {
        "F.relu6": F.relu6,
        "F.relu6 inplace": lambda z: F.relu6(z, inplace=True),
        "nn.ReLU6": nn.ReLU6(),
        "nn.ReLU6 inplace": nn.ReLU6(inplace=True),
        "F.hardtanh(0, 6)": lambda z: F.hardtanh(z, 0, 6),
        "clamp(0, 6)": lambda z: z.clamp(0, 6),
        "clamp_(min=0, max=6)": lambda z: z.clamp_(min=0, max=6),
        "torch.clip(max=6, min=0)": lambda z: torch.clip(z, max=6.0, min=0.0),
    },
    Hardtanh(): {
        "F.hardtanh": F.hardtanh,
        "F.hardtanh inplace": lambda z: F.hardtanh(z, inplace=True),
        "F.hardtanh_": F.hardtanh_,
        "nn.Hardtanh": nn.Hardtanh(),
        "clamp(-1, 1)": lambda z: z.clamp(-1, 1),
    },
    Hardtanh(-2.0, 0.5): {
        "F.hardtanh(-2, 0.5)": lambda z: F.hardtanh(z, -2.0, 0.5),
        "F.hardtanh(min_val=, max_val=)": lambda z: F.hardtanh(z, max_val=0.5, min_val=-2.0),
        "F.hardtanh_(-2, 0.5)": lambda z: F.hardtanh_(z, -2.0, 0.5),
        "nn.Hardtanh(-2, 0.5)": nn.Hardtanh(-2.0, 0.5),
    },
    RReLU(): {"F.rrelu": F.rrelu, "torch.rrelu": torch.rrelu, "F.rrelu_": F.rrelu_, "nn.RReLU": nn.RReLU().eval()},
    RReLU(0.1, 0.5): {"F.rrelu(lower=, upper=)": lambda z: F.rrelu(z, upper=0.5, lower=0.1)},
    LeakyReLU(): {"F.leaky_relu": F.leaky_relu, "F.leaky_relu_": F.leaky_relu_, "nn.LeakyReLU": nn.LeakyReLU()},
    LeakyReLU(0.2): {
        "F.leaky_relu(0.2)": lambda z: F.leaky_relu(z, 0.2),
        "F.leaky_relu(negative_slope=)": lambda z: F.leaky_relu(z, negative_slope=0.2),
        "F.leaky_relu inplace": lambda z: F.leaky_relu(z, 0.2, True),
        "F.leaky_relu_(0.2)": lambda z: F.leaky_relu_(z, 0.2),
        "nn.LeakyReLU(0.2)": nn.LeakyReLU(0.2),
        "nn.LeakyReLU(0.2) inplace": nn.LeakyReLU(0.2, inplace=True),
    },
    PReLU(0.125): {
        "F.prelu": lambda z: F.prelu(z, SLOPE),
        "torch.prelu": lambda z: torch.prelu(z, SLOPE),
        "torch.prelu(weight=)": lambda z: torch.prelu(z, weight=SLOPE),
        "Tensor.prelu": lambda z: z.prelu(SLOPE),
        "nn.PReLU": nn.PReLU(init=0.125),
    },
    ELU(): {"F.elu": F.elu, "F.elu_": F.elu_, "nn.ELU": nn.ELU()},
    ELU(0.4): {
        "F.elu(0.4)": lambda z: F.elu(z, 0.4),
        "F.elu(alpha=, inplace)": lambda z: F.elu(z, alpha=0.4, inplace=True),
        "nn.ELU(0.4)": nn.ELU(0.4),
    },
    CELU(0.4): {
        "F.celu": lambda z: F.celu(z, 0.4),
        "F.celu_": lambda z: F.celu_(z, alpha=0.4),
        "torch.celu": lambda z: torch.celu(z, alpha=0.4),
        "torch.celu_": lambda z: torch.celu_(z, 0.4),
        "nn.CELU": nn.CELU(0.4),
        "nn.CELU inplace": nn.CELU(0.4, inplace=True),
    },
    SELU(): {
        "F.selu": F.selu,
        "F.selu inplace": lambda z: F.selu(z, inplace=True),
        "F.selu_": F.selu_,
        "torch.selu": torch.selu,
        "torch.selu_": torch.selu_,
        "nn.SELU": nn.SELU(),
    },
    GELU(): {
        "F.gelu": F.gelu,
        "F.gelu(approximate='none')": lambda z: F.gelu(z, approximate="none"),
        "torch._C._nn.gelu": torch._C._nn.gelu,
        "nn.GELU": nn.GELU(),
    },
    GELUTanh(): {"F.gelu(approximate='tanh')": lambda z: F.gelu(z, approximate="tanh"), "nn.GELU": nn.GELU("tanh")},
    SiLU(): {"F.silu": F.silu, "F.silu inplace": lambda z: F.silu(z, inplace=True), "nn.SiLU": nn.SiLU(inplace=True)},
    Mish(): {"F.mish": F.mish, "F.mish inplace": lambda z: F.mish(z, inplace=True), "nn.Mish": nn.Mish()},
    Hardswish(): {"F.hardswish": F.hardswish, "inplace": lambda z: F.hardswish(z, True), "nn": nn.Hardswish()},
    Hardsigmoid(): {
        "F.hardsigmoid": F.hardsigmoid,
        "inplace": lambda z: F.hardsigmoid(z, True),
        "nn": nn.Hardsigmoid(),
    },
    Threshold(1, 0): {"F.threshold(1, 0)": lambda z: F.threshold(z, 1, 0)},
    Threshold(0.5, -1.0): {
        "torch.threshold": lambda z: torch.threshold(z, 0.5, -1.0),
        "nn.Threshold": nn.Threshold(0.5, -1.0),
    },
    Hardshrink(): {
        "F.hardshrink": F.hardshrink,
        "torch.hardshrink": torch.hardshrink,
        "Tensor.hardshrink": Tensor.hardshrink,
        "nn": nn.Hardshrink(),
    },
    Hardshrink(1.5): {"F.hardshrink(1.5)": lambda z: F.hardshrink(z, 1.5), "nn": nn.Hardshrink(1.5)},
    Softshrink(): {"F.softshrink": F.softshrink, "nn": nn.Softshrink()},
    Softshrink(1.5): {"F.softshrink(lambd=)": lambda z: F.softshrink(z, lambd=1.5), "nn": nn.Softshrink(1.5)},
    Tanhshrink(): {"F.tanhshrink": F.tanhshrink, "nn": nn.Tanhshrink()},
    Softsign(): {"F.softsign": F.softsign, "nn.Softsign": nn.Softsign()},
    LogSigmoid(): {"F.logsigmoid": F.logsigmoid, "(input=)": lambda z: F.logsigmoid(input=z), "nn": nn.LogSigmoid()},
    Softplus(): {"F.softplus": F.softplus, "nn.Softplus": nn.Softplus()},
    Softplus(2.0): {
        "F.softplus(2)": lambda z: F.softplus(z, 2.0),
        "F.softplus(beta=)": lambda z: F.softplus(z, beta=2.0),
        "nn.Softplus(2)": nn.Softplus(2.0),
    },
    Tanh(): {
        "torch.tanh": torch.tanh,
        "torch.tanh(input=)": lambda z: torch.tanh(input=z),
        "torch.tanh_": torch.tanh_,
        "Tensor.tanh": lambda z: z.tanh(),
        "Tensor.tanh_": lambda z: z.tanh_(),
        "F.tanh": F.tanh,
        "nn.Tanh": nn.Tanh(),
    },
    Sigmoid(): {
        "torch.sigmoid": torch.sigmoid,
        "torch.sigmoid_": torch.sigmoid_,
        "Tensor.sigmoid": lambda z: z.sigmoid(),
        "Tensor.sigmoid_": lambda z: z.sigmoid_(),
        "F.sigmoid": F.sigmoid,
        "torch.special.expit": torch.special.expit,
        "nn.Sigmoid": nn.Sigmoid(),
    },
}

MATRIX = [
    pytest.param(act, call, id=f"{act.name}-{label}") for act, calls in CALLS.items() for label, call in calls.items()
]


@pytest.mark.parametrize(("act", "call"), MATRIX)
def test_a_mode_sees_the_activation_and_its_pre_activation(act: Activation, call: Call) -> None:
    z = torch.linspace(-3, 7, 41)
    seen, y = seen_by_a_mode(call, z)
    assert [entry for entry, _, _ in seen] == [act]
    assert seen[0][1] is z
    torch.testing.assert_close(y, act.f(seen[0][2]), check_dtype=True)


def test_an_activation_inside_a_transformer_layer_is_seen_once() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True)
    seen, _ = seen_by_a_mode(layer, torch.randn(2, 3, 8))
    assert [entry for entry, _, _ in seen] == [GELU()]


OTHERS = {
    "clamp(min=1e-6)": lambda z: z.clamp(min=1e-6),
    "clamp(max=0)": lambda z: z.clamp(max=0),
    "clamp(0, 1)": lambda z: z.clamp(0, 1),
    "clamp(tensor)": lambda z: z.clamp(torch.zeros(())),
    "clamp(0, tensor)": lambda z: z.clamp(torch.zeros(()), torch.ones(())),
    "clamp_min(1)": lambda z: z.clamp_min(1),
    "clamp_min(tensor)": lambda z: z.clamp_min(torch.zeros(())),
    "hardshrink(-1)": lambda z: F.hardshrink(z, -1.0),
    "celu(-1)": lambda z: F.celu(z, -1.0),
    "integers": lambda z: z.long().clamp(min=0),
    "softmax": lambda z: z.softmax(0),
    "dropout": F.dropout,
    "linear": lambda z: F.linear(z, torch.ones(1, 41)),
    "arithmetic": lambda z: (z + 1) * 2,
    "exp": torch.exp,
    "size": lambda z: z.size(),
    "grad": lambda z: z.grad,
}


@pytest.mark.parametrize("call", OTHERS.values(), ids=OTHERS.keys())
def test_other_calls_are_none(call: Call) -> None:
    assert seen_by_a_mode(call, torch.linspace(-3, 7, 41))[0] == []


def test_an_entry_is_the_same_object_in_every_call() -> None:
    z = torch.zeros(2)
    first, second = of_call(F.elu, (z, 0.7)), of_call(F.elu, (z,), {"alpha": 0.7})
    assert first is not None
    assert second is not None
    assert first[0] is second[0]


def test_a_function_may_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_call, "_READERS", dict(from_call._READERS))
    z = torch.zeros(2)
    assert of_call(torch.square, (z,)) is None
    register_call(torch.square, lambda arguments, named: ELU(named.get("alpha", 1.0)))
    assert of_call(torch.square, (z,), {"alpha": 0.5}) == (ELU(0.5), z)
    assert of_call(torch.square, (torch.ones(2, dtype=torch.int64),)) is None


def test_a_call_without_a_tensor_is_none() -> None:
    assert of_call(torch.relu, ()) is None
    assert of_call(torch.relu, ("text",)) is None
    assert of_call(torch.prelu, (torch.zeros(2),)) is None


def test_a_miss_costs_less_than_a_microsecond() -> None:
    arguments = (torch.zeros(2),)
    seconds = min(timeit.repeat(lambda: of_call(torch.add, arguments), number=20_000, repeat=7)) / 20_000
    # 0.07 µs on the machine it was written on; the limit leaves room for a busy one
    assert seconds < 1e-6
