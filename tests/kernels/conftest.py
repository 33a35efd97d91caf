import shutil
import subprocess
from pathlib import Path

import pytest

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


def compiled(compiler: str, file: Path) -> Library:
    subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(file)], check=True)
    return Library(file)
