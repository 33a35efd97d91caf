"""The modules whose functions are learned, by the entries that describe them."""

from collections.abc import Callable
from typing import Any

from torch import nn

from limen import activations
from limen.activations import Activation
from limen.nn.learnable_gates import ACONC, DynamicTanh, Swish
from limen.nn.learnable_kan import KANSpline
from limen.nn.learnable_rational import PAU
from limen.nn.learnable_slopes import APL, RReLU
from limen.nn.learnable_splines import LinearSpline

__all__ = ["LEARNABLE"]

LEARNABLE: dict[type[Activation], Callable[[Any], nn.Module]] = {
    activations.ACONC: ACONC.of,
    activations.APL: APL.of,
    activations.DynamicTanh: DynamicTanh.of,
    activations.KANSpline: KANSpline.of,
    activations.LinearSpline: LinearSpline.of,
    activations.PAU: PAU.of,
    activations.RReLU: RReLU.of,
    activations.Swish: Swish.of,
}
"""A new module for an entry of each class, that begins as the entry is."""
