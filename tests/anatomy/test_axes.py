"""What the graph tells of the shape of a tensor."""

import pytest
import torch

from limen.anatomy.axes import shape_of


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_a_nested_tensor_of_the_older_kind_has_no_shape() -> None:
    """Asked for one, torch raises."""
    nested = torch.nested.nested_tensor([torch.randn(2, 6), torch.randn(5, 6)], requires_grad=True)
    made = (nested * 2).grad_fn
    assert made is not None
    leaf = made.next_functions[0][0]
    assert leaf is not None
    assert (shape_of(made), shape_of(leaf)) == (None, None)


def test_any_other_has_the_one_it_was_made_with() -> None:
    x = torch.randn(2, 6, requires_grad=True)
    made = x.flatten().grad_fn
    assert made is not None
    leaf = made.next_functions[0][0]
    assert leaf is not None
    assert (shape_of(made), shape_of(leaf), shape_of(made, 1)) == ((12,), (2, 6), None)
