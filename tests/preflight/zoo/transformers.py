"""Transformers, written out by hand in the ways of their families."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.preflight.zoo.case import Case, classes, image, tokens

__all__ = ["TRANSFORMERS"]


class Attention(nn.Module):
    def __init__(self, width: int = 32, heads: int = 4, *, causal: bool = False, bias: bool = True) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        if self.causal:
            scores = scores.masked_fill(torch.ones(length, length).triu(1) == 1, -torch.inf)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width))


class GPT(nn.Module):
    """Learned positions, norms first, tied embeddings; computes its own loss when given labels."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.wpe, self.drop = nn.Embedding(50, 32), nn.Embedding(16, 32), nn.Dropout(0.1)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({
                "ln1": nn.LayerNorm(32), "attn": Attention(causal=True), "ln2": nn.LayerNorm(32),
                "fc": nn.Linear(32, 128), "act": nn.GELU(approximate="tanh"), "proj": nn.Linear(128, 32),
            })
            for _ in range(3)
        )  # fmt: skip
        self.ln, self.head = nn.LayerNorm(32), nn.Linear(32, 50, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, 0, 0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        self.head.weight = self.wte.weight

    def forward(self, ids: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = self.drop(self.wte(ids) + self.wpe(torch.arange(ids.shape[1])))
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            x = x + block["attn"](block["ln1"](x))
            x = x + block["proj"](block["act"](block["fc"](block["ln2"](x))))
        logits = self.head(self.ln(x))
        return logits, None if labels is None else F.cross_entropy(logits.view(-1, 50), labels.view(-1))


class BERT(nn.Module):
    """Norms behind, a pooler of tanh, torch's own layers."""

    def __init__(self) -> None:
        super().__init__()
        self.word, self.place, self.norm = nn.Embedding(50, 32), nn.Embedding(16, 32), nn.LayerNorm(32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.pooler, self.head = nn.Linear(32, 32), nn.Linear(32, 3)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.norm(self.word(ids) + self.place(torch.arange(ids.shape[1])))
        return self.head(F.dropout(torch.tanh(self.pooler(self.encoder(x)[:, 0])), 0.1, self.training))


class Llama(nn.Module):
    """RMS norms, rotary positions, grouped queries, SwiGLU, no biases."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm, self.head = nn.Embedding(50, 32), nn.RMSNorm(32), nn.Linear(32, 50, bias=False)
        self.layers = nn.ModuleList(
            nn.ModuleDict({
                "n1": nn.RMSNorm(32), "q": nn.Linear(32, 32, False), "k": nn.Linear(32, 16, False),
                "v": nn.Linear(32, 16, False), "o": nn.Linear(32, 32, False), "n2": nn.RMSNorm(32),
                "gate": nn.Linear(32, 88, False), "up": nn.Linear(32, 88, False), "down": nn.Linear(88, 32, False),
            })
            for _ in range(2)
        )  # fmt: skip

    def turn(self, x: Tensor) -> Tensor:
        angles = torch.arange(x.shape[2])[:, None] * 10000.0 ** (-torch.arange(0, 8, 2) / 8)
        a, b = x[..., ::2], x[..., 1::2]
        return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids)
        batch, length, _ = x.shape
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleDict)
            h = layer["n1"](x)
            q, k, v = (layer[name](h).view(batch, length, -1, 8).transpose(1, 2) for name in "qkv")
            mixed = F.scaled_dot_product_attention(
                self.turn(q), self.turn(k).repeat_interleave(2, 1), v.repeat_interleave(2, 1), is_causal=True
            )
            x = x + layer["o"](mixed.transpose(1, 2).reshape(batch, length, 32))
            h = layer["n2"](x)
            x = x + layer["down"](F.silu(layer["gate"](h)) * layer["up"](h))
        return self.head(self.norm(x)).transpose(1, 2)


class ViT(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 8, 8)
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.places = nn.Parameter(torch.randn(1, 17, 32) * 0.02)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 10)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        return self.head(self.norm(self.encoder(x))[:, 0])


class Series(nn.Module):
    """Numbers projected, positions added, torch's encoder: two linear maps that are meant."""

    def __init__(self) -> None:
        super().__init__()
        self.project, self.places = nn.Linear(6, 32), nn.Parameter(torch.randn(12, 32) * 0.02)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)
        self.head = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.project(x) + self.places).mean(1))


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.bridge = nn.Embedding(50, 32), nn.Linear(32, 32)
        self.core = nn.Transformer(32, 4, 1, 1, 64, batch_first=True)
        self.head = nn.Linear(32, 50)

    def forward(self, source: Tensor, wanted: Tensor) -> Tensor:
        memory = self.bridge(self.core.encoder(self.embed(source)))
        return self.head(self.core.decoder(self.embed(wanted), memory)).transpose(1, 2)


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, 8, 8)
        self.norms = nn.ModuleList(nn.LayerNorm(24) for _ in range(3))
        self.tokens = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.channels = nn.Sequential(nn.Linear(24, 48), nn.GELU(), nn.Linear(48, 24))
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        x = x + self.channels(self.norms[1](x))
        return self.head(self.norms[2](x).mean(1))


class Diffuser(nn.Module):
    """Conditioned on time by scales and shifts whose layer begins at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(8, 32), nn.SiLU(), nn.Linear(32, 32))
        self.enter, self.norm = nn.Linear(6, 32), nn.LayerNorm(32, elementwise_affine=False)
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(32, 96))
        self.mlp = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))
        self.head = nn.Linear(32, 6)
        nn.init.zeros_(self.modulate[1].weight)
        nn.init.zeros_(self.modulate[1].bias)
        nn.init.zeros_(self.head.weight)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        waves = t[:, None] * torch.exp(-torch.arange(4) / 2)
        shift, scale, gate = self.modulate(self.time(torch.cat([waves.sin(), waves.cos()], -1))).chunk(3, -1)
        x = self.enter(x)
        x = x + gate * self.mlp(self.norm(x) * (1 + scale) + shift)
        return self.head(x)


TRANSFORMERS = (
    Case("gpt", GPT, lambda: {"ids": torch.randint(0, 50, (2, 12)), "labels": torch.randint(0, 50, (2, 12))}),
    Case("bert", BERT, tokens(), "cross-entropy", classes(3, 4)),
    Case("llama", Llama, tokens(), "cross-entropy", classes(50, 4, 12)),
    Case("vit", ViT, image(), "cross-entropy", classes(10, 4)),
    Case("series-transformer", Series, lambda: torch.randn(8, 12, 6), "mse", lambda: torch.randn(8, 1)),
    Case(
        "translator", Translator, lambda: (torch.randint(0, 50, (4, 9)), torch.randint(0, 50, (4, 5))), "cross-entropy",
        classes(50, 4, 5),
    ),
    Case("mixer", Mixer, image(), "cross-entropy", classes(10, 4)),
    Case("diffuser", Diffuser, lambda: (torch.randn(32, 6), torch.rand(32)), "mse", lambda: torch.randn(32, 6)),
)  # fmt: skip
