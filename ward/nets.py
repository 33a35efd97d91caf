"""The models of the ward, written as people write them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.gated import Experts, Highway, highway
from ward.layers import after, outputs
from ward.recipe import Recipe
from ward.sequences import Letters, Memory, Recurrent, Transformer

__all__ = ["BUILDERS", "HEADS", "build", "draw"]


class Residual(nn.Module):
    """A block with a shortcut."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Scaled(nn.Module):
    """A model whose output is brought to the size of what it predicts."""

    def __init__(self, model: nn.Module, scale: float) -> None:
        super().__init__()
        self.model, self.scale = model, scale

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) * self.scale


def mlp(recipe: Recipe, data: Data) -> nn.Module:
    width, inputs = recipe.width, data.inputs[0].numel()
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(inputs, width), *after(recipe, width)]
    for _ in range(recipe.depth - 1):
        block = [nn.Linear(width, width), *after(recipe, width)]
        layers += [Residual(*block)] if recipe.skip else block
    return nn.Sequential(*layers, nn.Linear(width, outputs(recipe, data)))


def cnn(recipe: Recipe, data: Data) -> nn.Module:
    side = int(data.inputs[0].numel() ** 0.5)
    width, before = recipe.width, 1
    layers: list[nn.Module] = [
        nn.Unflatten(1, (1, side)) if data.inputs.ndim == 3 else nn.Unflatten(1, (1, side, side))
    ]
    for number in range(recipe.depth):
        block = [nn.Conv2d(before, width, 3, padding=1), *after(recipe, width, image=True)]
        layers += [Residual(*block)] if recipe.skip and before == width else block
        if number < 2:
            layers.append(nn.MaxPool2d(2))
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, outputs(recipe, data)))


def autoencoder(recipe: Recipe, data: Data) -> nn.Module:
    inputs, width = data.inputs[0].numel(), recipe.width
    layers: list[nn.Module] = [nn.Flatten()]
    sizes = [inputs, width, width // 2, max(width // 4, 2), width // 2, width]
    for before, behind in itertools.pairwise(sizes):
        layers += [nn.Linear(before, behind), *after(recipe, behind)]
    return nn.Sequential(*layers, nn.Linear(width, inputs))


BUILDERS: dict[str, Callable[[Recipe, Data], nn.Module]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": Recurrent,
    "gru": Recurrent,
    "rnn": Recurrent,
    "memory": Memory,
    "transformer": Transformer,
    "letters": Letters,
    "highway": highway,
    "experts": Experts,
    "autoencoder": autoencoder,
}

HEADS: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "softmax_over_batch": lambda: nn.Softmax(dim=0),
    "log_softmax": lambda: nn.LogSoftmax(dim=1),
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
}


def build(recipe: Recipe, data: Data) -> nn.Module:
    """The model of a recipe, drawn with its seed."""
    torch.manual_seed(recipe.seed)
    model = BUILDERS[recipe.net](recipe, data)
    draw(recipe, model)
    if recipe.head in HEADS:
        model = nn.Sequential(model, HEADS[recipe.head]())
    return Scaled(model, recipe.output_scale) if recipe.output_scale != 1 else model


@torch.no_grad()
def draw(recipe: Recipe, model: nn.Module) -> None:
    """The weights and biases as the recipe says; torch's own where it says nothing."""
    for weight in (p for p in model.parameters() if p.ndim >= 2):
        if recipe.init == "he":
            nn.init.kaiming_normal_(weight)
        elif recipe.init == "he_uniform":
            nn.init.kaiming_uniform_(weight)
        elif recipe.init == "xavier":
            nn.init.xavier_normal_(weight)
        elif recipe.init == "lecun":
            nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
        elif recipe.init == "zeros":
            nn.init.zeros_(weight)
        elif recipe.init == "constant":
            nn.init.constant_(weight, recipe.init_scale)
        elif recipe.init == "normal":
            nn.init.normal_(weight, std=recipe.init_scale)
        elif recipe.init == "uniform":
            nn.init.uniform_(weight, -recipe.init_scale, recipe.init_scale)
    gates = [one.gate for one in model.modules() if isinstance(one, Highway | Memory)]
    gates += [one.router for one in model.modules() if isinstance(one, Experts)]
    if recipe.bias is not None:
        hidden = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d) and m not in gates]
        for module in hidden[:-1]:
            if module.bias is not None:
                module.bias.fill_(recipe.bias)
    if recipe.gate_bias is not None:
        for gate in gates:
            gate.bias[-1 if gate.out_features == 4 else slice(None)] = recipe.gate_bias
