"""Correct models pass without an error or a warning."""

from __future__ import annotations

import pytest

from tests.preflight.healthy import HEALTHY


@pytest.mark.parametrize("name", HEALTHY)
def test_a_correct_model_passes(name: str) -> None:
    result = HEALTHY[name].check()
    assert [(one.severity, one.name, one.where, one.message) for one in result.findings if one.severity != "info"] == []
    assert result.verdict == "healthy"
    assert not any("raised" in note for note in result.notes)


def test_there_are_forty_of_them() -> None:
    assert len(HEALTHY) >= 40
