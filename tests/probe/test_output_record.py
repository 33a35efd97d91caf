"""What a loss was given, over the first steps: against numpy, over real trainings, and without a trace in them."""

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.probe.output_record import STEPS, Entries
from limen.vitals import LossVitals, Scale
from tests.probe.watching import bits, watching

Loss = Callable[[Tensor, Tensor], Tensor]


def scale_of(tables: list[Tensor]) -> Scale:
    every = torch.cat([table.flatten() for table in tables]).double().numpy()
    width = tables[0].shape[-1] if tables[0].ndim > 1 else 1
    return Scale(every.mean(), every.std(), every.min(), every.max(), width)


def assert_same(found: Scale | None, expected: Scale) -> None:
    assert found is not None
    names = ("mean", "std", "low", "high", "width")  # sums are made in double
    np.testing.assert_allclose([getattr(found, n) for n in names], [getattr(expected, n) for n in names], rtol=1e-9)


@pytest.mark.parametrize("shape", [(7,), (7, 3), (2, 3, 5), ()])
def test_parts_added_up_are_the_whole(shape: tuple[int, ...]) -> None:
    tables = [torch.randn(shape) * 10**k + k for k in range(4)]
    parts = [Entries.of(table) for table in tables]
    total = parts[0]
    for one in parts[1:]:
        assert total is not None
        assert one is not None
        total = total + one
    assert total is not None
    assert_same(total.scale, scale_of(tables))


@pytest.mark.parametrize(
    "tensor",
    [None, torch.tensor([1, 2]), torch.empty(0), torch.empty(3, device="meta"), torch.eye(3).to_sparse(),
     torch.ones(3, dtype=torch.complex64)],
    ids=["none", "classes", "empty", "meta", "sparse", "complex"],
)  # fmt: skip
def test_what_has_no_size_has_no_entries(tensor: Tensor | None) -> None:
    assert Entries.of(tensor) is None


def test_of_a_large_tensor_samples_are_read() -> None:
    table = torch.arange(2**18, dtype=torch.float32)[:, None].expand(-1, 2)
    found = Entries.of(table)
    assert found is not None
    assert found.count <= 2**16
    assert found.width == 2
    assert abs(found.mean - 2**17) < 2**4  # of evenly chosen ones


class Story:
    """A small training whose outputs and targets are noted by the script itself."""

    def __init__(self, loss: Loss, *, head: nn.Module | None = None, maximise: bool = False, steps: int = 12) -> None:
        torch.manual_seed(0)
        self.loss, self.steps = loss, steps
        self.model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), head or nn.Identity())
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.01, maximize=maximise)
        self.given: list[Tensor] = []
        self.wanted: list[Tensor] = []

    def train(self) -> None:
        for _ in range(self.steps):
            target = torch.rand(6, 3)
            output = self.model(torch.randn(6, 4))
            self.given.append(output.detach().clone())
            self.wanted.append(target)
            self.optimiser.zero_grad()
            self.loss(output, target).backward()
            self.optimiser.step()

    def seen(self) -> LossVitals:
        with watching() as probe:
            self.train()
            (loss,) = probe.vitals().losses
        return loss


@pytest.mark.parametrize("loss", [F.mse_loss, F.huber_loss, lambda y, t: F.binary_cross_entropy(y, t) * 2])
def test_outputs_and_targets_of_the_first_steps_are_measured(loss: Loss) -> None:
    story = Story(loss, head=nn.Sigmoid())
    seen = story.seen()
    assert seen.head == "sigmoid"
    assert_same(seen.outputs, scale_of(story.given[:STEPS]))
    assert_same(seen.targets, scale_of(story.wanted[:STEPS]))


def test_of_a_distance_by_hand_the_difference_stands_for_the_targets() -> None:
    story = Story(F.l1_loss)
    seen = story.seen()
    assert seen.outputs is None
    differences = [t - y for y, t in zip(story.given, story.wanted, strict=True)]
    assert_same(seen.targets, scale_of(differences[:STEPS]))


@pytest.mark.parametrize(
    ("loss", "maximise", "negated"),
    [
        (F.mse_loss, False, False),
        (lambda y, t: -F.mse_loss(y, t), False, True),
        (F.mse_loss, True, True),
        (lambda y, t: -F.mse_loss(y, t), True, False),
        (lambda y, t: -F.mse_loss(y, t) + 0.1 * y.abs().mean(), False, False),
        (lambda y, t: -float(torch.rand(())) * F.mse_loss(y, t), False, False),  # a reward, another in every step
    ],
)
def test_a_loss_is_negated_where_the_optimiser_climbs_it(loss: Loss, maximise: bool, negated: bool) -> None:
    assert Story(loss, maximise=maximise).seen().negated is negated


