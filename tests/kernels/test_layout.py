"""The walk through a tensor meets each entry of each unit once, and leaves the memory of no tensor."""

import doctest

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.kernels import layout
from limen.kernels.layout import Layout


def test_the_examples_of_the_documentation() -> None:
    assert doctest.testmod(layout).failed == 0


def entries(walk: Layout, unit: int) -> list[int]:
    return sorted(
        unit * walk.unit_stride + outer * walk.outer_stride + inner * walk.inner_stride + place
        for outer in range(walk.outer)
        for inner in range(walk.inner)
        for place in range(walk.run)
    )


@st.composite
def views(draw: st.DrawFn) -> torch.Tensor:
    """Permuted, narrowed, strided and expanded views whose entries are their own places in memory."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    whole = torch.arange(torch.Size(shape).numel()).reshape(shape)
    view = whole.permute(draw(st.permutations(range(len(shape)))))
    for axis in range(view.ndim):
        view = view.narrow(axis, 0, draw(st.integers(1, view.shape[axis])))
        if view.shape[axis] == 1 and draw(st.booleans()):
            view = view.expand(*view.shape[:axis], 3, *view.shape[axis + 1 :])
    step = draw(st.integers(1, 2))
    return view[::step]


@given(view=views(), place=st.integers(0, 4))
@settings(max_examples=300, deadline=None)
def test_a_walk_meets_the_entries_of_each_unit(view: torch.Tensor, place: int) -> None:
    axis = place % view.ndim
    walk = Layout.of(view.shape, view.stride(), axis)
    if walk is None:
        return
    assert walk.units == view.shape[axis]
    assert walk.samples == view.numel() // walk.units
    first = int(view.flatten()[0])
    for unit in range(walk.units):
        expected = (view.select(axis, unit).flatten() - first).tolist()
        assert entries(walk, unit) == sorted(expected)


@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=5), place=st.integers(0, 4))
def test_a_contiguous_tensor_needs_no_copy(shape: list[int], place: int) -> None:
    whole = torch.empty(shape)
    assert Layout.of(whole.shape, whole.stride(), place % len(shape)) is not None
