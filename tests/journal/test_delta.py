"""A save writes what is new and nothing else."""

from dataclasses import replace

import numpy as np

from limen.journal import Run
from limen.journal.delta import Drop, Ledger, Put, changes, enter
from limen.journal.packing import pack
from limen.vitals import SiteVitals
from tests.journal.runs import Maker, first_rows

WHOLE = Maker(1).run(sites=3, units=4, rows=40, optimisers=2, findings=3)


def between(before: Run, after: Run) -> list[Put | Drop]:
    held = enter(Ledger(), pack(before))
    return list(changes(held, enter(held, pack(after))))


def rows_put(found: list[Put | Drop]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for change in found:
        if isinstance(change, Put):
            counts[change.table] = counts.get(change.table, 0) + len(change.rows)
    return counts


def test_saving_the_same_again_writes_nothing() -> None:
    assert between(WHOLE, WHOLE) == []


def test_equal_values_in_new_arrays_write_nothing() -> None:
    again = Maker(1).run(sites=3, units=4, rows=40, optimisers=2, findings=3)
    # what holds a NaN outside an array is written again: two NaN are not equal
    assert set(rows_put(between(WHOLE, again))) <= {"run", "finding", "treatment", "optimiser", "site"}


def test_new_steps_are_appended() -> None:
    found = between(first_rows(WHOLE, slice(0, 37)), WHOLE)
    assert rows_put(found) == {"site_step": 9, "parameter_step": 9, "loss_step": 6, "optimiser_step": 6}
    assert not any(isinstance(change, Drop) for change in found)
    steps = WHOLE.vitals.sites[0].history.step
    put = next(change for change in found if isinstance(change, Put) and change.table == "site_step")
    assert [row[0] for row in put.rows] == steps[37:].tolist()


def test_thinning_takes_the_missing_steps_out_and_leaves_the_others() -> None:
    found = between(WHOLE, first_rows(WHOLE, slice(None, None, 2)))
    assert rows_put(found) == {}
    drops = [change for change in found if isinstance(change, Drop) and change.table == "site_step"]
    assert [drop.parts for drop in drops] == [tuple(v.history.step[1::2].tolist()) for v in WHOLE.vitals.sites]


def test_a_row_that_changed_is_written_again_also_to_and_from_nan() -> None:
    site = WHOLE.vitals.sites[0]
    before, after = np.zeros(40), np.zeros(40)
    before[3], after[7], before[9], after[9] = np.nan, np.nan, np.nan, np.nan

    def with_gradient(gradient: np.ndarray) -> Run:
        history = replace(site.history, gradient=gradient)
        return replace(WHOLE, vitals=replace(WHOLE.vitals, sites=(replace(site, history=history),)))

    (put,) = between(with_gradient(before), with_gradient(after))
    assert isinstance(put, Put)
    assert [row[0] for row in put.rows] == site.history.step[[3, 7]].tolist()


def test_an_array_that_changed_is_the_only_one_written() -> None:
    site = WHOLE.vitals.sites[1]
    sites = (WHOLE.vitals.sites[0], replace(site, silent_steps=site.silent_steps + 1), WHOLE.vitals.sites[2])
    (put,) = between(WHOLE, replace(WHOLE, vitals=replace(WHOLE.vitals, sites=sites)))
    assert isinstance(put, Put)
    assert [(put.table, *row[:2]) for row in put.rows] == [("site_array", 2, "silent_steps")]


def test_a_site_found_later_and_a_new_order_keep_the_numbers_of_the_others() -> None:
    def with_sites(*sites: SiteVitals) -> Run:
        return replace(WHOLE, vitals=replace(WHOLE.vitals, sites=sites))

    a, b, c = WHOLE.vitals.sites
    ledger = enter(Ledger(), pack(with_sites(a, b)))
    ledger = enter(ledger, pack(with_sites(c, b, a)))
    assert sorted((p.position, p.id) for p in ledger.placed["site"].values()) == [(0, 3), (1, 2), (2, 1)]
    ledger = enter(enter(ledger, pack(with_sites(a))), pack(with_sites(a, c)))
    assert sorted((p.position, p.id) for p in ledger.placed["site"].values()) == [(0, 1), (1, 4)]


def test_sites_of_one_name_are_kept_apart() -> None:
    twice = replace(WHOLE, vitals=replace(WHOLE.vitals, sites=WHOLE.vitals.sites[:1] * 3))
    assert len(enter(Ledger(), pack(twice)).placed["site"]) == 3