def test_accumulated_passes_are_one_story() -> None:
    story = Story(F.mse_loss)
    with watching() as probe:
        for _ in range(6):
            story.optimiser.zero_grad()
            for _ in range(3):
                target = torch.rand(6, 3)
                (-F.mse_loss(story.model(torch.randn(6, 4)), target) / 3).backward()
                story.wanted.append(target)
            story.optimiser.step()
        (seen,) = probe.vitals().losses
    assert (seen.head, seen.negated) == ("linear", True)
    assert_same(seen.targets, scale_of(story.wanted))


def test_a_sum_of_two_passes_has_no_head_in_common() -> None:
    story = Story(F.mse_loss)
    with watching() as probe:
        for _ in range(6):
            story.optimiser.zero_grad()
            F.mse_loss(story.model(torch.randn(6, 4)), torch.rand(6, 3)).backward()
            (-F.mse_loss(story.model(torch.randn(6, 4)).tanh(), torch.rand(6, 3))).backward()
            story.optimiser.step()
        (seen,) = probe.vitals().losses
    assert (seen.head, seen.negated, seen.outputs, seen.targets) == ("", False, None, None)


def test_each_optimiser_has_its_own() -> None:
    one, two = Story(F.mse_loss), Story(F.mse_loss, head=nn.Sigmoid())
    with watching() as probe:
        for step in range(12):
            for story in (one, two) if step > 4 else (one,):
                story.optimiser.zero_grad()
                F.mse_loss(story.model(torch.randn(6, 4)), torch.rand(6, 3)).backward()
                story.optimiser.step()
        assert [loss.head for loss in probe.vitals().losses] == ["linear", "sigmoid"]


def test_a_closure_is_read_once_a_step() -> None:
    story = Story(F.mse_loss, head=nn.Tanh())
    optimiser = torch.optim.LBFGS(story.model.parameters(), max_iter=4)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.mse_loss(story.model(torch.ones(6, 4)), torch.full((6, 3), 0.5))
        loss.backward()
        return loss

    with watching() as probe:
        for _ in range(3):
            optimiser.step(closure)
        (seen,) = probe.vitals().losses
    assert seen.head == "tanh"
    assert_same(seen.targets, Scale(0.5, 0.0, 0.5, 0.5, 3))


def test_a_second_pass_through_a_kept_graph_is_borne() -> None:
    story = Story(F.mse_loss, head=nn.Sigmoid())
    with watching() as probe:
        for _ in range(4):
            loss = F.mse_loss(story.model(torch.randn(6, 4)), torch.rand(6, 3))
            loss.backward(retain_graph=True)
            loss.backward()
            story.optimiser.step()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()
        assert probe.vitals().losses[0].head == "sigmoid"


def test_a_gradient_of_a_gradient_is_borne() -> None:
    story = Story(F.mse_loss)
    with watching() as probe:
        for _ in range(4):
            loss = F.mse_loss(story.model(torch.randn(6, 4)), torch.rand(6, 3))
            (slope,) = torch.autograd.grad(loss, story.model[2].weight, create_graph=True)
            (loss + slope.square().sum()).backward()
            story.optimiser.step()
        assert probe.vitals().losses[0].negated is False


def test_no_tensor_is_kept_alive() -> None:
    story = Story(F.mse_loss, head=nn.Sigmoid())
    with watching():
        output = story.model(torch.randn(6, 4))
        target = torch.rand(6, 3)
        held = [weakref.ref(output), weakref.ref(target)]
        F.mse_loss(output, target).backward()
        story.optimiser.step()
        del output, target
        gc.collect()
        assert [one() for one in held] == [None, None]


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, lambda y, t: -(y.softmax(1) * t).sum(1).log().mean()])
def test_a_training_is_the_same_bit_by_bit(loss: Loss) -> None:
    plain, watched = Story(loss, head=nn.Sigmoid()), Story(loss, head=nn.Sigmoid())
    torch.manual_seed(3)
    plain.train()
    expected = bits(plain.model.parameters())
    torch.manual_seed(3)
    watched.seen()
    assert bits(watched.model.parameters()) == expected
