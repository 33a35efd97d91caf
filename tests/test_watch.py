"""The watch from code: two lines around a training, and what they give."""

import contextlib
import json
import math
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import limen
from limen.errors import InvalidValue, UnwritablePath, WatchRefused
from limen.journal import read
from limen.probe.site_record import SiteRecord
from limen.progress import Progress
from limen.vitals import SiteVitals
from limen.watch import Watch

LEARNABLE = torch.Generator().manual_seed(5)
X = torch.randn(512, 20, generator=LEARNABLE)
Y = (X @ torch.randn(20, 5, generator=LEARNABLE)).argmax(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))


def train(model: nn.Module, steps: int = 60, rate: float = 0.05) -> None:
    optimiser = torch.optim.SGD(model.parameters(), rate, momentum=0.9)
    for step in range(steps):
        rows = slice(step % 8 * 64, step % 8 * 64 + 64)
        optimiser.zero_grad()
        F.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimiser.step()


def kill(layer: nn.Linear, share: float) -> None:
    """Give a share of the units a bias that no sample overcomes."""
    with torch.no_grad():
        layer.bias[: int(share * len(layer.bias))] = -100.0


def test_a_healthy_training_gets_one_line() -> None:
    model = network()
    with limen.watch(model) as w:
        train(model)
    assert w.diagnosis().strip() == "healthy: 2 sites, 60 steps watched"
    assert w.findings == ()


def test_dead_units_are_named_with_their_site_and_numbers() -> None:
    model = network()
    kill(model[2], 0.75)
    with limen.watch(model) as w:
        train(model, 260)
    (finding,) = [f for f in w.findings if f.symptom == "dead-units"]
    assert (finding.where, finding.layer, finding.units) == ("3", "2", tuple(range(48)))
    assert "dead-units" in w.diagnosis()


def test_a_training_may_be_asked_while_it_runs() -> None:
    model = network()
    with limen.watch(model) as w:
        train(model, 30)
        middle = w.vitals.step
        assert w.run.verdict == "healthy"
        train(model, 30)
    assert (middle, w.vitals.step) == (30, 60)


def test_the_report_and_the_json_are_written(tmp_path: Path) -> None:
    model = network()
    with limen.watch(model, journal=tmp_path / "run.limen") as w:
        train(model)
    w.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    told = json.loads(json.dumps(w.to_json(), allow_nan=False))
    assert (told["verdict"], told["steps"], [site["path"] for site in told["sites"]]) == ("healthy", 60, ["1", "3"])
    assert read(tmp_path / "run.limen").vitals.step == 60


def test_without_a_journal_no_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    model = network()
    with limen.watch(model) as w:
        train(model, 5)
        assert w.journal_path is None
        assert list(tmp_path.iterdir()) == []
    assert w.run.vitals.step == 5


def test_a_watch_within_another_shows_what_that_one_sees_and_the_outer_goes_on(tmp_path: Path) -> None:
    model = network()
    kill(model[2], 0.75)
    with limen.watch(model, journal=tmp_path / "outer.limen") as outer:
        train(model, 20)
        with limen.watch(model, journal=tmp_path / "inner.limen") as inner:
            train(model, 240)
            assert inner.vitals.step == 260
        train(model, 5)
        inner.report(tmp_path / "inner.html")
    assert (inner.vitals.step, outer.vitals.step) == (260, 265)
    assert [f.symptom for f in inner.findings] == ["dead-units"] == [f.symptom for f in outer.findings]
    assert inner.diagnosis().startswith("sick: ")
    assert inner.to_json()["steps"] == 260
    assert (tmp_path / "inner.html").read_text().startswith("<!doctype html>")
    assert [read(tmp_path / f"{name}.limen").vitals.step for name in ("outer", "inner")] == [265, 260]
    assert inner.run.finished


def test_watching_twice_changes_no_bit_and_leaves_no_hook() -> None:
    bare, twice = network(), network()
    train(bare)
    with limen.watch(), limen.watch(twice), limen.watch(twice[0]):
        train(twice)
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), twice.parameters(), strict=True))
    assert torch.overrides._get_current_function_mode_stack() == []
    with limen.watch(twice) as w:
        train(twice, 25)
    assert w.vitals.step == 25


