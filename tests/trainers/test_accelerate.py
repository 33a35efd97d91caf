"""Accelerate, DataParallel and averaged models under a watch."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.optim import swa_utils
from torch.utils.data import DataLoader, TensorDataset

from tests.trainers.same import Told, means, same, seen

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own
BATCH, BATCHES = 40, 30
SITES = [("1", "0", 32), ("3", "2", 16)]


def digits() -> TensorDataset:
    found = load_digits()
    return TensorDataset(torch.tensor(found.data / 16, dtype=torch.float32), torch.tensor(found.target))


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 10))


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulated": {"gradient_accumulation_steps": 4},
    "bf16": {"mixed_precision": "bf16"},
}


@pytest.mark.parametrize(("case", "clip"), [*((case, None) for case in CASES), ("accumulated", 0.05)])
def test_a_prepared_training_is_seen_as_its_user_knows_it(case: str, clip: float | None) -> None:
    accelerate = pytest.importorskip("accelerate", reason="needs the package accelerate")

    def train() -> Told:
        accelerate.state.AcceleratorState._reset_state(True)
        accelerator = accelerate.Accelerator(cpu=True, **CASES[case])
        plain = network()
        optimiser = torch.optim.AdamW(plain.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, 40)
        rows = DataLoader(digits(), BATCH, sampler=range(BATCH * BATCHES))
        model, optimiser, rows, schedule = accelerator.prepare(plain, optimiser, rows, schedule)
        losses: list[float] = []
        rates: list[float] = []
        for x, y in rows:
            with accelerator.accumulate(model):
                loss = F.cross_entropy(model(x), y)
                losses.append(loss.item())
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    rates.append(optimiser.param_groups[0]["lr"])
                    if clip is not None:
                        accelerator.clip_grad_norm_(model.parameters(), clip)
                optimiser.step()
                schedule.step()
                optimiser.zero_grad()
        return Told(list(plain.parameters()), losses, rates)

    told, watch = same(train)
    vitals = watch.vitals
    assert [(name, layer, units) for name, layer, _, units in seen(watch)] == SITES
    expected = means(told.losses, CASES[case].get("gradient_accumulation_steps", 1))
    (losses,) = vitals.losses
    assert losses.value.tolist() == pytest.approx(expected, rel=1e-6)  # of float32 numbers divided and multiplied
    assert (vitals.step, vitals.samples) == (len(expected), BATCH * BATCHES)
    (optimiser,) = vitals.optimisers
    assert optimiser.learning_rate.tolist() == told.rates
    if clip is not None:
        assert all((parameter.history.gradient <= clip * (1 + 1e-5)).all() for parameter in vitals.parameters)


def test_a_data_parallel_model_and_its_averages_are_one_training() -> None:
    def train() -> Told:
        model = network()
        wrapped = nn.DataParallel(model)
        average = swa_utils.AveragedModel(wrapped, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9))
        optimiser = torch.optim.AdamW(model.parameters(), 2e-3)
        losses: list[float] = []
        for x, y in DataLoader(digits(), BATCH, sampler=range(BATCH * BATCHES)):
            loss = F.cross_entropy(wrapped(x), y)
            losses.append(loss.item())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            average.update_parameters(wrapped)
            with torch.no_grad():
                average(x)
        swa_utils.update_bn([x], average)
        return Told([*model.parameters(), *average.parameters()], losses, [])

    told, watch = same(train)
    vitals = watch.vitals
    assert [(name, layer, units) for name, layer, _, units in seen(watch)] == SITES
    assert [parameter.parameter.name for parameter in vitals.parameters] == [*network().state_dict()]
    assert (vitals.step, vitals.samples) == (BATCHES, BATCH * BATCHES)
    assert vitals.losses[0].value.tolist() == told.losses
