"""The gates of recurrent layers: what is computed again is what the layer computed, and the layer does not notice."""

import copy
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from limen.probe.gates import CALLS, SAMPLES
from limen.vitals import SiteVitals
from tests.probe.recurrences import Book
from tests.probe.watching import bits, watching

BATCH, TIME, FEATURES, HIDDEN = 5, 7, 4, 3
LENGTHS = [3, 7, 1, 6, 2]
EDGES = {"sigmoid": lambda z: z.sigmoid() * (1 - z.sigmoid()) < 0.0025, "tanh": lambda z: 1 - z.tanh() ** 2 < 0.01,
         "relu": lambda z: z <= 0}  # fmt: skip
"""By function: where its slope is below 1 % of the steepest."""


class Case(NamedTuple):
    kind: str
    options: dict[str, Any]
    packed: bool
    started: bool  # with a first state of its own


def lstm_options() -> list[dict[str, Any]]:
    return [
        {"num_layers": layers, "bidirectional": both, "proj_size": projected, "batch_first": batch_first, "bias": bias}
        for layers, both, projected, batch_first, bias in (
            (1, False, 0, False, True),
            (1, False, 0, True, False),
            (2, True, 0, False, True),
            (3, False, 2, True, True),
            (2, True, 2, False, False),
        )
    ]


OTHERS = [
    {"num_layers": 1},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 3, "bias": False},
]
KINDS: dict[str, list[dict[str, Any]]] = {
    "LSTM": lstm_options(),
    "GRU": OTHERS,
    "RNN": [*OTHERS, {"nonlinearity": "relu", "bidirectional": True}],
}
CASES = [
    Case(kind, options, packed, started)
    for kind, every in KINDS.items()
    for options in every
    for packed, started in itertools.product((False, True), repeat=2)
]


def name_of(case: Case) -> str:
    options = ",".join(f"{name}={value}" for name, value in case.options.items())
    return f"{case.kind}({options})" + "-packed" * case.packed + "-started" * case.started


def layer_of(case: Case) -> Any:
    layer = getattr(nn, case.kind)(FEATURES, HIDDEN, **case.options).double()
    for weight in layer.parameters():
        nn.init.normal_(weight, std=2.0)  # so that gates are closed, open and in between
    return layer


def start_of(layer: Any, case: Case) -> tuple[Tensor, Tensor]:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h0 = torch.randn(rows, BATCH, layer.proj_size or HIDDEN, dtype=torch.float64)
    return (
        (h0, torch.randn(rows, BATCH, HIDDEN, dtype=torch.float64))
        if case.started
        else (h0 * 0, h0.new_zeros(rows, BATCH, HIDDEN))
    )


def learn(loss: Any, model: nn.Module, rate: float = 0.1) -> None:
    """One training step."""
    optimiser = torch.optim.SGD(model.parameters(), rate)
    loss.backward()
    optimiser.step()
    optimiser.zero_grad()


def assert_is(site: SiteVitals, rows: list[Tensor], steps: int = 1) -> None:
    """The account of a site is what the book says of ``[units]`` rows."""
    every, total = torch.stack(rows), site.total
    flat = EDGES[site.site.function](every)
    assert (total.steps, total.samples, site.site.units) == (steps, *every.shape)
    assert total.left.tolist() == (flat & (every <= 0)).sum(0).tolist()
    assert total.right.tolist() == (flat & (every > 0)).sum(0).tolist()
    error = 1e-9 * float(every.abs().max() + 1)  # sums in double, of some hundred numbers
    for found, expected in (
        (total.low, every.amin(0)),
        (total.high, every.amax(0)),
        (total.moments.mean, every.mean(0)),
        (total.moments.std, every.std(0, correction=0)),
    ):
        torch.testing.assert_close(torch.as_tensor(found), expected, rtol=0, atol=error)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_all_gates_of_a_layer_are_those_by_the_book(case: Case) -> None:
    torch.manual_seed(3)
    layer = layer_of(case)
    lengths = LENGTHS if case.packed else [TIME] * BATCH
    x, (h0, c0) = torch.randn(BATCH, TIME, FEATURES, dtype=torch.float64), start_of(layer, case)
    book = Book(layer)
    expected = [book.sequence(x[b, :length], h0[:, b], c0[:, b]) for b, length in enumerate(lengths)]
    given: Any = x if layer.batch_first else x.transpose(0, 1)
    if case.packed:
        given = pack_padded_sequence(given, lengths, layer.batch_first, enforce_sorted=False)
    start: Any = (h0, c0) if case.kind == "LSTM" else h0
    with watching() as probe:
        output, _ = layer(given, start) if case.started else layer(given)
        if isinstance(output, PackedSequence):
            output, _ = pad_packed_sequence(output, layer.batch_first)
        learn(output.sum(), layer)
    for b, length in enumerate(lengths):  # the book itself is right
        own = output[b] if layer.batch_first else output[:, b]
        torch.testing.assert_close(own[:length], expected[b], rtol=1e-9, atol=1e-9)
    vitals = probe.vitals()
    assert {site.site.name for site in vitals.sites} == set(book.gates)
    assert (vitals.notes, vitals.step) == ((), 1)
    for site in vitals.sites:
        assert_is(site, book.gates[site.site.name])


