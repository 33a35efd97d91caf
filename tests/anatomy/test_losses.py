"""The loss behind a number, however it is scaled and summed."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import loss_function

CLASSES = torch.tensor([0, 2, 1, 1])


def out(classes: int = 3) -> Tensor:
    return nn.Linear(5, classes)(torch.randn(4, 5))


def share() -> Tensor:
    return torch.sigmoid(out())


def target() -> Tensor:
    return torch.rand(4, 3)


LOSSES: dict[str, tuple[str, Callable[[str], Tensor]]] = {
    "cross entropy": ("cross-entropy", lambda how: F.cross_entropy(out(), CLASSES, reduction=how)),
    "cross entropy with weights": (
        "cross-entropy",
        lambda how: F.cross_entropy(out(), CLASSES, weight=torch.rand(3), reduction=how),
    ),
    "cross entropy of images": (
        "cross-entropy",
        lambda how: F.cross_entropy(
            nn.Conv2d(2, 3, 1)(torch.randn(4, 2, 5, 5)), torch.zeros(4, 5, 5, dtype=torch.long), reduction=how
        ),
    ),
    "module": ("cross-entropy", lambda how: nn.CrossEntropyLoss(reduction=how)(out(), CLASSES)),
    "smoothed cross entropy": (
        "cross-entropy",
        lambda how: F.cross_entropy(out(), CLASSES, label_smoothing=0.1, reduction=how),
    ),
    "cross entropy with shares": ("cross-entropy", lambda how: F.cross_entropy(out(), target(), reduction=how)),
    "log softmax and nll": ("cross-entropy", lambda how: F.nll_loss(F.log_softmax(out(), 1), CLASSES, reduction=how)),
    "nll": ("nll", lambda how: F.nll_loss(out(), CLASSES, reduction=how)),
    "nll of a logarithm": ("nll", lambda how: F.nll_loss(torch.log(share()), CLASSES, reduction=how)),
    "mse": ("mse", lambda how: F.mse_loss(out(), target(), reduction=how)),
    "l1": ("l1", lambda how: F.l1_loss(out(), target(), reduction=how)),
    "smooth l1": ("smooth-l1", lambda how: F.smooth_l1_loss(out(), target(), reduction=how)),
    "huber": ("huber", lambda how: F.huber_loss(out(), target(), reduction=how)),
    "bce": ("bce", lambda how: F.binary_cross_entropy(share(), target(), reduction=how)),
    "bce with logits": (
        "bce-with-logits",
        lambda how: F.binary_cross_entropy_with_logits(out(), target(), reduction=how),
    ),
    "kl divergence": ("kl-div", lambda how: F.kl_div(F.log_softmax(out(), 1), target(), reduction=how)),
}

FORMS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "as it is": ("mean", lambda loss: loss),
    "summed": ("sum", lambda loss: loss),
    "mean of the unreduced": ("none", lambda loss: loss.mean()),
    "sum of the unreduced": ("none", lambda loss: loss.sum()),
    "mean over classes, then samples": (
        "none",
        lambda loss: loss.flatten(1).mean(1).mean() if loss.ndim > 1 else loss.mean(),
    ),
    "masked": ("none", lambda loss: (loss * torch.ones_like(loss)).sum() / loss.numel()),
    "scaled for accumulation": ("mean", lambda loss: loss / 4),
    "scaled for half precision": ("mean", lambda loss: loss * 65536.0),
    "negative of its negative": ("mean", lambda loss: -(0.5 * -loss)),
    "with a penalty": ("mean", lambda loss: loss + 1e-4 * torch.ones(3, requires_grad=True).square().sum()),
    "a penalty first": ("mean", lambda loss: 1e-4 * torch.ones(3, requires_grad=True).abs().sum() + loss),
    "cast": ("mean", lambda loss: loss.double()),
    "reshaped": ("mean", lambda loss: loss.reshape(1)),
    "one of several": ("mean", lambda loss: torch.stack([loss, loss]).mean()),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
def test_the_loss_is_named_in_every_form(name: str, form: str) -> None:
    expected, make = LOSSES[name]
    how, then = FORMS[form]
    assert loss_function(then(make(how))) == expected


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("mse", lambda: ((out() - target()) ** 2).mean()),
        ("mse", lambda: (target() - out()).pow(2).sum(1).mean()),
        ("mse", lambda: (out() - target()).square().mean() / 2),
        ("l1", lambda: (out() - target()).abs().mean()),
        ("cross-entropy", lambda: -(F.log_softmax(out(), 1) * target()).sum(1).mean()),
        ("cross-entropy", lambda: -(F.one_hot(CLASSES, 3) * torch.log_softmax(out(), -1)).sum() / 4),
        ("cross-entropy", lambda: F.nll_loss(F.log_softmax(out(), -1).view(2, 2, 3).view(-1, 3), CLASSES)),
    ],
)
def test_a_loss_written_by_hand_is_named(name: str, make: Callable[[], Tensor]) -> None:
    assert loss_function(make()) == name


def test_an_entropy_is_not_a_cross_entropy() -> None:
    scores = out()
    assert loss_function((F.softmax(scores, 1) * F.log_softmax(scores, 1)).sum()) == "other"


def test_connectionist_temporal_classification_is_named() -> None:
    logits = F.log_softmax(torch.randn(10, 2, 4, requires_grad=True), 2)
    loss = F.ctc_loss(logits, torch.ones(2, 3, dtype=torch.long), torch.tensor([10, 10]), torch.tensor([3, 3]))
    assert loss_function(loss) == "ctc"


@pytest.mark.parametrize(
    "make",
    [
        lambda: out().square().mean(),
        lambda: out().abs().sum(),
        lambda: torch.linalg.vector_norm(out()),
        lambda: torch.tensor(1.0),
        lambda: torch.tensor(1.0, requires_grad=True),
        lambda: F.hinge_embedding_loss(out(), torch.ones(4, 3)),
    ],
)
def test_a_loss_of_another_kind_is_other(make: Callable[[], Tensor]) -> None:
    assert loss_function(make()) == "other"


def test_a_loss_inside_the_network_is_not_looked_for() -> None:
    inner = F.mse_loss(out(), target(), reduction="none")
    assert loss_function(nn.Linear(3, 1)(torch.relu(inner)).mean()) == "other"


def test_a_long_chain_ends() -> None:
    loss = torch.tensor(1.0, requires_grad=True)
    for _ in range(2000):
        loss = loss + 1
    assert loss_function(loss) == "other"
