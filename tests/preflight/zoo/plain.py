"""Multilayer perceptrons and their heads: the losses each with the output that it takes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, classes

__all__ = ["PLAIN"]


def mlp(out: int, *, act: type[nn.Module] = nn.ReLU, ends: tuple[nn.Module, ...] = ()) -> nn.Sequential:
    return nn.Sequential(nn.Linear(16, 64), act(), nn.Linear(64, 64), act(), nn.Linear(64, out), *ends)


def rows(count: int = 64, width: int = 16):
    return lambda: torch.randn(count, width)


def self_normalising() -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(8):
        layers += [nn.Linear(16, 16), nn.SELU(), nn.AlphaDropout(0.1)]
    model = nn.Sequential(*layers, nn.Linear(16, 3))
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            nn.init.zeros_(module.bias)
    return model


class Tabular(nn.Module):
    """Categories embedded, numbers normalised, both in one perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(n, 4) for n in (5, 9))
        self.norm = nn.BatchNorm1d(6)
        self.body = nn.Sequential(
            nn.Linear(14, 64),
            nn.ReLU(),
            nn.BatchNorm1d(64),
            nn.Dropout(0.1),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 1),
        )

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        embedded = [table(categories[:, i]) for i, table in enumerate(self.embeddings)]
        return self.body(torch.cat([self.norm(numbers), *embedded], 1)).squeeze(1)


class MaskedLoRA(nn.Module):
    """A frozen layer and the low-rank correction that is trained; its second factor begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.base = mlp(5)
        for parameter in self.base.parameters():
            parameter.requires_grad = False
        self.a = nn.Parameter(torch.randn(16, 4) / 4)
        self.b = nn.Parameter(torch.zeros(4, 64))

    def forward(self, x: Tensor) -> Tensor:
        h = self.base[1](self.base[0](x) + x @ self.a @ self.b)
        return self.base[2:](h)


class MixtureOfExperts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(16, 4)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)) for _ in range(4))
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        shares = F.softmax(self.gate(x), dim=-1)
        best, index = shares.topk(2, dim=-1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            chosen = (index == number).any(-1)
            if chosen.any():
                weight = (best * (index == number)).sum(-1, keepdim=True)[chosen]
                out[chosen] = out[chosen] + weight * expert(x[chosen])
        return self.head(F.layer_norm(x + out, (16,)))


class SwiGLU(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(16, 48, False), nn.Linear(16, 48, False), nn.Linear(48, 16, False)
        self.norm, self.head = nn.RMSNorm(16), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        return self.head(x + self.down(F.silu(self.gate(h)) * self.up(h)))


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(8)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        return F.pairwise_distance(F.normalize(self.body(one)), F.normalize(self.body(two)))


class TiedAutoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 16) / 4)
        self.up, self.down = nn.Parameter(torch.zeros(8)), nn.Parameter(torch.zeros(16))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(torch.tanh(F.linear(x, self.weight, self.up)), self.weight.t(), self.down)


class ActorCritic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        self.actor, self.critic = nn.Linear(64, 4), nn.Linear(64, 1)
        nn.init.orthogonal_(self.actor.weight, 0.01)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.body(x)
        return F.log_softmax(self.actor(h), -1), self.critic(h).squeeze(-1)


def one_hot() -> Tensor:
    return F.one_hot(torch.arange(64) % 5, 5).float()


PLAIN = (
    Case("mlp-classes", lambda: mlp(5), rows(), nn.CrossEntropyLoss(), classes(5, 64)),
    Case("mlp-classes-nll", lambda: mlp(5, ends=(nn.LogSoftmax(-1),)), rows(), nn.NLLLoss(), classes(5, 64)),
    Case("mlp-one-hot", lambda: mlp(5), rows(), "cross-entropy", one_hot),
    Case("mlp-binary", lambda: mlp(1), rows(), nn.BCEWithLogitsLoss(), lambda: torch.ones(64, 1)),
    Case("mlp-binary-bce", lambda: mlp(1, ends=(nn.Sigmoid(),)), rows(), nn.BCELoss(), lambda: torch.ones(64, 1)),
    Case("mlp-multi-label", lambda: mlp(5), rows(), "bce-with-logits", lambda: (torch.rand(64, 5) > 0.5).float()),
    Case("mlp-regression", lambda: mlp(1), rows(), nn.MSELoss(), lambda: torch.randn(64, 1)),
    Case(
        "mlp-bounded", lambda: mlp(2, act=nn.ELU, ends=(nn.Tanh(),)), rows(), "mse", lambda: torch.rand(64, 2) * 2 - 1
    ),
    Case("mlp-counts", lambda: mlp(1, ends=(nn.Softplus(),)), rows(), "l1", lambda: torch.rand(64, 1) * 3),
    Case("mlp-huber", lambda: mlp(1, act=nn.SiLU), rows(), "huber", lambda: torch.randn(64, 1)),
    Case("self-normalising", self_normalising, rows(), "cross-entropy", classes(3, 64)),
    Case("tanh-field", lambda: mlp(1, act=nn.Tanh), rows(), "mse", lambda: torch.randn(64, 1)),
    Case("logistic-regression", lambda: nn.Linear(16, 3), rows(), "cross-entropy", classes(3, 64)),
    Case(
        "tabular", Tabular, lambda: (torch.randn(64, 6), torch.randint(0, 5, (64, 2))), "mse", lambda: torch.randn(64)
    ),
    Case("lora", MaskedLoRA, rows(), "cross-entropy", classes(5, 64)),
    Case("mixture-of-experts", MixtureOfExperts, rows(), "cross-entropy", classes(3, 64)),
    Case("swiglu", SwiGLU, rows(), "cross-entropy", classes(3, 64)),
    Case("siamese", Siamese, lambda: (torch.randn(64, 16), torch.randn(64, 16))),
    Case("tied-autoencoder", TiedAutoencoder, rows(), "mse", rows()),
    Case("actor-critic", ActorCritic, rows()),
)
