"""The feed-forward block of a transformer with a gated unit, no larger than one without."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from limen.errors import UnknownName
from limen.nn.checks import check_count
from limen.nn.gated_units import GEGLU, GLU, BilinearGLU, Gated, ReGLU, SwiGLU

__all__ = ["GatedFeedForward", "gated_width"]

UNITS: dict[str, Callable[[], Gated]] = {
    "glu": GLU,
    "bilinear": BilinearGLU,
    "reglu": ReGLU,
    "geglu": GEGLU,
    "swiglu": SwiGLU,
}
"""Each gated unit by its name in the catalogue."""


def gated_width(width: int, *, multiple: int = 1) -> int:
    """Hidden width of a gated block that has as many weights as an ungated one with the hidden width ``width``.

    A gated block has three matrices where an ungated one has two, so two thirds of the width keep their number: of the
    usual ``4 d`` for ``d`` features, ``8 d / 3``. Rounded down to a whole number, then up to a multiple.

    Args:
        width: of the ungated block, > 0.
        multiple: that the hardware is fast with, > 0; 256 in LLaMA.

    Raises:
        InvalidValue: one of them is not a whole number > 0 (also a ``ValueError``).

    Source: Shazeer 2020, arXiv:2002.05202, Sec. 3; the rounding is that of Touvron et al. 2023, arXiv:2302.13971.

    >>> gated_width(4 * 4096, multiple=256)
    11008
    """
    for name, value in (("width", width), ("multiple", multiple)):
        check_count("gated_width", name, value)
    return -(-(2 * width // 3) // multiple) * multiple or multiple


class GatedFeedForward(nn.Module):
    """Linear, gated unit, linear: ``[..., features]`` to the same.

    Gate and value are the halves of one matrix, ``project_in``.

    Args:
        features: of input and output.
        hidden: features behind the gate; None for two thirds of ``4 * features``, see ``gated_width``.
        unit: the gated unit by its name in the catalogue.
        multiple: that ``hidden`` is rounded up to where it is not given.
        bias: whether the linear layers have biases.

    Raises:
        UnknownName: no gated unit bears the name (also a ``KeyError``).
        InvalidValue: a size that is not a whole number > 0 (also a ``ValueError``).

    >>> GatedFeedForward(48)
    GatedFeedForward(
      (project_in): Linear(in_features=48, out_features=256, bias=False)
      (unit): SwiGLU(dim=-1, beta=1.0)
      (project_out): Linear(in_features=128, out_features=48, bias=False)
    )
    """

    def __init__(
        self, features: int, hidden: int | None = None, *, unit: str = "swiglu", multiple: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        if unit not in UNITS:
            raise UnknownName.of("gated unit", unit, UNITS)
        check_count("GatedFeedForward", "features", features)
        width = gated_width(4 * features, multiple=multiple) if hidden is None else hidden
        check_count("GatedFeedForward", "hidden", width)
        self.project_in = nn.Linear(features, 2 * width, bias=bias)
        self.unit = UNITS[unit]()
        self.project_out = nn.Linear(width, features, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """``[..., features]`` to ``[..., features]``."""
        return self.project_out(self.unit(self.project_in(input)))
