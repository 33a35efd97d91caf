"""What a check says of the outputs of a model before its training is what is said in its first steps."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from limen.findings import Finding, diagnose
from limen.preflight.losses import function_of
from tests.preflight.healthy import HEALTHY
from tests.preflight.mutants import HEAD, MUTANTS
from tests.probe.watching import watching

ABOUT = (HEAD, "unscaled-targets", "loss-numerics")
STEPS = 3


def forward(model: nn.Module, sample: Any) -> Any:
    if isinstance(sample, dict):
        return model(**sample)
    return model(*sample) if isinstance(sample, tuple) else model(sample)


def number(loss: Any, output: Any, target: Any) -> Tensor | None:
    """The loss of an output; None where the case has none that is a number."""
    if loss is not None and target is not None:
        output = loss(output, target)
    if isinstance(output, tuple | list):  # the model's own, last
        output = output[-1]
    return output if isinstance(output, Tensor) and output.numel() == 1 and output.requires_grad else None


def told(case: Any, edit: Callable[[Any], Any] | None = None, **changes: Any) -> list[Finding] | None:
    """What is said after a few steps; None of a case that cannot be trained as it stands."""
    torch.manual_seed(0)
    model = case.model()
    if edit is not None:
        edit(model)
    loss, target = function_of(changes.get("loss", case.loss)), changes.get("target", case.target)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
    with watching() as probe:
        for _ in range(STEPS):
            value = number(loss, forward(model, case.sample()), target() if target is not None else None)
            if value is None:
                return None
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
        return [one for one in diagnose(probe.vitals()) if one.name in ABOUT]


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_of_a_correct_model(name: str) -> None:
    found = told(HEALTHY[name])
    if found is None:
        pytest.skip("its loss is not given")
    assert [one for one in found if one.severity != "info"] == []


BEYOND = {"mlp-regression @ 4", "mlp-binary @ 4", "mlp-counts @ 5"}
"""Of which shapes alone tell, a number of classes, or what a softplus gave, which no graph keeps for a distance."""

REFUSED = "mlp-binary-bce"
"""Whose loss torch refuses to compute of what is no probability."""

OURS = {
    f"{number} {one.of}": one
    for number, one in enumerate(MUTANTS)
    if one.name in ABOUT and f"{one.of} @ {one.where}" not in BEYOND
}


@pytest.mark.parametrize("name", [name for name, one in OURS.items() if one.of != REFUSED or one.changes])
def test_a_fault_of_the_output_is_seen_in_training_as_well(name: str) -> None:
    mutant = OURS[name]
    found = told(HEALTHY[mutant.of], mutant.edit, **mutant.changes)
    assert found is not None
    assert [one.name for one in found] == [mutant.name]


@pytest.mark.parametrize("name", [name for name, one in OURS.items() if one.of == REFUSED and not one.changes])
def test_of_what_torch_refuses_there_is_nothing_to_see(name: str) -> None:
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        told(HEALTHY[REFUSED], OURS[name].edit)
