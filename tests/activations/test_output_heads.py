"""Which head for which target: what is said of each pair of head and loss is true of torch."""

import copy
import math
import pickle
from dataclasses import FrozenInstanceError

import pytest
import torch
from torch import Tensor, nn

from limen.activations import (
    Exp,
    Identity,
    OutputHead,
    ScaledTanh,
    Sigmoid,
    Softmax,
    Softplus,
    head_for,
    of_module,
    tasks,
)
from limen.errors import InvalidValue, UnknownName

DRAW = torch.Generator().manual_seed(9)
RANGES = {"bounded": (-2.0, 3.0)}
EVERY = [head_for(task, RANGES.get(task)) for task in tasks()]
every = pytest.mark.parametrize("head", EVERY, ids=lambda head: head.task)


def scores(*shape: int) -> Tensor:
    return torch.randn(shape, generator=DRAW, dtype=torch.float64)


def targets(head: OutputHead, x: Tensor) -> Tensor:
    match head.task:
        case "multi-class":
            return torch.randint(x.shape[-1], x.shape[:-1], generator=DRAW)
        case "binary" | "multi-label":
            return torch.randint(2, x.shape, generator=DRAW).double()
        case "count":
            return torch.randint(9, x.shape, generator=DRAW).double()
        case "positive":
            return scores(*x.shape).exp()
        case _:
            return scores(*x.shape).clamp(-1.9, 1.9)


def likelihood(head: OutputHead, predicted: Tensor, target: Tensor) -> Tensor:
    """The loss by its definition, from predictions."""
    match head.task:
        case "multi-class":
            return -predicted.gather(-1, target[:, None]).log().mean()
        case "binary" | "multi-label":
            return -(target * predicted.log() + (1 - target) * (1 - predicted).log()).mean()
        case "count":
            return (predicted - target * predicted.log()).mean()
        case _:
            return (predicted - target).square().mean()


@every
def test_the_loss_of_the_scores_is_that_of_the_predictions_by_its_definition(head: OutputHead) -> None:
    x = scores(20, 4)
    target = targets(head, x)
    torch.testing.assert_close(head.loss()(head.module()(x), target), likelihood(head, head.predict(x), target))


@every
def test_a_model_that_ends_so_learns(head: OutputHead) -> None:
    torch.manual_seed(0)
    features = scores(60, 3)
    last = nn.Linear(3, 4).double()
    with torch.no_grad():
        made = nn.Linear(3, 4).double()(3 * features)
        target = made.argmax(-1) if head.task == "multi-class" else head.predict(made)
        if head.task in ("binary", "multi-label"):
            target = target.round()
    model, loss = nn.Sequential(last, head.module()), head.loss()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    seen = []
    for _ in range(60):
        optimiser.zero_grad()
        value = loss(model(features), target)
        value.backward()
        optimiser.step()
        seen.append(value.item())
    assert seen[-1] < seen[0] - 0.2 * abs(seen[0])


@every
def test_predictions_lie_in_the_range_of_the_head(head: OutputHead) -> None:
    low, high = head.entry.sheet.range
    predicted = head.predict(30 * scores(100, 4))
    assert bool(((predicted >= low) & (predicted <= high)).all())


@every
def test_the_biases_that_are_advised_begin_at_the_mean_of_the_targets(head: OutputHead) -> None:
    x = torch.tensor([[0.0, 0.0, 0.0, 0.0]]).double()
    if "log(classes)" in head.last_layer:
        assert head.loss()(x, torch.tensor([2])) == pytest.approx(math.log(4))
    if "log(p / (1 - p))" in head.last_layer:
        assert float(head.predict(x + math.log(0.1 / 0.9))[0, 0]) == pytest.approx(0.1)
    if "log(exp(m) - 1)" in head.last_layer:
        assert float(head.predict(x + math.log(math.expm1(2.5)))[0, 0]) == pytest.approx(2.5)
    if "log(m)" in head.last_layer:
        assert float(head.predict(x + math.log(2.5))[0, 0]) == pytest.approx(2.5)
    if "middle of the range" in head.last_layer:
        assert float(head.predict(x)[0, 0]) == pytest.approx(0.5)


def gradient(loss: nn.Module, function: nn.Module, score: float, target: float) -> float:
    x = torch.tensor([score], requires_grad=True)
    loss(function(x), torch.tensor([target])).backward()
    assert x.grad is not None
    return float(x.grad)


