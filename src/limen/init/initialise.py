"""``init_``: the weights of a real model, set for the functions it really applies."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from limen.anatomy.tape import Sample
from limen.anatomy.wrappers import plain_paths, unwrapped
from limen.errors import InvalidValue, LimenError
from limen.init.choices import Choices, Distribution, Keep, Mode
from limen.init.draw import draw
from limen.init.measure import measured_pass
from limen.init.on_sample import PASSES, fit_to_sample
from limen.init.plan import Plan, plan
from limen.init.settings import Setting
from limen.init.structure import structural_tape
from limen.init.table import Figures, Initialisation, Row, spread
from limen.theory import predict

__all__ = ["init_"]

LOOKS, SETTLED = 4, 1e-3
"""How often what no rule covers is looked at with the new weights, and the change at which that ends."""


def init_(
    model: nn.Module,
    sample: Sample | None = None,
    *,
    mode: Mode = "variance",
    keep: Keep = "forward",
    distribution: Distribution | None = None,
    bias: float = 0.0,
    bias_variance: float | None = None,
    residual: bool = True,
    tolerance: float = 0.02,
    predicted: bool = True,
    generator: torch.Generator | None = None,
) -> Initialisation:
    r"""Set the weights of a model so that signals and gradients keep their size, for whatever functions it applies.

    One forward pass on the sample shows which function comes before and after each layer, also where functions are
    called and not modules. A layer's weights get the variance ``(q - σ_b²) / (fan_in · E[x²])``: they undo what the
    functions *before* it did to the second moment ``E[x²]``, and make pre-activations of the variance ``q`` that the
    function *after* it wants. The first layer sees the second moment of the sample itself.

    Args:
        model: any module whose weights can be seen; changed in place.
        sample: what the model is called with, as for ``limen.theory``'s predictions: a tensor, a tuple of arguments or
            a mapping of named ones; a batch of real data. Without one only ``nn.Sequential`` of torch's own layers can
            be read, and its input is taken to have variance 1.
        mode: ``"variance"`` wants ``q = 1``, without biases; where that repels and the model is so deep that an error
            would more than double, it warns and takes the half-stable point. ``"critical"`` wants the point of each
            function at which gradients neither grow nor shrink and which a stack holds by itself, with random biases.
            ``"orthogonal"`` is ``"variance"`` with orthogonal matrices, for convolutions at the centre of the kernel.
            ``"data"`` begins there and scales each layer by what it makes of the sample, to variance 1.
        keep: what ``"variance"`` and ``"orthogonal"`` keep from one hidden layer to the next: the signal
            (``"forward"``), the gradient (``"backward"``: ``1 / (fan_out · E[f'²])``, with ``f`` before the layer) or
            the harmonic mean of both variances (``"both"``, which is Glorot's for a linear layer).
        distribution: ``"normal"``, ``"uniform"`` or ``"orthogonal"``; by default what the mode says, else normal.
        bias: constant that the biases of hidden layers with an activation are set to; others become 0.
        bias_variance: of the random biases of ``"critical"``; by default what each function needs, 0.05 where any would
            do.
        residual: whether the last weights of each residual branch without normalisation are made smaller, so that all
            branches together add as much as the input; a learnt scale at the end of a branch becomes 0.
        tolerance: by how much a variance may be off in ``"data"``, relative.
        predicted: whether the table also shows the variance and the gradient that ``limen.theory.predict`` expects at
            each layer, before and now; it needs a sample, and the time of two predictions.
        generator: where random numbers come from. With one, torch's global generators stay untouched; without, they
            are used, as by ``torch.nn.init``. The result is the same each time for a generator in the same state.

    Returns:
        A table of what was done, with ``.undo()``.

    Frozen parameters, tied ones after their first use, computed ones (weight normalisation) and those that the pass
    does not use are left alone, and the table says so. Buffers are left alone, too; scale and shift of normalisations
    become 1 and 0. LSTM, GRU and RNN get orthogonal recurrent weights for each gate and a forget bias of 1.

    Raises:
        InvalidValue: a model without storage, without weights, scripted or sharded, or one that cannot be read without
            a sample; an option out of range.
        UnknownName: a mode, way to keep or distribution that does not exist.
        SampleRefused: the forward pass raised on the sample.

    Source: He et al. 2015, arXiv:1502.01852; Glorot & Bengio 2010; Schoenholz et al. 2017, arXiv:1611.01232; Roberts,
    Yaida & Hanin 2022, arXiv:2106.10165; Mishkin & Matas 2016, arXiv:1511.06422; Hanin & Rolnick 2018,
    arXiv:1803.01719 (residual branches).

    >>> made = init_(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)))
    >>> [(row.name, row.function, row.rule) for row in made.rows]
    [('0.weight', 'linear → relu', 'variance'), ('2.weight', 'relu → output', 'output')]
    """
    choices = Choices(mode, keep, distribution, bias, bias_variance, residual, tolerance)
    check_model(model, sample, choices)
    tape, measured = (structural_tape(model), {}) if sample is None else measured_pass(model, sample)
    first = plan(tape, choices, measured)
    set_here = [setting for setting in first.settings if setting.way != "left"]
    if not set_here:
        reasons = "; ".join(f"{one.value.name}: {one.remark}" for one in first.settings) or "no weights were seen"
        raise InvalidValue(f"init_(model): nothing to set ({reasons}). Unfreeze what is to be drawn anew.")
    saved = [(leaf, leaf.detach().clone()) for setting in set_here if (leaf := setting.value.leaf) is not None]
    before, unpredicted = figures(model, sample, predicted)
    made = Initialisation(mode, (), (), saved)
    try:
        write(set_here, generator)
        final = first
        if sample is not None and first.guessed:
            final = settled(model, sample, choices, first)
        notes = list(final.warnings)
        if sample is not None and mode == "data":
            notes += fitted(model, sample, final, choices)
    except BaseException:
        made.undo()
        raise
    for text in final.warnings:
        warnings.warn(f"init_(mode={mode!r}): {text}.", stacklevel=2)
    notes += general_notes(model, sample) + unpredicted
    now, _ = figures(model, sample, predicted and not unpredicted)
    table = [replace(row, before=before.get(row.name), now=now.get(row.name)) for row in rows(model, final, saved)]
    return replace(made, rows=tuple(table), notes=tuple(notes))


def check_model(model: nn.Module, sample: Sample | None, choices: Choices) -> None:
    """Refuse models whose weights cannot be set."""
    if not isinstance(model, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(f"init_(model={type(model).__name__}): expected a torch.nn.Module.")
    if isinstance(unwrapped(model), torch.jit.ScriptModule):
        raise InvalidValue("init_(model): it is scripted, so its calls cannot be seen. Initialise it before scripting.")
    for name, p in model.named_parameters():
        if isinstance(p, nn.UninitializedParameter):
            raise InvalidValue(
                f"init_(model): the shape of {name} is not known before the model's first call. "
                "Call the model once with a sample, then try again."
            )
        if p.is_meta:
            raise InvalidValue(
                f"init_(model): {name} is on the meta device and has no storage to write to. "
                "Call model.to_empty(device='cpu') first, or another device."
            )
        if type(p).__name__ == "DTensor" or type(p.data).__name__ == "DTensor":
            raise InvalidValue(f"init_(model): {name} is sharded over processes. Initialise the model before sharding.")
    if not any(p.is_floating_point() for p in model.parameters()):
        raise InvalidValue(
            "init_(model): it has no floating-point parameters. A quantised model keeps its weights packed; "
            "initialise it before it is quantised."
        )
    if choices.mode == "data" and sample is None:
        raise InvalidValue("init_(mode='data'): needs a sample, a batch of what the model is trained on.")


def write(settings: Sequence[Setting], generator: torch.Generator | None) -> None:
    """Draw every parameter, in order."""
    with torch.no_grad():
        for setting in settings:
            if (leaf := setting.value.leaf) is not None:
                leaf.copy_(draw(setting, generator))


def settled(model: nn.Module, sample: Sample, choices: Choices, made: Plan) -> Plan:
    """Look again, with the new weights, at what was taken as it acted on the sample; weights are only scaled."""
    for _ in range(LOOKS):
        tape, measured = measured_pass(model, sample)
        before = {one.value.name: one for one in made.settings if one.way != "left"}
        made = plan(tape, choices, measured)
        most = 0.0
        with torch.no_grad():
            for setting in made.settings:
                old, leaf = before.get(setting.value.name), setting.value.leaf
                if old is not None and leaf is not None and old.std > 0 and setting.std > 0:
                    leaf.mul_(setting.std / old.std)
                    most = max(most, abs(setting.std / old.std - 1))
        if most <= SETTLED:
            break
    return made


def fitted(model: nn.Module, sample: Sample, made: Plan, choices: Choices) -> list[str]:
    """Scale by the sample, and say how it went."""
    weights = {one.value.name: one for one in made.settings if one.weights and one.way not in ("left", "constant")}
    result = fit_to_sample(model, sample, weights, choices.tolerance)
    notes = [f"scaled by the sample in {result.passes} of at most {PASSES} passes"]
    for name, ratio in result.ratios.items():
        if math.isnan(ratio):
            notes.append(f"{name}: its results do not vary on the sample, so it was not scaled")
        elif abs(ratio - 1) > choices.tolerance:
            notes.append(f"{name}: variance still {ratio:.3g} times what is wanted")
    for name, setting in weights.items():
        if name not in result.ratios and setting.rule != "embedding":
            notes.append(f"{name}: not scaled by the sample, since the inside of its layer cannot be seen")
    return notes


def general_notes(model: nn.Module, sample: Sample | None) -> list[str]:
    """What holds for the whole model."""
    notes: list[str] = []
    if sample is None:
        notes.append("without a sample: the input was taken to have variance 1, pooling and the like to change nothing")
    counted = [b for name, b in model.named_buffers() if name.endswith("num_batches_tracked") and not b.is_meta]
    if any(int(count) > 0 for count in counted):
        notes.append("running statistics are of an earlier training and were left: reset_running_stats() clears them")
    return notes


def figures(model: nn.Module, sample: Sample | None, wanted: bool) -> tuple[dict[str, Figures], list[str]]:
    """What theory expects at each layer's first use by now, by the name of its weights, or why there is none."""
    if sample is None or not wanted:
        return {}, []
    try:
        found = predict(model, sample, measure=False).maps
    except LimenError as error:
        return {}, [f"no prediction: {error}"]
    return {one.weight: Figures(one.variance, one.gradient) for one in reversed(found)}, []


def rows(model: nn.Module, made: Plan, saved: Sequence[tuple[Tensor, Tensor]]) -> Iterator[Row]:
    """The table: weights in the order of first use, then the parameters that no rule is for."""
    before = {id(parameter): old for parameter, old in saved}
    for one in made.settings:
        leaf = one.value.leaf
        if one.weights and leaf is not None:
            old, new = spread([before.get(id(leaf), leaf)]), spread([leaf])
            yield Row(one.value.name, one.function, one.fan, old, new, one.rule, one.variance, one.remark)
    known = {id(leaf) for one in made.settings if (leaf := one.value.leaf) is not None}
    plain = plain_paths(model)
    for name, p in model.named_parameters():
        if id(p) not in known:
            std = spread([p])
            reason = "frozen" if not p.requires_grad else "no rule for it"
            yield Row(plain(name), "", None, std, std, "left", None, reason)
