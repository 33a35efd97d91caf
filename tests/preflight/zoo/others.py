"""Forms that look like faults and are none: what a check has to know of before it may speak."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, classes, tokens
from tests.preflight.zoo.plain import mlp

__all__ = ["OTHERS"]


class Mixture(nn.Module):
    """Shares, means and spreads of a density: a softmax and a softplus that are no mistakes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.Tanh())
        self.shares, self.means, self.spreads = nn.Linear(32, 4), nn.Linear(32, 4), nn.Linear(32, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.body(x)
        return F.softmax(self.shares(h), -1), self.means(h), F.softplus(self.spreads(h)) + 1e-3


def density(made: tuple[Tensor, Tensor, Tensor], y: Tensor) -> Tensor:
    shares, means, spreads = made
    return -torch.logsumexp(torch.log(shares) - ((y - means) / spreads) ** 2 / 2 - torch.log(spreads), -1).mean()


class Contrast(nn.Module):
    """Similarities of two encoders as scores, times a learnt temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.scale = mlp(8), mlp(8), nn.Parameter(torch.tensor(2.6))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        scores = F.normalize(self.one(x), dim=-1) @ F.normalize(self.two(y), dim=-1).T * self.scale.exp()
        return F.cross_entropy(scores, torch.arange(len(x))) + F.cross_entropy(scores.T, torch.arange(len(x)))


class Pupil(nn.Module):
    """Taught by a net that runs without gradients, in the shares it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.pupil, self.teacher = mlp(5), mlp(5)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = F.softmax(self.teacher(x) / 2, -1)
        return F.kl_div(F.log_softmax(self.pupil(x) / 2, -1), wanted, reduction="batchmean")


class Straightened(nn.Module):
    """Finds where to look with a layer that begins at zero weights and the identity as its bias."""

    def __init__(self) -> None:
        super().__init__()
        self.find = nn.Sequential(nn.Conv2d(1, 4, 7), nn.MaxPool2d(4), nn.ReLU(True), nn.Flatten())
        self.turn, self.conv, self.head = nn.Linear(100, 6), nn.Conv2d(1, 4, 5), nn.Linear(576, 10)
        nn.init.zeros_(self.turn.weight)
        self.turn.bias.data.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        grid = F.affine_grid(self.turn(self.find(x)).view(-1, 2, 3), list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, align_corners=False)
        return F.log_softmax(self.head(F.relu(F.max_pool2d(self.conv(x), 2)).flatten(1)), -1)


class Dilated(nn.Module):
    """Weights in two factors, dropout, ways round."""

    def __init__(self) -> None:
        super().__init__()
        norm = nn.utils.parametrizations.weight_norm
        sizes = (4, 16, 16, 16)
        self.convs = nn.ModuleList(
            norm(nn.Conv1d(width, 16, 3, padding=2**i, dilation=2**i)) for i, width in enumerate(sizes)
        )
        self.short, self.head = nn.Conv1d(4, 16, 1), nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        short = self.short(x)
        for i in (0, 2):
            h = F.dropout(F.relu(self.convs[i](x)), 0.2, self.training)
            h = F.dropout(F.relu(self.convs[i + 1](h)), 0.2, self.training)
            x = short = F.relu(h + short)
        return self.head(x[:, :, -1])


class Dueling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU())
        self.gain = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))
        self.worth = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(x)
        gain = self.gain(h)
        return self.worth(h) + gain - gain.mean(1, keepdim=True)


class Sets(nn.Module):
    """A linear layer, a sum over the set, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32))
        self.all = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.all(self.each(x).sum(1))


class Shortened(nn.Module):
    """Attention with keys and values projected along the sequence as well."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm, self.along = nn.Embedding(50, 32), nn.LayerNorm(32), nn.Linear(12, 6, bias=False)
        self.q, self.k, self.v, self.out = (nn.Linear(32, 32) for _ in range(4))
        self.head = nn.Linear(32, 3)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.norm(self.embed(ids))
        k, v = (self.along(part(x).transpose(1, 2)).transpose(1, 2) for part in (self.k, self.v))
        return self.head((x + self.out(F.softmax(self.q(x) @ k.transpose(1, 2) / 5.6, -1) @ v)).mean(1))


