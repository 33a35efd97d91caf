"""Runs written by hand with realistic figures: what the report tests read and what its author looks at."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from limen.findings import Cause, Finding
from limen.journal import Run, TreatmentRecord
from limen.vitals import Histogram, InputVitals, LossVitals, Moments, Vitals
from tests.report.parts import BATCH, Floats, histograms, loss_vitals, optimiser, site_vitals, weight_vitals

ENVIRONMENT = {
    "limen": "0.1.0",
    "python": "3.11.7",
    "torch": "2.13.0",
    "platform": "Linux x86-64, 2 cores",
    "device": "cpu",
    "kernels": "torch",
}
AT = (1, 3, 10, 40, 100, 400, 800, 1200)


def sick() -> Run:
    """An MLP on digits whose learning rate of 2 kills ReLU units at once, treated after step 60."""
    steps = np.unique(np.concatenate([np.arange(1, 200), np.arange(200, 1201, 2)]))

    def fading(most: float, left: float) -> Callable[[Floats], Floats]:
        return lambda t: np.where(t < 3, 0.0, np.where(t <= 60, most * (1 - np.exp(-(t - 2) / 6)), left))

    def silent(share: float, after: float) -> Callable[[Floats], Floats]:
        return lambda t: np.where(
            t < 3, 0.5, np.where(t <= 60, 0.5 + (share - 0.5) * (1 - np.exp(-(t - 2) / 4)), after)
        )

    sites = tuple(
        site_vitals(
            f"relu{i + 1}",
            i,
            steps,
            inactive=silent(*shares),
            dead=fading(*dead),
            gradient=lambda t, i=i: 0.02 * 1.5**i * np.where((t > 8) & (t <= 60), 0.02, 1.0) / (1 + t / 400),
        )
        for i, (shares, dead) in enumerate(
            [
                ((0.93, 0.78), (107, 87)),
                ((0.97, 0.66), (119, 21)),
                ((0.81, 0.58), (74, 0)),
                ((0.70, 0.55), (31, 0)),
                ((0.6, 0.52), (0, 0)),
            ]
        )
    )
    weights = tuple(
        weight_vitals(f"fc{i + 1}", i, steps, lambda t: np.where(t <= 60, 0.6 / (1 + t / 9), 1.4e-3)) for i in range(5)
    )
    vitals = Vitals(
        step=1200,
        samples=1200 * BATCH,
        sites=sites,
        parameters=weights,
        losses=(
            loss_vitals(
                steps, lambda t: np.where(t <= 60, 2.31 + 3.0 * np.exp(-t / 3), 0.07 + 2.2 * np.exp(-(t - 60) / 120))
            ),
        ),
        optimisers=(optimiser(steps, lambda t: np.where(t <= 60, 2.0, 0.05)),),
        inputs=InputVitals(4.88, 6.02, 0.0, 16.0, 64),
    )
    too_high = Cause(
        "learning-rate-too-high",
        0.92,
        "the first updates changed fc1.weight by 54 % of its norm (update ratio 0.54 at step 2; about 0.001 is usual), "
        "and the units fell silent at step 3",
    )
    inputs = Cause("unscaled-inputs", 0.35, "the input has mean 4.88 and standard deviation 6.02")
    gone = tuple(range(87))
    findings = (
        Finding(
            symptom="dead-units",
            severity="error",
            where="relu1",
            layer="fc1",
            units=gone,
            step=3,
            measured=87 / 128,
            limit=0.1,
            unit="share of units",
            confidence=0.99,
            causes=(too_high, inputs),
            remedies=("revive-units", "lower-learning-rate", "scale-inputs"),
            message="87 of 128 units were flat on all 153,216 samples since step 3; their activity is below 0.002 %",
        ),
        Finding(
            symptom="dead-units",
            severity="warning",
            where="relu2",
            layer="fc2",
            units=tuple(range(21)),
            step=4,
            measured=21 / 128,
            limit=0.1,
            unit="share of units",
            confidence=0.97,
            causes=(too_high,),
            remedies=("revive-units", "lower-learning-rate"),
            message="21 of 128 units were flat on all 153,088 samples since step 4",
        ),
        Finding(
            symptom="dying-units",
            severity="warning",
            where="relu3",
            layer="fc3",
            units=(),
            step=5,
            measured=0.58,
            limit=0.1,
            unit="share of units",
            confidence=0.9,
            causes=(too_high,),
            remedies=("lower-learning-rate",),
            message="the dead share rose from 0 % to 58 % within 40 steps",
            closed=61,
        ),
    )
    treatments = (
        TreatmentRecord(
            "revive-units",
            "relu2",
            60,
            True,
            "98 units of fc2 re-drawn as at the start, their outgoing weights set to zero, their momentum cleared",
            {"dead units": 119, "inactive share": 0.97},
            {"dead units": 21, "inactive share": 0.66},
            "dead-units @ relu2",
        ),
        TreatmentRecord(
            "lower-learning-rate",
            "SGD",
            60,
            True,
            "learning rate divided by 40, so that the update ratio of fc1.weight comes to 0.0014",
            {"learning rate": 2.0, "update ratio": 0.078, "loss": 2.31},
            {"learning rate": 0.05, "update ratio": 0.0014, "loss": 0.0703},
            "dead-units @ relu1",
        ),
        TreatmentRecord(
            "revive-units",
            "relu1",
            420,
            False,
            "20 units of fc1 re-drawn; undone after 100 steps because the loss was higher than without it",
            {"dead units": 87, "loss": 0.18},
            {"dead units": 87, "loss": 0.24},
            "dead-units @ relu1",
        ),
    )
    return Run(
        script="examples/sick_learning_rate.py",
        arguments=("--lr", "2.0", "--epochs", "100"),
        started=1_763_700_000.0,
        seconds=12.31,
        spent=0.0985,
        finished=True,
        exit_code=0,
        environment=ENVIRONMENT,
        vitals=vitals,
        findings=findings,
        treatments=treatments,
        histograms={v.site.name: histograms(v, AT, drift=0.5 * (4 - i)) for i, v in enumerate(sites)},
    )


def healthy() -> Run:
    steps = np.arange(1, 601)
    sites = tuple(site_vitals(f"relu{i + 1}", i, steps) for i in range(3))
    vitals = Vitals(
        step=600,
        samples=600 * BATCH,
        sites=sites,
        parameters=tuple(weight_vitals(f"fc{i + 1}", i, steps, lambda t: 1e-3 + 0 * t) for i in range(3)),
        losses=(loss_vitals(steps, lambda t: 0.09 + 2.2 * np.exp(-t / 90)),),
        optimisers=(optimiser(steps, lambda t: 0.05 + 0 * t),),
    )
    at = (1, 10, 100, 600)
    return Run(
        script="train.py",
        seconds=8.2,
        spent=0.061,
        finished=True,
        exit_code=0,
        environment=ENVIRONMENT,
        vitals=vitals,
        histograms={v.site.name: histograms(v, at) for v in sites},
    )


def remarked() -> Run:
    """A healthy run, with one finding of the lowest severity: a layer at the front that nothing trains."""
    remark = Finding(
        symptom=None,
        severity="info",
        where="model",
        layer=None,
        units=(),
        step=20,
        measured=0.08,
        limit=0.5,
        unit="share of weights",
        confidence=0.5,
        causes=(Cause("no-gradient-path", 0.5, "1 of 4 layers stays as it was drawn"),),
        remedies=("fix-training-loop",),
        message="1 of 4 layers stays as it was drawn: no optimiser holds it (stem).",
    )
    return replace(healthy(), findings=(remark,))


def vanishing() -> Run:
    """Twelve sigmoid layers: the gradient shrinks fourfold at each, and the loss does not move."""
    steps = np.arange(1, 401)
    sites = tuple(
        site_vitals(
            f"body.{2 * i + 1}",
            i,
            steps,
            units=64,
            function="sigmoid",
            inactive=lambda t: 0.0 * t,
            gradient=lambda t, i=i: 2e-2 * 0.26 ** (11 - i) * (1 + 0 * t),
            mean=0.1,
            std=0.6,
            head=i == 11,
        )
        for i in range(12)
    )
    vitals = Vitals(
        step=400,
        samples=400 * BATCH,
        sites=sites,
        parameters=tuple(
            weight_vitals(f"body.{2 * i}", i, steps, lambda t, i=i: 2e-3 * 0.26 ** (11 - i) + 0 * t) for i in range(12)
        ),
        losses=(loss_vitals(steps, lambda t: 2.303 + 0 * t),),
        optimisers=(optimiser(steps, lambda t: 0.01 + 0 * t),),
        notes=("the gates of nn.GRU cannot be seen: its cells are watched at their output only",),
    )
    findings = (
        Finding(
            symptom="not-learning",
            severity="error",
            where="model",
            layer=None,
            units=(),
            step=1,
            measured=0.001,
            limit=0.01,
            unit="share of the first loss",
            confidence=0.95,
            causes=(Cause("saturating-activation", 0.8, "sigmoid's slope is at most 0.25, twelve times over"),),
            remedies=("swap-activation", "reinitialise"),
            message="the loss fell by 0.1 % in 400 steps, from 2.303 to 2.301",
        ),
        Finding(
            symptom="vanishing-gradient",
            severity="error",
            where="body.1",
            layer="body.0",
            units=(),
            step=1,
            measured=3.7e-7,
            limit=1e-3,
            unit="of the gradient at the head",
            confidence=0.98,
            causes=(
                Cause("saturating-activation", 0.9, "each sigmoid multiplies the gradient by at most 0.25"),
                Cause("too-deep-without-normalisation", 0.5, "12 layers and no normalisation between them"),
            ),
            remedies=("swap-activation", "add-normalisation"),
            message="the gradient at body.1 is 2.7 million times smaller than at the head",
        ),
    )
    return Run(
        script="-m deep.train",
        seconds=31.0,
        spent=0.22,
        finished=True,
        exit_code=0,
        environment=ENVIRONMENT,
        vitals=vitals,
        findings=findings,
        histograms={v.site.name: histograms(v, (1, 100, 400)) for v in sites},
    )


def one_step() -> Run:
    """One step: nothing can be said yet."""
    steps = np.array([1])
    sites = (site_vitals("relu1", 0, steps),)
    vitals = Vitals(step=1, samples=BATCH, sites=sites, losses=(loss_vitals(steps, lambda t: 2.3 + 0 * t),))
    return Run(script="train.py", seconds=0.1, finished=True, exit_code=0, vitals=vitals)


def nothing() -> Run:
    """A script that never trains."""
    return Run(script="hello.py", finished=True, exit_code=0)


def all_nan() -> Run:
    """NaN from the first step on, in everything that can be."""
    steps = np.arange(1, 31)
    nan, everything = np.full(30, np.nan), np.full(30, BATCH * 16)
    lost = site_vitals("relu1", 0, steps, units=16)
    units = np.full(16, np.nan)
    moments = Moments(lost.total.samples, units, units)
    total = replace(
        lost.total, moments=moments, low=units, high=units, nonfinite=30 * BATCH * 16, histogram=Histogram.none()
    )
    history = replace(
        lost.history, inactive=nan, mean=nan, std=nan, low=nan, high=nan, gradient=nan, nonfinite=everything
    )
    site = replace(lost, total=total, recent=total, birth=total, history=history, first_nonfinite=1)
    weight = weight_vitals("fc1", 0, steps, lambda t: t * np.nan)
    finding = Finding(
        symptom="non-finite",
        severity="error",
        where="relu1",
        layer="fc1",
        units=(),
        step=1,
        measured=float("inf"),
        limit=0.0,
        unit="values",
        confidence=1.0,
        causes=(Cause("loss-numerics", float("nan"), ""),),
        remedies=(),
        message="the first value that is not finite appeared at step 1",
    )
    vitals = Vitals(
        step=30,
        samples=30 * BATCH,
        sites=(site,),
        parameters=(replace(weight, first_nonfinite=1),),
        losses=(LossVitals("other", steps, nan, None),),
        inputs=InputVitals(float("nan"), float("nan"), float("-inf"), float("inf"), 64),
    )
    treatment = TreatmentRecord(
        "lower-learning-rate", "SGD", 9, True, "", {"loss": float("nan")}, {"loss": float("inf")}
    )
    empty = ((1, Histogram.none()), (30, Histogram.none()))
    return Run(
        script="nan.py",
        seconds=1.0,
        spent=0.01,
        budget=None,
        vitals=vitals,
        findings=(finding,),
        treatments=(treatment,),
        histograms={"relu1": empty},
    )
