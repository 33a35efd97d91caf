"""Each example under ``limen run``: the training is untouched, the sites are found, the verdict is the right one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.warm import run_module, run_script

EXAMPLES = Path(__file__).parents[2] / "examples"

Found = tuple[str, str, int, str | None]  # path, function, units, layer

SITES: dict[str, list[Found]] = {
    "sequential_mlp": [("1", "relu", 128, "0"), ("3", "relu", 64, "2")],
    "functional_relu": [("", "relu", 96, "fc1"), ("", "relu", 48, "fc2")],
    "shared_activation": [("act", "leaky_relu", 64, layer) for layer in ("fc1", "fc2", "fc3")],
    "cnn_batchnorm": [
        ("features.0.2", "relu", 16, "features.0.0"),
        ("features.1.2", "relu", 32, "features.1.0"),
        ("features.3.2", "relu", 32, "features.3.0"),
    ],
    "gru_rows": [
        ("gru", "sigmoid", 64, None),  # l0.reset
        ("gru", "sigmoid", 64, None),  # l0.update
        ("gru", "tanh", 64, None),  # l0.new
        ("", "tanh", 48, "fc"),
    ],
    "transformer": [
        ("encoder.layers.0", "gelu", 96, "encoder.layers.0.linear1"),
        ("encoder.layers.1", "gelu", 96, "encoder.layers.1.linear1"),
    ],
    "two_optimisers": [
        ("", "relu", 64, "generator.fc1"),  # with two models, layers bear the names of the script's variables
        ("", "relu", 64, "generator.fc2"),
        ("", "tanh", 64, "generator.pixels"),
        ("body.1", "leaky_relu", 64, "discriminator.body.0"),
        ("body.4", "leaky_relu", 32, "discriminator.body.3"),
    ],
}

SICK = {
    "learning_rate_too_high": ("dead-units", "fc1", "learning-rate-too-high"),
    "bias_minus_ten": ("dead-units", "fc3", "bad-bias"),
    "deep_sigmoid": ("vanishing-gradient", "0", "saturating-activation"),
    "unscaled_inputs": ("saturated-units", "fc1", "unscaled-inputs"),
    "zero_weights": ("dead-units", "0", "bad-initialisation"),
    "equal_weights": ("collapsed-representation", "0", "bad-initialisation"),
}

HEALTHY = ["very_sparse_relu", "confident_head", "frozen_backbone", "dropout_silu_small_data", "zero_starts"]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def bare(script: Path, folder: Path) -> str:
    """What a script prints without limen; fails with its output if it failed."""
    for each in (script, EXAMPLES / "fingerprint.py"):
        shutil.copy(each, folder)
    os.rename(folder / script.name, folder / "train.py")  # one name, hence one process that waits, for all tests
    code, out, err = run_script("train.py", folder=folder, environment=environment())
    assert code == 0, out + err
    return out


def watched(script: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """What it prints under ``limen run``, and the JSON."""
    report, result = folder / "report.html", folder / "result.json"
    command = ("run", "--report", str(report), "--json", str(result), str(script))
    code, out, err = run_module("limen", *command, folder=folder, environment=environment())
    assert code == 0, out + err
    assert report.stat().st_size > 10_000
    return out, json.loads(result.read_text())


@pytest.mark.parametrize("name", [*SITES, "handwritten_update"])
def test_watching_changes_no_bit_and_finds_every_site(name: str, tmp_path: Path) -> None:
    script = EXAMPLES / f"{name}.py"
    expected = bare(script, tmp_path)
    out, result = watched(script, tmp_path)
    last, before = expected.splitlines()[:-3:-1]
    assert last.startswith("weights ")
    assert before.startswith("random ")
    assert out == expected
    found = [(site["path"], site["function"], site["units"], site["layer"]) for site in result["sites"]]
    if name == "handwritten_update":  # raw tensors have no paths
        assert [site[1:3] for site in found] == [("relu", 80), ("relu", 40)]
    else:
        assert sorted(found) == sorted(SITES[name])


@pytest.mark.parametrize("name", SICK)
def test_a_sick_example_is_diagnosed(name: str, tmp_path: Path) -> None:
    symptom, layer, cause = SICK[name]
    _, result = watched(EXAMPLES / "sick" / f"{name}.py", tmp_path)
    assert result["verdict"] == "sick"
    findings = [f for f in result["findings"] if (f["symptom"], f["layer"]) == (symptom, layer)]
    assert findings, [(f["symptom"], f["where"], f["layer"]) for f in result["findings"]]
    assert findings[0]["causes"][0]["name"] == cause, findings[0]["causes"]
    others = {"revive-units", "reinitialise", "swap-activation", "scale-inputs"}
    assert findings[0]["remedies"][0] in ({"lower-learning-rate"} if cause == "learning-rate-too-high" else others)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_example_gets_silence(name: str, tmp_path: Path) -> None:
    _, result = watched(EXAMPLES / "healthy" / f"{name}.py", tmp_path)
    assert [f["message"] for f in result["findings"] if f["severity"] != "info"] == []
    assert result["verdict"] == "healthy"
