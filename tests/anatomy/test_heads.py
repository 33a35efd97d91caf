"""What a loss was given: the function that made it, its sign, its entries and its targets."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limen.anatomy import reading_of

CLASSES = torch.tensor([0, 2, 1, 1])
TARGET = torch.rand(4, 3)


def out(classes: int = 3) -> Tensor:
    return nn.Linear(5, classes)(torch.randn(4, 5))


def softmax() -> Tensor:
    return torch.softmax(out(), 1)


def picked(shares: Tensor) -> Tensor:
    return shares[torch.arange(4), CLASSES]


HEADS: dict[str, tuple[str, str, Callable[[], Tensor]]] = {
    "cross-entropy of scores": ("cross-entropy", "linear", lambda: F.cross_entropy(out(), CLASSES)),
    "cross-entropy of a softmax": ("cross-entropy", "softmax", lambda: F.cross_entropy(softmax(), CLASSES)),
    "cross-entropy of a sigmoid": ("cross-entropy", "sigmoid", lambda: F.cross_entropy(out().sigmoid(), CLASSES)),
    "cross-entropy of a ReLU": ("cross-entropy", "relu", lambda: F.cross_entropy(out().relu(), CLASSES)),
    "cross-entropy of a log-softmax": (
        "cross-entropy",
        "log-softmax",
        lambda: F.cross_entropy(F.log_softmax(out(), 1), CLASSES),
    ),
    "log-softmax and nll": ("cross-entropy", "linear", lambda: F.nll_loss(F.log_softmax(out(), 1), CLASSES)),
    "label smoothing": (
        "cross-entropy",
        "softmax",
        lambda: F.cross_entropy(softmax(), CLASSES, label_smoothing=0.1),
    ),
    "shares as targets": ("cross-entropy", "softmax", lambda: F.cross_entropy(softmax(), TARGET.softmax(1))),
    "images": (
        "cross-entropy",
        "softmax",
        lambda: F.cross_entropy(
            nn.Conv2d(2, 3, 1)(torch.randn(4, 2, 5, 5)).softmax(1), torch.zeros(4, 5, 5, dtype=torch.long)
        ),
    ),
    "a convolution": (
        "cross-entropy",
        "linear",
        lambda: F.cross_entropy(nn.Conv2d(2, 3, 1)(torch.randn(4, 2, 5, 5)), torch.zeros(4, 5, 5, dtype=torch.long)),
    ),
    "sequences": (
        "cross-entropy",
        "linear",
        lambda: F.cross_entropy(nn.Linear(5, 3)(torch.randn(2, 2, 5)).view(-1, 3), CLASSES),
    ),
    "similarities": ("cross-entropy", "linear", lambda: F.cross_entropy(out() @ out().T, CLASSES)),
    "similarities by their temperature": ("cross-entropy", "", lambda: F.cross_entropy(out() @ out().T / 0.1, CLASSES)),
    "averaged ReLU": (
        "cross-entropy",
        "",
        lambda: F.cross_entropy(nn.Conv2d(2, 3, 1)(torch.randn(4, 2, 5, 5)).relu().mean((2, 3)), CLASSES),
    ),
    "nll of scores": ("nll", "linear", lambda: F.nll_loss(out(), CLASSES)),
    "nll of a softmax": ("nll", "softmax", lambda: F.nll_loss(softmax(), CLASSES)),
    "nll of a logarithm": ("nll", "log", lambda: F.nll_loss(softmax().log(), CLASSES)),
    "nll of a clamped logarithm": ("nll", "", lambda: F.nll_loss(softmax().clamp(min=1e-6).log(), CLASSES)),
    "log of a softmax": ("log-probability", "softmax", lambda: -torch.log(picked(softmax())).mean()),
    "log of a sigmoid": ("log-probability", "sigmoid", lambda: -out().sigmoid().log().mean()),
    "bce of a sigmoid": ("bce", "sigmoid", lambda: F.binary_cross_entropy(out().sigmoid(), TARGET)),
    "bce of a squeezed sigmoid": (
        "bce",
        "sigmoid",
        lambda: F.binary_cross_entropy(out(1).sigmoid().squeeze(1), TARGET[:, 0]),
    ),
    "bce with scores": ("bce-with-logits", "linear", lambda: F.binary_cross_entropy_with_logits(out(), TARGET)),
    "bce with a sigmoid": (
        "bce-with-logits",
        "sigmoid",
        lambda: F.binary_cross_entropy_with_logits(out().sigmoid(), TARGET),
    ),
    "mse": ("mse", "linear", lambda: F.mse_loss(out(), TARGET)),
    "mse of a tanh": ("mse", "tanh", lambda: F.mse_loss(out().tanh(), TARGET)),
    "mse with its arguments swapped": ("mse", "tanh", lambda: F.mse_loss(TARGET, out().tanh())),
    "mse by hand": ("mse", "sigmoid", lambda: ((out().sigmoid() - TARGET) ** 2).mean()),
    "l1 of a softmax": ("l1", "softmax", lambda: F.l1_loss(softmax(), TARGET)),
    "huber of a ReLU6": ("huber", "relu6", lambda: F.huber_loss(F.relu6(out()), TARGET)),
    "smooth l1 of picked values": (
        "smooth-l1",
        "linear",
        lambda: F.smooth_l1_loss(out().gather(1, CLASSES[:, None]), TARGET[:, :1]),
    ),
    "two networks compared": ("mse", "", lambda: F.mse_loss(out(), out())),
    "a bounded output with a scale": ("mse", "", lambda: F.mse_loss(out().sigmoid() * 5, TARGET)),
    "focal": (
        "cross-entropy",
        "linear",
        lambda: ((1 - 0.5) * F.cross_entropy(out(), CLASSES, reduction="none")).mean(),
    ),
    "an unknown loss": ("other", "", lambda: torch.linalg.vector_norm(out())),
    "an entropy": ("other", "", lambda: (softmax() * softmax().log()).sum()),
}


@pytest.mark.parametrize("name", HEADS)
def test_the_function_behind_a_loss_is_named(name: str) -> None:
    function, head, make = HEADS[name]
    found = reading_of(make())
    assert (found.function, found.head) == (function, head)


def mse() -> Tensor:
    return F.mse_loss(out(), TARGET)


FACTORS: dict[str, tuple[float | None, Callable[[Tensor], Tensor]]] = {
    "as it is": (1.0, lambda loss: loss),
    "minus": (-1.0, lambda loss: -loss),
    "times minus two": (-2.0, lambda loss: -2 * loss),
    "by minus four": (-0.25, lambda loss: loss / -4),
    "minus of minus": (1.0, lambda loss: (-loss).neg()),
    "one minus": (-1.0, lambda loss: 1 - loss),
    "a number minus": (-1.0, lambda loss: torch.tensor(3.0) - loss),
    "minus a number": (1.0, lambda loss: loss - 1),
    "times a tensor": (-0.5, lambda loss: torch.tensor(-0.5) * loss),
    "minus one of two terms": (None, lambda loss: mse().detach() * mse() - loss),
    "with a penalty": (None, lambda loss: -loss + 0.1 * torch.ones(3, requires_grad=True).abs().sum()),
    "times a weight for each": (None, lambda loss: -(loss * torch.rand(4)).mean()),
    "times what is learned": (None, lambda loss: -loss * torch.ones((), requires_grad=True)),
}


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize(
    "loss", [mse, lambda: F.cross_entropy(out(), CLASSES), lambda: -picked(softmax()).log().mean()]
)
def test_the_factor_of_a_loss_is_read_where_it_is_constant(name: str, loss: Callable[[], Tensor]) -> None:
    expected, change = FACTORS[name]
    factor = reading_of(change(loss())).factor
    assert factor == expected if expected is not None else factor != factor


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.smooth_l1_loss, F.huber_loss, F.l1_loss, F.binary_cross_entropy,
             lambda one, two: (one - two).square().mean(), lambda one, two: (two - one).abs().mean()]
)  # fmt: skip
@pytest.mark.parametrize("swapped", [False, True])
def test_entries_and_targets_are_those_that_were_compared(
    loss: Callable[[Tensor, Tensor], Tensor], swapped: bool
) -> None:
    if swapped and loss is F.binary_cross_entropy:
        pytest.skip("its target takes no gradient")
    given = out().sigmoid()
    found = reading_of(loss(TARGET, given) if swapped else loss(given, TARGET))
    assert found.given is not None
    assert found.wanted is not None
    assert not found.given.requires_grad
    torch.testing.assert_close(found.given, given.detach(), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.wanted, TARGET, rtol=0, atol=1e-6)


def test_classes_are_no_targets_with_a_size() -> None:
    found = reading_of(F.cross_entropy(out(), CLASSES))
    assert found.given is None
    assert found.wanted is None


def test_hooks_on_saved_tensors_stay_still() -> None:
    unpacked: list[Tensor] = []

    def unpack(kept: Tensor) -> Tensor:
        unpacked.append(kept)
        return kept

    with torch.autograd.graph.saved_tensors_hooks(lambda kept: kept, unpack):
        loss = -F.mse_loss(out().sigmoid(), TARGET)
    reading_of(loss)
    assert unpacked == []


def test_a_graph_that_was_freed_is_read_without_its_tensors() -> None:
    loss = -2 * F.mse_loss(out().sigmoid(), TARGET)
    loss.backward()
    found = reading_of(loss)
    assert (found.function, found.head) == ("mse", "sigmoid")
    assert found.given is None
    assert found.wanted is None


@pytest.mark.parametrize("make", [lambda: torch.tensor(1.0), lambda: torch.tensor(1.0, requires_grad=True)])
def test_a_number_without_a_graph_is_unknown(make: Callable[[], Tensor]) -> None:
    assert reading_of(make()).function == "other"
