"""Lightning's Trainer under a watch: the same bits, the real losses, the user's names, nothing left behind."""

import importlib
import logging
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from tests.trainers.same import Told, means, same, seen

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's own, and those of what it brings along
BATCH, BATCHES = 40, 22


@pytest.fixture(scope="module")
def lightning() -> Any:
    try:
        found = importlib.import_module("lightning")
    except ImportError:
        pytest.skip("needs the package lightning")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return found


def digits() -> TensorDataset:
    found = load_digits()
    return TensorDataset(torch.tensor(found.data / 16, dtype=torch.float32), torch.tensor(found.target))


def lit(lightning: Any, kind: str) -> Any:
    class Digits(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
            self.head = nn.Linear(32, 10)
            self.losses: list[float] = []
            self.rates: list[float] = []
            self.automatic_optimization = kind != "manual"

        def forward(self, x: Tensor) -> Tensor:
            return self.head(F.gelu(self.encoder(x)))

        def training_step(self, batch: list[Tensor], number: int) -> Tensor:
            loss = F.cross_entropy(self(batch[0]), batch[1])
            self.losses.append(loss.item())
            self.log("loss", loss)
            if kind == "manual":
                optimiser = self.optimizers()
                optimiser.zero_grad()
                self.manual_backward(loss)
                optimiser.step()
            return loss

        def validation_step(self, batch: list[Tensor], number: int) -> None:
            self.log("accuracy", (self(batch[0]).argmax(1) == batch[1]).float().mean())

        def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
            self.rates.append(optimizer.param_groups[0]["lr"])

        def configure_optimizers(self) -> Any:
            optimiser = torch.optim.AdamW(self.parameters(), 3e-3)
            schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, 30)
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    return Digits()


def told(lightning: Any, kind: str = "", **options: Any) -> Told:
    model = lit(lightning, kind)
    rows = digits()
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=2, logger=False, enable_checkpointing="callbacks" in options,
        enable_progress_bar=False, enable_model_summary=False, **options,
    )  # fmt: skip
    training = DataLoader(rows, BATCH, sampler=range(BATCH * BATCHES))
    trainer.fit(model, training, DataLoader(rows, 200, sampler=range(1400, 1797)))
    return Told(list(model.parameters()), model.losses, model.rates)


CASES: dict[str, dict[str, Any]] = {
    "automatic": {},
    "accumulated": {"accumulate_grad_batches": 4},
    "clipped": {"gradient_clip_val": 0.05},
    "bf16-mixed": {"precision": "bf16-mixed"},
    "manual": {"kind": "manual"},
}


@pytest.mark.parametrize("case", CASES)
def test_a_trainer_is_seen_as_its_user_knows_it(lightning: Any, case: str) -> None:
    told_, watch = same(lambda: told(lightning, **CASES[case]))
    vitals = watch.vitals
    assert seen(watch) == [("encoder.1", "encoder.0", "Digits", 32), ("gelu#1", "encoder.0", "Digits", 32)]
    layers = ("encoder.0", "head")
    assert [p.parameter.name for p in vitals.parameters] == [f"{p}.{q}" for p in layers for q in ("weight", "bias")]
    size = CASES[case].get("accumulate_grad_batches", 1)
    assert BATCHES % size == (2 if size > 1 else 0)  # the last step of each epoch has fewer passes
    epochs = told_.losses[:BATCHES], told_.losses[BATCHES:]
    expected = [mean for epoch in epochs for mean in means(epoch, size)]
    (losses,) = vitals.losses
    assert (losses.function, vitals.step) == ("cross-entropy", len(expected))
    assert losses.value.tolist() == pytest.approx(expected, rel=1e-6)  # of float32 numbers divided and multiplied
    assert vitals.samples == 2 * BATCH * BATCHES  # neither the sanity check nor the validation
    (optimiser,) = vitals.optimisers
    assert (optimiser.name, optimiser.learning_rate.tolist()) == ("AdamW", told_.rates)
    for parameter in vitals.parameters:
        history = parameter.history
        assert len(history.step) == vitals.step
        assert (history.update > 0).all()
        assert (history.gradient > 0).all()
        assert case != "clipped" or (history.gradient <= 0.05 * (1 + 1e-5)).all()


def test_a_checkpoint_knows_nothing_of_limen(lightning: Any, tmp_path: Path) -> None:
    from lightning.pytorch.callbacks import ModelCheckpoint

    files: list[Path] = []

    def train() -> Told:
        folder = tmp_path / str(len(files))
        saver = ModelCheckpoint(folder, save_last=True)
        made = told(lightning, callbacks=[saver])
        files.append(Path(saver.last_model_path))
        return made

    same(train)
    bare, watched = (torch.load(file, weights_only=True) for file in files)
    assert [*bare["state_dict"]] == [*watched["state_dict"]]
    assert all(torch.equal(tensor, watched["state_dict"][name]) for name, tensor in bare["state_dict"].items())
    assert pickle.dumps([*bare]) == pickle.dumps([*watched])
    with zipfile.ZipFile(files[1]) as archive:
        assert all(b"limen" not in archive.read(name) for name in archive.namelist())


def test_two_optimisers_of_a_gan_are_two_losses_of_one_model(lightning: Any) -> None:
    class Gan(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.generator = nn.Sequential(nn.Linear(8, 24), nn.LeakyReLU(0.2), nn.Linear(24, 64), nn.Sigmoid())
            self.critic = nn.Sequential(nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
            self.losses: list[float] = []

        def training_step(self, batch: list[Tensor], number: int) -> None:
            makes, judges = self.optimizers()
            real, judge = batch[0], F.binary_cross_entropy_with_logits
            one, zero = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            for optimiser in (makes, judges):
                self.toggle_optimizer(optimiser)  # freezes the other's weights
                made = self.critic(self.generator(torch.randn(len(real), 8)))
                loss = judge(made, one) if optimiser is makes else judge(self.critic(real), one) + judge(made, zero)
                optimiser.zero_grad()
                self.manual_backward(loss)
                optimiser.step()
                self.untoggle_optimizer(optimiser)
                self.losses.append(loss.item())

        def configure_optimizers(self) -> Any:
            return [torch.optim.Adam(part.parameters(), 2e-4) for part in (self.generator, self.critic)]

    def train() -> Told:
        model = Gan()
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = lightning.Trainer(accelerator="cpu", max_epochs=1, enable_model_summary=False, **quiet)
        trainer.fit(model, DataLoader(digits(), BATCH, sampler=range(BATCH * BATCHES)))
        return Told(list(model.parameters()), model.losses, [])

    told_, watch = same(train)
    layers = [("generator.1", "generator.0"), ("generator.3", "generator.2"), ("critic.1", "critic.0")]
    assert [site[:2] for site in seen(watch)] == layers
    assert [loss.value.tolist() for loss in watch.vitals.losses] == [told_.losses[0::2], told_.losses[1::2]]
    assert watch.vitals.step == BATCHES