def test_a_sigmoid_before_the_loss_has_no_gradient_at_a_wrong_score_of_twenty() -> None:
    assert "gradient 0 at a wrong score of 20" in head_for("binary").hazard
    assert gradient(nn.BCELoss(), nn.Sigmoid(), 20.0, 0.0) == 0
    assert gradient(nn.MSELoss(), nn.Sigmoid(), 20.0, 0.0) == 0
    assert gradient(head_for("binary").loss(), head_for("binary").module(), 20.0, 0.0) == 1


def test_a_softmax_before_a_cross_entropy_cannot_come_near_zero() -> None:
    assert "above log(1 + (n - 1) / e)" in head_for("multi-class").hazard
    sure = torch.tensor([[1000.0, 0.0, 0.0, 0.0]])
    least = head_for("multi-class").loss()(Softmax().f(sure), torch.tensor([0]))
    assert float(least) == pytest.approx(math.log(1 + 3 / math.e))


def test_the_entries_and_what_the_loss_takes() -> None:
    kinds = {head.task: (type(head.entry), head.from_scores) for head in EVERY}
    assert kinds == {
        "multi-class": (Softmax, True),
        "binary": (Sigmoid, True),
        "multi-label": (Sigmoid, True),
        "bounded": (ScaledTanh, False),
        "positive": (Softplus, False),
        "count": (Exp, True),
        "regression": (Identity, True),
    }
    for head in EVERY:
        assert isinstance(head.module(), nn.Identity) is head.from_scores


def test_a_head_within_the_model_is_seen_as_its_function() -> None:
    module = head_for("bounded", (0, 4)).module()
    assert of_module(module) == ScaledTanh(0.0, 4.0)
    assert repr(module) == "Applied(ScaledTanh(low=0.0, high=4.0))"


@pytest.mark.parametrize(
    ("span", "task"),
    [
        ((0, 10), "bounded"),
        ((-1.0, 1.0), "bounded"),
        ((0, math.inf), "positive"),
        ((-math.inf, math.inf), "regression"),
    ],
)
def test_the_range_of_targets_says_which_regression_it_is(span: tuple[float, float], task: str) -> None:
    found = head_for("regression", span)
    assert found == head_for(task, span)
    assert found.entry.sheet.range == span


@pytest.mark.parametrize("written", ["Multi Class", "multi_class", "MULTICLASS"])
def test_the_joints_of_a_task_do_not_matter(written: str) -> None:
    assert head_for(written) == head_for("multi-class")


def test_an_unknown_task_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No task is named 'regresion'\. Did you mean 'regression'\?"):
        head_for("regresion")


@pytest.mark.parametrize(
    ("task", "span", "words"),
    [
        ("bounded", None, r"head_for\('bounded'\): expected a target_range"),
        ("regression", (1.0, 1.0), r"expected the lowest and the highest target"),
        ("regression", (math.nan, 1.0), r"expected the lowest and the highest target"),
        ("regression", 3.0, r"expected the lowest and the highest target"),
        (
            "regression",
            (-math.inf, 0.0),
            r"at another number than 0\. Mirror or shift the targets .* ask for 'positive'",
        ),
        ("positive", (5.0, math.inf), r"at another number than 0\. Mirror or shift"),
        (
            "positive",
            (-1.0, 1.0),
            r"head_for\('positive', target_range=\(-1\.0, 1\.0\)\): such targets are of the task 'bounded'",
        ),
        ("bounded", (0.0, math.inf), r"such targets are of the task 'positive'"),
        ("binary", (0.0, 1.0), r"its targets are classes, which have no range"),
        ("count", (-1.0, 9.0), r"counts are not negative"),
    ],
)
def test_a_range_that_does_not_fit_is_refused_with_what_would(task: str, span: object, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        head_for(task, span)  # type: ignore[arg-type]


def test_counts_may_have_a_range() -> None:
    assert head_for("count", (0, 100)) == head_for("count")


@every
def test_heads_are_values(head: OutputHead) -> None:
    for twin in (pickle.loads(pickle.dumps(head)), copy.deepcopy(head)):
        assert twin == head
        assert hash(twin) == hash(head)
    with pytest.raises(FrozenInstanceError):
        head.task = "other"  # type: ignore[misc]
    assert head.hazard
    assert head.last_layer
