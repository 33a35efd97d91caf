"""What limen cannot see it says once, with the reason; what it sees goes without saying."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint

from limen.vitals import Vitals
from tests.probe.watching import watching

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")  # its own deprecation
Backward = Callable[[nn.Module, Tensor], None]


def body() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh())


def backward(model: nn.Module, x: Tensor) -> None:
    model(x).square().mean().backward()


def seen(model: nn.Module, backward: Backward = backward) -> Vitals:
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    with watching() as probe:
        for _ in range(3):
            optimiser.zero_grad()
            backward(model, torch.randn(6, 4, requires_grad=True))
            optimiser.step()
    assert probe.step == 3
    return probe.vitals()


def names(vitals: Vitals) -> list[str]:
    return [site.site.name for site in vitals.sites]


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.body, self.head, self.reentrant = body(), nn.Linear(8, 1), reentrant

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(checkpoint(self.body, x, use_reentrant=self.reentrant)))


def test_a_reentrant_checkpoint_is_told_and_the_rest_is_seen() -> None:
    vitals = seen(Checkpointed(True))
    (note,) = vitals.notes
    assert "use_reentrant=True is not seen" in note
    assert names(vitals) == ["relu#1"]


def test_another_checkpoint_is_seen() -> None:
    vitals = seen(Checkpointed(False))
    assert (names(vitals), vitals.notes) == (["body.1", "body.3", "relu#1"], ())


class Scripted(nn.Module):
    """One part scripted, one traced."""

    def __init__(self) -> None:
        super().__init__()
        self.scripted = torch.jit.script(body())
        self.traced = torch.jit.trace(nn.Sequential(nn.Linear(8, 8), nn.ReLU()), torch.randn(6, 8))
        self.head = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.traced(self.scripted(x))))


def test_parts_that_torchscript_runs_are_told_by_name() -> None:
    vitals = seen(Scripted())
    (note,) = vitals.notes
    assert note.startswith("scripted, traced: what is inside is not seen, since TorchScript")
    assert names(vitals) == ["relu#1"]


def test_a_whole_model_that_torchscript_runs_is_told_by_the_name_of_its_variable() -> None:
    net = torch.jit.script(nn.Sequential(body(), nn.Linear(8, 1)))
    (note,) = seen(net).notes
    assert note.startswith("model: what is inside")  # what `seen` calls it


def doubled_relu(x: Tensor) -> Tensor:
    return torch.relu(x) * 2


class Function(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.head = nn.Linear(4, 8), nn.Linear(8, 1)
        self.function = torch.jit.script(doubled_relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.function(self.fc(x)))


def test_a_function_that_torchscript_runs_is_told_by_what_it_leaves_in_the_graph() -> None:
    (note,) = seen(Function()).notes
    assert note.startswith("No activation function was seen, though the loss depends on relu")


def by_grad(model: nn.Module, x: Tensor) -> None:
    parameters = dict(model.named_parameters())
    gradients = grad(lambda held: functional_call(model, held, (x,)).square().mean())(parameters)
    for name, parameter in parameters.items():
        parameter.grad = gradients[name].detach()


def by_sample(model: nn.Module, x: Tensor) -> None:
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    each = grad(lambda held, row: functional_call(model, held, (row,)).square().mean())
    gradients = vmap(each, in_dims=(None, 0))(parameters, x.detach())
    for name, parameter in model.named_parameters():
        parameter.grad = gradients[name].mean(0)


@pytest.mark.parametrize("way", [by_grad, by_sample])
def test_a_training_by_torch_func_is_told(way: Backward) -> None:
    vitals = seen(nn.Sequential(body(), nn.Linear(8, 1)), way)
    (note,) = vitals.notes
    assert note.startswith("Forward passes within torch.func")
    assert vitals.sites == ()


def test_a_functional_call_alone_is_seen() -> None:
    def call(model: nn.Module, x: Tensor) -> None:
        functional_call(model, dict(model.named_parameters()), (x,)).square().mean().backward()

    vitals = seen(nn.Sequential(body(), nn.Linear(8, 1)), call)
    assert (names(vitals), vitals.notes) == (["0.1", "0.3"], ())


def test_a_training_in_evaluation_mode_is_told() -> None:
    model = nn.Sequential(body(), nn.Linear(8, 1)).eval()
    (note,) = seen(model).notes
    assert "by a module in evaluation mode" in note


def test_a_model_without_activations_goes_without_saying() -> None:
    assert seen(nn.Linear(4, 1)).notes == ()


def test_an_evaluation_is_no_training_that_was_missed() -> None:
    model, other = nn.Sequential(body(), nn.Linear(8, 1)), nn.Sequential(body(), nn.Linear(8, 1))

    def with_evaluation(model: nn.Module, x: Tensor) -> None:
        backward(model, x)
        with torch.no_grad():
            vmap(other.eval())(x)

    assert seen(model, with_evaluation).notes == ()
