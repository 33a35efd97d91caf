import shutil
import subprocess
from pathlib import Path

import pytest

from limen.kernels.functions import library as functions
from limen.kernels.functions.library import FunctionLibrary
from limen.kernels.library import BUILT, Library

SOURCE = BUILT.with_name("pass.c")
FLAGS = ["-O3", "-ffp-contract=off", "-fPIC", "-shared", "-Wno-psabi"]


@pytest.fixture(scope="session")
def compiler() -> str:
    """A bare C compiler."""
    found = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if found is None:
        pytest.skip("no C compiler on this machine")
    return found


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library | None:
    """The compiled kernels as installed, else compiled here, else None."""
    if BUILT.exists():
        return Library(BUILT)
    found, file = shutil.which("cc"), tmp_path_factory.mktemp("kernels") / "pass.so"
    return compiled(found, file) if found else None


@pytest.fixture(scope="session")
def function_library(tmp_path_factory: pytest.TempPathFactory) -> FunctionLibrary | None:
    """The compiled functions likewise."""
    if functions.BUILT.exists():
        return FunctionLibrary(functions.BUILT)
    found, file = shutil.which("cc"), tmp_path_factory.mktemp("functions") / "functions.so"
    if not found:
        return None
    build(found, functions.BUILT.with_name("functions.c"), file)
    return FunctionLibrary(file)


def compiled(compiler: str, file: Path) -> Library:
    build(compiler, SOURCE, file)
    return Library(file)


def build(compiler: str, source: Path, file: Path) -> None:
    subprocess.run([compiler, *FLAGS, str(source), "-o", str(file)], check=True)
