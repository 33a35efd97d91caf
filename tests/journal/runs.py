"""Runs of every shape, full of awkward values, and what it means that two of them are the same."""

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st

from limen.findings import Cause, Finding
from limen.journal import Run, TreatmentRecord
from limen.ranks import Ranks
from limen.sites import Parameter, Site
from limen.vitals import (
    BINS,
    Activity,
    Dropout,
    Histogram,
    InputVitals,
    LossVitals,
    Moments,
    Normalisation,
    OptimiserVitals,
    ParameterHistory,
    ParameterVitals,
    Program,
    Scale,
    SiteHistory,
    SiteVitals,
    Untrained,
    Vitals,
)

AWKWARD = [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, 0.1, -2.5, 1 / 3]
NAMES = ["fc1", "block.relu#2", "", "ü ß\n'\";--", "\ud800 alone", "a\0b", "<script>"]


def differences(a: Any, b: Any, at: str = "run") -> list[str]:
    """Where two values differ: dtypes, lengths, types and bits count; any NaN equals any other."""
    if isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape
        return [] if same and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") else [at]
    if type(a) is not type(b):
        return [f"{at}: {type(a).__name__} / {type(b).__name__}"]
    if dataclasses.is_dataclass(a):
        pairs = [(f.name, getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a)]
    elif isinstance(a, dict):
        pairs = [(key, a.get(key), b.get(key)) for key in {*a, *b}]
    elif isinstance(a, tuple) and len(a) == len(b):
        pairs = [(str(i), x, y) for i, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        return [] if a == b or (a != a and b != b) else [f"{at}: {a!r} / {b!r}"]
    return [found for name, x, y in pairs for found in differences(x, y, f"{at}.{name}")]


class Maker:
    """Makes values from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def floats(self, count: int) -> np.ndarray:
        plain = self.rng.normal(size=count) * 10.0 ** self.rng.integers(-20, 20, count)
        return np.where(self.rng.random(count) < 0.3, self.rng.choice(AWKWARD, count), plain)

    def integers(self, count: int) -> np.ndarray:
        return self.rng.integers(0, 2 ** self.rng.integers(1, 63), count)

    def number(self) -> float:
        return float(self.floats(1)[0])

    def steps(self, rows: int) -> np.ndarray:
        return np.sort(self.rng.choice(np.arange(1, 10 * rows + 2), rows, replace=False)).astype(np.int64)

    def maybe(self, value: Any) -> Any:
        return value if self.rng.random() < 0.5 else None

    def histogram(self) -> Histogram:
        return Histogram(self.integers(BINS))

    def activity(self, units: int) -> Activity:
        moments = Moments(int(self.integers(1)[0]), self.floats(units), self.floats(units))
        left, right, low, high = (make(units) for make in (self.integers, self.integers, self.floats, self.floats))
        return Activity(3, 1, 2**40, left, right, moments, low, high, 7, self.histogram())

    def site(self, number: int, name: str, units: int, rows: int) -> SiteVitals:
        site = Site(name, f"path.{name}", "relu", 1, units, -1, self.maybe(name), None, number, number == 2, "gan")
        columns = [
            (self.floats if f.type == "Floats" else self.integers)(rows) for f in dataclasses.fields(SiteHistory)
        ]
        return SiteVitals(
            site=dataclasses.replace(site, flat_left=self.maybe(self.number()), dead_left=bool(number % 2)),
            birth=self.activity(units),
            recent=Activity.none(units),
            total=self.activity(units),
            last_active=self.integers(units),
            silent_steps=self.integers(units),
            silent_samples=self.integers(units),
            history=SiteHistory(self.steps(rows), *columns[1:]),
            first_nonfinite=self.maybe(12),
        )

    def parameter(self, number: int, name: str, rows: int, optimisers: int) -> ParameterVitals:
        history = ParameterHistory(self.steps(rows), *(self.floats(rows) for _ in range(3)))
        shape = tuple(range(2, 2 + number))
        return ParameterVitals(
            Parameter(name, name, shape, number, number > 1),
            history,
            self.maybe(3),
            self.maybe(optimisers - 1) if optimisers else None,
        )

    def finding(self, number: int) -> Finding:
        cause = Cause("bad-bias", 0.5, "because \U0001f600")
        return Finding(
            symptom=self.maybe("dead-units"),
            severity="error",
            where=NAMES[number % len(NAMES)],
            layer=self.maybe("fc1"),
            units=tuple(range(number)),
            step=number,
            measured=self.number(),
            limit=0.1,
            unit="share of units",
            confidence=1.0,
            causes=(cause,) * (number % 3),
            remedies=("revive-units",),
            message="told\nin two lines",
            closed=self.maybe(9),
            told=self.maybe(7),
        )

    def scale(self) -> Scale | None:
        return self.maybe(Scale(self.number(), 1.0, -np.inf, 2.0, 3))

    def program(self, names: list[str]) -> Program:
        return Program(
            dropouts=tuple(Dropout(name, self.number(), "Dropout2d") for name in names),
            norms=tuple(Normalisation(name, "BatchNorm1d", 2, trains=False) for name in names),
            untrained=tuple(Untrained(name, "", 2**40, "no-gradient", as_drawn=True) for name in names),
            unseparated=(tuple(names),) * len(names),
        )

    def treatment(self, number: int) -> TreatmentRecord:
        before = {"dead units": 87.0, "learning rate": self.number()}
        return TreatmentRecord("revive-units", "fc1", number, number % 2 == 0, "detail", before, {}, "key")

    def run(self, sites: int = 2, units: int = 3, rows: int = 4, optimisers: int = 1, findings: int = 2) -> Run:
        names = NAMES[:sites]
        vitals = Vitals(
            step=rows,
            samples=2**50,
            sites=tuple(self.site(i, name, units, rows) for i, name in enumerate(names)),
            parameters=tuple(self.parameter(i, name, rows, optimisers) for i, name in enumerate(names)),
            losses=tuple(
                LossVitals(
                    "mse", self.steps(rows), self.floats(rows), self.maybe(i), "relu", bool(i % 2), self.scale(), None
                )
                for i in range(optimisers)
            ),
            optimisers=tuple(
                OptimiserVitals("SGD", self.steps(rows), self.floats(rows), self.number(), 0.0, bool(i % 2), i)
                for i in range(optimisers)
            ),
            inputs=self.maybe(InputVitals(self.number(), 1.0, -np.inf, 2.0, 64)),
            notes=tuple(names),
            program=self.program(names),
        )
        steps = [int(step) for step in self.steps(rows)]
        return Run(
            script=NAMES[findings % len(NAMES)],
            arguments=tuple(names),
            started=1.7e9,
            seconds=self.number(),
            spent=0.25,
            budget=self.maybe(0.01),
            finished=bool(findings % 2),
            exit_code=self.maybe(-9),
            environment={name: name for name in names},
            ranks=self.maybe(Ranks("name at node:29500", 4, (3,))),
            vitals=vitals,
            findings=tuple(map(self.finding, range(findings))),
            treatments=tuple(map(self.treatment, range(findings))),
            histograms={name: tuple((step, self.histogram()) for step in steps) for name in names},
        )


def runs() -> st.SearchStrategy[Run]:
    """Any run."""
    small = st.integers(0, 3)
    return st.builds(
        lambda seed, **sizes: Maker(seed).run(**sizes),
        seed=st.integers(0, 2**32),
        sites=st.integers(0, len(NAMES)),
        units=st.integers(0, 5),
        rows=st.integers(0, 40),
        optimisers=small,
        findings=small,
    )


def first_rows(run: Run, keep: slice | np.ndarray) -> Run:
    """The same run with only some rows of every history, as after thinning or at an earlier moment."""

    def cut(history: Any) -> Any:
        return dataclasses.replace(
            history, **{name: value[keep] for name, value in vars(history).items() if isinstance(value, np.ndarray)}
        )

    def cut_inside(seen: Any) -> Any:
        return dataclasses.replace(seen, history=cut(seen.history))

    vitals = dataclasses.replace(
        run.vitals,
        sites=tuple(map(cut_inside, run.vitals.sites)),
        parameters=tuple(map(cut_inside, run.vitals.parameters)),
        losses=tuple(map(cut, run.vitals.losses)),
        optimisers=tuple(map(cut, run.vitals.optimisers)),
    )
    return dataclasses.replace(run, vitals=vitals)
