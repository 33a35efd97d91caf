"""Losses of sound trainings, as people write them: of none is anything said."""

import itertools
import math
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.findings import diagnose
from tests.probe.watching import watching

STEPS = 25
ABOUT = {"output-loss-mismatch", "unscaled-targets", "loss-numerics"}


def net(*sizes: int, head: nn.Module | None = None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *([head] if head is not None else []))


def labels(count: int = 32, classes: int = 5) -> Tensor:
    return torch.randint(classes, (count,))


def descend(model: nn.Module, loss: Callable[[], Tensor], *, maximise: bool = False) -> Iterator[None]:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, maximize=maximise)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        yield


def x(count: int = 32, features: int = 8) -> Tensor:
    return torch.randn(count, features)


def classifier(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], Iterator[None]]:
    def train() -> Iterator[None]:
        model = net(8, 16, 5)
        return descend(model, lambda: loss(model(x()), labels()))

    return train


def regressor(
    loss: Callable[[Tensor, Tensor], Tensor], target: Callable[[], Tensor], head: nn.Module | None = None
) -> Callable[[], Iterator[None]]:
    def train() -> Iterator[None]:
        model = net(8, 16, target().shape[-1], head=head)
        return descend(model, lambda: loss(model(x()), target()))

    return train


def gan(critic_loss: Callable[[Tensor, Tensor], Tensor], generator_loss: Callable[[Tensor], Tensor],
        head: nn.Module | None = None) -> Callable[[], Iterator[None]]:  # fmt: skip
    def train() -> Iterator[None]:
        maker, critic = net(4, 16, 8, head=nn.Tanh()), net(8, 16, 1, head=head)
        one, two = torch.optim.Adam(maker.parameters(), 1e-3), torch.optim.Adam(critic.parameters(), 1e-3)
        for _ in range(STEPS):
            two.zero_grad()
            critic_loss(critic(x()), critic(maker(x(32, 4)).detach())).backward()
            two.step()
            one.zero_grad()
            generator_loss(critic(maker(x(32, 4)))).backward()
            one.step()
            yield

    return train


def vae() -> Iterator[None]:
    encoder, decoder = net(8, 16, 8), net(4, 16, 8, head=nn.Sigmoid())

    def loss() -> Tensor:
        pixels = torch.rand(32, 8)
        mean, log_variance = encoder(pixels).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
        return F.binary_cross_entropy(decoder(code), pixels, reduction="sum") + divergence

    return descend(nn.ModuleList([encoder, decoder]), loss)


def reinforce() -> Iterator[None]:
    policy = net(8, 16, 3)

    def loss() -> Tensor:
        chosen = torch.distributions.Categorical(logits=policy(x()))
        action = chosen.sample()
        return -(chosen.log_prob(action) * torch.randn(32)).mean() - 0.01 * chosen.entropy().mean()

    return descend(policy, loss)


def reinforce_by_hand(reward: Callable[[], Tensor | float]) -> Callable[[], Iterator[None]]:
    def train() -> Iterator[None]:
        policy = net(8, 16, 3, head=nn.Softmax(-1))

        def loss() -> Tensor:
            shares = policy(x())
            return -(torch.log(shares[torch.arange(32), labels(32, 3)]) * reward()).mean()

        return descend(policy, loss)

    return train


def reinforce_by_cross_entropy() -> Iterator[None]:
    policy = net(8, 16, 3)
    return descend(
        policy, lambda: (F.cross_entropy(policy(x()), labels(32, 3), reduction="none") * -torch.rand(32)).mean()
    )


def ppo() -> Iterator[None]:
    policy, critic = net(8, 16, 3), net(8, 16, 1)

    def loss() -> Tensor:
        seen = x()
        chosen = torch.distributions.Categorical(logits=policy(seen))
        action, advantage = chosen.sample(), torch.randn(32)
        ratio = (chosen.log_prob(action) - chosen.log_prob(action).detach()).exp()
        gain = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        return -gain + 0.5 * F.mse_loss(critic(seen).squeeze(-1), torch.randn(32)) - 0.01 * chosen.entropy().mean()

    return descend(nn.ModuleList([policy, critic]), loss)


