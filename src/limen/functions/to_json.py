"""Functions as JSON: versioned, strict, with a schema that ships with the package."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import limen
from limen.functions.facts import gaussian
from limen.functions.properties import properties
from limen.functions.subject import Subject
from limen.functions.words import about, formula

__all__ = ["SCHEMA", "to_json"]

SCHEMA = 1
"""Version of the format: keys may be added within a version; none is removed or changes its meaning."""


def to_json(subjects: Sequence[Subject]) -> dict[str, Any]:
    """All that the sheets say. Infinities are ``"inf"`` and ``"-inf"``, the unknown is null."""
    return {"limen": limen.__version__, "schema": SCHEMA, "functions": [_function(subject) for subject in subjects]}


def _function(subject: Subject) -> dict[str, Any]:
    sheet, found = asdict(subject.sheet), subject.description
    moments = gaussian(subject)
    told: dict[str, Any] = {
        "name": subject.name,
        "kind": subject.kind,
        "parameters": subject.parameters,
        "formula": formula(subject.text) or None,
        "text": about(subject.text),
        "source": subject.source or None,
        **sheet,
        "saved_bytes": subject.sheet.saved_bytes(),
        "properties": properties(subject),
        "gaussian": None if moments is None else asdict(moments),
    }
    if found is not None:
        told |= {
            "flat": found.flat,
            "not_finite": found.not_finite,
            "wrong_slopes": found.wrong_slopes,
            "slope_by": found.slope_by,
            "searched": found.searched,
        }
    return _strict(told)


def _strict(value: Any) -> Any:
    """Without anything that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, Mapping):
        return {str(key): _strict(inner) for key, inner in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return [_strict(inner) for inner in value]
