"""Every program behaves under the launcher as it does under python: output, traceback, exit code, to the byte."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.launch.programs import PROGRAMS

DRIVER = Path(__file__).parent / "driver.py"
ARGUMENTS = ("--help", "a b", "--", "-m", "--strict")
ADDRESS = re.compile(rb"0x[0-9a-f]+")

Result = tuple[int, bytes, bytes]


def run(folder: Path, *command: str, **more: str) -> Result:
    environment = {**os.environ, "NOTES": str(folder / "notes"), "PYTHONDONTWRITEBYTECODE": "1", **more}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, input=b"typed\n", capture_output=True, timeout=60
    )
    return done.returncode, ADDRESS.sub(b"0x", done.stdout), ADDRESS.sub(b"0x", done.stderr)


def write(folder: Path, program: str) -> None:
    (folder / "neighbour.py").write_text("X = 5\n")
    (folder / "broken_neighbour.py").write_text("x = (\n")
    (folder / "prog.py").write_bytes(program.encode("latin-1"))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_script_cannot_tell_the_launcher_from_python(program: str, tmp_path: Path) -> None:
    write(tmp_path, program)
    assert run(tmp_path, str(DRIVER), "prog.py", *ARGUMENTS) == run(tmp_path, "prog.py", *ARGUMENTS)


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_module_cannot_tell_the_launcher_from_python(program: str, tmp_path: Path) -> None:
    write(tmp_path, program)
    assert run(tmp_path, str(DRIVER), "-m", "prog", *ARGUMENTS) == run(tmp_path, "-m", "prog", *ARGUMENTS)


@pytest.mark.parametrize("path", ["./prog.py", "../{here}/prog.py", "link.py", "{absolute}"])
def test_the_path_is_kept_as_python_keeps_it(path: str, tmp_path: Path) -> None:
    write(tmp_path, PROGRAMS["names of the main module"] + "raise ValueError")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.py").symlink_to((tmp_path / "prog.py").rename(tmp_path / "elsewhere" / "prog.py"))
    (tmp_path / "prog.py").write_bytes((tmp_path / "elsewhere" / "prog.py").read_bytes())
    path = path.format(here=tmp_path.name, absolute=tmp_path / "prog.py")
    assert run(tmp_path, str(DRIVER), path) == run(tmp_path, path)


@pytest.mark.parametrize("name", ["no_such_module", "package", "package.bare", "neighbour.inner", ".x", "prog.py"])
def test_a_module_that_cannot_be_run_gets_the_words_of_python(name: str, tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "package" / "bare").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").touch()
    assert run(tmp_path, str(DRIVER), "-m", name) == run(tmp_path, "-m", name)


def test_a_package_is_run_by_its_main(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("print('init')")
    (tmp_path / "package" / "__main__.py").write_text("from package import __path__\nprint(__package__)\nraise OSError")
    assert run(tmp_path, str(DRIVER), "-m", "package") == run(tmp_path, "-m", "package")


def test_a_script_with_a_null_byte_or_foreign_bytes_gets_the_words_of_python(tmp_path: Path) -> None:
    for content in (b"x = 1\0\n", b"\x89PNG\r\n\x1a\n", b"# coding: no-such\n", b"\xff\xfeprint()"):
        (tmp_path / "prog.py").write_bytes(content)
        found = run(tmp_path, str(DRIVER), "prog.py")
        assert found == run(tmp_path, "prog.py")
        assert found[0] == 1


def told(folder: Path) -> list[str]:
    return (folder / "notes").read_text().splitlines()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("empty", 0),
        ("exit 3", 3),
        ("exit -1", 255),
        ("exit with words", 1),
        ("raises", 1),
        ("interrupted", -2),
        ("interrupted by a derived class", 1),
        ("terminated", -15),
        ("terminated with a handler of its own", 7),
        ("forks and lets the child end by itself", 0),
        ("thread that outlives main", 0),
    ],
)
def test_the_companion_is_told_once_how_it_ended(name: str, code: int, tmp_path: Path) -> None:
    write(tmp_path, PROGRAMS[name])
    assert run(tmp_path, str(DRIVER), "prog.py")[0] == code
    assert told(tmp_path) == [f"ended {code % 256 if code > 0 else code}"]


def test_the_companion_may_change_the_exit_code(tmp_path: Path) -> None:
    write(tmp_path, "print('x')")
    assert run(tmp_path, str(DRIVER), "prog.py", LEAVE_WITH="3") == (3, b"x\n", b"")


def test_the_companion_hears_of_torch_when_the_script_has_imported_it(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("print('torch loads', type(__loader__).__name__, __spec__.loader)")
    write(
        tmp_path,
        """
        import importlib.util, sys, os
        print(importlib.util.find_spec("torch").name, "torch" in sys.modules)
        import torch
        noted = os.path.exists(os.environ["NOTES"])
        print(vars(torch.__loader__), [type(f) for f in sys.meta_path])
        sys.exit(int(noted))
        """.replace("        ", ""),
    )
    code, *output = run(tmp_path, "prog.py")
    assert run(tmp_path, str(DRIVER), "prog.py") == (code + 1, *output)
    assert told(tmp_path) == ["torch", "ended 1"]


def test_a_second_signal_kills_while_the_first_is_being_answered(tmp_path: Path) -> None:
    write(tmp_path, "import os, time\nprint('up', flush=True)\ntime.sleep(30)")
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import sys, time\n"
        "from limen.launch import launch, script_target\n"
        "class Slow:\n"
        "    def torch_is_here(self): pass\n"
        "    def program_ended(self, code):\n"
        "        time.sleep(30)\n"
        "        return code\n"
        "launch(script_target('prog.py', ()), Slow())\n"
    )
    with subprocess.Popen([sys.executable, str(slow)], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        time.sleep(0.5)
        process.terminate()
        assert process.wait(10) == -15


def test_output_and_traceback_keep_their_order_in_one_pipe(tmp_path: Path) -> None:
    write(tmp_path, "import atexit; atexit.register(print, 'bye')\nprint('one')\nraise ValueError('two')")
    joined = [
        subprocess.run(
            [sys.executable, *command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "NOTES": str(tmp_path / "notes")},
        ).stdout
        for command in (["prog.py"], [str(DRIVER), "prog.py"])
    ]  # fmt: skip
    assert joined[0] == joined[1]
