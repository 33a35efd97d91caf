"""What wraps a model leaves no trace in its names."""

import pytest
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from limen.anatomy import plain_paths


class Part(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 2)


def wrapped(kind: type[nn.Module], name: str, inner: nn.Module) -> nn.Module:
    outer = kind.__new__(kind)  # a process group is needed to make one in the usual way
    nn.Module.__init__(outer)
    outer.add_module(name, inner)
    return outer


class OwnParallel(DistributedDataParallel):
    pass


@pytest.mark.parametrize("kind", [DistributedDataParallel, OwnParallel, nn.DataParallel])
def test_a_wrapper_is_left_out_wherever_it_stands(kind: type[nn.Module]) -> None:
    model = nn.Sequential(wrapped(kind, "module", nn.Sequential(nn.ReLU(), nn.Linear(2, 2))), nn.Tanh())
    outer = wrapped(kind, "module", model)
    plain = plain_paths(outer)
    assert [plain(path) for path, _ in outer.named_modules()] == ["", "", "0", "0", "0.0", "0.1", "1"]
    assert [plain(path) for path, _ in outer.named_parameters()] == ["0.1.weight", "0.1.bias"]


def test_a_child_of_that_name_in_the_users_own_module_stays() -> None:
    outer = wrapped(DistributedDataParallel, "module", Part())
    assert [plain_paths(outer)(path) for path, _ in outer.named_parameters()] == ["module.weight", "module.bias"]
    assert plain_paths(Part())("module.weight") == "module.weight"
