"""The catalogue of activation functions: value, slope, curvature, kinks, flat sides and source of each."""

from limen.activations.algebraic import ISRLU, ISRU, Asinh, BentIdentity, Softsign, SquarePlus
from limen.activations.arrays import OnArrays
from limen.activations.at_kinks import AtKinks, at_kinks
from limen.activations.base import get, names, register
from limen.activations.clipped import Hardsigmoid, HardsigmoidKeras2, Hardtanh, SparseSigmoid
from limen.activations.exponential import CELU, ELU, SELU, LogSigmoid, Softplus
from limen.activations.frameworks import clashes, frameworks
from limen.activations.from_call import of_call
from limen.activations.from_module import composite, of_class_name, of_module
from limen.activations.gated import GELUTanh, QuickGELU, SiLU
from limen.activations.interface import Activation, Entry
from limen.activations.mish import Mish
from limen.activations.normal import GELU, Erf, Gaussian
from limen.activations.parabolic import SQNL, HardMish, Hardswish, SparsePlus, SquaredReLU, StarReLU
from limen.activations.periodic import Sin, Snake
from limen.activations.rectified import Abs, Identity, LeakyReLU, PReLU, ReLU, ReLU6
from limen.activations.rounding import InDoubles
from limen.activations.sheet import Sheet
from limen.activations.shrinkage import Hardshrink, Softshrink, Tanhshrink, Threshold
from limen.activations.sigmoidal import Arctan, LeCunTanh, Sigmoid, Tanh
from limen.activations.smooth_gates import LiSHT, Logish, Phish, Serf, Smish, TanhExp
from limen.activations.tails import Tails, tails

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "ISRLU",
    "ISRU",
    "SELU",
    "SQNL",
    "Abs",
    "Activation",
    "Arctan",
    "Asinh",
    "AtKinks",
    "BentIdentity",
    "Entry",
    "Erf",
    "GELUTanh",
    "Gaussian",
    "HardMish",
    "Hardshrink",
    "Hardsigmoid",
    "HardsigmoidKeras2",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "InDoubles",
    "LeCunTanh",
    "LeakyReLU",
    "LiSHT",
    "LogSigmoid",
    "Logish",
    "Mish",
    "OnArrays",
    "PReLU",
    "Phish",
    "QuickGELU",
    "ReLU",
    "ReLU6",
    "Serf",
    "Sheet",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Smish",
    "Snake",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "SquarePlus",
    "SquaredReLU",
    "StarReLU",
    "Tails",
    "Tanh",
    "TanhExp",
    "Tanhshrink",
    "Threshold",
    "at_kinks",
    "clashes",
    "composite",
    "frameworks",
    "get",
    "names",
    "of_call",
    "of_class_name",
    "of_module",
    "register",
    "tails",
]
