import io
import math
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from limen.cli.live import INTERVAL, PlainLines, live, progress_text
from limen.findings import Finding
from limen.progress import Progress
from tests.cli.meanwhile import at_the_end
from tests.cli.programs import TRAINS
from tests.cli.terminal import in_terminal, replay
from tests.cli.warm import run_script

PROGRESS = Progress(
    step=1240,
    loss=0.43125,
    worst_site="fc2",
    dead_share=0.384,
    gradient_ratio=0.0213,
    overhead=0.0084,
    spent=2.31,
    free=False,
    sites=3,
    findings=(),
    treatments=(),
)
FINDING = Finding(
    "dead-units", "error", "fc2", "fc2", (1,), 100, 0.6, 0.5, "share of units", 0.9, (), ("revive-units",), "words"
)


def test_the_line_shows_step_loss_worst_site_dead_share_gradient_ratio_and_cost() -> None:
    assert progress_text(PROGRESS).plain == (
        "limen  step 1,240 · loss 0.4313 · fc2 38% dead · gradient first/last 0.021 · watching costs 0.8%"
    )


def test_what_is_not_known_is_not_shown() -> None:
    unknown = replace(PROGRESS, loss=math.nan, worst_site="", gradient_ratio=math.nan)
    assert progress_text(unknown).plain == "limen  step 1,240 · watching costs 0.8%"


def test_what_is_within_the_free_seconds_is_told_in_seconds_and_not_as_an_alarming_share() -> None:
    small = replace(PROGRESS, overhead=0.54, spent=0.84, free=True)
    assert progress_text(small).plain.endswith(" · watching took 0.8 s")


def test_the_first_open_finding_is_named_and_a_closed_one_is_not() -> None:
    assert "· dead-units at fc2 ·" in progress_text(replace(PROGRESS, findings=(FINDING,))).plain
    titled = replace(PROGRESS, findings=(FINDING,), titles={"fc2": "relu after layer 2"})
    assert "· dead-units at relu after layer 2 ·" in progress_text(titled).plain
    closed = replace(FINDING, closed=200)
    assert "dead-units" not in progress_text(replace(PROGRESS, findings=(closed,))).plain


@pytest.mark.parametrize(
    ("findings", "style"),
    [
        ((), ""),
        ((FINDING,), "bold red"),
        ((replace(FINDING, severity="warning"),), "yellow"),
        ((replace(FINDING, severity="info"),), ""),
        ((replace(FINDING, closed=200),), ""),
        ((replace(FINDING, symptom="not-learning"),), ""),
    ],
)
def test_dead_units_are_coloured_only_where_a_finding_stands_behind_them(
    findings: tuple[Finding, ...], style: str
) -> None:
    text = progress_text(replace(PROGRESS, findings=findings))
    start = text.plain.index("fc2 38%")
    styles = {str(span.style) for span in text.spans if span.start <= start < span.end} - {""}
    assert styles == ({style} - {""})


def test_elsewhere_than_on_a_terminal_a_plain_line_comes_every_ten_seconds() -> None:
    stream, now = io.StringIO(), [0.0]
    view = live(stream, None, "the note", lambda: now[0])
    assert isinstance(view, PlainLines)
    for tenth in range(int(10 * (2 * INTERVAL + 1))):
        now[0] = tenth / 10
        view(PROGRESS)
    line = progress_text(PROGRESS).plain
    assert stream.getvalue() == f"the note\n{line}\n{line}\n"


def test_other_tests_pass_over_these_lines_in_a_run_that_lasted_and_in_no_other() -> None:
    stream, now = io.StringIO(), [0.0]
    view = live(
        stream, None, "limen  if this run gets killed, see what it did with: limen report a.limen", lambda: now[0]
    )
    for now[0] in (INTERVAL, 2 * INTERVAL):
        view(replace(PROGRESS, free=now[0] == INTERVAL))
    told = f"of the script\n{stream.getvalue()}healthy\n"
    assert told.count("\n") == 5
    assert at_the_end(told, time.monotonic() - INTERVAL) == "of the script\nhealthy\n"
    assert at_the_end(told, time.monotonic()) == told


def test_nothing_comes_after_the_end_or_on_a_closed_stream() -> None:
    stream, now = io.StringIO(), [0.0]
    view = live(stream, None, "", lambda: now[0])
    stream.close()
    now[0] = INTERVAL
    view(PROGRESS)
    other = io.StringIO()
    view = live(other, None, "", lambda: now[0])
    view.close()
    now[0] = 10 * INTERVAL
    view(PROGRESS)
    assert other.getvalue() == ""


SLOW = TRAINS.replace("import sys", "import sys, time").replace(
    "    loss =", "    time.sleep(0.05); print('x')\n    loss ="
)


def test_a_training_in_a_terminal_is_shown_live_and_leaves_only_its_own_output_and_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SLOW)
    _, bare, _ = run_script("train.py", folder=tmp_path, environment={**os.environ, "OMP_NUM_THREADS": "1"})
    code, watched = in_terminal("-m", "limen", "run", "train.py", cwd=tmp_path)
    assert code == 0
    drawn = re.findall(r"limen\x1b\[0m  step (\d+)", watched)
    assert len(drawn) >= 3
    assert drawn == sorted(drawn, key=int)
    assert replay(watched) == [*bare.splitlines(), "healthy: 1 site, 30 steps watched", "report: limen-report.html", ""]


def test_a_narrow_terminal_gets_a_line_that_fits(tmp_path: Path) -> None:
    script = """
import os, sys
from limen.cli.live import live
from limen.progress import Progress
view = live(sys.stderr, sys.stdout, "")
view(Progress(1240, 0.43, "a.very.long.name.of.a.site", 0.4, 0.02, 0.008, 2.3, False, 3, (), ()))
os._exit(0)  # before the line is taken away
"""
    (tmp_path / "draws.py").write_text(script)
    (line,) = replay(in_terminal("draws.py", cwd=tmp_path, COLUMNS="40")[1])
    assert len(line) == 39
    assert line.endswith("…")
