"""A gate that is shut for good reason is no finding; one that the input has pinned to its bounds from birth is."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen

LENGTH, SYMBOLS, NOISE = 12, 4, 2


class Recall(nn.Module):
    """Says which symbol came first, before a stretch of noise."""

    def __init__(self, layer: nn.LSTM | nn.GRU | nn.RNN) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(layer.hidden_size, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0][:, -1])


def batch(size: float) -> tuple[Tensor, Tensor]:
    first = torch.randint(SYMBOLS, (32, 1))
    noise = torch.randint(SYMBOLS, SYMBOLS + NOISE, (32, LENGTH - 1))
    return F.one_hot(torch.cat([first, noise], 1), SYMBOLS + NOISE).float() * size, first[:, 0]


def remembering() -> nn.LSTM:
    """Forget gates that begin wide open, as for long memories: at their bound on every sample."""
    layer = nn.LSTM(SYMBOLS + NOISE, 24, batch_first=True)
    with torch.no_grad():
        layer.bias_ih_l0[24:48] = 9.0
    return layer


MEMORIES: dict[str, Callable[[], nn.LSTM | nn.GRU]] = {
    "remembering": remembering,
    "gru": lambda: nn.GRU(SYMBOLS + NOISE, 24, batch_first=True),
}


def trained(layer: nn.LSTM | nn.GRU, steps: int, rate: float, size: float = 1.0) -> tuple[list[float], limen.Watch]:
    model = Recall(layer)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    losses: list[float] = []
    with limen.watch(model, budget=None) as watch:
        for _ in range(steps):
            x, y = batch(size)
            loss = F.cross_entropy(model(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return losses, watch


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_network_that_learns_to_remember_gets_silence(memory: str) -> None:
    torch.manual_seed(1)
    losses, watch = trained(MEMORIES[memory](), 400, 0.01)
    assert losses[-1] < 0.1 * losses[0]  # it did learn
    shut = {
        site.site.name: (site.recent.left + site.recent.right).mean() / site.recent.samples
        for site in watch.vitals.sites
    }
    if memory == "remembering":
        assert shut["layer.l0.forget"] > 0.9  # which is tempting
    assert watch.findings == ()


def test_inputs_that_pin_the_gates_from_the_first_step_are_told() -> None:
    torch.manual_seed(2)
    _, watch = trained(nn.LSTM(SYMBOLS + NOISE, 24, batch_first=True), 100, 1e-6, size=255.0)
    found = {(finding.symptom, finding.where) for finding in watch.findings}
    assert ("saturated-units", "layer.l0.cell") in found
    causes = {cause.name for finding in watch.findings for cause in finding.causes}
    assert "unscaled-inputs" in causes
