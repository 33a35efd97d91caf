"""A loss that overflows while the network is calm."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Finding, Thresholds, diagnose
from limen.findings.causes.loss_numerics import loss_numerics_seen
from limen.vitals import Scale, Vitals
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
    assert "The loss was nan at step 30" in found.causes[0].evidence
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


def logarithm_of(least: float | None, *, function: str = "log-probability", head: str = "softmax") -> Vitals:
    vitals = Patient().vitals
    outputs = None if least is None else Scale(0.4, 0.2, least, 1.0)
    return replace(vitals, losses=(replace(vitals.losses[0], function=function, head=head, outputs=outputs),))


@pytest.mark.parametrize(
    ("vitals", "severity"),
    [
        (logarithm_of(1.1e-5), "info"),
        (logarithm_of(0.9e-5), "warning"),
        (logarithm_of(0.0), "warning"),
        (logarithm_of(None), "info"),
        (logarithm_of(0.0, head="sigmoid"), "warning"),
        (logarithm_of(None, function="nll", head="log"), "info"),
    ],
    ids=["above", "below", "zero", "unknown", "sigmoid", "nll"],
)
def test_a_logarithm_by_hand_is_told_before_it_harms(vitals: Vitals, severity: str) -> None:
    (found,) = loss_numerics_seen(vitals, Thresholds())
    assert (found.symptom, found.name, found.where, found.severity) == (None, "loss-numerics", "loss", severity)


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        logarithm_of(0.0, function="cross-entropy", head="softmax"),
        logarithm_of(0.0, function="nll", head="log-softmax"),
        logarithm_of(0.01, head="sigmoid"),  # a generator's
        logarithm_of(0.0, function="other", head=""),
    ],
    ids=["nothing", "cross-entropy", "log-softmax", "generator", "other"],
)
def test_nothing_is_said_of_other_losses(vitals: Vitals) -> None:
    assert list(loss_numerics_seen(vitals, Thresholds())) == []


ROOT = Patient(
    (Layer("fc1", nonfinite=31, weight_nonfinite=30), Layer("fc2", nonfinite=31, weight_nonfinite=30)),
    losses=(lambda t: np.where(t > 30, np.nan, along(FALLS, t)),),
    function="mse",
    classes=0,
)


def test_a_slope_that_is_infinite_is_put_down_to_the_loss() -> None:
    vitals = every_weight_breaks(ROOT.vitals)
    found = broken(vitals)
    assert (found.where, names(found)[0]) == ("fc1.linear.weight", "loss-numerics")
    assert "and yet no gradient was finite, up to the last layer" in found.causes[0].evidence


def test_gradients_that_overflow_on_their_way_back_acquit_the_loss() -> None:
    vitals = every_weight_breaks(ROOT.vitals)
    last = replace(vitals.parameters[-1], first_nonfinite=31)
    assert "loss-numerics" not in names(broken(replace(vitals, parameters=(*vitals.parameters[:-1], last))))


def test_gradients_of_a_network_that_was_not_calm_acquit_the_loss() -> None:
    wild = replace(ROOT, layers=(replace(ROOT.layers[0], std=1e9), ROOT.layers[1]))
    assert "loss-numerics" not in names(broken(every_weight_breaks(wild.vitals)))


def every_weight_breaks(vitals: Vitals) -> Vitals:
    """Biases as well."""
    return replace(vitals, parameters=tuple(replace(one, first_nonfinite=30) for one in vitals.parameters))
