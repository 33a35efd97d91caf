"""What training scripts do between two updates: a training whose steps may each go another way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import torch
from torch import Tensor, nn

__all__ = ["ACTIONS", "Training"]


class Training:
    """Two models, the second of which is trained now and then; all that scripts do between two updates."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.models = [nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 1)) for _ in range(2)]
        self.optimisers = [torch.optim.SGD(model.parameters(), lr=1e-3) for model in self.models]
        self.scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
        self.pool: ThreadPoolExecutor | None = None

    def loss(self, which: int = 0) -> Tensor:
        return (self.models[which](torch.randn(4, 5)) ** 2).mean()

    def update(self, which: int = 0) -> None:
        self.optimisers[which].step()
        self.optimisers[which].zero_grad()

    def plain(self) -> None:
        self.loss().backward()
        self.update()

    def second_model(self) -> None:
        self.loss(1).backward()
        self.update(1)

    def both_models(self) -> None:
        (self.loss() + self.loss(1)).backward()
        self.update(1)
        self.update()

    def spike(self) -> None:
        (self.loss() + 1e4).backward()
        self.update()

    def not_a_number(self) -> None:
        (self.loss() + float("nan")).backward()
        self.optimisers[0].zero_grad()
        self.update()

    def several_numbers(self) -> None:
        self.models[0](torch.randn(4, 5)).backward(torch.ones(4, 1))
        self.update()

    def two_tensors(self) -> None:
        torch.autograd.backward([self.loss(), self.loss()])
        self.update()

    def divided(self) -> None:
        for _ in range(4):
            (self.loss() / 4).backward()
        self.update()

    def divided_by_one_number(self) -> None:
        number = torch.tensor(12)
        for _ in range(3):
            (self.loss() / number).backward()
        self.update()

    def added_up(self) -> None:
        for _ in range(2):
            self.loss().backward()
        self.update()

    def scaled(self) -> None:
        self.scaler.scale(self.loss()).backward()
        self.scaler.step(self.optimisers[0])
        self.scaler.update()
        self.optimisers[0].zero_grad()

    def scaled_before_the_last_update(self) -> None:
        self.optimisers[0].zero_grad()  # the update must not move what the backward pass needs
        enlarged, scale = self.scaler.scale(self.loss()), self.scaler.get_scale()
        self.update()
        enlarged.backward()
        for weight in self.models[0].parameters():
            assert weight.grad is not None
            weight.grad /= scale
        self.update()

    def closure(self) -> None:
        def evaluate() -> Tensor:
            self.optimisers[0].zero_grad()
            loss = self.loss()
            loss.backward()
            return loss

        self.optimisers[0].step(evaluate)  # type: ignore[arg-type]

    def gradient_by_hand(self) -> None:
        weights = list(self.models[0].parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(self.loss(), weights), strict=True):
            weight.grad = gradient
        self.update()

    def penalty(self) -> None:
        loss = self.loss()
        loss.backward(retain_graph=True)
        loss.backward()
        self.update()

    def double_backward(self) -> None:
        weight = self.models[0][0].weight
        assert isinstance(weight, Tensor)
        (gradient,) = torch.autograd.grad(self.loss(), [weight], create_graph=True)
        gradient.square().sum().backward()
        self.update()

    def raises_in_the_update(self) -> None:
        def refuse(*_: object) -> None:
            raise RuntimeError("no")

        handle = self.optimisers[0].register_step_pre_hook(refuse)
        self.loss().backward()
        with suppress(RuntimeError):
            self.optimisers[0].step()
        handle.remove()

    def raises_in_the_backward_pass(self) -> None:
        def refuse(_: Tensor) -> Tensor:
            raise RuntimeError("no")

        loss = self.loss()
        loss.register_hook(refuse)
        with suppress(RuntimeError):
            loss.backward()

    def without_arguments(self) -> None:
        with suppress(TypeError):
            torch.autograd.backward()  # type: ignore[call-arg]

    def update_alone(self) -> None:
        self.update()

    def backward_alone(self) -> None:
        self.loss().backward()

    def in_the_backward_pass(self) -> None:
        weight = self.models[0][0].weight
        assert isinstance(weight, Tensor)

        def step(_: Tensor) -> None:
            self.optimisers[0].step()

        handle = weight.register_post_accumulate_grad_hook(step)
        self.loss().backward()
        handle.remove()
        self.optimisers[0].zero_grad()

    def forward_only(self) -> None:
        self.loss()

    def elsewhere(self) -> None:
        """In another thread, for which this one waits."""
        self.pool = self.pool or ThreadPoolExecutor(1)
        self.pool.submit(self.plain).result()

    def another_optimiser(self) -> None:
        self.optimisers[0] = torch.optim.SGD(self.models[0].parameters(), lr=1e-3)
        self.plain()


def actions(kind: type) -> list[Callable[[Training], None]]:
    """All that a class adds to what a training may do."""
    return [action for name, action in vars(kind).items() if name[0] != "_" and name not in ("loss", "update")]


ACTIONS = actions(Training)
