"""``limen run`` from end to end: the script notices nothing, and what was seen is told."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from limen import vitals
from limen.journal import read
from limen.ranks import Ranks
from tests.cli.meanwhile import at_the_end
from tests.cli.programs import ENDS, SICK, TRAINS
from tests.cli.warm import run_module, run_script

LIMEN = ("-m", "limen", "run")
HEALTHY = "healthy: 1 site, 30 steps watched\n"
REPORT = "report: limen-report.html\n"


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder), **more}


def start(folder: Path, *command: str, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *command: str, **more: str) -> tuple[int, str, str]:
    """In a new process."""
    begun = time.monotonic()
    with start(folder, *command, **more) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, at_the_end(err, begun)


def python(folder: Path, script: str) -> tuple[int, str, str]:
    """In a process that has loaded torch already."""
    return run_script(script, folder=folder, environment=environment(folder))


def limen(folder: Path, *command: str, **more: str) -> tuple[int, str, str]:
    """In another such process."""
    begun = time.monotonic()
    code, out, err = run_module("limen", *command, folder=folder, environment=environment(folder, **more))
    return code, out, at_the_end(err, begun)


@functools.cache
def trained() -> tuple[int, str, str]:
    """How the plain training ends without limen, once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text(TRAINS)
        return python(Path(folder), "train.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAINS)
    (tmp_path / "sick.py").write_text(SICK)
    return tmp_path


IN_A_NEW_PROCESS = {"in order", "workers that are forked"}


@pytest.mark.parametrize("end", ENDS)
def test_a_training_ends_with_the_bytes_of_python_and_then_the_verdict(end: str, folder: Path) -> None:
    (folder / "train.py").write_text(TRAINS + ENDS[end])
    if end in IN_A_NEW_PROCESS:
        (code, out, err), watched = run(folder, "train.py"), run(folder, *LIMEN, "train.py")
    else:
        (code, out, err), watched = python(folder, "train.py"), limen(folder, "run", "train.py")
    watched_code, watched_out, watched_err = watched
    assert (watched_code, watched_out) == (code, out)
    assert watched_err.startswith(err)
    told = watched_err[len(err) :]
    if code == 0:
        assert re.fullmatch(r"healthy: 1 site, 3\d steps watched\nreport: limen-report\.html\n", told)
    else:
        assert re.fullmatch(
            rf"limen: the script ended with exit code {code}; up to there:\nhealthy: 1 site, 3\d steps watched\n"
            rf"report: limen-report\.html · journal: limen-\w+/train\.limen\n",
            told,
        )


def test_the_report_is_written_where_it_was_asked_for_also_after_an_error(folder: Path) -> None:
    (folder / "train.py").write_text(f"{TRAINS}\nraise ValueError('late')")
    options = ("--report", "a.html", "--json", "a.json", "--journal", "a.limen", "--budget", "every")
    code, _, err = limen(folder, "run", *options, "train.py", "--json", "its own")
    assert code == 1
    ended = "limen: the script ended with exit code 1; up to there:\n"
    assert err.endswith(f"ValueError: late\n{ended}{HEALTHY}report: a.html · JSON: a.json · journal: a.limen\n")
    told = json.loads((folder / "a.json").read_text())
    assert (told["verdict"], told["steps"], told["script"]) == ("healthy", 30, "train.py")
    assert "<html" in (folder / "a.html").read_text()
    assert limen(folder, "report", "a.limen") == (0, ended + HEALTHY, "")
    assert not (folder / "limen-report.html").exists()


def test_nothing_but_the_report_stays_behind_after_a_healthy_run(folder: Path) -> None:
    python(folder, "train.py")  # torch itself leaves a folder in the temporary one
    before = {path.name for path in folder.iterdir()}
    assert limen(folder, "run", "train.py")[2] == HEALTHY + REPORT
    assert {path.name for path in folder.iterdir()} - before == {"limen-report.html"}


def test_a_module_is_watched_like_a_script(folder: Path) -> None:
    code, out, err = limen(folder, "run", "-m", "train", "--help")
    assert (code, out, err) == (0, trained()[1], HEALTHY + REPORT)


WATCHES = """
import limen
watch = limen.watch(net, optimiser, treat="safe", strict=True, journal="a.limen")
with watch as w:
{training}
w.report("own.html")
print(w.diagnosis(), w.vitals.step, len(w.findings), w.to_json()["verdict"], flush=True)
"""


def test_a_script_that_watches_itself_runs_on_and_gets_its_reports(folder: Path) -> None:
    before, loop = TRAINS.split("for _ in", 1)
    loop, _ = loop.split("print(", 1)
    indented = "".join(f"    {line}\n" for line in f"for _ in{loop}".splitlines())
    (folder / "train.py").write_text(before + WATCHES.format(training=indented))
    bare = python(folder, "train.py")
    assert bare == (0, "healthy: 1 site, 30 steps watched 30 0 healthy\n", "")
    for options in ((), ("--journal", "a.limen"), ("--journal", "b.limen")):
        (folder / "own.html").unlink()
        code, out, err = limen(folder, "run", *options, "train.py")
        assert (code, out) == bare[:2]
        assert "its own treat='safe', strict=True have no effect" in err
        assert HEALTHY in err
        assert (folder / "own.html").exists()
        assert limen(folder, "report", "a.limen")[:2] == (0, HEALTHY)


@pytest.mark.parametrize("first", ["from limen import watch", "from limen.activations import get"])
def test_a_script_that_imports_limen_before_torch_is_watched_all_the_same(first: str, folder: Path) -> None:
    (folder / "train.py").write_text(f"{first}\n{TRAINS}")
    assert run(folder, *LIMEN, "train.py") == (*trained()[:2], HEALTHY + REPORT)


def test_a_sick_network_is_told_with_the_place_of_its_report(folder: Path) -> None:
    code, _, err = limen(folder, "run", "sick.py")
    assert code == 0
    assert err.startswith("sick: ")
    assert "dead" in err
    assert err.endswith(f"\n{REPORT}")


def test_quiet_says_nothing_of_a_healthy_network_and_the_verdict_of_a_sick_one(folder: Path) -> None:
    assert limen(folder, "run", "--quiet", "train.py")[2] == ""
    assert limen(folder, "run", "--quiet", "sick.py")[2].startswith("sick: ")


@pytest.mark.parametrize(
    ("script", "level", "expected"), [("sick.py", "error", 3), ("sick.py", "warning", 3), ("train.py", "warning", 0)]
)
def test_fail_on_makes_findings_an_exit_code(script: str, level: str, expected: int, folder: Path) -> None:
    code, _, err = limen(folder, "run", "--fail-on", level, script)
    assert code == expected
    assert (f"exit code 3, asked for by --fail-on {level}" in err) == (expected == 3)


def test_fail_on_leaves_the_exit_code_of_a_script_that_failed(folder: Path) -> None:
    (folder / "sick.py").write_text(f"{SICK}\nsys.exit(5)")
    assert limen(folder, "run", "--fail-on", "warning", "sick.py")[0] == 5


@pytest.mark.parametrize(
    ("script", "reason"),
    [("print(1)", "it did not import torch"), ("import torch\nprint(1)", "it called neither backward")],
)
def test_a_script_that_never_trains_is_told_so_and_leaves_nothing_behind(
    script: str, reason: str, folder: Path
) -> None:
    (folder / "train.py").write_text(script)
    python(folder, "train.py")  # torch itself leaves a folder in the temporary one
    before = set(folder.iterdir())
    loaded = "torch" in script
    code, out, err = limen(folder, "run", "train.py") if loaded else run(folder, *LIMEN, "train.py")
    assert (code, out) == (0, "1\n")
    assert err.startswith(f"limen: no training step was seen in train.py: {reason}")
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("end", ["raise SystemExit(4)", "import torch; torch.ones(2) @ torch.ones(3)", "1 +", "1 / 0"])
def test_of_a_script_that_fails_before_it_trains_nothing_is_said_and_nothing_left(end: str, folder: Path) -> None:
    (folder / "train.py").write_text(f"print(1)\n{end}")
    bare = python(folder, "train.py")
    before = set(folder.iterdir())
    assert (limen(folder, "run", "train.py") if "torch" in end else run(folder, *LIMEN, "train.py")) == bare
    assert bare[0] != 0
    assert set(folder.iterdir()) == before


def test_an_option_after_a_script_that_refuses_it_gets_a_hint_and_every_other_end_gets_none(folder: Path) -> None:
    (folder / "train.py").write_text("import argparse; argparse.ArgumentParser().parse_args()")
    for option in ("--treat=safe", "--no-such"):
        code, out, err = run(folder, "train.py", option)
        watched = run(folder, *LIMEN, "train.py", option)
        assert (watched[:2], code) == ((code, out), 2)
        hint = (
            "limen: --treat was given to the script, as all that follows it is. "
            "If it is meant for limen: limen run --treat … train.py\n"
        )
        assert watched[2] == err + (hint if option != "--no-such" else "")
    (folder / "train.py").write_text("raise SystemExit(1)")
    assert run(folder, *LIMEN, "train.py", "--treat", "safe") == (1, "", "")


def test_what_is_replaced_is_said_to_be_and_an_older_run_is_kept(folder: Path) -> None:
    options = ("--json", "a.json", "--journal", "a.limen")
    first = limen(folder, "run", *options, "train.py")[2]
    assert first == f"{HEALTHY}report: limen-report.html · JSON: a.json · journal: a.limen\n"
    for number in (1, 2):
        again = limen(folder, "run", *options, "train.py")[2]
        assert again == (
            f"{HEALTHY}report: limen-report.html (replaced) · JSON: a.json (replaced) · "
            f"journal: a.limen (the older run is now a.limen.{number})\n"
        )
        assert limen(folder, "report", f"a.limen.{number}")[:2] == (0, HEALTHY)


def test_a_script_that_sets_the_threads_before_importing_torch_gets_them(folder: Path) -> None:
    script = "import os; os.environ['OMP_NUM_THREADS'] = '2'\nimport torch; print(torch.get_num_threads())"
    (folder / "train.py").write_text(script)
    assert run(folder, *LIMEN, "train.py")[1] == run(folder, "train.py")[1]


ENDLESS = TRAINS.replace("range(30)", "iter(int, 1)").replace("    x = ", "    print('step', flush=True)\n    x = ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_training_as_in_python_and_the_report_is_written(number: int, folder: Path) -> None:
    (folder / "train.py").write_text(ENDLESS)
    with start(folder, *LIMEN, "--report", "a.html", "--journal", "a.limen", "train.py") as process:
        assert process.stdout is not None
        for _ in range(60):
            process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == -number
    assert ("KeyboardInterrupt" in err) == (number == signal.SIGINT)
    assert str(Path(vitals.__file__).parent.parent) not in err
    assert '"<string>"' not in err
    assert "steps watched" in err
    assert (folder / "a.html").exists()
    assert f"limen: the script was ended by {signal.Signals(number).name}; up to there:\n" in err
    assert err.endswith("\nreport: a.html · journal: a.limen\n")
    assert limen(folder, "report", "a.limen")[0] == 0


def test_after_a_kill_the_journal_gives_the_report(folder: Path) -> None:
    (folder / "train.py").write_text(ENDLESS)
    with start(folder, *LIMEN, "--journal", "a.limen", "train.py") as process:
        assert process.stdout is not None
        process.stdout.readline()
        begun = time.monotonic()
        while time.monotonic() - begun < 4.0:  # the journal holds all but at most the last 2 s
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=60)
    code, out, err = limen(folder, "report", "a.limen", "--html", "again.html", "--json", "again.json")
    assert code == 0
    assert out.startswith("limen: this run did not finish: it was killed, or it is still running; up to there:\n")
    assert "watched" in out
    assert err == "report: again.html · JSON: again.json\n"
    assert json.loads((folder / "again.json").read_text())["steps"] > 30
    assert (folder / "again.html").exists()


FILLS_THE_DISK = """
import os, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize("a.limen"),) * 2)
"""


def test_a_full_disk_ends_the_journal_with_one_sentence_and_not_the_training(folder: Path) -> None:
    script = TRAINS.replace("for _ in range(30)", f"{FILLS_THE_DISK}\nfor _ in range(30)")
    (folder / "train.py").write_text(script)
    (folder / "a.limen").touch()  # so that the script runs without limen as well
    expected = run(folder, "train.py")  # a new process writes to a pipe, which is no file
    code, out, err = run(folder, *LIMEN, "--journal", "a.limen", "--report", "/dev/null", "train.py")
    assert (code, out) == expected[:2]
    told, *verdict = err.splitlines()
    assert re.fullmatch(r"limen: The journal '.*a\.limen' is no longer written \(.*\)\. The training goes on; .*", told)
    assert verdict == [HEALTHY.strip(), "report: /dev/null · journal: a.limen"]


def test_a_further_process_of_a_distributed_run_says_nothing_and_keeps_its_journal(folder: Path) -> None:
    options = ("--json", "a.json", "--fail-on", "warning")
    code, _, err = limen(folder, "run", *options, "sick.py", RANK="1", WORLD_SIZE="2", MASTER_ADDR="a", MASTER_PORT="1")
    assert (code, err) == (0, "")
    (journal,) = folder.glob("limen-ranks-*/*")
    assert journal.name == "sick.rank1.limen"
    assert read(journal).ranks == Ranks("a:1", 2, (1,))
    assert {path.suffix for path in folder.iterdir() if path.is_file()} == {".py"}


def test_the_report_falls_back_to_a_temporary_folder_and_says_so(folder: Path) -> None:
    script = f"import os, runpy; os.chdir({str(folder)!r}); runpy.run_path({str(folder / 'train.py')!r})"
    (folder / "elsewhere.py").write_text(script)
    elsewhere = str(folder / "elsewhere.py")
    *_, err = run_module("limen", "run", elsewhere, folder=Path("/proc"), environment=environment(folder))
    *_, last = err.splitlines()
    assert re.fullmatch(rf"report: {folder}/limen-\w+/limen-report.html \(/proc cannot be written\)", last)
    assert Path(last.split()[1]).exists()


def test_what_is_wrong_with_limen_itself_is_told_in_one_line_and_the_training_goes_on(folder: Path) -> None:
    (folder / "train.py").write_text(f"import sys\nsys.modules['limen.watch'] = None\n{TRAINS}")
    code, out, err = run(folder, *LIMEN, "train.py")
    assert (code, out) == trained()[:2]
    assert re.fullmatch(r"limen: cannot watch, the script runs on without \(.*\)\. --strict shows where\.\n", err)
    assert not list(folder.glob("limen-*"))
    assert run(folder, *LIMEN, "--strict", "train.py")[0] == 1
