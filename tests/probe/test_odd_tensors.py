"""Tensors and results of unusual kinds: what cannot be read is passed over, and the watch goes on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.probe.stories import Story, network, same_training, steps, steps_of


def complex_numbers() -> Iterator[Tensor]:
    w = torch.randn(6, 4, dtype=torch.complex64, requires_grad=True)
    x = torch.randn(5, 6, dtype=torch.complex64)
    return steps_of(lambda: torch.tanh(x @ w).abs() + torch.relu((x @ w).real), w)


def whole_numbers() -> Iterator[Tensor]:
    w = torch.randn(6, 4, requires_grad=True)
    return steps_of(lambda: torch.relu(torch.randn(5, 6) @ w) * torch.relu(torch.randint(-3, 3, (5, 4))), w)


def sparse_input() -> Iterator[Tensor]:
    model = network()
    first = model[0]
    dense = torch.randn(5, 6).relu()
    return steps_of(lambda: model[1:](torch.sparse.mm(dense.to_sparse(), first.weight.t())), *model[1:].parameters())


def sparse_activation() -> Iterator[Tensor]:
    w = torch.randn(6, 4, requires_grad=True)
    return steps_of(lambda: torch.relu(w.to_sparse()).to_dense() + torch.relu(w), w)


def sparse_model_input(layout: str) -> Story:
    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.act = nn.Parameter(torch.randn(6, 4)), nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.act(x @ self.weight)

    def story() -> Iterator[Tensor]:
        model = Bag()
        x = getattr(torch.randn(5, 6).relu(), layout)()
        return steps_of(lambda: model(x), *model.parameters())

    return story


def embedding_with_sparse_gradient() -> Iterator[Tensor]:
    table, head = nn.Embedding(20, 6, sparse=True), nn.Linear(6, 3)
    indices = torch.randint(20, (5, 4))
    return steps_of(lambda: head(torch.tanh(table(indices))), table.weight, *head.parameters())


def subclass() -> Iterator[Tensor]:
    class Tagged(Tensor):
        pass

    w = torch.randn(6, 4, requires_grad=True)
    return steps_of(lambda: torch.relu(torch.randn(5, 6).as_subclass(Tagged) @ w).as_subclass(Tensor), w)


def nested_batch() -> Iterator[Tensor]:
    linear = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    parts = [torch.randn(n, 6) for n in (2, 5, 3)]
    return steps_of(
        lambda: linear(torch.nested.nested_tensor(parts, layout=torch.jagged)).values(), *linear.parameters()
    )


def old_nested_batch() -> Iterator[Tensor]:
    linear = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    parts = [torch.randn(n, 6) for n in (2, 5, 3)]
    return steps_of(
        lambda: torch.nested.to_padded_tensor(linear(torch.nested.nested_tensor(parts)), 0.0),
        *linear.parameters(),
    )


def rehearsal_without_data() -> Iterator[Tensor]:
    with torch.device("meta"):
        network()(torch.randn(5, 6)).sum().backward()
    return steps(network(), [torch.randn(5, 6)] * 3)


KINDS: dict[str, Story] = {
    "complex numbers": complex_numbers,
    "whole numbers": whole_numbers,
    "a sparse input": sparse_input,
    "a sparse activation": sparse_activation,
    "a model of a sparse COO input": sparse_model_input("to_sparse"),
    "a model of a sparse CSR input": sparse_model_input("to_sparse_csr"),
    "an embedding with a sparse gradient": embedding_with_sparse_gradient,
    "a subclass": subclass,
    "a nested batch": nested_batch,
    "a nested batch of the older kind": old_nested_batch,
    "a rehearsal without data": rehearsal_without_data,
}


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning", "ignore:The PyTorch API of nested tensors:UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_tensor_that_cannot_be_read_is_passed_over(kind: str) -> None:
    probe = same_training(KINDS[kind])
    assert (probe.step, probe.notes) == (3, {})


# What modules return ------------------------------------------------------------------------------------------------


@dataclass
class Output:
    logits: Tensor
    hidden: tuple[Tensor, ...]


RETURNS: dict[str, tuple[Callable[[Tensor], Any], Callable[[Any], Tensor]]] = {
    "tuple": (lambda h: (h, [h]), lambda out: out[0]),
    "dict": (lambda h: {"logits": h, "extra": None}, lambda out: out["logits"]),
    "dataclass": (lambda h: Output(h, (h,)), lambda out: out.logits),
}


@pytest.mark.parametrize("kind", RETURNS)
def test_modules_may_return_what_they_like(kind: str) -> None:
    wrap, unwrap = RETURNS[kind]

    class Inner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.act = nn.Linear(6, 8), nn.ReLU()

        def forward(self, x: Tensor, *, scale: float = 1.0) -> Any:
            return wrap(self.act(self.fc(x)) * scale)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.head = Inner(), nn.Linear(8, 3)

        def forward(self, batch: dict[str, Tensor]) -> Any:
            return wrap(self.head(unwrap(self.inner(batch["x"], scale=2.0))))

    def story() -> Iterator[Tensor]:
        model = Model()
        return steps_of(lambda: unwrap(model({"x": torch.randn(5, 6)})), *model.parameters())

    (site,) = same_training(story).vitals().sites
    assert (site.site.name, site.site.layer, site.total.samples) == ("inner.act", "inner.fc", 15)
