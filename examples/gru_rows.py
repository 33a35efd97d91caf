"""Each digit read row by row by a GRU; a tanh layer before the head."""

import torch
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits
from torch import nn


class RowReader(nn.Module):
    def __init__(self, hidden: int = 64) -> None:
        super().__init__()
        self.gru = nn.GRU(input_size=8, hidden_size=hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 48)
        self.head = nn.Linear(48, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        states, _ = self.gru(rows)
        return self.head(torch.tanh(self.fc(states[:, -1])))


torch.manual_seed(4)
torch.set_num_threads(1)
digits = load_digits()
rows = torch.tensor(digits.images, dtype=torch.float32) / 16  # [1797, 8 rows, 8 pixels]
labels = torch.tensor(digits.target)
order = torch.randperm(len(rows))
train, test = order[:1500], order[1500:]

model = RowReader()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(10):
    model.train()
    running = 0.0
    for batch in train[torch.randperm(len(train))].split(64):
        optimizer.zero_grad()
        loss = criterion(model(rows[batch]), labels[batch])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        optimizer.step()
        running += loss.item()
    print(f"epoch {epoch + 1:2d}: mean loss {running / 24:.4f}")

model.eval()
with torch.no_grad():
    accuracy = (model(rows[test]).argmax(1) == labels[test]).double().mean().item()
print(f"accuracy {accuracy:.4f}")
print_fingerprint(model.parameters())
