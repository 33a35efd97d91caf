"""A healthy training gets silence: sparse is not dead, converged is not vanished, confident is not saturated."""

import dataclasses

import numpy as np
import pytest

from limen.findings import diagnose
from limen.vitals import Vitals
from tests.findings.patients import STANDARDISED, Layer, Patient, falling, noisy

FALLS = noisy(falling(2.4, 0.1), 0.05)
TINY = 1e-12

SPARSE = Patient((Layer("fc1", units=512, mean=-1.04), Layer("fc2", mean=-1.04)))  # P(z > 0) = 15 %
TORCH_DEFAULT = Patient(tuple(Layer(f"fc{i}", units=128, scale=0.58, died=(0,) * (6 * i)) for i in range(4)))
ALSO_KILLED = Patient(tuple(Layer(f"fc{i}", units=128, died=(0,) * 12 + (3,) * 14) for i in range(3)))
CONFIDENT = Patient((Layer("fc1"), Layer("p", function="sigmoid", head=True, trained_mean=-14.0, units=1)))
CODES = Patient((Layer("t1", function="tanh", trained_std=30.0), Layer("t2", function="tanh", trained_mean=6.0)))
GATES = Patient(
    (
        Layer("lstm.input", function="sigmoid", mean=-7.0, trained_mean=-9.0),
        Layer("lstm.forget", function="sigmoid", mean=4.0, trained_mean=9.0),
        Layer("lstm.cell", function="tanh", std=1.5),
    )
)
CONVERGED = Patient(
    tuple(
        Layer(f"fc{i}", gradient=falling(0.1, TINY, 20), weight_gradient=falling(0.1, TINY, 20), update=TINY)
        for i in range(8)
    ),
    losses=(falling(2.3, 1e-7, 20.0),),
)
DEEP_ADAM = Patient(
    tuple(
        Layer(f"s{i}", function="gelu", gradient=0.05 * 0.46 ** (9 - i), weight_gradient=0.1 * 0.46 ** (9 - i))
        for i in range(10)
    ),
    optimiser="AdamW",
)
DEEP_RELU = Patient(tuple(Layer(f"r{i}", scale=0.58, gradient=0.05 * 0.41 ** (9 - i)) for i in range(10)))
FIRST_STEPS = Patient(
    tuple(Layer(f"fc{i}", died=(0,) * 40, gradient=0.1 ** (9 - i), weight_gradient=0.1 ** (9 - i)) for i in range(10)),
    steps=12,
)
SMALL_BATCH = Patient((Layer("fc1", died=(150,) * 64),), batch=4, steps=300)  # silent on 600 samples
GAN = Patient(
    (
        Layer("g1", model="G", died=(0,) * 12),
        Layer("g2", "tanh", model="G", head=True, trained_std=9.0),
        Layer("d1", function="leaky_relu", model="D"),
        Layer("d2", "sigmoid", model="D", head=True),
    ),
    losses=(noisy(lambda t: 0.7 + t / 200, 0.3), noisy(0.69, 0.2, 1)),
    function="bce",
)
RANDOM_LABELS = Patient((Layer("fc1"), Layer("fc2")), losses=(noisy(2.303, 0.03),))
REWARD = Patient((Layer("fc1"), Layer("fc2", "tanh")), losses=(noisy(0.1, 1.0),), function="other")
POLICY = Patient(  # an advantage near zero at first: its gradient starts at about nothing, and the loss has no sign
    tuple(Layer(f"fc{i}", "tanh", weight_gradient=lambda t: np.where(t < 5, 1e-5, 0.05)) for i in range(2)),
    losses=(noisy(lambda t: np.where(t < 5, -0.02, 0.3), 0.2),),
    function="other",
)
HARDER = Patient(  # targets that grow from nothing, as those of Q-learning do: the loss has to rise
    tuple(Layer(f"fc{i}", weight_gradient=lambda t: np.where(t < 9, 1e-6, 0.05)) for i in range(2)),
    losses=(noisy(lambda t: 1e-4 + 0.04 * t / 400, 1e-5),),
    function="mse",
)
FINE_TUNED = Patient(
    (Layer("fc1", weight_gradient=1e-4, update=1e-7), Layer("fc2", weight_gradient=1e-4, update=1e-7)),
    losses=(noisy(0.05, 0.01),),
)
FROZEN = Patient(
    (
        *(Layer(f"b{i}", gradient=np.nan, weight_gradient=np.nan, update=np.nan) for i in range(6)),
        Layer("h1"),
    )
)
BOTTLENECK = Patient((Layer("enc"), Layer("code", units=2, died=(0,)), Layer("dec", units=4, died=(0, 40))))
REGRESSION = Patient(
    tuple(Layer(f"fc{i}", gradient=3e6, weight_gradient=5e6) for i in range(5)),
    losses=(noisy(falling(4e9, 2e8), 1e7),),
    function="mse",
    classes=1,
)
NOISY = Patient(losses=(noisy(falling(2.4, 1.6), 0.6),))
WARM_UP = Patient(losses=(lambda t: np.where(t < 150, 2.35, falling(2.35, 0.3)(t - 149)),), learning_rate=1e-5)
ONE_SKIPPED_STEP = Patient(losses=(lambda t: np.where(t == 30, np.inf, falling(2.4, 0.2)(t)),))
RARE_WORDS = Patient((Layer("ffn", units=64, died=tuple(range(250, 314)), rate=5e-4),), losses=(FALLS,))
FRESH_HEAD = Patient((Layer("fc1", scale=1e-4, update=lambda t: np.where(t < 5, 30.0, 1e-3)), Layer("fc2")))
RAW_BUT_FINE = Patient(inputs=dataclasses.replace(STANDARDISED, mean=100.0, std=60.0, low=0.0, high=255.0))
EDGE = Patient(  # whole-batch descent on the edge of stability jumps from side to side on its way down
    (Layer("fc1", update=0.12), Layer("fc2")), losses=(lambda t: falling(2.4, 0.1)(t) * (1.0 + 0.2 * (-1.0) ** t),)
)
OUTLIERS = Patient(  # every fiftieth batch holds a huge target, and its gradient throws a weight
    (Layer("fc1", update=lambda t: np.where(t % 50 == 0, 0.2, 1e-3)), Layer("fc2")),
    losses=(lambda t: np.where(t % 50 == 0, 20.0, noisy(falling(2.4, 0.3), 0.02)(t)),),
    function="mse",
)
AT_REST = Patient(  # a schedule that has ended: the weights are at rest, the loss is where it arrived
    tuple(Layer(f"fc{i}", update=lambda t: np.where(t < 300, 1e-3, 1e-9)) for i in range(2)),
    losses=(noisy(falling(2.4, 0.3, 20.0), 0.05),),
)

HEALTHY = {name: value for name, value in globals().items() if isinstance(value, Patient)}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_gets_silence(name: str) -> None:
    told = [one for one in diagnose(HEALTHY[name].vitals) if one.severity != "info"]
    assert told == []


@pytest.mark.parametrize("name", sorted(set(HEALTHY) - {"SMALL_BATCH", "FIRST_STEPS", "BOTTLENECK"}))
@pytest.mark.parametrize("steps", [1, 2, 21, 60])
def test_and_so_it_does_early(name: str, steps: int) -> None:
    patient = HEALTHY[name]
    layers = tuple(
        dataclasses.replace(layer, died=tuple(step for step in layer.died if step < steps)) for layer in patient.layers
    )
    early = dataclasses.replace(patient, steps=steps, layers=layers)
    assert [one for one in diagnose(early.vitals) if one.severity != "info"] == []


def test_a_long_run_gets_silence_as_well() -> None:
    assert (
        diagnose(dataclasses.replace(SPARSE, steps=20_000, losses=(noisy(falling(2.4, 0.1, 3000), 0.05),)).vitals) == ()
    )


def test_so_does_no_training_at_all() -> None:
    assert diagnose(Vitals()) == ()
