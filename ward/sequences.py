"""Models of sequences: recurrent ones and the encoder of a transformer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ward.data import Data
from ward.layers import activation, outputs
from ward.recipe import Recipe

__all__ = ["Letters", "Memory", "Recurrent", "Transformer"]


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
        if recipe.gate_bias is not None:  # of the gate that keeps the state: the second quarter in torch's LSTM
            with torch.no_grad():
                self.rnn.get_parameter("bias_ih_l0")[recipe.width : 2 * recipe.width] = recipe.gate_bias
        self.fc = nn.Linear(recipe.width, outputs(recipe, data))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``x``, ``[samples, steps, …]``."""
        states, _ = self.rnn(self.embedding(x) if self.embedding is not None else x)
        return self.fc(states[:, -1])


class Memory(nn.Module):
    """A minimal gated unit, written by hand: one sigmoid decides what is kept, one tanh what is new.

    Source: Zhou et al. 2016, arXiv:1603.09420.
    """

    def __init__(self, recipe: Recipe, data: Data) -> None:
        super().__init__()
        size, width = data.inputs.shape[-1], recipe.width
        self.gate = nn.Linear(size + width, width)
        self.new = nn.Linear(size + width, width)
        self.fc = nn.Linear(width, outputs(recipe, data))
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``x``, ``[samples, steps, …]``."""
        state = x.new_zeros(len(x), self.width)
        for inputs in x.unbind(1):
            write = torch.sigmoid(self.gate(torch.cat((inputs, state), 1)))
            state = (1 - write) * state + write * torch.tanh(self.new(torch.cat((inputs, write * state), 1)))
        return self.fc(state)


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
        """Logits of ``x``, ``[samples, steps, …]``."""
        return self.fc(self.norm(self.encoder(self.embedding(x) + self.position)).mean(1))


class Letters(nn.Module):
    """The embeddings of the last letters side by side, and an MLP on them.

    Source: Bengio et al. 2003, "A Neural Probabilistic Language Model".
    """

    def __init__(self, recipe: Recipe, data: Data) -> None:
        super().__init__()
        self.embedding = nn.Embedding(data.tokens, 16)
        self.seen = 8
        self.hidden = nn.Linear(self.seen * 16, recipe.width)
        self.act = activation(recipe)
        self.fc = nn.Linear(recipe.width, outputs(recipe, data))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of ``x``, ``[samples, steps, …]``."""
        return self.fc(self.act(self.hidden(self.embedding(x[:, -self.seen :]).flatten(1))))
