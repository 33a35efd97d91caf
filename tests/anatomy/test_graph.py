"""Where a pre-activation comes from: asserted by name, and by what autograd says depends on what."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import Origin, leads_to_weights, origin_of, parents_of, uses_of

UNITS = 6


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def data(*shape: int) -> Tensor:
    return torch.randn(shape)


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, requires_grad=True)


@dataclass(frozen=True)
class Made:
    """A pre-activation and what is to be found behind it."""

    z: Tensor
    weight: Tensor | None
    axis: int
    bias: Tensor | None = None
    unit_axis: int = 0
    direct: bool = True
    norm: tuple[Tensor | None, Tensor | None] | None = None


def assert_as_made(made: Made) -> Origin:
    found = origin_of(made.z)
    assert found.weight is made.weight
    assert (found.axis, found.unit_axis, found.direct) == (made.axis, made.unit_axis, made.direct)
    assert found.bias is made.bias
    if made.norm is None:
        assert found.norm is None
    else:
        assert found.norm is not None
        assert all(one is two for one, two in zip(found.norm, made.norm, strict=True))
    return found


def assert_units_are_made_by_their_own_weights(z: Tensor, found: Origin) -> None:
    """Autograd as the oracle: entry ``u`` along the axis depends on slice ``u`` of the weight and on no other."""
    assert found.weight is not None
    for unit in range(z.shape[found.axis]):
        mine = z.select(found.axis, unit)
        (gradient,) = torch.autograd.grad((mine * torch.randn_like(mine)).sum(), found.weight, retain_graph=True)
        others = [i for i in range(found.weight.shape[found.unit_axis]) if i != unit]
        assert gradient.select(found.unit_axis, unit).abs().sum() > 0
        assert gradient.index_select(found.unit_axis, torch.tensor(others)).abs().sum() == 0


# Layers ------------------------------------------------------------------------------------------------------------


def linear(*shape: int, bias: bool = True, then: Callable[[Tensor], Tensor] = lambda z: z, axis: int = -1) -> Made:
    layer = nn.Linear(5, UNITS, bias=bias)
    return Made(then(layer(data(*shape))), layer.weight, axis, layer.bias if bias else None)


def convolution(
    kind: type[nn.Module], *shape: int, axis: int = 1, bias: bool = True, then: Callable[[Tensor], Tensor] = lambda z: z
) -> Made:
    layer = kind(5, UNITS, 3, bias=bias)
    turned = "Transpose" in kind.__name__
    return Made(then(layer(data(*shape))), layer.weight, axis, layer.bias if bias else None, int(turned))


def grouped(groups: int, units: int) -> Made:
    layer = nn.Conv2d(6, units, 3, groups=groups)
    return Made(layer(data(2, 6, 9, 9)), layer.weight, 1, layer.bias)


def by_hand(how: Callable[[Tensor, Tensor, Tensor], Tensor], *shape: int) -> Made:
    weight, bias = drawn(5, UNITS), drawn(UNITS)
    z = how(data(*shape), weight, bias)
    used = torch.autograd.grad(z.sum(), bias, retain_graph=True, allow_unused=True)[0] is not None
    return Made(z, weight, -1, bias if used else None, unit_axis=1)


def by_hand_turned(how: Callable[[Tensor, Tensor, Tensor], Tensor], *shape: int, axis: int = -1) -> Made:
    weight, bias = drawn(UNITS, 5), drawn(UNITS)
    z = how(data(*shape), weight, bias)
    used = torch.autograd.grad(z.sum(), bias, retain_graph=True, allow_unused=True)[0] is not None
    return Made(z, weight, axis, bias if used else None)


def normalised(norm: nn.Module, *shape: int, kind: Callable[[], nn.Module] = lambda: nn.Linear(5, UNITS)) -> Made:
    layer = kind()
    z = norm(layer(data(*shape)))
    batch = isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    axis = 1 if isinstance(layer, nn.Conv2d) else -1
    return Made(z, layer.weight, axis, layer.bias, direct=batch, norm=(norm.weight, norm.bias))


def conv2d() -> nn.Module:
    return nn.Conv2d(5, UNITS, 3)


DIRECT: dict[str, Callable[[], Made]] = {
    "linear": lambda: linear(8, 5),
    "linear without bias": lambda: linear(8, 5, bias=False),
    "linear over time": lambda: linear(8, 7, 5),
    "linear over time without bias": lambda: linear(8, 7, 5, bias=False),
    "linear over as many times as units": lambda: linear(UNITS, UNITS, 5),
    "linear on a grid": lambda: linear(2, 3, 4, 5),
    "linear on a vector": lambda: linear(5),
    "linear on a vector without bias": lambda: linear(5, bias=False),
    "as many inputs as units": lambda: by_hand_turned(lambda x, w, b: F.linear(x, w, b), 5, 5),
    "x @ w + b": lambda: by_hand(lambda x, w, b: x @ w + b, 8, 5),
    "b + x @ w": lambda: by_hand(lambda x, w, b: b + x @ w, 8, 5),
    "x @ w": lambda: by_hand(lambda x, w, b: x @ w, 8, 5),
    "x @ w, bias added in place": lambda: by_hand(lambda x, w, b: (x @ w).add_(b), 8, 5),
    "x @ w + b over time": lambda: by_hand(lambda x, w, b: x @ w + b, 8, 7, 5),
    "addmm": lambda: by_hand(lambda x, w, b: torch.addmm(b, x, w), 8, 5),
    "Conv1D of Hugging Face": lambda: by_hand(
        lambda x, w, b: torch.addmm(b, x.view(-1, 5), w).view(8, 7, UNITS), 8, 7, 5
    ),
    "einsum": lambda: by_hand(lambda x, w, b: torch.einsum("bti,io->bto", x, w), 8, 7, 5),
    "x @ w.t() + b": lambda: by_hand_turned(lambda x, w, b: x @ w.t() + b, 8, 5),
    "x @ w.T + b over time": lambda: by_hand_turned(lambda x, w, b: x @ w.T + b, 8, 7, 5),
    "F.linear": lambda: by_hand_turned(lambda x, w, b: F.linear(x, w, b), 8, 5),
    "einsum with turned weight": lambda: by_hand_turned(lambda x, w, b: torch.einsum("bti,oi->bto", x, w), 8, 7, 5),
    "samples in columns": lambda: by_hand_turned(lambda x, w, b: w @ x.t() + b[:, None], 8, 5, axis=0),
    "as many samples as units, in columns": lambda: by_hand_turned(lambda x, w, b: w @ x.t(), UNITS, 5, axis=0),
    "weight times vector": lambda: by_hand_turned(lambda x, w, b: w @ x + b, 5),
    "convolution over time": lambda: convolution(nn.Conv1d, 2, 5, 9),
    "convolution": lambda: convolution(nn.Conv2d, 2, 5, 9, 9),
    "convolution without bias": lambda: convolution(nn.Conv2d, 2, 5, 9, 9, bias=False),
    "convolution to as many pixels as units": lambda: convolution(nn.Conv2d, UNITS, 5, 8, 8),
    "convolution in space": lambda: convolution(nn.Conv3d, 2, 5, 4, 4, 4),
    "convolution of one image": lambda: convolution(nn.Conv2d, 5, 9, 9, axis=0),
    "convolution of one series": lambda: convolution(nn.Conv1d, 5, 9, axis=0),
    "channels-last convolution": lambda: convolution(
        nn.Conv2d, 2, 5, 9, 9, then=lambda z: z.contiguous(memory_format=torch.channels_last)
    ),
    "transposed convolution over time": lambda: convolution(nn.ConvTranspose1d, 2, 5, 9),
    "transposed convolution": lambda: convolution(nn.ConvTranspose2d, 2, 5, 9, 9),
    "transposed convolution in space": lambda: convolution(nn.ConvTranspose3d, 2, 5, 4, 4, 4),
    "grouped convolution": lambda: grouped(3, UNITS),
    "depthwise convolution": lambda: grouped(6, 12),
    "time moved in front of channels": lambda: convolution(
        nn.Conv1d, 2, 5, 9, axis=-1, then=lambda z: z.transpose(1, 2)
    ),
    "moved, with as many times as units": lambda: convolution(
        nn.Conv1d, 2, 5, 8, axis=-1, then=lambda z: z.transpose(1, 2)
    ),
    "channels moved last": lambda: convolution(nn.Conv2d, 2, 5, 9, 9, axis=-1, then=lambda z: z.permute(0, 2, 3, 1)),
    "pixels flattened": lambda: convolution(nn.Conv2d, 2, 5, 9, 9, then=lambda z: z.flatten(2)),
    "patches as a sequence": lambda: convolution(
        nn.Conv2d, 2, 5, 9, 9, axis=-1, then=lambda z: z.flatten(2).transpose(1, 2)
    ),
    "one pixel flattened": lambda: convolution(nn.Conv2d, 2, 5, 3, 3, axis=-1, then=lambda z: z.flatten(1)),
    "units before time": lambda: linear(8, 7, 5, then=lambda z: z.transpose(1, 2), axis=1),
    "units before as many times": lambda: linear(8, UNITS, 5, then=lambda z: z.transpose(1, 2), axis=1),
    "turned": lambda: linear(8, 5, then=lambda z: z.t(), axis=0),
    "time and batch together": lambda: linear(8, 7, 5, then=lambda z: z.reshape(56, UNITS)),
    "an axis of one in between": lambda: linear(8, 5, then=lambda z: z.unsqueeze(1)),
    "a map of one pixel": lambda: linear(8, 5, then=lambda z: z[:, :, None, None], axis=1),
}


@pytest.mark.parametrize("name", DIRECT)
def test_the_layer_its_units_and_its_bias_are_found(name: str) -> None:
    made = DIRECT[name]()
    assert_units_are_made_by_their_own_weights(made.z, assert_as_made(made))


NORMALISED: dict[str, Callable[[], Made]] = {
    "batch": lambda: normalised(nn.BatchNorm1d(UNITS), 8, 5),
    "batch, not learned": lambda: normalised(nn.BatchNorm1d(UNITS, affine=False), 8, 5),
    "batch of images": lambda: normalised(nn.BatchNorm2d(UNITS), 2, 5, 9, 9, kind=conv2d),
    "batch in evaluation": lambda: normalised(nn.BatchNorm2d(UNITS).eval(), 2, 5, 9, 9, kind=conv2d),
    "layer": lambda: normalised(nn.LayerNorm(UNITS), 8, 5),
    "layer over time": lambda: normalised(nn.LayerNorm(UNITS), 8, 7, 5),
    "group": lambda: normalised(nn.GroupNorm(2, UNITS), 8, 5),
    "group of images": lambda: normalised(nn.GroupNorm(3, UNITS), 2, 5, 9, 9, kind=conv2d),
    "instance": lambda: normalised(nn.InstanceNorm2d(UNITS, affine=True), 2, 5, 9, 9, kind=conv2d),
}


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "bfloat16 autocast"])
@pytest.mark.parametrize("name", NORMALISED)
def test_a_normalisation_in_between_is_found_with_its_scale_and_shift(name: str, autocast: bool) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        made = NORMALISED[name]()
    found = assert_as_made(made)
    if found.direct and not autocast:  # a batch normalisation keeps units apart, the others do not
        assert_units_are_made_by_their_own_weights(made.z, found)


@pytest.mark.parametrize("name", ["linear", "linear over time without bias", "x @ w + b", "convolution", "addmm"])
def test_autocast_hides_nothing(name: str) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = DIRECT[name]()
    assert made.z.dtype is torch.bfloat16 or name == "x @ w + b"  # which adds a float32 bias
    assert_as_made(made)


@pytest.mark.parametrize("name", ["linear", "convolution", "linear over time"])
def test_a_cast_of_the_result_hides_nothing(name: str) -> None:
    made = DIRECT[name]()
    found = origin_of(made.z.double())
    assert (found.weight, found.bias, found.axis, found.direct) == (made.weight, made.bias, made.axis, True)


# What is not the work of one layer alone ---------------------------------------------------------------------------


def test_the_nearest_weight_is_taken_through_a_residual_addition() -> None:
    first, second = nn.Linear(5, UNITS), nn.Linear(UNITS, UNITS)
    hidden = torch.relu(first(data(8, 5)))
    for z in (hidden + second(hidden), second(hidden) + hidden):
        assert_as_made(Made(z, second.weight, -1, second.bias, direct=False))


def test_a_second_activation_on_the_same_layer_is_not_direct() -> None:
    layer = nn.Linear(5, UNITS)
    assert_as_made(Made(torch.relu(layer(data(8, 5))), layer.weight, -1, layer.bias, direct=False))


def test_two_products_added_are_not_direct() -> None:
    inwards, around = nn.Linear(5, UNITS), nn.Linear(UNITS, UNITS)
    found = origin_of(inwards(data(8, 5)) + around(data(8, UNITS)))
    assert found.weight in (inwards.weight, around.weight)
    assert not found.direct


def test_half_of_a_gated_layer_is_not_direct() -> None:
    layer = nn.Linear(5, 2 * UNITS)
    for half in layer(data(8, 5)).chunk(2, -1):
        found = origin_of(half)
        assert (found.weight, found.axis, found.direct) == (layer.weight, -1, False)


def test_heads_of_an_attention_are_not_direct() -> None:
    layer = nn.Linear(5, UNITS)
    found = origin_of(layer(data(8, 7, 5)).view(8, 7, 2, 3).transpose(1, 2))
    assert (found.weight, found.axis, found.direct) == (layer.weight, -1, False)


def test_a_flattened_convolution_has_its_pixels_as_units() -> None:
    layer = nn.Conv2d(5, UNITS, 3)
    found = origin_of(layer(data(2, 5, 9, 9)).flatten(1))
    assert (found.weight, found.axis, found.direct, found.bias) == (layer.weight, -1, False, None)


def test_a_mean_over_the_units_is_not_direct() -> None:
    layer = nn.Linear(5, 8)
    found = origin_of(layer(data(8, 5)).mean(1))  # eight samples are left, as many as there were units
    assert (found.weight, found.direct) == (layer.weight, False)


def test_a_grouped_transposed_convolution_is_not_direct() -> None:
    layer = nn.ConvTranspose2d(6, 12, 3, groups=3)
    found = origin_of(layer(data(2, 6, 9, 9)))
    assert (found.weight, found.axis, found.direct) == (layer.weight, 1, False)


@pytest.mark.parametrize("how", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm])
@pytest.mark.parametrize("deep", [False, True])
def test_a_weight_that_is_computed_is_found_behind_its_computation(how: Callable[..., nn.Module], deep: bool) -> None:
    before, layer = nn.Linear(5, 5), how(nn.Linear(5, UNITS))
    found = origin_of(layer(torch.relu(before(data(8, 5))) if deep else data(8, 5)))
    own = [one for one in layer.parameters() if one.shape == (UNITS, 5)]
    assert any(found.weight is one for one in own)
    assert (found.axis, found.unit_axis, found.direct) == (-1, 0, False)


@pytest.mark.parametrize("scale", [0.1, 2.0])
def test_a_scaled_weight_is_found_and_not_taken_for_the_layer_before(scale: float) -> None:
    before, weight = nn.Linear(5, 5), drawn(5, UNITS)
    found = origin_of(torch.relu(before(data(8, 5))) @ (weight * scale))
    assert (found.weight, found.unit_axis, found.direct) == (weight, 1, False)


def test_an_input_that_requires_a_gradient_is_not_taken_for_a_weight() -> None:
    layer, x = nn.Linear(5, UNITS), drawn(8, 5)
    assert_as_made(Made(layer(x), layer.weight, -1, layer.bias))
    images, conv = drawn(2, 5, 9, 9), nn.Conv2d(5, UNITS, 3)
    assert_as_made(Made(conv(images), conv.weight, 1, conv.bias))
    weight = drawn(5, UNITS)
    assert_as_made(Made(x @ weight, weight, -1, unit_axis=1))


def test_learned_queries_are_not_taken_for_a_weight() -> None:
    layer, queries = nn.Linear(5, UNITS), nn.Parameter(data(8, 5))
    assert_as_made(Made(layer(queries), layer.weight, -1, layer.bias))


def test_an_embedding_is_a_weight() -> None:
    table = nn.Embedding(20, UNITS)
    assert_as_made(Made(table(torch.randint(20, (8, 7))), table.weight, -1, unit_axis=1))


def test_a_bilinear_layer_is_a_weight() -> None:
    layer = nn.Bilinear(5, 4, UNITS)
    z = layer(data(8, 5), data(8, 4))
    assert_units_are_made_by_their_own_weights(z, assert_as_made(Made(z, layer.weight, -1, layer.bias)))


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
def test_the_output_of_a_recurrent_layer_comes_from_one_of_its_weights(kind: type[nn.Module]) -> None:
    layer = kind(5, UNITS, batch_first=True)
    found = origin_of(layer(data(3, 4, 5))[0])
    assert any(found.weight is one for one in layer.parameters())
    assert (found.axis, found.direct) == (-1, False)


def test_the_output_of_an_attention_comes_from_its_output_projection() -> None:
    layer = nn.MultiheadAttention(UNITS, 2, batch_first=True)
    x = data(2, 3, UNITS)
    assert origin_of(layer(x, x, x)[0]).weight is layer.out_proj.weight


class Doubling(torch.autograd.Function):
    """A user's function with a name like one of torch's own."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return torch.cat([x, x], dim=1)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        one, two = gradient.chunk(2, 1)
        return one + two


