"""By what a loss was divided last, read from its graph without unpacking anything."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import divisors_of

CASES: dict[str, tuple[Callable[[Tensor], Tensor], list[float]]] = {
    "undivided": (lambda loss: loss, []),
    "by a number": (lambda loss: loss / 4, [4]),
    "by a tensor": (lambda loss: loss / torch.tensor(20), [20]),
    "twice, the last first": (lambda loss: loss / 3 / 4, [4, 3]),
    "then enlarged by a scaler": (lambda loss: loss / 4 * torch.tensor(65536.0), [4]),
    "then cast": (lambda loss: (loss / 4).bfloat16(), [4]),
    "then added to another": (lambda loss: loss / 4 + loss / 8, []),
    "by what is learned": (lambda loss: loss / torch.tensor(2.0, requires_grad=True), []),
}


@pytest.mark.parametrize("case", CASES)
def test_the_divisors_are_those_of_the_script(case: str) -> None:
    divide, expected = CASES[case]
    loss = F.cross_entropy(nn.Linear(3, 2)(torch.ones(4, 3)), torch.ones(4, dtype=torch.long))
    assert [float(found) for found in divisors_of(divide(loss))] == expected


def test_a_leaf_and_a_freed_graph_have_none() -> None:
    assert divisors_of(torch.tensor(1.0, requires_grad=True)) == []
    loss = torch.ones(2, requires_grad=True).sum() / 4
    loss.backward()
    assert divisors_of(loss) == []


def test_hooks_of_the_script_on_saved_tensors_stay_still() -> None:
    unpacked: list[Tensor] = []

    def unpack(kept: Tensor) -> Tensor:
        unpacked.append(kept)
        return kept

    with torch.autograd.graph.saved_tensors_hooks(lambda kept: kept, unpack):
        loss = torch.ones(2, requires_grad=True).sum() / 4
    divisors_of(loss)
    assert unpacked == []
