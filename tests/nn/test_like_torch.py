"""Against torch.nn: the same constructors, attributes, representations, state, and numbers where those are right."""

import inspect

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limen import nn as twins
from limen.activations import of_module
from limen.nn import functional
from tests.nn.family import SMALL, copies, slope_by

PAIRS = [
    (nn.Threshold(0.5, 0.1), twins.Threshold(0.5, 0.1)),
    (nn.Threshold(0.5, 0.1, True), twins.Threshold(0.5, 0.1, inplace=True)),
    (nn.ReLU(), twins.ReLU()),
    (nn.ReLU(inplace=True), twins.ReLU(inplace=True)),
    (nn.ReLU6(True), twins.ReLU6(True)),
    (nn.LeakyReLU(), twins.LeakyReLU()),
    (nn.LeakyReLU(0.2, True), twins.LeakyReLU(0.2, True)),
    (nn.Hardtanh(), twins.Hardtanh()),
    (nn.Hardtanh(-2, 0.5, inplace=True), twins.Hardtanh(-2, 0.5, inplace=True)),
    (nn.Sigmoid(), twins.Sigmoid()),
    (nn.Hardsigmoid(), twins.Hardsigmoid()),
    (nn.Tanh(), twins.Tanh()),
    (nn.SiLU(), twins.SiLU()),
    (nn.Mish(), twins.Mish()),
    (nn.Hardswish(), twins.Hardswish()),
    (nn.ELU(0.4), twins.ELU(0.4)),
    (nn.CELU(0.4), twins.CELU(0.4)),
    (nn.SELU(), twins.SELU()),
    (nn.GELU(), twins.GELU()),
    (nn.GELU("tanh"), twins.GELU("tanh")),
    (nn.Hardshrink(0.25), twins.Hardshrink(0.25)),
    (nn.LogSigmoid(), twins.LogSigmoid()),
    (nn.Softplus(2.0, 10.0), twins.Softplus(2.0, 10.0)),
    (nn.Softshrink(0.25), twins.Softshrink(0.25)),
    (nn.PReLU(), twins.PReLU()),
    (nn.PReLU(3, init=0.5), twins.PReLU(3, init=0.5)),
    (nn.Softsign(), twins.Softsign()),
    (nn.Tanhshrink(), twins.Tanhshrink()),
    (nn.Identity(), twins.Identity()),
]

pairs = pytest.mark.parametrize(("torchs", "ours"), PAIRS, ids=[repr(torchs) for torchs, _ in PAIRS])


@pairs
def test_they_look_alike(torchs: nn.Module, ours: nn.Module) -> None:
    assert type(ours).__name__ == type(torchs).__name__
    assert torchs.extra_repr() == ours.extra_repr()
    public = {name: value for name, value in vars(torchs).items() if name[0] != "_"}
    if isinstance(torchs, nn.ReLU6):  # a Hardtanh to torch
        del public["min_val"], public["max_val"]
    assert {name: getattr(ours, name) for name in public} == public


@pairs
def test_whatever_torchs_constructor_takes_ours_takes_too(torchs: nn.Module, ours: nn.Module) -> None:
    wanted, found = (inspect.signature(type(module)).parameters for module in (torchs, ours))
    left_out = {"min_value", "max_value", "args", "kwargs"}  # deprecated, or of a class without a constructor
    order = [name for name in wanted if name not in left_out]
    assert [name for name in found if name in order] == order
    for name in order:
        assert (found[name].kind, found[name].default) == (wanted[name].kind, wanted[name].default)


@pairs
def test_state_goes_both_ways(torchs: nn.Module, ours: nn.Module) -> None:
    (left,), (right,) = copies(torchs)[:1], copies(ours)[:1]
    for parameter in left.parameters():
        nn.init.constant_(parameter, 0.375)
    right.load_state_dict(left.state_dict())
    assert torch.equal(right(SMALL.clone()), left(SMALL.clone())) or not left.state_dict()
    left.load_state_dict(right.state_dict())
    assert {k: v.tolist() for k, v in right.state_dict().items()} == {
        k: v.tolist() for k, v in left.state_dict().items()
    }


@pairs
def test_ordinary_numbers_are_the_same(torchs: nn.Module, ours: nn.Module) -> None:
    torch.testing.assert_close(ours(SMALL.clone()), torchs(SMALL.clone()))
    if getattr(torchs, "inplace", False):
        return
    torch.testing.assert_close(slope_by(ours, SMALL), slope_by(torchs, SMALL))


@pairs
def test_both_are_the_same_entry(torchs: nn.Module, ours: nn.Module) -> None:
    assert repr(of_module(ours)) == repr(of_module(torchs))


# --- calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", functional.__all__)
def test_a_call_is_its_module(name: str) -> None:
    call = getattr(functional, name)
    given = {"threshold": (0.5, 0.1), "prelu": (torch.tensor([0.25]),)}.get(name, ())
    classes = {found.__name__.lower(): found for found in vars(twins).values() if inspect.isclass(found)}
    twin = classes[name.replace("_", "")]
    module = twin(*given) if name == "threshold" else twin()
    assert torch.equal(call(SMALL, *given), module(SMALL))
    assert call.__doc__


@pytest.mark.parametrize("name", [name for name in functional.__all__ if hasattr(F, name)])
def test_a_call_takes_what_torchs_takes(name: str) -> None:
    try:
        wanted = inspect.signature(getattr(F, name)).parameters
    except ValueError:  # of a built-in, which does not tell
        return
    found = inspect.signature(getattr(functional, name)).parameters
    assert [parameter for parameter in found if parameter != "exact"] == list(wanted)
    assert all(found[each].default == wanted[each].default for each in wanted)


def test_calls_pass_on_what_they_are_given() -> None:
    assert functional.gelu(SMALL, approximate="tanh").equal(twins.GELU("tanh")(SMALL))
    assert functional.elu(SMALL, 0.5, exact=True).equal(twins.ELU(0.5, exact=True)(SMALL))
    x = SMALL.clone()
    assert functional.relu(x, inplace=True) is not None
    assert x.equal(SMALL.clamp(min=0))


# --- what torch's do in models ---------------------------------------------------------------------------------


def test_a_transformer_layer_takes_one_as_its_activation() -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation=twins.GELU(), batch_first=True)
    torch.manual_seed(0)
    plain = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, activation=nn.GELU(), batch_first=True)
    x = torch.randn(2, 3, 4)
    torch.testing.assert_close(layer(x), plain(x), rtol=1e-5, atol=1e-6)


def test_selu_with_alpha_dropout_keeps_mean_and_variance_and_with_ordinary_dropout_does_not() -> None:
    found = {}
    for dropout in (twins.AlphaDropout, nn.Dropout):
        torch.manual_seed(0)
        x = torch.randn(512, 256)
        for _ in range(8):
            layer = nn.Linear(256, 256)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
            with torch.no_grad():
                x = dropout(0.1)(twins.SELU()(layer(x)))
        found[dropout] = float(x.mean().abs()), float(x.var())
    # 8 layers of 256 units: each layer's variance varies by sqrt(2 / 256), or 9 %
    assert found[twins.AlphaDropout] == pytest.approx((0.0, 1.0), abs=0.3)
    assert found[nn.Dropout][1] > 1.3
