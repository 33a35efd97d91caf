"""The flat sides, against root finding on formulas written a second time."""

import functools
import math
from dataclasses import dataclass

import mpmath as mp
import pytest
import torch
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from limen.activations import Activation, InDoubles, PReLU, Softplus, Tails, get, names, tails
from limen.activations.tails import FLAT
from tests.activations.cases import over

EVERY = [*(get(name) for name in names(kind="elementwise")), Softplus(50.0), PReLU(0.001), get("elu", alpha=0.3)]

EXACT = {
    "identity": Tails(None, None, False, False),
    "leaky_relu": Tails(None, None, False, False),  # its slope of 0.01 is not below 1 % of 1
    "prelu": Tails(None, None, False, False),
    "relu": Tails(0.0, None, True, False),
    "relu6": Tails(0.0, 6.0, True, False),
    "hardtanh": Tails(-1.0, 1.0, False, False),
    "hardsigmoid": Tails(-3.0, 3.0, True, False),
    "hardswish": Tails(-3.0, None, True, False),
}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_pieces_that_are_straight_end_exactly_at_their_kinks(name: str) -> None:
    assert tails(get(name)) == EXACT[name]


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("sigmoid", -2 * mp.acosh(10), 2 * mp.acosh(10)),  # s' = sech²(z / 2) / 4
        ("tanh", -mp.acosh(10), mp.acosh(10)),  # sech² = 0.01
        ("softsign", -9, 9),  # 1 / (1 + 9)² = 0.01
        ("softplus", -mp.log(99), None),  # s(z) = 0.01
        ("logsigmoid", None, mp.log(99)),
        ("elu", -mp.log(100), None),
        ("celu", -mp.log(100), None),
        ("selu", -mp.log(100), None),  # steepest just left of 0
        ("squared_relu", 0.01, None),  # steepest over |z| <= 1 is 2
    ],
)  # fmt: skip
def test_closed_forms_are_met(name: str, left: mp.mpf | None, right: mp.mpf | None) -> None:
    found = tails(get(name))
    for side, exact in ((found.left, left), (found.right, right)):
        assert (side is None) == (exact is None)
        if side is not None:
            assert side == pytest.approx(float(exact), abs=1e-11)


def root_of_one_percent(slope: "mp.calculus", peak_bracket: tuple[float, float], bracket: tuple[float, float]) -> float:
    """Where ``|slope|`` is 1 % of its largest value, by scipy on a formula of mpmath."""
    peak = minimize_scalar(
        lambda z: -abs(float(slope(z))), bounds=peak_bracket, options={"xatol": 1e-10}, method="bounded"
    )
    return brentq(lambda z: abs(float(slope(z))) + FLAT * peak.fun, *bracket, xtol=1e-13)


def logistic(z: float) -> mp.mpf:
    return 1 / (1 + mp.exp(-z))


SELF_GATED = {
    "gelu": lambda z: mp.ncdf(z) + z * mp.npdf(z),
    "silu": lambda z: logistic(z) * (1 + z * (1 - logistic(z))),
    "quick_gelu": lambda z: logistic(1.702 * z) * (1 + 1.702 * z * (1 - logistic(1.702 * z))),
    "mish": lambda z: mp.diff(lambda t: t * mp.tanh(mp.log1p(mp.exp(t))), z),
    "gelu_tanh": lambda z: mp.diff(lambda t: t * logistic(2 * mp.sqrt(2 / mp.pi) * (t + 0.044715 * t**3)), z),
}


@pytest.mark.parametrize("name", sorted(SELF_GATED))
def test_self_gated_functions_are_flat_beyond_the_last_root_on_the_left(name: str) -> None:
    with mp.workdps(30):
        left = root_of_one_percent(SELF_GATED[name], (0.5, 4.0), (-10.0, -2.5))
    # the steepest slope is found to 1e-10 by scipy, the edge follows with 1 / (1 - edge)
    assert tails(get(name)) == Tails(pytest.approx(left, abs=1e-9), None, True, False)


@functools.cache
def limit_of(act: Activation) -> float:
    """1 % of the steepest slope on an even grid that holds 0, and far out; over ``|z| <= 1`` where none is steepest."""
    reach = 1 if act.name in ("squared_relu", "star_relu") else 60
    grid = torch.linspace(-reach, reach, 240001, dtype=torch.float64)
    far = torch.tensor([-1e6, 1e6] if reach > 1 else [], dtype=torch.float64)
    return FLAT * float(InDoubles(act.df)(torch.cat([grid, far])).abs().max())


