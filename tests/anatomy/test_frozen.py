"""A layer whose weights are frozen still is the layer that makes the units behind it."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from limen.anatomy import leads_to_weights, origin_of, parents_of

VECTORS, SEQUENCES, IMAGES = (5, 6), (5, 4, 6), (5, 6, 9, 9)
LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "linear": (lambda: nn.Linear(6, 7), VECTORS, -1),
    "linear without bias": (lambda: nn.Linear(6, 7, bias=False), VECTORS, -1),
    "linear on sequences": (lambda: nn.Linear(6, 7), SEQUENCES, -1),
    "convolution": (lambda: nn.Conv2d(6, 7, 3), IMAGES, 1),
    "transposed convolution": (lambda: nn.ConvTranspose2d(6, 7, 3), IMAGES, 1),
    "convolution and norm": (lambda: nn.Sequential(nn.Conv2d(6, 7, 3), nn.BatchNorm2d(7)), IMAGES, 1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_frozen_layer_is_the_origin_of_its_units(name: str) -> None:
    make, shape, axis = LAYERS[name]
    layer = make().requires_grad_(False)
    z = layer(torch.randn(shape, requires_grad=True) * 2)
    origin = origin_of(z)
    assert origin.weight is next(iter(layer.parameters()))
    assert origin.weight.shape[origin.unit_axis] == 7
    assert origin.axis == axis
    assert not origin.direct  # nothing is edited that the script keeps as it is


def test_a_frozen_weight_that_was_cast_is_not_mistaken_for_the_layer_before() -> None:
    before, frozen = nn.Linear(6, 7), nn.Linear(7, 7).requires_grad_(False)
    with torch.autocast("cpu", torch.bfloat16):
        z = frozen(before(torch.randn(5, 6)).sigmoid())
    assert origin_of(z).weight is None


def test_a_constant_that_mixes_samples_is_looked_through() -> None:
    layer, neighbours = nn.Linear(6, 7), torch.rand(5, 5)
    origin = origin_of(neighbours @ layer(torch.randn(5, 6)))
    assert (origin.weight, origin.axis) == (layer.weight, -1)


def test_a_frozen_layer_behind_a_site_is_no_weight_to_train() -> None:
    first, frozen = nn.Linear(6, 7), nn.Linear(7, 1).requires_grad_(False)
    hidden: Tensor = first(torch.randn(5, 6)).relu()
    assert not leads_to_weights(parents_of(frozen(hidden).sum().grad_fn), hidden.grad_fn)


def test_one_experts_part_of_a_weight_is_not_mistaken_for_the_layer_before() -> None:
    before, experts = nn.Linear(6, 7), nn.Parameter(torch.randn(3, 8, 7))
    z = nn.functional.linear(before(torch.randn(5, 6)).sigmoid(), experts[1])
    assert origin_of(z).weight is None


def test_grouped_experts_are_the_origin_of_their_units() -> None:
    before, experts = nn.Linear(16, 16), nn.Parameter(torch.randn(2, 32, 16))
    ends = torch.tensor([3, 8], dtype=torch.int32)
    z = torch._grouped_mm(before(torch.randn(8, 16)).bfloat16(), experts.mT.bfloat16(), offs=ends)
    origin = origin_of(z)
    assert (origin.weight, origin.unit_axis, origin.axis) == (experts, 1, -1)
