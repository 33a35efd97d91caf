"""Heads that do not fit a loss, targets out of reach, losses that are climbed; and what looks like it and is sound."""

from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Finding, Severity, Thresholds, diagnose
from limen.findings.causes.output_loss_mismatch import output_loss_mismatch_seen
from limen.vitals import LossVitals, Scale, Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
BASE = Patient().vitals
STANDARDISED = Scale(0.0, 1.0, -2.5, 2.5)
SMALL = Scale(0.1, 0.1, -0.2, 0.4)
ONE_HOT = Scale(0.1, 0.3, 0.0, 1.0, 10)
PIXELS = Scale(0.3, 0.35, 0.0, 1.0, 784)
BINARY = Scale(0.5, 0.5, 0.0, 1.0)


def having(function: str, head: str, vitals: Vitals = BASE, **facts: object) -> Vitals:
    return replace(
        vitals,
        losses=tuple(replace(one, function=function, head=head, **facts) for one in vitals.losses),  # pyright: ignore
    )


def climbed(
    function: str = "cross-entropy", *, values: tuple[float, ...] = (-2.3, -2.4, -2.6), **facts: object
) -> Vitals:
    vitals = having(function, "linear", negated=True, **facts)
    loss = replace(vitals.losses[0], step=np.arange(1, len(values) + 1), value=np.array(values))
    return replace(vitals, losses=(loss,))


def told(vitals: Vitals) -> list[Finding]:
    return list(output_loss_mismatch_seen(vitals, LIMITS))


FIRES: dict[str, tuple[Severity, Vitals]] = {
    "softmax before cross-entropy": ("warning", having("cross-entropy", "softmax")),
    "sigmoid before cross-entropy": ("warning", having("cross-entropy", "sigmoid")),
    "ReLU on the scores": ("warning", having("cross-entropy", "relu")),
    "tanh on the scores": ("warning", having("cross-entropy", "tanh")),
    "sigmoid before the sigmoid": ("warning", having("bce-with-logits", "sigmoid")),
    "softmax before nll": ("warning", having("nll", "softmax")),
    "scores before nll": ("error", having("nll", "linear")),
    "scores before bce": ("error", having("bce", "linear")),
    "tanh before bce": ("error", having("bce", "tanh")),
    "squared error of a softmax": ("warning", having("mse", "softmax", targets=ONE_HOT, outputs=SMALL)),
    "sigmoid for standardised targets": ("warning", having("mse", "sigmoid", targets=STANDARDISED, outputs=SMALL)),
    "tanh for targets of three": ("warning", having("l1", "tanh", targets=Scale(0.0, 3.0, -8.0, 8.0), outputs=SMALL)),
    "tanh for targets about five": (
        "warning",
        having("huber", "tanh", targets=Scale(5.0, 0.1, 4.7, 5.3), outputs=SMALL),
    ),
    "ReLU for standardised targets": ("warning", having("smooth-l1", "relu", targets=STANDARDISED, outputs=SMALL)),
    "a few targets out of reach": ("info", having("mse", "sigmoid", targets=Scale(0.4, 0.3, 0.0, 3.0), outputs=SMALL)),
    "squared error of a sigmoid": ("info", having("mse", "sigmoid", targets=BINARY, outputs=SMALL)),
    "softmax over one output": ("error", having("mse", "softmax", outputs=Scale(1.0, 0.0, 1.0, 1.0))),
    "softmax over one probability": ("error", having("bce", "softmax", outputs=Scale(1.0, 0.0, 1.0, 1.0))),
    "a climbed cross-entropy": ("warning", climbed()),
    "a climbed distance": ("warning", climbed("mse", values=(-1.0, -1.2))),
    "one that has run away": ("error", climbed(values=(-2.3, -7.0, -7.0, -7.0))),
    "one that a maximiser climbs": ("warning", climbed(values=(2.3, 2.4, 2.6))),
    "a climbed binary one": ("warning", climbed("bce-with-logits", values=(-0.7, -0.8), targets=BINARY)),
}


