"""The prediction of a real model: the tape of one pass, walked up and down with the rules of the theory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from limen.anatomy.tape import Sample, Tape, record, tensors_of, undisturbed
from limen.anatomy.wrappers import unwrapped
from limen.errors import InvalidValue, SampleRefused
from limen.theory.prediction.collect import maps_of, sites_of
from limen.theory.prediction.cotangent import Cotangent, Seed
from limen.theory.prediction.declared import Known, Leaves, is_meta
from limen.theory.prediction.measure import Measured, gradients, output_of, shares_of, tracked
from limen.theory.prediction.observe import Observer, state_of
from limen.theory.prediction.result import Prediction
from limen.theory.prediction.state import State
from limen.theory.prediction.walk import down, up

__all__ = ["predict"]

MOST_WAYS = 32
"""Outputs up to which each has a gradient of its own. Of more, only what they do together has."""

Loss = Callable[[Any], Tensor]


def predict(model: nn.Module, sample: Sample, *, loss: Loss | None = None, measure: bool = True) -> Prediction:
    """What the signal and its gradient should be at each activation and each weight of a model, and what they are.

    The operations of one real forward pass are walked with means and variances in place of numbers: each element of a
    value has a mean over the samples, exact through the model's own weights as far as it is linear, and a variance
    around it, taken as Gaussian and as independent between elements. Activations are integrated over that Gaussian,
    and so are functions written out in several elementwise calls. Gradients come down the same way. Where no rule
    covers an operation its moments are read from the recorded pass, and all that depends on it is marked.

    Args:
        model: any module, in the mode it is in. Its weights, gradients, buffers and all random numbers stay as they
            are.
        sample: a batch as the model is called with: a tensor, positional arguments in a tuple or list, or named ones
            in a mapping. The first axis of its first tensor is the batch, and stands for all inputs there are: a batch
            of one leaves nothing to predict.
        loss: from what the model returns to a scalar; the gradients are then those of that scalar. Without it they
            are those of the outputs against independent numbers of variance 1, one for each element of the outputs.
        measure: also go forward and back once with the real numbers. On the meta device nothing can be measured;
            weights are then drawn as their layers declare, inputs have mean 0 and variance 1, and any row of an
            embedding is as likely as any other.

    Returns:
        The prediction; its figures in the units of the model's activations, gradient norms of the whole batch.

    Raises:
        SampleRefused: the model's forward pass raised.
        InvalidValue: the model is no module, the sample is empty or holds no tensor, the model returns none, or
            ``loss`` no scalar.

    Source: Wang & Manning 2013, "Fast dropout training", for moments through a layer; Schoenholz et al. 2017,
    arXiv:1611.01232, for gradients as independent of the signal.

    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 256), nn.Tanh())
    >>> found = predict(model, torch.randn(64, 256))
    >>> [site.name for site in found.sites]
    ['1', '3']
    >>> site = found.sites[1]
    >>> site.measured is not None and abs(site.variance / site.measured.variance - 1) < 0.1
    True
    """
    if not isinstance(model, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(f"predict(model={type(model).__name__}): expected a torch.nn.Module.")
    model = unwrapped(model)
    observer, real = Observer(samples_in(sample)), not is_meta(model)
    if loss is not None and not real:
        raise InvalidValue(
            "predict(…, loss=…): the model is on the meta device, where its output has no numbers for a loss. Leave "
            "the loss out, or build the model on a device."
        )
    measure = measure and real
    with quiet(), undisturbed(model), torch.inference_mode(False), torch.enable_grad(), output_of(model) as held:
        tape = recorded(model, sample, observer)
        check_outputs(held.result)
        measured = gradients(model, tape, observer, held.result, loss) if (measure or loss) and real else Measured()
        observer.stop()
        walk = up(tape, Known(Leaves(model)), observer.states, observer.moving, observer.samples)
        above: dict[Any, Cotangent] = {}
        for value in tape.outputs.values():
            state = walk.states.get(value)
            if state is None or value not in observer.moving or not value.dtype.is_floating_point:
                continue
            if loss is None:
                above[value] = noise_at(state)
            elif value in measured.above:
                above[value] = of_loss(measured.above[value], state, observer.samples)
        down(tape, walk, above, shares_of(observer))
    return Prediction(
        sites_of(model, tape, walk, observer, measure),
        maps_of(tape, walk, observer, measured if measure else None),
        observer.samples,
        tuple(dict.fromkeys(f"{one.name} in {one.path}" if one.path else one.name for one in walk.unruled)),
        None if measure else "measure=False" if real else "the model is on the meta device",
    )


@contextmanager
def quiet() -> Generator[None]:
    """A context in which torch does not warn of gradients that it cannot send through quantised layers."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*an autograd kernel was not registered")
        yield


