"""The families of the transformers library, with small configurations and random weights, pass without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from limen.preflight import preflight

transformers = pytest.importorskip("transformers", reason="transformers is not installed (pip install transformers)")

WORDS = 99
TEXT = {"vocab_size": WORDS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "max_position_embeddings": 64,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
IMAGE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "image_size": 32,
         "patch_size": 8, "num_labels": 5}  # fmt: skip
PAIRED = {"num_key_value_heads": 2, "head_dim": 8}
BART = {"vocab_size": WORDS, "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 64,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}  # fmt: skip


def next_words() -> dict[str, torch.Tensor]:
    ids = torch.randint(3, WORDS, (4, 12))
    return {"input_ids": ids, "labels": ids.clone()}


def sentences() -> dict[str, torch.Tensor]:
    return {"input_ids": torch.randint(3, WORDS, (4, 12)), "labels": torch.randint(0, 2, (4,))}


def pictures() -> dict[str, torch.Tensor]:
    return {"pixel_values": torch.randn(4, 3, 32, 32), "labels": torch.randint(0, 5, (4,))}


Family = tuple[str, str, dict[str, Any], Callable[[], dict[str, torch.Tensor]]]
FAMILIES: tuple[Family, ...] = (
    ("Bert", "ForMaskedLM", TEXT, next_words),
    ("Bert", "ForSequenceClassification", TEXT, sentences),
    ("Albert", "ForSequenceClassification", {**TEXT, "embedding_size": 16}, sentences),
    ("DebertaV2", "ForSequenceClassification", TEXT, sentences),
    ("GPT2", "LMHeadModel", {"vocab_size": WORDS, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64},
     next_words),
    ("Llama", "ForCausalLM", TEXT, next_words),
    ("Qwen3", "ForCausalLM", {**TEXT, **PAIRED}, next_words),
    ("Gemma2", "ForCausalLM", {**TEXT, **PAIRED, "query_pre_attn_scalar": 8}, next_words),
    ("Mixtral", "ForCausalLM", {**TEXT, "num_key_value_heads": 2, "num_local_experts": 4}, next_words),
    ("Bart", "ForConditionalGeneration", BART, next_words),
    ("ViT", "ForImageClassification", IMAGE, pictures),
    ("ResNet", "ForImageClassification",
     {"embedding_size": 16, "hidden_sizes": [16, 32, 32, 64], "depths": [1, 1, 1, 1], "num_labels": 5}, pictures),
    ("MobileNetV2", "ForImageClassification", {"num_labels": 5, "depth_multiplier": 0.35}, pictures),
    ("ConvNext", "ForImageClassification",
     {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2, "num_labels": 5}, pictures),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("family", "head", "options", "sample"), FAMILIES, ids=[f"{a}{b}" for a, b, _, _ in FAMILIES])
def test_a_family_passes(
    family: str, head: str, options: dict[str, Any], sample: Callable[[], dict[str, torch.Tensor]]
) -> None:
    torch.manual_seed(0)
    model = getattr(transformers, family + head)(getattr(transformers, f"{family}Config")(**options))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    result = preflight(model, sample(), optimizer=optimiser)
    assert [(one.name, one.where, one.message) for one in result.findings if one.severity != "info"] == []
    assert result.notes == ()
