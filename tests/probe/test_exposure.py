"""Ways of training that wrap, replace or drive a model from elsewhere: the same bits, and the right sites."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.optim import swa_utils

from limen.vitals import SiteVitals
from tests.probe.stories import Story, same_training

STEPS, SAMPLES = 4, 12
Site = tuple[str, str | None, int, int]


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def fit(run: Callable[[Tensor], Tensor], moves: list[torch.optim.Optimizer], made: list[Tensor]) -> Iterator[Tensor]:
    for _ in range(STEPS):
        loss = F.cross_entropy(run(torch.randn(SAMPLES, 6)), torch.randint(3, (SAMPLES,)))
        for one in moves:
            one.zero_grad()
        loss.backward()
        for one in moves:
            one.step()
        yield loss
        yield from made


def data_parallel() -> Iterator[Tensor]:
    model = network()
    wrapped = nn.DataParallel(model)
    return fit(wrapped, [torch.optim.SGD(model.parameters(), 0.1)], list(model.parameters()))


def symbolic() -> Iterator[Tensor]:
    model = torch.fx.symbolic_trace(network())
    return fit(model, [torch.optim.SGD(model.parameters(), 0.1)], list(model.parameters()))


def called_with_weights_from_elsewhere() -> Iterator[Tensor]:
    model = network()
    weights = {name: tensor.detach().clone().requires_grad_() for name, tensor in model.named_parameters()}
    optimiser = torch.optim.SGD(list(weights.values()), 0.1)
    return fit(lambda x: torch.func.functional_call(model, weights, (x,)), [optimiser], list(weights.values()))


def averaged() -> Iterator[Tensor]:
    model = network()
    average = swa_utils.AveragedModel(model)
    for tensor in fit(model, [torch.optim.SGD(model.parameters(), 0.1)], list(average.parameters())):
        average.update_parameters(model)
        yield tensor


def with_a_teacher() -> Iterator[Tensor]:
    model = network()
    teacher = copy.deepcopy(model)

    def run(x: Tensor) -> Tensor:
        with torch.no_grad():
            aim = teacher(x)
        return model(x) + aim

    return fit(run, [torch.optim.SGD(model.parameters(), 0.1)], list(model.parameters()))


def parametrised() -> Iterator[Tensor]:
    model = network()
    model[0] = parametrizations.weight_norm(model[0])
    parametrizations.spectral_norm(model[2])
    return fit(model, [torch.optim.SGD(model.parameters(), 0.1)], list(model.parameters()))


def stepped_within_the_backward_pass() -> Iterator[Tensor]:
    model = network()
    moves = {tensor: torch.optim.SGD([tensor], 0.1) for tensor in model.parameters()}

    def move(tensor: Tensor) -> None:
        moves[tensor].step()
        moves[tensor].zero_grad()

    for tensor in moves:
        tensor.register_post_accumulate_grad_hook(move)
    return fit(model, [], list(model.parameters()))


def of_optimiser(name: str) -> Story:
    def story() -> Iterator[Tensor]:
        model = network()
        return fit(model, [getattr(torch.optim, name)(model.parameters())], list(model.parameters()))

    return story


WAYS: dict[str, Story] = {
    "DataParallel": data_parallel,
    "a traced graph": symbolic,
    "functional_call": called_with_weights_from_elsewhere,
    "averaged weights": averaged,
    "a teacher": with_a_teacher,
    "parametrisations": parametrised,
    "optimisers within the backward pass": stepped_within_the_backward_pass,
    **{
        name: of_optimiser(name)
        for name in ("Adadelta", "Adafactor", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop")
    },
}


def described(sites: tuple[SiteVitals, ...]) -> list[Site]:
    return [(site.site.name, site.site.layer, site.site.units, site.total.samples) for site in sites]


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_training_changes_nothing_and_its_site_is_seen(way: str) -> None:
    probe = same_training(WAYS[way])
    vitals = probe.vitals()
    assert (vitals.step, vitals.samples, vitals.notes) == (STEPS, STEPS * SAMPLES, ())
    (site,) = described(vitals.sites)
    layer = "0.parametrizations.weight" if way == "parametrisations" else "0"
    assert site == ("1", layer, 8, STEPS * SAMPLES)
    assert vitals.inputs is not None
    assert vitals.inputs.features == 6


HUGGING_FACE: dict[str, tuple[str, dict[str, object], list[Site]]] = {
    "GPT2LMHeadModel": (
        "GPT2Config",
        {"n_layer": 1, "n_head": 2, "n_embd": 8, "n_positions": 8, "bos_token_id": 0, "eos_token_id": 0},
        [("transformer.h.0.mlp.act", "transformer.h.0.mlp.c_fc", 32, 24)],
    ),
    "BertForMaskedLM": (
        "BertConfig",
        {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16},
        [
            (
                "bert.encoder.layer.0.intermediate.intermediate_act_fn",
                "bert.encoder.layer.0.intermediate.dense",
                16,
                24,
            ),
            ("cls.predictions.transform.transform_act_fn", "cls.predictions.transform.dense", 8, 24),
        ],
    ),
    "LlamaForCausalLM": (
        "LlamaConfig",
        {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16},
        [("model.layers.0.mlp.act_fn", "model.layers.0.mlp.gate_proj", 16, 24)],
    ),
}


@pytest.mark.filterwarnings("ignore")  # the library's own
@pytest.mark.parametrize("checkpoints", [False, True])
@pytest.mark.parametrize("name", HUGGING_FACE)
def test_a_model_of_hugging_face_is_seen(name: str, checkpoints: bool) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the package transformers")
    kind, sizes, expected = HUGGING_FACE[name]

    def story() -> Iterator[Tensor]:
        model = getattr(transformers, name)(getattr(transformers, kind)(vocab_size=20, **sizes)).train()
        if checkpoints:
            model.gradient_checkpointing_enable()
        optimiser = torch.optim.AdamW(model.parameters(), fused=True)
        for _ in range(2):
            tokens = torch.randint(20, (2, 6))
            optimiser.zero_grad()
            model(input_ids=tokens, labels=tokens).loss.backward()
            optimiser.step()
            yield from model.parameters()

    vitals = same_training(story).vitals()
    assert (vitals.step, vitals.samples) == (2, 4)
    assert described(vitals.sites) == expected
