"""The loss of a step is the number that the script minimises, into however many backward passes it cuts its batch."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.probe import Probe
from tests.probe.stories import same_training

PASSES, STEPS = 4, 6
GENERATOR = torch.Generator().manual_seed(3)
X = torch.randn(STEPS * PASSES, 8, 5, generator=GENERATOR)
Y = torch.randint(3, (STEPS * PASSES, 8), generator=GENERATOR)
COUNT = torch.tensor(PASSES * 8)

Divide = Callable[[Tensor, Tensor], Tensor]
DIVISIONS: dict[str, Divide] = {
    "by the number of passes": lambda logits, y: F.cross_entropy(logits, y) / PASSES,
    "by the number of targets of all passes": lambda logits, y: F.cross_entropy(logits, y, reduction="sum") / COUNT,
    "by nothing": lambda logits, y: F.cross_entropy(logits, y),
    "by the size of the batch": lambda logits, y: F.cross_entropy(logits, y, reduction="sum") / len(y),
}


def losses_of(probe: Probe) -> np.ndarray:
    (losses,) = probe.vitals().losses
    return losses.value


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))


@pytest.mark.parametrize("last", [PASSES, 3, 1])
@pytest.mark.parametrize("division", DIVISIONS)
@pytest.mark.parametrize("scaled", [False, True])
def test_accumulated_passes_have_the_loss_of_their_whole_batch(division: str, last: int, scaled: bool) -> None:
    expected: list[float] = []
    cut = [range(first, first + PASSES) for first in range(0, PASSES * (STEPS - 1), PASSES)]
    steps = [*cut, range(PASSES * (STEPS - 1), PASSES * (STEPS - 1) + last)]

    def story() -> Iterator[Tensor]:
        model = net()
        optimiser = torch.optim.SGD(model.parameters(), 0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, enabled=scaled)
        expected.clear()
        for numbers in steps:
            whole = list(numbers)
            with torch.no_grad():  # one batch, one pass
                logits = model(X[whole].flatten(0, 1))
                expected.append(F.cross_entropy(logits, Y[whole].flatten()).item())
            for number in numbers:
                scaler.scale(DIVISIONS[division](model(X[number]), Y[number])).backward()
            scaler.step(optimiser)
            scaler.update()
            optimiser.zero_grad()
            yield from model.parameters()

    seen = losses_of(same_training(story))
    if last < PASSES and "targets of all" in division:  # the script's own number is of a full batch
        expected[-1] *= last / PASSES
    # a mean of float32 means against one float32 mean of the same numbers
    np.testing.assert_allclose(seen, expected, rtol=1e-5)


def test_an_optimiser_that_evaluates_again_does_not_add_its_evaluations_up() -> None:
    first: list[float] = []  # of both tellings

    def story() -> Iterator[Tensor]:
        model, count = net(), torch.tensor(8)
        optimiser = torch.optim.LBFGS(model.parameters(), lr=1e-4, max_iter=3)

        def evaluate() -> Tensor:
            optimiser.zero_grad()
            loss = F.cross_entropy(model(X[0]), Y[0], reduction="sum") / count
            loss.backward()
            return loss

        for _ in range(3):
            first.append(optimiser.step(evaluate).item())
            yield from model.parameters()

    np.testing.assert_allclose(losses_of(same_training(story)), first[:3], rtol=1e-2)  # a tiny rate: all nearly equal
