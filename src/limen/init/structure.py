"""The tape of a model whose order of calls its structure tells: ``nn.Sequential`` of torch's own layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from limen.activations import composite, of_module
from limen.anatomy.tape import Operation, Tape, Value, values_in
from limen.anatomy.wrappers import plain_paths, unwrapped
from limen.errors import InvalidValue

__all__ = ["structural_tape"]

WEIGHTED: dict[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "conv1d",
    nn.Conv2d: "conv2d",
    nn.Conv3d: "conv3d",
    nn.ConvTranspose1d: "conv_transpose1d",
    nn.ConvTranspose2d: "conv_transpose2d",
    nn.ConvTranspose3d: "conv_transpose3d",
    nn.Embedding: "embedding",
    nn.BatchNorm1d: "batch_norm",
    nn.BatchNorm2d: "batch_norm",
    nn.BatchNorm3d: "batch_norm",
    nn.SyncBatchNorm: "batch_norm",
    nn.InstanceNorm1d: "instance_norm",
    nn.InstanceNorm2d: "instance_norm",
    nn.InstanceNorm3d: "instance_norm",
    nn.GroupNorm: "group_norm",
    nn.LayerNorm: "layer_norm",
    nn.RMSNorm: "rms_norm",
}
DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


class _Writer:
    """Writes down what each layer would do, in the order of the sequence."""

    def __init__(self, model: nn.Module) -> None:
        plain = plain_paths(model)
        self.operations: list[Operation] = []
        self.modules: dict[str, str] = {}
        self.leaves: dict[int, Value] = {}
        for name, p in model.named_parameters():
            self.leaves[id(p)] = Value(tuple(p.shape), p.dtype, "parameter", plain(name), leaf=p)

    def write(self, module: nn.Module, path: str, value: Value) -> Value:
        """The value that a module makes of another."""
        module = unwrapped(module)
        self.modules[path] = type(module).__name__
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
            for name, child in module.named_children():
                value = self.write(child, f"{path}.{name}".lstrip("."), value)
            return value
        activation = of_module(module) or composite(module)
        if activation is not None:
            return self.add(activation.name, path, {"input": value}, activation)
        if type(module) in WEIGHTED:
            return self.add(WEIGHTED[type(module)], path, {"input": value, **self.arguments(module)})
        if isinstance(module, DROPOUT):
            return self.add("dropout", path, {"input": value, "p": module.p, "training": module.training})
        if type(module).__module__.startswith("torch.nn.") and not any(True for _ in module.parameters()):
            return self.add(type(module).__name__.lower(), path, {"input": value})
        raise InvalidValue(
            f"init_(model) without a sample: what {path or 'the model'} ({type(module).__name__}) does with its layers "
            "is in its forward method, not in its structure: which functions it applies, in which order, what it adds. "
            "Call init_(model, sample) with a sample of the model's input; without one only nn.Sequential of torch's "
            "own layers can be read."
        )

    def arguments(self, module: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("weight", "bias", "groups", "stride", "padding_idx"):
            held = getattr(module, name, None)
            if held is not None:
                found[name] = self.leaves.get(id(held)) if isinstance(held, Tensor) else held
        return found

    def add(self, name: str, path: str, arguments: dict[str, Any], activation: Any = None) -> Value:
        inputs = tuple(values_in(arguments))
        operation = Operation(name, len(self.operations), path, activation, arguments, inputs)
        made = Value((), torch.float32, "operation", maker=operation)
        operation.outputs.append(made)
        self.operations.append(operation)
        return made


def structural_tape(model: nn.Module) -> Tape:
    """What a pass would be, without sizes or numbers.

    Raises:
        InvalidValue: there is a module whose forward method has to be seen at work.
    """
    writer = _Writer(model)
    given = Value((), torch.float32, "input", "0")
    made = writer.write(model, "", given)
    return Tape(tuple(writer.operations), (given,), {"": made}, writer.modules)
