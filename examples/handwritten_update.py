"""Digits from scratch: raw tensors, a forward pass by hand, gradient descent by hand, no ``nn`` and no ``optim``."""

import math

import torch
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits

torch.manual_seed(7)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32)
x = (x - x.mean()) / x.std()
y = torch.tensor(digits.target)
order = torch.randperm(len(x))
train, test = order[:1500], order[1500:]

w1 = (torch.randn(64, 80) * math.sqrt(2 / 64)).requires_grad_()
b1 = torch.zeros(80, requires_grad=True)
w2 = (torch.randn(80, 40) * math.sqrt(2 / 80)).requires_grad_()
b2 = torch.zeros(40, requires_grad=True)
w3 = (torch.randn(40, 10) * math.sqrt(1 / 40)).requires_grad_()
b3 = torch.zeros(10, requires_grad=True)
parameters = [w1, b1, w2, b2, w3, b3]


def forward(batch):
    hidden = torch.relu(batch @ w1 + b1)
    hidden = torch.relu(hidden @ w2 + b2)
    return hidden @ w3 + b3


lr = 0.2
for step in range(1, 401):
    batch = train[torch.randint(len(train), (64,))]
    log_probability = forward(x[batch]).log_softmax(dim=1)
    loss = -log_probability[torch.arange(64), y[batch]].mean()
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= lr * p.grad
            p.grad = None
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.4f}")

with torch.no_grad():
    accuracy = (forward(x[test]).argmax(1) == y[test]).float().mean()
print(f"accuracy {accuracy:.4f}")
print_fingerprint(parameters)
