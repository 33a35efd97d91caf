"""Compiled code is seen, computes the same bits, and is compiled no more often than without a watch."""

import gc
import hashlib
import shutil
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch import _dynamo as compiler  # pyright: ignore[reportPrivateUsage]

import limen
from limen.probe import site_reader
from limen.probe.meter import Meter
from limen.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore")  # the compiler warns of its own ways
BACKENDS = ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.skipif(
    shutil.which("g++") is None, reason="torch.compile needs a C++ compiler: apt-get install g++"))]  # fmt: skip


class Body(nn.Module):
    """Modules, functions, an in-place function and a batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(6, 16), nn.ReLU())
        self.act = nn.GELU()
        self.fc = nn.Linear(16, 12)
        self.norm = nn.BatchNorm1d(12)
        self.out = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu_(self.norm(self.fc(self.act(self.first(x))))))


class Outer(nn.Module):
    """A part of the model is compiled."""

    def __init__(self, backend: str) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.Linear(6, 6), nn.Tanh())
        self.body = torch.compile(Body(), backend=backend, fullgraph=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(self.before(x))


Loss = Callable[[Tensor, Tensor], Tensor]


def whole(backend: str) -> tuple[nn.Module, Loss]:
    model = Body()
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    return model, lambda x, y: F.cross_entropy(compiled(x), y)


def part(backend: str) -> tuple[nn.Module, Loss]:
    model = Outer(backend)
    return model, lambda x, y: F.cross_entropy(model(x), y)


def function(backend: str) -> tuple[nn.Module, Loss]:
    model = Body()

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(model(x), y)

    return model, torch.compile(loss, backend=backend, fullgraph=True)


def decorated(backend: str) -> tuple[nn.Module, Loss]:
    model = Body()

    @torch.compile(backend=backend)
    def loss(x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(model(x), y)

    return model, loss


WAYS = {"a whole model": whole, "a part": part, "a function": function, "a decorator": decorated}


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    compiler.reset()
    yield
    compiler.reset()


def train(model: nn.Module, loss: Loss, steps: int = 80) -> str:
    """A hash of losses, weights and random numbers."""
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    seen = hashlib.sha256()
    for step in range(steps):
        x = torch.randn(32, 6, generator=generator)
        optimiser.zero_grad()
        value = loss(x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long())
        value.backward()
        optimiser.step()
        seen.update(value.detach().numpy().tobytes())
        if step == 40:
            model.eval()
            with torch.no_grad():
                loss(x, torch.zeros(32, dtype=torch.long))
            model.train()
    for tensor in (*model.state_dict().values(), torch.get_rng_state()):
        seen.update(tensor.numpy().tobytes())
    return seen.hexdigest()


def captured(run: Callable[[], str]) -> tuple[str, int]:
    """What a training returns, and how many graphs torch captured for it."""
    graphs = compiler.utils.counters["stats"]
    before = graphs["unique_graphs"]
    return run(), graphs["unique_graphs"] - before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_compiled_training_is_the_same_bit_for_bit_and_its_sites_are_seen(way: str, backend: str) -> None:
    def run() -> str:
        torch.manual_seed(0)
        compiler.reset()
        return train(*WAYS[way](backend))

    bare = captured(run)
    with Watch(budget=0.01, allowance=0.02) as watch:  # some steps are looked at and some are not
        assert captured(run) == bare
    assert watch.vitals.looked < 80
    units = {vitals.site.name: vitals.site.units for vitals in watch.vitals.sites}
    assert units.keys() >= {name if way != "a part" else f"body.{name}" for name in ("first.1", "act")}
    assert len(units) == (4 if way == "a part" else 3)
    layers = {vitals.site.function: (vitals.site.layer or "").rpartition(".")[2] for vitals in watch.vitals.sites}
    assert layers["relu"] in ("0", "fc")
    assert layers["gelu"] == "0"
    assert not watch.vitals.notes


def test_compiled_sites_hold_what_an_uncompiled_watch_finds() -> None:
    found = []
    for compiles in (False, True):
        torch.manual_seed(0)
        with Watch(budget=None) as watch:
            model, loss = whole("aot_eager")
            train(model, loss if compiles else lambda x, y, model=model: F.cross_entropy(model(x), y), steps=30)
        found.append(watch.vitals)
    one, other = found
    assert [s.site.units for s in one.sites] == [s.site.units for s in other.sites]
    for eager, compiled in zip(one.sites, other.sites, strict=True):
        assert (eager.site.layer, eager.site.norm) == (compiled.site.layer, compiled.site.norm)
        assert not compiled.site.head
        np.testing.assert_array_equal(eager.total.left, compiled.total.left)
        np.testing.assert_allclose(eager.total.moments.mean, compiled.total.moments.mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dynamic", [None, True], ids=["when it changes", "from the start"])
def test_a_graph_for_batches_of_any_size_is_read_as_one_of_a_fixed_size(*, dynamic: bool | None) -> None:
    found = []
    for compiles in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 16), nn.Tanh(), nn.Linear(16, 2)
        )
        call = torch.compile(model, backend="aot_eager", dynamic=dynamic) if compiles else model
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        with Watch(budget=None, strict=True) as watch:
            for step in range(24):
                x = torch.randn(12 + step % 3, 1, 8, 8)
                optimiser.zero_grad()
                F.cross_entropy(call(x), (x.mean((1, 2, 3)) > 0).long()).backward()
                optimiser.step()
        assert not watch.vitals.notes
        found.append(watch.vitals.sites)
    for eager, compiled in zip(*found, strict=True):
        assert (eager.site.layer, eager.site.units) == (compiled.site.layer, compiled.site.units)
        np.testing.assert_array_equal(eager.total.left, compiled.total.left)


def test_what_was_compiled_before_the_watch_is_noted() -> None:
    model, loss = whole("eager")
    train(model, loss, steps=2)
    with limen.watch() as watch:
        train(model, loss, steps=3)
    (note,) = watch.vitals.notes
    assert "before the watch began" in note


def test_graphs_that_were_equipped_go_on_after_the_watch_and_are_seen_by_the_next_one() -> None:
    model, loss = whole("aot_eager")
    with limen.watch() as first:
        train(model, loss, steps=3)
    with limen.watch() as second:
        train(model, loss, steps=3)
    assert [s.site.name for s in first.vitals.sites] == [s.site.name for s in second.vitals.sites]
    assert first.vitals.step == second.vitals.step == 3
    train(model, loss, steps=3)  # compiled anew, and not equipped
    with limen.watch() as third:
        train(model, loss, steps=3)
    assert not third.vitals.sites
    assert any("before the watch began" in note for note in third.vitals.notes)


def test_what_compiled_code_costs_is_billed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowed(original: Callable[..., None]) -> Callable[..., None]:
        def slow(*args: Any) -> None:
            time.sleep(0.01)
            original(*args)

        return slow

    monkeypatch.setattr(Meter, "read", slowed(Meter.read))
    monkeypatch.setattr(site_reader, "glance_for", lambda *_, **__: None)  # what serves instead once a site is known
    spent: list[float] = []
    for compiles in (False, True):
        watch = Watch(budget=None)
        with watch:
            model, loss = whole("eager")
            train(model, loss if compiles else lambda x, y, model=model: F.cross_entropy(model(x), y), steps=10)
        spent.append(watch.run.spent)
    assert min(spent) >= 10 * 3 * 0.01
    assert max(spent) < 1.6 * 10 * 3 * 0.01  # twice the bill would be more


def test_torch_is_left_as_it_was() -> None:
    machinery = sys.modules["torch._dynamo.output_graph"].OutputGraph
    before = torch.compile, machinery.call_user_compiler
    with limen.watch():
        assert torch.compile is not before[0]
    assert (torch.compile, machinery.call_user_compiler) == before


def test_a_model_watched_by_name_is_known_by_its_compiled_twin() -> None:
    model = Body()
    with limen.watch(model) as watch:
        compiled = torch.compile(model, backend="eager")
        train(model, lambda x, y: F.cross_entropy(compiled(x), y), steps=3)
    assert len(watch.vitals.sites) == 3
    assert next(p.parameter.name for p in watch.vitals.parameters) == "first.0.weight"


@pytest.mark.parametrize("stumbles", ["equip", "applications"])
def test_a_graph_that_cannot_be_read_is_noted_and_trains_on(stumbles: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("unreadable")

    monkeypatch.setattr(f"limen.probe.compiled.{stumbles}", fail)
    with limen.watch() as watch:
        model, loss = whole("eager")
        train(model, loss, steps=3)
    assert any("unreadable" in note for note in watch.vitals.notes)
    assert watch.vitals.step == 3


def test_a_half_precision_graph_is_left_alone_and_the_report_says_so() -> None:
    """The compiler rounds to half precision less often than torch, unless a value has to be handed over."""
    with limen.watch() as watch:
        model = Body().to(torch.bfloat16)
        compiled = torch.compile(model, backend="aot_eager")
        compiled(torch.randn(8, 6, dtype=torch.bfloat16)).float().sum().backward()
        torch.optim.SGD(model.parameters(), 0.1).step()
    assert not watch.vitals.sites
    assert any("half precision" in note for note in watch.vitals.notes)


def test_one_graph_for_several_modules_is_a_site_for_each_with_its_own_weights() -> None:
    with limen.watch(budget=None) as watch:
        blocks = [nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(3)]
        model = nn.Sequential(*(torch.compile(block, backend="aot_eager") for block in blocks), nn.Linear(6, 3))
        with torch.no_grad():
            blocks[1][0].bias.fill_(-50.0)
        train(model, lambda x, y: F.cross_entropy(model(x), y), steps=40)
    assert [vitals.site.layer for vitals in watch.vitals.sites] == ["0.0", "1.0", "2.0"]
    assert [int(vitals.silent_steps.min()) for vitals in watch.vitals.sites] == [0, 40, 0]


def test_activations_on_both_sides_of_a_graph_break_are_two_sites() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = F.relu(self.a(x))
            compiler.graph_break()
            return self.c(F.relu(self.b(x)))

    with limen.watch(budget=None) as watch:
        model = Broken()
        compiled = torch.compile(model, backend="aot_eager")
        train(model, lambda x, y: F.cross_entropy(compiled(x), y), steps=5)
    assert [(s.site.layer, s.total.samples, s.site.head) for s in watch.vitals.sites] == [
        ("a", 160, False),
        ("b", 160, False),
    ]


def test_a_backend_that_refuses_the_operator_gets_the_graph_as_it_was() -> None:
    def refuses(module: torch.fx.GraphModule, inputs: object) -> Callable[..., Any]:
        if any("limen" in str(node.target) for node in module.graph.nodes):
            raise NotImplementedError("limen::see")
        assert all("example_value" in node.meta for node in module.graph.nodes if node.op.startswith("call"))
        return module.forward

    with limen.watch() as watch:
        model = Body()
        compiled = torch.compile(model, backend=refuses, fullgraph=True)
        train(model, lambda x, y: F.cross_entropy(compiled(x), y), steps=3)
    assert watch.vitals.step == 3
    assert any("could not be read" in note for note in watch.vitals.notes)


def test_a_compiled_optimiser_step_is_compiled_as_often_as_without_a_watch() -> None:
    def run() -> str:
        compiler.reset()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        update = torch.compile(optimiser.step, backend="eager")
        x, y = torch.randn(32, 6), torch.randint(3, (32,))
        for _ in range(10):
            optimiser.zero_grad()
            F.cross_entropy(model(x), y).backward()
            update()
        return hashlib.sha256(model[0].weight.detach().numpy().tobytes()).hexdigest()

    bare = captured(run)
    with limen.watch():
        assert captured(run) == bare


def test_the_weights_of_a_compiled_model_are_let_go() -> None:
    with limen.watch() as watch:
        model, loss = whole("aot_eager")
        train(model, loss, steps=2)
    weights = [weakref.ref(parameter) for parameter in model.parameters()]
    del model, loss, watch
    gc.collect()
    assert [weight() for weight in weights] == [None] * len(weights)


def test_a_model_that_the_compiler_leaves_as_it_is_is_told_as_that() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.fc = nn.LSTM(3, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(torch.relu(self.lstm(x)[0][-1]))

    model = Reader()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    with limen.watch() as watch:
        run = torch.compile(model, backend="eager")
        for _ in range(3):
            run(torch.randn(5, 2, 3)).sum().backward()
            optimiser.step()
    (note,) = watch.vitals.notes
    assert "captured no graph" in note
    assert watch.vitals.step == 3
