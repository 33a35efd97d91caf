"""Which kernels serve, and what is said about it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from limen.errors import InvalidValue
from limen.kernels.library import SWITCH, Library, choose


def test_without_a_compiled_file_torch_serves(tmp_path: Path) -> None:
    library, words = choose(None, tmp_path / "_pass.so")
    assert library is None
    assert words == "torch (not compiled: no C compiler at installation)"


def test_a_file_that_is_no_library_leaves_the_work_to_torch(tmp_path: Path) -> None:
    file = tmp_path / "_pass.so"
    file.write_text("not a library")
    library, words = choose(None, file)
    assert library is None
    assert words.startswith("torch (")


def test_the_library_of_another_version_is_not_used(tmp_path: Path, compiler: str) -> None:
    for number, source in enumerate(("int limen_version(void) { return -1; }", "int other(void) { return 1; }")):
        code, file = tmp_path / "old.c", tmp_path / f"old{number}.so"
        code.write_text(source)
        subprocess.run([compiler, "-shared", "-fPIC", str(code), "-o", str(file)], check=True)
        library, words = choose(None, file)
        assert library is None
        assert words == f"torch ({file.name} was compiled from another version of limen: install limen again)"


def test_the_best_instruction_set_is_used_unless_another_is_wished_for(library: Library | None) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    for path in library.paths:
        chosen, words = choose(path, library.file)
        assert chosen is not None
        assert words == f"compiled ({path})"
    assert choose(None, library.file)[1] == f"compiled ({library.paths[0]})"
    with pytest.raises(InvalidValue, match=rf"{SWITCH}=mmx: expected torch or an instruction set; this machine has"):
        choose("mmx", library.file)


def test_a_wish_that_nothing_answers_to_is_refused(tmp_path: Path) -> None:
    expected = f"{SWITCH}=avx2: expected torch or an instruction set; there are no compiled kernels: not compiled"
    with pytest.raises(InvalidValue, match=re.escape(expected)):
        choose("avx2", tmp_path / "_pass.so")


def test_torch_serves_where_the_user_says_so() -> None:
    code = "import limen.kernels as k; print(k.IN_USE, k.measure.__module__)"
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, SWITCH: "torch"}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split("\n")[0] == f"torch ({SWITCH}=torch) limen.kernels.torch_pass"
