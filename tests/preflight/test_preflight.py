"""The check as a user calls it: it changes nothing, knows its samples, and says what it could not see."""

from __future__ import annotations

import random
import warnings
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import limen
from limen.errors import InvalidValue, SampleRefused, UnknownName
from limen.preflight import Limits, preflight
from limen.preflight.rules import CHECKS
from tests.preflight.healthy import HEALTHY

NAMES = ("resnet", "wide-resnet", "gpt", "lstm", "vae", "simsiam", "discriminator", "diffuser")


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))


@pytest.mark.parametrize("name", NAMES)
def test_weights_gradients_buffers_and_random_numbers_are_as_before(name: str) -> None:
    case = HEALTHY[name]
    checked, sample = case.model(), case.sample()
    target = case.target() if case.target else None
    for parameter in checked.parameters():
        parameter.grad = torch.full_like(parameter, 0.5) if parameter.dim() > 1 else None
    before = {key: one.clone() for key, one in checked.state_dict().items()}
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(2).tolist(), random.random()
    torch.manual_seed(5)
    random.seed(5)
    preflight(checked, sample, loss=case.loss, target=target, optimizer=torch.optim.SGD(checked.parameters(), lr=0.1))
    assert (torch.rand(2).tolist(), random.random()) == expected
    for key, one in checked.state_dict().items():
        assert torch.equal(one, before[key]), key
    for key, parameter in checked.named_parameters():
        if parameter.dim() > 1:
            assert parameter.grad is not None
            assert bool((parameter.grad == 0.5).all()), key
        else:
            assert parameter.grad is None
    assert checked.training


def test_training_after_a_check_is_bit_for_bit_the_same() -> None:
    def trained(*, checked: bool) -> list[Tensor]:
        torch.manual_seed(0)
        net, x, y = model(), torch.randn(32, 4), torch.randint(0, 3, (32,))
        optimiser = torch.optim.Adam(net.parameters())
        for step in range(3):
            if checked and step == 1:
                preflight(net, x, loss=F.cross_entropy, target=y, optimizer=optimiser)
            optimiser.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimiser.step()
        return [one.clone() for one in net.state_dict().values()]

    assert all(torch.equal(a, b) for a, b in zip(trained(checked=False), trained(checked=True), strict=True))


def test_the_target_may_be_the_second_of_a_pair() -> None:
    y = torch.rand(64, 3) * 1e4
    for sample in ((torch.randn(64, 4), y), [torch.randn(64, 4), y]):
        (finding,) = preflight(model(), sample, loss="mse").findings
        assert (finding.name, finding.where, finding.step) == ("unscaled-targets", "target", 0)


def test_a_pair_for_a_model_of_two_arguments_is_its_sample() -> None:
    assert preflight(nn.Bilinear(3, 4, 2), (torch.randn(8, 3), torch.randn(8, 4))).layers == 1


def test_a_recurrent_layer_is_one_layer() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.cell, self.head = nn.LSTM(3, 4, num_layers=2), nn.GRUCell(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            read, state = self.first(x)[0], None
            for step in read:
                state = self.cell(step, state)
            return self.head(state)

    assert preflight(Reader(), torch.randn(5, 2, 3)).layers == 3


SPELLINGS = ["cross-entropy", "cross_entropy", "CrossEntropyLoss", "nn.CrossEntropyLoss", "crossentropy", "ce"]


@pytest.mark.parametrize("loss", [*SPELLINGS, nn.CrossEntropyLoss(), F.cross_entropy])
@pytest.mark.parametrize("target", [None, torch.zeros(8, dtype=torch.int64)], ids=["without", "with"])
def test_a_loss_is_known_by_name_module_and_function_with_and_without_targets(loss: Any, target: Any) -> None:
    sick = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))
    found = preflight(sick, torch.randn(8, 4), loss=loss, target=target).findings
    assert [one.name for one in found] == ["output-loss-mismatch"]


def test_a_loss_of_the_users_own_is_known_from_its_graph() -> None:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        return -(y * torch.log_softmax(out, -1)).sum(-1).mean()

    sick = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))
    result = preflight(sick, torch.randn(8, 4), loss=loss, target=torch.eye(3)[torch.arange(8) % 3])
    assert ("output-loss-mismatch", "1") in [(one.name, one.where) for one in result.findings]


def test_limits_can_be_given() -> None:
    x = torch.randn(64, 4) * 5
    assert preflight(model(), x).verdict == "healthy"
    assert preflight(model(), x, limits=Limits(large_input=2.0)).findings[0].name == "unscaled-inputs"


def test_what_was_not_looked_at_is_told() -> None:
    assert preflight(model(), torch.randn(8, 4)).notes == ("The head was not checked, since no loss was given.",)
    strange = preflight(model(), torch.randn(8, 4), loss=lambda out, y: (out.abs() ** 1.5).sum(), target=0)
    assert strange.notes == ("The head was not checked: the loss is none that is known.",)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        hidden: Any = torch.jit.script(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    opaque = preflight(nn.Sequential(nn.Linear(3, 3), hidden, nn.Linear(3, 2)), torch.randn(8, 3))
    assert any("The inside of 1 cannot be seen" in note for note in opaque.notes)
    assert opaque.findings == ()


def test_a_model_without_numbers_is_checked_for_its_wiring() -> None:
    with torch.device("meta"):
        empty = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    result = preflight(empty, torch.empty(8, 4, device="meta"))
    assert [(one.name, one.where) for one in result.findings] == [("missing-activation", "1")]
    assert any("no numbers" in note for note in result.notes)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_other_precisions_are_checked_as_well(dtype: torch.dtype) -> None:
    sick = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(-1)).to(dtype)
    result = preflight(sick, torch.randn(32, 4, dtype=dtype), loss="cross-entropy")
    assert [one.name for one in result.findings] == ["output-loss-mismatch"]