@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell", "RNNCell", "RNNCell-relu"])
@pytest.mark.parametrize("bias", [True, False])
def test_all_gates_of_a_cell_are_those_by_the_book(kind: str, bias: bool) -> None:
    torch.manual_seed(4)
    options = {"nonlinearity": "relu"} if kind.endswith("relu") else {}
    cell = getattr(nn, kind.partition("-")[0])(FEATURES, HIDDEN, bias=bias, **options).double()
    x = torch.randn(TIME, BATCH, FEATURES, dtype=torch.float64)
    book = Book(cell)
    for b in range(BATCH):
        h = c = torch.zeros(HIDDEN, dtype=torch.float64)
        for row in x[:, b]:
            h, c = book.step("", row, h, c)
    with watching() as probe:
        state = None
        for row in x:
            state = cell(row, state)
        learn((state[0] if isinstance(state, tuple) else state).sum(), cell)
    vitals = probe.vitals()
    assert {site.site.name for site in vitals.sites} == set(book.gates)
    for site in vitals.sites:
        assert_is(site, book.gates[site.site.name])


class Reader(nn.Module):
    """A layer within a model, with what follows it."""

    def __init__(self, layer: nn.Module, width: int) -> None:
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x)[0].mean(0))


def trained(layer: nn.Module, batch: Callable[[], Tensor], steps: int = 4, width: int = HIDDEN) -> list[bytes]:
    model = Reader(layer, width)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    losses: list[Tensor] = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = model(batch()).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss)
    return bits([*losses, *model.parameters()])


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "lstm": lambda: nn.LSTM(FEATURES, HIDDEN, 2),
    "dropout": lambda: nn.LSTM(FEATURES, HIDDEN, 3, dropout=0.5),
    "projected": lambda: nn.LSTM(FEATURES, 6, 2, proj_size=HIDDEN),
    "gru": lambda: nn.GRU(FEATURES, HIDDEN, 2, dropout=0.1),
    "rnn": lambda: nn.RNN(FEATURES, HIDDEN),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("cast", [False, True], ids=["float32", "autocast"])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_training_ends_in_the_same_bits(layer: str, cast: bool) -> None:
    def run() -> list[bytes]:
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            return trained(LAYERS[layer](), lambda: torch.randn(TIME, BATCH, FEATURES))

    bare = run()
    with watching() as probe:
        watched = run()
    assert watched == bare
    assert len(probe.vitals().sites) >= 1


def test_the_layers_behind_dropout_are_told_as_not_seen_and_why() -> None:
    torch.manual_seed(6)
    with watching() as probe:
        trained(nn.LSTM(FEATURES, HIDDEN, 2, dropout=0.3), lambda: torch.randn(TIME, BATCH, FEATURES))
    vitals = probe.vitals()
    assert [site.site.name for site in vitals.sites] == [
        f"layer.l0.{gate}" for gate in ("input", "forget", "cell", "output", "state")
    ]
    assert vitals.notes == (
        "layer: gates from layer 1 on are not seen, since what dropout hands to them cannot be computed again.",
    )


def test_dropout_that_is_switched_off_hides_nothing() -> None:
    layer = nn.GRU(FEATURES, HIDDEN, 2, dropout=0.3)
    layer.eval()
    with watching() as probe:
        trained(layer, lambda: torch.randn(TIME, BATCH, FEATURES))
    assert len(probe.vitals().sites) == 6
    assert probe.vitals().notes == ()