@over("act", EVERY)
def test_a_tail_is_flat_all_along_and_steep_just_before_it(act: Activation) -> None:
    found, limit = tails(act), limit_of(act)
    away = torch.cat([torch.zeros(1), torch.logspace(-9, 5, 500)]).double()
    for edge, outwards in ((found.left, -1.0), (found.right, 1.0)):
        if edge is not None:
            # 1e-6: the grid meets the steepest point only to half a step of 1/2000
            assert (act.df(edge + outwards * away).abs() < limit * (1 + 1e-6)).all()
            inside = torch.tensor(edge - outwards * 1e-5, dtype=torch.float64)
            assert act.df(inside).abs() > limit


@over("act", EVERY)
def test_a_side_without_a_tail_is_never_flat_far_out(act: Activation) -> None:
    found = tails(act)
    far = torch.tensor([-1e5, 1e5], dtype=torch.float64)
    flat = (act.df(far).abs() < limit_of(act)).tolist()
    assert flat == [found.left is not None, found.right is not None]


@pytest.mark.parametrize("name", ["relu", "relu6", "gelu", "gelu_tanh", "quick_gelu", "silu", "mish", "sigmoid",
                                  "softplus", "hardswish", "hardsigmoid", "squared_relu"])  # fmt: skip
def test_functions_that_end_at_zero_on_the_left_can_die_there(name: str) -> None:
    assert tails(get(name)).dead_left
    assert float(get(name).f(torch.tensor(-1e4))) == pytest.approx(0.0, abs=1e-30)


@pytest.mark.parametrize("name", ["tanh", "hardtanh", "softsign", "elu", "celu", "selu"])
def test_functions_that_end_elsewhere_saturate_there(name: str) -> None:
    found = tails(get(name))
    assert found.left is not None
    assert not found.dead_left


def test_a_prelu_whose_slope_was_learned_away_is_a_relu() -> None:
    assert tails(PReLU(0.001)) == tails(get("relu"))
    assert tails(PReLU(0.0)) == tails(get("relu"))
    assert tails(PReLU(-0.5)).left is None


@dataclass(eq=False)
class Custom(Activation):
    """A user's own function, not registered, with slopes by autograd."""

    function: object
    kinks = ()
    monotone = True

    def f(self, x: Tensor) -> Tensor:
        return self.function(x)

    def df(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            z = x.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(self.f(z).sum(), z)
        return slope

    def d2f(self, x: Tensor) -> Tensor:
        raise NotImplementedError


def test_a_users_own_function_is_measured_like_any_other() -> None:
    assert tails(Custom(lambda x: torch.relu(x - 2.5))) == Tails(pytest.approx(2.5, abs=1e-12), None, True, False)
    assert tails(Custom(lambda x: -torch.relu(-x))) == Tails(None, 0.0, False, True)
    assert tails(Custom(torch.atan)) == Tails(
        pytest.approx(-math.sqrt(99), abs=1e-11), pytest.approx(math.sqrt(99), abs=1e-11), False, False
    )


def test_a_slope_that_grows_without_bound_is_compared_with_ordinary_inputs() -> None:
    # e^z over |z| <= 1 is steepest at 1, so flat below 1 + log 0.01
    assert tails(Custom(torch.exp)) == Tails(pytest.approx(1 + math.log(0.01), abs=1e-11), None, True, False)


def test_waves_constants_and_broken_functions_have_no_tails() -> None:
    none = Tails(None, None, False, False)
    assert tails(Custom(torch.sin)) == none
    assert tails(Custom(lambda x: 0.0 * x)) == none
    assert tails(Custom(lambda x: x * math.nan)) == none


def test_an_activation_that_cannot_be_hashed_is_measured_too() -> None:
    unhashable = dataclass(eq=True)(type("Unhashable", (Custom,), {"__annotations__": {}}))(torch.tanh)
    with pytest.raises(TypeError):
        hash(unhashable)
    assert tails(unhashable) == Tails(
        pytest.approx(tails(get("tanh")).left, abs=1e-11),
        pytest.approx(tails(get("tanh")).right, abs=1e-11),
        False,
        False,
    )


def test_the_answer_is_kept_for_equal_entries() -> None:
    assert tails(get("mish")) is tails(get("mish"))


def test_neither_random_numbers_nor_defaults_of_torch_matter() -> None:
    before = torch.get_rng_state()
    torch.set_default_dtype(torch.float16)
    try:
        with torch.device("meta"), torch.inference_mode():
            found = tails(get("softplus", beta=7.0))
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.left == pytest.approx(-math.log(99) / 7, abs=1e-12)
    assert torch.equal(torch.get_rng_state(), before)
