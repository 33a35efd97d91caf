"""What is saved, copied, traced and exported during a watch is what it is without one, and fast paths stay fast."""

import copy
import io
import pickle
import re
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.probe.watching import watching

mangled = re.compile(r"\.___torch_mangle_\d+")  # torch numbers the classes that it makes
X = torch.randn(32, 6, generator=torch.Generator().manual_seed(1))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.gelu(self.body(x)))


def trained() -> tuple[Model, torch.optim.Optimizer]:
    torch.manual_seed(2)
    model = Model()
    optimiser = torch.optim.AdamW(model.parameters())
    for _ in range(3):
        optimiser.zero_grad()
        model(X).square().mean().backward()
        optimiser.step()
    return model, optimiser


def saved(thing: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


def traced(model: nn.Module) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's own deprecation
        made = torch.jit.trace(model, X)
    return mangled.sub("", str(made.inlined_graph)) + str(made(X).tolist())


def exported(model: nn.Module) -> str:
    program = torch.export.export(model, (X,))
    return str(program.graph) + str(program.graph_signature) + str(program.module()(X).tolist())


def symbolic(model: nn.Module) -> str:
    return torch.fx.symbolic_trace(model).code


def scripted(model: nn.Module) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mangled.sub("", str(torch.jit.script(model).inlined_graph))


def attributes(model: nn.Module) -> list[Any]:
    """All that hangs on the modules and their parameters."""
    hung: list[Any] = []
    for name, module in model.named_modules():
        hung.append((name, sorted(vars(module)), [len(v) for k, v in vars(module).items() if "hook" in k and v]))
    for name, tensor in model.named_parameters():
        hung.append((name, vars(tensor), tensor._backward_hooks, tensor._version))
    return hung


def values(thing: Any) -> Any:
    """State as values that compare."""
    if isinstance(thing, Tensor):
        return thing.tolist()
    if isinstance(thing, dict):
        return [(key, values(value)) for key, value in thing.items()]
    return [values(value) for value in thing] if isinstance(thing, list | tuple) else thing


LOOKS: dict[str, Callable[[Model, torch.optim.Optimizer], Any]] = {
    "torch.save of the model": lambda model, _: saved(model),
    "torch.save of the optimiser": lambda _, optimiser: saved(optimiser),
    "torch.save of states": lambda model, optimiser: saved([model.state_dict(), optimiser.state_dict()]),
    "pickle": lambda model, optimiser: saved(pickle.loads(pickle.dumps((model, optimiser)))),
    "deepcopy": lambda model, optimiser: saved(copy.deepcopy((model, optimiser))),
    "state_dict": lambda model, optimiser: values([model.state_dict(), optimiser.state_dict()]),
    "attributes": lambda model, _: attributes(model),
    "jit.trace": lambda model, _: traced(model),
    "jit.trace in evaluation": lambda model, _: traced(model.eval()),
    "jit.script": lambda model, _: scripted(model),
    "fx.symbolic_trace": lambda model, _: symbolic(model),
    "export": lambda model, _: exported(model.eval()),
    "export in training": lambda model, _: exported(model),
    "make_fx": lambda model, _: torch.fx.experimental.proxy_tensor.make_fx(model)(X).code,
    "a gradient of each sample": lambda model, _: per_sample(model.eval()),
    "a forward derivative": lambda model, _: derivative(model.eval()),
    "a full Jacobian": lambda model, _: torch.autograd.functional.jacobian(model, X[:4]).tolist(),
    "repr": lambda model, optimiser: repr((model, optimiser)),
}


def derivative(model: nn.Module) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch scripts its own formulas
        return torch.func.jvp(model, (X,), (X,))[1].tolist()


def per_sample(model: nn.Module) -> Any:
    weights = {name: tensor.detach() for name, tensor in model.named_parameters()}

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(model, weights, (x[None],)).square().sum()

    return values(torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, X))


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_made_of_a_model_is_the_same(look: str) -> None:
    found: list[Any] = []
    for context in (nullcontext, watching):
        with context() as probe:
            model, optimiser = trained()
            found.append(LOOKS[look](model, optimiser))
            model.train()(X).square().mean().backward()
            optimiser.step()  # the watch goes on
        if probe is not None:
            assert probe.step >= 4
            assert probe.vitals().notes == ()
    assert found[0] == found[1]


def test_no_hook_hangs_on_a_model_or_its_parameters() -> None:
    with watching():
        model, _ = trained()
        for module in model.modules():
            assert not any(value for name, value in vars(module).items() if "hooks" in name)
        assert all(tensor._backward_hooks is None for tensor in model.parameters())


def encoded(encoder: nn.Module, tokens: Tensor) -> tuple[list[str], bytes]:
    """The operators that an evaluation runs, and what it computes."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile, torch.no_grad():
        result = encoder(tokens)
    return sorted(event.name for event in profile.events()), result.numpy().tobytes()


@pytest.mark.parametrize("watched_models", ["all", "this"])
def test_the_fast_path_of_a_transformer_stays_on(watched_models: str) -> None:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    tokens = torch.randn(4, 5, 8)
    bare = encoded(encoder.eval(), tokens)
    assert any("_transformer_encoder_layer_fwd" in name for name in bare[0])
    with watching(*([encoder] if watched_models == "this" else [])):
        optimiser = torch.optim.SGD(encoder.parameters(), 0.0)
        for _ in range(2):
            encoder.train()(tokens).sum().backward()
            optimiser.step()
            assert encoded(encoder.eval(), tokens) == bare


def test_a_script_sees_no_mode_in_evaluation_and_none_in_its_own_backward_hooks() -> None:
    stacks: list[int] = []

    def note(*_: object) -> None:
        stacks.append(len(torch.overrides._get_current_function_mode_stack()))

    with watching():
        model, optimiser = trained()
        model.head.register_forward_pre_hook(note)
        model.eval()(X)
        with torch.no_grad():
            model(X)
        with torch.inference_mode():
            model.train()(X)
        model.head.weight.register_hook(note)
        model.body[1].register_full_backward_hook(note)
        calls = len(stacks)
        model(X).sum().backward()
        optimiser.step()
    assert stacks[:calls] == [0] * calls
    assert stacks[calls + 1 :] == [0] * (len(stacks) - calls - 1)
    assert len(stacks) >= calls + 3
