"""``limen functions`` as a user types it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from limen.activations import names
from tests.cli.terminal import as_terminal
from tests.cli.test_app import told

USER = """import torch
from torch import nn

def clipped(x):
    return x.clamp(-1, 3)

def mixed(x):
    return x - x.mean()

def nothing(x):
    return 3

module = nn.ELU(0.5)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    Path("own.py").write_text(USER)
    return tmp_path


Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def test_the_table_lists_the_catalogue(capsys: Capture, monkeypatch: Patch) -> None:
    code, out, err = told(capsys, monkeypatch, "functions")
    assert (code, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.startswith("name ")
    assert [row.split()[0] for row in rows] == list(names())
    assert "…" not in out  # nothing is cut where it does not go to a terminal


def test_where_sifts_it(capsys: Capture, monkeypatch: Patch) -> None:
    _, out, _ = told(capsys, monkeypatch, "functions", "--where", "smooth,odd,bounded")
    found = [row.split()[0] for row in out.splitlines()[1:]]
    assert {"tanh", "erf", "arctan", "sin"} <= set(found)
    assert not {"sigmoid", "hardtanh", "softmax", "asinh"} & set(found)
    _, out, _ = told(capsys, monkeypatch, "functions", "--where", "odd,even,bounded")
    assert out == "No function has all of these properties.\n"


def test_a_sheet_says_and_draws_everything(capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = told(capsys, monkeypatch, "functions", "gelu")
    assert code == 0
    assert out.startswith("gelu (elementwise function)\n  f(x) = x Phi(x) with the distribution")
    for wanted in ("-0.169971 to ∞", "at -0.751792", "Range: [-0.16997, inf)", "Hazards: ", "Source: Hendrycks", "f″"):
        assert wanted in out
    assert re.search(r"[\u2801-\u28ff]", out)
    assert "``" not in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("name", names())
def test_every_entry_has_a_sheet(name: str, capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = told(capsys, monkeypatch, "functions", name)
    assert code == 0
    assert out.startswith(f"{name} (")
    assert ("f′" in out) is (name in names(kind="elementwise"))


def test_parameters_are_put_in(capsys: Capture, monkeypatch: Patch) -> None:
    _, out, _ = told(capsys, monkeypatch, "functions", "ELU", "--parameter", "alpha=0.5")
    assert out.startswith("elu(alpha=0.5) (")
    assert "-0.5 to ∞" in out
    _, out, _ = told(capsys, monkeypatch, "functions", "relu", "--parameter", "slope_at_kink=right")
    assert "0 on the left, 1 on the right, 1 there" in out


def test_a_parameter_may_be_several_numbers(capsys: Capture, monkeypatch: Patch) -> None:
    _, out, _ = told(capsys, monkeypatch, "functions", "kan_spline", "--parameter", "coefficients=0,1,2,3,4")
    assert "coefficients = (0, 1, 2, 3, 4)" in " ".join(out.split())


def test_a_picture_says_what_it_could_not_draw(capsys: Capture, monkeypatch: Patch) -> None:
    code, _, err = told(capsys, monkeypatch, "functions", "--compare", "tanh,swiglu", "--plot", "a.svg")
    assert (code, err) == (0, "drawn: a.svg, without swiglu: no function of one number\n")


def test_a_comparison_has_a_column_for_each_and_letters_on_the_lines(capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = told(capsys, monkeypatch, "functions", "--compare", "relu,gelu,softmax")
    assert code == 0
    head = next(line for line in out.splitlines() if "a relu" in line)
    assert head.split() == ["a", "relu", "b", "gelu", "softmax"]
    assert "-0.169971 to ∞" in out


def test_a_function_of_the_user_s_own_is_described(capsys: Capture, monkeypatch: Patch) -> None:
    code, out, _ = told(capsys, monkeypatch, "functions", "own.py:clipped")
    assert code == 0
    assert out.startswith("clipped (described function)")
    assert "at -1: slope 0 on the left, 1 on the right" in out
    assert "nothing is proved" in " ".join(out.split())
    _, out, _ = told(capsys, monkeypatch, "functions", "own:module", "--json")
    (found,) = json.loads(out)["functions"]
    assert (found["kind"], found["kinks"], found["range"]) == ("described", [0.0], [pytest.approx(-0.5), "inf"])
    code, out, _ = told(capsys, monkeypatch, "functions", "--compare", "own:clipped,hardtanh")
    assert code == 0
    assert "b hardtanh" in out


@pytest.mark.parametrize("arguments", [[], ["relu"], ["--where", "head"], ["--compare", "relu,gelu"]])
def test_json_is_one_object(arguments: list[str], capsys: Capture, monkeypatch: Patch) -> None:
    code, out, err = told(capsys, monkeypatch, "functions", *arguments, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["schema"] == 1


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_plot_writes_a_file_and_says_so(ending: str, capsys: Capture, monkeypatch: Patch) -> None:
    code, out, err = told(capsys, monkeypatch, "functions", "gelu", "--x", "-6:6", "--plot", f"a.{ending}")
    assert (code, out, err) == (0, "", f"drawn: a.{ending}\n")
    assert "gelu" in Path(f"a.{ending}").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rleu"], "limen: No activation is named 'rleu'. Did you mean 'relu'?"),
        (["--where", "smoth"], "limen: No property of functions is named 'smoth'. Did you mean 'smooth'?"),
        (["--compare", "relu"], "--compare relu: expected two or more names"),
        (["--compare", "relu,gleu"], "Did you mean 'gelu'?"),
        (["elu", "--parameter", "alpha"], "--parameter alpha: expected NAME=VALUE, as in alpha=0.5."),
        (["elu", "--parameter", "beta=1"], "no such parameter. elu takes alpha"),
        (["elu", "--parameter", "alpha=steep"], "expected a finite number"),
        (["gelu", "--plot", "a.jpg"], "--plot a.jpg: expected a name that ends in .svg, .html or .png."),
        (["gelu", "--plot", "gone/a.svg"], "there is no folder"),
        (["softmax", "--plot", "a.svg"], "softmax: no function of one number, so there is no curve to draw."),
        (["gelu", "--x", "6"], "--x 6: expected LOW:HIGH, as in -6:6."),
        (["gelu", "--x", "6:-6"], "--x 6:-6: expected LOW:HIGH, as in -6:6."),
        (["--plot", "a.svg"], "--plot without NAME or --compare makes no sense."),
        (["gelu", "--where", "odd"], "--where with NAME or --compare makes no sense."),
        (
            ["gelu", "--compare", "relu,elu"],
            "--compare takes all the names. Try: limen functions --compare gelu,relu,elu",
        ),
        (["relu", "gelu"], "expected one NAME. Several side by side: limen functions --compare relu,gelu"),
        (["own.py:"], "limen functions own.py:: expected MODULE:FUNCTION."),
        (["own.py:nothing"], "it made an int of one of shape"),
        (["own.py:mixed"], "describe(mixed): at x = "),
        (["own.py:cliped"], "No function in own.py is named 'cliped'. Did you mean 'clipped'?"),
        (["gone.py:act"], "limen functions gone.py:act: there is no file gone.py."),
        (["own.py:clipped", "--parameter", "a=1"], "--parameter is for entries of the catalogue."),
    ],
)
def test_a_mistake_is_answered_in_one_line(
    arguments: list[str], words: str, capsys: Capture, monkeypatch: Patch
) -> None:
    code, out, err = told(capsys, monkeypatch, "functions", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_a_stream_that_knows_only_ascii_is_given_nothing_else(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "limen", "functions", "--compare", "gelu,squared_relu"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True, timeout=120, cwd=folder,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode("ascii")
    assert "f''" in shown
    assert "0 to inf" in shown
    assert "?" not in shown


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_curves_are_coloured_in_a_terminal_unless_that_is_not_wanted(
    more: dict[str, str], coloured: bool, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    with as_terminal(monkeypatch, **more) as written:
        code, *_ = told(capsys, monkeypatch, "functions", "tanh")
    assert code == 0
    shown = written.decode()
    assert bool(re.search(r"\x1b\[[\d;]*3[0-7]m", shown)) is coloured
    assert re.search(r"[\u2801-\u28ff]", shown)


def test_a_narrow_terminal_is_not_overrun(capsys: Capture, monkeypatch: Patch) -> None:
    with as_terminal(monkeypatch, COLUMNS="48", NO_COLOR="1") as written:
        code, *_ = told(capsys, monkeypatch, "functions", "gelu")
    plain = re.sub(r"\x1b\[[\d;]*m", "", written.decode())
    assert code == 0
    assert max(map(len, plain.splitlines())) <= 48
