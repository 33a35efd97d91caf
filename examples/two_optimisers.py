"""A small GAN on digits: two networks, two optimisers, turn by turn."""

import torch
import torch.nn.functional as F
from fingerprint import print_fingerprint
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(6)
torch.set_num_threads(1)
real = torch.tensor(load_digits().data, dtype=torch.float32) / 8 - 1  # pixels in [-1, 1]


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(16, 64)
        self.fc2 = nn.Linear(64, 64)
        self.pixels = nn.Linear(64, 64)

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        hidden = F.relu(self.fc1(noise))
        hidden = F.relu(self.fc2(hidden))
        return torch.tanh(self.pixels(hidden))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(64, 64),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.2),
            nn.Linear(64, 32),
            nn.LeakyReLU(0.2),
            nn.Linear(32, 1),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.body(image).squeeze(-1)


generator, discriminator = Generator(), Discriminator()
generator_steps = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
discriminator_steps = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

for step in range(1, 301):
    image = real[torch.randint(len(real), (64,))]

    fake = generator(torch.randn(64, 16))
    scores = torch.cat([discriminator(image), discriminator(fake.detach())])
    target = torch.cat([torch.full((64,), 0.9), torch.zeros(64)])
    discriminator_loss = F.binary_cross_entropy_with_logits(scores, target)
    discriminator_steps.zero_grad()
    discriminator_loss.backward()
    discriminator_steps.step()

    score = discriminator(fake)
    generator_loss = F.binary_cross_entropy_with_logits(score, torch.ones(64))
    generator_steps.zero_grad()
    generator_loss.backward()
    generator_steps.step()

    if step % 100 == 0:
        print(f"step {step}: discriminator {discriminator_loss:.3f}, generator {generator_loss:.3f}")

with torch.no_grad():
    mean_image = generator(torch.randn(1000, 16)).mean(0)
print(f"mean pixel error {(mean_image - real.mean(0)).abs().mean():.3f}")
print_fingerprint([*generator.parameters(), *discriminator.parameters()])
