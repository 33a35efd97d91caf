"""Trainings that step with a closure, as Lightning does: gradients, weights and updates are measured there too."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.probe.stories import same_training, told
from tests.probe.watching import watching

LIMIT = 0.05
MAKERS = {
    "SGD": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "AdamW": partial(torch.optim.AdamW, lr=0.01),
    "LBFGS": partial(torch.optim.LBFGS, lr=0.1, max_iter=3),
}


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("maker", MAKERS)
def test_the_measures_are_those_of_the_first_evaluation(maker: str, by_name: bool) -> None:
    expected: list[tuple[float, float, float]] = []

    def story() -> Iterator[Tensor]:
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
        optimiser, weight = MAKERS[maker](model.parameters()), model[0].weight
        gradients: list[float] = []
        expected.clear()

        def evaluate() -> Tensor:
            optimiser.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), LIMIT)  # a trainer clips within
            gradients.append(weight.grad.double().norm().item())
            return loss

        for _ in range(5):
            x, y = torch.randn(12, 6), torch.randint(3, (12,))
            gradients.clear()
            before = weight.detach().double().clone()
            yield optimiser.step(closure=evaluate) if by_name else optimiser.step(evaluate)
            moved = (weight.detach().double() - before).norm() / before.norm()
            expected.append((gradients[0], before.norm().item(), moved.item()))
            yield from model.parameters()

    vitals = same_training(story).vitals()
    history = vitals.parameters[0].history
    assert [p.parameter.name for p in vitals.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert history.step.tolist() == [1, 2, 3, 4, 5]
    gradient, weight, update = np.array(expected).T
    # float32 tensors and their float32 differences against float64
    np.testing.assert_allclose(history.gradient, gradient, rtol=1e-5)
    np.testing.assert_allclose(history.weight, weight, rtol=6e-3)  # read again only where it may be 0.5 % off
    np.testing.assert_allclose(history.update, update, rtol=1e-3)


def test_a_closure_keeps_its_name_and_its_error() -> None:
    names: list[str] = []

    class Curious(torch.optim.SGD):
        def step(self, closure: object = None) -> None:  # type: ignore[override]
            names.append(closure.__name__)  # type: ignore[union-attr]
            super().step(closure)  # type: ignore[arg-type]

    def story() -> Iterator[Tensor]:
        model = nn.Linear(2, 1)
        optimiser = Curious(model.parameters(), 0.1)

        def evaluate() -> Tensor:
            raise ArithmeticError("no loss today")

        yield model.weight
        optimiser.step(evaluate)

    assert told(story)[1] == "ArithmeticError: no loss today"
    with watching():
        assert told(story)[1] == "ArithmeticError: no loss today"
    assert names == ["evaluate"] * 2