def dqn() -> Iterator[None]:
    values, frozen = net(8, 16, 3), net(8, 16, 3)

    def loss() -> Tensor:
        taken = values(x()).gather(1, labels(32, 3)[:, None]).squeeze(1)
        with torch.no_grad():
            wanted = torch.rand(32) + 0.99 * frozen(x()).amax(1)
        return F.smooth_l1_loss(taken, wanted)

    return descend(values, loss)


def distillation() -> Iterator[None]:
    student, teacher = net(8, 16, 5), net(8, 16, 5)

    def loss() -> Tensor:
        seen = x()
        scores = student(seen)
        soft = F.kl_div(F.log_softmax(scores / 4, 1), F.softmax(teacher(seen) / 4, 1).detach(), reduction="batchmean")
        return 16 * soft + 0.5 * F.cross_entropy(scores, labels())

    return descend(student, loss)


def distilled_shares() -> Iterator[None]:
    student, teacher = net(8, 16, 5, head=nn.Softmax(-1)), net(8, 16, 5, head=nn.Softmax(-1))

    def loss() -> Tensor:
        seen = x()
        return F.mse_loss(student(seen), teacher(seen).detach())

    return descend(student, loss)


def focal(scores: Tensor, target: Tensor) -> Tensor:
    each = F.cross_entropy(scores, target, reduction="none")
    return ((1 - torch.exp(-each)) ** 2 * each).mean()


def contrast() -> Iterator[None]:
    model = net(8, 16, 6)

    def loss() -> Tensor:
        one, two = F.normalize(model(x()), dim=1), F.normalize(model(x()), dim=1)
        return F.cross_entropy(one @ two.T / 0.1, torch.arange(32))

    return descend(model, loss)


def segmentation() -> Iterator[None]:
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))
    return descend(model, lambda: F.cross_entropy(model(torch.randn(2, 3, 6, 6)), torch.randint(4, (2, 6, 6))))


def squeezed() -> Iterator[None]:  # as SqueezeNet ends: a ReLU, then an average
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return descend(model, lambda: F.cross_entropy(model(torch.randn(8, 3, 6, 6)), labels(8)))


def tasks() -> Iterator[None]:
    body, one, two = net(8, 16, 16), nn.Linear(16, 5), nn.Linear(16, 1)

    def loss() -> Tensor:
        shared = body(x()).relu()
        return F.cross_entropy(one(shared), labels()) + 0.1 * F.mse_loss(two(shared), torch.randn(32, 1))

    return descend(nn.ModuleList([body, one, two]), loss)


def adversary() -> Iterator[None]:  # a domain that must not be told: its loss enters with a minus, beside the task's
    body, one, two = net(8, 16, 16), nn.Linear(16, 5), nn.Linear(16, 2)

    def loss() -> Tensor:
        shared = body(x()).relu()
        return F.cross_entropy(one(shared), labels()) - 0.1 * F.cross_entropy(two(shared), labels(32, 2))

    return descend(nn.ModuleList([body, one, two]), loss)


def unlearning() -> Iterator[None]:
    model = net(8, 16, 5)
    with torch.no_grad():
        model[-1].bias.copy_(torch.tensor([9.0, 0.0, 0.0, 0.0, 0.0]))
    return descend(model, lambda: -F.cross_entropy(model(x()), torch.zeros(32, dtype=torch.long)))


def quick_learner() -> Iterator[None]:
    model = net(8, 16, 1)
    with torch.no_grad():
        model[-1].bias.fill_(5_000.0)  # set to the mean of the targets
    return descend(model, lambda: F.mse_loss(model(x()), 5_000.0 + torch.randn(32, 1)))


