"""Journals of ranks: which belong together, what is said where some are missing, and what the rest adds up to."""

import re
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from limen.errors import InvalidValue, UnreadableJournal
from limen.findings import Finding
from limen.journal import Journal, Run, merge, read_all
from limen.ranks import Ranks
from limen.vitals import LossVitals, OptimiserVitals, ParameterHistory, ParameterVitals, Vitals
from tests.journal.runs import Maker, differences
from tests.vitals.test_rank_sites import BATCH, split, training
from tests.vitals.test_rank_sites import seen as site

TABLES = training(5, 40, 3 * BATCH)
STEPS = np.arange(1, 41)


def parameter(gradient: float, shards: int = 1, shape: tuple[int, ...] = (4, 3)) -> ParameterVitals:
    address = replace(Maker(0).parameter(0, "fc1.weight", 1, 0).parameter, shape=shape, shards=shards)
    history = ParameterHistory(STEPS, *(np.full(40, value) for value in (gradient, 2 * gradient, 0.25)))
    return ParameterVitals(address, history, None, 0)


def rank(number: int, tables: list[np.ndarray], *, gradient: float = 3.0, shards: int = 1) -> Run:
    return Run(
        script="train.py",
        arguments=(f"--local-rank={number}",),
        started=1.7e9 + number,
        seconds=10.0 + number,
        spent=0.5,
        finished=True,
        exit_code=0,
        ranks=Ranks("node:29500", 3, (number,)),
        vitals=Vitals(
            step=len(tables),
            looked=len(tables),
            samples=sum(map(len, tables)),
            sites=(site(tables),),
            parameters=(parameter(gradient, shards),),
            losses=(LossVitals("mse", STEPS, np.full(40, float(number)), 0),),
            optimisers=(OptimiserVitals("SGD", STEPS, np.full(40, 0.1), 0.9, 0.0, False),),
        ),
    )


RUNS = [rank(number, tables) for number, tables in enumerate(split(TABLES, 3))]


def test_the_ranks_of_a_run_are_one_run_whatever_their_order() -> None:
    whole = merge(RUNS)
    assert (whole.ranks, whole.vitals.notes) == (Ranks("node:29500", 3, (0, 1, 2)), ("Merged from all 3 ranks.",))
    assert (whole.started, whole.seconds, whole.finished, whole.exit_code) == (1.7e9, 12.0, True, 0)
    assert whole.vitals.samples == 40 * 3 * BATCH
    assert set(whole.vitals.losses[0].value) == {1.0}  # the mean of 0, 1 and 2
    assert set(whole.vitals.optimisers[0].learning_rate) == {0.1}
    for order in permutations(RUNS):
        assert differences(merge(order), whole) == []


def test_what_is_found_is_found_on_the_whole() -> None:
    """A unit that is silent on two ranks and not on the third is no finding."""
    apart = np.linspace(1.0, 2.0, 6) * np.linspace(1.0, 2.0, BATCH)[:, None]  # no unit does what another does
    silent, awake = [-apart] * 40, [apart] * 40
    healed = Finding(**{**vars(Maker(0).finding(1)), "symptom": "not-learning", "closed": 9})
    quiet = [replace(rank(number, silent), findings=(Maker(0).finding(0), healed)) for number in (0, 1)]
    assert [finding.closed for finding in merge([*quiet, rank(2, awake)]).findings] == [9]
    found = merge([*quiet, rank(2, silent)]).findings
    assert [(finding.symptom, len(finding.units)) for finding in found if finding.closed is None] == [("dead-units", 6)]


def test_a_finding_is_told_since_the_first_rank_knew_it() -> None:
    apart = np.linspace(1.0, 2.0, 6) * np.linspace(1.0, 2.0, BATCH)[:, None]
    alone = [rank(number, [-apart] * 40) for number in range(3)]
    (dead,) = (one for one in merge(alone).findings if one.symptom == "dead-units")
    assert dead.told == 40  # no rank has told it: known since the ranks were merged
    steps: list[int | None] = [30, 20, None]
    known = [replace(run, findings=(replace(dead, told=told),)) for run, told in zip(alone, steps, strict=True)]
    assert [one.told for one in merge(known).findings if one.symptom == "dead-units"] == [20]
    closed = replace(dead, told=10, closed=15)
    again = [replace(known[0], findings=(closed,)), *known[1:]]
    assert [(one.told, one.closed) for one in merge(again).findings if one.symptom == "dead-units"] == [(10, None)]


def test_missing_ranks_are_named() -> None:
    some = merge([RUNS[2], RUNS[0]])
    assert some.vitals.notes == ("2 of 3 ranks: nothing is known of rank 1.",)
    assert (some.vitals.samples, some.finished) == (40 * 2 * BATCH, False)
    one = merge([RUNS[1]])
    assert one.vitals.notes == ("Rank 1 of 3: what the other ranks saw is in their own journals.",)
    assert differences(replace(one, vitals=RUNS[1].vitals), RUNS[1]) == []
    alone = replace(RUNS[1], ranks=None)
    assert merge([alone]) is alone


