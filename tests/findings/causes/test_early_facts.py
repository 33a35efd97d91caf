"""Causes that are seen at the first examination, after twenty steps, from what the layers began with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from limen.findings import Finding, diagnose
from limen.findings.causes.bad_initialisation import bad_initialisation_seen
from limen.findings.thresholds import Thresholds
from limen.sites import Parameter, Site
from limen.vitals import InputVitals, ParameterHistory, ParameterVitals, Vitals
from tests.findings.patients import Layer, Patient, falling, noisy

LIMITS = Thresholds()
FALLS = noisy(falling(2.4, 0.2), 0.02)
HUGE = (noisy(900.0, 20.0),)
RAW = InputVitals(mean=1000.0, std=3000.0, low=-8000.0, high=9000.0, features=64)
PIXELS = InputVitals(mean=33.0, std=78.0, low=0.0, high=255.0, features=784)


def early(*layers: Layer, **more: object) -> list[Finding]:
    """What is seen without a symptom after twenty steps."""
    patient = replace(Patient(tuple(layers), steps=20, losses=(FALLS,)), **more)  # type: ignore[arg-type]
    return [one for one in diagnose(patient.vitals) if one.symptom is None]


def told(*layers: Layer, **more: object) -> list[tuple[str, str]]:
    return [(one.name, one.severity) for one in early(*layers, **more)]


def deep(depth: int, factor: float, function: str = "relu", norm: str | None = None) -> tuple[Layer, ...]:
    """Layers of which each leaves a share ``factor`` of the gradient to the one before it."""
    return tuple(
        Layer(f"fc{i}", function=function, gradient=0.05 * factor ** (depth - 1 - i), norm=norm, scale=0.58)
        for i in range(depth)
    )


def test_zero_weights_are_seen_at_each_hidden_layer() -> None:
    zero = Layer("fc1", scale=0.0, std=0.0)
    assert told(zero, Layer("fc2")) == [("bad-initialisation", "warning")]
    assert told(replace(zero, function="tanh"), Layer("fc2")) == [("bad-initialisation", "warning")]


@pytest.mark.parametrize(
    "layer",
    [
        Layer("gate", function="sigmoid", scale=0.0, std=0.0),  # half open at first
        Layer("out", function="tanh", scale=0.0, std=0.0, head=True),
        Layer("fc", scale=0.0, std=0.0, norm="bn"),
        Layer("lora", scale=0.0, std=1.0),  # beside a frozen layer, which lets the signal pass
    ],
    ids=lambda layer: layer.name,
)
def test_zeros_that_let_the_signal_pass_are_silent(layer: Layer) -> None:
    assert not told(Layer("fc1"), layer)


def test_equal_weights_are_seen_and_random_ones_are_not() -> None:
    assert told(Layer("fc1", alike=True), Layer("fc2")) == [("bad-initialisation", "warning")]
    assert not told(Layer("fc1", alike=True, norm="bn"), Layer("fc2"))
    assert not told(Layer("fc1"), Layer("fc2"))


LARGE = (Layer("fc1", scale=10.0, std=8.0), Layer("fc2", scale=20.0, std=90.0))


def test_weights_far_too_large_are_seen_with_what_they_do() -> None:
    assert told(*LARGE, losses=HUGE) == [("bad-initialisation", "warning")]


@pytest.mark.parametrize(
    "layers",
    [
        (LARGE[0], Layer("fc2", scale=1.41, std=12.0)),  # one layer only
        (LARGE[0], replace(LARGE[1], norm="bn")),
        (Layer("fc1", scale=10.0, std=0.8), Layer("fc2", scale=20.0, std=1.0)),  # of small inputs
        (Layer("fc1", scale=2.6, std=2.0), Layer("fc2", scale=2.6, std=11.0)),
    ],
    ids=["one", "normalised", "no harm", "a little"],
)
def test_wide_weights_without_harm_are_silent(layers: tuple[Layer, ...]) -> None:
    assert not told(*layers, losses=HUGE)


def test_large_weights_of_a_net_that_was_trained_before_are_silent() -> None:
    assert not told(*LARGE, losses=(noisy(0.4, 0.02),))


def test_weights_far_too_small_are_seen_where_nothing_is_left_of_the_input() -> None:
    small = tuple(Layer(f"fc{i}", scale=8e-4, std=10.0 ** -(3 + 3 * i)) for i in range(4))
    assert told(*small) == [("bad-initialisation", "warning")]
    assert not told(*small[:2])
    assert not told(*(replace(layer, std=0.5) for layer in small))  # beside shortcuts


HELD = Layer("fc1", mean=-10.0, std=0.6, died=(0,) * 64, bias=10.0, scale=0.58)


def test_biases_that_hold_a_layer_down_are_seen() -> None:
    assert told(HELD, Layer("fc2")) == [("bad-bias", "warning")]


@pytest.mark.parametrize(
    "layer",
    [
        Layer("sparse", mean=-0.5, std=0.6, bias=0.5),
        replace(HELD, function="sigmoid"),
        replace(HELD, head=True),
        replace(HELD, mean=(-10.0,) * 40 + (0.0,) * 24, died=(0,) * 40),  # some units live
        replace(HELD, bias=0.05),  # silent for another reason
    ],
    ids=["sparse", "gate", "head", "some live", "another reason"],
)
def test_other_silence_is_not_put_down_to_biases(layer: Layer) -> None:
    assert ("bad-bias", "warning") not in told(layer, Layer("fc2"))


def of_matrices(spreads: tuple[float, ...], scale: float = 0.58) -> Vitals:
    """A net of as many weights, all of one size, of which nothing but the weights is seen."""
    vitals = Patient(tuple(Layer(f"fc{i}", scale=scale) for i in range(len(spreads))), classes=10).vitals
    weights = [one for one in vitals.parameters if one.parameter.weight]
    spread = {one.parameter.name: each for one, each in zip(weights, (*spreads, 0.0), strict=True)}
    known = tuple(replace(one, spread=spread.get(one.parameter.name, 0.0)) for one in vitals.parameters)
    return replace(vitals, sites=(), parameters=known)


def test_the_deviation_of_equal_numbers_is_rounding_and_that_of_drawn_ones_is_not() -> None:
    constant = float(torch.full((128, 32), 0.01).std())  # not exactly zero in float32
    assert constant > 0.0
    assert list(bad_initialisation_seen(of_matrices((constant,) * 3), LIMITS))
    assert not list(bad_initialisation_seen(of_matrices((1e-3,) * 3), LIMITS))


@pytest.mark.parametrize(("scale", "word"), [(0.0, "zeros only"), (0.58, "equal numbers only")])
def test_most_weights_of_a_single_number_are_seen_without_a_site(scale: float, word: str) -> None:
    (found,) = bad_initialisation_seen(of_matrices((0.0, 0.0, 0.1), scale), LIMITS)
    assert (found.name, found.severity, found.measured) == ("bad-initialisation", "warning", pytest.approx(2 / 3))
    assert word in found.message


@pytest.mark.parametrize("spreads", [(0.1, 0.1, 0.1), (0.0, 0.1, 0.1), (0.0,), (float("nan"),) * 3], ids=str)
def test_a_head_or_an_adapter_of_zeros_is_sound(spreads: tuple[float, ...]) -> None:
    assert list(bad_initialisation_seen(of_matrices(spreads), LIMITS)) == []


def of_pairs(count: int, spread: float = 0.0, inner: int = 4) -> Vitals:
    """Pairs of weights: a drawn one to ``inner`` units, and behind it one of a single number that adds to a sum."""
    sizes = [(inner, 64) if i % 2 == 0 else (64, inner) for i in range(2 * count)]
    vitals = of_matrices((0.1, spread) * count, 0.0)
    weights = [one for one in vitals.parameters if one.parameter.weight]
    known = [
        replace(one, parameter=replace(one.parameter, shape=shape))
        for one, shape in zip(weights, (*sizes, (10, 64)), strict=True)
    ]
    return replace(vitals, parameters=tuple(known))


@pytest.mark.parametrize("inner", [4, 256])
def test_zeros_that_each_stand_behind_a_drawn_weight_are_adapters_or_branches(inner: int) -> None:
    """LoRA and bottleneck adapters beside frozen layers, coupling nets of a flow, residual branches."""
    assert list(bad_initialisation_seen(of_pairs(2, inner=inner), LIMITS)) == []


def coupling(i: int, scale: float) -> tuple[Layer, ...]:
    """One coupling of a flow: a hidden layer, and the last one of which the tanh is taken."""
    return (Layer(f"c{i}.relu", scale=0.58, std=0.5), Layer(f"c{i}.tanh", "tanh", scale=scale, std=1e-6, update=0.9))


@pytest.mark.parametrize("scale", [0.0, 1e-4])
def test_small_layers_between_which_the_signal_returns_are_sound(scale: float) -> None:
    assert not told(*(layer for i in range(5) for layer in coupling(i, scale)))


@pytest.mark.parametrize(("depth", "level"), [(12, "warning"), (5, "info")])
def test_sigmoids_in_a_row_are_a_remark_and_many_a_warning(depth: int, level: str) -> None:
    assert told(*deep(depth, 0.14, "sigmoid")) == [("saturating-activation", level)]


def test_few_sigmoids_or_gates_beside_others_are_silent() -> None:
    assert not told(*deep(3, 0.14, "sigmoid"))
    assert not told(*deep(8, 0.14, "sigmoid", norm="bn"))
    mixed = [replace(one, function="sigmoid" if i % 2 else "relu") for i, one in enumerate(deep(8, 0.3))]
    assert not told(*mixed)


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_depth_whose_gradient_is_gone_or_blown_up_is_seen(factor: float) -> None:
    (found,) = early(*deep(30, factor))
    assert (found.name, found.severity, found.where) == ("too-deep-without-normalisation", "warning", "fc0")
    assert found.measured == pytest.approx(factor**29)


@pytest.mark.parametrize(
    "layers",
    [deep(10, 0.4), deep(11, 0.2), deep(50, 0.98), deep(30, 0.4, norm="bn"), deep(14, 0.5)],
    ids=["ten", "eleven", "He", "normalised", "fourteen"],
)
def test_depth_that_trains_is_silent(layers: tuple[Layer, ...]) -> None:
    assert not told(*layers)


@pytest.mark.parametrize(("units", "chance"), [(5, 1 - (31 / 32) ** 16), (16, None)])
def test_a_narrow_layer_dies_with_the_chance_that_depth_gives_it(units: int, chance: float | None) -> None:
    layers = [replace(one, units=units, died=(30,) * units if i == 8 else ()) for i, one in enumerate(deep(16, 0.5))]
    (dead,) = [one for one in diagnose(Patient(tuple(layers)).vitals) if one.symptom == "dead-units"]
    found = {one.name: one.confidence for one in dead.causes}.get("too-deep-without-normalisation")
    assert found == (None if chance is None else pytest.approx(chance, abs=1e-3))


def test_enormous_inputs_are_seen_where_they_reach_the_first_site() -> None:
    first = Layer("fc1", std=2000.0)
    assert told(first, Layer("fc2"), inputs=RAW) == [("unscaled-inputs", "warning")]
    assert told(replace(first, std=50.0), Layer("fc2"), inputs=PIXELS) == [("unscaled-inputs", "info")]
    assert not told(replace(first, norm="bn"), Layer("fc2"), inputs=RAW)
    assert not told(Layer("fc1"), Layer("fc2"), inputs=RAW)  # the model scales them itself
    assert not told(replace(first, std=9.0), Layer("fc2"), inputs=replace(PIXELS, mean=0.0, std=8.0))


def test_enormous_inputs_are_seen_by_the_first_gradient_where_a_normalisation_hides_them() -> None:
    behind = (Layer("fc2", weight_gradient=1e-3), Layer("fc3", weight_gradient=1e-3))
    assert told(Layer("fc1", weight_gradient=0.1), *behind, inputs=RAW) == [("unscaled-inputs", "warning")]
    assert not told(Layer("fc1", weight_gradient=0.01), *behind, inputs=RAW)  # ten times: the model scales them itself
    assert not told(Layer("fc1", weight_gradient=0.1), *behind, inputs=replace(RAW, mean=100.0, std=300.0))
    assert not told(Layer("fc1", weight_gradient=0.1), *behind, inputs=replace(RAW, features=3))  # not what takes them


FAINT = InputVitals(mean=0.0, std=0.004, low=-0.01, high=0.01, features=64)


def test_faint_inputs_are_seen_where_the_first_layer_does_not_make_up_for_them() -> None:
    assert told(Layer("fc1", std=0.003), Layer("fc2"), inputs=FAINT) == [("unscaled-inputs", "warning")]
    assert told(Layer("g", "sigmoid", mean=0.1, std=0.03), Layer("fc2"), inputs=FAINT) == [
        ("unscaled-inputs", "warning")
    ]
    assert not told(Layer("fc1", std=0.5), Layer("fc2"), inputs=FAINT)
    assert not told(Layer("fc1", std=0.003, norm="bn"), Layer("fc2"), inputs=FAINT)
    assert not told(Layer("fc1", std=0.02), Layer("fc2"), inputs=replace(FAINT, std=0.03))


@pytest.mark.parametrize(("function", "level"), [("sigmoid", -40.0), ("sigmoid", 13.0), ("tanh", 15.0), ("tanh", -7.0)])
def test_biases_that_hold_a_bounded_layer_at_a_bound_are_seen(function: str, level: float) -> None:
    assert told(Layer("g", function=function, mean=level, std=0.6, bias=abs(level))) == [("bad-bias", "warning")]


@pytest.mark.parametrize(
    "layer",
    [
        Layer("highway", function="sigmoid", mean=-10.0, std=0.6, bias=10.0),
        Layer("forget", function="sigmoid", mean=4.0, std=0.6, bias=4.0),
        Layer("t", function="tanh", mean=15.0, std=0.6, bias=15.0, head=True),
        Layer("t", function="tanh", mean=(-15.0, 15.0), std=0.6, bias=15.0),  # as far, but not alike
        Layer("t", function="tanh", mean=15.0, std=0.6, bias=0.1),  # not the biases
        Layer("t", function="tanh", mean=15.0, std=9.0, bias=15.0),
    ],
    ids=["highway", "forget", "head", "both bounds", "no bias", "spread"],
)
def test_gates_and_bounded_layers_that_can_move_are_silent(layer: Layer) -> None:
    assert not told(layer)


def recurrent(radius: float, size: float, function: str = "relu") -> Vitals:
    """A recurrent layer of this spectral radius, whose pre-activations have this root mean square."""
    vitals = Patient((Layer("rnn.l0.hidden", function=function, std=size),), steps=20).vitals
    (seen,) = vitals.sites
    site: Site = replace(seen.site, path="rnn", layer=None)
    history = ParameterHistory(*(np.full(20, value) for value in (1, 0.1, radius * 8.0, 1e-3)))
    weight = ParameterVitals(Parameter("rnn.weight_hh_l0", "rnn", (64, 64), 1, True), history, None, 0)
    return replace(vitals, sites=(replace(seen, site=site),), parameters=(*vitals.parameters, weight))


@pytest.mark.parametrize(
    ("radius", "size", "function", "found"),
    [
        (3.3, 1e5, "relu", True),
        (1.5, 1.0, "relu", True),
        (1.2, 40.0, "relu", True),
        (1.2, 2.0, "relu", False),
        (1.0, 40.0, "relu", False),  # the identity
        (0.58, 0.6, "relu", False),
        (3.3, 4.0, "tanh", False),
    ],
)
def test_a_recurrence_that_grows_is_seen(radius: float, size: float, function: str, found: bool) -> None:
    names = [one.name for one in diagnose(recurrent(radius, size, function)) if one.symptom is None]
    assert names == ["unbounded-recurrence"] * found


@pytest.mark.parametrize(
    ("scale", "size", "function", "found"),
    [
        (17.0, 30.0, "tanh", True),
        (17.0, 1.0, "tanh", False),
        (1.0, 30.0, "sigmoid", False),
        (17.0, 30.0, "relu", False),
    ],
)
def test_gates_that_large_weights_hold_at_their_bounds_are_seen(
    scale: float, size: float, function: str, found: bool
) -> None:
    vitals = recurrent(scale, size, function)
    names = [one.name for one in diagnose(vitals) if one.name == "bad-initialisation"]
    assert names == ["bad-initialisation"] * found


def test_a_recurrent_weight_of_another_layer_is_not_taken_for_its_own() -> None:
    vitals = recurrent(3.3, 1e5)
    other = replace(vitals.parameters[-1], parameter=Parameter("rnn.weight_hh_l1", "rnn", (64, 64), 1, True))
    assert not [one for one in diagnose(replace(vitals, parameters=(other,))) if one.symptom is None]


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_few_steps_are_no_evidence(steps: int) -> None:
    assert not told(HELD, *deep(30, 0.4), Layer("z", scale=0.0, std=0.0), steps=steps)
