"""A forward pass written down, against what the model is known to do; the model is as before afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from limen.activations import ReLU
from limen.anatomy.tape import Operation, linear_map_of, record
from limen.errors import InvalidValue, SampleRefused


class Net(nn.Module):
    """Convolution, normalisation, functional activations, a bare weight, noise."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 8, 3, padding=1, groups=2)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8 * 16, 10)
        self.weight = nn.Parameter(torch.randn(10, 5))

    def forward(self, x: Tensor) -> Tensor:
        h = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2).flatten(1)
        h = F.dropout(h, 0.5) * random.random()
        return torch.tanh(self.fc(h)) @ self.weight


def names(operations: tuple[Operation, ...]) -> list[str]:
    return [operation.name for operation in operations]


def test_the_operations_of_a_pass_in_their_order_with_place_and_activation() -> None:
    tape = record(Net(), torch.randn(4, 2, 8, 8))
    told = [(one.name, one.path) for one in tape.operations if one.name != "add"]  # of the normalisation's counter
    assert told == [
        ("conv2d", "conv"),
        ("batch_norm", "norm"),
        ("relu", ""),
        ("max_pool2d", ""),
        ("flatten", ""),
        ("dropout", ""),
        ("mul", ""),
        ("linear", "fc"),
        ("tanh", ""),
        ("matmul", ""),
    ]
    assert [one.activation.name for one in tape.operations if one.activation] == ["relu", "tanh"]
    assert tape.modules == {"": "Net", "conv": "Conv2d", "norm": "BatchNorm2d", "fc": "Linear"}
    assert tape.is_output(tape.operations[-1].output)
    assert tape.outputs[""].shape == (4, 5)
    assert tape.operations[0].argument("padding") == (1, 1)


def test_operators_that_torch_wraps_in_python_are_seen() -> None:
    class Powers(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 2.0 / (1.0 - 3.0**x + x**2 + x // 2.0)

    x = torch.rand(3) + 2.0
    tape = record(Powers(), x)
    assert {"pow", "rpow", "rsub", "rdiv"} <= set(names(tape.operations))
    (first,) = [one for one in tape.operations if one.name == "pow"]
    assert first.inputs == (tape.inputs[0],)


def test_what_reads_a_value_is_known() -> None:
    tape = record(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)), torch.randn(2, 3))
    first, act, last = tape.operations
    assert tape.readers(tape.inputs[0]) == (first,)
    assert tape.readers(first.output) == (act,)
    assert tape.readers(act.output) == (last,)
    assert tape.readers(last.output) == ()
    assert act.inputs[0] is first.output
    assert act.output.maker is act


def test_weights_are_found_with_their_fans() -> None:
    maps = [found for one in record(Net(), torch.randn(4, 2, 8, 8)).operations if (found := linear_map_of(one))]
    assert [(one.weight.name, one.fan_in, one.fan_out, one.units) for one in maps] == [
        ("conv.weight", 9, 36, 8),
        ("fc.weight", 128, 10, 10),
        ("weight", 10, 5, 5),
    ]
    assert [one.bias.name if one.bias else None for one in maps] == ["conv.bias", "fc.bias", None]
    assert all(one.exact for one in maps)


class Transposed(nn.Module):
    """Hugging Face's way: a weight of shape [in, out], given to addmm."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(3, 7)), nn.Parameter(torch.zeros(7))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)


@pytest.mark.parametrize(
    ("layer", "sample", "fan_in", "fan_out"),
    [
        (Transposed(), torch.randn(2, 3), 3, 7),
        (nn.Linear(3, 7), torch.randn(2, 5, 3), 3, 7),
        (nn.ConvTranspose2d(6, 4, 3, groups=2), torch.randn(1, 6, 5, 5), 27, 18),
        (nn.Conv1d(4, 6, 5), torch.randn(1, 4, 9), 20, 30),
        (nn.Embedding(11, 4), torch.zeros(2, 3, dtype=torch.int64), 1, 4),
        (nn.Bilinear(3, 4, 5), (torch.randn(2, 3), torch.randn(2, 4)), 3, 5),
    ],
    ids=["transposed", "linear", "conv-transpose", "conv1d", "embedding", "bilinear"],
)
def test_fans_count_what_is_summed(layer: nn.Module, sample: Tensor, fan_in: int, fan_out: int) -> None:
    (operation,) = record(layer, sample).operations
    found = linear_map_of(operation)
    assert found is not None
    assert (found.fan_in, found.fan_out) == (fan_in, fan_out)


def test_a_computed_weight_is_followed_to_its_parameter() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    found = [one for op in record(layer, torch.randn(2, 3)).operations if (one := linear_map_of(op))]
    assert [(one.weight.name, one.exact) for one in found] == [("parametrizations.weight.original1", False)]


def test_attention_is_opened_and_its_projections_are_seen() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    maps = [found for one in record(layer, torch.randn(2, 5, 16)).operations if (found := linear_map_of(one))]
    assert [one.weight.name for one in maps] == [
        "self_attn.in_proj_weight",
        "self_attn.out_proj.weight",
        "linear1.weight",
        "linear2.weight",
    ]


class NewGELUActivation(nn.Module):
    """A class of that name from another library."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))


