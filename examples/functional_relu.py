"""The same digits with ``F.relu`` in a forward pass of our own, SGD with momentum and a cosine schedule."""

import torch
import torch.nn.functional as F
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits
from torch import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 96)
        self.fc2 = nn.Linear(96, 48)
        self.out = nn.Linear(48, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.out(x)


def main(steps: int = 300) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32)
    x = (x - x.mean()) / x.std()
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x))
    train, test = order[:1500], order[1500:]

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        batch = train[torch.randint(len(train), (64,))]
        loss = F.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.item():.4f}")

    net.eval()
    with torch.inference_mode():
        accuracy = (net(x[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")
    print_fingerprint(net.parameters())


if __name__ == "__main__":
    main()
