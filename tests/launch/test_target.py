import py_compile
import zipfile
from pathlib import Path

import pytest

from limen.errors import InvalidValue
from limen.launch import module_target, script_target


def test_a_script_is_compiled_and_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("x: int = 1")
    target = script_target("./train.py", ("-x",))
    assert (target.name, target.arguments, target.file) == ("./train.py", ("-x",), f"{tmp_path}/./train.py")
    assert target.compiles
    assert not target.is_module


def test_a_module_is_looked_for_by_python_itself() -> None:
    target = module_target("no.such", ())
    assert target.is_module
    assert target.compiles


def test_a_missing_script_is_named_and_the_nearest_one_suggested(tmp_path: Path) -> None:
    (tmp_path / "training.py").touch()
    with pytest.raises(InvalidValue, match=r"no such file in .*\. Did you mean '.*training\.py'\?"):
        script_target(str(tmp_path / "trainig.py"), ())


def test_a_missing_script_without_neighbours_gets_advice(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"no such file in .*\. Check the path; for a module"):
        script_target(str(tmp_path / "gone" / "train.py"), ())


@pytest.mark.parametrize("name", ["python", "python3", "/usr/no/bin/python3.11"])
def test_the_word_python_is_to_be_left_out(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValue, match=r"no such file in .*\. Leave that word out: limen run SCRIPT\."):
        script_target(name, ("train.py",))


def test_torchrun_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValue, match=r"It comes first: torchrun … -m limen run SCRIPT\."):
        script_target("torchrun", ("train.py",))


def test_a_folder_is_refused_and_its_main_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"which is a folder\. Name a script in it\."):
        script_target(str(tmp_path), ())
    (tmp_path / "__main__.py").touch()
    with pytest.raises(InvalidValue, match=r"which is a folder\. Name the script: .*__main__\.py\."):
        script_target(str(tmp_path), ())


def test_what_python_would_run_without_source_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "train.py"
    source.write_text("1")
    compiled = py_compile.compile(str(source), cfile=str(tmp_path / "compiled.py"))
    assert compiled is not None
    with pytest.raises(InvalidValue, match="python byte code"):
        script_target(compiled, ())
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.write(source, "__main__.py")
    with pytest.raises(InvalidValue, match="zip archive"):
        script_target(str(tmp_path / "app.pyz"), ())


def test_a_script_that_does_not_compile_is_left_to_python(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_bytes(b"\x89PNG\0")
    assert not script_target(str(tmp_path / "train.py"), ()).compiles
