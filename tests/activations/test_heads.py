"""Heads of a whole axis against fifty digits, autograd, torch, and what must be true of any of them."""

import copy
import math
import pickle
from collections.abc import Sequence

import mpmath as mp
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from limen.activations import Entmax, Exp, GumbelSoftmax, LogSoftmax, Softmax, Softmin, Sparsemax, get, names
from limen.activations.heads import FormulaHead
from limen.activations.sparse_heads import by_halving, by_sorting, by_sorting_roots
from limen.errors import InvalidValue, WrongType
from tests.activations.test_rounding import unit

SHARES = [Softmax(), Softmax(0.3), Softmin(), Sparsemax(), Entmax(), Entmax(1.0), Entmax(1.2), Entmax(1.8), Entmax(2.0),
          Entmax(3.0)]  # fmt: skip
EVERY = [*SHARES, LogSoftmax(), Exp()]
every = pytest.mark.parametrize("head", EVERY, ids=repr)
sharing = pytest.mark.parametrize("head", SHARES, ids=repr)
DIGITS = 50

DRAW = torch.Generator().manual_seed(5)
ROWS = [
    *torch.randn(6, 5, dtype=torch.float64, generator=DRAW).tolist(),
    *(4 * torch.randn(4, 5, dtype=torch.float64, generator=DRAW)).tolist(),
    [0.0, -17.0, -40.0, -2.0, -0.5],
    [0.25, 0.25, 0.25, -3.0, -3.0],
    [1e-3, 0.0, -1e-3, 2e-3, 0.0],
]


# --- higher precision ------------------------------------------------------------------------------------------


def exact(head: FormulaHead, row: Sequence[float]) -> list[mp.mpf]:
    """The formulas of the papers, in any precision."""
    x = [mp.mpf(each) for each in row]
    match head:
        case Exp():
            return [mp.exp(each) for each in x]
        case Softmin():
            return exact(Softmax(), [-each for each in row])
        case LogSoftmax():
            return [each - mp.log(sum(mp.exp(other) for other in x)) for each in x]
        case Softmax(temperature):
            return shares([mp.exp(each / mp.mpf(temperature)) for each in x])
        case Sparsemax():
            return entmax(x, mp.mpf(2))
        case Entmax(alpha):
            return entmax(x, mp.mpf(alpha)) if alpha > 1 else exact(Softmax(), row)
    raise AssertionError(head)


def shares(parts: list[mp.mpf]) -> list[mp.mpf]:
    return [part / sum(parts) for part in parts]


def entmax(x: list[mp.mpf], alpha: mp.mpf) -> list[mp.mpf]:
    """Peters et al. 2019, Eq. 7, by halving between thresholds that give too much and too little."""

    def shared(threshold: mp.mpf) -> list[mp.mpf]:
        return [max((alpha - 1) * each - threshold, mp.mpf(0)) ** (1 / (alpha - 1)) for each in x]

    low, high = (alpha - 1) * max(x) - 1, (alpha - 1) * max(x)
    for _ in range(4 * mp.mp.dps):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(shared(middle)) > 1 else (low, middle)
    return shared(low)


@every
def test_values_have_the_digits_of_the_truth(head: FormulaHead) -> None:
    with mp.workdps(DIGITS):
        for row in ROWS:
            truth = np.array([float(each) for each in exact(head, row)])
            found = head.f(torch.tensor(row, dtype=torch.float64)).numpy()
            # an argument of up to 133 is rounded before it is exponentiated
            least = 1e-15 if type(head) in (Sparsemax, Entmax) else 0
            np.testing.assert_allclose(found, truth, rtol=2e-14, atol=least)


@every
def test_in_single_precision_values_are_within_one_unit_of_the_last_place(head: FormulaHead) -> None:
    with mp.workdps(DIGITS):
        for row in ROWS:
            x = torch.tensor(row)
            truth = np.array([float(each) for each in exact(head, x.double().tolist())])
            off = np.abs(head.f(x).double().numpy() - truth)
            # a share that is nearly 0 is what is left of numbers near 1
            least = 1e-15 if type(head) in (Sparsemax, Entmax) else 0.0
            assert (off <= np.maximum(unit(truth, torch.float32), least)).all()


