"""The correct models with one fault each, and what has to be found where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import classes

__all__ = ["MUTANTS", "Mutant"]

Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        of: the name of the correct model.
        edit: what is done to it.
        name: the finding that has to be made.
        where: what its place has to be.
        changes: what else is changed: loss, target, sample, optimiser.
    """

    of: str
    edit: Edit | None
    name: str
    where: str
    changes: dict[str, Any] = field(default_factory=dict)


def put(path: str, new: Callable[[], nn.Module]) -> Edit:
    """Put a module in the place of another."""

    def edit(model: nn.Module) -> None:
        owner, _, leaf = path.rpartition(".")
        setattr(model.get_submodule(owner), leaf, new())

    return edit


def gone(path: str) -> Edit:
    return put(path, nn.Identity)


def end(new: Callable[[], nn.Module]) -> Edit:
    """One module more at the end of a Sequential."""
    return lambda model: model.append(new())


def fill(path: str, value: float) -> Edit:
    return lambda model: nn.init.constant_(model.get_parameter(path), value)


def every(kind: type[nn.Module], change: Callable[[Any], Any]) -> Edit:
    """Do something to all modules of a kind."""

    def edit(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, kind):
                change(module)

    return edit


def both(*edits: Edit) -> Edit:
    return lambda model: [edit(model) for edit in edits]


def wide(model: Any, path: str, factor: float) -> None:
    with torch.no_grad():
        model.get_parameter(path).mul_(factor)


def deep(act: type[nn.Module], count: int) -> Edit:
    """Make a perceptron deep."""

    def edit(model: nn.Sequential) -> None:
        for _ in range(count):
            model.insert(2, act())
            model.insert(2, nn.Linear(64, 64))

    return edit


def normal(std: float) -> Edit:
    return every(nn.Linear, lambda layer: nn.init.normal_(layer.weight, 0.0, std))


class Detached(nn.Module):
    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, x: Tensor) -> Tensor:
        return self.inside(x).detach()


class Rounded(nn.Module):
    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, x: Tensor) -> Tensor:
        return torch.round(self.inside(x))


class Listed(nn.Module):
    """Layers in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(64, 64), nn.Linear(64, 64)]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return x


class Overwriting(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x).add_(1.0)


class Exchanged(nn.Module):
    """A softmax after the transposition, where it takes the single unit of a head."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, dim=1)


def twice(layer: nn.Module) -> nn.Module:
    return nn.Sequential(layer, nn.Tanh(), nn.Tanh())


def relu_rnn() -> nn.Module:
    return nn.RNN(16, 24, nonlinearity="relu", batch_first=True)


def halves() -> Tensor:
    return torch.arange(64)[:, None] % 2 * 1.0


def before_replacing(path: str, new: Callable[[], nn.Module]) -> dict[str, Any]:
    """An optimiser that was made before a layer was replaced."""

    def optimiser(model: nn.Module) -> torch.optim.Optimizer:
        made = torch.optim.AdamW(model.parameters(), lr=1e-3)
        put(path, new)(model)
        return made

    return {"optimiser": optimiser}


def adam(rate: float) -> dict[str, Any]:
    return {"optimiser": lambda model: torch.optim.Adam(model.parameters(), lr=rate)}


def descent(rate: float) -> dict[str, Any]:
    return {"optimiser": lambda model: torch.optim.SGD(model.parameters(), lr=rate)}


def large(sample: Callable[[], Tensor], factor: float) -> dict[str, Any]:
    return {"sample": lambda: sample() * factor}


MISSING = "missing-activation"
TWICE = "wrong-activation"
HEAD = "output-loss-mismatch"
INIT = "bad-initialisation"
BORN = "dead-from-start"
CUT = "no-gradient-path"
LOOP = "unbounded-recurrence"
NORM = "normalisation-misuse"
DEEP = "too-deep-without-normalisation"

