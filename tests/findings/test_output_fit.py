"""Which output fits which loss, against what torch computes from it."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.activations import get, head_for, tasks
from limen.findings.output_fit import RANGES, misfit, outside

GRID = torch.linspace(-60, 60, 4001, dtype=torch.float64)
HEADS = {
    "sigmoid": torch.sigmoid, "hardsigmoid": F.hardsigmoid, "tanh": torch.tanh, "hardtanh": F.hardtanh,
    "softsign": F.softsign, "relu": torch.relu, "relu6": F.relu6, "squared_relu": lambda x: torch.relu(x) ** 2,
    "softplus": F.softplus, "logsigmoid": F.logsigmoid, "softmax": lambda x: torch.stack([x, -x]).softmax(0),
    "log-softmax": lambda x: torch.stack([x, -x]).log_softmax(0),
}  # fmt: skip


@pytest.mark.parametrize("head", RANGES)
def test_a_range_is_what_the_function_gives(head: str) -> None:
    low, high = RANGES[head]
    given = HEADS[head](GRID)
    assert low <= given.min() <= low + 0.02 if math.isfinite(low) else given.min() < -50
    assert high - 0.02 <= given.max() <= high if math.isfinite(high) else given.max() > 50


@pytest.mark.parametrize("head", RANGES)
def test_a_range_is_that_of_the_catalogue(head: str) -> None:
    assert RANGES[head] == get(head.replace("-", "_")).sheet.range  # type: ignore[attr-defined]


LOSSES = {nn.CrossEntropyLoss: "cross-entropy", nn.BCEWithLogitsLoss: "bce-with-logits", nn.MSELoss: "mse"}


@pytest.mark.parametrize("task", [task for task in tasks() if task != "count"])
def test_the_pairs_that_the_catalogue_advises_fit_and_those_it_warns_of_do_not(task: str) -> None:
    advised = head_for(task, (-1.0, 1.0) if task == "bounded" else None)
    loss = LOSSES[type(advised.loss())]
    head = "linear" if advised.from_scores else advised.entry.name
    assert misfit(loss, head) is None
    if loss != "mse":
        twice = misfit(loss, advised.entry.name)
        assert twice is not None
        assert twice.severity == "warning"


@pytest.mark.parametrize("head", ["softmax", "sigmoid", "tanh", "relu6"])
def test_scores_within_bounds_keep_a_cross_entropy_from_zero(head: str) -> None:
    """The best that scores from a to b can do for n classes is ln(1 + (n - 1) exp(a - b))."""
    low, high = RANGES[head]
    best = torch.tensor([[high, low, low]], dtype=torch.float64)
    floor = F.cross_entropy(best, torch.tensor([0])).item()
    assert floor == pytest.approx(math.log1p(2 * math.exp(low - high)), rel=1e-12)
    found = misfit("cross-entropy", head)
    assert found is not None
    assert found.severity == "warning"


def test_a_log_softmax_of_a_log_softmax_is_itself() -> None:
    scores = torch.randn(5, 4, dtype=torch.float64)
    once = F.log_softmax(scores, 1)
    torch.testing.assert_close(F.log_softmax(once, 1), once, rtol=1e-14, atol=1e-14)
    found = misfit("cross-entropy", "log-softmax")
    assert found is not None
    assert found.severity == "info"


@pytest.mark.parametrize("head", ["tanh", "linear", "log-softmax"])
def test_torch_refuses_what_is_said_to_be_no_probability(head: str) -> None:
    given: Tensor = torch.tensor([-0.5])
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        F.binary_cross_entropy(given, torch.tensor([1.0]))
    found = misfit("bce", head)
    assert found is not None
    assert found.severity == "error"


@pytest.mark.parametrize(
    ("loss", "head"),
    [("cross-entropy", "linear"), ("cross-entropy", ""), ("cross-entropy", "gelu"), ("bce", "sigmoid"),
     ("bce", "softmax"), ("bce", ""), ("bce-with-logits", "linear"), ("nll", "log-softmax"), ("nll", ""),
     ("kl-div", "log-softmax"), ("mse", "softmax"), ("other", "softmax")],
)  # fmt: skip
def test_what_fits_or_is_unknown_is_left_alone(loss: str, head: str) -> None:
    assert misfit(loss, head) is None


@pytest.mark.parametrize(
    ("head", "low", "high", "beyond"),
    [("sigmoid", 0.0, 1.0, 0.0), ("sigmoid", -0.05, 1.0, 0.0), ("sigmoid", -0.06, 1.0, 0.06), ("tanh", -3.0, 2.0, 2.0),
     ("relu", 0.0, 1e9, 0.0), ("relu", -2.0, 1e9, 2.0), ("logsigmoid", -9.0, 3.0, 3.0), ("linear", -1e9, 1e9, 0.0)],
)  # fmt: skip
def test_how_far_targets_leave_a_range(head: str, low: float, high: float, beyond: float) -> None:
    assert outside(head, low, high, 0.05) == pytest.approx(beyond)