@pytest.mark.parametrize("alpha", [2.5, 8.0, 50.0])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_sparse_shares_keep_their_digits_for_any_alpha(alpha: float, dtype: torch.dtype) -> None:
    # the threshold comes within n^(1 - alpha) of the largest input, nearer than doubles can tell
    rows = [[0.0] * 5, [1e-3, 0.0, -1e-3, 2e-3, 0.0], [0.3, -0.2, 0.75, -1.6, 0.74], [0.25, 0.25, 0.25, -3.0, -3.0]]
    with mp.workdps(4 * DIGITS):
        for row in rows:
            x = torch.tensor(row, dtype=dtype)
            truth = torch.tensor([float(each) for each in exact(Entmax(alpha), x.tolist())], dtype=torch.float64)
            found = Entmax(alpha).value(x, -1)  # in its own type, as layers have it
            least = 40 * torch.finfo(dtype).eps
            torch.testing.assert_close(found.double(), truth, rtol=0, atol=least)


@pytest.mark.parametrize("alpha", [2.5, 4.0, 20.0])
def test_the_jacobian_of_very_sparse_shares_is_what_autograd_says(alpha: float) -> None:
    x = torch.tensor([0.3, -0.2, 0.301, -1.6, 0.2995], dtype=torch.float64)
    slopes = torch.autograd.functional.jacobian(Entmax(alpha).f, x)
    torch.testing.assert_close(Entmax(alpha).jacobian(x), slopes, rtol=1e-9, atol=1e-13)


def test_the_largest_of_log_softmax_keeps_its_digits() -> None:
    x = torch.tensor([[0.0, -17.0], [0.0, -15.0], [0.0, -80.0]])
    found = LogSoftmax().f(x)[:, 0]
    assert found.tolist() == pytest.approx([-math.log1p(math.exp(-gap)) for gap in (17, 15, 80)], rel=1e-7)
    assert float(found[0]) == pytest.approx(-4.14e-8, rel=1e-3)
    assert torch.log_softmax(x, -1)[0, 0] == 0  # what torch has, and why this is here


# --- Jacobian matrices -----------------------------------------------------------------------------------------

INNER = [row for row in ROWS if len(set(row)) == 5]
"""Without ties, where sparse heads may have two slopes."""


@every
def test_the_jacobian_is_what_autograd_says(head: FormulaHead) -> None:
    for row in INNER:
        x = torch.tensor(row, dtype=torch.float64)
        slopes = torch.autograd.functional.jacobian(head.f, x)
        torch.testing.assert_close(head.jacobian(x), slopes, rtol=1e-12, atol=2e-14)


@every
def test_the_jacobian_is_what_differences_of_the_exact_value_say(head: FormulaHead) -> None:
    with mp.workdps(DIGITS):
        step = mp.mpf(10) ** -12
        for row in INNER[::3]:
            found = head.jacobian(torch.tensor(row, dtype=torch.float64))
            for j in range(5):
                above, below = (
                    exact(head, [mp.mpf(v) + side * step * (i == j) for i, v in enumerate(row)]) for side in (1, -1)
                )
                truth = [float((a - b) / (2 * step)) for a, b in zip(above, below, strict=True)]
                np.testing.assert_allclose(found[:, j].numpy(), truth, rtol=1e-11, atol=1e-14)


@every
def test_the_gradient_of_the_inputs_is_that_of_the_outputs_times_the_jacobian(head: FormulaHead) -> None:
    x = torch.tensor(ROWS, dtype=torch.float64)
    grad = torch.randn(x.shape, dtype=torch.float64, generator=DRAW)
    product = torch.einsum("bi,bij->bj", grad, head.jacobian(x))
    torch.testing.assert_close(head.vjp(x, grad), product, rtol=1e-11, atol=1e-13)


@every
def test_where_a_number_added_to_all_changes_nothing_rows_and_gradients_add_up_to_zero(head: FormulaHead) -> None:
    x = torch.tensor(ROWS, dtype=torch.float64)
    same = torch.allclose(head.f(x + 3.0), head.f(x), rtol=1e-12, atol=1e-13)
    assert same is head.sheet.shift_invariant
    if same:
        torch.testing.assert_close(head.jacobian(x).sum(-1), torch.zeros(x.shape).double(), rtol=0, atol=1e-15)
        grad = head.vjp(x, torch.randn(x.shape, dtype=torch.float64, generator=DRAW))
        assert float(grad.sum(-1).abs().max()) < 1e-14 * 5 * 5