MUTANTS = (
    # two linear maps
    Mutant("mlp-classes", gone("1"), MISSING, "2"),
    Mutant("mlp-regression", gone("3"), MISSING, "4"),
    Mutant("lenet", gone("8"), MISSING, "9"),
    Mutant("vgg", gone("7"), MISSING, "8"),
    Mutant("resnet", gone("layer1.0.relu"), MISSING, "layer1.0.conv2"),
    Mutant("u-net", gone("one.2"), MISSING, "one.3"),
    Mutant("gpt", gone("blocks.1.act"), MISSING, "blocks.1.proj"),
    Mutant("mixer", gone("channels.1"), MISSING, "channels.2"),
    Mutant("generator", gone("5"), MISSING, "6"),
    Mutant("discriminator", gone("1"), MISSING, "2"),
    Mutant("simsiam", put("body.2", nn.Dropout), MISSING, "body.3"),
    Mutant("tabular", gone("body.5"), MISSING, "body.6"),
    # an activation upon an activation
    Mutant("mlp-classes", put("1", lambda: nn.Sequential(nn.ReLU(), nn.Tanh())), TWICE, "1.1"),
    Mutant("lenet", put("7", lambda: nn.Sequential(nn.Linear(400, 120), nn.Tanh())), TWICE, "8"),
    Mutant("mlp-binary-bce", put("5", lambda: nn.Sequential(nn.Softmax(-1), nn.Sigmoid())), TWICE, "5.1"),
    Mutant("mixer", put("tokens.1", lambda: nn.Sequential(nn.GELU(), nn.GELU())), TWICE, "tokens.1.1"),
    Mutant("autoencoder", end(nn.Sigmoid), TWICE, "7"),
    Mutant("wavenet", put("skips.0", lambda: twice(nn.Conv1d(16, 24, 1))), TWICE, "skips.0.2"),
    # the head and the loss
    Mutant("mlp-classes", end(lambda: nn.Softmax(-1)), HEAD, "5"),
    Mutant("mlp-classes", end(nn.ReLU), HEAD, "5"),
    Mutant("mlp-classes", end(nn.Sigmoid), HEAD, "5"),
    Mutant("vgg", end(lambda: nn.Softmax(-1)), HEAD, "24"),
    Mutant("resnet", put("fc", lambda: nn.Sequential(nn.Linear(32, 10), nn.Softmax(1))), HEAD, "fc.1"),
    Mutant("lstm", put("head", lambda: nn.Sequential(nn.Linear(24, 4), nn.Softmax(-1))), HEAD, "head.1"),
    Mutant("gpt", put("head", lambda: nn.Sequential(nn.Linear(32, 50), nn.Softmax(-1))), HEAD, "head.1"),
    Mutant("mlp-binary", end(nn.Sigmoid), HEAD, "5"),
    Mutant("mlp-multi-label", end(lambda: nn.Softmax(-1)), HEAD, "5"),
    Mutant("u-net", put("head", lambda: nn.Sequential(nn.Conv2d(8, 1, 1), nn.Sigmoid())), HEAD, "head.1"),
    Mutant("mlp-binary-bce", gone("5"), HEAD, "4"),
    Mutant("mlp-binary-bce", put("5", nn.Tanh), HEAD, "5"),
    Mutant("mlp-classes-nll", gone("5"), HEAD, "4"),
    Mutant("mlp-classes-nll", put("5", lambda: nn.Softmax(-1)), HEAD, "5"),
    Mutant("mlp-binary-bce", None, HEAD, "5", {"loss": "mse", "target": halves}),
    Mutant("mlp-bounded", None, HEAD, "5", {"target": lambda: torch.randn(64, 2) * 5}),
    Mutant("mlp-counts", None, HEAD, "5", {"target": lambda: torch.randn(64, 1)}),
    Mutant("mlp-regression", end(nn.ReLU), HEAD, "5"),
    Mutant("mlp-binary", end(lambda: nn.Softmax(-1)), HEAD, "5", {"loss": nn.BCELoss()}),
    Mutant("mlp-regression", None, HEAD, "4", {"target": lambda: torch.randn(64)}),
    Mutant("mlp-binary", None, HEAD, "4", {"loss": "cross-entropy", "target": classes(1, 64)}),
    # initialisation
    Mutant("mlp-classes", fill("0.weight", 0.0), INIT, "0"),
    Mutant("mlp-classes", both(fill("2.weight", 0.1), fill("2.bias", 0.0)), INIT, "2"),
    Mutant("vgg", both(fill("6.weight", 0.01), fill("6.bias", 0.0)), INIT, "6"),
    Mutant("mlp-classes", fill("2.weight", float("nan")), INIT, "2"),
    Mutant("lenet", lambda model: wide(model, "9.weight", 400.0), INIT, "9"),
    Mutant("mlp-classes", both(deep(nn.ReLU, 20), normal(0.03)), INIT, "0"),
    Mutant("tanh-field", both(deep(nn.Tanh, 16), normal(0.01)), INIT, "0"),
    Mutant("mlp-classes", both(deep(nn.ReLU, 12), normal(1.0)), INIT, "0"),
    # depth
    Mutant("mlp-classes", deep(nn.Sigmoid, 10), DEEP, "0"),
    Mutant("mlp-regression", deep(nn.Softsign, 20), INIT, "0"),
    # silent units
    Mutant("mlp-classes", fill("0.bias", -20.0), "bad-bias", "1"),
    Mutant("resnet", fill("bn1.bias", -8.0), "bad-bias", "relu"),
    Mutant("vgg", fill("8.bias", -30.0), "bad-bias", "9"),
    Mutant(
        "mlp-classes",
        lambda model: model[0].weight.data.abs_().neg_(),
        BORN,
        "1",
        {"sample": lambda: torch.rand(64, 16)},
    ),
    # recurrence
    Mutant("rnn", put("rnn", relu_rnn), LOOP, "rnn"),
    Mutant("identity-rnn", lambda m: nn.init.orthogonal_(m.rnn.weight_hh_l0), LOOP, "rnn"),
    # normalisation
    Mutant("tabular", put("body.1", lambda: nn.Sequential(nn.ReLU(), nn.Dropout(0.5))), NORM, "body.2"),
    Mutant("self-normalising", put("5", lambda: nn.Dropout(0.1)), NORM, "5"),
    # gradients
    Mutant("resnet", lambda m: setattr(m, "conv1", Detached(m.conv1)), CUT, "conv1.inside"),
    Mutant("mlp-regression", lambda m: m.__setitem__(0, Rounded(m[0])), CUT, "0.inside"),
    Mutant("mlp-classes", put("3", Listed), CUT, "3.linear#1"),
    Mutant("tanh-field", put("3", Overwriting), CUT, "3.add"),
    Mutant("lenet", put("8", lambda: nn.Sequential(nn.Sigmoid(), nn.ReLU(inplace=True))), CUT, "8.1"),
    Mutant("resnet", None, CUT, "fc", before_replacing("fc", lambda: nn.Linear(32, 10))),
    Mutant("vit", None, CUT, "token", {"optimiser": lambda m: torch.optim.SGD(m.head.parameters(), lr=0.1)}),
    # scales and rates
    Mutant("mlp-classes", None, "unscaled-inputs", "input", large(lambda: torch.rand(64, 16), 255.0)),
    Mutant("lenet", None, "unscaled-inputs", "input", large(lambda: torch.rand(8, 1, 28, 28), 255.0)),
    Mutant("mlp-regression", None, "unscaled-targets", "target", {"target": lambda: torch.rand(64, 1) * 5e5}),
    Mutant("gpt", None, "learning-rate-too-high", "model", adam(0.1)),
    Mutant("mlp-classes", None, "learning-rate-too-high", "model", adam(1.0)),
    Mutant("mlp-regression", None, "learning-rate-too-high", "model", descent(3000.0)),
    Mutant("mlp-one-hot", None, HEAD, "4", {"loss": nn.NLLLoss(), "target": classes(5, 64)}),
)  # fmt: skip
