"""A small transformer encoder over the eight rows of each digit."""

import math

import torch
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits
from torch import nn


class RowTransformer(nn.Module):
    def __init__(self, width: int = 48, layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Parameter(torch.randn(8, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            d_model=width,
            nhead=4,
            dim_feedforward=96,
            dropout=0.1,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(rows) + self.position
        return self.head(self.norm(self.encoder(tokens).mean(dim=1)))


def warmup_then_cosine(step: int, warmup: int = 20, total: int = 240) -> float:
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def main() -> None:
    torch.manual_seed(5)
    torch.set_num_threads(1)
    digits = load_digits()
    rows = (torch.tensor(digits.images, dtype=torch.float32) - 8) / 8
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(rows))
    train, test = order[:1500], order[1500:]

    model = RowTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup_then_cosine)
    for epoch in range(10):
        model.train()
        for batch in train[torch.randperm(len(train))].split(64):
            loss = nn.functional.cross_entropy(model(rows[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(rows[test]).argmax(-1) == labels[test]).float().mean().item()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, accuracy {accuracy:.4f}")
    print_fingerprint(model.parameters())


if __name__ == "__main__":
    main()