def test_an_inner_watch_ends_with_the_outer_one_where_that_ends_first(tmp_path: Path) -> None:
    model = network()
    outer, inner = limen.watch(model), limen.watch(model, journal=tmp_path / "inner.limen")
    with outer:
        inner.__enter__()
        train(model, 25)
    train(model, 25)
    inner.close()
    assert inner.vitals.step == read(tmp_path / "inner.limen").vitals.step == 25


def test_the_journal_of_an_inner_watch_is_written_while_the_training_runs(tmp_path: Path) -> None:
    model = network()
    with limen.watch(model), limen.watch(model, journal=tmp_path / "inner.limen"):
        train(model, 25)
        until = time.monotonic() + 20
        while read(tmp_path / "inner.limen").vitals.step < 25 and time.monotonic() < until:
            train(model, 5)
        assert read(tmp_path / "inner.limen").vitals.step >= 25


def test_two_watches_may_name_the_same_journal(tmp_path: Path) -> None:
    model = network()
    with limen.watch(model, journal=tmp_path / "run.limen"):
        with limen.watch(model, journal=tmp_path / "run.limen"):
            train(model, 25)
        train(model, 5)
    assert read(tmp_path / "run.limen").vitals.step == 30


def test_a_watch_within_one_of_other_models_is_refused_and_the_outer_goes_on() -> None:
    model = network()
    with limen.watch(model) as w:
        for other in (network(), None):
            with pytest.raises(WatchRefused, match="limited to other models"), limen.watch(other):
                pass
        train(model, 30)
    assert w.vitals.step == 30


def test_what_the_outer_watch_does_not_grant_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    with limen.watch(model):
        for _ in range(2):
            with limen.watch(model, treat="safe", budget=None, strict=True):
                train(model, 5)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "limen: a watch within another one shows what that one sees; its own treat='safe', budget=None, strict=True "
        "have no effect. Ask the outer one (or limen run) for them."
    )
    with limen.watch(model, treat="safe", budget=None, strict=True), limen.watch(model):
        train(model, 5)
    assert capsys.readouterr().err == ""


def test_a_forked_child_may_open_a_watch_of_its_own() -> None:
    model = network()
    with limen.watch(model) as w:
        train(model, 25)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                with limen.watch(model) as own:
                    train(model, 21)
                os._exit(own.vitals.step)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 21
    assert w.vitals.step == 25


def test_a_forked_child_may_ask_though_another_thread_was_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    model, asking, enough, vitals = network(), threading.Event(), threading.Event(), SiteRecord.vitals

    def slowly(record: SiteRecord) -> SiteVitals:
        if threading.current_thread() is not threading.main_thread():
            asking.set()
            enough.wait()
        return vitals(record)

    monkeypatch.setattr(SiteRecord, "vitals", slowly)
    with limen.watch(model) as w:
        train(model, 25)
        thread = threading.Thread(target=lambda: w.vitals)
        thread.start()
        asking.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(w.vitals.step)
        enough.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 25
        thread.join()


def test_a_watch_may_follow_another() -> None:
    model = network()
    for _ in range(2):
        with limen.watch(model) as w:
            train(model, 25)
        assert w.vitals.step == 25


def test_a_watch_may_be_started_and_closed_without_a_block() -> None:
    model = network()
    w = limen.watch(model)
    assert w.start() is w
    train(model, 25)
    assert w.close().finished
    assert w.vitals.step == 25
    with limen.watch(model) as block:
        train(model, 5)
    assert block.vitals.step == 5


def test_a_watch_that_was_started_refuses_a_second_start() -> None:
    w = limen.watch(network()).start()
    for _ in range(2):
        with pytest.raises(WatchRefused, match="has begun before"):
            w.start()
        w.close()


def test_a_cell_that_is_run_again_begins_anew(tmp_path: Path) -> None:
    first, second, path = network(), network(), tmp_path / "run.limen"
    left = limen.watch(first, journal=path).start()
    train(first, 25)
    again = limen.watch(second, journal=path).start()
    assert left.run.finished
    train(second, 30)
    again.close()
    assert (left.vitals.step, again.vitals.step) == (25, 30)
    assert read(path).vitals.step == 30  # the second took the place of the first, as one after the other does


def test_one_that_is_started_within_a_block_is_a_view_and_ends_without_it() -> None:
    model = network()
    with limen.watch(model) as block:
        inner = limen.watch(model).start()
        train(model, 25)
        inner.close()
        train(model, 5)
    assert (inner.vitals.step, block.vitals.step) == (25, 30)


