"""What a layer can make of inputs within given limits: bounds that no input within them escapes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limen.activations import Activation, Entry, tails
from limen.errors import InvalidValue
from limen.theory.crossing import crossing
from limen.theory.curve import Curve, Function, as_curve

__all__ = ["Box", "activation_bounds", "certainly_dead", "linear_bounds"]

FARTHEST = 64.0
"""Up to here a function may turn in any way; beyond, only as those of the catalogue do, which then turn no more.

Waves turn for ever: of them nothing is known beyond, nor where they turn oftener than is looked."""

OFTEN = 1 / 8
"""A wave with a shorter period than this is not followed."""


@dataclass(frozen=True, eq=False)
class Box:
    """A lower and an upper limit for each of several numbers.

    Attributes:
        low: of any shape; may hold ``-inf``.
        high: of the same shape, nowhere below ``low``; may hold ``inf``.
    """

    low: Tensor
    high: Tensor

    def __post_init__(self) -> None:
        if self.low.shape != self.high.shape:
            raise InvalidValue(
                f"Box(low, high): of shapes {list(self.low.shape)} and {list(self.high.shape)}. Expected the same."
            )
        if not bool((self.low <= self.high).all()):
            raise InvalidValue("Box(low, high): somewhere low is above high, or NaN. Expected low <= high.")


def linear_bounds(
    box: Box,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    apply: Callable[..., Tensor] = F.linear,
    precision: torch.dtype | None = None,
) -> Box:
    r"""Limits of ``apply(x, weight) + bias`` for ``x`` in a box: ``Σ max(w lo, w hi) + b``, and the same with ``min``.

    For one layer they are tight: some corner of the box reaches each. Over several they are not, as the units of a
    layer cannot all reach theirs at once.

    Args:
        box: ``[..., fan_in]`` for ``F.linear``, ``[samples, channels, ...]`` for convolutions.
        weight: as ``apply`` takes it.
        bias: of the units, on the axis on which ``apply`` puts them.
        apply: a function of ``x``, ``weight`` and ``bias`` that is linear in each of the first two, such as
            ``F.linear`` or ``functools.partial(F.conv2d, stride=2, padding=1)``.
        precision: in which the model multiplies, where that is not the one of its weights (autocast).

    Returns:
        The limits, in double precision, of the shape that ``apply`` gives. They are widened by what may be off when
        numbers are rounded to that precision and their products summed, in single at least and in whatever order, so
        that the model's own numbers are within. TF32 is no such precision: say ``bfloat16``.

    Source: Moore 1966, "Interval Analysis"; for networks Gowal et al. 2018, arXiv:1810.12715.

    A unit with the bias -10 that no input in [0, 1]² wakes:

    >>> box = Box(torch.zeros(2), torch.ones(2))
    >>> reached = linear_bounds(box, torch.tensor([[0.01, 0.01]]), torch.tensor([-10.0]))
    >>> round(float(reached.high), 4), certainly_dead(reached, "relu")
    (-9.98, tensor([True]))
    """
    with torch.no_grad():
        w, b = weight.double(), None if bias is None else bias.double()
        up, down = w.clamp(min=0), w.clamp(max=0)
        low, high = _finite(box.low), _finite(box.high)
        size = apply(torch.maximum(low.abs(), high.abs()), w.abs(), None if b is None else b.abs())
        terms = apply(torch.ones_like(low), (w != 0).double(), None) + 2
        rounding = size * (terms * torch.finfo(_summed_in(weight)).eps + 2 * torch.finfo(precision or weight.dtype).eps)
        upper = apply(high, up, b) + apply(low, down, None) + rounding
        lower = apply(low, up, b) + apply(high, down, None) - rounding
        signs = (up > 0).double(), (down < 0).double()
        no_end = _is(box.high, torch.inf), _is(box.low, -torch.inf)
        upper = upper.masked_fill(_touched(apply, no_end, signs), torch.inf)
        lower = lower.masked_fill(_touched(apply, (no_end[1], no_end[0]), signs), -torch.inf)
    return Box(lower, upper)


def activation_bounds(box: Box, activation: Function, *, precision: torch.dtype = torch.float32) -> Box:
    """The values that a function takes between the limits: at their ends, and where it turns between them.

    Args:
        box: of pre-activations, of any shape.
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor.
        precision: in which the model computes it; the limits are widened by what that may be off.

    Returns:
        Limits of the same shape, in double precision; none where a function that is not in the catalogue is reached
        beyond ±64. Of such a function two turns closer than 1/32 may be overlooked.

    >>> reached = activation_bounds(Box(torch.tensor([-3.0]), torch.tensor([1.0])), "silu")
    >>> round(float(reached.low), 4), round(float(reached.high), 4)
    (-0.2785, 0.7311)
    """
    curve = as_curve(activation)
    sheet = curve.entry.sheet if isinstance(curve.entry, Entry) else None
    turns = torch.tensor(_turns(curve), dtype=torch.float64)
    eps = torch.finfo(precision).eps
    with torch.no_grad():
        low, high = box.low.double(), box.high.double()
        ends = torch.stack([curve.f(low), curve.f(high)])
        least, most = ends.amin(0), ends.amax(0)
        at_turns = curve.f(turns)
        for turn, there in zip(turns, at_turns, strict=True):
            inside = (low < turn) & (turn < high)
            least = torch.where(inside, least.minimum(there), least)
            most = torch.where(inside, most.maximum(there), most)
        off = eps * (_finite(ends).abs().amax(0) * 4 + torch.maximum(_finite(low).abs(), _finite(high).abs()))
        everywhere = torch.cat([curve.f(torch.tensor([-torch.inf, torch.inf], dtype=torch.float64)), at_turns])
        bottom, top = everywhere.min(), everywhere.max()  # NaN, which is ignored, where the function has no limit
        least = torch.fmax(least - off, bottom - 4 * eps * bottom.abs())
        most = torch.fmin(most + off, top + 4 * eps * top.abs())
        unknown = least.isnan() | most.isnan()
        period = sheet.period if sheet and not sheet.monotone else None
        if curve.entry is None or period:
            unknown |= (low < -FARTHEST) | (high > FARTHEST)
        if period and period < OFTEN:
            unknown |= True
        bottom, top = sheet.range if sheet else (-torch.inf, torch.inf)
    return Box(least.masked_fill(unknown, bottom), most.masked_fill(unknown, top))


def certainly_dead(box: Box, activation: Activation | str, *, unit_axis: int = -1) -> Tensor:
    """The units that no input wakes: their whole box is on a flat side of the function where its output is about zero.

    A proof, without data, that a unit is dead from the start, for all inputs within the limits that were given. A unit
    for which it is not proven may be dead all the same.

    Args:
        box: of pre-activations.
        activation: an entry of the catalogue, or its name.
        unit_axis: of the box; the other axes are samples and positions.

    Returns:
        ``[units]``, of bool.
    """
    entry = as_curve(activation).entry
    if entry is None:
        raise InvalidValue(f"certainly_dead({activation!r}): expected an entry of the catalogue, or its name.")
    sides = tails(entry)
    flat = torch.zeros_like(box.low, dtype=torch.bool)
    if sides.dead_left and sides.left is not None:
        flat |= box.high <= sides.left
    if sides.dead_right and sides.right is not None:
        flat |= box.low >= sides.right
    return flat.movedim(unit_axis, -1).reshape(-1, flat.shape[unit_axis]).all(0)


def _finite(limits: Tensor) -> Tensor:
    """The limits, with 0 for those that are none."""
    return torch.where(limits.isfinite(), limits, 0.0).double()


def _is(limits: Tensor, value: float) -> Tensor:
    return (limits == value).double()


def _touched(apply: Callable[..., Tensor], no_end: tuple[Tensor, Tensor], signs: tuple[Tensor, Tensor]) -> Tensor:
    """Where a number without limit enters, by a weight of the sign that passes it on to this side."""
    return (apply(no_end[0], signs[0], None) + apply(no_end[1], signs[1], None)) > 0


def _summed_in(weight: Tensor) -> torch.dtype:
    return torch.float64 if weight.dtype == torch.float64 else torch.float32


def _turns(curve: Curve) -> list[float]:
    """Where a function may stop rising or falling: at a kink, or where its slope passes 0."""
    if curve.entry and curve.entry.monotone:
        return []
    sheet = curve.entry.sheet if isinstance(curve.entry, Entry) else None
    if sheet and sheet.period:
        waves = range(-int(FARTHEST / sheet.period) - 1, int(FARTHEST / sheet.period) + 2)
        return [root + wave * sheet.period for wave in waves for root in sheet.roots] if sheet.period >= OFTEN else []
    far = np.geomspace(FARTHEST, 1e6, 400) if curve.entry else np.zeros(0)  # scaled, they may turn far out
    grid = np.unique(np.concatenate([-far, np.linspace(-FARTHEST, FARTHEST, 4097), far, curve.breaks]))
    slope = curve.slope(grid)
    grid, slope = grid[slope != 0], slope[slope != 0]
    changes = np.flatnonzero((slope[1:] > 0) != (slope[:-1] > 0))
    passed = (
        crossing(lambda x: float(curve.slope(np.array([x]))[0]), float(grid[at]), float(grid[at + 1])) for at in changes
    )
    return [*curve.breaks, *passed]
