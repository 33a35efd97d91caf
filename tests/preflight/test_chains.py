"""Following a value through the operations of a tape that change nothing that matters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy.tape import Operation, Tape, record
from limen.preflight.chains import VIEWS, after, before, dependent, exclusive, is_shift, unit_axis


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 8), nn.Linear(8, 3)
        self.shift = nn.Parameter(torch.zeros(8))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        made = self.one(x.reshape(-1, 6))
        moved = (made + self.shift).view(-1, 8) * 2.0
        mask = torch.ones(8) * 0.5
        return self.two(F.relu(moved)), mask


def taped(model: nn.Module, *shape: int) -> Tape:
    return record(model, torch.randn(shape))


def at(tape: Tape, name: str, number: int = 0) -> Operation:
    return [one for one in tape.operations if one.name == name][number]


def test_before_goes_through_views_and_with_shifts_through_constants() -> None:
    tape = taped(Net(), 4, 6)
    made, given = at(tape, "linear").output, at(tape, "relu").inputs[0]
    assert before(given, VIEWS) is given  # a product by a number
    assert before(given, VIEWS, shifts=True) is made
    assert before(at(tape, "linear").inputs[0], VIEWS) is tape.inputs[0]


def test_after_is_the_way_back_of_before() -> None:
    tape = taped(Net(), 4, 6)
    made = at(tape, "linear").output
    assert list(after(tape, made, VIEWS)) == [at(tape, "relu")]
    assert list(after(tape, made, VIEWS, shifts=False)) == [at(tape, "add")]


def test_a_chain_is_exclusive_until_something_else_reads_it() -> None:
    class Reading(Net):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            made = self.one(x)
            return self.two(F.relu(made.view(-1, 8))), made.exp()

    for model, expected in ((Net(), True), (Reading(), False)):
        tape = taped(model, 4, 6)
        relu = at(tape, "relu")
        assert exclusive(tape, at(tape, "linear").output, relu.inputs[0], relu) is expected


def test_what_the_model_returns_is_read_by_its_caller() -> None:
    class Returning(Net):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            made = self.one(x)
            return self.two(F.relu(made)), made

    tape = taped(Returning(), 4, 6)
    relu = at(tape, "relu")
    assert not exclusive(tape, at(tape, "linear").output, relu.inputs[0], relu)


def test_only_what_follows_from_the_sample_depends_on_it() -> None:
    tape = taped(Net(), 4, 6)
    known = dependent(tape)
    first, last = tape.outputs["0"], tape.outputs["1"]
    assert id(first) in known
    assert id(last) not in known


def test_a_sum_of_two_values_is_no_shift() -> None:
    class Joined(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x + x.exp()) / 2.0

    tape = taped(Joined(), 4, 6)
    assert not is_shift(at(tape, "add"))
    assert is_shift(next(one for one in tape.operations if one.name in ("div", "true_divide", "truediv")))


def test_units_lie_last_after_a_product_and_second_after_a_convolution() -> None:
    linear = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU())
    convolution = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    flat = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.ReLU())
    for model, shape, axis in (
        (linear, (4, 6), -1),
        (convolution, (4, 3, 8, 8), 1),
        (flat, (4, 3, 8, 8), None),
        (nn.ReLU(), (4, 6), None),
    ):
        assert unit_axis(at(taped(model, *shape), "relu").inputs[0]) == axis
