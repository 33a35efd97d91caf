"""The catalogue of activation functions: value, slope, curvature, kinks, flat sides and source of each."""

from limen.activations.algebraic import ISRLU, ISRU, Asinh, BentIdentity, Softsign, SquarePlus
from limen.activations.arrays import OnArrays
from limen.activations.at_kinks import AtKinks, at_kinks
from limen.activations.base import get, kind_of, names, register
from limen.activations.clipped import Hardsigmoid, HardsigmoidKeras2, Hardtanh, SparseSigmoid
from limen.activations.exponential import CELU, ELU, SELU, LogSigmoid, Softplus
from limen.activations.frameworks import clashes, frameworks
from limen.activations.from_call import of_call, register_call
from limen.activations.from_module import composite, of_class_name, of_module
from limen.activations.gated import GELUTanh, QuickGELU, SiLU
from limen.activations.gated_units import GEGLU, GLU, BilinearGLU, ReGLU, SwiGLU
from limen.activations.heads import Exp, GumbelSoftmax, LogSoftmax, Softmax, Softmin
from limen.activations.interface import Activation, Entry
from limen.activations.kinds import Combination, CombinationSheet, Head, HeadSheet
from limen.activations.learnable_gates import ACONC, DynamicTanh, Swish
from limen.activations.learnable_maxout import Maxout
from limen.activations.learnable_rational import PAU
from limen.activations.learnable_slopes import APL, RReLU
from limen.activations.learnable_splines import KANSpline, LinearSpline
from limen.activations.mish import Mish
from limen.activations.normal import GELU, Erf, Gaussian
from limen.activations.numeric import Description, describe
from limen.activations.output_heads import OutputHead, head_for, tasks
from limen.activations.parabolic import SQNL, HardMish, Hardswish, SparsePlus, SquaredReLU, StarReLU
from limen.activations.periodic import Sin, Snake
from limen.activations.rectified import Abs, Identity, LeakyReLU, PReLU, ReLU, ReLU6
from limen.activations.rounding import InDoubles
from limen.activations.scaled_tanh import ScaledTanh
from limen.activations.sheet import Sheet
from limen.activations.shrinkage import Hardshrink, Softshrink, Tanhshrink, Threshold
from limen.activations.sigmoidal import Arctan, LeCunTanh, Sigmoid, Tanh
from limen.activations.smooth_gates import LiSHT, Logish, Phish, Serf, Smish, TanhExp
from limen.activations.sparse_heads import Entmax, Sparsemax
from limen.activations.tails import Tails, tails

__all__ = [
    "ACONC",
    "APL",
    "CELU",
    "ELU",
    "GEGLU",
    "GELU",
    "GLU",
    "ISRLU",
    "ISRU",
    "PAU",
    "SELU",
    "SQNL",
    "Abs",
    "Activation",
    "Arctan",
    "Asinh",
    "AtKinks",
    "BentIdentity",
    "BilinearGLU",
    "Combination",
    "CombinationSheet",
    "Description",
    "DynamicTanh",
    "Entmax",
    "Entry",
    "Erf",
    "Exp",
    "GELUTanh",
    "Gaussian",
    "GumbelSoftmax",
    "HardMish",
    "Hardshrink",
    "Hardsigmoid",
    "HardsigmoidKeras2",
    "Hardswish",
    "Hardtanh",
    "Head",
    "HeadSheet",
    "Identity",
    "InDoubles",
    "KANSpline",
    "LeCunTanh",
    "LeakyReLU",
    "LiSHT",
    "LinearSpline",
    "LogSigmoid",
    "LogSoftmax",
    "Logish",
    "Maxout",
    "Mish",
    "OnArrays",
    "OutputHead",
    "PReLU",
    "Phish",
    "QuickGELU",
    "RReLU",
    "ReGLU",
    "ReLU",
    "ReLU6",
    "ScaledTanh",
    "Serf",
    "Sheet",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Smish",
    "Snake",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "SquarePlus",
    "SquaredReLU",
    "StarReLU",
    "SwiGLU",
    "Swish",
    "Tails",
    "Tanh",
    "TanhExp",
    "Tanhshrink",
    "Threshold",
    "at_kinks",
    "clashes",
    "composite",
    "describe",
    "frameworks",
    "get",
    "head_for",
    "kind_of",
    "names",
    "of_call",
    "of_class_name",
    "of_module",
    "register",
    "register_call",
    "tails",
    "tasks",
]
