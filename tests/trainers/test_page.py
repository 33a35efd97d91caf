"""Each piece of code on the page about trainers runs as it stands there."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PAGE = Path(__file__).parents[2] / "docs" / "trainers.md"
BLOCKS = {
    section.partition("\n")[0]: code
    for section in PAGE.read_text().split("\n## ")[1:]
    for code in re.findall(r"```python\n(.*?)```", section, re.S)
}
ROWS = TensorDataset(torch.randn(240, 6), torch.randint(3, (240,)))

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def lightning() -> dict[str, Any]:
    library = importlib.import_module("lightning")

    class Small(library.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, number: int) -> Any:
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = library.Trainer(accelerator="cpu", max_epochs=1, enable_model_summary=False, **quiet)
    return {"model": Small(), "trainer": trainer, "batches": DataLoader(ROWS, 10)}


def transformers() -> dict[str, Any]:
    library = importlib.import_module("transformers")
    importlib.import_module("accelerate")
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = library.LlamaForCausalLM(library.LlamaConfig(vocab_size=20, **sizes))
    rows = [{"input_ids": tokens, "labels": tokens} for tokens in torch.randint(20, (96, 5))]
    quiet = {"report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_strategy": "no"}
    arguments = library.TrainingArguments(
        "unused", use_cpu=True, per_device_train_batch_size=4, num_train_epochs=1, **quiet
    )
    return {"model": model, "trainer": library.Trainer(model, arguments, train_dataset=rows)}


def accelerate() -> dict[str, Any]:
    library = importlib.import_module("accelerate")
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    accelerator = library.Accelerator(cpu=True)
    names = {"model": model, "optimizer": optimizer, "accelerator": accelerator, "batches": DataLoader(ROWS, 10)}
    return {**names, "torch": torch}


MAKERS: dict[str, Callable[[], dict[str, Any]]] = {
    "Lightning": lightning,
    "transformers": transformers,
    "accelerate": accelerate,
}


def test_the_page_has_code_for_each_trainer() -> None:
    assert [*BLOCKS] == [*MAKERS]
    assert PAGE.read_text().count("```python") == len(BLOCKS)


@pytest.mark.parametrize("trainer", MAKERS)
def test_the_code_of_the_page_runs(trainer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        names = MAKERS[trainer]()
    except ModuleNotFoundError as error:
        pytest.skip(f"needs the package {error.name}")
    exec(BLOCKS[trainer], names)
    vitals = names["w"].vitals
    assert vitals.step == 24
    assert len(vitals.sites) == 1
    assert [len(loss.value) for loss in vitals.losses] == [24]
    assert (tmp_path / "report.html").exists() == (trainer == "transformers")
