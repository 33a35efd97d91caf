"""The probe on whole trainings: invisible, complete, gone at the end."""

import contextlib
import copy
import gc
import hashlib
import io
import itertools
import math
import pickle
import signal
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.optim import optimizer as optimisers

from limen.probe import Budget, Probe
from limen.probe.site_record import SiteRecord
from tests.probe import styles
from tests.probe.styles import STYLES

Style = Callable[[], list[Tensor]]


def watch(budget: Budget | None = None, models: list[nn.Module] | None = None) -> Probe:
    def fail(error: Exception) -> None:
        raise error

    return Probe(models, budget or Budget(None), lambda step: None, fail)


def outcome(style: Style) -> tuple[str, str]:
    """Hashes of what a training made and of the random stream after it."""
    torch.manual_seed(3)
    made = style()
    bits = b"".join(tensor.detach().double().numpy().tobytes() for tensor in made)
    return hashlib.sha256(bits).hexdigest(), hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_a_watched_training_ends_in_the_same_bits(style: Style) -> None:
    bare = outcome(style)
    probe = watch()
    watched = outcome(style)
    probe.close()
    assert watched == bare
    assert probe.step == 25


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_a_rarely_watched_training_ends_in_the_same_bits(style: Style) -> None:
    bare = outcome(style)
    probe = watch(EverySeventh())
    watched = outcome(style)
    probe.close()
    assert watched == bare
    assert all(place.record.vitals().total.steps <= 4 for place in probe.sites.places)


class EverySeventh(Budget):
    """Opens and closes the eyes often."""

    def __init__(self) -> None:
        super().__init__(None)

    def looks_at(self, step: int, seconds: float) -> bool:
        return step % 7 == 1


@pytest.mark.parametrize(("style", "expected"), STYLES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_site_is_found_and_named(style: Style, expected: list[tuple[str, str, str, int]]) -> None:
    probe = watch()
    outcome(style)
    probe.close()
    sites = [place.record.site for place in probe.sites.places]
    assert [(site.name, site.function, site.layer, site.units) for site in sites] == expected


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_nothing_is_left_behind(style: Style) -> None:
    before = (torch.autograd.backward, torch.autograd.grad, Tensor.backward)
    probe = watch()
    outcome(style)
    probe.close()
    assert (torch.autograd.backward, torch.autograd.grad, Tensor.backward) == before
    assert not hooks._global_forward_hooks
    assert not hooks._global_forward_pre_hooks
    assert not optimisers._global_optimizer_pre_hooks
    assert not optimisers._global_optimizer_post_hooks
    assert torch.overrides._get_current_function_mode_stack() == []


def recorded(style: Style, monkeypatch: pytest.MonkeyPatch) -> tuple[Probe, list[Tensor]]:
    """The probe after a training whose ReLU inputs were copied as they came."""
    inputs: list[Tensor] = []
    relu = F.relu
    monkeypatch.setattr(F, "relu", lambda z, inplace=False: (inputs.append(z.detach().clone()), relu(z, inplace))[1])
    probe = watch()
    outcome(style)
    probe.close()
    return probe, inputs


def test_the_account_of_a_site_is_what_float64_says_of_the_recorded_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Tensor] = []
    gradients: list[Tensor] = []

    class Listening(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            heard.append(z.detach().double())
            z.register_hook(lambda gradient: gradients.append(gradient.detach().double()))
            return torch.relu(z)

    x, y = styles.data()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(styles.FEATURES, 16), Listening(), nn.Linear(16, styles.CLASSES))
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.5), x, y)
    probe.close()
    (vitals,) = probe.vitals().sites
    every = torch.cat(heard)
    total = vitals.total
    assert total.samples == len(every)
    assert total.left.tolist() == (every <= 0).sum(0).tolist()
    # float32 sums of 128 numbers of size one, merged in float64: eight units in the last place of float32
    torch.testing.assert_close(torch.from_numpy(total.moments.mean), every.mean(0), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        torch.from_numpy(total.moments.variance), every.var(0, correction=0), rtol=1e-5, atol=1e-6
    )
    assert total.low.tolist() == every.amin(0).tolist()
    assert total.high.tolist() == every.amax(0).tolist()
    norms = [float(gradient.norm()) for gradient in gradients]
    assert vitals.history.gradient.tolist() == pytest.approx(norms, rel=1e-6)
    inactive = [float((z <= 0).double().mean()) for z in heard]
    assert vitals.history.inactive.tolist() == pytest.approx(inactive, rel=1e-12)


