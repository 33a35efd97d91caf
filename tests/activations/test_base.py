"""The catalogue as a book: names, parameters, sheets, and what a user may add."""

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from limen.activations import (
    ELU,
    Activation,
    Combination,
    CombinationSheet,
    Entry,
    Head,
    HeadSheet,
    LeakyReLU,
    ReLU,
    Sheet,
    get,
    kind_of,
    names,
    register,
)
from limen.errors import InvalidValue, UnknownName


@pytest.mark.parametrize("name", names())
def test_each_sheet_has_formula_range_hazards_and_source(name: str) -> None:
    sheet = type(get(name)).__doc__ or ""
    assert sheet.startswith(("``f(x) = ", "``f(a, b) = "))
    for heading in ("Range: ", "Hazards: ", f"Source: {get(name).source}."):
        assert heading in sheet


@pytest.mark.parametrize("act", [*map(get, names()), ELU(0.3)], ids=repr)
def test_entries_are_values(act: Activation) -> None:
    twin = type(act)(**vars(act))
    assert twin == act
    assert hash(twin) == hash(act)


@pytest.mark.parametrize("name", names())
def test_get_returns_the_entry_of_that_name(name: str) -> None:
    assert get(name).name == name


KINDS = {"elementwise": (Entry, Sheet), "gated": (Combination, CombinationSheet), "head": (Head, HeadSheet)}


def test_each_name_is_of_one_kind_and_its_entry_and_sheet_are_those_of_the_kind() -> None:
    assert sorted(name for kind in KINDS for name in names(kind=kind)) == list(names())
    for kind, (entry, sheet) in KINDS.items():
        for name in names(kind=kind):
            found = get(name, kind=kind)
            assert kind_of(found) == kind_of(type(found)) == kind
            assert isinstance(found, entry)
            assert isinstance(found.sheet, sheet)


def test_a_kind_that_does_not_exist_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No kind of function is named 'heads'\. Did you mean 'head'\?"):
        names(kind="heads")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match=r"named 'elementwize'\. Did you mean 'elementwise'\?"):
        get("relu", kind="elementwize")  # type: ignore[call-overload]


def test_an_entry_of_another_kind_is_refused_with_what_it_is() -> None:
    with pytest.raises(
        InvalidValue, match=r"swiglu is a function of several inputs\. Expected a function of each numb"
    ):
        get("swiglu", kind="elementwise")
    with pytest.raises(
        InvalidValue, match=r"relu is .* Expected a function of a whole axis: one of names\(kind='head'\)"
    ):
        get("relu", kind="head")


def test_only_elementwise_functions_have_a_selectable_slope_at_kinks() -> None:
    with pytest.raises(InvalidValue, match=r"reglu\(slope_at_kink='left'\): reglu is a function of several inputs"):
        get("reglu", slope_at_kink="left")


def test_get_passes_parameters_on() -> None:
    assert get("leaky_relu", negative_slope=0.3) == LeakyReLU(0.3)


def test_the_first_thirteen_and_their_relatives_are_there() -> None:
    wanted = "relu leaky_relu prelu elu selu gelu gelu_tanh silu mish sigmoid tanh softplus hardswish identity"
    more = "relu6 hardtanh hardsigmoid softsign celu logsigmoid quick_gelu squared_relu"
    assert set(f"{wanted} {more}".split()) <= set(names())


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No activation is named 'rleu'\. Did you mean 'relu'\?"):
        get("rleu")


def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(InvalidValue, match=r"elu\(slope=0.1\): no such parameter\. elu takes alpha\."):
        get("elu", slope=0.1)
    with pytest.raises(InvalidValue, match=r"relu\(alpha=1\): no such parameter\. relu takes none\."):
        get("relu", alpha=1)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("elu", {"alpha": math.nan}, r"elu\(alpha=nan\): expected a finite number\."),
        (
            "leaky_relu",
            {"negative_slope": "steep"},
            r"leaky_relu\(negative_slope='steep'\): expected a finite number\.",
        ),
        ("prelu", {"negative_slope": True}, r"prelu\(negative_slope=True\): expected a finite number\."),
        ("softplus", {"beta": 0}, r"softplus\(beta=0\): expected a finite number > 0\."),
        ("celu", {"alpha": -1.0}, r"celu\(alpha=-1\.0\): expected a finite number > 0\."),
        ("isru", {"alpha": 0.0}, r"isru\(alpha=0\.0\): expected a finite number > 0\."),
        ("isrlu", {"alpha": -1}, r"isrlu\(alpha=-1\): expected a finite number > 0\."),
        ("squareplus", {"b": 0}, r"squareplus\(b=0\): expected a finite number > 0\."),
        ("sin", {"w0": math.inf}, r"sin\(w0=inf\): expected a finite number > 0\."),
        ("snake", {"alpha": 0}, r"snake\(alpha=0\): expected a finite number > 0\."),
        ("star_relu", {"scale": -1.0}, r"star_relu\(scale=-1\.0\): expected a finite number > 0\."),
        ("threshold", {"value": math.nan}, r"threshold\(value=nan\): expected a finite number\."),
        ("hardshrink", {"lambd": -0.5}, r"hardshrink\(lambd=-0\.5\): expected a finite number >= 0\."),
        ("softshrink", {"lambd": -1}, r"softshrink\(lambd=-1\): expected a finite number >= 0\."),
        ("swiglu", {"beta": 0}, r"swiglu\(beta=0\): expected a finite number > 0\."),
        ("geglu", {"approximate": "fast"}, r"geglu\(approximate='fast'\): expected 'none' or 'tanh'\."),
        ("softmax", {"temperature": 0.0}, r"softmax\(temperature=0\.0\): expected a finite number > 0\."),
        (
            "gumbel_softmax",
            {"temperature": math.nan},
            r"gumbel_softmax\(temperature=nan\): expected a finite number > 0",
        ),
        ("entmax", {"alpha": 0.5}, r"entmax\(alpha=0\.5\): expected a finite number >= 1\."),
        ("scaled_tanh", {"low": 2}, r"scaled_tanh\(low=2, high=1\.0\): expected low < high\."),
        ("hardtanh", {"min_val": 2}, r"hardtanh\(min_val=2, max_val=1\.0\): expected min_val < max_val\."),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_range(name: str, parameters: dict[str, float], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        get(name, **parameters)


def test_a_name_is_given_only_once() -> None:
    with pytest.raises(InvalidValue, match=r"register\('relu'\): this name belongs to ReLU already\."):
        register("relu")(type("Other", (ReLU,), {}))


def test_the_interface_itself_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Activation()  # type: ignore[abstract]


def test_a_user_can_add_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limen.activations.base._ENTRIES", {})

    @register("double")
    @dataclass(frozen=True)
    class Double(Activation):
        """``f(x) = 2 x``."""

        source = "this test"
        kinks = ()
        monotone = True

        def f(self, x: Tensor) -> Tensor:
            return 2 * x

        def df(self, x: Tensor) -> Tensor:
            return torch.full_like(x, 2.0)

        def d2f(self, x: Tensor) -> Tensor:
            return torch.zeros_like(x)

    assert names() == ("double",)
    assert get("double") == Double()
    assert (Double.__doc__ or "").endswith("Source: this test.")