class Deciding(nn.Module):
    """Goes one way or the other, as the data are."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(4, 8), nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.one if float(x.sum()) > 0 else self.two
        return self.head(torch.relu(layer(x)))


def test_a_way_that_the_data_did_not_take_is_a_remark() -> None:
    (finding,) = preflight(Deciding(), torch.randn(64, 4) + 1, loss="cross-entropy").findings
    assert (finding.severity, finding.name, finding.where) == ("info", "no-gradient-path", "two")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: preflight(cast(Any, 3), torch.ones(1)),
            InvalidValue,
            r"preflight\(model=int\): expected a torch.nn.Module",
        ),
        (lambda: preflight(cast(Any, nn.ReLU), torch.ones(1)), InvalidValue, r"model=ReLU\): a class was given"),
        (lambda: preflight(model(), torch.ones(2, 5)), SampleRefused, r"0 \(Linear\(in_features=4.*last axis of 4"),
        (lambda: preflight(model(), torch.ones(2, 4), loss="mce"), UnknownName, r"named 'mce'. Did you mean 'mse'\?"),
        (
            lambda: preflight(model(), torch.ones(2, 4), loss=nn.MSELoss),
            InvalidValue,
            r"loss=MSELoss\): this is the class\. Give an object of it: MSELoss\(\)",
        ),
        (
            lambda: preflight(model(), torch.ones(2, 4), loss=cast(Any, 3)),
            InvalidValue,
            "expected a callable of output and target",
        ),
        (
            lambda: preflight(nn.LazyLinear(3), torch.ones(2, 4)),
            InvalidValue,
            "not known before the model's first call",
        ),
    ],
    ids=["model", "class", "shape", "name", "loss class", "loss", "lazy"],
)
def test_a_mistake_is_told(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


class Spread(nn.Module):
    """Reads a sparse matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 4)

    def forward(self, edges: Tensor, x: Tensor) -> Tensor:
        return torch.relu(self.layer(torch.sparse.mm(edges, x)))


class Fruitless(nn.Module):
    """Returns no tensor."""

    def forward(self, x: Tensor) -> None:
        return None


ODD: dict[str, tuple[nn.Module, Any]] = {
    "sparse": (Spread(), (torch.eye(3).to_sparse(), torch.randn(3, 5))),
    "nothing": (Fruitless(), torch.randn(2, 3)),
    "a recurrent layer": (nn.LSTM(3, 4, num_layers=2), torch.randn(5, 2, 3)),
    "no weights": (nn.ReLU(), torch.randn(2, 3)),
    "an empty batch": (model().eval(), torch.randn(0, 4)),
    "a vector": (nn.Linear(3, 2), torch.randn(3)),
    "complex": (nn.Linear(3, 2, dtype=torch.complex64), torch.randn(4, 3, dtype=torch.complex64)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_models_and_samples_are_checked_in_silence(name: str) -> None:
    odd, sample = ODD[name]
    result = preflight(odd, sample)
    assert [one for one in result.findings if one.severity != "info"] == []
    assert str(result)
    assert (result.layers == 0) == ("No layer of weights was seen in the pass." in result.notes)


def test_the_callers_inference_mode_is_no_fault_of_the_model() -> None:
    net, x = model(), torch.randn(8, 4)
    with torch.inference_mode():
        assert preflight(net, x).findings == ()


def test_a_loss_that_raises_is_told_and_its_head_checked_all_the_same() -> None:
    sick = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    result = preflight(sick, torch.randn(64, 4), loss=nn.BCELoss(), target=torch.ones(64, 1))
    assert [(one.name, one.severity, one.where) for one in result.findings] == [("output-loss-mismatch", "error", "2")]
    assert any(note.startswith("The loss raised RuntimeError") for note in result.notes)


def test_the_result_is_public_and_prints() -> None:
    result = limen.preflight(model(), torch.randn(8, 4), loss="cross-entropy")
    assert isinstance(result, limen.Preflight)
    assert str(result).startswith("limen     Sequential is ready to train: nothing wrong was found.")
    assert result.to_json()["verdict"] == "healthy"


HEADINGS = ("Why it matters:", "How it is measured:", "Known to misfire:", "Answered by:", "Source:")


@pytest.mark.parametrize("name", CHECKS)
def test_a_page_has_its_headings_in_order(name: str) -> None:
    cause, _ = CHECKS[name]
    page = limen.explain(cause)
    own = (CHECKS[name][1].__doc__ or "").split("\n")[0]
    assert own in page
    part = page[page.index(own) :]
    places = [part.find(f"\n{heading}") for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)