def test_the_gradients_of_a_cross_entropy_row_add_up_to_zero_where_those_of_torch_do_not() -> None:
    x, picked = torch.tensor([0.0, -17.0]), torch.tensor([-1.0, 0.0])
    found = LogSoftmax().vjp(x, picked)
    assert found.tolist() == pytest.approx([-4.1399e-08, 4.1399e-08], rel=1e-4)
    assert found.sum() == 0
    x.requires_grad_()
    nn.functional.cross_entropy(x[None], torch.tensor([0])).backward()
    assert x.grad is not None
    assert x.grad[0] == 0


@every
def test_the_lipschitz_constant_is_the_largest_spectral_norm(head: FormulaHead) -> None:
    x = torch.randn(300, 4, dtype=torch.float64, generator=DRAW) * torch.logspace(-2, 2, 300).double()[:, None]
    pair = torch.tensor([[0.0, 0.0, -900.0, -900.0], [900.0, 900.0, 0.0, 0.0]]).double()
    norms = torch.linalg.matrix_norm(head.jacobian(torch.cat([x, pair])), 2)
    if math.isinf(head.sheet.lipschitz):
        return
    assert float(norms.max()) <= head.sheet.lipschitz * (1 + 1e-12)
    assert float(norms.max()) == pytest.approx(head.sheet.lipschitz, rel=1e-9)


def test_the_spectral_norm_of_log_softmax_grows_with_the_root_of_the_number_of_classes() -> None:
    for classes in (2, 9, 100):
        sure = torch.zeros(classes, dtype=torch.float64)
        sure[0] = 900.0
        assert float(torch.linalg.matrix_norm(LogSoftmax().jacobian(sure), 2)) == pytest.approx(math.sqrt(classes))


# --- laws ------------------------------------------------------------------------------------------------------


@sharing
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_shares_are_not_negative_and_add_up_to_one(head: FormulaHead, dtype: torch.dtype) -> None:
    x = (3 * torch.randn(50, 40, generator=DRAW)).to(dtype)
    found = head.f(x)
    assert found.dtype == dtype
    assert bool((found >= 0).all())
    torch.testing.assert_close(
        found.double().sum(-1), torch.ones(50).double(), rtol=0, atol=20 * torch.finfo(dtype).eps
    )


@sharing
def test_a_larger_input_never_has_a_smaller_share_and_equal_ones_have_equal_shares(head: FormulaHead) -> None:
    x = torch.randn(200, 9, generator=DRAW).round(decimals=1)  # with ties
    y = head.f(x if head != Softmin() else -x)
    larger = x[:, :, None] > x[:, None, :]
    assert bool((y[:, :, None] >= y[:, None, :])[larger].all())
    equal = x[:, :, None] == x[:, None, :]
    assert bool((y[:, :, None] == y[:, None, :])[equal].all())


@every
def test_range_total_and_sparseness_are_those_of_the_sheet(head: FormulaHead) -> None:
    x = torch.tensor([*ROWS, [0.0, -1.5, -3.0, -3.0, -3.0]], dtype=torch.float64)
    found, sheet = head.f(x), head.sheet
    assert bool(((found >= sheet.range[0]) & (found <= sheet.range[1])).all())
    assert bool((found == 0).any()) is sheet.sparse
    added_up = torch.allclose(found.sum(-1), torch.ones(len(x)).double(), atol=1e-12)
    assert added_up is (sheet.total == 1.0)


@every
def test_any_axis_is_as_good_as_the_last(head: FormulaHead) -> None:
    x = torch.randn(3, 4, 5, generator=DRAW)
    grad = torch.randn(3, 4, 5, generator=DRAW)
    for dim in (0, 1, -2):
        assert torch.equal(head.f(x, dim), head.f(x.movedim(dim, -1).contiguous()).movedim(-1, dim))
        last = head.vjp(x.movedim(dim, -1).contiguous(), grad.movedim(dim, -1).contiguous()).movedim(-1, dim)
        torch.testing.assert_close(head.vjp(x, grad, dim), last, rtol=1e-6, atol=1e-7)
        assert torch.equal(head.jacobian(x, dim), head.jacobian(x.movedim(dim, -1)))