def test_update_ratios_and_gradient_norms_are_what_float64_says() -> None:
    x, y = styles.data()
    torch.manual_seed(0)
    model = nn.Linear(styles.FEATURES, styles.CLASSES)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    expected: list[tuple[float, float, float]] = []
    probe = watch()
    for _ in range(10):
        optimiser.zero_grad()
        F.cross_entropy(torch.tanh(model(x)), y).backward()
        before, gradient = model.weight.detach().double().clone(), model.weight.grad.double()
        optimiser.step()
        change = model.weight.detach().double() - before
        expected.append((float(gradient.norm()), float(before.norm()), float(change.norm() / before.norm())))
    probe.close()
    history = probe.vitals().parameter("weight").history
    measured = zip(history.gradient, history.weight, history.update, strict=True)
    for (gradient, weight, update), figures in zip(measured, expected, strict=True):
        # one rounding to float32 of each norm; the update is a difference of float32 numbers
        assert (gradient, weight) == pytest.approx(figures[:2], rel=1e-6)
        assert update == pytest.approx(figures[2], rel=1e-4)


def test_losses_belong_to_the_optimiser_that_stepped_on_them() -> None:
    probe = watch()
    outcome(styles.two_optimisers)
    probe.close()
    vitals = probe.vitals()
    assert [(loss.optimiser, len(loss.step)) for loss in vitals.losses] == [(0, 25), (1, 25)]
    assert {p.parameter.name.split(".")[0]: p.optimiser for p in vitals.parameters} == {"generator": 1, "critic": 0}


def test_accumulated_passes_make_one_step_and_their_mean_loss() -> None:
    probe = watch()
    outcome(styles.accumulation)
    probe.close()
    vitals = probe.vitals()
    assert vitals.sites[0].history.samples.tolist() == [4 * 32] * 25
    assert len(vitals.losses[0].value) == 25


def test_evaluation_passes_are_not_counted() -> None:
    probe = watch()
    outcome(styles.evaluated_between)
    probe.close()
    assert all(site.total.samples == 25 * styles.SAMPLES * 5 for site in probe.vitals().sites)


def test_a_recomputed_forward_pass_is_counted_once() -> None:
    probe = watch()
    outcome(styles.checkpointed)
    probe.close()
    assert probe.vitals().sites[0].total.samples == 25 * styles.SAMPLES


def test_a_copy_a_pickle_and_a_saved_model_know_nothing_of_limen() -> None:
    x, y = styles.data()
    model = styles.Functional()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    styles.fit(model, optimiser, x, y, steps=2)
    buffer = io.BytesIO()
    torch.save([model, optimiser.state_dict()], buffer)
    texts = [pickle.dumps(model), buffer.getvalue(), pickle.dumps(copy.deepcopy(model))]
    probe.close()
    assert all(b"limen" not in text for text in texts)


def test_activations_are_not_kept_alive() -> None:
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 16), nn.ReLU(), nn.Linear(16, styles.CLASSES))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    kept: list[weakref.ref[Tensor]] = []
    handle = model[1].register_forward_hook(lambda module, given, result: kept.append(weakref.ref(given[0])))
    probe = watch()
    styles.fit(model, optimiser, x, y, steps=3)
    probe.close()
    handle.remove()
    gc.collect()
    assert len(kept) == 3
    assert all(held() is None for held in kept)


def test_models_that_the_script_drops_are_not_kept_alive() -> None:
    x, y = styles.data()
    dropped: list[weakref.ref[nn.Module]] = []
    probe = watch()
    for _ in range(4):
        model = styles.Shared()
        dropped.append(weakref.ref(model))
        styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=3)
    del model
    probe.close()
    gc.collect()
    assert [held() is None for held in dropped[:3]] == [True] * 3
    assert probe.step == 12
    names = [f"{model}act#{call}" for model in ("", "model2.", "model3.", "model4.") for call in (1, 2)]
    assert [site.site.name for site in probe.vitals().sites] == names


def test_an_optimiser_step_that_raises_does_not_blind_the_watch() -> None:
    class Fragile(torch.optim.SGD):
        calls = 0

        def step(self, closure: object = None) -> None:
            self.calls += 1
            if self.calls == 5:
                raise ArithmeticError
            super().step()

    x, y = styles.data()
    model = styles.Functional()
    optimiser = Fragile(model.parameters(), 0.1)
    probe = watch()
    for _ in range(20):
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        with contextlib.suppress(ArithmeticError):
            optimiser.step()
    probe.close()
    vitals = probe.vitals()
    assert vitals.step == 19
    assert vitals.sites[0].total.samples >= 19 * styles.SAMPLES
    assert len(vitals.parameters[0].history.step) >= 19