def test_an_activation_in_many_calls_is_one_operation() -> None:
    tape = record(nn.Sequential(nn.Linear(2, 2), NewGELUActivation()), torch.randn(1, 2))
    assert names(tape.operations) == ["linear", "gelu_tanh"]
    assert tape.operations[1].path == "1"


def test_calls_of_which_torch_hides_the_signature_are_seen() -> None:
    class Powers(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x**2).unflatten(-1, (1, -1))

    tape = record(Powers(), torch.randn(2, 3))
    assert [(one.name, one.inputs[0].shape) for one in tape.operations] == [("pow", (2, 3)), ("unflatten", (2, 3))]
    assert tape.operations[1].argument("input") is tape.operations[0].output


def test_what_an_operation_in_place_overwrites_can_be_read_before() -> None:
    seen: list[Tensor] = []
    model = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True))
    sample = torch.tensor([[-1.0, 2.0]])
    record(model, sample, foresee=lambda one, given: seen.append(given[0].clone()))
    assert [x.tolist() for x in seen] == [[[-1.0, 2.0]]]
    assert sample.tolist() == [[0.0, 2.0]]


def test_a_recorded_pass_can_be_gone_back_through() -> None:
    model, ends = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), list[Tensor]()
    record(model, torch.randn(4, 3), see=lambda one, given, made: ends.append(made[0]))
    gradients = torch.autograd.grad(ends[-1].square().sum(), list(model.parameters()))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_what_cannot_be_seen_is_said() -> None:
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        script: Any = torch.jit.script(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
    tape = record(nn.Sequential(nn.Linear(3, 3), script), torch.randn(2, 3))
    assert names(tape.operations) == ["linear", "opaque"]
    assert tape.operations[1].inputs == (tape.operations[0].output,)


def test_overwritten_tensors_are_new_values() -> None:
    class InPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x * 2
            x += 1
            x[0] = 0
            return F.relu_(x)

    tape = record(InPlace(), torch.randn(2, 2))
    assert names(tape.operations) == ["mul", "add", "setitem", "relu"]
    for before, after in zip(tape.operations, tape.operations[1:], strict=False):
        assert after.inputs[0] is before.output


def test_compiled_and_wrapped_models_are_seen_as_the_users_own() -> None:
    model = nn.DataParallel(
        nn.Sequential(nn.Linear(3, 3), cast(nn.Module, torch.compile(nn.Sequential(nn.ReLU()), backend="eager")))
    )
    tape = record(model, torch.randn(2, 3))
    assert [(one.name, one.path) for one in tape.operations] == [("linear", "0"), ("relu", "1.0")]


def test_samples_may_be_tensors_sequences_or_mappings() -> None:
    class Output(NamedTuple):
        logits: Tensor
        states: tuple[Tensor, ...]

    class Named(nn.Module):
        def forward(self, x: Tensor, *, scale: Tensor) -> Output:
            return Output(x * scale, (x,))

    tape = record(Named(), {"x": torch.ones(2), "scale": torch.ones(1)})
    assert [value.name for value in tape.inputs] == ["x", "scale"]
    assert set(tape.outputs) == {"0", "1.0"}
    assert tape.outputs["1.0"] is tape.inputs[0]
    assert len(record(nn.Bilinear(2, 2, 2), [torch.ones(1, 2), torch.ones(1, 2)]).inputs) == 2


def test_the_model_and_all_random_numbers_are_as_before() -> None:
    model = Net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(3), random.random()
    torch.manual_seed(3)
    random.seed(3)
    record(model, torch.ones(4, 2, 8, 8))
    assert (torch.rand(3).tolist(), random.random()) == (expected[0].tolist(), expected[1])
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(p.grad is None for p in model.parameters())
    assert not hooks._global_forward_hooks  # pyright: ignore[reportPrivateUsage]
    assert not hooks._global_forward_pre_hooks  # pyright: ignore[reportPrivateUsage]


def test_a_model_without_numbers_can_be_seen() -> None:
    with torch.device("meta"):
        model = Net()
    tape = record(model, torch.empty(4, 2, 8, 8, device="meta"))
    assert names(tape.operations)[-1] == "matmul"


def test_the_reader_is_given_the_tensors_of_each_operation() -> None:
    seen: list[tuple[Operation, tuple[Tensor, ...], tuple[Tensor, ...]]] = []
    x = torch.randn(4, 3)
    tape = record(
        nn.Sequential(nn.Linear(3, 3), nn.ReLU()), x, see=lambda one, given, made: seen.append((one, given, made))
    )
    assert tuple(one for one, _, _ in seen) == tape.operations
    (_, given, made), (_, before, after) = seen
    assert given[0] is x
    assert made[0] is before[0]
    assert torch.equal(after[0], ReLU().f(before[0]))


def test_a_loss_is_written_down_while_the_models_buffers_are_as_the_pass_left_them() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    norm = cast(nn.BatchNorm1d, model[1])
    counts: list[int] = []

    def loss(result: Tensor) -> None:
        F.mse_loss(result, torch.zeros(4, 2)).backward()
        assert norm.num_batches_tracked is not None
        counts.append(int(norm.num_batches_tracked))

    tape = record(model, torch.randn(4, 3), then=loss)
    assert names(tape.operations)[-1] == "mse_loss"
    assert tape.operations[-1].inputs[0] is tape.outputs[""]
    assert counts == [1]
    assert norm.num_batches_tracked is not None
    assert int(norm.num_batches_tracked) == 0


def test_the_compiler_is_not_loaded_for_a_pass() -> None:
    code = (
        "import sys, torch; from limen.anatomy.tape import record; record(torch.nn.Linear(2, 2), torch.ones(1, 2)); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False"], done.stderr


def test_what_is_raised_after_the_pass_is_no_fault_of_the_sample() -> None:
    def loss(result: Tensor) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        record(nn.Linear(2, 2), torch.randn(1, 2), then=loss)
    assert not hooks._global_forward_hooks  # pyright: ignore[reportPrivateUsage]


def test_a_sample_that_does_not_fit_is_refused_by_the_name_of_the_layer() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with pytest.raises(
        SampleRefused, match=r"1 \(Linear\(in_features=784.*given \[4, 3072\] float32.*last axis of 784"
    ):
        record(model, torch.randn(4, 3, 32, 32))
    assert not hooks._global_forward_hooks  # pyright: ignore[reportPrivateUsage]
    assert not hooks._global_forward_pre_hooks  # pyright: ignore[reportPrivateUsage]


def test_lazy_parameters_are_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidValue, match=r"weight.*not known before.*Call the model once"):
        record(nn.LazyLinear(3), torch.randn(2, 3))


