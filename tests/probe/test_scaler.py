"""A gradient scaler enlarges losses and gradients; the account is of the training without it."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.vitals import Vitals
from tests.probe.watching import bits, watching

OPTIMISERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda model: torch.optim.SGD(model.parameters(), 0.1),
    "fused": lambda model: torch.optim.AdamW(model.parameters(), fused=True),
}


def trained(optimiser: str, scaler: torch.amp.GradScaler, *, unscales: bool = False) -> list[bytes]:
    torch.manual_seed(4)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    moves = OPTIMISERS[optimiser](model)
    losses: list[Tensor] = []
    for _ in range(9):
        loss = F.cross_entropy(model(torch.randn(16, 6)), torch.randint(3, (16,)))
        losses.append(loss)
        moves.zero_grad()
        scaler.scale(loss).backward()
        if unscales:
            scaler.unscale_(moves)
        scaler.step(moves)
        scaler.update()
    return bits([*losses, *model.parameters()])


def growing() -> torch.amp.GradScaler:
    return torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2)  # powers of two round nothing


def seen(optimiser: str, scaler: torch.amp.GradScaler, *, unscales: bool = False) -> Vitals:
    with watching() as probe:
        trained(optimiser, scaler, unscales=unscales)
    return probe.vitals()


@pytest.mark.parametrize("unscales", [False, True])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_losses_and_gradients_are_those_without_the_scaler(optimiser: str, unscales: bool) -> None:
    bare = seen(optimiser, torch.amp.GradScaler("cpu", enabled=False))
    scaled = seen(optimiser, growing(), unscales=unscales)
    assert scaled.losses[0].value.tolist() == bare.losses[0].value.tolist()
    assert scaled.losses[0].function == "cross-entropy"
    assert scaled.sites[0].history.gradient.tolist() == bare.sites[0].history.gradient.tolist()
    for one, other in zip(bare.parameters, scaled.parameters, strict=True):
        assert other.history.gradient.tolist() == pytest.approx(one.history.gradient.tolist(), rel=1e-6)  # float32


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_scaled_training_ends_in_the_same_bits(optimiser: str) -> None:
    original = torch.amp.GradScaler.scale
    bare = trained(optimiser, growing())
    with watching():
        watched = trained(optimiser, growing())
    assert watched == bare
    assert torch.amp.GradScaler.scale is original


def test_a_loss_that_the_script_changes_after_its_backward_pass_is_known_as_it_was() -> None:
    model = nn.Linear(6, 3)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    expected: list[float] = []
    with watching() as probe:
        for _ in range(3):
            loss = model(torch.randn(16, 6)).square().mean()
            optimiser.zero_grad()
            loss.backward()
            expected.append(loss.item())
            with torch.no_grad():
                loss *= 1000  # as when the losses of all processes are added up
            optimiser.step()
    assert probe.vitals().losses[0].value.tolist() == expected


Shape = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]
SHAPES: dict[str, Shape] = {
    "divided": lambda scale, one, _: scale(one) / 4,
    "multiplied": lambda scale, one, _: 0.25 * scale(one),
    "added": lambda scale, one, two: scale(one) + scale(two),
    "weighted": lambda scale, one, two: (scale(one) + 0.5 * scale(two)) / 2,
    "averaged": lambda scale, one, two: torch.stack([scale(one), scale(two)]).mean(),
    "twice scaled, one used": lambda scale, one, two: (scale(two), scale(one))[1],
}
"""What a script may make of its enlarged losses before the backward pass."""


class OwnScaler(torch.amp.GradScaler):
    """One that scales in its own way, as torch's for sharded models does."""

    def scale(self, outputs: Tensor) -> Tensor:  # type: ignore[override]
        super().scale(outputs.detach())  # which makes the factor
        return (outputs * self._scale).type(outputs.dtype)


def sharded() -> torch.amp.GradScaler:
    from torch.distributed.fsdp.sharded_grad_scaler import ShardedGradScaler

    return ShardedGradScaler("cpu", init_scale=2.0**10)


SCALERS: dict[str, Callable[[], torch.amp.GradScaler]] = {
    "torch's": lambda: torch.amp.GradScaler("cpu", init_scale=2.0**10),
    "own": lambda: OwnScaler("cpu", init_scale=2.0**10),
    "sharded": sharded,
}


def shaped(shape: Shape, scaler: torch.amp.GradScaler | None) -> None:
    """Without a scaler the same, unscaled; the gradients are unscaled by hand, which rounds nothing."""
    torch.manual_seed(5)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(5):
        out = model(torch.randn(16, 6))
        one, two = F.cross_entropy(out, torch.randint(3, (16,))), out.square().mean()
        optimiser.zero_grad()
        shape((lambda loss: loss) if scaler is None else scaler.scale, one, two).backward()
        for parameter in model.parameters():
            if scaler is not None and parameter.grad is not None:
                parameter.grad /= scaler.get_scale()
        optimiser.step()


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_computed_from_an_enlarged_loss_is_known_without_the_scaler(shape: str, scaler: str) -> None:
    with watching() as probe:
        shaped(SHAPES[shape], None)
    bare = probe.vitals()
    with watching() as probe:
        shaped(SHAPES[shape], SCALERS[scaler]())
    scaled = probe.vitals()
    assert scaled.losses[0].value.tolist() == bare.losses[0].value.tolist()
    assert scaled.losses[0].function == bare.losses[0].function
    assert scaled.sites[0].history.gradient.tolist() == bare.sites[0].history.gradient.tolist()


def test_a_class_of_scalers_made_during_the_watch_is_known_and_left_as_it_was() -> None:
    with watching() as probe:

        class Late(torch.amp.GradScaler):
            def scale(self, outputs: Tensor) -> Tensor:  # type: ignore[override]
                super().scale(outputs.detach())
                return outputs * self._scale

        original = vars(Late)["scale"]
        shaped(SHAPES["divided"], Late("cpu", init_scale=2.0**10))
    assert max(probe.vitals().losses[0].value) < 2
    assert vars(Late)["scale"] is original
    assert torch.amp.GradScaler.__init__.__module__ == "torch.amp.grad_scaler"
