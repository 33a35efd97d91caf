"""Short trainings in the ways in which people write them; each returns what it trained."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

SAMPLES, FEATURES, CLASSES = 128, 20, 5


def data() -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(7)
    return torch.randn(SAMPLES, FEATURES, generator=source), torch.randint(CLASSES, (SAMPLES,), generator=source)


def fit(model: nn.Module, optimiser: torch.optim.Optimizer, x: Tensor, y: Tensor, steps: int = 25) -> list[Tensor]:
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimiser.step()
    return list(model.parameters())


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(FEATURES, 16), nn.Linear(16, 12), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.fc1(x))
        return self.head(self.fc2(hidden).relu_().clamp(min=0.0))


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(FEATURES, 16), nn.Linear(16, 12), nn.Linear(12, CLASSES)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.b(self.act(self.a(x)))))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inward, self.onward, self.head = nn.Linear(4, 12), nn.Linear(12, 12), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), 12)
        for step in x.view(len(x), 5, 4).unbind(1):
            state = torch.tanh(self.inward(step) + self.onward(state))
        return self.head(state)


def sequential_inplace() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(16, CLASSES))
    return fit(model, torch.optim.AdamW(model.parameters()), x, y)


def functional() -> list[Tensor]:
    x, y = data()
    model = Functional()
    return fit(model, torch.optim.SGD(model.parameters(), 0.1, momentum=0.9), x, y)


def shared_module() -> list[Tensor]:
    x, y = data()
    model = Shared()
    return fit(model, torch.optim.Adam(model.parameters(), foreach=True), x, y)


def unrolled_recurrence() -> list[Tensor]:
    x, y = data()
    model = Recurrent()
    return fit(model, torch.optim.RMSprop(model.parameters()), x, y)


def convolution_autocast() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, CLASSES)
    )
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    for _ in range(25):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(x.view(-1, 1, 5, 4)), y)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return list(model.parameters())


def double_precision() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.Softplus(), nn.Linear(16, CLASSES)).double()
    return fit(model, torch.optim.Adagrad(model.parameters()), x.double(), y)


def accumulation() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.SiLU(), nn.Linear(16, CLASSES))
    optimiser = torch.optim.Adam(model.parameters())
    for number in range(100):
        (F.cross_entropy(model(x[:32]), y[:32]) / 4).backward()
        if number % 4 == 3:
            optimiser.step()
            optimiser.zero_grad()
    return list(model.parameters())


def closure() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.Tanh(), nn.Linear(16, CLASSES))
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def evaluate() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        return loss

    for _ in range(25):
        optimiser.step(evaluate)
    return list(model.parameters())


def two_optimisers() -> list[Tensor]:
    x, _ = data()
    generator = nn.Sequential(nn.Linear(8, 16), nn.LeakyReLU(0.2), nn.Linear(16, FEATURES))
    critic = nn.Sequential(nn.Linear(FEATURES, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    first, second = torch.optim.Adam(critic.parameters()), torch.optim.Adam(generator.parameters())
    for _ in range(25):
        made = generator(torch.randn(SAMPLES, 8))
        first.zero_grad()
        (F.softplus(-critic(x)).mean() + F.softplus(critic(made.detach())).mean()).backward()
        first.step()
        second.zero_grad()
        F.softplus(-critic(made)).mean().backward()
        second.step()
    return [*generator.parameters(), *critic.parameters()]


def by_hand() -> list[Tensor]:
    x, y = data()
    w1, b1 = (torch.randn(FEATURES, 16) * 0.2).requires_grad_(), torch.zeros(16, requires_grad=True)
    w2, b2 = (torch.randn(16, CLASSES) * 0.2).requires_grad_(), torch.zeros(CLASSES, requires_grad=True)
    for _ in range(25):
        F.cross_entropy(torch.relu(x @ w1 + b1) @ w2 + b2, y).backward()
        with torch.no_grad():
            for tensor in (w1, b1, w2, b2):
                tensor -= 0.1 * tensor.grad
                tensor.grad = None
    return [w1, b1, w2, b2]


def by_hand_with_grad() -> list[Tensor]:
    x, y = data()
    weights = [(torch.randn(FEATURES, 16) * 0.2).requires_grad_(), (torch.randn(16, CLASSES) * 0.2).requires_grad_()]
    for _ in range(25):
        loss = F.cross_entropy((x @ weights[0]).sigmoid() @ weights[1], y)
        with torch.no_grad():
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight -= 0.1 * gradient
    return weights


def checkpointed() -> list[Tensor]:
    x, y = data()
    body, head = nn.Sequential(nn.Linear(FEATURES, 16), nn.GELU(), nn.Dropout(0.1)), nn.Linear(16, CLASSES)
    optimiser = torch.optim.SGD([*body.parameters(), *head.parameters()], 0.1)
    for _ in range(25):
        loss = F.cross_entropy(head(checkpoint(body, x, use_reentrant=False)), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return [*body.parameters(), *head.parameters()]


def evaluated_between() -> list[Tensor]:
    """With a transformer encoder, whose fast path in evaluation must stay on."""
    x, y = data()
    tokens = x.view(-1, 5, 4)
    embed, head = nn.Linear(4, 16), nn.Linear(16, CLASSES)
    layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    everything = nn.ModuleList([embed, encoder, head])
    optimiser = torch.optim.AdamW(everything.parameters())
    seen: list[Tensor] = []
    for _ in range(25):
        optimiser.zero_grad()
        F.cross_entropy(head(encoder(embed(tokens)).mean(1)), y).backward()
        optimiser.step()
        everything.eval()
        with torch.no_grad():
            seen.append(encoder(embed(tokens)))
        everything.train()
    return [*everything.parameters(), *seen]


def inside_a_device_context() -> list[Tensor]:
    with torch.device("cpu"):
        return functional()


def with_own_hooks() -> list[Tensor]:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 16), nn.ELU(), nn.Linear(16, CLASSES))
    heard: list[Tensor] = []
    model[1].register_forward_hook(lambda module, given, result: heard.append(result.detach().mean()))
    model[2].register_full_backward_hook(lambda module, inward, outward: heard.append(outward[0].norm()))
    return [*fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y), *heard]


RELU, GELU = "relu", "gelu"

STYLES = {
    sequential_inplace: [("1", RELU, "0", 16)],
    functional: [("relu#1", RELU, "fc1", 16), ("relu#2", RELU, "fc2", 12), ("relu#3", RELU, "fc2", 12)],
    shared_module: [("act#1", RELU, "a", 16), ("act#2", RELU, "b", 12)],
    unrolled_recurrence: [("tanh#1", "tanh", "inward", 12)],
    convolution_autocast: [("2", RELU, "0", 8)],
    double_precision: [("1", "softplus", "0", 16)],
    accumulation: [("1", "silu", "0", 16)],
    closure: [("1", "tanh", "0", 16)],
    two_optimisers: [
        ("generator.1", "leaky_relu", "generator.0", 16),
        ("critic.1", "leaky_relu", "critic.0", 16),
        ("softplus#1", "softplus", "critic.2", 1),
    ],
    by_hand: [("relu#1", RELU, "w1", 16)],
    by_hand_with_grad: [("sigmoid#1", "sigmoid", "weights[0]", 16)],
    checkpointed: [("body.1", GELU, "body.0", 16)],
    evaluated_between: [
        ("encoder.layers.0.gelu#1", GELU, "encoder.layers.0.linear1", 32),
        ("encoder.layers.1.gelu#1", GELU, "encoder.layers.1.linear1", 32),
    ],
    inside_a_device_context: [("relu#1", RELU, "fc1", 16), ("relu#2", RELU, "fc2", 12), ("relu#3", RELU, "fc2", 12)],
    with_own_hooks: [("1", "elu", "0", 16)],
}
"""Each training and its sites: name, function, producing layer, units."""