class Factors(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.users, self.items, self.bias = nn.Embedding(100, 16), nn.Embedding(200, 16), nn.Embedding(100, 1)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        return (self.users(user) * self.items(item)).sum(-1) + self.bias(user).squeeze(-1)


class Waves(nn.Module):
    """Sines of thirty times a layer, with weights to match."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 64), nn.Linear(64, 64), nn.Linear(64, 64)])
        self.head = nn.Linear(64, 1)
        for layer in self.layers[1:]:
            assert isinstance(layer, nn.Linear)
            nn.init.uniform_(layer.weight, -((6 / 64) ** 0.5) / 30, (6 / 64) ** 0.5 / 30)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.sin(30 * layer(x))
        return self.head(x)


class Informed(nn.Module):
    """The residual of a differential equation, from gradients in the forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        u = self.net(x)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return slope[:, 0] + u[:, 0] * slope[:, 1]


class Flowing(nn.Module):
    """The same layer of ReLU ten times, each time added to a way round."""

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.head = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16)), nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(10):
            x = x + 0.1 * self.rate(x)
        return self.head(x)


class Universal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 16), nn.Linear(16, 3)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        for _ in range(4):
            x = self.layer(x)
        return self.head(x.mean(1))


class Graph(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(8, 16, bias=False), nn.Linear(16, 3, bias=False)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        return edges @ self.two(F.dropout(F.relu(edges @ self.one(x)), 0.5, self.training))


def rows(count: int = 64, width: int = 16):
    return lambda: torch.randn(count, width)


def of_the_pupil(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.get_submodule("pupil").parameters())


def deep() -> nn.Sequential:
    hidden = [layer for _ in range(8) for layer in (nn.Linear(64, 64), nn.Tanh())]
    return nn.Sequential(nn.Linear(16, 64), nn.Tanh(), *hidden, nn.Linear(64, 3))


OTHERS = (
    Case("mixture-density", Mixture, rows(), density, rows(64, 1)),
    Case("contrast", Contrast, lambda: (torch.randn(64, 16), torch.randn(64, 16))),
    Case("distilled", Pupil, rows(), optimiser=of_the_pupil),
    Case("distilled-unknown", Pupil, rows(), optimiser=None),
    Case("distilled-held", Pupil, rows()),
    Case("spatial-transformer", Straightened, lambda: torch.randn(4, 1, 28, 28), "nll", classes(10, 4)),
    Case("temporal-convolution", Dilated, lambda: torch.randn(8, 4, 40), "mse", rows(8, 1)),
    Case("dueling", Dueling, rows(), nn.SmoothL1Loss(), rows(64, 4)),
    Case("sets", Sets, lambda: torch.randn(16, 10, 3), "cross-entropy", classes(2, 16)),
    Case("linformer", Shortened, tokens(), "cross-entropy", classes(3, 4)),
    Case("factors", Factors, lambda: (torch.randint(0, 100, (64,)), torch.randint(0, 200, (64,))), "mse",
         lambda: torch.rand(64) * 5),
    Case("waves", Waves, lambda: torch.rand(256, 2) * 2 - 1, "mse", lambda: torch.rand(256, 1)),
    Case("physics-informed", Informed, lambda: torch.rand(128, 2), "mse", lambda: torch.zeros(128)),
    Case("neural-ode", Flowing, rows(), "cross-entropy", classes(3, 64)),
    Case("universal", Universal, tokens(), "cross-entropy", classes(3, 4)),
    Case("graph-convolution", Graph, lambda: (torch.randn(20, 8), torch.eye(20)), "cross-entropy", classes(3, 20)),
    Case("one-hot-inputs", lambda: nn.Sequential(nn.Linear(500, 64), nn.ReLU(), nn.Linear(64, 3)),
         lambda: F.one_hot(torch.randint(0, 500, (64,)), 500).float(), "cross-entropy", classes(3, 64)),
    Case("shares-for-bce", lambda: mlp(2, ends=(nn.Softmax(-1),)), rows(), nn.BCELoss(),
         lambda: F.one_hot(torch.randint(0, 2, (64,)), 2).float()),
    Case("positive-output", lambda: mlp(1, ends=(nn.ReLU(),)), rows(), "mse", lambda: torch.rand(64, 1) * 9),
    Case("deep-tanh", deep, rows(), "cross-entropy", classes(3, 64)),
)  # fmt: skip
