"""Models that make what they are trained on: autoencoders, adversaries, flows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, image

__all__ = ["GENERATIVE"]


def digits() -> Tensor:
    return torch.rand(16, 64, generator=torch.Generator().manual_seed(1))


def autoencoder() -> nn.Sequential:
    """The code is a linear layer that the decoder reads directly."""
    return nn.Sequential(
        nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8), nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid()
    )


class Same(nn.Module):
    """Trained to give back what it was given, which may be 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.core = autoencoder()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        made = self.core(x)
        return made, F.mse_loss(made, x)


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter, self.mean, self.spread = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
        self.back, self.out = nn.Linear(4, 32), nn.Linear(32, 64)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.enter(x))
        mean, spread = self.mean(h), self.spread(h)
        z = mean + torch.randn_like(spread) * torch.exp(0.5 * spread)
        return torch.sigmoid(self.out(F.relu(self.back(z)))), mean, spread


def vae_loss(made: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    out, mean, spread = made
    return F.binary_cross_entropy(out, x) - 0.5 * (1 + spread - mean**2 - spread.exp()).mean()


class Quantised(nn.Module):
    """Codes from a book, with the gradient carried straight through."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
        self.book = nn.Embedding(16, 8)
        self.decode = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encode(x)
        near = self.book(torch.cdist(z, self.book.weight).argmin(1))
        cost = F.mse_loss(near, z.detach()) + 0.25 * F.mse_loss(z, near.detach())
        return self.decode(z + (near - z).detach()), cost


def generator() -> nn.Sequential:
    model = nn.Sequential(
        nn.ConvTranspose2d(16, 32, 4, 1, 0, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
        nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    for module in model:
        if isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
    return model


def discriminator() -> nn.Sequential:
    norm = nn.utils.parametrizations.spectral_norm
    return nn.Sequential(
        norm(nn.Conv2d(3, 16, 4, 2, 1)), nn.LeakyReLU(0.2, inplace=True),
        norm(nn.Conv2d(16, 32, 4, 2, 1)), nn.LeakyReLU(0.2, inplace=True),
        norm(nn.Conv2d(32, 1, 4)), nn.Flatten(),
    )  # fmt: skip


class Coupling(nn.Module):
    """Affine couplings with a mixing matrix between; the last layer of each begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.mixes = nn.ParameterList(torch.linalg.qr(torch.randn(6, 6))[0] for _ in range(3))
        self.nets = nn.ModuleList(
            nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 6)) for _ in range(3)
        )
        for net in self.nets:
            assert isinstance(net, nn.Sequential)
            nn.init.zeros_(net[4].weight)
            nn.init.zeros_(net[4].bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        grown: Tensor = torch.zeros(len(x))
        for mix, net in zip(self.mixes, self.nets, strict=True):
            one, two = (x @ mix).chunk(2, 1)
            scale, shift = net(one).chunk(2, 1)
            scale = torch.tanh(scale)
            x = torch.cat([one, two * scale.exp() + shift], 1)
            grown = grown + scale.sum(1) + torch.linalg.slogdet(mix)[1]
        return x, grown


class Momentum(nn.Module):
    """Two views, a predictor on one, and no gradient to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(inplace=True), nn.Linear(32, 32), nn.BatchNorm1d(32)
        )
        self.predict = nn.Sequential(
            nn.Linear(32, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Linear(8, 32)
        )

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        a, b = self.body(one), self.body(two)
        return -(
            F.cosine_similarity(self.predict(a), b.detach()).mean()
            + F.cosine_similarity(self.predict(b), a.detach()).mean()
        )


GENERATIVE = (
    Case("autoencoder", autoencoder, digits, nn.MSELoss(), digits),
    Case("autoencoder-of-bits", Same, lambda: (digits() > 0.5).float()),
    Case("vae", VAE, digits, vae_loss, digits),
    Case("vq-vae", Quantised, digits),
    Case("generator", generator, lambda: torch.randn(4, 16, 1, 1)),
    Case("discriminator", discriminator, image(side=16), "bce-with-logits", lambda: torch.ones(4, 1)),
    Case("flow", Coupling, lambda: torch.randn(32, 6)),
    Case("simsiam", Momentum, lambda: (torch.randn(16, 16), torch.randn(16, 16))),
)
