from dataclasses import replace

import numpy as np
import pytest

from limen.findings import Thresholds, diagnose
from limen.findings.causes import FACTS, learning_rate_too_high
from limen.findings.causes.learning_rate_too_high import FEWEST, REPLACED, STEEP
from limen.findings.finding import Cause
from limen.vitals import InputVitals, SiteVitals, Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
KILLED = (4,) * 30 + (5,) * 20
JUMP = lambda t: np.where(t == 3, 1.5, 1e-2)  # noqa: E731
SPIKE = lambda t: np.where(t == 4, 60.0, falling(2.3, 0.9)(t))  # noqa: E731


def judged(vitals: Vitals) -> Cause | None:
    finding = next(one for one in diagnose(vitals) if one.symptom == "dead-units")
    return learning_rate_too_high(vitals, finding, LIMITS)


def killed(*, died: tuple[int, ...] = KILLED, update: object = JUMP, loss: object = SPIKE, **story: object) -> Vitals:
    layers = (Layer("fc1", died=died, update=update), Layer("fc2"))  # pyright: ignore
    return Patient(layers, learning_rate=2.0, losses=(loss,), **story).vitals  # pyright: ignore


def test_the_evidence_names_weight_step_rate_loss_and_crowd() -> None:
    cause = judged(killed())
    assert cause is not None
    assert cause.name == "learning-rate-too-high"
    assert cause.confidence > 0.9
    assert "step 3 moved fc1.linear.weight by 150 % of its norm" in cause.evidence.lower()
    assert "at a learning rate of 2 (SGD)" in cause.evidence
    assert "the loss jumped from 2.3 to 60 by step 4" in cause.evidence
    assert "50 units fell silent within 5 steps of step 5" in cause.evidence


def test_no_step_after_the_deaths_is_blamed_for_them() -> None:
    cause = judged(killed(update=lambda t: np.select([t == 3, t == 9], [1.5, 1e5], 1e-2)))
    assert cause is not None
    assert "step 3 moved fc1.linear.weight by 150 %" in cause.evidence.lower()


def test_more_evidence_is_more_certain() -> None:
    quiet = falling(2.3, 0.9)
    two, three = judged(killed(loss=quiet)), judged(killed())
    assert two is not None
    assert three is not None
    assert two.confidence < three.confidence


def test_deaths_at_the_same_time_alone_accuse_nobody() -> None:
    assert judged(killed(loss=falling(2.3, 0.9), update=1e-3)) is None


def test_units_that_never_fired_acquit_it() -> None:
    assert judged(killed(died=(0,) * 50)) is None


def test_inputs_of_huge_numbers_cast_doubt_on_it() -> None:
    pixels = InputVitals(mean=33.0, std=78.0, low=0.0, high=255.0, features=784)
    doubted, certain = judged(killed(inputs=pixels)), judged(killed())
    assert doubted is not None
    assert certain is not None
    assert doubted.confidence < certain.confidence


@pytest.mark.parametrize("symptom", ["vanishing-gradient", "collapsed-representation"])
def test_it_does_not_explain(symptom: str) -> None:
    vitals = killed()
    finding = replace(diagnose(vitals)[0], symptom=symptom)
    assert learning_rate_too_high(vitals, finding, LIMITS) is None


def deep_sigmoid(*, last: float, head: float) -> Vitals:
    """Eight layers through which the gradient vanishes; ``last`` and ``head`` are the steps of the last weights."""
    layers = [
        Layer(f"s{i}", "sigmoid", gradient=0.05 * (g := 0.14 ** (7 - i)), weight_gradient=0.1 * g, update=1e-3 * g)
        for i in range(7)
    ]
    patient = Patient((*layers, Layer("s7", "sigmoid", update=head)), losses=(noisy(2.3, 0.02),))
    *hidden, before, bias, top = patient.vitals.parameters
    moved = replace(before, history=replace(before.history, update=np.full(len(before.history.step), last)))
    return replace(patient.vitals, parameters=(*hidden, moved, bias, top))


def test_large_steps_of_the_head_alone_are_no_cause_where_the_gradient_vanishes() -> None:
    vitals = deep_sigmoid(last=1e-3, head=0.6)
    flat = next(one for one in diagnose(vitals) if one.symptom == "not-learning")
    assert [cause.name for cause in flat.causes] == ["saturating-activation", "too-deep-without-normalisation"]
    assert "lower-learning-rate" not in flat.remedies


def test_large_steps_of_other_weights_still_are() -> None:
    vitals = deep_sigmoid(last=0.6, head=1e-3)
    flat = next(one for one in diagnose(vitals) if one.symptom == "not-learning")
    assert "learning-rate-too-high" in [cause.name for cause in flat.causes]


sight = FACTS["learning-rate-too-high"].sight
NORM = 1.41 * 8  # of a weight of 64 units
THROWN = lambda t: np.where(t <= 3, 0.5, 0.05)  # noqa: E731
RISEN = lambda t: np.where(t < 2, 2.3, 40.0)  # noqa: E731


def early(
    update: object = THROWN,
    *,
    loss: object = RISEN,
    calm: int = 1,
    steps: int = 20,
    optimiser: str = "Adam",
    gradient: float = 0.1 * NORM,
    scale: float = 1.41,
    **story: object,
) -> Vitals:
    """The first steps of one layer that is thrown about, of which others are not."""
    thrown = Layer("fc0", update=update, weight_gradient=gradient, scale=scale)  # pyright: ignore
    layers = (thrown, *(Layer(f"fc{i + 1}") for i in range(calm)))
    about: dict[str, object] = {"steps": steps, "optimiser": optimiser, "losses": (loss,), "classes": 0, **story}
    return Patient(layers, **about).vitals  # pyright: ignore