def test_of_a_large_batch_some_whole_sequences_are_read_and_all_have_their_turn() -> None:
    torch.manual_seed(7)
    layer = nn.LSTM(1, 2)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
        layer.weight_ih_l0.fill_(1.0)  # every gate is the input, which says whose sequence it is
    batch, time = 40, 64
    x = torch.arange(batch).float().expand(time, batch).unsqueeze(-1)
    with watching() as probe:
        for _ in range(-(-batch * time // SAMPLES)):
            learn(layer(x)[0].sum(), layer, 0.0)
    (site, *_) = probe.vitals().sites
    assert site.history.samples.tolist() == [2 * time] * 20  # 40 * 64 = 20 * 128
    assert site.total.moments.mean.tolist() == [19.5, 19.5]
    assert (site.total.low.tolist(), site.total.high.tolist()) == ([0.0, 0.0], [39.0, 39.0])


def test_of_a_long_loop_some_calls_are_read() -> None:
    cell, head = nn.GRUCell(FEATURES, HIDDEN), nn.Linear(HIDDEN, 1)
    optimiser = torch.optim.SGD([*cell.parameters(), *head.parameters()], 0.1)
    length = 10 * CALLS
    with watching() as probe:
        for _ in range(5):
            state = torch.zeros(BATCH, HIDDEN)
            for _ in range(length):
                state = cell(torch.randn(BATCH, FEATURES), state)
            head(state).sum().backward()
            optimiser.step()
    site = probe.vitals().sites[0]
    assert site.history.samples.tolist() == [length * BATCH, *[CALLS * BATCH] * 4]


def test_one_layer_called_twice_is_one_site_with_the_samples_of_both() -> None:
    layer = nn.GRU(FEATURES, HIDDEN)
    with watching() as probe:
        learn(sum(layer(torch.randn(TIME, BATCH, FEATURES))[0].sum() for _ in range(2)), layer)
    assert [(site.site.name, site.total.samples) for site in probe.vitals().sites] == [
        ("l0.reset", 2 * TIME * BATCH),
        ("l0.update", 2 * TIME * BATCH),
        ("l0.new", 2 * TIME * BATCH),
    ]


def test_a_sequence_without_a_batch_is_seen_and_an_evaluation_is_not() -> None:
    layer = nn.LSTM(FEATURES, HIDDEN)
    with watching() as probe:
        learn(layer(torch.randn(TIME, FEATURES))[0].sum(), layer)
        with torch.no_grad():
            layer(torch.randn(TIME, FEATURES))
    assert [site.total.samples for site in probe.vitals().sites] == [TIME] * 5


def test_half_precision_is_computed_again_in_float32() -> None:
    torch.manual_seed(8)
    layer = nn.GRU(FEATURES, HIDDEN).bfloat16()
    x = torch.randn(TIME, BATCH, FEATURES).bfloat16()
    with watching() as probe:
        learn(layer(x)[0].sum(), layer, 0.0)
    book = Book(layer)
    for b in range(BATCH):
        book.sequence(x[:, b], torch.zeros(1, HIDDEN), torch.zeros(1, HIDDEN))
    for site in probe.vitals().sites:
        every = torch.stack(book.gates[site.site.name])
        # states come rounded to 8 bits: a relative 2^-9 of numbers of about 1, through weights below 0.6
        torch.testing.assert_close(torch.as_tensor(site.total.moments.mean), every.mean(0), rtol=0, atol=0.01)


def test_a_gate_offers_no_weight_to_edit() -> None:
    with watching() as probe:
        trained(nn.LSTM(FEATURES, HIDDEN), lambda: torch.randn(TIME, BATCH, FEATURES))
    wiring = probe.wiring("layer.l0.forget")
    assert wiring is not None
    assert (wiring.weight, wiring.bias, wiring.consumers) == (None, None, ())


def test_a_recurrent_layer_outside_of_a_limited_watch_is_left_alone() -> None:
    watched, other = nn.Linear(FEATURES, 1), nn.GRU(FEATURES, HIDDEN)
    with watching(watched) as probe:
        learn(watched(torch.randn(BATCH, FEATURES)).sum() + other(torch.randn(TIME, BATCH, FEATURES))[0].sum(), watched)
    assert probe.vitals().sites == ()


def test_a_layer_can_be_copied_and_saved_as_before() -> None:
    layer = nn.LSTM(FEATURES, HIDDEN)
    held = set(vars(layer))
    with watching():
        learn(layer(torch.randn(TIME, BATCH, FEATURES))[0].sum(), layer)
        twin = copy.deepcopy(layer)
    assert set(vars(layer)) == set(vars(twin)) == held
