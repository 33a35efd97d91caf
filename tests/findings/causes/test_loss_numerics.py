"""A loss that overflows while the network is calm."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Finding, diagnose
from limen.vitals import Vitals
from tests.findings.patients import Layer, Patient, along, falling

FALLS = falling(2.4, 0.2)
BREAKS = lambda t: np.where(t >= 30, np.nan, along(FALLS, t))  # noqa: E731
AFTER = (Layer("fc1", nonfinite=31, weight_nonfinite=30), Layer("fc2", nonfinite=31, weight_nonfinite=30))
LOG = Patient(AFTER, losses=(BREAKS,), function="other")


def broken(vitals: Vitals) -> Finding:
    return next(one for one in diagnose(vitals) if one.symptom == "non-finite")


def names(found: Finding) -> list[str]:
    return [cause.name for cause in found.causes]


def test_a_log_of_zero_is_put_down_to_the_loss() -> None:
    found = broken(LOG.vitals)
    assert (found.where, found.step, names(found)) == ("loss", 30, ["loss-numerics"])
    assert "The loss (other) was nan at step 30" in found.causes[0].evidence
    assert "from -4 to 4" in found.causes[0].evidence
    assert found.remedies[0] == "fix-loss"


@pytest.mark.parametrize("function", ["cross-entropy", "mse"])
def test_a_stable_loss_leaves_only_the_targets(function: str) -> None:
    found = broken(replace(LOG, function=function).vitals)
    assert f"{function} of finite outputs is finite, which leaves the targets" in found.causes[0].evidence


@pytest.mark.parametrize(
    "layers",
    [
        (replace(AFTER[0], nonfinite=30), AFTER[1]),  # the network broke first
        (replace(AFTER[0], std=1e9), AFTER[1]),  # it was about to
        (replace(AFTER[0], weight_nonfinite=29), AFTER[1]),
        (),
    ],
)
def test_a_network_that_was_not_calm_acquits_the_loss(layers: tuple[Layer, ...]) -> None:
    assert "loss-numerics" not in names(broken(replace(LOG, layers=layers).vitals))


def test_nothing_is_said_of_a_step_at_which_the_sites_were_not_looked_at() -> None:
    vitals = LOG.vitals
    kept = vitals.sites[0].history.step != 30
    history = vitals.sites[0].history
    blind = replace(history, **{name: column[kept] for name, column in vars(history).items()})
    assert names(broken(replace(vitals, sites=(replace(vitals.sites[0], history=blind), *vitals.sites[1:])))) == []
