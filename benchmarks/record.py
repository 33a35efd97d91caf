"""Results as files: what was measured, on which machine, with which versions, of which commit."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from limen.environment import facts

__all__ = ["RESULTS", "save", "version"]

RESULTS = Path(__file__).parent / "results"


def version(package: str) -> str | None:
    """Of an installed package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def commit() -> str:
    """Of the working tree; with a plus where it has changes. Empty outside of a repository."""
    folder = Path(__file__).parent
    try:
        git = ["git", "-C", str(folder), "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def save(path: Path, rows: Sequence[Any], packages: Sequence[str] = ()) -> None:
    """Write dataclasses as JSON."""
    found = {name: installed for name in packages if (installed := version(name)) is not None}
    result = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": facts(devices=True),
        "packages": found,
        "rows": [asdict(row) for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
