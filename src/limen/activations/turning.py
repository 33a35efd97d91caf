"""Where a smooth function turns, and what follows from it: the sheet of one whose parameters were learned."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from limen.activations.interface import Entry
from limen.activations.places import FARTHEST
from limen.activations.sheet import Sheet

__all__ = ["crossings", "sheet_of"]

Function = Callable[[Tensor], Tensor]

PARTS, ROUNDS = 64, 10
"""Into how many parts an interval is divided, and how often: enough for neighbouring doubles."""

ROUNDING = 2.0**-46
"""A curvature below this share of the largest one may be that of a straight line but for rounding."""


def crossings(function: Function, kinks: tuple[float, ...] = ()) -> tuple[float, ...]:
    """Where a function changes its sign, ascending and to the last place of a double; not where it jumps.

    Two of them that are closer than 1/64 near 0, or than 1 % of their distance from 0 beyond 64, may be overlooked.
    """
    grid = _grid(kinks)
    signs = function(grid).sign()
    jump = torch.isin(grid, torch.tensor(kinks, dtype=torch.float64, device="cpu"))
    at = ((signs[1:] * signs[:-1] < 0) & ~jump[1:] & ~jump[:-1]).nonzero().flatten()
    low, high, sign = grid[at], grid[at + 1], signs[at]
    steps = torch.linspace(0, 1, PARTS + 1, dtype=torch.float64, device="cpu")[:, None]
    for _ in range(ROUNDS):
        places = torch.cat([low + (high - low) * steps[:-1], high[None]])  # [parts + 1, crossings]
        after = function(places).sign() != sign
        after[0], after[-1] = False, True
        first = after.int().argmax(0, keepdim=True)
        low, high = places.gather(0, first - 1)[0], places.gather(0, first)[0]
    ends = torch.stack([low, high, torch.where((low < 0) & (high > 0), 0.0, low)])  # doubles are densest around 0
    best = function(ends).abs().argmin(0, keepdim=True)
    return tuple(ends.gather(0, best).flatten().tolist())


def _grid(kinks: tuple[float, ...]) -> Tensor:
    """Ascending places with each kink and its neighbours; no round numbers otherwise, where functions like to be 0."""
    make = {"dtype": torch.float64, "device": "cpu"}
    even = torch.arange(-64, 64, 1 / 64, **make) + 1 / 293  # type: ignore[arg-type]
    wide = torch.logspace(math.log10(65), math.log10(FARTHEST), 970, **make)  # type: ignore[arg-type]
    near = [math.nextafter(kink, side) for kink in kinks for side in (-math.inf, math.inf)]
    return torch.cat([even, wide, -wide, torch.tensor([*kinks, *near], **make)]).sort().values  # type: ignore[arg-type]


def sheet_of(
    entry: Entry, year: int, *, kinks: tuple[float, ...] = (), limits: tuple[float, float] | None = None
) -> Sheet:
    """The sheet of an entry, measured: turning points by dividing, the rest from the values there.

    Args:
        entry: with limits at both infinities; smooth between its kinks.
        year: of its source.
        kinks: where the slope jumps.
        limits: at both infinities; ``f``'s own where not given.
    """
    with torch.inference_mode(False), torch.no_grad():
        roots = crossings(entry.df, kinks)
        inflections = crossings(entry.d2f, kinks)
        beside = [math.nextafter(kink, side) for kink in kinks for side in (-math.inf, math.inf)]
        ends = (-math.inf, math.inf)
        left, right = limits or _at(entry.f, ends)
        values = [left, right, *_at(entry.f, (*roots, *kinks))]
        slopes = _at(entry.df, (*inflections, *beside, *ends))
        bends = _at(entry.d2f, tuple(_grid(kinks).tolist()))
        jumps = [after - before for before, after in pairwise(_at(entry.df, tuple(beside)))][::2]
        least = ROUNDING * max(map(abs, [*bends, *jumps]))
        flat = max(map(abs, slopes)) == 0
        return Sheet(
            range=(min(values), max(values)),
            limits=(left, right),
            monotone=min(slopes) >= 0,
            lipschitz=max(map(abs, slopes)),
            year=year,
            saved="nothing" if not any(bends) and not kinks else "input",
            kinks=kinks,
            roots=() if flat else roots,
            parity=_parity(entry),
            convex=min([*bends, *jumps]) >= -least,
            concave=max([*bends, *jumps]) <= least,
            homogeneous=_degree(entry),
        )


def _at(function: Function, places: tuple[float, ...]) -> list[float]:
    return function(torch.tensor(places, dtype=torch.float64, device="cpu")).tolist()


def _parity(entry: Entry) -> Literal["odd", "even"] | None:
    """That of the bits."""
    x = _grid(())
    there, back = entry.f(x), entry.f(-x)
    return "odd" if torch.equal(there, -back) else "even" if torch.equal(there, back) else None


def _degree(entry: Entry) -> int | None:
    """The power with which the function follows a change of scale, if it does."""
    x = _grid(())[::7]
    near, far = entry.f(x), entry.f(3 * x)
    return next((k for k in range(4) if torch.allclose(far, 3.0**k * near, rtol=1e-12, atol=0)), None)
