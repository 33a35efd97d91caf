"""Optimisers that evaluate their loss within their step, and backward passes that begin at more than one number."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.probe import beginning
from limen.probe.loss_record import YOUNG
from limen.vitals import Vitals
from tests.probe.watching import bits, watching

STEPS = 6


def model_of() -> nn.Sequential:
    torch.manual_seed(2)
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))


def norm(tensor: Tensor | None) -> float:
    return math.nan if tensor is None else float(tensor.detach().double().norm())


class Diary:
    """What the script itself notes of each step: losses, and by parameter the norms and the update ratio."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.losses: list[float] = []
        self.gradients: list[list[float]] = []
        self.weights: list[list[float]] = []
        self.updates: list[list[float]] = []

    def step(self, optimiser: torch.optim.Optimizer, evaluate: Callable[[], Tensor]) -> None:
        parameters = list(self.model.parameters())
        before = [parameter.detach().clone() for parameter in parameters]
        evaluations = 0

        def closure() -> Tensor:
            nonlocal evaluations
            loss = evaluate()
            if not evaluations:
                self.losses.append(loss.item())
                self.gradients.append([norm(parameter.grad) for parameter in parameters])
            evaluations += 1
            return loss

        optimiser.step(closure)
        self.weights.append([norm(held) for held in before])
        moved = [norm(now.detach() - old) for now, old in zip(parameters, before, strict=True)]
        self.updates.append([change / norm(old) for change, old in zip(moved, before, strict=True)])

    def agrees(self, vitals: Vitals) -> None:
        # losses are the same numbers; norms of float32 entries agree to its rounding
        assert vitals.losses[0].value.tolist() == pytest.approx(self.losses, rel=1e-6)
        for number, parameter in enumerate(vitals.parameters):
            history = parameter.history
            for found, noted in (
                (history.gradient, self.gradients),
                (history.weight, self.weights),
                (history.update, self.updates),
            ):
                assert found.tolist() == pytest.approx([row[number] for row in noted], rel=1e-4)


CLOSED: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "lbfgs": lambda model: torch.optim.LBFGS(model.parameters(), max_iter=3),
    "line search": lambda model: torch.optim.LBFGS(model.parameters(), max_iter=4, line_search_fn="strong_wolfe"),
    "adam": lambda model: torch.optim.Adam(model.parameters(), 0.1),
}


def closed(optimiser: str, parts: int = 1) -> tuple[list[bytes], Diary]:
    model = model_of()
    diary, moves = Diary(model), CLOSED[optimiser](model)
    for _ in range(STEPS):
        x, y = torch.randn(12, 5), torch.randint(3, (12,))

        def evaluate(x: Tensor = x, y: Tensor = y) -> Tensor:
            moves.zero_grad()
            total = torch.zeros(())
            for part, labels in zip(x.chunk(parts), y.chunk(parts), strict=True):
                loss = F.cross_entropy(model(part), labels)
                loss.backward()
                total += loss.detach()
            return total / parts

        diary.step(moves, evaluate)
    return bits(model.parameters()), diary


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("optimiser", CLOSED)
def test_a_step_with_a_closure_is_measured_at_its_first_evaluation(optimiser: str, parts: int) -> None:
    bare, _ = closed(optimiser, parts)
    with watching() as probe:
        watched, diary = closed(optimiser, parts)
    assert watched == bare
    vitals = probe.vitals()
    assert (vitals.step, len(vitals.parameters), len(vitals.losses)) == (STEPS, 4, 1)
    diary.agrees(vitals)


def test_the_optimiser_is_named_as_its_model_even_where_the_script_cannot_be_read() -> None:
    def move(optimiser: torch.optim.Optimizer, closure: Callable[[], Tensor]) -> None:
        optimiser.step(closure)

    class Task:
        __slots__ = ("net",)

    task = Task()
    task.net = model_of()  # in no variable, and in no __dict__
    with watching() as probe:
        move(torch.optim.LBFGS(task.net.parameters(), max_iter=1), lambda: backward_of(task.net(torch.randn(4, 5))))
    assert [one.parameter.name for one in probe.vitals().parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def backward_of(out: Tensor) -> Tensor:
    loss = out.square().mean()
    loss.backward()
    return loss


def test_a_closure_that_raises_is_the_affair_of_the_script() -> None:
    model = model_of()
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=1)

    def broken() -> Tensor:
        raise ValueError("mine")

    with watching() as probe:
        with pytest.raises(ValueError, match="mine"):
            optimiser.step(broken)
        optimiser.step(lambda: backward_of(model(torch.randn(4, 5))))
    assert (probe.vitals().step, len(probe.vitals().losses[0].value)) == (1, 1)


