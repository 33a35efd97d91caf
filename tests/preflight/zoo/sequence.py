"""Recurrent and convolutional nets over time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, classes, tokens

__all__ = ["SEQUENCE"]


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], *, out: int = 4, both: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.rnn = kind(16, 24, num_layers=2, batch_first=True, dropout=0.2, bidirectional=both)
        self.head = nn.Linear(48 if both else 24, out)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(ids))[0][:, -1])


class Cells(nn.Module):
    """A loop by hand over a cell of tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.again, self.head = nn.Linear(6, 20), nn.Linear(20, 20), nn.Linear(20, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], 20)
        for t in range(x.shape[1]):
            h = torch.tanh(self.enter(x[:, t]) + self.again(h))
        return self.head(h)


class IdentityRecurrent(nn.Module):
    """A recurrent layer of ReLU whose weights begin as the identity, for which it is meant."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(6, 20, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(20, 1)
        nn.init.eye_(self.rnn.weight_hh_l0)
        nn.init.zeros_(self.rnn.bias_hh_l0)
        nn.init.zeros_(self.rnn.bias_ih_l0)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0][:, -1])


class WaveNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(1, 16, 1)
        self.filters = nn.ModuleList(nn.Conv1d(16, 16, 2, dilation=2**i) for i in range(4))
        self.gates = nn.ModuleList(nn.Conv1d(16, 16, 2, dilation=2**i) for i in range(4))
        self.residuals = nn.ModuleList(nn.Conv1d(16, 16, 1) for _ in range(3))
        self.skips = nn.ModuleList(nn.Conv1d(16, 24, 1) for _ in range(4))
        self.out1, self.out2 = nn.Conv1d(24, 24, 1), nn.Conv1d(24, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        total: Tensor | float = 0.0
        for i, (one, two) in enumerate(zip(self.filters, self.gates, strict=True)):
            padded = F.pad(x, (2**i, 0))
            h = torch.tanh(one(padded)) * torch.sigmoid(two(padded))
            total = total + self.skips[i](h)
            if i < 3:
                x = x + self.residuals[i](h)
        assert isinstance(total, Tensor)
        return self.out2(F.relu(self.out1(F.relu(total))))


class Attentive(nn.Module):
    """Encoder and decoder with additive attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.encoder, self.decoder = nn.GRU(16, 24, batch_first=True), nn.GRUCell(16 + 24, 24)
        self.query, self.key, self.score = nn.Linear(24, 24), nn.Linear(24, 24), nn.Linear(24, 1)
        self.head = nn.Linear(24, 50)

    def forward(self, source: Tensor, wanted: Tensor) -> Tensor:
        seen, last = self.encoder(self.embed(source))
        state, keys = last[0], self.key(seen)
        out: list[Tensor] = []
        for t in range(wanted.shape[1]):
            scores = self.score(torch.tanh(self.query(state)[:, None] + keys)).squeeze(-1)
            context = (F.softmax(scores, -1)[..., None] * seen).sum(1)
            state = self.decoder(torch.cat([self.embed(wanted[:, t]), context], 1), state)
            out.append(self.head(state))
        return torch.stack(out, 2)


class GraphAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(8, 16, bias=False)
        self.left, self.right = nn.Linear(16, 1), nn.Linear(16, 1)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        h = self.project(x)
        scores = F.leaky_relu(self.left(h) + self.right(h).T, 0.2).masked_fill(edges == 0, -1e9)
        return self.head(F.elu(F.softmax(scores, dim=-1) @ h))


def graph() -> tuple[Tensor, Tensor]:
    return torch.randn(20, 8), (torch.rand(20, 20) > 0.5).float().fill_diagonal_(1)


SEQUENCE = (
    Case("lstm", lambda: Recurrent(nn.LSTM), tokens(), "cross-entropy", classes(4, 4)),
    Case("gru", lambda: Recurrent(nn.GRU, both=True), tokens(), "cross-entropy", classes(4, 4)),
    Case("rnn", lambda: Recurrent(nn.RNN, out=1), tokens(), "bce-with-logits", lambda: torch.ones(4, 1)),
    Case("cells", Cells, lambda: torch.randn(8, 10, 6), "mse", lambda: torch.randn(8, 1)),
    Case("identity-rnn", IdentityRecurrent, lambda: torch.randn(8, 10, 6), "mse", lambda: torch.randn(8, 1)),
    Case("wavenet", WaveNet, lambda: torch.randn(2, 1, 40), "cross-entropy", classes(32, 2, 40)),
    Case(
        "attention-seq2seq", Attentive, lambda: (torch.randint(0, 50, (4, 9)), torch.randint(0, 50, (4, 5))),
        "cross-entropy", classes(50, 4, 5),
    ),
    Case(
        "graph-attention", GraphAttention, graph,
        "cross-entropy", classes(3, 20),
    ),
)  # fmt: skip
