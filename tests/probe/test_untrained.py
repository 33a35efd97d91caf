"""Parameters that no update reaches: real trainings, of which it is known by how they are written."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from limen.probe.directory import Directory
from limen.probe.identity import ByIdentity
from limen.probe.untrained import UntrainedBook
from limen.vitals import Untrained
from tests.probe.stories import network, same_training
from tests.probe.watching import watching

STEPS = 10  # the second look is at the eighth


class Model(nn.Module):
    """A body, a head that uses it with or without its graph, and two more."""

    def __init__(self, *, detached: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU())
        self.head = nn.Linear(16, 3)
        self.unused = nn.Linear(16, 3)
        self.detached = detached

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(x)
        return self.head(features.detach() if self.detached else features)


Optimisers = Callable[[Model], list[torch.optim.Optimizer]]


def sgd(*modules: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for module in modules for p in module.parameters()], lr=0.05)


def train(
    model: nn.Module, optimisers: list[torch.optim.Optimizer], *, steps: int = STEPS, also: Callable[[], object] = int
) -> None:
    for _ in range(steps):
        model.zero_grad()
        model(torch.randn(8, 6)).square().mean().backward()
        for optimiser in optimisers:
            optimiser.step()
        also()


def found(story: Callable[[], object]) -> dict[str, tuple[str, bool]]:
    torch.manual_seed(0)
    with watching() as probe:
        story()
        untrained = probe.vitals().program.untrained
    return {one.name: (one.reason, one.as_drawn) for one in untrained}


def test_what_is_trained_is_not_among_them() -> None:
    model = network()
    assert found(lambda: train(model, [sgd(model)])) == {}


def test_layers_that_the_optimiser_was_not_given() -> None:
    model = Model()
    told = found(lambda: train(model, [sgd(model.head)]))
    assert told == {
        "body.0.weight": ("no-optimiser", True),
        "body.0.bias": ("no-optimiser", False),  # of a vector nothing is said
        "body.2.weight": ("no-optimiser", True),
        "body.2.bias": ("no-optimiser", False),
    }


def test_layers_behind_a_detach_and_layers_that_are_not_used() -> None:
    model = Model(detached=True)
    told = found(lambda: train(model, [sgd(model)]))
    layers = {name.rpartition(".")[0] for name in told}
    assert layers == {"body.0", "body.2", "unused"}
    assert {reason for reason, _ in told.values()} == {"no-gradient"}


def test_entries_and_layers_are_told() -> None:
    model = Model()
    with watching() as probe:
        train(model, [sgd(model.head)])
        first = probe.vitals().program.untrained[0]
    assert first == Untrained("body.0.weight", "body.0", 96, "no-optimiser", first.as_drawn)


def test_a_backbone_that_was_trained_before_is_not_as_drawn() -> None:
    model = Model()
    train(model, [torch.optim.Adam(model.parameters(), lr=0.05)], steps=50)
    told = found(lambda: train(model, [sgd(model.head)]))
    assert told
    assert not any(as_drawn for _, as_drawn in told.values())


def test_a_frozen_backbone_is_not_among_them() -> None:
    model = Model()
    model.body.requires_grad_(False)
    assert found(lambda: train(model, [sgd(model.head)])) == {}


def test_several_optimisers_hold_their_parts() -> None:
    model = Model()
    assert found(lambda: train(model, [sgd(model.head), sgd(model.body)])) == {}


def test_an_optimiser_that_has_yet_to_step_holds_its_part() -> None:
    model = Model()
    seldom = sgd(model.body)
    assert found(lambda: train(model, [sgd(model.head)])) == {}
    del seldom
    gc.collect()
    assert found(lambda: train(model, [sgd(model.head)]))


def test_what_the_script_moves_itself_is_trained() -> None:
    model = Model()

    def by_hand() -> None:
        for parameter in model.body.parameters():
            assert parameter.grad is not None
            parameter.data -= 0.01 * parameter.grad

    assert found(lambda: train(model, [sgd(model.head)], also=by_hand)) == {}


def test_a_teacher_that_follows_is_not_among_them() -> None:
    student, teacher = network(), network()
    optimiser = sgd(student)

    def story() -> None:
        for _ in range(STEPS):
            optimiser.zero_grad()
            x = torch.randn(8, 6)
            (student(x) - teacher(x).detach()).square().mean().backward()
            optimiser.step()
            with torch.no_grad():
                for own, other in zip(teacher.parameters(), student.parameters(), strict=True):
                    own.lerp_(other, 0.1)

    assert found(story) == {}


def test_an_adversary_is_trained_by_its_own_optimiser() -> None:
    maker, judge = network(), nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    one, other = sgd(maker), sgd(judge)

    def story() -> None:
        for _ in range(STEPS):
            other.zero_grad()
            judge(maker(torch.randn(8, 6)).detach()).mean().backward()
            other.step()
            one.zero_grad()
            (-judge(maker(torch.randn(8, 6)))).mean().backward()
            one.step()

    assert found(story) == {}


def test_a_sparse_gradient_is_one() -> None:
    table, head = nn.Embedding(10, 6, sparse=True), network()
    optimiser = sgd(table, head)

    def story() -> None:
        for _ in range(STEPS):
            optimiser.zero_grad()
            head(table(torch.arange(8))).square().mean().backward()
            optimiser.step()

    assert found(story) == {}


def test_a_layer_that_joins_later_is_no_longer_told() -> None:
    model = Model()
    optimiser = sgd(model.head)
    torch.manual_seed(0)
    with watching() as probe:
        train(model, [optimiser])
        before = probe.vitals().program.untrained
        optimiser.add_param_group({"params": [*model.body.parameters()]})
        train(model, [optimiser], steps=10)
        after = probe.vitals().program.untrained
    assert (bool(before), after) == (True, ())


def test_updates_by_hand_alone_are_not_judged() -> None:
    model = network()

    def story() -> None:
        for _ in range(STEPS):
            model.zero_grad()
            model(torch.randn(8, 6)).square().mean().backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    assert parameter.grad is not None
                    parameter -= 0.01 * parameter.grad

    assert found(story) == {}


def test_nothing_is_kept_alive() -> None:
    with watching() as probe:
        model = Model()
        train(model, [sgd(model.head)])
        assert probe.vitals().program.untrained
        held = weakref.ref(model.body[0].weight)
        del model
        other = network()
        train(other, [sgd(other)])  # the leaves of the last graph are held until there is another
        gc.collect()
        assert held() is None


@pytest.mark.parametrize("detached", [True, False])
def test_the_training_goes_as_it_goes_unwatched(detached: bool) -> None:
    def story() -> Iterator[Tensor]:
        model = Model(detached=detached)
        optimiser = sgd(model if detached else model.head)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = model(torch.randn(8, 6)).square().mean()
            loss.backward()
            optimiser.step()
            yield loss
            yield from model.parameters()

    assert same_training(story).vitals().program.untrained


class Searched(Directory):
    """Counts how often its tensors are looked through."""

    searches = 0

    def tensors(self) -> Iterator[Tensor]:
        self.searches += 1
        return iter(())


def test_looks_that_are_skipped_are_those_without_a_search() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))])
    one_by_one, skipping = Searched(), Searched()
    every, some = UntrainedBook(one_by_one, lambda tensor: True), UntrainedBook(skipping, lambda tensor: True)
    looks = 0
    while looks < 300:
        quiet = some.quiet_looks
        some.skip(quiet)
        for _ in range(quiet):
            every.look([optimiser], ByIdentity())
        assert one_by_one.searches == skipping.searches
        some.look([optimiser], ByIdentity())
        every.look([optimiser], ByIdentity())
        assert one_by_one.searches == skipping.searches
        looks += quiet + 1
    assert skipping.searches == 8  # after 4, 8, 16 … 512 looks