VECTORS: dict[str, Callable[[Tensor], None]] = {
    "ones": lambda each: each.backward(torch.ones_like(each)),
    "mean": lambda each: each.backward(torch.full_like(each, 1 / len(each))),
    "by name": lambda each: each.backward(gradient=torch.ones_like(each)),
    "autograd": lambda each: torch.autograd.backward([each], [torch.ones_like(each)]),
}


def vector_trained(backward: Callable[[Tensor], None]) -> tuple[list[bytes], list[float]]:
    model = model_of()
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    means: list[float] = []
    for _ in range(STEPS):
        optimiser.zero_grad()
        each = F.cross_entropy(model(torch.randn(8, 5)), torch.randint(3, (8,)), reduction="none")
        means.append(each.mean().item())
        backward(each)
        optimiser.step()
    return bits(model.parameters()), means


@pytest.mark.parametrize("backward", VECTORS)
def test_the_loss_of_a_vector_is_its_mean_and_the_report_says_so(backward: str) -> None:
    bare, _ = vector_trained(VECTORS[backward])
    with watching() as probe:
        watched, means = vector_trained(VECTORS[backward])
    vitals = probe.vitals()
    assert watched == bare
    assert vitals.losses[0].value.tolist() == pytest.approx(means, rel=1e-6)
    assert vitals.losses[0].function == "cross-entropy"
    assert vitals.notes == ("Backward passes begin at 8 numbers at once: the loss is their mean.",)
    assert (vitals.sites[0].site.head, vitals.sites[0].site.layer) == (False, "0")  # what follows it was read


def test_what_is_maximised_is_a_loss_with_the_other_sign() -> None:
    with watching() as probe:
        _, means = vector_trained(lambda each: each.backward(-torch.ones_like(each)))
    assert probe.vitals().losses[0].value.tolist() == pytest.approx([-mean for mean in means], rel=1e-6)


def test_the_gradient_at_the_seam_of_a_model_in_parts_is_no_loss() -> None:
    with watching() as probe:
        vector_trained(lambda each: each.backward(torch.linspace(0.1, 2.0, len(each))))
    vitals = probe.vitals()
    assert (vitals.losses, vitals.notes, vitals.step) == ((), (), STEPS)


def test_several_losses_at_once_are_one_loss_their_sum() -> None:
    model, sums = model_of(), []
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    with watching() as probe:
        for _ in range(STEPS):
            optimiser.zero_grad()
            out = model(torch.randn(8, 5))
            one, two = out.square().mean(), out.abs().mean()
            sums.append(one.item() + two.item())
            torch.autograd.backward([one, two])
            optimiser.step()
    vitals = probe.vitals()
    assert vitals.losses[0].value.tolist() == pytest.approx(sums, rel=1e-6)
    assert (vitals.losses[0].function, vitals.step) == ("other", STEPS)
    assert vitals.notes == ("Backward passes begin at 2 tensors at once: the loss is the sum of their means.",)


def test_the_loss_of_an_optimiser_that_begins_late_is_named_too() -> None:
    first, second = nn.Linear(4, 3), nn.Linear(4, 1)
    optimisers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in (first, second)]
    with watching(first, second) as probe:
        for step in range(2 * YOUNG):
            optimisers[0].zero_grad()
            F.cross_entropy(first(torch.randn(8, 4)), torch.randint(3, (8,))).backward()
            optimisers[0].step()
            if step >= YOUNG + 5:
                optimisers[1].zero_grad()
                F.mse_loss(second(torch.randn(8, 4)), torch.zeros(8, 1)).backward()
                optimisers[1].step()
    assert [losses.function for losses in probe.vitals().losses] == ["cross-entropy", "mse"]


def test_an_old_loss_is_not_asked_for_its_name_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Tensor] = []
    monkeypatch.setattr(beginning, "loss_function", lambda root: asked.append(root) or "mse")
    model = nn.Linear(4, 1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with watching(model) as probe:
        for _ in range(YOUNG + 10):
            optimiser.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimiser.step()
    assert len(asked) == YOUNG
    assert probe.vitals().losses[0].function == "mse"
