"""``limen check`` from its arguments to its exit code."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
import torch

from limen.cli.app import main
from limen.cli.check.command import show
from limen.cli.check.inputs import tensor_of
from limen.preflight import preflight
from tests.cli.check import nets
from tests.cli.check.batches import packed

NETS = Path(__file__).with_name("nets.py")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["limen", "check", *arguments])
        monkeypatch.setattr(sys, "path", [*sys.path])
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    return run


def of(name: str) -> str:
    return f"{NETS}:{name}"


def test_a_sound_model_gets_a_short_word(told) -> None:
    code, out, err = told(of("sound"), "--loss", "cross-entropy")
    assert code == 0
    assert out.startswith("limen     Sequential is ready to train: nothing wrong was found.\n")
    assert "2 layers, 1 activation, 67 parameters" in out
    assert "sample    32x4, guessed" in out
    assert len(out.splitlines()) == 3
    assert err == ""


def test_a_sick_model_is_told_what_and_why_and_what_to_do(told) -> None:
    code, out, _ = told(of("sick"), "--loss", "cross-entropy")
    assert code == 0
    assert "not ready to train: 1 warning.\n" in out
    for words in (
        "output-loss-mismatch at layer 3",
        "  what ",
        "  why ",
        "  do ",
        "limen explain output-loss-mismatch",
    ):
        assert words in out
    assert max(map(len, out.splitlines())) <= 96


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_figures_are_the_same_each_time(told) -> None:
    first, second = ([line for line in told(of("deep"))[1].splitlines() if " pass over " not in line] for _ in range(2))
    assert first == second
    assert any("too-deep-without-normalisation" in line for line in first)


def test_a_terminal_shows_severities_in_colour_and_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    result = preflight(nets.sick(), torch.randn(8, 4), loss="cross-entropy")
    shown = Terminal()
    show(result, shown)
    text = shown.getvalue()
    assert "\x1b[1;33mSequential is not ready to train: 1 warning." in text
    assert "\x1b[1;33mwarning   \x1b[0m\x1b[1moutput-loss-mismatch at layer 3" in text
    bare = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]
    assert bare == str(result).splitlines()


def test_fix_shows_what_it_changes_and_what_is_left(told) -> None:
    code, out, _ = told(of("sick"), "--loss", "cross-entropy", "--fix", "--fail-on", "warning")
    assert "fix() changes:\n- 3: Softmax(dim=-1)\n+ 3: Identity()  (output-loss-mismatch)\n" in out
    assert out.rstrip().splitlines()[-2].startswith("limen     Sequential is ready to train")
    assert code == 3  # the model in its file is what it was


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [("sick", "warning", 3), ("sick", "error", 0), ("dead", "error", 3), ("sound", "warning", 0)],
)
def test_findings_decide_the_exit_code_where_asked(told, name: str, level: str, expected: int) -> None:
    assert told(of(name), "--loss", "cross-entropy", "--fail-on", level)[0] == expected


def test_the_json_holds_what_the_text_says(told, tmp_path: Path) -> None:
    path = tmp_path / "check.json"
    _, _, err = told(of("dead"), "--json", str(path))
    held = json.loads(path.read_text())
    assert (held["schema"], held["verdict"], held["layers"], held["activations"]) == (1, "sick", 2, 1)
    assert [(one["causes"][0]["name"], one["where"], one["step"]) for one in held["findings"]] == [
        ("bad-initialisation", "0", 0)
    ]
    assert str(path) in err


@pytest.mark.parametrize("name", ["pair", "Words", "Square", "ready"])
def test_functions_classes_and_models_are_called_with_what_fits(told, name: str) -> None:
    assert told(of(name))[0] == 0


def test_several_inputs_are_several_arguments(told) -> None:
    assert told(of("Two"), "--input", "5x3", "--input", "5x4")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nets"], "expected MODULE:FACTORY"),
        (["no_such_module:build"], "no module is named 'no_such_module'"),
        (["no/such/file.py:build"], "there is no file no/such/file.py"),
        ([of("sond")], "named 'sond'. Did you mean 'sound'?"),
        ([of("needs")], "it needs width, depth. Write a function without arguments"),
        ([of("fails")], "the factory raised KeyError: 'weights.pt' (nets.py, line"),
        ([of("none")], "returned NoneType; expected a torch.nn.Module"),
        ([of("NUMBER")], "int cannot be called"),
        ([of("lazy"), "--input", "2x3"], "not known before the model's first call"),
        ([of("sound"), "--input", "3x5"], "0 (Linear(in_features=4"),
        ([of("sound"), "--input", "3 by 5"], "--input 3 by 5: expected sizes"),
        ([of("sound"), "--input", "3x5:int7"], "Types: float32"),
        ([of("sound"), "--input", "0x5"], "expected more than none"),
        ([of("sound"), "--input", "99999x99999x99"], "less than 2,147,483,648"),
        ([of("sound"), "--loss", "cross-entropi"], "Did you mean 'cross-entropy'?"),
        ([of("Two")], "cannot be guessed"),
        ([of("Nameless")], "cannot be guessed. Say it: --input"),
        ([of("sound"), "--input", "3x4", "--batch", "x"], "Give one of them"),
        ([of("sound"), "--batch", "no-such.safetensors"], "No such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_mistake_is_one_line_and_exit_code_2(told, arguments: list[str], words: str) -> None:
    code, out, err = told(*arguments)
    assert code == 2
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_types_and_limits_of_an_input() -> None:
    words = nets.Words()
    ids = tensor_of("4x16", words)
    assert ids.dtype == torch.int64
    assert int(ids.max()) < 11
    assert int(tensor_of("4x16:int64<3", words).max()) < 3
    assert tensor_of("4,16:float32", words).dtype == torch.float32
    assert torch.equal(tensor_of("4x4", nets.sound()), tensor_of("4x4", nets.sound()))
    model, state = nets.sound(), torch.get_rng_state()
    tensor_of("4x4", model)
    assert torch.equal(state, torch.get_rng_state())


def test_a_batch_is_read_with_its_target(told, tmp_path: Path) -> None:
    path = tmp_path / "batch.safetensors"
    path.write_bytes(packed({"x": torch.randn(8, 4), "labels": torch.arange(8) % 3}))
    code, out, _ = told(of("sick"), "--batch", str(path), "--loss", "cross-entropy")
    assert code == 0
    assert "output-loss-mismatch" in out
