"""One fault in a correct model is found by its name and at its place."""

from __future__ import annotations

import pytest

from tests.preflight.healthy import HEALTHY
from tests.preflight.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{one.of}-{one.name}-{i}" for i, one in enumerate(MUTANTS)])
def test_a_fault_is_found(mutant: Mutant) -> None:
    result = HEALTHY[mutant.of].check(mutant.edit, **mutant.changes)
    told = [(one.name, one.where) for one in result.findings if one.severity != "info"]
    assert (mutant.name, mutant.where) in told


def test_there_are_sixty_of_them() -> None:
    assert len(MUTANTS) >= 60
