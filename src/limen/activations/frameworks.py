"""What other libraries call the functions of the catalogue, and the parameters that they take for granted.

One name may mean several functions: ``leaky_relu`` has three slopes, ``gelu`` and ``hard_sigmoid`` two formulas each.
"""

from collections.abc import Iterable

from limen.errors import UnknownName

__all__ = ["ALIASES", "clashes", "frameworks", "meant"]

Meaning = tuple[str, dict[str, float]]
"""A name of the catalogue, and the parameters whose defaults there are others."""

ALIASES: dict[str, str] = {
    "atan": "arctan",
    "bent_id": "bent_identity",
    "gelu_fast": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "hard_shrink": "hardshrink",
    "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_tanh": "hardtanh",
    "linear": "identity",
    "log_sigmoid": "logsigmoid",
    "lrelu": "leaky_relu",
    "relu2": "squared_relu",
    "relu_squared": "squared_relu",
    "soft_plus": "softplus",
    "soft_shrink": "softshrink",
    "soft_sign": "softsign",
    "swish": "silu",
    "tanh_shrink": "tanhshrink",
}
"""Other spellings. Where the catalogue has an entry of the same name, that one is meant."""


def _named(names: str, **others: str | Meaning) -> dict[str, Meaning]:
    """Names of one library: those that the catalogue or ``ALIASES`` know, and those that mean something else there."""
    plain: dict[str, Meaning] = {name: (ALIASES.get(name, name), {}) for name in names.split()}
    return plain | {name: (other, {}) if isinstance(other, str) else other for name, other in others.items()}


_FRAMEWORKS: dict[str, dict[str, Meaning]] = {
    # torch.nn.functional; torch.nn has the same defaults
    "torch": _named(
        "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish prelu relu relu6 selu "
        "sigmoid silu softplus softshrink softsign tanh tanhshrink threshold"
    ),
    # jax.nn 0.7
    "jax": _named(
        "celu elu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu log_sigmoid mish relu relu6 selu "
        "sigmoid silu soft_sign softplus sparse_plus sparse_sigmoid squareplus swish tanh",
        gelu="gelu_tanh",  # approximate=True
    ),
    # keras.activations 3; the layer LeakyReLU has another slope than the function
    "keras": _named(
        "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh linear log_sigmoid mish relu relu6 "
        "selu sigmoid silu soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus swish tanh tanh_shrink "
        "threshold",
        leaky_relu=("leaky_relu", {"negative_slope": 0.2}),
        LeakyReLU=("leaky_relu", {"negative_slope": 0.3}),
    ),
    # keras.activations and keras.layers of Keras 2, which is now tf-keras
    "keras2": _named(
        "elu gelu linear mish relu selu sigmoid softplus softsign swish tanh",
        hard_sigmoid="hardsigmoid_keras2",
        leaky_relu=("leaky_relu", {"negative_slope": 0.3}),
        LeakyReLU=("leaky_relu", {"negative_slope": 0.3}),
    ),
    # tensorflow.nn 2
    "tensorflow": _named(
        "elu gelu relu relu6 selu sigmoid silu softplus softsign swish tanh",
        leaky_relu=("leaky_relu", {"negative_slope": 0.2}),
    ),
    # timm.layers.create_act
    "timm": _named(
        "celu elu gelu gelu_tanh hard_mish hard_sigmoid hard_swish identity leaky_relu mish prelu quick_gelu relu "
        "relu6 selu sigmoid silu swish tanh"
    ),
    # transformers.activations.ACT2FN
    "transformers": _named(
        "gelu gelu_fast gelu_new gelu_pytorch_tanh leaky_relu linear mish prelu quick_gelu relu relu2 relu6 sigmoid "
        "silu swish tanh",
        gelu_python="gelu",
    ),
}


def frameworks() -> tuple[str, ...]:
    """The libraries whose names and defaults are known.

    >>> "jax" in frameworks()
    True
    """
    return tuple(_FRAMEWORKS)


def meant(
    name: str, framework: str | None, parameters: dict[str, float], known: Iterable[str]
) -> tuple[str, dict[str, float]]:
    """The catalogue's name, and the parameters, of what a library calls ``name``.

    Args:
        name: as the library spells it; without one, a name of the catalogue or another spelling of it.
        framework: one of ``frameworks()``, or None.
        parameters: those that are given; they go before the library's defaults.
        known: the names of the catalogue.

    Raises:
        UnknownName: a library that is not known, or a name that it does not have.
    """
    if framework is None:
        return name if name in known else ALIASES.get(name, name), parameters
    if framework not in _FRAMEWORKS:
        raise UnknownName.of("framework", framework, _FRAMEWORKS)
    if name not in _FRAMEWORKS[framework]:
        raise UnknownName.of(f"activation of {framework}", name, _FRAMEWORKS[framework])
    entry, defaults = _FRAMEWORKS[framework][name]
    return entry, {**defaults, **parameters}


def clashes() -> dict[str, dict[str, Meaning]]:
    """Names that do not mean the same everywhere: of each, what it means in every library that has it.

    >>> clashes()["gelu"]["jax"]
    ('gelu_tanh', {})
    """
    every = sorted(set[str]().union(*_FRAMEWORKS.values()))
    found = {name: {one: names[name] for one, names in _FRAMEWORKS.items() if name in names} for name in every}
    return {name: means for name, means in found.items() if len({str(meaning) for meaning in means.values()}) > 1}
