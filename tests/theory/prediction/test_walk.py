"""Up the tape with states: what has no rule is read from the recorded pass, and rules say so instead of raising."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from limen.theory import predict
from limen.theory.prediction import walk
from limen.theory.prediction.step import Made, NoRule, Step

Forward = Callable[[Tensor], Tensor]


class Calls(nn.Module):
    """A layer, some calls, and a function, so that there is a site behind them."""

    def __init__(self, calls: Forward) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(6, 6), calls

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.calls(self.layer(x)))


CALLS: dict[str, Forward] = {
    "a graph's neighbours": lambda x: torch.softmax(torch.ones(8, 8), -1) @ x,
    "samples with samples": lambda x: torch.softmax(x @ x.T, -1) @ x,
    "units with units": lambda x: x @ (x.T @ x),
    "a vector": lambda x: x @ torch.ones(6),
    "no rule at all": lambda x: torch.cumsum(x, -1),
    "along the batch": lambda x: torch.flip(x, (0,)) + x.mean(0),
    "in three parts": lambda x: torch.cat(x.chunk(3, -1)[::-1], -1),
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
def test_a_rule_that_does_not_cover_a_case_says_so(calls: Forward, monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Exception] = []

    def applied(step: Step) -> Made:
        try:
            return plainly(step)
        except NoRule:
            raise
        except Exception as error:
            raised.append(error)
            raise

    plainly = walk.applied
    monkeypatch.setattr(walk, "applied", applied)
    torch.manual_seed(0)
    found = predict(Calls(calls), torch.randn(8, 6))
    assert raised == []
    assert found.sites


def test_what_has_no_rule_is_read_and_all_behind_it_marked() -> None:
    torch.manual_seed(0)
    found = predict(Calls(CALLS["no rule at all"]), torch.randn(8, 6))
    (site,) = found.sites
    assert found.unruled == ("cumsum",)
    assert site.source == "measured"
    assert site.measured is not None
    assert site.variance == pytest.approx(site.measured.variance, rel=1e-6)  # the very numbers, in single precision
