"""A site as several ranks saw it, against one record of all their samples."""

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.kernels import histogram, measure
from limen.probe.rows import LONGEST
from limen.probe.site_record import SiteRecord
from limen.sites import Site
from limen.vitals import EVIDENCE, Histogram, SiteVitals, dead_units
from limen.vitals.rank_sites import merge_sites
from tests.vitals.rounding import unequal

UNITS = 6
RELU = Site("1", "1", "relu", 1, UNITS, -1, "0", None, 0, False, flat_left=0.0, dead_left=True)
TANH = replace(RELU, function="tanh", flat_left=-3.0, flat_right=3.0, dead_left=False)
BATCH = 60  # of a rank: 20 steps are 1,000 samples, so the windows of the ranks are those of the whole

Tables = list[npt.NDArray[np.float64]]  # [samples, units] of each step


def training(seed: int, steps: int, batch: int = BATCH) -> Tables:
    """Units that fall silent and wake up at random."""
    random = np.random.default_rng(seed)
    offset, made = np.zeros(UNITS), list[npt.NDArray[np.float64]]()
    for _ in range(steps):
        offset = np.where(random.random(UNITS) < 0.03, random.choice([-20.0, -20.0, 0.0, 20.0], UNITS), offset)
        made.append(random.normal(size=(batch, UNITS)) + offset)
    return made


def seen(tables: Tables, site: Site = RELU) -> SiteVitals:
    record = SiteRecord(site)
    for step, table in enumerate(tables, 1):
        z = torch.from_numpy(table)
        record.add(measure(z, -1, site.flat_left, site.flat_right))
        record.add_gradient(torch.linalg.vector_norm(torch.from_numpy(table)))
        if step % 7 == 1:
            record.add_histogram(Histogram.of_cells(histogram(z)))
        record.commit(step)
    return record.vitals()


def split(tables: Tables, ranks: int) -> list[Tables]:
    return [[table[rank::ranks] for table in tables] for rank in range(ranks)]


@pytest.mark.parametrize("site", [RELU, TANH], ids=["relu", "tanh"])
@given(seed=st.integers(0, 2**32), ranks=st.integers(2, 4), steps=st.integers(1, 90))
@settings(max_examples=25, deadline=None)
def test_the_merged_site_is_that_of_one_process(site: Site, seed: int, ranks: int, steps: int) -> None:
    tables = training(seed, steps, BATCH * ranks)
    whole = seen(tables, site)
    merged = merge_sites([seen(part, site) for part in split(tables, ranks)], ranks)
    for name in ("site", "birth", "recent", "total", "last_active", "silent_steps", "silent_samples"):
        assert unequal(getattr(whole, name), getattr(merged, name), name) == []
    assert dead_units(merged).tolist() == dead_units(whole).tolist()
    one, other = whole.history, merged.history
    for field in fields(one):
        if field.name not in ("dead", "saturated", "gradient"):
            assert unequal(getattr(one, field.name), getattr(other, field.name), field.name) == []
    np.testing.assert_allclose(other.gradient, one.gradient / ranks, 1e-12)  # each rank's loss is weighed by 1 / ranks
    assert np.all(other.dead <= one.dead)
    assert other.dead[-1] == one.dead[-1]


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_dead_units_of_each_step_are_counted_until_they_wake(seed: int) -> None:
    tables = training(seed, 80, 2 * BATCH)
    for unit in range(UNITS):  # from the first silence of 20 steps on: for good
        asleep = [bool((table[:, unit] <= 0).all()) for table in tables]
        fell = next((n for n in range(60) if all(asleep[n : n + EVIDENCE.steps])), None)
        for table in tables[fell:] if fell is not None else ():
            table[:, unit] = -1.0
    merged = merge_sites([seen(part) for part in split(tables, 2)], 2)
    assert merged.history.dead.tolist() == seen(tables).history.dead.tolist()


def test_a_unit_that_is_silent_on_one_rank_only_is_not_dead() -> None:
    awake, silent = training(0, 40), [np.full((BATCH, UNITS), -1.0)] * 40
    assert len(dead_units(seen(silent))) == UNITS
    merged = merge_sites([seen(silent), seen(awake)], 2)
    assert dead_units(merged).tolist() == dead_units(seen(awake)).tolist()


def test_a_rank_that_stopped_early_leaves_what_it_saw() -> None:
    silent = [np.full((BATCH, UNITS), -1.0)] * 60
    short = [np.full((BATCH, UNITS), 1.0)] * 10
    for parts in ([seen(silent), seen(short)], [seen(short), seen(silent)]):
        merged = merge_sites(parts, 2)
        assert merged.last_active.tolist() == [10] * UNITS
        assert merged.silent_steps.tolist() == [50] * UNITS
        assert merged.silent_samples.tolist() == [50 * BATCH] * UNITS
        assert merged.history.samples.tolist() == [2 * BATCH] * 10 + [BATCH] * 50
        assert merged.history.dead.tolist() == [0] * 29 + [UNITS] * 31


def test_a_thinned_history_is_merged_in_proportion() -> None:
    steps = 3 * LONGEST
    tables = [np.full((4, UNITS), 1.0 if step < 1000 else -1.0) for step in range(steps)]
    other = [np.full((4, UNITS), 1.0 if step < 2000 else -1.0) for step in range(steps)]
    merged = merge_sites([seen(tables), seen(other)], 2)
    assert merged.last_active.tolist() == [2000] * UNITS
    assert merged.silent_steps.tolist() == pytest.approx([steps - 2000] * UNITS, rel=0.01)
    assert merged.silent_samples.tolist() == pytest.approx([8 * (steps - 2000)] * UNITS, rel=0.01)
    died = int(merged.history.step[np.argmax(merged.history.dead > 0)])
    assert died == pytest.approx(2000 + EVIDENCE.samples / 8, abs=8)  # rows are four steps apart


def test_the_order_of_the_ranks_does_not_matter() -> None:
    parts = [seen(part) for part in split(training(3, 70, 2 * BATCH), 2)]
    assert unequal(merge_sites(parts, 2), merge_sites(parts[::-1], 2)) == []


def test_values_that_are_not_finite_are_counted_and_kept() -> None:
    tables = training(1, 30)
    broken = [table.copy() for table in tables]
    broken[12][3, 2] = np.nan
    merged = merge_sites([seen(tables), seen(broken)], 2)
    assert (merged.first_nonfinite, int(merged.history.nonfinite.sum()), merged.total.nonfinite) == (13, 1, 1)
    assert np.isnan(merged.total.moments.mean).tolist() == [unit == 2 for unit in range(UNITS)]
