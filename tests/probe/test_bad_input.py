"""Trainings that go wrong: under a watch they go wrong in the same way, to the same bits, and the watch says so."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.probe.stories import network, same_training, steps
from tests.probe.watching import watching

# Values -------------------------------------------------------------------------------------------------------------


@given(
    storm=st.dictionaries(st.integers(0, 7), st.sampled_from([float("nan"), float("inf"), -float("inf")]), max_size=5),
    where=st.sampled_from(["input", "gradient", "weight"]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_storms_of_nan_and_infinity_are_counted_and_change_nothing(storm: dict[int, float], where: str) -> None:
    def story() -> Iterator[Tensor]:
        model = network()
        optimiser = torch.optim.SGD(model.parameters(), 0.1)
        for number in range(8):
            x = torch.randn(5, 6)
            if number in storm and where == "input":
                x[number % 5, 2] = storm[number]
            if number in storm and where == "weight":
                with torch.no_grad():
                    model[0].weight[number % 8, 0] = storm[number]
            optimiser.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            if number in storm and where == "gradient":
                model[2].weight.grad[0, 0] = storm[number]
            optimiser.step()
            yield loss
            yield from model.parameters()

    vitals = same_training(story).vitals()
    assert vitals.step == 8
    first = min(storm, default=None)
    expected = None if first is None else first + 1 + (where == "gradient")
    assert vitals.sites[where == "gradient"].first_nonfinite == (None if expected == 9 else expected)
    assert vitals.notes == ()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_overflow_of_half_precision_is_told(dtype: torch.dtype) -> None:
    def story() -> Iterator[Tensor]:
        model = network().to(dtype)
        nn.init.constant_(model[0].weight, 0.5)
        return steps(model, [torch.randn(5, 6).to(dtype), torch.full((5, 6), torch.finfo(dtype).max, dtype=dtype)])

    vitals = same_training(story).vitals()
    assert (vitals.step, vitals.sites[0].first_nonfinite) == (2, 2)


# Shapes -------------------------------------------------------------------------------------------------------------


@given(sizes=st.lists(st.integers(0, 4), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_batches_of_any_size_are_counted_to_the_sample(sizes: list[int]) -> None:
    def story() -> Iterator[Tensor]:
        return steps(network(), [torch.randn(size, 6) for size in sizes])

    vitals = same_training(story).vitals()
    assert vitals.step == len(sizes)
    assert [site.total.samples for site in vitals.sites] == [sum(sizes)] * 2
    assert vitals.sites[0].history.step.tolist() == [number for number, size in enumerate(sizes, 1) if size]


@given(widths=st.lists(st.integers(1, 4), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_unit_count_that_changes_is_left_out_and_said(widths: list[int]) -> None:
    def story() -> Iterator[Tensor]:
        w = torch.randn(6, 4, requires_grad=True)
        optimiser = torch.optim.SGD([w], 0.1)
        for width in widths:
            optimiser.zero_grad()
            torch.tanh((torch.randn(5, 6) @ w)[:, :width]).square().sum().backward()
            optimiser.step()
            yield w

    vitals = same_training(story).vitals()
    seen = vitals.sites[0]
    assert seen.total.samples == 5 * widths.count(widths[0])
    assert any("a call with" in note for note in vitals.notes) == (len(set(widths)) > 1)


def test_a_single_sample_and_a_vector_without_a_batch_axis_are_same_training() -> None:
    vitals = same_training(lambda: steps(network(), [torch.randn(1, 6), torch.randn(6), torch.randn(2, 3, 6)])).vitals()
    assert [site.total.samples for site in vitals.sites] == [8, 8]


# Errors -------------------------------------------------------------------------------------------------------------


class Boom(torch.autograd.Function):
    """Raises on the way back."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        return z.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        raise ArithmeticError("boom on the way back")


@given(
    bad=st.dictionaries(st.integers(0, 11), st.sampled_from(["forward", "backward", "step"]), max_size=6),
    survives=st.booleans(),
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_errors_of_the_script_are_its_own(bad: dict[int, str], survives: bool) -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.act, self.mode = nn.Linear(6, 8), nn.ReLU(), ""

        def forward(self, x: Tensor) -> Tensor:
            hidden = self.act(self.body(x))
            if self.mode == "forward":
                raise KeyError("on the way forward")
            return Boom.apply(hidden) if self.mode == "backward" else hidden

    class Optimiser(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            if model_mode[0] == "step":
                raise ValueError("in the update")
            super().step()

    model_mode = [""]

    def story() -> Iterator[Tensor]:
        model = nn.Sequential(Fragile(), nn.Linear(8, 3))
        optimiser = Optimiser(model.parameters(), 0.1)
        for number in range(12):
            model[0].mode = model_mode[0] = bad.get(number, "")
            optimiser.zero_grad()
            try:
                F.cross_entropy(model(torch.randn(5, 6)), torch.randint(3, (5,))).backward()
                optimiser.step()
            except Exception:
                if not survives:
                    raise
            yield from model.parameters()

    probe = same_training(story)
    whole = 12 - len(bad) if survives else min(bad, default=12)
    assert probe.step == whole
    assert torch.overrides._get_current_function_mode_stack() == []
    if whole:
        (site,) = probe.vitals().sites
        assert 5 * whole <= site.total.samples <= 5 * 12


def test_a_training_that_stops_in_the_middle_is_known_up_to_there() -> None:
    def story() -> Iterator[Tensor]:
        for number, tensor in enumerate(steps(network(), [torch.randn(5, 6)] * 9)):
            if number == 15:
                raise KeyboardInterrupt from None
            yield tensor

    with watching() as probe, pytest.raises(KeyboardInterrupt):
        list(story())
    vitals = probe.vitals()
    assert (vitals.step, [site.total.samples for site in vitals.sites]) == (3, [15, 15])
