"""Healthy: a backbone learns to read digits and is frozen; then a new head learns from its features which are prime."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = (x - x.mean()) / x.std()
y = torch.tensor(digits.target)
is_prime = torch.isin(y, torch.tensor([2, 3, 5, 7])).long()
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

backbone = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
for layer in (backbone[0], backbone[2]):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)


def fit(head: nn.Module, target: torch.Tensor, steps: int) -> None:
    model = nn.Sequential(backbone, head)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for _ in range(steps):
        batch = train[torch.randint(len(train), (64,))]
        loss = nn.functional.cross_entropy(model(x[batch]), target[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (model(x[test]).argmax(1) == target[test]).float().mean()
    print(f"loss {loss.item():.4f}, accuracy {accuracy:.3f}")


fit(nn.Linear(48, 10), y, steps=150)
backbone.requires_grad_(False)
fit(nn.Sequential(nn.Linear(48, 32), nn.GELU(), nn.Linear(32, 2)), is_prime, steps=250)
