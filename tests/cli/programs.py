"""Short trainings, and what may go wrong after one."""

TRAINS = """
import sys
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.second = nn.Linear(8, 2)
    def forward(self, x):
        return self.second(F.relu(self.first(x)))
net = Net()
optimiser = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(30):
    x = torch.randn(64, 4)
    loss = (net(x) - x[:, :2]).square().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
print([p.tolist() for p in net.parameters()], torch.random.get_rng_state().sum())
"""

SICK = TRAINS.replace("net = Net()", "net = Net()\nnn.init.constant_(net.first.bias, -50.0)").replace("(30)", "(200)")

ENDS = {
    "in order": "",
    "exit code": "sys.exit(3)",
    "wrong shape within containers": "nn.Sequential(net, nn.ReLU(), nn.Linear(7, 1))(torch.randn(3, 4))",
    "wrong type in an activation": "F.relu('x')",
    "wrong dtype in an activation module": "nn.Sequential(nn.GELU())(torch.ones(3, dtype=torch.int64))",
    "wrong label": "nn.CrossEntropyLoss()(net(torch.randn(2, 4)), torch.tensor([0, 9]))",
    "second backward pass": "l = net(torch.randn(5, 4)).sum(); l.backward(); l.backward()",
    "error in a forward": """
class Bad(nn.Module):
    def forward(self, x):
        raise ValueError("mine")
nn.Sequential(net, Bad())(torch.randn(2, 4))
""",
    "error in a backward": """
class Fn(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        raise ValueError("in backward")
Fn.apply(net(torch.randn(5, 4))).sum().backward()
""",
    "error in a hook of the script": """
def hook(module, inputs, output):
    raise ValueError("hook")
net.first.register_forward_hook(hook)
net(torch.randn(2, 4))
""",
    "error in a closure": """
def closure():
    raise ValueError("closure")
optimiser.step(closure)
""",
    "chained errors": """
try:
    net(torch.randn(3, 5))
except RuntimeError as e:
    raise ValueError("wrapped") from e
""",
    "saving and loading": """
import copy, io, pickle
file = io.BytesIO()
torch.save(net, file)
file.seek(0)
again = torch.load(file, weights_only=False)
print(type(again), sorted(again.__dict__), len(file.getvalue()))
print(sorted(copy.deepcopy(net).__dict__), len(pickle.dumps(net)), len(pickle.dumps(optimiser.state_dict())))
""",
    "workers that are forked": """
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self):
        return 40
    def __getitem__(self, i):
        return torch.full((4,), float(i))
for x in DataLoader(Numbers(), batch_size=10, num_workers=2):
    net(x).sum().backward()
    optimiser.step()
print(net.first.weight.sum().item())
""",
}
