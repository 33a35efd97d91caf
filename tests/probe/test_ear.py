"""The gradient of each result of a graph node is told, as often as there is one, and nothing else changes."""

import gc
import weakref

import pytest
import torch
from torch import Tensor

from limen.probe.ear import ear_for, listen


@pytest.mark.parametrize("output", range(3))
def test_the_gradient_of_each_result_is_told(output: int) -> None:
    heard: list[Tensor | None] = []
    x, weight = torch.randn(3, 4, requires_grad=True), torch.randn(3, 4)
    parts = x.unbind(0)
    listen(parts[output], heard.append)
    (torch.stack(parts) * weight).sum().backward()
    assert [torch.equal(gradient, weight[output]) for gradient in heard if gradient is not None] == [True]
    assert x.grad is not None
    assert torch.equal(x.grad, weight)


def test_one_ear_serves_many_nodes() -> None:
    heard: list[Tensor | None] = []
    ear, x = ear_for(0, heard.append), torch.ones(2, requires_grad=True)
    for factor in (2.0, 3.0):
        y = x * 1
        y.grad_fn._register_hook_dict(ear)
        (factor * y).sum().backward()
    assert [gradient.tolist() for gradient in heard if gradient is not None] == [[2.0, 2.0], [3.0, 3.0]]


def test_hooks_of_the_script_stay_and_what_they_make_of_the_gradient_is_told() -> None:
    heard: list[Tensor | None] = []
    x = torch.ones(2, requires_grad=True)
    y = x * 1
    y.register_hook(lambda gradient: 5 * gradient)
    before = dict(y._backward_hooks)  # pyright: ignore[reportPrivateUsage]
    listen(y, heard.append)
    assert y._backward_hooks == before  # pyright: ignore[reportPrivateUsage]
    y.sum().backward()
    assert [gradient.tolist() for gradient in heard if gradient is not None] == [[5.0, 5.0]]
    assert x.grad is not None
    assert x.grad.tolist() == [5.0, 5.0]


def test_a_tensor_without_a_node_has_no_gradient_to_tell() -> None:
    listen(torch.ones(2), pytest.fail)
    listen(torch.ones(2, requires_grad=True), pytest.fail)


def test_it_draws_no_random_number_and_heeds_no_default_of_the_script() -> None:
    before = torch.get_rng_state()
    with torch.device("meta"):
        ear = ear_for(1, print)
    assert (ear.device.type, ear.output_nr) == ("cpu", 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_ear_that_is_heard_by_its_owner_goes_with_it() -> None:
    class Owner:
        def __init__(self) -> None:
            self.ear = ear_for(0, self.hear)

        def hear(self, gradient: Tensor | None) -> None: ...

    owner = Owner()
    (torch.ones(2, requires_grad=True) * 1).grad_fn._register_hook_dict(owner.ear)  # pyright: ignore[reportOptionalMemberAccess]
    held = weakref.ref(owner)
    del owner
    gc.collect()
    assert held() is None