@pytest.mark.parametrize(
    ("vitals", "harm"),
    [
        (early(), "the loss rose from 2.3 to 40"),
        (early(calm=0), "the loss rose"),
        (early(loss=noisy(float(np.log(64)), 0.02)), "the loss has not fallen"),
        (early(loss=lambda t: np.where(t < 18, 2.3, np.inf)), "no longer finite"),
        (early(optimiser="SGD"), "the loss rose"),
        (early(lambda t: np.where(t <= 3, LIMITS.violent_update, 0.0)), "the loss rose"),
        (early(lambda t: np.where(t == 2, REPLACED, 0.0)), "the loss rose"),
        (early(steps=400, loss=lambda t: np.where((t > 1) & (t < 9), 40.0, 2.3 * 0.99**t)), "the loss rose"),
    ],
    ids=[
        "risen",
        "one weight",
        "not fallen",
        "infinite",
        "not adaptive",
        "at the limit",
        "once, and far",
        "found its way later",
    ],
)
def test_first_steps_that_throw_the_weights_about_are_seen_at_once(vitals: Vitals, harm: str) -> None:
    (finding,) = sight(vitals, LIMITS)
    assert (finding.name, finding.severity, finding.where) == ("learning-rate-too-high", "warning", "model")
    assert harm in finding.message
    assert "fc0.linear.weight" in finding.causes[0].evidence


@pytest.mark.parametrize(
    "vitals",
    [
        Vitals(),
        early(loss=falling(2.3, 0.2, 10.0)),
        early(lambda t: np.where(t <= 2, 0.9, 0.05)),
        early(lambda t: np.where(t == 2, 0.99 * REPLACED, 0.0)),
        early(lambda t: np.where(t <= 20, 0.99 * LIMITS.violent_update, 0.0)),
        early(calm=2),
        early(scale=1e-3, calm=0),
        early(np.nan, calm=0),
        early(optimiser="SGD", gradient=1.01 * STEEP * NORM),
        early(inputs=InputVitals(mean=100.0, std=80.0, low=0.0, high=255.0, features=64)),
        early(losses=(RISEN, RISEN)),
        early(losses=()),
        early(loss=lambda t: -RISEN(t)),
        early(lambda t: np.where(t > 50, 0.5, 1e-3), steps=200),
        early(steps=10),
    ],
    ids=[
        "nothing", "the loss falls", "two steps", "one step", "just below the limit", "a third of the weights",
        "weights begun at about zero", "not measured", "steep gradients", "huge inputs", "two losses", "no loss",
        "a loss without a size", "later", "too few steps",
    ],
)  # fmt: skip
def test_nothing_is_said_at_once(vitals: Vitals) -> None:
    assert list(sight(vitals, LIMITS)) == []


@pytest.mark.parametrize(("inputs", "seen"), [(FEWEST - 1, False), (FEWEST, True)])
def test_a_net_of_a_few_weights_may_swing_before_its_loss_falls(inputs: int, seen: bool) -> None:
    """As one of three units for the exclusive or, which learns at a rate of 5 and more; a loss that rises is told."""
    few = Layer("fc0", units=1, fan_in=inputs, update=THROWN)
    story = Patient((few,), steps=20, classes=0, function="mse", losses=(noisy(0.25, 0.001),))
    assert bool(list(sight(story.vitals, LIMITS))) is seen
    assert list(sight(replace(story, losses=(RISEN,)).vitals, LIMITS))


def squashed(*now: float, function: str = "tanh", first: float = 0.0, head: bool = False, **story: object) -> Vitals:
    """A loss that falls, and layers of which a share of the samples is flat after the first steps."""
    vitals = early(loss=falling(2.3, 0.2, 10.0), calm=0, **story)  # pyright: ignore
    layers = tuple(Layer(f"fc{i}", function=function, head=head) for i in range(len(now)))
    sites = Patient(layers, steps=20).vitals.sites
    return replace(vitals, sites=tuple(flat_on(seen, first, share) for seen, share in zip(sites, now, strict=True)))


def flat_on(seen: SiteVitals, first: float, share: float) -> SiteVitals:
    inactive = np.where(seen.history.step == 1, first, share)
    return replace(seen, history=replace(seen.history, inactive=inactive))


def test_a_loss_that_falls_does_not_excuse_layers_that_are_driven_to_their_bounds() -> None:
    (finding,) = sight(squashed(0.7, 0.9, 0.1), LIMITS)
    assert "fc1 is flat on 90 % of its samples, after 0 % at first" in finding.message


@pytest.mark.parametrize(
    "vitals",
    [
        squashed(0.69, 0.69),
        squashed(0.9, 0.1),
        squashed(0.9, first=0.5),
        squashed(0.9, function="sigmoid"),
        squashed(0.9, function="relu"),
        squashed(0.9, head=True),
        squashed(0.9, update=1e-3),
        squashed(),
    ],
    ids=["below the limit", "half of them", "born so", "gates", "one side", "the output", "calm", "no layer"],
)
def test_layers_that_stay_on_their_slope_are_no_harm(vitals: Vitals) -> None:
    assert list(sight(vitals, LIMITS)) == []


def test_gradients_that_are_not_cleared_are_the_reason() -> None:
    vitals = early()
    own = replace(vitals.optimisers[0], uncleared=19)
    assert list(sight(replace(vitals, looked=20, optimisers=(own,)), LIMITS)) == []


def test_a_loss_that_began_wild_is_no_matter_of_the_rate() -> None:
    wild = early(classes=10, loss=lambda t: np.where(t < 2, 25.0, 100.0), calm=0)
    plain = early(classes=10, loss=lambda t: np.where(t < 2, 2.5, 10.0), calm=0)
    assert [len([*sight(one, LIMITS)]) for one in (wild, plain)] == [0, 1]
