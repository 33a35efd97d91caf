"""Reviving dead units: same function, gradients again, state reset, everything undone bit for bit."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from limen.anatomy import Consumer, Wiring
from limen.sites import Site
from limen.treatments import Applied, Refused, revive_units

DEAD = (1, 4)
UNITS = 6


@dataclass(frozen=True)
class Case:
    """A network with two dead units in its site, and the wiring around it."""

    model: nn.Sequential
    wiring: Wiring
    data: Tensor


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def site(axis: int = -1) -> Site:
    return Site("1", "1", "relu", 1, UNITS, axis, "0", None, 0, False, flat_left=0.0, dead_left=True)


def kill(layer: nn.Linear | nn.Conv2d, bias: Tensor) -> None:
    """No input drawn from a normal distribution of size 1 lifts these units above 0."""
    with torch.no_grad():
        layer.weight[list(DEAD)] *= 0.01
        bias[list(DEAD)] = -50.0


def wired(
    model: nn.Sequential, data: Tensor, *, layer: int = 0, norm: int | None = None, reader: int, width: int = 1
) -> Case:
    made, read = model[layer], model[reader]
    scale, shift = (model[norm].weight, model[norm].bias) if norm is not None else (None, None)
    std = float(made.weight.detach().std())
    kill(made, made.bias if shift is None else shift)
    address = site(1 if isinstance(made, nn.Conv2d) else -1)
    wiring = Wiring(
        address, made.weight, made.bias, scale, shift, std, (Consumer(f"{reader}.weight", read.weight, width),)
    )
    return Case(model, wiring, data)


def linear_linear() -> Case:
    return wired(nn.Sequential(nn.Linear(5, UNITS), nn.ReLU(), nn.Linear(UNITS, 3)), torch.randn(40, 5), reader=2)


def linear_norm_linear() -> Case:
    model = nn.Sequential(nn.Linear(5, UNITS), nn.BatchNorm1d(UNITS), nn.ReLU(), nn.Linear(UNITS, 3))
    return wired(model, torch.randn(40, 5), norm=1, reader=3)


def conv_conv() -> Case:
    model = nn.Sequential(nn.Conv2d(2, UNITS, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(UNITS, 3, 3))
    return wired(model, torch.randn(8, 2, 8, 8), reader=3)


def conv_flatten_linear() -> Case:
    model = nn.Sequential(nn.Conv2d(2, UNITS, 3), nn.ReLU(), nn.Flatten(), nn.Linear(UNITS * 16, 3))
    return wired(model, torch.randn(8, 2, 6, 6), reader=3, width=16)


def features_flatten_linear() -> Case:
    model = nn.Sequential(nn.Linear(5, UNITS), nn.ReLU(), nn.Flatten(), nn.Linear(UNITS * 4, 3))
    return wired(model, torch.randn(20, 4, 5), reader=3, width=4)


def grouped_conv_linear() -> Case:
    model = nn.Sequential(nn.Conv2d(2, UNITS, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(UNITS * 16, 3))
    return wired(model, torch.randn(8, 2, 6, 6), reader=3, width=16)


CASES = [
    linear_linear,
    linear_norm_linear,
    conv_conv,
    conv_flatten_linear,
    features_flatten_linear,
    grouped_conv_linear,
]
OPTIMISERS: dict[str, Callable[[nn.Module], torch.optim.Optimizer]] = {
    "sgd": lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
    "adam": lambda m: torch.optim.Adam(m.parameters(), lr=0.1, amsgrad=True),
    "rmsprop": lambda m: torch.optim.RMSprop(m.parameters(), lr=0.01, momentum=0.9, centered=True),
    "adagrad": lambda m: torch.optim.Adagrad(m.parameters(), lr=0.01),
}


@pytest.fixture(params=CASES, ids=lambda case: case.__name__)
def case(request: pytest.FixtureRequest) -> Case:
    torch.manual_seed(0)
    return request.param()


def train(case: Case, optimiser: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimiser.zero_grad()
        case.model(case.data).square().mean().backward()
        optimiser.step()


def revive(case: Case, *optimisers: torch.optim.Optimizer) -> Applied:
    done = revive_units(case.wiring, DEAD, optimisers, generator=generator())
    assert isinstance(done, Applied), done
    return done


def state_of(model: nn.Module, *optimisers: torch.optim.Optimizer) -> list[Tensor]:
    held = [v for o in optimisers for state in o.state.values() for v in state.values() if isinstance(v, Tensor)]
    return [tensor.detach().clone() for tensor in (*model.state_dict().values(), *held)]


def site_output(case: Case) -> Tensor:
    outputs: list[Tensor] = []
    relu = next(m for m in case.model if isinstance(m, nn.ReLU))
    hook = relu.register_forward_hook(lambda *args: outputs.append(args[2]))
    case.model(case.data)
    hook.remove()
    return outputs[0].movedim(case.wiring.site.axis, -1).flatten(0, -2)  # [samples, units]


def test_the_units_of_the_cases_are_dead_at_first_and_alive_afterwards(case: Case) -> None:
    assert not site_output(case)[:, DEAD].any()
    revive(case)
    assert site_output(case)[:, DEAD].any(0).all()


def test_the_network_computes_the_same_bit_for_bit(case: Case) -> None:
    before = case.model(case.data)
    revive(case)
    assert torch.equal(case.model(case.data), before)


def test_revived_units_get_gradients_again(case: Case) -> None:
    assert case.wiring.weight is not None
    case.model(case.data).square().mean().backward()
    dead_gradient = case.wiring.weight.grad
    assert dead_gradient is not None
    assert not dead_gradient[list(DEAD)].any()
    revive(case)
    optimiser = OPTIMISERS["sgd"](case.model)
    train(case, optimiser, 2)  # the first step reaches the outgoing weights, the second the incoming ones
    gradient = case.wiring.weight.grad
    assert gradient is not None
    assert gradient[list(DEAD)].flatten(1).any(1).all()


@pytest.mark.parametrize("build", OPTIMISERS.values(), ids=OPTIMISERS)
def test_the_optimiser_forgets_exactly_the_entries_that_were_changed(case: Case, build: Callable) -> None:
    optimiser = build(case.model)
    train(case, optimiser, 3)
    weight, consumer = case.wiring.weight, case.wiring.consumers[0]
    before = {p: {k: v.clone() for k, v in s.items() if isinstance(v, Tensor)} for p, s in optimiser.state.items()}
    revive(case, optimiser)
    others = [unit for unit in range(UNITS) if unit not in DEAD]
    for tensor, axis, width in ((weight, 0, 1), (consumer.weight, 1, consumer.width)):
        assert tensor is not None
        for name, value in optimiser.state[tensor].items():
            if value.shape != tensor.shape:
                assert torch.equal(value, before[tensor][name])
                continue
            flattened = (width, UNITS) if case.wiring.site.axis == -1 else (UNITS, width)
            where = axis + flattened.index(UNITS)
            now, old = (v.unflatten(axis, flattened).movedim(where, 0) for v in (value, before[tensor][name]))
            assert not now[list(DEAD)].any(), name
            assert torch.equal(now[others], old[others]), name


@pytest.mark.parametrize("build", OPTIMISERS.values(), ids=OPTIMISERS)
def test_undo_restores_weights_and_state_bit_for_bit(case: Case, build: Callable) -> None:
    optimiser = build(case.model)
    train(case, optimiser, 3)
    before = state_of(case.model, optimiser)
    done = revive(case, optimiser)
    assert not all(map(torch.equal, state_of(case.model, optimiser), before))
    done.undo()
    assert all(map(torch.equal, state_of(case.model, optimiser), before))


def test_undo_after_further_steps_leaves_the_other_units_what_they_learnt(case: Case) -> None:
    assert case.wiring.weight is not None
    old = case.wiring.weight.detach().clone()
    done = revive(case)
    train(case, OPTIMISERS["sgd"](case.model), 2)
    learnt = case.wiring.weight.detach().clone()
    done.undo()
    others = [unit for unit in range(UNITS) if unit not in DEAD]
    assert torch.equal(case.wiring.weight[list(DEAD)], old[list(DEAD)])
    assert torch.equal(case.wiring.weight[others], learnt[others])


def test_weights_are_drawn_with_the_layers_own_initial_spread() -> None:
    made, read = nn.Linear(200, 100), nn.Linear(100, 3)
    wiring = Wiring(site(), made.weight, made.bias, None, None, 0.3, (Consumer("read", read.weight, 1),))
    assert isinstance(revive_units(wiring, range(100), [], generator=generator()), Applied)
    # 20,000 draws: the standard error of their standard deviation is 0.3 * sqrt((1.8 - 1) / 80,000) = 0.001
    assert float(made.weight.detach().std()) == pytest.approx(0.3, abs=0.005)
    assert float(made.weight.detach().abs().max()) <= 0.3 * 3**0.5
    assert not made.bias.any()


def test_scale_and_shift_of_a_normalisation_start_again_at_one_and_zero() -> None:
    case = linear_norm_linear()
    revive(case)
    assert case.wiring.norm_weight is not None
    assert case.wiring.norm_bias is not None
    assert case.wiring.norm_weight[list(DEAD)].tolist() == [1.0, 1.0]
    assert case.wiring.norm_bias[list(DEAD)].tolist() == [0.0, 0.0]


def test_the_training_s_random_stream_is_not_touched(case: Case) -> None:
    before = torch.get_rng_state()
    revive(case)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_same_generator_state_draws_the_same_weights() -> None:
    torch.manual_seed(0)
    first = linear_linear()
    torch.manual_seed(0)
    second = linear_linear()
    revive(first)
    revive(second)
    assert all(map(torch.equal, state_of(first.model), state_of(second.model)))


def test_two_dead_layers_treated_in_forward_order_both_learn_again() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, UNITS), nn.ReLU(), nn.Linear(UNITS, UNITS), nn.ReLU(), nn.Linear(UNITS, 3))
    data = torch.randn(40, 5)
    wirings = [
        Wiring(site(), made.weight, made.bias, None, None, 0.4, (Consumer("read", read.weight, 1),))
        for made, read in ((model[0], model[2]), (model[2], model[4]))
    ]
    with torch.no_grad():
        model[0].bias.fill_(-50.0)
        model[2].bias.fill_(-50.0)
    before = model(data)
    for wiring in wirings:
        assert isinstance(revive_units(wiring, range(UNITS), [], generator=generator()), Applied)
    assert torch.equal(model(data), before)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        model(data).square().mean().backward()
        optimiser.step()
    assert model[0].weight.grad is not None
    assert model[0].weight.grad.any()


def test_bfloat16_weights_are_revived_in_their_own_precision() -> None:
    torch.manual_seed(0)
    case = linear_linear()
    low = nn.Sequential(*case.model).to(torch.bfloat16)
    wiring = replace(case.wiring, weight=low[0].weight, consumers=(Consumer("2.weight", low[2].weight, 1),))
    before = low(case.data.bfloat16())
    assert isinstance(revive_units(wiring, DEAD, [], generator=generator()), Applied)
    assert torch.equal(low(case.data.bfloat16()), before)
    assert low[0].weight.dtype == torch.bfloat16


def with_tied_reader() -> Wiring:
    square = nn.Linear(UNITS, UNITS)
    return Wiring(site(), square.weight, square.bias, None, None, 0.4, (Consumer("0.weight", square.weight, 1),))


def with_grouped_reader() -> Wiring:
    reader = nn.Conv2d(UNITS, 6, 3, groups=2)
    made = nn.Conv2d(2, UNITS, 3)
    return Wiring(site(1), made.weight, made.bias, None, None, 0.4, (Consumer("2.weight", reader.weight, 1),))


def with_parametrised_weight() -> Wiring:
    made = nn.utils.parametrizations.weight_norm(nn.Linear(5, UNITS))
    reader = nn.Linear(UNITS, 3)
    return Wiring(site(), made.weight, made.bias, None, None, 0.4, (Consumer("2.weight", reader.weight, 1),))


@pytest.mark.parametrize(
    ("change", "units", "reason"),
    [
        (lambda: replace(linear_linear().wiring, weight=None), DEAD, "feed relu after layer 0 were not found"),
        (lambda: replace(linear_linear().wiring, consumers=()), DEAD, "read by something other than weights"),
        (lambda: linear_linear().wiring, (), "no unit of relu after layer 0 was named"),
        (lambda: linear_linear().wiring, (2, 6), "units 2 to 6 were named, and relu after layer 0 has 6"),
        (lambda: replace(linear_linear().wiring, initial_std=0.0), DEAD, "nothing to draw"),
        (lambda: replace(linear_linear().wiring, initial_std=float("nan")), DEAD, "nothing to draw"),
        (lambda: replace(linear_linear().wiring, initial_std=1.5e-8), DEAD, "nothing to draw"),
        (with_tied_reader, DEAD, "tied to each other"),
        (with_grouped_reader, DEAD, "2.weight has 3 input entries, not 6 x 1: it reads relu after layer 0 in groups"),
        (with_parametrised_weight, DEAD, "computed from others"),
    ],
)
def test_what_cannot_be_revived_is_refused_with_a_reason_and_left_alone(
    change: Callable[[], Wiring], units: tuple[int, ...], reason: str
) -> None:
    wiring = change()
    before = None if wiring.weight is None else wiring.weight.detach().clone()
    refused = revive_units(wiring, units, [], generator=generator())
    assert isinstance(refused, Refused)
    assert reason in refused.reason
    assert before is None or (wiring.weight is not None and torch.equal(wiring.weight, before))
