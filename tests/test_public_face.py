"""What a user may rely on: the public names, their manual, and what importing them costs."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import limen

PACKAGES = sorted(m.name for m in pkgutil.iter_modules(limen.__path__, "limen.") if m.name != "limen.__main__")

OPTIONAL = ["sklearn", "matplotlib", "transformers", "lightning", "tensorboard", "wandb", "mlflow", "ray", "playwright"]
SLOW = ["torch", "numpy", "plotly", "jinja2", "rich", "typer"]


def loaded_after(statement: str, names: list[str]) -> list[str]:
    """Which of ``names`` a fresh process has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('loaded', *[n for n in {names} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


def test_importing_limen_loads_nothing_slow_and_nothing_optional() -> None:
    assert loaded_after("import limen", SLOW + OPTIONAL) == []


def test_help_is_printed_without_loading_torch() -> None:
    statement = (
        "import sys; sys.argv = ['limen', '--help']\nfrom limen.__main__ import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code"
    )
    assert loaded_after(statement, ["torch", "plotly", *OPTIONAL]) == []


def test_the_whole_public_face_loads_no_optional_package() -> None:
    names = [name for name in limen.__all__ if not name.startswith("_")]
    assert loaded_after(f"from limen import {', '.join(names)}", OPTIONAL) == []


@pytest.mark.parametrize("first", ["import limen.watch", "from limen.watch import Watch", "pass"])
def test_limen_watch_is_the_function_whatever_was_imported_before(first: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{first}\nimport limen, inspect\nassert inspect.isfunction(limen.watch), limen.watch"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", limen.__all__)
def test_each_public_name_exists(name: str) -> None:
    assert getattr(limen, name) is not None
    assert name in dir(limen)


def test_an_unknown_attribute_is_named_together_with_what_there_is() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'wach'\. It has: .*watch"):
        getattr(limen, "wach")  # noqa: B009


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_lists_its_public_names_and_they_exist(package: str) -> None:
    module = importlib.import_module(package)
    assert inspect.getdoc(module)
    assert isinstance(module.__all__, list | tuple)
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []


def public_things() -> Iterator[tuple[str, Any]]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            yield f"{package}.{name}", getattr(module, name, None)


def members(thing: Any) -> Iterator[tuple[str, Any]]:
    """The public methods and properties that a class of ours defines itself."""
    if inspect.isclass(thing):
        for name, value in vars(thing).items():
            if not name.startswith("_") and (callable(value) or isinstance(value, property | classmethod)):
                yield name, value


def test_everything_public_is_described() -> None:
    silent: list[str] = []
    for path, thing in public_things():
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        if not inspect.getdoc(thing):
            silent.append(path)
        silent += [f"{path}.{name}" for name, value in members(thing) if not described(thing, name, value)]
    assert silent == []


def described(owner: type, name: str, value: Any) -> bool:
    """Whether a member has a docstring, its own or that of the interface it fulfils."""
    return bool(inspect.getdoc(getattr(value, "__func__", value)) or inspect.getdoc(getattr(owner, name, None)))


def test_explain_has_a_page_for_each_kind_of_name() -> None:
    for name in ("dead-units", "learning-rate-too-high", "revive-units", "relu"):
        assert limen.explain(name).startswith(f"{name} (")


def test_explain_suggests_the_nearest_name() -> None:
    with pytest.raises(limen.LimenError, match=r"named 'dead-unit'\. Did you mean 'dead-units'\?"):
        limen.explain("dead-unit")