@pytest.mark.parametrize(("head", "ours"), [(Softmax(), nn.Softmax(-1)), (Softmin(), nn.Softmin(-1)),
                                            (LogSoftmax(), nn.LogSoftmax(-1))], ids=repr)  # fmt: skip
def test_at_ordinary_inputs_they_are_those_of_torch(head: FormulaHead, ours: nn.Module) -> None:
    x = torch.tensor(ROWS, dtype=torch.float64)
    torch.testing.assert_close(head.f(x), ours(x), rtol=1e-13, atol=1e-14)


# --- entmax between its neighbours -----------------------------------------------------------------------------


def test_entmax_of_one_is_softmax_and_comes_near_it_from_above() -> None:
    x = torch.tensor(ROWS, dtype=torch.float64)
    assert torch.equal(Entmax(1.0).f(x), Softmax().f(x))
    gaps = [float((Entmax(1 + bend).f(x) - Softmax().f(x)).abs().max()) for bend in (1e-3, 1e-6, 1e-9, 1e-13)]
    assert gaps[0] < 1e-2  # of first order in the bend, with a factor of some squared differences of inputs
    assert gaps[1] < 1e-5
    assert gaps[2] < 1e-8
    assert gaps[3] < 1e-11


def test_entmax_of_two_is_sparsemax_and_so_is_its_limit() -> None:
    x = torch.tensor(ROWS, dtype=torch.float64)
    assert torch.equal(Entmax(2.0).f(x), Sparsemax().f(x))
    assert float((Entmax(2 - 1e-9).f(x) - Sparsemax().f(x)).abs().max()) < 1e-7


@pytest.mark.parametrize(("bend", "by_sort"), [(1.0, by_sorting), (0.5, by_sorting_roots)], ids=["2", "1.5"])
def test_sorting_finds_what_bisection_finds(bend: float, by_sort) -> None:
    for spread in (0.01, 1.0, 30.0):
        z = spread * torch.randn(40, 200, dtype=torch.float64, generator=DRAW)
        z = z - z.amax(-1, keepdim=True)
        torch.testing.assert_close(by_sort(z, bend, -1), by_halving(z, bend, -1), rtol=1e-12, atol=1e-12)


def test_one_input_that_is_one_above_the_others_has_all_of_sparsemax() -> None:
    assert Sparsemax().f(torch.tensor([1.0, 0.0, -5.0])).tolist() == [1.0, 0.0, 0.0]
    assert Sparsemax().f(torch.tensor([0.5, 0.0])).tolist() == [0.75, 0.25]


# --- infinities, NaN, extremes ---------------------------------------------------------------------------------


@sharing
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_infinities_and_the_largest_numbers_have_their_limits(head: FormulaHead, dtype: torch.dtype) -> None:
    most = torch.finfo(dtype).max
    rows = [[math.inf, 0.0, -math.inf], [most, -most, -math.inf], [math.inf, math.inf, 0.0], [most, most, -most]]
    x = torch.tensor(rows, dtype=dtype) * (-1 if head == Softmin() else 1)
    ends = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]], dtype=dtype)
    torch.testing.assert_close(head.f(x), ends, rtol=4 * torch.finfo(torch.float64).eps, atol=0)
    assert not head.vjp(x, torch.ones_like(x)).isnan().any()
    assert not head.jacobian(x).isnan().any()


@sharing
def test_where_all_is_minus_infinity_nobody_has_a_share_and_no_gradient_passes(head: FormulaHead) -> None:
    x = torch.full((2, 4), math.inf if head == Softmin() else -math.inf)
    assert (head.f(x) == 0).all()
    assert (head.vjp(x, torch.randn(2, 4, generator=DRAW)) == 0).all()
    assert (head.jacobian(x) == 0).all()


def test_log_softmax_of_infinities() -> None:
    x = torch.tensor([[math.inf, 0.0], [-math.inf, -math.inf], [math.inf, math.inf], [3e38, -3e38]])
    half = float(torch.tensor(0.5).log())
    assert LogSoftmax().f(x).tolist() == [[0.0, -math.inf], [-math.inf] * 2, [half, half], [0.0, -math.inf]]
    assert (LogSoftmax().vjp(x, torch.randn(4, 2, generator=DRAW))[1] == 0).all()
    assert (LogSoftmax().jacobian(x)[1] == 0).all()


