"""What other libraries mean by a name."""

import pytest
import torch

from limen.activations import (
    ELU,
    GELU,
    GELUTanh,
    Hardsigmoid,
    LeakyReLU,
    SiLU,
    clashes,
    frameworks,
    get,
    names,
    of_module,
)
from limen.activations.frameworks import _FRAMEWORKS, ALIASES
from limen.errors import InvalidValue, UnknownName


@pytest.mark.parametrize(
    ("framework", "slope"),
    [("torch", 0.01), ("jax", 0.01), ("timm", 0.01), ("tensorflow", 0.2), ("keras", 0.2), ("keras2", 0.3)],
)
def test_leaky_relu_has_the_slope_of_each_framework(framework: str, slope: float) -> None:
    assert get("leaky_relu", framework=framework) == LeakyReLU(slope)


def test_in_keras_the_layer_and_the_function_differ() -> None:
    assert get("LeakyReLU", framework="keras") == LeakyReLU(0.3)


def test_a_parameter_that_is_given_goes_before_the_default() -> None:
    assert get("leaky_relu", framework="keras", negative_slope=0.1) == LeakyReLU(0.1)
    assert get("relu", framework="jax", slope_at_kink="mean").df(torch.zeros(1)) == 0.5


def test_gelu_of_jax_is_the_one_with_tanh() -> None:
    assert get("gelu", framework="jax") == GELUTanh()
    assert {get("gelu", framework=other) for other in frameworks() if other != "jax"} == {GELU()}


def test_the_two_hard_sigmoids() -> None:
    x = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])
    old = get("hard_sigmoid", framework="keras2")
    torch.testing.assert_close(old.f(x), torch.tensor([0, 0.3, 0.5, 0.7, 1]))  # as printed in its manual
    new = {get("hard_sigmoid", framework=other) for other in ("jax", "keras", "timm")}
    assert new == {Hardsigmoid()}
    gap = (old.f(x := torch.linspace(-4, 4, 8001)) - Hardsigmoid().f(x)).abs().max()
    assert float(gap) == pytest.approx(1 / 12, abs=1e-6)


@pytest.mark.parametrize("framework", frameworks())
def test_every_name_of_a_framework_leads_to_an_entry(framework: str) -> None:
    for name, (entry, _) in _FRAMEWORKS[framework].items():
        assert get(name, framework=framework).name == entry


@pytest.mark.parametrize("name", _FRAMEWORKS["torch"])
def test_torchs_functions_and_modules_have_the_same_defaults(name: str) -> None:
    modules = {module.__name__.lower(): module for module in vars(torch.nn).values() if isinstance(module, type)}
    module = modules[name.replace("_", "")]
    made = module(1.0, 0.0) if name == "threshold" else module()
    assert of_module(made) == get(name, framework="torch")


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_its_entry_or_one_of_its_own_name(alias: str) -> None:
    assert get(alias).name == (alias if alias in names() else ALIASES[alias])


def test_swish_is_silu_where_its_beta_is_one() -> None:
    x = torch.linspace(-3, 3, 13)
    assert torch.equal(get("swish").f(x), SiLU().f(x))
    assert get("swish", framework="keras") == SiLU()


def test_an_unknown_framework_or_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No framework is named 'pytorch'\. Did you mean 'torch'\?"):
        get("relu", framework="pytorch")
    with pytest.raises(UnknownName, match=r"No activation of keras is named 'leakyrelu'\. Did you mean 'leaky_relu'\?"):
        get("leakyrelu", framework="keras")
    with pytest.raises(UnknownName, match=r"No activation of tensorflow is named 'mish'\."):
        get("mish", framework="tensorflow")
    with pytest.raises(UnknownName, match=r"named 'swich'\. Did you mean 'swish'\?"):
        get("swich")


def test_parameters_are_checked_as_ever() -> None:
    with pytest.raises(InvalidValue, match=r"elu\(slope=0\.1\): no such parameter\."):
        get("elu", framework="jax", slope=0.1)
    assert get("elu", framework="jax", alpha=0.5) == ELU(0.5)


def test_the_names_that_clash_are_told_and_on_the_sheets() -> None:
    assert set(clashes()) == {"gelu", "hard_sigmoid", "leaky_relu"}
    for name, words in (
        ("leaky_relu", "0.01 0.2 0.3"),
        ("gelu", "JAX gelu_tanh"),
        ("hardsigmoid", "hardsigmoid_keras2"),
    ):
        assert all(word in (type(get(name)).__doc__ or "") for word in words.split())
