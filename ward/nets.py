"""The models of the ward, written as people write them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.recipe import Recipe

__all__ = ["BUILDERS", "build"]


class Exp(nn.Module):
    """AutoTrainer's exploding activation."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x)


def activation(recipe: Recipe) -> nn.Module:
    if recipe.activation == "exp":
        return Exp()
    if recipe.activation == "Softmax":
        return nn.Softmax(dim=1)
    return getattr(nn, recipe.activation)()


def norm(recipe: Recipe, width: int, *, image: bool = False) -> list[nn.Module]:
    if recipe.norm == "batch":
        return [nn.BatchNorm2d(width) if image else nn.BatchNorm1d(width)]
    if recipe.norm == "layer":
        return [nn.GroupNorm(1, width) if image else nn.LayerNorm(width)]
    return []


def after(recipe: Recipe, width: int, *, image: bool = False) -> list[nn.Module]:
    """What follows a linear layer or convolution."""
    dropout = [nn.Dropout(recipe.dropout)] if recipe.dropout else []
    return [*norm(recipe, width, image=image), activation(recipe), *dropout]


class Residual(nn.Module):
    """A block with a shortcut."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


def outputs(recipe: Recipe, data: Data) -> int:
    """Units of the last layer."""
    return 1 if recipe.loss in ("bce", "bce_logits") else data.classes or 1


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


class Recurrent(nn.Module):
    """An LSTM, GRU or plain RNN with a linear layer on its last state."""

    def __init__(self, recipe: Recipe, data: Data) -> None:
        super().__init__()
        self.embedding = nn.Embedding(data.tokens, recipe.width) if data.tokens else None
        size = recipe.width if data.tokens else data.inputs.shape[-1]
        kinds: dict[str, Callable[..., nn.Module]] = {
            "lstm": nn.LSTM,
            "gru": nn.GRU,
            "rnn": lambda *a, **k: nn.RNN(*a, **k, nonlinearity="relu" if recipe.activation == "ReLU" else "tanh"),
        }
        self.rnn = kinds[recipe.net](size, recipe.width, recipe.depth, batch_first=True)
        self.fc = nn.Linear(recipe.width, outputs(recipe, data))

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.rnn(self.embedding(x) if self.embedding is not None else x)
        return self.fc(states[:, -1])


class Transformer(nn.Module):
    """An encoder whose mean over time is classified."""

    def __init__(self, recipe: Recipe, data: Data) -> None:
        super().__init__()
        width, length = recipe.width, data.inputs.shape[1]
        self.embedding = nn.Embedding(data.tokens, width) if data.tokens else nn.Linear(data.inputs.shape[-1], width)
        self.position = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, recipe.dropout, activation=activation(recipe), batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, recipe.depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, outputs(recipe, data))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.encoder(self.embedding(x) + self.position)).mean(1))


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
    "transformer": Transformer,
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
    return model


@torch.no_grad()
def draw(recipe: Recipe, model: nn.Module) -> None:
    """The weights and biases as the recipe says; torch's own where it says nothing."""
    weights = [p for p in model.parameters() if p.ndim >= 2]
    for weight in weights:
        if recipe.init == "he":
            nn.init.kaiming_normal_(weight)
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
    if recipe.bias is not None:
        hidden = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)][:-1]
        for module in hidden:
            if module.bias is not None:
                module.bias.fill_(recipe.bias)
