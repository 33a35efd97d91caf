"""How layers are joined, against a list of all parts that have one way in and one way out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.errors import InvalidValue
from limen.theory import Chain, Series, Structure, Sum, largest, residual

structures = st.recursive(
    st.integers(0, 3).map(Chain),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Series(tuple(parts)))
        | st.builds(lambda branch, weight: residual(branch, weight), inner, st.floats(0, 1))
        | st.builds(lambda one, other, share: Sum((one, other), (share, 1 - share)), inner, inner, st.floats(0, 1))
    ),
    max_leaves=6,
)


def parts(structure: Structure) -> Iterator[Structure]:
    """Every part with one way in and one way out: runs of what stands in series, and what lies inside."""
    if isinstance(structure, Chain):
        yield from (Chain(depth) for depth in range(structure.depth + 1))
        return
    inner = structure.parts
    if isinstance(structure, Series):
        yield from (Series(inner[i:j]) for i in range(len(inner)) for j in range(i + 1, len(inner) + 1))
    else:
        yield structure
    for part in inner:
        yield from parts(part)


def through(structure: Structure, factor: float) -> float:
    """The slope of a whole structure whose layers have the slope ``factor``, by the sum and product rules."""
    if isinstance(structure, Chain):
        return factor**structure.depth
    slopes = [through(part, factor) for part in structure.parts]
    if isinstance(structure, Series):
        return math.prod(slopes)
    return sum(share * slope for share, slope in zip(structure.shares, slopes, strict=True))


@given(structure=structures, factor=st.floats(1, 3))
@settings(max_examples=60, deadline=None)
def test_no_part_has_a_larger_slope_and_some_part_has_it(structure: Structure, factor: float) -> None:
    slopes = [through(part, factor) for part in parts(structure)]
    assert largest(structure, lambda slope: slope * factor, 1.0) == pytest.approx(max(slopes), rel=1e-12)


@given(structure=structures)
@settings(max_examples=30, deadline=None)
def test_curvatures_add_where_slopes_multiply(structure: Structure) -> None:
    """``(1 + t)ⁿ`` is ``1 + t n`` for small ``t``: the curvature counts what the slope counts to first order."""
    t = 1e-7
    slope = largest(structure, lambda slope: slope * (1 + t), 1.0)
    curvature = largest(structure, lambda curvature: curvature + t, 0.0)
    assert slope - 1 == pytest.approx(curvature, abs=1e-12)


def test_a_residual_block_has_the_shares_of_its_weights() -> None:
    assert residual(Chain(2), 0.6).shares == (pytest.approx(0.36), pytest.approx(0.64))
    assert residual(Chain(2), 0.6).parts == (Chain(0), Chain(2))


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(InvalidValue, match=r"residual\(weight=.*\): expected a number in \[0, 1\]"):
        residual(Chain(1), weight)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.5,), (1.5, -0.5)], ids=str)
def test_shares_that_are_none_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValue, match=r"Sum\(shares=.*\): expected a number >= 0 for each of the 2 paths"):
        Sum((Chain(0), Chain(1)), shares)


@pytest.mark.parametrize("depth", [-1, 2.0, True], ids=repr)
def test_a_depth_that_is_none_is_refused(depth: object) -> None:
    with pytest.raises(InvalidValue, match=r"Chain\(depth=.*\): expected a whole number >= 0"):
        Chain(depth)  # type: ignore[arg-type]
