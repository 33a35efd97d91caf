"""Places where a function changes its sign, and sheets that are measured, against entries that state theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from limen.activations import ACONC, PAU, Entry, KANSpline, Sheet, get
from limen.activations.turning import crossings, sheet_of


def test_roots_are_found_to_the_last_place() -> None:
    found = crossings(lambda x: (x - 0.1) * (x + 7) * (x - 1234.5) * torch.exp(-x.abs() / 1e3))
    assert found == pytest.approx((-7, 0.1, 1234.5), rel=1e-15)
    assert crossings(torch.sin)[:1] == pytest.approx((-20 * math.pi,), rel=1e-15) or len(crossings(torch.sin)) > 41
    assert 0.0 in crossings(torch.tanh)


def test_a_jump_through_zero_is_no_root() -> None:
    assert crossings(lambda x: torch.where(x > 0.3, 1.0, -1.0), (0.3,)) == ()
    assert crossings(torch.relu) == ()
    assert crossings(lambda x: torch.ones_like(x)) == ()


@dataclass(frozen=True)
class Measured(Entry):
    """An entry of the catalogue that measures its sheet."""

    base: Entry

    @property
    def sheet(self) -> Sheet:
        said = self.base.sheet
        assert said.year is not None
        limits = said.limits if None not in said.limits else (0.0, 0.0)
        return sheet_of(self, said.year, kinks=self.base.kinks, limits=limits)  # type: ignore[arg-type]

    def f(self, x: Tensor) -> Tensor:
        return self.base.f(x)

    def df(self, x: Tensor) -> Tensor:
        return self.base.df(x)

    def d2f(self, x: Tensor) -> Tensor:
        return self.base.d2f(x)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "tanh", "sigmoid", "softplus", "elu", "selu", "hardswish",
                                  "gaussian", "lisht", "serf", "phish"])  # fmt: skip
def test_what_is_measured_is_what_entries_state(name: str) -> None:
    said = get(name).sheet  # type: ignore[attr-defined]
    found = Measured(get(name)).sheet  # type: ignore[arg-type]
    for field in ("monotone", "kinks", "parity", "convex", "concave", "homogeneous", "limits"):
        assert getattr(found, field) == getattr(said, field), field
    assert found.range == pytest.approx(said.range, rel=1e-12, abs=1e-15)
    assert found.lipschitz == pytest.approx(said.lipschitz, rel=1e-12)
    assert found.roots == pytest.approx(said.roots, rel=1e-9, abs=1e-9)


def test_the_paper_of_acon_bounds_its_slope() -> None:
    """Ma et al. 2021: 1.0998 p1 - 0.0998 p2 and the same with p1 and p2 exchanged."""
    entry = ACONC(1.5, -0.25, 3.0)
    slopes = entry.df(torch.linspace(-10, 10, 100_001, dtype=torch.float64))
    assert float(slopes.max()) == pytest.approx(1.0998 * 1.5 + 0.0998 * 0.25, abs=1e-3)
    assert float(slopes.min()) == pytest.approx(-1.0998 * 0.25 - 0.0998 * 1.5, abs=1e-3)
    assert entry.sheet.lipschitz == pytest.approx(float(slopes.max()), rel=1e-6)


@pytest.mark.parametrize(
    "entry",
    [PAU((0.1, 0.5, -0.25, 0.5), (0.5, -1.0, 0.25)), KANSpline((1.0, -1.0, 0.5, 2.0, -0.5, 0.25, 0.0))],
    ids=repr,
)
def test_kinks_and_turning_points_of_learned_functions_are_where_their_slopes_say(entry: Entry) -> None:
    for kink in entry.kinks:
        left, right = entry.df(torch.tensor([kink - 1e-9, kink + 1e-9], dtype=torch.float64)).tolist()
        assert abs(right - left) > 1e-6
    x = torch.linspace(-20, 20, 400_001, dtype=torch.float64)
    slope = entry.df(x)
    turns = x[1:][(slope[1:] * slope[:-1] < 0)]
    turning = [place for place in turns.tolist() if all(abs(place - kink) > 1e-3 for kink in entry.kinks)]
    near = [root for root in entry.sheet.roots if abs(root) < 20]
    assert turning == pytest.approx(near, abs=2e-4)