def test_tensors_that_a_script_replaces_at_each_step_stay_one_parameter() -> None:
    x, y = styles.data()
    torch.manual_seed(0)
    w = (torch.randn(styles.FEATURES, styles.CLASSES) * 0.2).requires_grad_()
    expected: list[float] = []
    probe = watch()
    for _ in range(10):
        F.cross_entropy(torch.tanh(x @ w), y).backward()
        new = (w - 0.1 * w.grad).detach()
        expected.append(float((new - w.detach()).double().norm() / w.detach().double().norm()))
        w = new.requires_grad_()
    probe.close()
    (parameter,) = probe.vitals().parameters
    assert parameter.parameter.name == "w"
    # the first step ends where the second begins, after the update; the last has no successor to end it
    assert parameter.history.update[:-1].tolist() == pytest.approx(expected[1:-1], rel=1e-4)
    assert len(parameter.history.step) == 9


def test_a_gradient_of_a_gradient_is_not_touched() -> None:
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.Tanh(), nn.Linear(8, styles.CLASSES))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    for _ in range(5):
        given = x.clone().requires_grad_()
        loss = F.cross_entropy(model(given), y)
        (slope,) = torch.autograd.grad(loss, given, create_graph=True)
        optimiser.zero_grad()
        (loss + slope.norm()).backward()
        optimiser.step()
    probe.close()
    assert probe.step == 5
    assert (probe.vitals().sites[0].history.gradient > 0).all()


def test_tracing_transforming_and_faking_a_model_are_left_alone() -> None:
    x, y = styles.data()
    model = styles.Functional()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    styles.fit(model, optimiser, x, y, steps=2)
    parameters = dict(model.named_parameters())

    def loss_of(weights: dict[str, Tensor], row: Tensor, label: Tensor) -> Tensor:
        return F.cross_entropy(torch.func.functional_call(model, weights, row[None]), label[None])

    torch.func.vmap(torch.func.grad(loss_of), in_dims=(None, 0, 0))(parameters, x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's own deprecation
        torch.jit.trace(model, x)
    with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True):
        model(torch.empty(4, styles.FEATURES))
    styles.fit(model, optimiser, x, y, steps=2)
    probe.close()
    assert probe.vitals().sites[0].total.samples == 4 * styles.SAMPLES


def test_a_mode_of_the_script_sees_its_own_calls_only() -> None:
    class Counting(torch.overrides.TorchFunctionMode):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def __torch_function__(self, func: object, types: object, args: tuple = (), kwargs: dict | None = None):
            self.calls.append(getattr(func, "__qualname__", repr(func)))
            return func(*args, **(kwargs or {}))

    def count() -> list[str]:
        with Counting() as mode:
            styles.functional()
        return mode.calls

    bare = count()
    probe = watch()
    watched = count()
    probe.close()
    assert watched == bare
    assert probe.vitals().sites[0].total.steps == 25


def test_a_name_once_given_stays() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.act, self.calls = nn.Linear(20, 5), nn.Linear(5, 5), nn.ReLU(), 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            hidden = self.act(self.a(x))
            return self.act(self.b(hidden)) if self.calls > 3 else self.b(hidden)

    x, y = styles.data()
    model = Late()
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=8)
    probe.close()
    assert [site.site.name for site in probe.vitals().sites] == ["act", "act#2"]


def test_a_training_in_another_thread_is_watched_from_its_second_step() -> None:
    x, y = styles.data()
    model = styles.Functional()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    thread = threading.Thread(target=styles.fit, args=(model, optimiser, x, y, 5))
    thread.start()
    thread.join()
    probe.close()
    assert probe.step == 5
    assert probe.vitals().sites[0].total.steps >= 4


def test_an_error_in_the_forward_pass_is_survived() -> None:
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = nn.Sequential(nn.Linear(styles.FEATURES, styles.CLASSES), nn.Sigmoid()), 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            if self.calls == 2:
                return self.inner(x[:, :3])
            return self.inner(x)

    x, y = styles.data()
    model = Fragile()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    styles.fit(model, optimiser, x, y, steps=1)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        model(x)
    styles.fit(model, optimiser, x, y, steps=3)
    probe.close()
    assert probe.vitals().sites[0].total.samples == 4 * styles.SAMPLES


def test_an_error_in_the_backward_pass_is_survived() -> None:
    x, y = styles.data()
    model = styles.Functional()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    styles.fit(model, optimiser, x, y, steps=1)
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
    styles.fit(model, optimiser, x, y, steps=2)
    probe.close()
    assert probe.step == 3