def test_a_function_of_the_user_is_not_judged_by_its_name() -> None:
    layer = nn.Linear(5, UNITS)
    named = type("ViewBy", (Doubling,), {})
    found = origin_of(named.apply(layer(data(8, 5))))
    assert (found.weight, found.direct) == (layer.weight, False)
    linear = type("Linear", (Doubling,), {})
    found = origin_of(linear.apply(layer(data(8, 5))))
    assert (found.weight, found.direct) == (layer.weight, False)


def test_a_tensor_without_a_graph_has_no_origin() -> None:
    for z, axis in ((data(8, 5), -1), (data(2, 5, 9, 9), 1), (data(8, 7, 5), -1), (drawn(8, 5), -1)):
        found = origin_of(z)
        assert (found.weight, found.axis, found.direct) == (None, axis, False)


def test_a_single_number_has_an_origin() -> None:
    layer = nn.Linear(5, UNITS)
    found = origin_of(layer(data(8, 5)).mean())
    assert (found.weight, found.axis, found.direct) == (layer.weight, -1, False)
    assert origin_of(torch.tensor(1.0)).weight is None
    assert origin_of(drawn() * 2).weight is None


def test_a_long_graph_without_weights_is_given_up() -> None:
    z = drawn(4)
    for _ in range(3000):
        z = z + 1
    assert origin_of(z).weight is None