def recorded(model: nn.Module, sample: Sample, observer: Observer) -> Tape:
    """The tape of a pass; on the meta device an error says what cannot be done there."""
    try:
        return record(model, tracked(sample), see=observer.see, foresee=observer.foresee)
    except SampleRefused as error:
        if not is_meta(model):
            raise
        raise SampleRefused(
            f"{error} The model is on the meta device, where tensors have no numbers: the sample must be there too, "
            "and code that asks for a number, as `if x.sum() > 0` does, cannot run. Build the model on a device for "
            "that."
        ) from error


def of_loss(gradient: Tensor, state: State, samples: int) -> Cotangent:
    """The gradient of a loss at an output: its mean, and how its elements vary together where they are few."""
    given = state_of(gradient, samples, state.batch, state.outer)
    mean, count = given.mean[None], given.mean.numel()
    if count > MOST_WAYS or state.batch is None or state.outer > 1:
        return Cotangent.of(Seed(mean, given.variance, common=True))
    shape = gradient.shape
    split = gradient.detach().cpu().double().reshape(*shape[: state.batch], samples, -1, *shape[state.batch + 1 :])
    rows = split.movedim(state.batch, 0).reshape(samples, count)
    values, vectors = torch.linalg.eigh((rows - rows.mean(0)).T @ (rows - rows.mean(0)) / samples)
    ways = (vectors * values.clamp(min=0).sqrt()).T.reshape(count, *given.mean.shape)
    return Cotangent.of(Seed(torch.cat([mean, ways]), torch.zeros_like(given.variance), common=True))


def noise_at(state: State) -> Cotangent:
    """Independent numbers of variance 1 at the elements of an output: a way for each where they are few."""
    count, shape = state.mean.numel(), state.mean.shape
    if count > MOST_WAYS:  # all elements together, and the rest
        together = torch.full((1, *shape), count**-0.5, dtype=torch.float64)
        return Cotangent.of(Seed(together, torch.full_like(state.mean, 1 - 1 / count)))
    ways = torch.eye(count, dtype=torch.float64).reshape(count, *shape)
    return Cotangent.of(Seed(ways, torch.zeros_like(state.mean)))


def samples_in(sample: Sample) -> int:
    """Size of the batch: the first axis of the first tensor that has one.

    Raises:
        InvalidValue: the sample holds no such tensor, or an empty one.
    """
    shapes = [tuple(tensor.shape) for _, tensor in tensors_of(sample) if tensor.ndim]
    if not shapes:
        raise InvalidValue(
            "predict(model, sample): the sample holds no tensor with a batch axis. Pass a batch as the model is called "
            "with, for instance one of the data loader's."
        )
    if 0 in shapes[0]:
        raise InvalidValue(
            f"predict(model, sample): the sample is empty, of shape {list(shapes[0])}. Pass at least one input."
        )
    return shapes[0][0]


def check_outputs(result: Any) -> None:
    """Refuse a model that returns no floating tensor."""
    if not any(tensor.is_floating_point() for _, tensor in tensors_of(result)):
        raise InvalidValue(
            f"predict(model, sample): the model returned {type(result).__name__} without a floating tensor in it, so "
            "there is nothing to send a gradient into. Pass the part of the model that returns its outputs as tensors."
        )
