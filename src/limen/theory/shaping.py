"""Functions scaled, shifted or bent so that a deep network without normalisation keeps what tells inputs apart."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from limen.activations import Activation, LeakyReLU, PReLU
from limen.errors import InvalidValue
from limen.theory.crossing import crossing
from limen.theory.curve import Curve, Function, as_curve
from limen.theory.kernel import kernel
from limen.theory.scale_search import Averages, Place, is_settled, nearest_places
from limen.theory.scaled import LocalMaps, Scaled, local_maps
from limen.theory.structure import Chain, Structure, largest

__all__ = ["Method", "Shaped", "shape"]

Method = Literal["tat", "dks"]


@dataclass(frozen=True)
class Shaped:
    """A function shaped for a network, with what was asked of it and what it does.

    Attributes:
        function: an activation: pass it wherever one is taken, or call this value in its place.
        method: ``tat`` or ``dks``.
        target: asked of the network.
        reached: by the network, with this function.
        local: the maps of one layer.
    """

    function: Scaled
    method: Method
    target: float
    reached: float
    local: LocalMaps

    @property
    def attained(self) -> bool:
        """Whether the target is reached; a shallow network may stay below it even with the function most bent."""
        return math.isclose(self.reached, self.target, rel_tol=1e-6)

    @property
    def remark(self) -> str:
        """What there is to say where the target is not attained; else empty."""
        if self.attained:
            return ""
        return (
            f"This network is too shallow for the target {self.target:g}: with a ReLU, the most bent of its kind, it "
            f"reaches {self.reached:.3g}. It does no harm there, so the function is one."
        )

    @property
    def curve(self) -> Curve:
        """The function with its slope and kinks, as the theory takes it."""
        return as_curve(self.function)

    def __call__(self, x: Tensor) -> Tensor:
        """The shaped function, for tensors of any shape."""
        return self.function.f(x)


def shape(
    activation: Function,
    *,
    depth: int | None = None,
    structure: Structure | None = None,
    method: Method = "tat",
    target: float | None = None,
) -> Shaped:
    r"""The function, shaped so that a network of this structure neither merges its inputs nor tears them apart.

    The network shall have no normalisation, sums that keep the variance (``residual``), and weights of variance
    ``1 / fan_in`` (best orthogonal ones). ``Q`` and ``C`` are the length and correlation maps of a layer; every result
    has ``Q(1) = Q'(1) = 1``.

    ``tat``: ``leaky_relu`` gets the slope at which inputs at right angles come to the correlation ``target`` (0.9).
    Smooth functions get scales and shifts with ``C'(1) = 1`` and a curvature ``C''(1)`` that is ``target`` (0.3) for
    the whole network.

    ``dks``: ``C(0) = 0``, and the largest slope at 1 of the maps of all parts of the network is ``target`` (1.5).

    Args:
        activation: a catalogue entry or its name, a module, a ``Curve``, or a function of a tensor. Of ``leaky_relu``
            and ``prelu`` the slope is what is chosen.
        depth: of a plain chain of layers; or else
        structure: how the layers are joined: ``Chain``, ``Series``, ``Sum``, ``residual``.
        method: ``tat`` or ``dks``.
        target: see above.

    Returns:
        The function, its parameters, and what it reaches. A network too shallow to reach the target with a
        ``leaky_relu`` gets a ReLU, ``attained`` is False, and ``remark`` says so.

    Raises:
        InvalidValue: the arguments contradict each other, the method is not made for this function (``tat`` for one
            whose slope jumps), or no scale and shift do what is asked.

    Accuracy: relative 1e-9 of the parameters (``tests/theory/test_shaping.py``).
    Source: Martens et al. 2021, arXiv:2110.01765; Zhang, Botev & Martens 2022, arXiv:2203.08120. Of several scales and
    shifts that do what is asked this takes those with the smallest input shift.

    >>> leaky = shape("leaky_relu", depth=50)
    >>> round(leaky.function.base.negative_slope, 6), round(leaky.function.output_scale, 6), leaky.attained
    (0.430523, 1.298948, True)
    >>> shallow = shape("leaky_relu", depth=10)  # even a ReLU does no harm there
    >>> shallow.function.base.negative_slope, round(shallow.reached, 2), shallow.attained
    (0.0, 0.87, False)
    >>> round(shape("gelu", depth=100, method="dks").local.chi_1 ** 100, 6)
    1.5
    """
    if (depth is None) == (structure is None):
        raise InvalidValue(f"shape(depth={depth!r}, structure={structure!r}): expected one of the two.")
    whole = Chain(depth) if depth is not None else structure
    assert whole is not None
    if largest(whole, lambda x: x + 1, 0.0) == 0:
        raise InvalidValue(f"shape(…, {whole!r}): expected at least one layer on its paths.")
    curve = as_curve(activation)
    ask = _Question(curve, whole, method, target)
    match (method, curve.entry):
        case ("tat", LeakyReLU() | PReLU() as entry):
            return _leaky_tat(ask, entry)
        case ("dks", LeakyReLU() | PReLU() as entry):
            return _leaky_dks(ask, entry)
        case ("tat", _):
            return _smooth_tat(ask)
        case ("dks", _):
            return _dks(ask)
        case _:
            raise InvalidValue(f"shape(method={method!r}): expected 'tat' or 'dks'.")


@dataclass(frozen=True)
class _Question:
    """What was asked for, for the answers and for the words of refusals."""

    curve: Curve
    structure: Structure
    method: Method
    asked: float | None

    @property
    def base(self) -> Activation | Curve:
        return self.curve.entry or self.curve

    def target(self, default: float, above: float, below: float = math.inf) -> float:
        value = default if self.asked is None else self.asked
        if math.isfinite(value) and above < value < below:
            return float(value)
        limit = f" and < {below:g}" if math.isfinite(below) else ""
        raise InvalidValue(
            f"shape({self.curve.name}, method={self.method!r}, target={value!r}): expected a number > {above:g}{limit}."
        )

    def local(self, step: Callable[[float], Callable[[float], float]], start: float, target: float) -> float:
        """The number that one layer may bring for the network to come to ``target``: ``step(number)`` is its map."""

        def excess(number: float) -> float:
            return largest(self.structure, step(number), start) - target

        high = 1e-9
        while excess(high) < 0:
            high *= 2
        return crossing(excess, 0.0, high)

    def answer(self, function: Scaled, target: float, reached: Callable[[LocalMaps], float]) -> Shaped:
        maps = local_maps(function)
        return Shaped(function, self.method, target, reached(maps), maps)

    def refusal(self, why: str) -> InvalidValue:
        return InvalidValue(f"shape({self.curve.name}, method={self.method!r}): {why}")


# --- leaky_relu: its slope is what is chosen -----------------------------------------------------------------------


def _leaky_tat(ask: _Question, entry: LeakyReLU | PReLU) -> Shaped:
    target = ask.target(0.9, 0.0, 1.0)

    def reached(slope: float) -> float:
        bent, gain = LeakyReLU(slope), 2 / (1 + slope**2)
        return largest(ask.structure, lambda c: min(1.0, gain * kernel(bent, c)), 0.0)

    enough = reached(0.0) > target
    slope = crossing(lambda slope: reached(slope) - target, 0.0, 1.0) if enough else 0.0
    function = Scaled(replace(entry, negative_slope=slope), 1.0, 0.0, math.sqrt(2 / (1 + slope**2)), 0.0)
    return ask.answer(function, target, lambda _: reached(slope))


def _leaky_dks(ask: _Question, entry: LeakyReLU | PReLU) -> Shaped:
    """With the mean taken off, ``C'(1) = 1 / (1 - (1 - a)² / (π (1 + a²)))``, and ``Q'(1) = 1`` for any slope ``a``."""
    target = ask.target(1.5, 1.0)
    psi = _slope_of_layer(ask, target)
    bend = 1 - math.pi * (1 - 1 / psi)  # 2a / (1 + a²)
    slope = bend / (1 + math.sqrt(1 - bend**2)) if bend > 0 else 0.0
    mean = (1 - slope) / math.sqrt(2 * math.pi)
    scale = 1 / math.sqrt((1 + slope**2) / 2 - mean**2)
    function = Scaled(replace(entry, negative_slope=slope), 1.0, 0.0, scale, -mean)
    return ask.answer(function, target, lambda maps: _steepest(ask, maps.chi_1))


# --- other functions: scales and shifts ----------------------------------------------------------------------------


def _dks(ask: _Question) -> Shaped:
    target = ask.target(1.5, 1.0)
    psi = _slope_of_layer(ask, target)

    def excess(found: Averages) -> float:
        return found.slope_square / found.variance - psi

    for place in nearest_places(ask.curve, excess, (0,)):
        return ask.answer(_scaled(ask, place), target, lambda maps: _steepest(ask, maps.chi_1))
    raise ask.refusal(
        f"no scale and shift of its argument give Q'(1) = 1, C(0) = 0 and C'(1) = {psi:.6g}. "
        "Take another function or a leaky_relu, whose slope can be chosen, or ask for a smaller target."
    )


def _smooth_tat(ask: _Question) -> Shaped:
    target = ask.target(0.3, 0.0)
    if math.isinf(local_maps(Scaled(ask.base, 1.0, 0.0, 1.0, 0.0)).curvature):
        raise ask.refusal(
            "its slope jumps, and then C''(1) is infinite. Take leaky_relu, whose slope can be chosen, a smooth "
            "function, or method='dks'."
        )
    tau = ask.local(lambda number: lambda x: x + number, 0.0, target)

    def excess(found: Averages) -> float:
        return found.bend_square / found.slope_square - tau

    for function in _each_smooth(ask, nearest_places(ask.curve, excess, (1, -1))):
        return ask.answer(function, target, lambda maps: largest(ask.structure, lambda x: x + maps.curvature, 0.0))
    raise ask.refusal(
        f"no scale and shift of its argument give Q'(1) = C'(1) = 1 and C''(1) = {tau:.6g}. "
        "Take another function, method='dks', or ask for a smaller target."
    )


def _each_smooth(ask: _Question, places: Iterator[Place]) -> Iterator[Scaled]:
    for place in places:
        function = _scaled(ask, place)
        if math.isfinite(local_maps(function).curvature):
            yield function


def _scaled(ask: _Question, place: Place) -> Scaled:
    if not is_settled(ask.curve, place):
        raise ask.refusal("its averages depend on where they are taken. Name all its kinks in a Curve.")
    found = place.averages
    scale = 1 / math.sqrt(found.variance + place.offset**2)
    return Scaled(ask.base, place.scale, place.shift, scale, place.offset - found.mean)


def _slope_of_layer(ask: _Question, target: float) -> float:
    return 1 + ask.local(lambda number: lambda x: x * (1 + number), 1.0, target)


def _steepest(ask: _Question, slope: float) -> float:
    return largest(ask.structure, lambda x: x * slope, 1.0)