@pytest.mark.parametrize("name", FIRES)
def test_fires(name: str) -> None:
    severity, vitals = FIRES[name]
    (found,) = told(vitals)
    assert (found.symptom, found.name, found.severity) == (None, "output-loss-mismatch", severity)
    assert found.where == "loss"


TWO = replace(BASE, losses=(BASE.losses[0], BASE.losses[0]))
SILENT: dict[str, Vitals] = {
    "nothing seen": Vitals(),
    "nothing known": BASE,
    "scores": having("cross-entropy", "linear"),
    "a log-softmax twice is the same": having("cross-entropy", "log-softmax"),
    "an averaged activation": having("cross-entropy", ""),
    "a GELU as the last": having("cross-entropy", "gelu"),
    "probabilities": having("bce", "sigmoid"),
    "shares of two": having("bce", "softmax", outputs=Scale(0.5, 0.2, 0.0, 1.0, 2)),
    "logarithms": having("nll", "log-softmax"),
    "an autoencoder of pixels": having("mse", "sigmoid", targets=PIXELS, outputs=SMALL),
    "one of black and white pixels": having("mse", "sigmoid", targets=Scale(0.2, 0.4, 0.0, 1.0, 784), outputs=SMALL),
    "distillation of shares": having("mse", "softmax", targets=Scale(0.1, 0.2, 0.001, 0.98, 10), outputs=SMALL),
    "labels that are smoothed": having("mse", "softmax", targets=Scale(0.1, 0.27, 0.01, 0.91, 10), outputs=SMALL),
    "several of ten": having("mse", "softmax", targets=Scale(0.2, 0.4, 0.0, 1.0, 10), outputs=SMALL),
    "targets at the bound": having("mse", "tanh", targets=Scale(0.0, 0.6, -1.04, 1.04), outputs=SMALL),
    "targets that are not finite": having("mse", "tanh", targets=Scale(np.nan, np.nan, np.nan, np.nan), outputs=SMALL),
    "outputs unknown": having("l1", "softplus", targets=STANDARDISED),
    "targets unknown": having("mse", "tanh"),
    "prices and a ReLU": having("mse", "relu", targets=Scale(2.0, 1.0, 0.1, 9.0), outputs=SMALL),
    "standardised targets": having("mse", "linear", targets=STANDARDISED, outputs=SMALL),
    "one output that varies": having("mse", "softmax", outputs=Scale(0.1, 0.0, 0.1, 0.1)),
    "one of two losses climbed": having("bce", "sigmoid", TWO, negated=True, targets=BINARY),
    "a generator's trick": climbed("bce-with-logits", values=(-0.7, -0.8), targets=Scale(0.0, 0.0, 0.0, 0.0)),
    "a network made to unlearn": climbed(values=(-0.05, -0.06)),
    "a climbed cross-entropy that is unknown": climbed("other"),
    "never finite": climbed(values=(np.nan, np.nan)),
    "an attack on inputs": replace(climbed(), parameters=()),
}


@pytest.mark.parametrize("name", SILENT)
def test_stays_silent(name: str) -> None:
    assert told(SILENT[name]) == []


@pytest.mark.parametrize(("std", "severity"), [(0.39, "info"), (0.41, "warning")])
def test_a_warning_takes_a_fifth_of_the_targets(std: float, severity: str) -> None:
    """0.5 ± 1.25 std leaves [0, 1] at a standard deviation of 0.4."""
    (found,) = told(having("mse", "sigmoid", targets=Scale(0.5, std, -0.5, 1.5), outputs=SMALL))
    assert found.severity == severity


def test_a_site_on_the_output_is_the_place() -> None:
    vitals = Patient((Layer("fc1"), Layer("out", "relu", units=10, head=True)), classes=0).vitals
    (found,) = told(having("cross-entropy", "relu", vitals))
    assert (found.where, found.layer) == ("out", "out.linear")


