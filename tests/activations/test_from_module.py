import importlib.util
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

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
    Identity,
    LeakyReLU,
    LogSigmoid,
    Mish,
    PReLU,
    QuickGELU,
    ReLU,
    ReLU6,
    RReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Softshrink,
    Softsign,
    SquaredReLU,
    Tanh,
    Tanhshrink,
    Threshold,
    composite,
    of_class_name,
    of_module,
)

MODULES = [
    (nn.Identity(), Identity()),
    (nn.ReLU(inplace=True), ReLU()),
    (nn.ReLU6(), ReLU6()),
    (nn.LeakyReLU(0.2), LeakyReLU(0.2)),
    (nn.PReLU(4, init=0.125), PReLU(0.125)),
    (nn.Threshold(0.0, 0.0), ReLU()),
    (nn.Threshold(1.0, 0.0), Threshold(1.0, 0.0)),
    (nn.Hardshrink(0.25), Hardshrink(0.25)),
    (nn.Softshrink(0.25), Softshrink(0.25)),
    (nn.Tanhshrink(), Tanhshrink()),
    (nn.ELU(0.4), ELU(0.4)),
    (nn.CELU(0.4), CELU(0.4)),
    (nn.SELU(), SELU()),
    (nn.GELU(), GELU()),
    (nn.GELU("tanh"), GELUTanh()),
    (nn.SiLU(), SiLU()),
    (nn.Mish(), Mish()),
    (nn.Hardswish(), Hardswish()),
    (nn.Sigmoid(), Sigmoid()),
    (nn.LogSigmoid(), LogSigmoid()),
    (nn.Hardsigmoid(), Hardsigmoid()),
    (nn.Tanh(), Tanh()),
    (nn.Hardtanh(-2, 3), Hardtanh(-2, 3)),
    (nn.Hardtanh(0, 6), ReLU6()),
    (nn.Softsign(), Softsign()),
    (nn.Softplus(2.0), Softplus(2.0)),
    (nn.RReLU(0.1, 0.5), RReLU(0.1, 0.5)),
]


@pytest.mark.parametrize(("module", "act"), MODULES, ids=[repr(module) for module, _ in MODULES])
def test_a_module_of_torch_is_its_entry_with_its_parameters(module: nn.Module, act: Activation) -> None:
    found = of_module(module)
    assert type(found) is type(act)
    assert vars(found) == vars(act)


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(1, 1),
        nn.Softmax(-1),
        nn.RReLU(0.5, 0.1),
        nn.GLU(),
        nn.Hardshrink(-1.0),
        nn.Softplus(-1.0),
        nn.Dropout(),
    ],
    ids=repr,
)
def test_what_the_catalogue_cannot_express_is_none(module: nn.Module) -> None:
    assert of_module(module) is None


def test_the_slope_of_a_prelu_is_the_mean_of_this_moment() -> None:
    module = nn.PReLU(2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([0.5, 0.0]))
    assert of_module(module) == PReLU(0.25)
    with torch.no_grad():
        module.weight.zero_()
    assert of_module(module) == PReLU(0.0)


def test_a_prelu_that_became_nan_or_has_no_storage_does_not_raise() -> None:
    module = nn.PReLU()
    with torch.no_grad():
        module.weight.fill_(torch.nan)
    assert of_module(module) is None
    assert of_module(nn.PReLU(device="meta")) == PReLU(0.25)
    with FakeTensorMode():  # the compiler's
        assert of_module(nn.PReLU(init=0.5)) == PReLU(0.25)


def test_a_subclass_counts_while_it_keeps_the_forward_of_torch() -> None:
    class Named(nn.ReLU):
        pass

    class Changed(nn.ReLU):
        def forward(self, input: Tensor) -> Tensor:
            return input.sigmoid()

    assert of_module(Named()) == ReLU()
    assert of_module(Changed()) is None


class Own(nn.Module):
    """A user's, that says what it applies."""

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha

    @property
    def entry(self) -> Activation:
        return ELU(self.alpha)

    def forward(self, input: Tensor) -> Tensor:
        return torch.where(input > 0, input, self.alpha * torch.expm1(input))


def test_a_module_may_say_which_entry_it_applies() -> None:
    assert of_module(Own(0.3)) == composite(Own(0.3)) == ELU(0.3)
    assert of_module(Own(float("nan"))) is None
    told = nn.Sequential(nn.ReLU())
    told.entry = "relu"  # type: ignore[assignment]  # something else by that name
    assert of_module(told) is composite(told) is None


def test_what_a_module_says_ends_where_its_forward_is_changed() -> None:
    class Changed(Own):
        def forward(self, input: Tensor) -> Tensor:
            return -input

    assert of_module(Changed(0.3)) is composite(Changed(0.3)) is None


def test_the_same_entry_is_the_same_object() -> None:
    assert of_module(nn.ELU(0.7)) is of_module(nn.ELU(0.7))


CLASS_NAMES = {
    "GELUActivation": GELU(),
    "ClippedGELUActivation": GELU(),
    "NewGELUActivation": GELUTanh(),
    "FastGELUActivation": GELUTanh(),
    "AccurateGELUActivation": GELUTanh(),
    "PytorchGELUTanh": GELUTanh(),
    "GELUTanh": GELUTanh(),
    "QuickGELUActivation": QuickGELU(),
    "SiLUActivation": SiLU(),
    "MishActivation": Mish(),
    "ReLUSquaredActivation": SquaredReLU(),
    "LinearActivation": Identity(),
}


@pytest.mark.parametrize(("name", "act"), CLASS_NAMES.items())
def test_a_class_of_hugging_face_is_known_by_its_name(name: str, act: Activation) -> None:
    assert of_class_name(name) == act


@pytest.mark.parametrize("name", ["ReLU", "LaplaceActivation", "XIELUActivation", "Linear", "GPT2Model", ""])
def test_other_class_names_are_none(name: str) -> None:
    assert of_class_name(name) is None


AGAINST_TRANSFORMERS = """
import sys
import torch
from limen.activations import of_class_name, of_module
assert "transformers" not in sys.modules
from transformers.activations import ACT2CLS, ACT2FN
unknown = []
x = torch.linspace(-4, 4, 161, dtype=torch.float64)
for name in sorted(ACT2CLS):
    if name == "xielu":
        continue
    module = ACT2FN[name].double()
    act = of_module(module) or of_class_name(type(module).__name__)
    if act is None:
        unknown.append(name)
        continue
    assert torch.allclose(module(x), act.f(x), rtol=0, atol=1e-8), name  # FastGELU rounds sqrt(2/pi) to 1e-10
print(*unknown)
"""


@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_each_activation_of_transformers_computes_what_its_entry_does() -> None:
    # in a process of its own: transformers warns on import, and warnings are errors here
    done = subprocess.run([sys.executable, "-c", AGAINST_TRANSFORMERS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["laplace", "sqrtsoftplus"]


def test_a_composite_is_what_another_library_computes_in_several_calls() -> None:
    class NewGELUActivation(nn.Module):
        """As transformers has one."""

    class GELUActivation(nn.GELU):
        """One call of torch's, whatever it is called."""

    assert composite(NewGELUActivation()) == GELUTanh()
    assert composite(GELUActivation()) is None
    assert composite(nn.Linear(2, 2)) is None