def test_the_way_to_the_weight_is_told() -> None:
    layer = nn.Linear(5, UNITS)
    assert origin_of(layer(data(8, 5))).through == ()
    assert [kind.split("Backward")[0] for kind in origin_of(torch.relu(layer(data(8, 7, 5)))).through] == [
        "Relu",
        "View",
    ]


# Towards the loss --------------------------------------------------------------------------------------------------


def test_weights_stand_before_the_loss_or_not() -> None:
    first, second = nn.Linear(5, UNITS), nn.Linear(UNITS, 3)
    hidden = torch.relu(first(data(8, 5)))
    out = torch.sigmoid(second(hidden))
    parents = parents_of(F.mse_loss(out, torch.zeros_like(out)).grad_fn)
    assert leads_to_weights(parents, hidden.grad_fn)
    assert not leads_to_weights(parents, out.grad_fn)


def test_a_recurrent_layer_between_activation_and_loss_is_a_weight() -> None:
    for kind in (nn.GRU, nn.LSTM):
        first, second = nn.Linear(5, UNITS), kind(UNITS, 3)
        hidden = torch.relu(first(data(8, 2, 5)))
        assert leads_to_weights(parents_of(second(hidden)[0].sum().grad_fn), hidden.grad_fn)


def test_parents_are_the_edges_of_the_graph_backwards() -> None:
    layer = nn.Linear(5, UNITS)
    hidden = torch.relu(layer(data(8, 5)))
    loss = (hidden * hidden).sum()
    parents = parents_of(loss.grad_fn)
    edges = sorted(
        (id(before), id(node)) for node in parents for before, _ in node.next_functions if before is not None
    )
    assert sorted((id(node), id(after)) for node, nodes in parents.items() for after in nodes) == edges
    assert parents[loss.grad_fn] == []
    assert len(parents[hidden.grad_fn]) == 2


def test_a_tied_weight_is_used_twice() -> None:
    tied, once = nn.Linear(5, 5), nn.Linear(5, 5)
    uses = uses_of(parents_of(once(tied(tied(data(8, 5)))).sum().grad_fn))
    assert (uses[id(tied.weight)], uses[id(once.weight)]) == (2, 1)


def test_a_weight_used_twice_behind_one_cast_or_view_is_used_twice() -> None:
    tied, once = nn.Linear(5, 5, bias=False), nn.Linear(5, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # which casts each weight once and keeps the copy
        uses = uses_of(parents_of(once(tied(tied(data(8, 5)))).sum().grad_fn))
    assert (uses[id(tied.weight)], uses[id(once.weight)]) == (2, 1)
    turned = tied.weight.t()
    assert uses_of(parents_of((data(8, 5) @ turned @ turned).sum().grad_fn))[id(tied.weight)] == 2


def test_a_weight_with_a_penalty_is_used_twice() -> None:
    layer = nn.Linear(5, 5)
    loss = layer(data(8, 5)).sum() + layer.weight.square().sum()
    assert uses_of(parents_of(loss.grad_fn))[id(layer.weight)] == 2
