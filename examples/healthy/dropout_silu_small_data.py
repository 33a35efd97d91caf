"""Healthy: 569 tumours, heavy dropout, SiLU. A noisy loss and a small gradient at the end are no illness."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
data = load_breast_cancer()
x = torch.tensor(data.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(data.target)
order = torch.randperm(len(x))
train, test = order[:450], order[450:]

model = nn.Sequential(
    nn.Linear(30, 64),
    nn.SiLU(),
    nn.Dropout(0.5),
    nn.Linear(64, 32),
    nn.SiLU(),
    nn.Dropout(0.5),
    nn.Linear(32, 2),
)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
for epoch in range(20):
    model.train()
    for batch in train[torch.randperm(len(train))].split(32):
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    accuracy = (model(x[test]).argmax(1) == y[test]).float().mean()
print(f"loss {loss.item():.4f}, accuracy {accuracy:.3f}")