def test_an_empty_batch_and_a_changed_shape_are_left_out_and_said() -> None:
    probe = watch()
    table = nn.ParameterList([torch.randn(8, 6), torch.randn(8, 9)])
    optimiser = torch.optim.SGD(table.parameters(), 0.1)
    for number in range(6):
        x = torch.randn(0 if number == 1 else 4, 8)
        loss = torch.relu(x @ table[number % 2 if number > 2 else 0]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    probe.close()
    vitals = probe.vitals()
    assert vitals.sites[0].total.samples == 3 * 4
    assert any("instead of 6 units" in note for note in vitals.notes)


def test_a_single_output_whose_axis_was_squeezed_away_is_one_unit() -> None:
    x, y = styles.data()
    model = nn.Linear(styles.FEATURES, 1)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    for rows in (slice(0, 64), slice(0, 50)):
        optimiser.zero_grad()
        F.binary_cross_entropy(torch.sigmoid(model(x[rows]).squeeze(-1)), (y[rows] > 2).float()).backward()
        optimiser.step()
    probe.close()
    (site,) = probe.vitals().sites
    assert (site.site.units, site.total.samples, probe.notes) == (1, 114, {})
    assert all(site.history.gradient > 0)


def test_only_the_given_models_are_watched() -> None:
    x, y = styles.data()
    mine = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES))
    other = nn.Sequential(nn.Linear(styles.FEATURES, 9), nn.Tanh(), nn.Linear(9, styles.CLASSES))
    probe = watch(models=[mine])
    styles.fit(other, torch.optim.SGD(other.parameters(), 0.1), x, y, steps=4)
    styles.fit(mine, torch.optim.SGD(mine.parameters(), 0.1), x, y, steps=3)
    probe.close()
    vitals = probe.vitals()
    assert [site.site.name for site in vitals.sites] == ["1"]
    assert vitals.step == 3
    assert {p.parameter.shape[0] for p in vitals.parameters} == {8, styles.CLASSES}


def test_the_loss_is_known_at_steps_that_are_not_looked_at() -> None:
    x, y = styles.data()
    model = styles.Functional()
    probe = watch(EverySeventh(), models=[model])
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y)
    probe.close()
    assert probe.vitals().losses[0].step.tolist() == list(range(1, 26))


def test_histograms_are_taken_all_along_the_run() -> None:
    x, y = styles.data()
    model = styles.Functional()
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=300)
    probe.close()
    steps = [step for step, _ in probe.histograms()["relu#1"]]
    assert steps[:7] == [1, 2, 5, 10, 20, 35, 50]
    assert len([step for step in steps if step > 50]) >= 5
    assert all(histogram.total == styles.SAMPLES * 16 for _, histogram in probe.histograms()["relu#1"])


def test_passes_of_other_threads_are_left_alone() -> None:
    x, y = styles.data()
    model, other = styles.Functional(), styles.Functional()
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=1)
    thread = threading.Thread(target=lambda: other(x).sum().detach())
    thread.start()
    thread.join()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=1)
    probe.close()
    assert probe.vitals().sites[0].total.samples == 2 * styles.SAMPLES


def test_an_error_of_its_own_ends_the_watch_and_not_the_training() -> None:
    errors: list[Exception] = []

    def stumble(step: int) -> None:
        raise RuntimeError("stumbled")

    bare = outcome(styles.functional)
    probe = Probe(None, Budget(None), stumble, errors.append)
    watched = outcome(styles.functional)
    assert watched == bare
    assert probe.state.closed
    assert [str(error) for error in errors] == ["stumbled"]


class Late(Exception):
    """What a signal handler of the script raises."""


def test_what_a_signal_handler_raises_within_limen_reaches_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    def ring(number: int, frame: object) -> None:
        raise Late

    def interrupted(record: SiteRecord, z: Tensor) -> None:
        signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(SiteRecord, "add", interrupted)
    before = signal.signal(signal.SIGALRM, ring)
    probe = watch()
    try:
        with pytest.raises(Late):
            styles.functional()
    finally:
        signal.signal(signal.SIGALRM, before)
        probe.close()
    assert torch.is_grad_enabled()


def test_nothing_stays_on_the_stack_of_modes_when_the_watch_ends_within_a_call() -> None:
    errors: list[Exception] = []
    probe = Probe(None, Budget(None), lambda step: None, errors.append, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SiteRecord, "add", lambda *_: 1 / 0)
        styles.functional()
    probe.close()
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert not torch.overrides._get_current_function_mode_stack()


