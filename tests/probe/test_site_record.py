"""The account of one site, against a replay of every sample it was given."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.kernels import histogram
from limen.probe.rows import LONGEST
from limen.probe.site_record import SiteRecord
from limen.sites import Site
from limen.vitals import EVIDENCE, Activity, Histogram, dead_units, saturated_units

UNITS = 5
RELU = Site("1", "1", "relu", 1, UNITS, -1, "0", None, 0, False, flat_left=0.0, dead_left=True)
TANH = replace(RELU, function="tanh", flat_left=-3.0, flat_right=3.0, dead_left=False)
RELU6 = replace(RELU, function="relu6", flat_right=6.0)
ROUNDING = 1e-5  # float32 sums of some hundred numbers of size 10


@dataclass(frozen=True)
class Step:
    """One training step: its number and the pre-activations ``[samples, units]`` of each call."""

    number: int
    calls: tuple[npt.NDArray[np.float32], ...]

    @property
    def table(self) -> npt.NDArray[np.float64]:
        return np.concatenate(self.calls).astype(np.float64)


def training(seed: int, steps: int, samples: int, site: Site = RELU) -> list[Step]:
    """Units that come and go at random, several calls at a step, and steps that were not looked at."""
    random = np.random.default_rng(seed)
    made: list[Step] = []
    number = 0
    offset = np.zeros(UNITS)
    for _ in range(steps):
        number += int(random.choice([1, 1, 1, 7]))
        offset = np.where(random.random(UNITS) < 0.15, random.choice([-8.0, 0.0, 8.0], UNITS), offset)
        calls = tuple(
            (random.normal(size=(int(random.integers(0, samples + 1)), UNITS)) + offset).astype(np.float32)
            for _ in range(int(random.integers(1, 4)))
        )
        made.append(Step(number, calls))
    return made


def replay(site: Site, steps: list[Step]) -> SiteRecord:
    record = SiteRecord(site)
    for step in steps:
        for call in step.calls:
            record.add(torch.from_numpy(call))
        record.commit(step.number)
    return record


def left(site: Site, table: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return (table <= site.flat_left).sum(0) if site.flat_left is not None else np.zeros(UNITS, np.int64)


def right(site: Site, table: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return (table >= site.flat_right).sum(0) if site.flat_right is not None else np.zeros(UNITS, np.int64)


def assert_activity(seen: Activity, site: Site, steps: list[Step]) -> None:
    whole = [step for step in steps if len(step.table)]
    assert seen.steps == len(whole)
    if not whole:
        return
    table = np.concatenate([step.table for step in whole])
    assert (seen.first_step, seen.last_step, seen.samples) == (whole[0].number, whole[-1].number, len(table))
    assert seen.left.tolist() == left(site, table).tolist()
    assert seen.right.tolist() == right(site, table).tolist()
    assert seen.low.tolist() == table.min(0).tolist()
    assert seen.high.tolist() == table.max(0).tolist()
    np.testing.assert_allclose(seen.moments.mean, table.mean(0), atol=10 * ROUNDING)
    np.testing.assert_allclose(seen.moments.variance, table.var(0), atol=100 * ROUNDING)


@given(seed=st.integers(0, 2**16), steps=st.integers(0, 60), samples=st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_the_last_active_step_and_the_silence_since_are_those_of_a_replay(seed: int, steps: int, samples: int) -> None:
    history = training(seed, steps, samples)
    seen = replay(RELU, history).vitals()
    for unit in range(UNITS):
        last = silent_steps = silent_samples = 0
        for step in history:
            column = step.table[:, unit]
            if (column > 0).any():
                last, silent_steps, silent_samples = step.number, 0, 0
            elif len(column):
                silent_steps, silent_samples = silent_steps + 1, silent_samples + len(column)
        assert (seen.last_active[unit], seen.silent_steps[unit], seen.silent_samples[unit]) == (
            last,
            silent_steps,
            silent_samples,
        )


def windows(steps: list[Step]) -> list[list[Step]]:
    """The steps cut wherever a window has both 20 steps and 1,000 samples; the last one may be short or empty."""
    cut: list[list[Step]] = [[]]
    for step in steps:
        if not len(step.table):
            continue
        cut[-1].append(step)
        if len(cut[-1]) >= EVIDENCE.steps and sum(len(one.table) for one in cut[-1]) >= EVIDENCE.samples:
            cut.append([])
    return cut


@pytest.mark.parametrize("site", [RELU, TANH, RELU6], ids=["relu", "tanh", "relu6"])
@pytest.mark.parametrize(("steps", "samples"), [(5, 40), (20, 400), (25, 10), (70, 60), (130, 30)])
def test_birth_recent_and_total_are_the_windows_of_a_replay(site: Site, steps: int, samples: int) -> None:
    history = training(steps, steps, samples)
    seen = replay(site, history).vitals()
    cut = windows(history)
    assert_activity(seen.birth, site, cut[0])
    assert_activity(seen.recent, site, [step for window in cut[-2:] for step in window])
    assert_activity(seen.total, site, history)


@pytest.mark.parametrize("site", [RELU, TANH, RELU6], ids=["relu", "tanh", "relu6"])
def test_each_row_of_the_history_is_what_its_step_shows(site: Site) -> None:
    history = [step for step in training(3, 45, 60) if len(step.table)]
    rows = replay(site, history).vitals().history
    assert rows.step.tolist() == [step.number for step in history]
    assert rows.samples.tolist() == [len(step.table) for step in history]
    for row, step in enumerate(history):
        table = step.table
        flat = left(site, table) + right(site, table)
        bounded = right(site, table) if site.dead_left else flat
        assert rows.inactive[row] == flat.sum() / table.size
        assert rows.saturated[row] == (bounded >= 0.95 * len(table)).sum()
        assert (rows.low[row], rows.high[row]) == (table.min(), table.max())
        assert rows.mean[row] == pytest.approx(table.mean(), abs=10 * ROUNDING)
        assert rows.std[row] == pytest.approx(table.std(), abs=10 * ROUNDING)
        assert rows.nonfinite[row] == 0
        assert math.isnan(rows.gradient[row])
        until = replay(site, history[: row + 1]).vitals()
        assert rows.dead[row] == len(dead_units(until))


def test_a_unit_silent_for_a_thousand_samples_and_twenty_steps_is_dead_at_that_step() -> None:
    quiet = np.full((60, UNITS), -1.0, np.float32)
    lively = quiet.copy()
    lively[7, 1:] = 2.0  # all but the first unit
    rows = replay(RELU, [Step(n, (lively,)) for n in range(1, 31)]).vitals().history
    assert rows.dead.tolist() == [0] * 19 + [1] * 11
    few = np.full((10, UNITS), -1.0, np.float32)
    rows = replay(RELU, [Step(n, (few,)) for n in range(1, 121)]).vitals().history
    assert rows.dead.tolist() == [0] * 99 + [UNITS] * 21


def test_a_bounded_function_has_no_dead_units_but_saturated_ones() -> None:
    table = np.full((60, UNITS), 1.0, np.float32)
    table[:, 2], table[:, 3] = 5.0, -5.0
    seen = replay(TANH, [Step(n, (table,)) for n in range(1, 31)]).vitals()
    assert seen.history.dead.tolist() == [0] * 30
    assert seen.history.saturated.tolist() == [2] * 30
    assert saturated_units(seen).tolist() == [2, 3]


def test_a_step_without_samples_leaves_no_trace() -> None:
    table = np.ones((4, UNITS), np.float32)
    history = [Step(1, (table,)), Step(2, ()), Step(3, (table[:0],)), Step(4, (table,))]
    seen = SiteRecord(RELU)
    for step in history:
        for call in step.calls:
            seen.add(torch.from_numpy(call))
        seen.commit(step.number)
    assert seen.vitals().history.step.tolist() == [1, 4]
    assert (seen.vitals().total.steps, seen.vitals().total.samples) == (2, 8)


# Values that are not finite ----------------------------------------------------------------------------------------


def test_the_first_step_with_a_value_that_is_not_finite_is_kept() -> None:
    table = np.ones((4, UNITS), np.float32)
    broken = table.copy()
    broken[0, 1], broken[2, 3] = np.nan, np.inf
    record = replay(RELU, [Step(1, (table,)), Step(5, (table, broken)), Step(6, (broken,)), Step(7, (table,))])
    seen = record.vitals()
    assert seen.first_nonfinite == 5
    assert seen.history.nonfinite.tolist() == [0, 2, 2, 0]
    assert seen.total.nonfinite == 4
    assert np.isnan(seen.total.moments.mean).tolist() == [False, True, False, True, False]


def test_one_infinite_value_leaves_its_unit_without_a_mean_for_good() -> None:
    broken = np.ones((4, UNITS), np.float32)
    broken[0, 1] = np.inf
    fine = np.ones((4, UNITS), np.float32)
    for calls in ((broken,), (fine, broken), (broken, fine), (broken, broken)):
        seen = replay(RELU, [Step(1, calls), Step(2, (fine,))]).vitals()
        assert np.isnan(seen.total.moments.mean).tolist() == [False, True, False, False, False]
        assert np.isnan(seen.total.moments.m2).tolist() == [False, True, False, False, False]


def test_a_unit_of_nan_is_neither_flat_nor_dead() -> None:
    table = np.full((60, UNITS), np.nan, np.float32)
    seen = replay(RELU, [Step(n, (table,)) for n in range(1, 31)]).vitals()
    assert seen.history.inactive.tolist() == [0.0] * 30
    assert dead_units(seen).tolist() == []


# Gradients and histograms ------------------------------------------------------------------------------------------


def test_the_gradient_norms_of_several_calls_combine_as_one_vector() -> None:
    record = SiteRecord(RELU)
    parts = [torch.randn(7, UNITS, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    for part in parts:
        record.add(part)
        record.add_gradient(torch.linalg.vector_norm(part))
    record.commit(1)
    record.add(parts[0])
    record.commit(2)
    norms = record.vitals().history.gradient
    whole = np.linalg.norm(np.concatenate([part.double().numpy() for part in parts]))
    assert norms[0] == pytest.approx(whole, rel=1e-6)  # three float32 norms
    assert math.isnan(norms[1])  # none arrived at that step
    assert math.isnan(record.gradient)


def test_a_gradient_that_arrives_without_samples_is_not_kept_for_the_next_step() -> None:
    record = SiteRecord(RELU)
    record.add_gradient(5.0)
    record.commit(1)
    record.add(torch.ones(2, UNITS))
    record.commit(2)
    assert math.isnan(record.vitals().history.gradient[0])


@pytest.mark.parametrize(("norms", "expected"), [((math.nan,), math.nan), ((3.0, math.inf), math.inf)])
def test_a_gradient_that_is_not_finite_shows(norms: tuple[float, ...], expected: float) -> None:
    record = SiteRecord(RELU)
    record.add(torch.ones(2, UNITS))
    for norm in norms:
        record.add_gradient(norm)
    record.commit(1)
    (found,) = record.vitals().history.gradient
    assert found == expected or (math.isnan(found) and math.isnan(expected))


def test_histograms_of_calls_add_and_those_of_many_steps_are_thinned() -> None:
    record = SiteRecord(RELU)
    z = torch.randn(9, UNITS, generator=torch.Generator().manual_seed(0))
    for step in range(1, 101):
        for part in (z[:4], z[4:]):
            record.add(part)
            record.add_histogram(Histogram.of_cells(histogram(part)))
        record.commit(step)
    steps = [step for step, _ in record.histograms]
    whole = Histogram.of_cells(histogram(z)).counts
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (1, 100)
    assert len(steps) <= 24
    assert all(taken.counts.tolist() == whole.tolist() for _, taken in record.histograms)
    assert record.vitals().total.histogram.counts.tolist() == (100 * whole).tolist()


def test_vitals_are_a_copy_that_later_steps_do_not_change() -> None:
    table = np.full((60, UNITS), -1.0, np.float32)
    record = replay(RELU, [Step(1, (table,))])
    before = record.vitals()
    record.add(torch.ones(3, UNITS))
    record.commit(2)
    assert before.silent_samples.tolist() == [60] * UNITS
    assert before.last_active.tolist() == [0] * UNITS
    assert (before.total.steps, before.recent.left.tolist()) == (1, [60] * UNITS)


@pytest.mark.parametrize("taken", [7, 20, 33, 40, 51, 60, 77])
def test_nor_do_later_windows(taken: int) -> None:
    history = training(4, 160, 60, TANH)
    record = replay(TANH, history[:taken])
    before = record.vitals()
    parts = "birth", "recent", "total"
    then = [(getattr(before, part).left, getattr(before, part).moments.mean) for part in parts]
    for step in history[taken:]:
        for call in step.calls:
            record.add(torch.from_numpy(call))
        record.commit(step.number)
    after = [(getattr(before, part).left, getattr(before, part).moments.mean) for part in parts]
    assert [[one.tolist() for one in part] for part in after] == [[one.tolist() for one in part] for part in then]


def test_a_long_run_keeps_a_bounded_history() -> None:
    record = SiteRecord(RELU)
    z = torch.ones(3, UNITS)
    for step in range(1, 2 * LONGEST + 2):
        record.add(z)
        record.commit(step)
    rows = record.vitals().history
    assert len(rows.step) <= LONGEST
    assert rows.step[0] == 1
    assert record.vitals().total.steps == 2 * LONGEST + 1
