"""What a training leaves unsolved is 0 for a perfect model and 1 for the best guess."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ward.cases import HARMLESS, candidates, cases
from ward.data import Data, data_of, lacking
from ward.faults import FAULTS
from ward.harm import harm, last, unsolved
from ward.recipe import Recipe
from ward.train import Trained


class Known(nn.Module):
    """Looks up what to say in a table of the inputs."""

    def __init__(self, data: Data, said: Tensor) -> None:
        super().__init__()
        self.data, self.said = data, said

    def forward(self, x: Tensor) -> Tensor:
        return self.said[torch.cdist(x, self.data.inputs).argmin(1)]


def left(data: str, said: Tensor, **options: object) -> float:
    recipe = Recipe(data=data, **options)  # pyright: ignore[reportArgumentType]
    return unsolved(recipe, Trained(Known(data_of(data), said), []))


def test_of_classes() -> None:
    right = torch.nn.functional.one_hot(data_of("iris").targets, 3).float()
    guess = torch.tensor([1.0, 0.0, 0.0]).repeat(len(right), 1)
    assert left("iris", right) == 0
    assert left("iris", guess) == pytest.approx(1)


def test_of_two_classes_by_one_probability() -> None:
    right = data_of("cancer").targets[:, None].float()
    assert left("cancer", right * 0.2 + 0.4, loss="bce") == 0
    assert left("cancer", right - 0.5, loss="bce_logits") == 0
    assert left("cancer", torch.ones_like(right), loss="bce_logits") == pytest.approx(1)


def test_of_numbers() -> None:
    right = data_of("diabetes").targets
    assert left("diabetes", right, loss="mse") == 0
    assert left("diabetes", right * 0, loss="mse") == pytest.approx(1, abs=0.01)  # the variance divides by n - 1
    assert left("diabetes", right * torch.nan, loss="mse") == float("inf")


def test_the_last_loss_is_the_mean_of_a_tenth() -> None:
    assert last([9.0] * 18 + [1.0, 3.0]) == 2
    assert last([5.0, 4.0]) == 4


def test_a_defect_is_one_whatever_the_loss_and_a_sound_training_learns() -> None:
    iris = next(name for name in cases() if name.startswith("mlp iris tanh · b0"))
    assert harm(iris).why == "learns"
    defects = (one for one in cases().values() if one.fault is not None and one.fault.defect)
    assert harm(next(one.name for one in defects if one.recipe.net == "mlp" and not lacking(one.recipe.data))).holds


def test_what_did_no_harm_is_no_case_and_nothing_else_is_written_down() -> None:
    possible = {one.name for fault in FAULTS for one in candidates(fault)}
    harmless = HARMLESS.read_text().splitlines()
    assert harmless == sorted(set(harmless))
    assert set(harmless) <= possible
    assert not set(harmless) & set(cases())
