"""Of healthy training loops nothing is said, whatever they look like."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.probe.loops import STEPS, Loop, adam, batch, fit, loss_of, mlp, told, trained


def plain(make: Callable[[nn.Module], torch.optim.Optimizer], *, width: int = 64) -> Loop:
    def loop() -> None:
        model = mlp(width=width)
        fit(model, make(model))

    return loop


def a_frozen_backbone() -> None:
    model = trained()
    model[0].requires_grad_(False)
    model[2].requires_grad_(False)
    fit(model, adam(model[4]))


def a_trained_backbone_left_out() -> None:
    model = trained()
    model[4] = nn.Linear(64, 4)
    fit(model, adam(model[4]))


def random_features() -> None:
    features, head = mlp(), nn.Linear(4, 4)

    def loss(model: nn.Module) -> Tensor:
        x, y = batch()
        with torch.no_grad():
            known = features(x)
        return F.cross_entropy(torch.relu(model(known)), y)

    fit(head, adam(head), loss=loss)


def converged() -> None:
    model = trained(steps=400)
    fit(model, torch.optim.SGD(model.parameters(), lr=1e-5))


def several_passes_for_one_step() -> None:
    model = mlp()
    optimiser = adam(model)
    for _ in range(STEPS):
        optimiser.zero_grad()
        for _ in range(4):
            (loss_of(model) / 4).backward()
        optimiser.step()


def adversaries(*, steps_of_the_judge: int = 1) -> Loop:
    def loop() -> None:
        maker = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 20))
        judge = nn.Sequential(nn.Linear(20, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
        one, other = adam(maker), adam(judge)
        for _ in range(STEPS):
            for _ in range(steps_of_the_judge):
                other.zero_grad()
                fake = maker(torch.randn(16, 8))  # attached: the maker gets gradients that nobody uses
                (judge(fake) - judge(torch.randn(16, 20))).mean().backward()
                other.step()
            one.zero_grad()
            (-judge(maker(torch.randn(16, 8)))).mean().backward()
            one.step()

    return loop


def a_target_network() -> None:
    online = mlp()
    target = copy.deepcopy(online)
    optimiser = adam(online)
    for step in range(STEPS):
        optimiser.zero_grad()
        x, _ = batch()
        F.mse_loss(online(x), 1.0 + 0.9 * target(x).detach()).backward()
        optimiser.step()
        if step % 10 == 9:
            target.load_state_dict(online.state_dict())


def an_optimiser_that_seldom_steps() -> None:
    body, head = nn.Sequential(*mlp()[:4]), nn.Linear(64, 4)
    often, seldom = adam(head), adam(body)
    model = nn.Sequential(body, head)
    for step in range(STEPS):
        often.zero_grad()
        loss_of(model).backward()
        often.step()
        if step % 1000 == 999:
            seldom.step()
            seldom.zero_grad()


class Heads(nn.Module):
    """A task has its own head; the second one is large, and has its turn later."""

    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 4))
        self.body, self.head = mlp()[:4], nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def an_unused_head() -> None:
    model = Heads()
    fit(model, adam(model))


class Adapter(nn.Module):
    """A frozen layer with a correction of low rank, one half of which begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(20, 64).requires_grad_(False)
        self.into, self.out = nn.Linear(20, 2, bias=False), nn.Linear(2, 64, bias=False)
        nn.init.zeros_(self.out.weight)
        self.head = nn.Linear(64, 4).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.frozen(x) + self.out(self.into(x))))


def an_adapter() -> None:
    model = Adapter()
    fit(model, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3))


def warm_up(rate: float) -> Loop:
    def loop() -> None:
        model = mlp()
        optimiser = adam(model, rate)
        fit(model, optimiser, schedule=torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: (step + 1) / 10_000))

    return loop


def the_end_of_a_cosine() -> None:
    model = mlp()
    optimiser = adam(model, 1e-3)
    fit(model, optimiser, steps=60, schedule=torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 40, 1e-9))


def an_embedding_with_sparse_gradients() -> None:
    table, head = nn.Embedding(50, 16, sparse=True), nn.Sequential(nn.ReLU(), nn.Linear(16, 4))
    optimisers = [torch.optim.SparseAdam(table.parameters(), lr=1e-2), adam(head)]
    for _ in range(STEPS):
        for optimiser in optimisers:
            optimiser.zero_grad()
        tokens = torch.randint(50, (64,))
        F.cross_entropy(head(table(tokens)), tokens % 4).backward()
        for optimiser in optimisers:
            optimiser.step()


def a_closure() -> None:
    model, (x, y) = mlp(), batch()
    optimiser = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    for _ in range(STEPS):
        optimiser.step(closure)  # pyright: ignore[reportArgumentType, reportCallIssue]


def normalised() -> None:
    model = nn.Sequential(nn.Linear(20, 64), nn.LayerNorm(64), nn.GELU(), nn.Linear(64, 4))
    fit(model, torch.optim.AdamW(model.parameters(), lr=1e-2))


def two_optimisers_of_one_model() -> None:
    model = mlp()
    weights = [p for p in model.parameters() if p.ndim > 1]
    biases = [p for p in model.parameters() if p.ndim == 1]
    one, other = torch.optim.SGD(weights, lr=0.1), torch.optim.SGD(biases, lr=0.1)
    for _ in range(STEPS):
        model.zero_grad()
        loss_of(model).backward()
        one.step()
        other.step()


HEALTHY: dict[str, Loop] = {
    "SGD": plain(lambda model: torch.optim.SGD(model.parameters(), lr=0.1)),
    "SGD with momentum": plain(lambda model: torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)),
    "Adam at 1e-2": plain(lambda model: adam(model, 1e-2)),
    "Adam at 1e-2, tiny": plain(lambda model: adam(model, 1e-2), width=4),
    "Adam at 1e-2, wide": plain(lambda model: adam(model, 1e-2), width=512),
    "Adam at 1e-5": plain(lambda model: adam(model, 1e-5)),
    "RMSprop": plain(lambda model: torch.optim.RMSprop(model.parameters(), lr=1e-3)),
    "a frozen backbone": a_frozen_backbone,
    "a trained backbone that is not in the optimiser": a_trained_backbone_left_out,
    "random features": random_features,
    "converged": converged,
    "several passes for one step": several_passes_for_one_step,
    "adversaries": adversaries(),
    "adversaries, one of which steps more often": adversaries(steps_of_the_judge=3),
    "a target network": a_target_network,
    "an optimiser that seldom steps": an_optimiser_that_seldom_steps,
    "an unused head": an_unused_head,
    "an adapter that begins at zero": an_adapter,
    "a warm-up": warm_up(1e-3),
    "a warm-up from next to nothing": warm_up(1e-5),
    "the end of a schedule": the_end_of_a_cosine,
    "an embedding with sparse gradients": an_embedding_with_sparse_gradients,
    "a closure": a_closure,
    "a normalisation": normalised,
    "two optimisers of one model": two_optimisers_of_one_model,
}


@pytest.mark.parametrize("loop", HEALTHY.values(), ids=list(HEALTHY))
def test_nothing_is_said_of_a_healthy_loop(loop: Loop) -> None:
    assert told(loop) == set()
