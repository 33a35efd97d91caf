"""Healthy: a sigmoid head trained until it is sure of nearly every digit. Confident is not saturated."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = (x - x.mean()) / x.std()
is_even = torch.tensor(digits.target % 2 == 0).float().unsqueeze(1)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

model = nn.Sequential(
    nn.Linear(64, 96),
    nn.SiLU(),
    nn.Linear(96, 1),
    nn.Sigmoid(),
)
loss_fn = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(24):
    for batch in train[torch.randperm(len(train))].split(100):
        loss = loss_fn(model(x[batch]), is_even[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch + 1}: loss {loss.item():.5f}")

model.eval()
with torch.no_grad():
    accuracy = ((model(x[test]) > 0.5) == (is_even[test] > 0.5)).float().mean()
print(f"accuracy {accuracy:.3f}")