def test_a_loss_that_does_not_fall_is_put_down_to_it() -> None:
    flat = Patient((Layer("fc1", update=0.0), Layer("fc2", update=0.0)), losses=(noisy(2.303, 0.02),)).vitals
    found = {one.name: one for one in diagnose(having("cross-entropy", "softmax", flat))}
    assert found["not-learning"].causes[0].name == "output-loss-mismatch"
    assert found["output-loss-mismatch"].remedies == ("fix-output-head",)


def test_dead_units_of_a_hidden_layer_are_not() -> None:
    vitals = Patient((Layer("fc1", died=(0,) * 60), Layer("fc2")), losses=(falling(2.4, 0.2),)).vitals
    (dead,) = [one for one in diagnose(having("cross-entropy", "softmax", vitals)) if one.symptom == "dead-units"]
    assert "output-loss-mismatch" not in [one.name for one in dead.causes]


def test_what_a_climb_throws_about_is_put_down_to_it() -> None:
    vitals = replace(climbed(), sites=Patient((Layer("fc1", died=(0,) * 60), Layer("fc2"))).vitals.sites)
    (dead,) = [one for one in diagnose(vitals) if one.symptom == "dead-units"]
    assert dead.causes[0].name == "output-loss-mismatch"


def test_losses_without_rows_are_borne() -> None:
    empty = LossVitals("cross-entropy", np.array([], dtype=np.int64), np.array([]), None, head="softmax", negated=True)
    (found,) = told(Vitals(losses=(empty,)))
    assert found.step == 1


def game(gain: tuple[float, ...], *others: tuple[float, ...], function: str = "bce-with-logits") -> Vitals:
    """A loss that is climbed from that of a guess, and those of other players."""
    mine = climbed(function, values=gain, targets=Scale(1.0, 0.0, 1.0, 1.0)).losses[0]
    theirs = (replace(mine, negated=False, value=np.array(values), optimiser=1) for values in others)
    return replace(BASE, losses=(*theirs, mine))


ALL_WIN = game((-0.69, -7.0, -7.0, -7.0), (1.38, 0.3, 0.3, 0.3))


@pytest.mark.parametrize(
    "vitals",
    [
        ALL_WIN,
        game((-0.69, -3.1, -3.1, -3.1), (1.38, 0.1, 0.1, 0.1), (0.6, 0.2, 0.2, 0.2)),
        game((-2.3, -9.0, -9.0, -9.0), (2.3, 0.9, 0.9, 0.9), function="cross-entropy"),
    ],
    ids=["a pair", "three players", "classes"],
)
def test_a_game_in_which_nobody_loses_is_a_climb(vitals: Vitals) -> None:
    (found,) = told(vitals)
    assert (found.name, found.severity, found.where) == ("output-loss-mismatch", "error", "loss")


@pytest.mark.parametrize(
    "vitals",
    [
        game((-0.69, -7.0, -7.0, -7.0), (1.38, 7.1, 7.1, 7.1)),
        game((-0.69, -7.0, -7.0, -7.0), (1.38, 0.71, 0.71, 0.71)),
        game((-0.69, -2.0, -2.0, -2.0), (1.38, 0.1, 0.1, 0.1)),
        game((-0.69, -0.01, -0.01, -0.01), (1.38, 0.0, 0.0, 0.0)),
        game((-0.05, -7.0, -7.0, -7.0), (0.1, 0.1, 0.1, 0.1)),
        game((-1.0, -7.0, -7.0, -7.0), (1.38, 0.3, 0.3, 0.3), function="mse"),
        game((-0.69, -7.0, -7.0, -7.0), (1.38, 0.3, 0.3, np.nan)),
        replace(ALL_WIN, losses=(ALL_WIN.losses[0], replace(ALL_WIN.losses[1], optimiser=7))),
    ],
    ids=["the other loses", "a tenth", "not yet", "balance", "made to unlearn", "a distance", "no number", "attack"],
)
def test_a_game_of_gains_and_losses_is_none(vitals: Vitals) -> None:
    assert told(vitals) == []
