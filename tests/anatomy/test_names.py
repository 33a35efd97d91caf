"""What the user calls things, read from the frame that calls the model."""

import gc
import sys
import weakref
from types import FrameType

import pytest
import torch
from torch import Tensor, nn

from limen.anatomy import name_root, name_tensors, user_frame

a_global = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
a_table = {"first": torch.zeros(2)}


def here() -> FrameType:
    return sys._getframe(1)


class Agent:
    """Holds two models, as reinforcement learning does."""

    def __init__(self) -> None:
        self.actor = nn.Linear(2, 3)
        self.critics = [nn.Linear(2, 1), nn.Linear(2, 1)]

    def frame(self) -> FrameType:
        return sys._getframe(0)


def test_a_local_variable_names_its_model() -> None:
    network = nn.Linear(2, 3)
    root = name_root(network, here())
    assert (root.label, root.top) == ("network", network)


def test_a_global_variable_names_its_model() -> None:
    root = name_root(a_global, here())
    assert (root.label, root.top) == ("a_global", a_global)


def test_a_local_variable_comes_before_a_global_one() -> None:
    local = a_global
    assert name_root(local, here()).label == "local"


def test_the_attribute_of_an_object_names_its_model() -> None:
    agent = Agent()
    root = name_root(agent.actor, here())
    assert (root.label, root.top) == ("actor", agent.actor)
    assert name_root(agent.actor, agent.frame()).label == "actor"


def test_a_part_is_named_after_the_model_that_holds_it() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)))
    root = name_root(network[1], here())
    assert (root.label, root.top) == ("network", network)


def test_a_variable_of_its_own_comes_before_the_model_that_holds_it() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    head = network[0]
    assert name_root(head, here()).label == "head"


def test_a_model_in_no_variable_is_named_after_its_class() -> None:
    root = name_root(nn.Bilinear(2, 3, 4), here())
    assert (root.label, type(root.top)) == ("Bilinear", nn.Bilinear)
    assert name_root(nn.Bilinear(2, 3, 4), None).label == "Bilinear"


def test_a_model_that_calls_its_own_part_is_named_after_its_class() -> None:
    class Trainee(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(2, 3)

        def frame(self) -> FrameType:
            return sys._getframe(0)

    trainee = Trainee()
    root = name_root(trainee.net, trainee.frame())
    assert (root.label, root.top) == ("Trainee", trainee)


def test_models_in_a_list_or_dictionary_are_named_after_their_place() -> None:
    members = [nn.Linear(2, 3), nn.Linear(2, 3)]
    networks = {"generator": nn.Linear(2, 3)}
    assert name_root(members[1], here()).label == "members[1]"
    assert name_root(networks["generator"], here()).label == "networks['generator']"


def test_models_in_a_list_of_an_object_are_named_after_their_place() -> None:
    agent = Agent()
    assert name_root(agent.critics[1], agent.frame()).label == "critics[1]"


def test_tensors_are_named_after_their_variables_and_places() -> None:
    weight, layers = torch.zeros(3), [torch.zeros(1), torch.zeros(1)]
    other = {"bias": torch.zeros(1), 3: torch.zeros(1)}
    found = name_tensors([weight, *layers, *other.values(), a_table["first"]], here())
    wanted = [weight, *layers, *other.values(), a_table["first"]]
    assert [found[id(tensor)] for tensor in wanted] == [
        "weight",
        "layers[0]",
        "layers[1]",
        "other['bias']",
        "other[3]",
        "a_table['first']",
    ]


def test_tensors_that_were_not_asked_for_are_not_named() -> None:
    weight, other = torch.zeros(3), torch.zeros(3)
    assert name_tensors([weight], here()) == {id(weight): "weight"}
    assert name_tensors([other], None) == {}


def test_a_tensor_that_a_local_variable_lets_go_of_is_freed() -> None:
    """``f_locals`` of a running function is a snapshot, which would keep all its tensors until the function ends."""

    def training_step() -> None:
        network = nn.Linear(2, 2)
        batch: Tensor | None = torch.zeros(4, 2)
        assert batch is not None
        gone = weakref.ref(batch)
        name_root(network, here())
        name_tensors([batch], here())
        del batch
        gc.collect()
        assert gone() is None

    training_step()


def test_a_tensor_of_an_earlier_frame_is_freed_too() -> None:
    def inner(frame: FrameType) -> None:
        name_tensors([torch.zeros(1)], frame)

    def outer() -> weakref.ref[Tensor]:
        batch: Tensor | None = torch.zeros(4)
        assert batch is not None
        gone = weakref.ref(batch)
        inner(here())
        batch = None
        gc.collect()
        assert gone() is None
        return gone

    outer()


def test_naming_changes_no_variable_of_the_frame() -> None:
    first, second = 1, [2]
    free = "seen from an inner function"

    def closure() -> str:
        return free

    name_root(nn.Linear(1, 1), here())
    name_tensors([torch.zeros(1)], here())
    assert (first, second, free, closure()) == (1, [2], "seen from an inner function", "seen from an inner function")
    assert {name for name in locals() if name.isidentifier()} == {"first", "second", "free", "closure"}


def test_the_frame_of_the_user_is_neither_torchs_nor_limens() -> None:
    seen: list[FrameType | None] = []

    class Calls(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    module = Calls()
    module.register_forward_hook(lambda *_: seen.append(user_frame()))
    module(torch.zeros(1))
    assert seen[0] is not None
    assert seen[0].f_code.co_filename == __file__


class Awkward:
    """An object whose attributes do not like to be looked at."""

    @property
    def trap(self) -> object:
        raise RuntimeError("was looked at")

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"{name} was looked at")

    @property
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise RuntimeError("was asked for its class")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("was compared")

    def __bool__(self) -> bool:
        raise RuntimeError("was asked for truth")

    __hash__ = object.__hash__


def test_awkward_objects_among_the_variables_are_left_alone() -> None:
    awkward, held, by_key = Awkward(), [Awkward()], {Awkward(): Awkward()}
    network, weight = nn.Linear(2, 2), torch.zeros(1)
    assert name_root(network, here()).label == "network"
    assert name_tensors([weight], here())[id(weight)] == "weight"
    assert len(held) + len(by_key) == 2
    assert type(awkward) is Awkward


@pytest.mark.parametrize("key", ["plain", "it's", 3, 0.5, None])
def test_keys_are_written_as_python_writes_them(key: object) -> None:
    table = {key: torch.zeros(1)}
    assert name_tensors(table.values(), here())[id(table[key])] == f"table[{key!r}]"