def test_a_watch_says_in_one_line_where_it_stands() -> None:
    model = network()
    w = limen.watch(model)
    assert repr(w) == "<limen.watch: not started>"
    with w:
        train(model, 1)
        assert repr(w) == "<limen.watch: 1 step watched, 2 sites, nothing found so far>"
        train(model, 24)
        with limen.watch(model) as view:
            assert repr(view) == repr(w) == "<limen.watch: 25 steps watched, 2 sites, nothing found so far>"
        assert repr(view) == "<limen.watch: 25 steps watched, 2 sites, closed, healthy>"
    assert repr(w) == "<limen.watch: 25 steps watched, 2 sites, closed, healthy>"


def test_a_watch_says_what_it_has_found_without_an_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network()
    kill(cast("nn.Linear", model[2]), 0.75)
    with limen.watch(model, budget=None) as w:
        train(model, 260)
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules["limen.watch"], "diagnose", None)
            assert repr(w) == "<limen.watch: 260 steps watched, 2 sites, sick so far>"
    assert repr(w) == "<limen.watch: 260 steps watched, 2 sites, closed, sick>"


def test_asking_where_a_watch_stands_changes_no_training() -> None:
    weights: list[list[torch.Tensor]] = []
    for asks in (False, True):
        model = network()
        with limen.watch(model) as w:
            for _ in range(30):
                train(model, 3)
                assert not asks or repr(w)
        assert w.vitals.step == 90
        weights.append([one.detach() for one in model.parameters()])
    assert all(torch.equal(*pair) for pair in zip(*weights, strict=True))


def test_a_training_that_raises_is_reported_up_to_there() -> None:
    model = network()
    w = limen.watch(model)

    def fail() -> None:
        with w:
            train(model, 25)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert w.run.finished
    assert w.vitals.step == 25


@pytest.mark.parametrize("budget", [0.0, -1.0, 1.5, math.nan, math.inf, True, "every", "1%", [0.01], 1j], ids=repr)
def test_a_budget_that_is_no_number_from_zero_to_one_is_refused_with_the_way_out(budget: Any) -> None:
    with pytest.raises(InvalidValue) as raised:
        limen.watch(network(), budget=budget)
    told = str(raised.value)
    assert told.startswith(f"watch(budget={budget!r}): expected a number in (0, 1]")
    assert "budget=None looks at every step" in told


@pytest.mark.parametrize("budget", [1, Fraction(1, 4), np.float32(0.25)], ids=repr)
def test_any_kind_of_number_is_a_budget(budget: Any) -> None:
    assert limen.watch(network(), budget=budget).run.budget == float(budget)


def test_something_that_is_no_model_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"watch\(dict\): expected a torch.nn.Module"):
        limen.watch([{}])  # type: ignore[list-item]


def test_a_journal_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnwritablePath, match="nowhere"):
        limen.watch(network(), journal=tmp_path / "nowhere" / "run.limen")


def test_an_unknown_treatment_is_refused() -> None:
    with pytest.raises(InvalidValue, match="expected 'off' or 'safe'"):
        limen.watch(network(), treat="all")  # type: ignore[arg-type]


def test_dead_units_are_revived_in_the_running_training() -> None:
    model = network()
    kill(model[2], 0.75)
    with limen.watch(model, treat="safe", budget=None) as w:
        train(model, 320)
    names = [treatment.name for treatment in w.run.treatments]
    assert "revive-units" in names
    treatment = w.run.treatments[names.index("revive-units")]
    assert treatment.before["dead units"] == 48
    assert treatment.after["dead units"] == 0
    assert w.run.verdict == "healthy"
    assert [f.closed is not None for f in w.findings if f.symptom == "dead-units"] == [True]


def test_an_error_of_its_own_is_told_once_and_the_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(vitals: object) -> None:
        raise RuntimeError("stumbled")

    monkeypatch.setattr(sys.modules["limen.watch"], "diagnose", stumble)
    model = network()
    with limen.watch(model) as w:
        train(model, 60)
    assert capsys.readouterr().err.count("stumbled") == 1
    assert w.run.verdict == "undecided"
    assert "stumbled" in w.diagnosis()