def test_a_call_without_units_is_passed_over() -> None:
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    probe = watch()
    for _ in range(3):
        optimiser.zero_grad()
        hidden = model[:2](x)
        F.gelu(hidden[:, :0]).sum().backward(retain_graph=True)
        F.cross_entropy(model[2](hidden), y).backward()
        optimiser.step()
    probe.close()
    assert probe.vitals().step == 3
    assert [site.site.function for site in probe.vitals().sites] == ["relu"]


@pytest.mark.parametrize("odd", ["a subclass", "sparse rows"])
@pytest.mark.filterwarnings("ignore:Sparse CSR")
def test_a_parameter_that_is_not_plain_numbers_is_left_out(odd: str) -> None:
    class Quantised(Tensor):
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is Tensor.std:
                raise NotImplementedError("no such operation for quantised numbers")
            return super().__torch_function__(func, types, args, kwargs or {})

    plain = nn.Linear(styles.FEATURES, styles.CLASSES)
    data = torch.ones(4, 4)
    special = nn.Parameter(data.as_subclass(Quantised) if odd == "a subclass" else data.to_sparse_csr())
    optimiser = torch.optim.SGD([*plain.parameters(), special], 0.1)
    x, y = styles.data()
    probe = watch()
    styles.fit(plain, optimiser, x, y, steps=3)
    probe.close()
    assert probe.vitals().step == 3
    assert [p.parameter.name for p in probe.vitals().parameters] == ["weight", "bias"]


def test_an_optimiser_of_another_model_does_not_keep_updates_by_hand_from_being_steps() -> None:
    other = torch.optim.SGD(nn.Linear(2, 2).parameters(), 0.1)
    probe = watch()
    styles.by_hand()
    probe.close()
    assert probe.step == 25
    assert other.param_groups


def test_after_a_loss_that_stands_out_every_step_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()
    # by the clock of the machine, a pause for garbage may use the loan up
    monkeypatch.setattr("limen.probe.guard.clock", lambda: 1e-5 * next(ticks))
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES))
    probe = Probe(None, Budget(1e-6, allowance=0.0), lambda step: None, lambda error: None)
    optimiser = torch.optim.SGD(model.parameters(), 0.01)
    for step in range(1, 201):
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), y)
        (loss * 100 if step == 150 else loss).backward()
        optimiser.step()
    probe.close()
    looked = probe.vitals().sites[0].history.step.tolist()
    assert [step for step in looked if step > 60] == list(range(151, 171))


@pytest.mark.parametrize("reads", ["add", "add_gradient"])
def test_an_error_at_one_site_ends_the_watch_of_that_site_alone(reads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = getattr(SiteRecord, reads)

    def stumble(record: SiteRecord, given: object) -> None:
        if record.site.function == "tanh":
            raise RuntimeError("stumbled")
        original(record, given)

    monkeypatch.setattr(SiteRecord, reads, stumble)
    x, y = styles.data()
    model = nn.Sequential(
        nn.Linear(styles.FEATURES, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES)
    )
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=5)
    probe.close()
    vitals = probe.vitals()
    assert {site.site.function: site.total.steps for site in vitals.sites}["relu"] == 5
    assert vitals.notes == ("1 is no longer watched since step 1 (RuntimeError: stumbled).",)


def test_a_loss_that_is_nan_from_the_first_step_is_taken_as_it_is() -> None:
    x, y = styles.data()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), nn.ReLU(), nn.Linear(8, styles.CLASSES))
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x * math.nan, y, steps=3)
    probe.close()
    vitals = probe.vitals()
    assert vitals.sites[0].first_nonfinite == 1
    assert vitals.parameters[0].first_nonfinite == 1
    assert all(math.isnan(value) for value in vitals.losses[0].value)


@pytest.mark.parametrize("name", ["GELUActivation", "NewGELUActivation", "SiLUActivation", "QuickGELUActivation"])
def test_an_activation_class_of_another_library_is_one_site(name: str) -> None:
    transformers = pytest.importorskip("transformers.activations", reason="needs the package transformers")
    x, y = styles.data()
    activation = getattr(transformers, name)()
    model = nn.Sequential(nn.Linear(styles.FEATURES, 8), activation, nn.Linear(8, styles.CLASSES))
    probe = watch()
    styles.fit(model, torch.optim.SGD(model.parameters(), 0.1), x, y, steps=2)
    probe.close()
    expected = {
        "GELUActivation": "gelu",
        "NewGELUActivation": "gelu_tanh",
        "SiLUActivation": "silu",
        "QuickGELUActivation": "quick_gelu",
    }
    (site,) = probe.vitals().sites
    assert (site.site.name, site.site.function, site.total.samples) == ("1", expected[name], 2 * styles.SAMPLES)
