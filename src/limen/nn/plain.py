"""Modules of the functions without parameters: those of torch.nn, then the others of the catalogue."""

from __future__ import annotations

from limen import activations
from limen.nn.elementwise import Plain

__all__ = [
    "SELU",
    "SQNL",
    "Abs",
    "Arctan",
    "Asinh",
    "BentIdentity",
    "Erf",
    "GELUTanh",
    "Gaussian",
    "HardMish",
    "Hardsigmoid",
    "Hardswish",
    "LeCunTanh",
    "LiSHT",
    "LogSigmoid",
    "Logish",
    "Mish",
    "Phish",
    "QuickGELU",
    "ReLU",
    "ReLU6",
    "Serf",
    "SiLU",
    "Sigmoid",
    "Smish",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "SquaredReLU",
    "Tanh",
    "TanhExp",
    "Tanhshrink",
]


class Hardsigmoid(Plain):
    """``torch.nn.Hardsigmoid``, which may be differentiated twice."""

    kind = activations.Hardsigmoid


class Hardswish(Plain):
    """``torch.nn.Hardswish``, without its overflow."""

    kind = activations.Hardswish


class LogSigmoid(Plain):
    """``torch.nn.LogSigmoid``."""

    kind = activations.LogSigmoid


class Mish(Plain):
    """``torch.nn.Mish``, with the right slope far on the left."""

    kind = activations.Mish


class ReLU(Plain):
    """``torch.nn.ReLU``; a NaN has no slope of 1."""

    kind = activations.ReLU


class ReLU6(Plain):
    """``torch.nn.ReLU6``; a NaN has no slope of 0."""

    kind = activations.ReLU6


class SELU(Plain):
    """``torch.nn.SELU``. Keeps mean 0 and variance 1 from layer to layer, but only under its conditions.

    * the weights are LeCun-normal: ``torch.nn.init.kaiming_normal_(weight, nonlinearity="linear")``, not with the gain
      that torch gives for ``selu``; ``limen.init_`` chooses them so;
    * the biases begin at 0, and the inputs have mean 0 and variance 1;
    * dropout is ``limen.nn.AlphaDropout``, which keeps both; ``torch.nn.Dropout`` does not;
    * the layers follow each other plainly: no residual branches, no normalisation in between.
    """

    kind = activations.SELU


class SiLU(Plain):
    """``torch.nn.SiLU``, also far on the left."""

    kind = activations.SiLU


class Sigmoid(Plain):
    """``torch.nn.Sigmoid``, whose slope does not vanish before its time."""

    kind = activations.Sigmoid


class Softsign(Plain):
    """``torch.nn.Softsign``, also at infinity."""

    kind = activations.Softsign


class Tanh(Plain):
    """``torch.nn.Tanh``, whose slope does not vanish before its time."""

    kind = activations.Tanh


class Tanhshrink(Plain):
    """``torch.nn.Tanhshrink``, also near 0."""

    kind = activations.Tanhshrink


class Abs(Plain):
    """The absolute value."""

    kind = activations.Abs


class Arctan(Plain):
    """The inverse of the tangent."""

    kind = activations.Arctan


class Asinh(Plain):
    """The inverse of the hyperbolic sine."""

    kind = activations.Asinh


class BentIdentity(Plain):
    """The bent identity."""

    kind = activations.BentIdentity


class Erf(Plain):
    """The error function."""

    kind = activations.Erf


class GELUTanh(Plain):
    """What ``torch.nn.GELU("tanh")`` computes, as a class of its own."""

    kind = activations.GELUTanh


class Gaussian(Plain):
    """The bell of radial basis functions."""

    kind = activations.Gaussian


class HardMish(Plain):
    """The parabola for ``Mish`` that timm has."""

    kind = activations.HardMish


class LeCunTanh(Plain):
    """The tanh of Efficient BackProp."""

    kind = activations.LeCunTanh


class LiSHT(Plain):
    """The input times its tanh."""

    kind = activations.LiSHT


class Logish(Plain):
    """The input times the logarithm of an opening gate."""

    kind = activations.Logish


class Phish(Plain):
    """The input times the tanh of its GELU."""

    kind = activations.Phish


class QuickGELU(Plain):
    """The GELU of CLIP."""

    kind = activations.QuickGELU


class SQNL(Plain):
    """Two parabolas for a tanh."""

    kind = activations.SQNL


class Serf(Plain):
    """The input times the error function of its softplus."""

    kind = activations.Serf


class Smish(Plain):
    """The input times the tanh of a logarithm."""

    kind = activations.Smish


class SparsePlus(Plain):
    """A parabola for a softplus."""

    kind = activations.SparsePlus


class SparseSigmoid(Plain):
    """Straight pieces for a sigmoid: the slope of ``SparsePlus``."""

    kind = activations.SparseSigmoid


class SquaredReLU(Plain):
    """The square of a ReLU."""

    kind = activations.SquaredReLU


class TanhExp(Plain):
    """The input times the tanh of its exponential."""

    kind = activations.TanhExp