def scaled() -> Iterator[None]:
    model = net(8, 16, 1)
    return descend(model, lambda: F.mse_loss(model(x()) * 4_000.0, 4_000.0 * torch.randn(32, 1)))


def ones(shape: Tensor) -> Tensor:
    return torch.ones_like(shape)


SOUND: dict[str, Callable[[], Iterator[None]]] = {
    "cross-entropy": classifier(F.cross_entropy),
    "summed": classifier(lambda y, t: F.cross_entropy(y, t, reduction="sum")),
    "label smoothing": classifier(lambda y, t: F.cross_entropy(y, t, label_smoothing=0.1)),
    "log-softmax and nll": classifier(lambda y, t: F.nll_loss(F.log_softmax(y, 1), t)),
    "log-softmax twice": classifier(lambda y, t: F.cross_entropy(F.log_softmax(y, 1), t)),
    "shares as targets": classifier(lambda y, t: F.cross_entropy(y, F.one_hot(t, 5) * 0.9 + 0.02)),
    "focal": classifier(focal),
    "multi-label": classifier(lambda y, t: F.binary_cross_entropy_with_logits(y, F.one_hot(t, 5).float())),
    "hinge": classifier(F.multi_margin_loss),
    "a clamped logarithm": classifier(lambda y, t: F.nll_loss(y.softmax(1).clamp(min=1e-8).log(), t)),
    "a loss that is maximised": lambda: (
        lambda m: descend(m, lambda: -F.cross_entropy(m(x()), labels()), maximise=True)
    )(net(8, 16, 5)),
    "regression": regressor(F.mse_loss, lambda: torch.randn(32, 1)),
    "regression by hand": regressor(lambda y, t: (y - t).pow(2).mean(), lambda: torch.randn(32, 1)),
    "robust regression": regressor(F.huber_loss, lambda: 3 * torch.randn(32, 1)),
    "absolute errors": regressor(F.l1_loss, lambda: torch.randn(32, 2)),
    "targets of thirty": regressor(F.mse_loss, lambda: 30 * torch.randn(32, 1)),
    "prices by their logarithm": regressor(F.mse_loss, lambda: 12 + torch.randn(32, 1)),
    "ratings": regressor(lambda y, t: F.mse_loss(1 + 4 * y, t), lambda: 1 + 4 * torch.rand(32, 1), nn.Sigmoid()),
    "angles": regressor(F.mse_loss, lambda: torch.rand(32, 2) * 2 - 1, nn.Tanh()),
    "counts": regressor(F.mse_loss, lambda: torch.randint(9, (32, 1)).float(), nn.Softplus()),
    "counts by Poisson": regressor(F.poisson_nll_loss, lambda: torch.randint(9, (32, 1)).float()),
    "an autoencoder": regressor(F.mse_loss, lambda: torch.rand(32, 8), nn.Sigmoid()),
    "one by its own loss": regressor(F.binary_cross_entropy, lambda: torch.rand(32, 8), nn.Sigmoid()),
    "one of black and white": regressor(F.mse_loss, lambda: (torch.rand(32, 8) > 0.8).float(), nn.Sigmoid()),
    "yes or no": regressor(F.binary_cross_entropy_with_logits, lambda: (torch.rand(32, 1) > 0.5).float()),
    "similarity": regressor(lambda y, t: 1 - F.cosine_similarity(y, t).mean(), lambda: torch.randn(32, 4)),
    "Gaussian likelihood": regressor(
        lambda y, t: F.gaussian_nll_loss(y, t, torch.ones(32, 1)), lambda: torch.randn(32, 1)
    ),
    "GAN with -log D": gan(
        lambda real, fake: -(real.log() + (1 - fake).log()).mean(), lambda fake: -fake.log().mean(), nn.Sigmoid()
    ),
    "GAN that saturates": gan(
        lambda real, fake: -(real.log() + (1 - fake).log()).mean(), lambda fake: (1 - fake).log().mean(), nn.Sigmoid()
    ),
    "GAN with bce": gan(
        lambda real, fake: F.binary_cross_entropy(real, ones(real)) + F.binary_cross_entropy(fake, 0 * ones(fake)),
        lambda fake: F.binary_cross_entropy(fake, ones(fake)),
        nn.Sigmoid(),
    ),
    "GAN whose generator climbs": gan(
        lambda real, fake: F.binary_cross_entropy_with_logits(real, ones(real)) + F.softplus(fake).mean(),
        lambda fake: -F.binary_cross_entropy_with_logits(fake, 0 * ones(fake)),
    ),
    "GAN by least squares": gan(
        lambda real, fake: F.mse_loss(real, ones(real)) + F.mse_loss(fake, -ones(fake)),
        lambda fake: F.mse_loss(fake, ones(fake)),
    ),
    "GAN by Wasserstein": gan(lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
    "VAE": vae,
    "REINFORCE": reinforce,
    "REINFORCE by hand": reinforce_by_hand(lambda: torch.randn(32)),
    "REINFORCE by cross-entropy": reinforce_by_cross_entropy,
    "PPO": ppo,
    "DQN": dqn,
    "distillation": distillation,
    "distilled shares": distilled_shares,
    "contrast": contrast,
    "segmentation": segmentation,
    "averaged ReLU": squeezed,
    "two tasks": tasks,
    "a domain that must not be told": adversary,
    "unlearning": unlearning,
    "a bias set to the mean": quick_learner,
    "an output with a scale": scaled,
}


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_of_the_output_of_a_sound_training(name: str) -> None:
    torch.manual_seed(0)
    with watching() as probe:
        for _ in SOUND[name]():
            pass
        vitals = probe.vitals()
    assert all(math.isfinite(loss.value[-1]) for loss in vitals.losses)
    assert [found for found in diagnose(vitals) if found.name in ABOUT] == []


SICK: dict[str, tuple[str, Callable[[], Iterator[None]]]] = {
    "softmax before cross-entropy": ("output-loss-mismatch", classifier(lambda y, t: F.cross_entropy(y.softmax(1), t))),
    "ReLU on the scores": ("output-loss-mismatch", classifier(lambda y, t: F.cross_entropy(y.relu(), t))),
    "squared error of a softmax": (
        "output-loss-mismatch",
        classifier(lambda y, t: F.mse_loss(y.softmax(1), F.one_hot(t, 5).float())),
    ),
    "climbed": ("output-loss-mismatch", classifier(lambda y, t: -F.cross_entropy(y, t))),
    "scores before nll": ("output-loss-mismatch", classifier(F.nll_loss)),
    "softmax over one output": (
        "output-loss-mismatch",
        regressor(F.mse_loss, lambda: torch.randn(32, 1), nn.Softmax(1)),
    ),
    "a sigmoid for standardised targets": (
        "output-loss-mismatch",
        regressor(F.l1_loss, lambda: torch.randn(32, 1), nn.Sigmoid()),
    ),
    "targets in thousands": ("unscaled-targets", regressor(F.mse_loss, lambda: 2e5 + 1e4 * torch.randn(32, 1))),
    "absolute errors in thousands": ("unscaled-targets", regressor(F.l1_loss, lambda: 1e4 * torch.randn(32, 1))),
    "a logarithm of next to nothing": (
        "loss-numerics",
        classifier(lambda y, t: -torch.log((100 * y).softmax(1)[torch.arange(32), t]).mean()),
    ),
}


@pytest.mark.parametrize("name", SICK)
def test_a_fault_on_the_output_is_seen_at_once(name: str) -> None:
    expected, train = SICK[name]
    torch.manual_seed(0)
    with watching() as probe:
        for _ in train():
            pass
        found = [one for one in diagnose(probe.vitals()) if one.symptom is None and one.severity != "info"]
    assert [one.name for one in found] == [expected]
