"""``limen run`` around a trainer that draws progress bars and swallows Ctrl-C."""

import json
import os
from pathlib import Path

import pytest

from tests.cli.terminal import in_terminal, replay

SCRIPT = """
import os, signal, warnings
warnings.simplefilter("ignore")
import lightning, torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Digits(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, number):
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("loss", loss, prog_bar=True)
        if self.global_step == 60:
            print("hold on")
            os.kill(os.getpid(), signal.SIGINT)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-3)

found = load_digits()
rows = TensorDataset(torch.tensor(found.data / 16, dtype=torch.float32), torch.tensor(found.target))
lightning.seed_everything(0)
trainer = lightning.Trainer(accelerator="cpu", max_epochs=3, logger=False, enable_checkpointing=False)
trainer.fit(Digits(), DataLoader(rows, 40))
print("never")
"""


def test_an_interrupted_trainer_has_its_screen_and_its_report(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="needs the package lightning")
    (tmp_path / "train.py").write_text(SCRIPT)
    path = os.pathsep.join(filter(None, (str(Path("src").resolve()), os.environ.get("PYTHONPATH"))))
    bare_code, bare = in_terminal("train.py", cwd=tmp_path, PYTHONPATH=path)
    options = ["--report", "r.html", "--json", "r.json"]
    code, watched = in_terminal("-m", "limen", "run", *options, "train.py", cwd=tmp_path, PYTHONPATH=path)
    # Lightning exits with 1 after Ctrl-C; its tips are drawn by lot, its bars tell the speed
    shown, expected = ([x for x in replay(out) if x and "Tip" not in x and "it/s" not in x] for out in (watched, bare))
    assert (code, bare_code) == (1, 1)
    assert "Detected KeyboardInterrupt" in "".join(expected)
    assert shown[: len(expected)] == expected
    told = shown[len(expected) :]
    assert told[0] == "limen: the script ended with exit code 1; up to there:"
    assert told[1] == "healthy: 1 site, 60 steps watched"
    assert (tmp_path / "r.html").stat().st_size > 10_000
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["steps"], [site["path"] for site in result["sites"]]) == (60, ["net.1"])
