"""Healthy: more than 80 % of the hidden values are zero, but every unit fires on some digits. Sparse is not dead."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = (x - x.mean(0)) / (x.std(0) + 1.0)
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
nn.init.kaiming_normal_(model[0].weight, nonlinearity="relu")
nn.init.constant_(model[0].bias, -1.5)  # a threshold more than one standard deviation above the mean

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for step in range(1, 301):
    batch = train[torch.randint(len(train), (64,))]
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.4f}")

with torch.no_grad():
    accuracy = (model(x[test]).argmax(1) == y[test]).float().mean()
    zeros = (model[:2](x[train]) == 0).float().mean()
print(f"accuracy {accuracy:.3f}, zeros {zeros:.2f}")
