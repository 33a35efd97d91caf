"""The Trainer of transformers under a watch: the same bits, the real losses, the paths of the model."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import Dataset

from tests.trainers.same import Told, means, same, seen

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own
LENGTH, BATCH, EXAMPLES = 24, 4, 90
TEXT = "\n".join(str(thing.__doc__) for thing in (str, bytes, list, dict, set, int, float, type, property, slice, zip))
LETTERS = sorted(set(TEXT))
TOKENS = torch.tensor([LETTERS.index(letter) for letter in TEXT])
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
WORDS = {"vocab_size": len(LETTERS), "max_position_embeddings": LENGTH}


@pytest.fixture(scope="module")
def transformers() -> Any:
    pytest.importorskip("accelerate", reason="needs the package accelerate")
    os.environ["HF_HUB_OFFLINE"] = "1"
    found = pytest.importorskip("transformers", reason="needs the package transformers")
    found.utils.logging.set_verbosity_error()
    return found


class Text(Dataset[dict[str, Tensor]]):
    """Windows of text; to go on with it, or to say whether one holds a word."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __len__(self) -> int:
        return EXAMPLES

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        first = number * 11
        window = TOKENS[first : first + LENGTH]
        if self.kind == "label":
            return {"input_ids": window, "labels": torch.tensor(int("the" in TEXT[first : first + LENGTH]))}
        return {"input_ids": window, "labels": window}


class Pictures(Dataset[dict[str, Tensor]]):
    def __init__(self) -> None:
        found = load_digits()
        self.pixels = torch.tensor(found.images / 16, dtype=torch.float32).unsqueeze(1)
        self.labels = torch.tensor(found.target)

    def __len__(self) -> int:
        return EXAMPLES

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return {"pixel_values": self.pixels[number], "labels": self.labels[number]}


GPT2 = ("GPT2LMHeadModel", "GPT2Config", {"vocab_size": len(LETTERS), "n_embd": 16, "n_layer": 1, "n_head": 2})
LLAMA = ("LlamaForCausalLM", "LlamaConfig", {**SIZES, **WORDS})
BERT = ("BertForSequenceClassification", "BertConfig", {**SIZES, **WORDS})
DISTIL_SIZES = {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
DISTIL = ("DistilBertForSequenceClassification", "DistilBertConfig", {**DISTIL_SIZES, **WORDS})
VIT = ("ViTForImageClassification", "ViTConfig", {**SIZES, "image_size": 8, "patch_size": 4, "num_channels": 1})
GPT2_SITES = [("transformer.h.0.mlp.act", "transformer.h.0.mlp.c_fc", 64)]
LLAMA_SITES = [("model.layers.0.mlp.act_fn", "model.layers.0.mlp.gate_proj", 32)]
BERT_LAYER = "bert.encoder.layer.0.intermediate"
BERT_SITES = [
    (f"{BERT_LAYER}.intermediate_act_fn", f"{BERT_LAYER}.dense", 32),
    ("bert.pooler.activation", "bert.pooler.dense", 16),
]
DISTIL_LAYER = "distilbert.transformer.layer.0.ffn"
DISTIL_SITES = [  # the second is made anew in each forward pass
    (f"{DISTIL_LAYER}.activation", f"{DISTIL_LAYER}.lin1", 32),
    ("relu", "pre_classifier", 16),
]
VIT_SITES = [("vit.layers.0.mlp.activation_fn", "vit.layers.0.mlp.fc1", 32)]

Case = tuple[tuple[str, str, dict[str, Any]], Any, dict[str, Any], list[tuple[str, str, int]]]
CASES: dict[str, Case] = {
    "gpt-2": (GPT2, "next", {}, GPT2_SITES),
    "gpt-2 accumulated, by targets": (GPT2, "next", {"gradient_accumulation_steps": 4}, GPT2_SITES),
    "llama in bf16, checkpointed": (LLAMA, "next", {"bf16": True, "gradient_checkpointing": True}, LLAMA_SITES),
    "bert": (BERT, "label", {"optim": "adafactor", "max_grad_norm": 0.0}, BERT_SITES),
    "distilbert": (DISTIL, "label", {}, DISTIL_SITES),
    "pictures accumulated": (VIT, "pictures", {"gradient_accumulation_steps": 3}, VIT_SITES),
}


def real_loss(case: str, outputs: Any, labels: Tensor) -> float:
    """The mean loss of a batch, from its logits in float64.

    GPT-2 counts the first token of each row among its targets, although nothing foretells it.
    """
    logits = outputs["logits"].detach().double()
    if CASES[case][1] == "next":
        logits, labels = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    share = (LENGTH - 1) / LENGTH if "gpt-2" in case else 1.0
    return share * F.cross_entropy(logits, labels).item()


def train(transformers: Any, case: str, folder: Path) -> Told:
    (model_name, config_name, sizes), kind, options, _ = CASES[case]
    losses: list[float] = []
    rates: list[float] = []

    class Noting(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **more: Any) -> Any:
            loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **more)
            if model.training:
                losses.append(real_loss(case, outputs, inputs["labels"]))
            return (loss, outputs) if return_outputs else loss

    class Rates(transformers.TrainerCallback):
        def on_pre_optimizer_step(self, *_: Any, optimizer: Any, **more: Any) -> None:
            rates.append(optimizer.param_groups[0]["lr"])

    labels = {} if kind == "next" else {"num_labels": 10 if kind == "pictures" else 2}
    model = getattr(transformers, model_name)(getattr(transformers, config_name)(**sizes, **labels))
    rows = Pictures() if kind == "pictures" else Text(kind)
    arguments = transformers.TrainingArguments(
        str(folder), use_cpu=True, per_device_train_batch_size=BATCH, num_train_epochs=1, learning_rate=1e-3,
        report_to=[], disable_tqdm=True, save_strategy="no", logging_strategy="no", eval_strategy="epoch", **options,
    )  # fmt: skip
    trainer = Noting(model, arguments, train_dataset=rows, eval_dataset=rows, callbacks=[Rates()])
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return Told(list(model.parameters()), losses, rates)


@pytest.mark.parametrize("case", CASES)
def test_a_trainer_is_seen_as_its_user_knows_it(transformers: Any, case: str, tmp_path: Path) -> None:
    _, _, options, sites = CASES[case]
    told, watch = same(lambda: train(transformers, case, tmp_path))
    vitals = watch.vitals
    assert [(name, layer, units) for name, layer, _, units in seen(watch)] == sites
    size = options.get("gradient_accumulation_steps", 1)
    expected = means(told.losses, size)
    (losses,) = vitals.losses
    assert (losses.function, vitals.step) == ("cross-entropy", len(expected))
    # bf16 logits are rounded by the model before the float64 recomputation; the last batch has two rows of four
    assert losses.value.tolist()[:-1] == pytest.approx(expected[:-1], rel=1e-2 if "bf16" in options else 1e-5)
    assert vitals.samples == EXAMPLES  # one epoch, without its evaluation
    (optimiser,) = vitals.optimisers
    assert optimiser.learning_rate.tolist() == told.rates
    assert not any("module" in parameter.parameter.name for parameter in vitals.parameters)
    assert (vitals.inputs is not None) == (case == "pictures accumulated")
