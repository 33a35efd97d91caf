"""The catalogue of activation functions: value, slope, curvature, kinks, flat sides and source of each."""

from limen.activations.base import Activation, get, names, register
from limen.activations.exponential import CELU, ELU, SELU, LogSigmoid, Softplus
from limen.activations.from_call import of_call
from limen.activations.from_module import composite, of_class_name, of_module
from limen.activations.gated import GELU, GELUTanh, Hardswish, QuickGELU, SiLU
from limen.activations.mish import Mish
from limen.activations.rectified import Identity, LeakyReLU, PReLU, ReLU, ReLU6, SquaredReLU
from limen.activations.sigmoidal import Hardsigmoid, Hardtanh, Sigmoid, Softsign, Tanh
from limen.activations.tails import Tails, tails

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "GELUTanh",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "QuickGELU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Softsign",
    "SquaredReLU",
    "Tails",
    "Tanh",
    "composite",
    "get",
    "names",
    "of_call",
    "of_class_name",
    "of_module",
    "register",
    "tails",
]