def test_strict_raises_errors_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(vitals: object) -> None:
        raise RuntimeError("stumbled")

    monkeypatch.setattr(sys.modules["limen.watch"], "diagnose", stumble)
    model = network()
    with pytest.raises(RuntimeError, match="stumbled"), limen.watch(model, strict=True):
        train(model, 60)


def test_a_watch_begins_once() -> None:
    w = limen.watch(network())
    with w:
        pass
    with pytest.raises(WatchRefused, match="has begun before"), w:
        pass
    with limen.watch(network()):
        pass


def test_something_that_is_no_optimiser_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"expected a torch\.optim\.Optimizer"):
        limen.watch(network(), 0.01)


def test_a_failing_last_look_is_told_and_leaves_what_was_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(probe: object) -> None:
        raise ZeroDivisionError("stumbled")

    model = network()
    with limen.watch(model) as w:
        train(model, 30)
        monkeypatch.setattr("limen.probe.Probe.vitals", stumble)
    assert w.run.finished
    assert capsys.readouterr().err.count("stumbled") == 1


def test_a_journal_that_breaks_is_told_once_and_the_training_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = network()
    with limen.watch(model, journal=tmp_path / "run.limen") as w:
        train(model, 25)
        (tmp_path / "run.limen").unlink()
    assert w.run.verdict == "healthy"
    assert capsys.readouterr().err.count("is no longer written") == 1


def test_a_listener_hears_where_the_training_stands() -> None:
    heard: list[Progress] = []
    model = network()
    kill(model[0], 0.5)
    with Watch([model], listener=heard.append, listen_every=0.0):
        train(model, 40)
    last = heard[-1]
    assert (last.step, last.sites, last.worst_site, last.dead_share) == (40, 2, "relu after layer 0", 0.5)
    assert math.isfinite(last.loss)
    assert last.gradient_ratio > 0


def test_a_forked_child_trains_unwatched_and_leaves_the_journal_alone(tmp_path: Path) -> None:
    model = network()
    with limen.watch(model, journal=tmp_path / "run.limen") as w:
        train(model, 25)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                train(model, 25)
                os._exit(0 if torch.overrides._get_current_function_mode_stack() == [] else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        train(model, 5)
    assert w.vitals.step == 30
    assert read(tmp_path / "run.limen").vitals.step == 30


def test_data_loader_workers_are_survived() -> None:
    model = network()
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(X, Y), batch_size=64, num_workers=2, multiprocessing_context="fork"
    )
    optimiser = torch.optim.SGD(model.parameters(), 0.05)
    with limen.watch(model) as w:
        for _ in range(3):
            for x, y in loader:
                optimiser.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimiser.step()
    assert w.vitals.step == 24


def test_the_cost_is_accounted_for() -> None:
    model = network()
    with limen.watch(model, budget=None) as w:
        train(model, 50)
    run = w.run
    assert 0.0 < run.spent < run.seconds
    assert run.overhead == pytest.approx(run.spent / run.seconds)


def test_a_training_that_never_was_is_said_to_be_none() -> None:
    with limen.watch(network()) as w:
        pass
    assert w.diagnosis().strip().startswith("no training step was seen")


@pytest.mark.parametrize(("steps", "times"), [(1, "once"), (30, "30 times")])
def test_the_training_of_another_model_is_told_from_none(steps: int, times: str) -> None:
    model, other = network(), network()
    with limen.watch(model) as w:
        train(other, steps)
    first, *rest = w.diagnosis().splitlines()
    assert first == "no training step was seen"
    told = " ".join(" ".join(rest).split())
    assert told.startswith(f"note Nothing that limen.watch was given was trained: optimisers stepped {times} and")
    assert told.endswith("limen.watch() watches all that is trained.")


def test_another_model_beside_the_one_that_is_watched_is_not_spoken_of() -> None:
    model, other = network(), network()
    with limen.watch(model) as w:
        train(other, 10)
        train(model, 30)
        train(other, 10)
    assert w.vitals.notes == ()
    with limen.watch() as w:
        pass
    assert w.vitals.notes == ()


def test_weights_that_are_all_zero_are_not_blamed_on_the_bias() -> None:
    model = network()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    with limen.watch(model) as w:
        train(model)
    assert [f.where for f in w.findings if f.symptom == "dead-units"] == ["1", "3"]
    assert "bad-bias" not in {cause.name for f in w.findings for cause in f.causes}
