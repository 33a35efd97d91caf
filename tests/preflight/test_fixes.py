"""What ``fix`` changes mends the fault, and ``undo`` puts it back bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limen.preflight import preflight
from tests.preflight.healthy import HEALTHY
from tests.preflight.mutants import MUTANTS, Mutant

MENDED = {"output-loss-mismatch", "wrong-activation", "bad-initialisation", "bad-bias"}
MENDED |= {"normalisation-misuse", "no-gradient-path"}


def state(model: nn.Module) -> tuple[str, dict[str, torch.Tensor]]:
    return repr(model), {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("mutant", MUTANTS, ids=[f"{one.of}-{one.name}-{i}" for i, one in enumerate(MUTANTS)])
def test_what_is_mended_is_not_found_again_and_can_be_put_back(mutant: Mutant) -> None:
    case = HEALTHY[mutant.of]
    result = case.check(mutant.edit, **mutant.changes)
    model = result.checked
    before = state(model)
    made = result.fix(generator=torch.Generator().manual_seed(1))
    assert len(made.left) + len({one.finding for one in made.changes}) >= 1
    if any(one.finding == mutant.name for one in made.changes):
        again = preflight(
            model,
            (mutant.changes.get("sample") or case.sample)(),
            loss=mutant.changes.get("loss", case.loss),
            target=target() if (target := mutant.changes.get("target", case.target)) else None,
        )
        assert (mutant.name, mutant.where) not in [(one.name, one.where) for one in again.findings]
    made.undo()
    assert state(model)[0] == before[0]
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, before[1][name], rtol=0.0, atol=0.0, equal_nan=True)


def test_each_kind_of_fault_that_can_be_mended_is_mended_somewhere() -> None:
    done: set[str] = set()
    for mutant in MUTANTS:
        if mutant.name in MENDED - done:
            made = HEALTHY[mutant.of].check(mutant.edit, **mutant.changes).fix()
            done |= {one.finding for one in made.changes}
    assert done >= MENDED


def test_the_table_shows_what_was_and_what_is() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1))
    made = preflight(model, torch.randn(8, 4), loss="cross-entropy").fix()
    assert str(made) == "- 3: Softmax(dim=-1)\n+ 3: Identity()  (output-loss-mismatch)"
    assert preflight(model, torch.randn(8, 4), loss="cross-entropy").verdict == "healthy"


def test_what_needs_a_decision_is_left_and_told() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    made = preflight(model, torch.randn(8, 4)).fix()
    assert made.changes == ()
    assert "left as it is: missing-activation at 1 (add-activation)" in str(made)


def test_weights_are_drawn_for_the_function_with_its_parameters() -> None:
    model = nn.Sequential(nn.Linear(256, 256), nn.LeakyReLU(0.5), nn.Linear(256, 4))
    nn.init.constant_(model[0].weight, 0.01)
    made = preflight(model, torch.randn(64, 256)).fix(generator=torch.Generator().manual_seed(0))
    assert [one.where for one in made.changes if "drawn for leaky_relu" in one.after] == ["0.weight"]
    kept = (2 / (1 + 0.5**2) / 256) ** 0.5  # He et al. 2015, Eq. 15; 1.41 / 16 with the default slope
    assert float(model[0].weight.detach().std()) == pytest.approx(kept, rel=0.02)  # of 65,536 entries: 0.3 %
