"""What value, slope and curvature of an entry cannot be asked of."""

import itertools

import pytest
import torch

from limen.activations import InDoubles, get, names
from limen.errors import WrongType

REFUSED = [
    (torch.arange(3), r"found one of int64 with shape \[3\]\. `x\.float\(\)` makes one\."),
    (torch.tensor(True), r"found one of bool with shape \[\]\. `x\.float\(\)` makes one\."),
    (torch.zeros(2, dtype=torch.complex64), r"found one of complex64 .*No entry is defined for complex numbers"),
    (1.5, r"found 1\.5 \(float\)\. `torch\.as_tensor\(x, dtype=torch\.float32\)` makes one; .*`\.numpy`"),
    (None, r"found None \(NoneType\)"),
    ([0.0] * 900, r"found \[0\.0, 0\.0.{,60} \(list\)"),
]


@pytest.mark.parametrize("name", names(kind="elementwise"))
def test_what_is_no_tensor_of_floating_point_numbers_is_refused(name: str) -> None:
    for method, (x, words) in itertools.product(("f", "df", "d2f"), REFUSED):
        with pytest.raises(WrongType, match=rf"^{name}\.{method}\(x\): expected a tensor of floating-point.*{words}"):
            getattr(get(name), method)(x)


@pytest.mark.parametrize("name", [3, None, torch.nn.ReLU()], ids=["number", "none", "module"])
def test_what_is_no_name_is_told_so(name: object) -> None:
    with pytest.raises(WrongType, match=r"^get\(.*\): expected the name of a function, .* of_module finds"):
        get(name)  # type: ignore[call-overload]


def test_an_entry_is_no_method() -> None:
    with pytest.raises(WrongType, match=r"^InDoubles\(GELU\(\)\): expected a method of an entry, such as f or df"):
        InDoubles(get("gelu"))  # type: ignore[arg-type]


def test_a_slope_that_was_chosen_refuses_the_same() -> None:
    with pytest.raises(TypeError, match=r"relu\.df\(x\): expected"):
        get("relu", slope_at_kink="mean").df(torch.arange(3))


@pytest.mark.parametrize("name", ["relu", "gelu", "mish", "tanhshrink", "sin", "isru", "lecun_tanh"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_compiled_and_mapped_calls_find_the_same(name: str, dtype: torch.dtype) -> None:
    act, x = get(name), torch.linspace(-3, 3, 12, dtype=dtype).reshape(3, 4)

    def both(z: torch.Tensor) -> torch.Tensor:
        return torch.stack([act.f(z), act.df(z)])

    expected = both(x)
    assert torch.equal(torch.func.vmap(both, out_dims=1)(x), expected)
    assert torch.equal(torch.compile(both, backend="eager", fullgraph=True)(x), expected)
    torch._dynamo.reset()
