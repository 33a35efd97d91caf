"""Activations on NumPy arrays: the entries' own bits, and the numbers of the founding documents."""

import numpy as np
import pytest
import torch

from limen.activations import get, names
from limen.errors import LimenError, WrongType

ANCHORS = np.array([-3.0, -1.0, 0.0, 0.5, 1.0, 3.0])


def test_relu_at_the_anchor_points() -> None:
    relu = get("relu").numpy
    assert relu.f(ANCHORS).tolist() == [0, 0, 0, 0.5, 1, 3]
    assert relu.df(ANCHORS).tolist() == [0, 0, 0, 1, 1, 1]
    assert relu.d2f(ANCHORS).tolist() == [0] * 6


def test_the_slope_at_zero_is_a_convention() -> None:
    assert get("relu", slope_at_kink="right").numpy.df(0.0) == 1
    assert get("relu", slope_at_kink="mean").numpy.df(0.0) == 0.5


def test_a_unit_that_no_input_in_the_square_can_wake() -> None:
    points = np.random.default_rng(42).uniform(size=(100, 2))
    z = points @ np.array([0.01, 0.01]) - 10.0
    assert (round(z.min(), 2), round(z.max(), 2)) == (-10.0, -9.98)
    relu = get("relu").numpy
    assert 100 * np.mean(relu.f(z) > 0) == 0.0
    assert not relu.df(z).any()
    assert relu.df(np.array([501.0, 501.0]) @ np.array([0.01, 0.01]) - 10.0) == 1  # but inputs without bounds can


def test_plain_numpy_says_the_same() -> None:
    z = np.linspace(-9, 9, 1001)
    e = np.exp(-np.abs(z))
    formulas = {
        "relu": np.maximum(0, z),
        "leaky_relu": np.maximum(0.01 * z, z),
        "sigmoid": np.where(z > 0, 1, e) / (1 + e),
        "tanh": np.tanh(z),
        "elu": np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        "silu": z * np.where(z > 0, 1, e) / (1 + e),
        "softplus": np.logaddexp(0, z),
    }
    for name, values in formulas.items():
        np.testing.assert_allclose(get(name).numpy.f(z), values, rtol=1e-14)


@pytest.mark.parametrize("name", names(kind="elementwise"))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda dtype: dtype.__name__)
def test_arrays_give_the_bits_that_tensors_give(name: str, dtype: type) -> None:
    act, x = get(name), np.linspace(-4, 4, 101).astype(dtype)
    for method in ("f", "df", "d2f"):
        found = getattr(act.numpy, method)(x)
        assert found.dtype == dtype
        assert found.tobytes() == getattr(act, method)(torch.from_numpy(x)).numpy().tobytes()


def test_numbers_lists_and_integers_are_taken() -> None:
    tanh = get("tanh").numpy
    assert isinstance(tanh.f(0.5), float)
    assert tanh.f([1, 2]).dtype == np.float64
    assert tanh.f(np.float16(0.5)).dtype == np.float16
    assert tanh.f(np.zeros((2, 0, 3), np.float32)).shape == (2, 0, 3)


def test_any_layout_is_taken_and_the_array_left_as_it_was() -> None:
    x = np.linspace(-3, 3, 60).reshape(6, 10)
    x.setflags(write=False)
    expected = get("mish").numpy.f(x)
    for other, same in ((x.T, expected.T), (x[::-1, ::2], expected[::-1, ::2]), (x.astype(">f8"), expected)):
        np.testing.assert_array_equal(get("mish").numpy.f(other), same)
    get("relu").numpy.f(x)
    assert x.min() == -3


@pytest.mark.parametrize("x", [1j, True, "one", [None], np.longdouble(1)], ids=repr)
def test_what_is_no_real_number_is_refused(x: object) -> None:
    with pytest.raises(WrongType, match=r"\.numpy\.df\(x\): expected real numbers .* found .*`np\.asarray"):
        get("relu").numpy.df(x)  # type: ignore[arg-type]
    assert issubclass(WrongType, TypeError)
    assert issubclass(WrongType, LimenError)