WRITES: dict[str, Callable[[Tensor], object]] = {
    "in place": lambda weight: weight.mul_(2.0),
    "in part": lambda weight: weight[0].zero_(),
    "a row": lambda weight: weight.__setitem__(0, 5.0),
    "data": lambda weight: weight.data.copy_(torch.ones_like(weight)),
    "new data": lambda weight: setattr(weight, "data", torch.ones_like(weight)),
    "out": lambda weight: torch.add(weight.detach(), 1.0, out=weight.detach()),
    "nn.init": lambda weight: nn.init.normal_(weight),
}


class Writer(nn.Module):
    """Sets its weights by what it is given, as a normalisation that begins with its first batch."""

    def __init__(self, write: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.layer, self.write = nn.Linear(3, 3), write

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.write(self.layer.weight)
        return self.layer(x)


@pytest.mark.parametrize("how", WRITES)
def test_weights_that_the_pass_itself_writes_to_are_as_before(how: str) -> None:
    model = Writer(WRITES[how])
    weight, before, place = model.layer.weight, model.layer.weight.detach().clone(), model.layer.weight.data_ptr()
    record(model, torch.randn(4, 3))
    assert model.layer.weight is weight
    assert torch.equal(weight, before)
    assert weight.data_ptr() == place


def test_weights_are_put_back_after_an_error() -> None:
    def write(weight: Tensor) -> None:
        weight.mul_(2.0)
        raise RuntimeError("full")

    model = Writer(write)
    before = model.layer.weight.detach().clone()
    with pytest.raises(SampleRefused):
        record(model, torch.randn(4, 3))
    assert torch.equal(model.layer.weight, before)
