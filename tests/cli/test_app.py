import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from limen import __version__
from limen.cli import options
from limen.cli.app import app, main
from limen.manual import names
from limen.preflight.losses import LOSSES

NAMES = ("run", "check", "explain", "functions", "report", "env", "demo")


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``limen`` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["limen", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert isinstance(left.value.code, int)
    return left.value.code, *capsys.readouterr()


def test_a_mistake_names_its_command_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, stderr = told(capsys, monkeypatch, "check", "no_such_file.py:build")
    assert (code, stderr.count("limen")) == (2, 1)
    assert told(capsys, monkeypatch, "explain", "no-such-name")[2].startswith("limen: No symptom")


def test_help_names_every_loss_that_can_be_named() -> None:
    shown = re.sub(r"\s+", "", CliRunner().invoke(app, ["check", "--help"]).output)  # a name may be broken at a hyphen
    assert all(name in shown for name in LOSSES)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["functions", "--help"], ["--version"], ["run", "no-such-file.py"]]
)
def test_help_and_mistakes_load_neither_torch_nor_plotly_nor_numpy(arguments: list[str]) -> None:
    probe = (
        "import sys\nfrom limen.__main__ import main\n"
        f"sys.argv = ['limen', *{arguments!r}]\n"
        "try:\n    main()\nfinally:\n"
        "    print([name for name in ('torch', 'plotly', 'numpy', 'jinja2') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout.endswith("[]\n")


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(f" {name} " in shown for name in NAMES)


@pytest.mark.parametrize("command", [(), *((name,) for name in NAMES)])
def test_the_short_help_is_the_long_one_and_names_no_types(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = (told(capsys, monkeypatch, *command, option) for option in ("-h", "--help"))
    assert short == long
    assert short[0] == 0
    assert not re.search(r"<\w+>|\[\[", short[1])
    assert max(map(len, short[1].splitlines())) <= 80


def test_the_help_of_run_names_every_option_and_what_is_overwritten(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = " ".join(told(capsys, monkeypatch, "run", "--help")[1].split())
    assert all(f" {name} " in words for name in options.NAMES)
    assert "default: limen-report.html" in words
    assert "renamed to NAME.limen.1" in words


def test_explain_alone_lists_the_names_by_kind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, monkeypatch, "explain")
    assert code == 0
    listed = {block.splitlines()[0]: block.split()[1:] for block in out.split("\n\n")[:-1]}
    assert list(listed) == ["symptoms", "causes", "remedies", "words", "activations"]
    assert list(listed.values()) == [list(known) for known in names().values()]


@pytest.mark.parametrize("written", [["Dead Units"], ["dead", "units"], ["DEAD_UNITS"]])
def test_a_name_is_found_however_it_is_written(
    written: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, monkeypatch, "explain", *written)
    assert code == 0
    assert out.startswith("dead-units (symptom)")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(capsys, monkeypatch, "--version") == (0, f"limen {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], r"limen run: Missing argument 'SCRIPT'. Try: limen run --help"),
        (["run", "--no-such", "x.py"], "limen run: No such option: --no-such"),
        (
            ["run", "--treat", "all", "x.py"],
            "limen run: Invalid value for '--treat': 'all' is not one of 'off', 'safe'",
        ),
        (["run", "--fail-on", "info", "x.py"], "limen run: Invalid value for '--fail-on': 'info' is not one of"),
        (["run", "--budget", "2", "x.py"], "limen: --budget: expected a share of the run above 0 and up to 1"),
        (["run", "--budget", "nan", "x.py"], "limen: --budget: expected a share"),
        (["run", "--budget", "all", "x.py"], "or 'every'; found 'all'."),
        (["run", "no-such.py"], "limen: asked to run 'no-such.py', but there is no such file in "),
        (["run", "."], "limen: asked to run '.', which is a folder."),
        (["run", "--report", "no/such/a.html", "x.py"], "limen: --report: asked to write "),
        (["run", "--json", ".", "x.py"], "which is a folder. Name a file in it."),
        (["run", "--journal", "/proc/a.limen", "x.py"], "which is not possible (No such file or directory). Name"),
        (["explain", "dead-unit"], "Did you mean 'dead-units'?"),
        (["explain", "gleu"], "Did you mean 'gelu'?"),
        (["report", "no-such.limen"], "no-such.limen"),
        (["no-such"], "limen: No such command 'no-such'"),
    ],
)
def test_a_mistake_is_answered_in_one_line_and_exit_code_2(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.py").write_text("raise SystemExit('it ran')")
    code, out, err = told(capsys, monkeypatch, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_without_a_command_the_help_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = told(capsys, monkeypatch)
    assert code == 2
    assert "Commands:" in out + err


@pytest.mark.parametrize("content", [b"", b"not a journal", b"SQLite format 3\0" + bytes(84), b"\x7fELF" * 999])
def test_what_is_no_journal_is_said_to_be_none(
    content: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.limen").write_bytes(content)
    code, out, err = told(capsys, monkeypatch, "report", str(tmp_path / "a.limen"))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert str(tmp_path / "a.limen") in err


def test_a_report_that_cannot_be_written_is_found_before_the_journal_is_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, _, err = told(capsys, monkeypatch, "report", "no-such.limen", "--html", str(tmp_path / "gone" / "a.html"))
    assert code == 2
    assert f"there is no folder {tmp_path / 'gone'}" in err


def test_env_names_versions_machine_and_kernel(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, monkeypatch, "env")
    assert code == 0
    names = [line.split()[0] for line in out.splitlines()]
    assert names == [
        "limen",
        "python",
        "torch",
        "numpy",
        "platform",
        "cpu",
        "threads",
        "cuda",
        "kernels",
        "functions",
        "hooks",
    ]
    assert f"limen       {__version__}" in out


@pytest.mark.parametrize(
    ("name", "heading"), [("dead-units", "Why it matters:"), ("gelu", "Source:"), ("clip-gradients", "Call torch")]
)
def test_explain_prints_the_manual_page(
    name: str, heading: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, monkeypatch, "explain", name)
    assert code == 0
    assert out.startswith(f"{name} (")
    assert f"\n\n  {heading}" in out
    assert "``" not in out