def test_a_rank_that_failed_is_what_the_run_came_to() -> None:
    killed = replace(RUNS[1], finished=False, exit_code=None, broken="its watch ended")
    whole = merge([RUNS[0], killed, RUNS[2]])
    assert (whole.finished, whole.exit_code, whole.broken) == (False, None, "rank 1: its watch ended")
    assert whole.vitals.notes == (
        "Merged from all 3 ranks.",
        "The journal of rank 1 ends at step 40: it was killed there, or is still running.",
    )
    assert merge([RUNS[0], killed, replace(RUNS[2], exit_code=-9)]).exit_code == -9


def test_the_gradient_of_a_parameter_is_that_of_each_rank_or_of_all_its_parts() -> None:
    history = merge(RUNS).vitals.parameters[0].history
    assert (set(history.gradient), set(history.weight), set(history.update)) == ({3.0}, {6.0}, {0.25})
    parts = [rank(number, tables, gradient=3.0 + number, shards=3) for number, tables in enumerate(split(TABLES, 3))]
    history = merge(parts).vitals.parameters[0].history
    np.testing.assert_allclose(history.gradient, np.sqrt(3**2 + 4**2 + 5**2), 1e-14)
    np.testing.assert_allclose(history.weight, 2 * np.sqrt(3**2 + 4**2 + 5**2), 1e-14)
    np.testing.assert_allclose(history.update, 0.25, 1e-14)


def test_gradients_that_nobody_averages_are_told() -> None:
    parts = [rank(number, tables, gradient=3.0 + number) for number, tables in enumerate(split(TABLES, 3))]
    *_, note = merge(parts).vitals.notes
    assert note.startswith("The gradients of fc1.weight differ between ranks when the optimiser steps")


def test_histograms_of_one_step_add() -> None:
    runs = [replace(run, histograms={"1": ((n, Maker(n).histogram()), (9, Maker(9).histogram()))})
            for n, run in enumerate(RUNS)]  # fmt: skip
    taken = merge(runs).histograms["1"]
    assert [step for step, _ in taken] == [0, 1, 2, 9]
    assert taken[-1][1].counts.tolist() == (3 * Maker(9).histogram().counts).tolist()


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(RUNS[1], script="other.py"), r"they ran the scripts train\.py and other\.py"),
        (replace(RUNS[1], ranks=Ranks("node:1", 3, (1,))), r"they are of the runs 'node:29500' and 'node:1'"),
        (replace(RUNS[1], ranks=Ranks("node:29500", 2, (1,))), r"runs of so many processes: 3 and 2"),
        (replace(RUNS[1], ranks=None), r"runs of so many processes: 3 and 1"),
        (replace(RUNS[1], started=1.7e9 + 4000), r"they started 4,000 s apart"),
        (RUNS[0], r"both are of rank 0"),
        (replace(RUNS[1], vitals=replace(RUNS[1].vitals, sites=(replace(
            RUNS[1].vitals.sites[0], site=replace(RUNS[1].vitals.sites[0].site, units=9)),))), r"1 has 6 units and 9"),
        (replace(RUNS[1], vitals=replace(RUNS[1].vitals, parameters=(parameter(1.0, shape=(5, 3)),))),
         r"fc1\.weight has the shapes \(4, 3\) and \(5, 3\)"),
    ],
)  # fmt: skip
def test_journals_of_different_runs_are_refused_by_name(other: Run, why: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^The journals a and b are not of ranks of one run: .*{why}\. Name only"):
        merge([RUNS[0], other], ["a", "b"])


def test_two_runs_of_one_process_are_not_one_run() -> None:
    alone = [replace(run, ranks=None) for run in RUNS[:2]]
    with pytest.raises(InvalidValue, match=r"run 1 and run 2 are .* each is of a training of one process"):
        merge(alone)


def test_what_is_merged_is_not_merged_again() -> None:
    with pytest.raises(InvalidValue, match=r"a and b are .*: b is merged already"):
        merge([RUNS[2], merge(RUNS[:2])], ["a", "b"])


def test_a_folder_is_read_as_one_run_and_says_what_it_could_not_read(tmp_path: Path) -> None:
    for number in (0, 2):
        Journal(tmp_path / f"run.rank{number}.limen").close(RUNS[number])
    (tmp_path / "run.rank1.limen").touch()
    run = read_all([tmp_path])
    assert differences(replace(run, vitals=replace(run.vitals, notes=())),
                       replace(merge([RUNS[0], RUNS[2]]), vitals=replace(run.vitals, notes=()))) == []  # fmt: skip
    assert run.vitals.notes[0] == "2 of 3 ranks: nothing is known of rank 1."
    assert re.search(r"run\.rank1\.limen' cannot be read: it is empty", run.vitals.notes[1])
    with pytest.raises(UnreadableJournal, match="it is empty"):
        read_all([tmp_path / "run.rank1.limen", tmp_path / "run.rank2.limen"])


def test_a_folder_without_journals_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJournal, match=r"^limen report .*: found no journal that can be read\. Journals end"):
        read_all([tmp_path])


@pytest.mark.parametrize("ranks", [Ranks("a", 2, ()), Ranks("a", 2, (2,)), Ranks("a", 2, (-1,)), Ranks("a", 0, (0,))])
def test_a_journal_of_an_impossible_rank_is_damaged(ranks: Ranks, tmp_path: Path) -> None:
    Journal(tmp_path / "run.limen").close(replace(RUNS[0], ranks=ranks))
    with pytest.raises(UnreadableJournal, match=r"it is damaged \(there are no ranks"):
        read_all([tmp_path / "run.limen"])
