"""Trainings in several threads: one of them is watched, told as one, and none of them is changed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from limen.probe import Probe
from limen.probe.modes import overrides
from limen.probe.one_thread import is_idle
from limen.vitals import Vitals
from tests.probe.watching import watching

STEPS, FEW = 25, 2


def model_of(units: int) -> nn.Sequential:
    torch.manual_seed(units)
    return nn.Sequential(nn.Linear(4, units), nn.Tanh(), nn.Linear(units, 1))


def data_of(units: int) -> list[Tensor]:
    return list(torch.randn(STEPS, 8, 4, generator=torch.Generator().manual_seed(units)))


def train(model: nn.Sequential, between: Callable[[], object] = lambda: None, steps: int = STEPS) -> None:
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for x in data_of(model[0].out_features)[:steps]:  # type: ignore[arg-type]
        between()
        optimiser.zero_grad()
        loss = model(x).square().mean()
        between()
        loss.backward()
        between()
        optimiser.step()


def together(*models: nn.Sequential) -> None:
    """Train at the same time, one call of torch's after the other in turn."""
    barrier = threading.Barrier(len(models))
    threads = [threading.Thread(target=train, args=(model, barrier.wait)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def weights(model: nn.Module) -> list[bytes]:
    return [weight.detach().numpy().tobytes() for weight in model.parameters()]


def alone(units: int) -> tuple[list[bytes], Vitals]:
    model = model_of(units)
    with watching() as probe:
        train(model)
    return weights(model), probe.vitals()


def test_of_two_trainings_at_once_one_is_told_whole_and_the_other_is_said_to_be_missing() -> None:
    models = [model_of(5), model_of(7)]
    with watching() as probe:
        together(*models)
    vitals = probe.vitals()
    units = vitals.sites[0].site.units
    bare, own = alone(units)
    assert [weights(model) for model in models] == [alone(5)[0], alone(7)[0]]
    assert bare == weights(models[0 if units == 5 else 1])
    assert (vitals.step, len(vitals.sites), len(vitals.parameters)) == (STEPS, 1, 4)
    assert vitals.losses[0].value.tolist() == own.losses[0].value.tolist()
    assert vitals.sites[0].total.steps >= STEPS - 1  # its first pass was in a thread that nothing was known of
    (note,) = vitals.notes
    assert "at the same time in another thread" in note


def test_a_watch_of_one_model_hears_of_it_alone_whichever_thread_comes_first() -> None:
    for number in (0, 1):
        models = [model_of(5), model_of(7)]
        with watching(models[number]) as probe:
            together(*models)
        vitals = probe.vitals()
        _, own = alone((5, 7)[number])
        assert (vitals.step, vitals.notes) == (STEPS, ())
        assert {site.site.units for site in vitals.sites} == {(5, 7)[number]}
        assert len(vitals.parameters) == 4
        # the first step is only known to be its own once its optimiser has moved
        assert vitals.losses[0].value.tolist()[-STEPS + 1 :] == own.losses[0].value.tolist()[1:]


def test_trainings_one_after_the_other_in_threads_of_their_own_are_all_seen() -> None:
    models = [model_of(5), model_of(7), model_of(9)]
    with watching() as probe:
        train(models[0])
        for model in models[1:]:
            thread = threading.Thread(target=train, args=(model,))
            thread.start()
            thread.join()
    vitals = probe.vitals()
    # a thread may step before the one that started it has begun to wait for it
    assert 3 * STEPS - 2 <= vitals.step <= 3 * STEPS
    assert vitals.notes == ()
    assert {site.site.units for site in vitals.sites} == {5, 7, 9}


def test_a_training_that_moves_from_thread_to_thread_is_one() -> None:
    model = model_of(5)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor) -> None:
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()

    with watching() as probe, ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as two:
        for number, x in enumerate(data_of(5)):
            (two if number % 2 else one).submit(step, x).result()
    assert (probe.vitals().step, probe.vitals().notes) == (STEPS, ())


def test_threads_that_train_one_model_in_turn_are_one_training() -> None:
    model, turn = model_of(5), threading.Lock()
    optimiser = torch.optim.SGD(model.parameters(), 1e-4)

    def work() -> None:
        for x in data_of(5):
            with turn:
                model(x).square().mean().backward()
                optimiser.step()

    with watching() as probe:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert probe.vitals().step == 3 * STEPS
    assert probe.vitals().notes == ()


class Worker:
    """A thread that trains when it is told to, and tells what is on its stack of modes."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def train(self, model: nn.Sequential) -> None:
        """A few steps, in which limen looks outside of modules, too."""
        self._pool.submit(train, model, steps=FEW).result()

    def modes(self) -> int:
        return self._pool.submit(lambda: len(overrides._get_current_function_mode_stack())).result()

    def end(self) -> None:
        self._pool.shutdown()


def hooked() -> int:
    return len(hooks._global_forward_pre_hooks) + len(hooks._global_forward_hooks)


def test_a_worker_that_goes_on_after_the_watch_takes_the_mode_off_its_stack() -> None:
    before, worker, model = hooked(), Worker(), model_of(5)
    with watching() as probe:
        worker.train(model)
        assert worker.modes() == 1
    seen = probe.vitals()
    worker.train(model)
    assert (worker.modes(), hooked()) == (0, before)
    assert probe.vitals().step == seen.step == FEW
    worker.end()


def test_a_worker_that_has_ended_leaves_nothing_behind() -> None:
    before, worker = hooked(), Worker()
    with watching():
        worker.train(model_of(5))
        worker.end()
    assert hooked() == before


def test_the_next_watch_is_as_if_there_had_been_none() -> None:
    worker, model = Worker(), model_of(5)
    found: list[Probe] = []
    for _ in range(2):
        with watching() as probe:
            worker.train(model)
        found.append(probe)
    worker.train(model)
    assert [probe.vitals().step for probe in found] == [FEW, FEW]
    assert worker.modes() == 0
    worker.end()


def test_a_training_that_was_refused_stays_so_when_the_first_has_ended() -> None:
    model, other = model_of(5), model_of(7)
    first_ended = threading.Event()
    met = threading.Barrier(2)

    def first() -> None:
        train(model, steps=3)
        met.wait()  # the first is well under way
        met.wait()  # the second has stepped
        train(model, steps=3)
        first_ended.set()

    def second() -> None:
        optimiser = torch.optim.SGD(other.parameters(), 0.1)
        met.wait()
        for number, x in enumerate(data_of(7)):
            other(x).square().mean().backward()
            optimiser.step()
            if number == 0:
                met.wait()
                first_ended.wait()

    with watching() as probe:
        threads = [threading.Thread(target=work) for work in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert probe.step == 6
    assert {site.site.units for site in probe.vitals().sites} == {5}


def test_a_thread_that_runs_is_not_idle_however_often_one_asks() -> None:
    done = threading.Event()

    def deeper(levels: int) -> int:
        return 0 if levels == 0 else deeper(levels - 1) + 1

    def work() -> None:
        while not done.is_set():
            deeper(50)

    worker = threading.Thread(target=work)
    waiter = threading.Thread(target=worker.join)
    for thread in (worker, waiter):
        thread.start()
    try:
        for _ in range(20):
            assert not is_idle(worker.ident or 0)
            assert is_idle(waiter.ident or 0)
    finally:
        done.set()
        for thread in (worker, waiter):
            thread.join()
    assert is_idle(worker.ident or 0)  # it has ended
