"""From a planned step to a changed training."""

import pytest
import torch
from torch import nn

from limen.anatomy import Consumer, Wiring
from limen.errors import UnknownName
from limen.sites import Site
from limen.treatments import Applied, Refused, Step, apply

SITE = Site("relu", "relu", "relu", 1, 4, -1, "fc", None, 0, False, flat_left=0.0, dead_left=True)
REVIVE = Step("revive-units", "relu", (1,), None, 1.0, "dead-units @ relu")
LOWER = Step("lower-learning-rate", "SGD", (), 1, 0.1, "dead-units @ relu")


def wiring() -> Wiring:
    made, read = nn.Linear(3, 4), nn.Linear(4, 2)
    return Wiring(SITE, made.weight, made.bias, None, None, 0.5, (Consumer("read.weight", read.weight, 1),))


def carry_out(step: Step, **changes: object) -> Applied | Refused:
    known = {"wirings": {"relu": wiring()}, "optimisers": [], "generator": torch.Generator(), "at": 33, **changes}
    return apply(step, **known)  # pyright: ignore


def test_units_are_revived_at_the_named_site() -> None:
    around = wiring()
    done = carry_out(REVIVE, wirings={"relu": around})
    assert isinstance(done, Applied)
    assert not around.consumers[0].weight[:, 1].any()
    assert (done.record.step, done.record.where, done.record.finding) == (33, "relu", "dead-units @ relu")


def test_the_rate_of_the_named_optimiser_is_lowered() -> None:
    optimisers = [torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=rate) for rate in (1.0, 2.0)]
    done = carry_out(LOWER, optimisers=optimisers)
    assert isinstance(done, Applied)
    assert [o.param_groups[0]["lr"] for o in optimisers] == [1.0, 0.2]
    assert (done.record.step, done.record.finding) == (33, "dead-units @ relu")


def test_a_site_without_wiring_is_refused() -> None:
    refused = carry_out(REVIVE, wirings={})
    assert isinstance(refused, Refused)
    assert refused.reason == "the weights around relu were not found"


def test_a_hand_written_update_is_refused() -> None:
    assert isinstance(carry_out(LOWER), Refused)


def test_an_unknown_treatment_is_an_error() -> None:
    with pytest.raises(UnknownName, match=r"No treatment is named 'revive'\. Did you mean 'revive-units'\?"):
        carry_out(Step("revive", "relu", (1,), None, 1.0, ""))