@every
def test_nan_is_nan_along_its_whole_axis_and_nowhere_else(head: FormulaHead) -> None:
    x = torch.randn(3, 4, generator=DRAW)
    x[1, 2] = math.nan
    bad = [False, True, False]
    for found in (head.f(x), head.vjp(x, torch.ones_like(x)), head.jacobian(x).flatten(1)):
        assert found.isnan().any(-1).tolist() == bad
    if head.sheet.shift_invariant:
        assert head.f(x).isnan().all(-1).tolist() == bad


@every
def test_an_empty_tensor_stays_one(head: FormulaHead) -> None:
    for shape in ((0, 3), (3, 0)):
        x = torch.zeros(shape)
        assert head.f(x).shape == head.vjp(x, x).shape == shape
        assert head.jacobian(x).shape == (*shape, shape[-1])


# --- as values, and what they refuse ---------------------------------------------------------------------------


@pytest.mark.parametrize("head", [*EVERY, GumbelSoftmax(0.5, True)], ids=repr)
def test_entries_survive_pickling_and_copying(head: FormulaHead) -> None:
    for twin in (pickle.loads(pickle.dumps(head)), copy.deepcopy(head)):
        assert twin == head
        assert hash(twin) == hash(head)


def test_every_head_of_the_catalogue_is_looked_at() -> None:
    assert {head.name for head in EVERY} | {"gumbel_softmax"} == set(names(kind="head"))


def test_what_keeps_the_output_keeps_its_bytes() -> None:
    assert get("softmax", kind="head").sheet.saved_bytes(torch.float16) == 2


@pytest.mark.parametrize("head", [*EVERY, GumbelSoftmax()], ids=repr)
def test_tensors_without_that_axis_or_of_integers_are_refused(head: FormulaHead) -> None:
    with pytest.raises(
        InvalidValue, match=rf"{head.name}\(dim=2\): found a tensor of shape \[2, 3\], without that axis"
    ):
        head.f(torch.zeros(2, 3), 2)
    with pytest.raises(
        WrongType, match=rf"{head.name}: expected a tensor of floating-point numbers, found one of int64.*x\.float"
    ):
        head.f(torch.zeros(2, 3).long())


# --- gumbel_softmax --------------------------------------------------------------------------------------------


def logits(rows: int) -> Tensor:
    return torch.tensor([1.0, 0.0, -1.0, 0.5]).log_softmax(-1).expand(rows, 4)


@pytest.mark.parametrize("hard", [False, True])
def test_samples_are_those_that_torch_draws(hard: bool) -> None:
    x = logits(500).contiguous()
    torch.manual_seed(11)
    ours = nn.functional.gumbel_softmax(x, tau=0.7, hard=hard)
    torch.manual_seed(11)
    torch.testing.assert_close(GumbelSoftmax(0.7, hard).f(x), ours, rtol=1e-5, atol=1e-7)


def test_choices_come_as_often_as_softmax_says() -> None:
    rows = 40_000
    found = GumbelSoftmax(0.3, hard=True).f(logits(rows), generator=torch.Generator().manual_seed(1)).mean(0)
    share = logits(1)[0].exp()
    spread = (share * (1 - share) / rows).sqrt()
    assert bool(((found - share).abs() < 4 * spread).all())


def test_a_choice_is_all_or_nothing_and_has_the_gradient_of_the_soft_sample() -> None:
    x = logits(100).contiguous().requires_grad_()
    seed = torch.Generator().manual_seed(2)
    hard = GumbelSoftmax(0.5, hard=True).f(x, generator=seed)
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    assert (hard.sum(-1) == 1).all()
    soft = GumbelSoftmax(0.5).f(x, generator=torch.Generator().manual_seed(2))
    weights = torch.randn(100, 4, generator=DRAW)
    one, other = (torch.autograd.grad((weights * y).sum(), x)[0] for y in (hard, soft))
    assert torch.equal(one, other)


def test_a_generator_of_its_own_leaves_that_of_torch_alone() -> None:
    before = torch.random.get_rng_state()
    GumbelSoftmax().f(logits(3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_its_slopes_are_those_of_softmax_at_the_perturbed_scores() -> None:
    x, head = torch.randn(3, 4, generator=DRAW), GumbelSoftmax(0.5)
    assert torch.equal(head.jacobian(x), Softmax(0.5).jacobian(x))
    assert torch.equal(head.vjp(x, x), Softmax(0.5).vjp(x, x))
