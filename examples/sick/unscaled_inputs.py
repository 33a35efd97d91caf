"""Sick: pixels go in as they come from an image file, 0 to 255, and hold the first tanh layer at its limits."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 96)
        self.tanh1 = nn.Tanh()
        self.fc2 = nn.Linear(96, 64)
        self.tanh2 = nn.Tanh()
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.tanh1(self.fc1(x))
        x = self.tanh2(self.fc2(x))
        return self.head(x)


torch.manual_seed(0)
torch.set_num_threads(1)
digits = load_digits()
pixels = np.round(digits.data * (255 / 16)).astype(np.uint8)
x = torch.from_numpy(pixels).float()
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
for step in range(1, 301):
    batch = train[torch.randint(len(train), (64,))]
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step}: loss {loss.item():.3f}")

with torch.no_grad():
    accuracy = (model(x[test]).argmax(1) == y[test]).float().mean()
print(f"accuracy {accuracy:.3f}")
