"""One ``self.act`` module called after every layer, as many networks are written."""

import argparse

import torch
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits
from torch import nn


class Classifier(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, width)
        self.head = nn.Linear(width, 10)
        self.act = nn.LeakyReLU(0.05)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.fc1(x))
        x = self.drop(self.act(self.fc2(x)))
        x = self.drop(self.act(self.fc3(x)))
        return self.head(x)


parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=64)
parser.add_argument("--epochs", type=int, default=12)
args = parser.parse_args()

torch.manual_seed(2)
torch.set_num_threads(1)
images, labels = load_digits(return_X_y=True)
x = torch.tensor((images - images.mean()) / images.std()).float()
y = torch.tensor(labels)
x_train, y_train, x_test, y_test = x[:1500], y[:1500], x[1500:], y[1500:]

model = Classifier(args.width)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)

for epoch in range(args.epochs):
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x_train)).split(64):
        optimizer.zero_grad()
        loss = criterion(model(x_train[batch]), y_train[batch])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(batch)
    model.eval()
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"{epoch:3d}  loss {total / len(x_train):.4f}  accuracy {accuracy:.4f}")

print_fingerprint(model.parameters())
