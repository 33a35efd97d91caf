"""Whether each fault does harm and each sound training learns, measured without limen: ``python -m ward.harm``."""

from __future__ import annotations

import argparse
import functools
import json
import math
import os
import statistics
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ward.cases import HARMLESS, Case, case, cases, sound_twin
from ward.data import data_of, lacking
from ward.gan import NOISE
from ward.recipe import Recipe
from ward.saving import save_rows
from ward.torchdiag import said_by_torchdiag
from ward.train import Trained, prepared, train

__all__ = ["Harm", "harm", "unsolved"]

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "ward-harm.json"
WORSE, MORE = 0.05, 1.25
"""A fault does harm where at least this share more of the task is left unsolved, and this many times as much, than by
the sound twin; or where the training loss, of the same kind, ends at this many times the twin's and that much of the
twin's first loss above it."""
LEARNT = 0.9
"""A sound training learns where at most this share of its first loss, or of what was unsolved at first, is left."""


@dataclass(frozen=True)
class Harm:
    """What one case came to.

    Attributes:
        case: its name.
        fault: what is wrong with it; None for a sound one.
        holds: whether the fault does harm; for a sound one, whether it learns.
        unsolved: share of the task that is left at the end: errors among the training samples, over those of always
            guessing the most frequent class; squared error over the variance of the targets; for a pair, the energy
            distance between what is made and what is real, over the mean distance among the real.
        twin: the same of the sound twin; for a sound one, of the untrained model.
        loss: mean training loss of the last tenth of the steps.
        twin_loss: of the sound twin; for a sound one, of the first three steps.
        why: in words.
        torchdiag: what that package says of the model after the last step; None where it is not installed.
    """

    case: str
    fault: str | None
    holds: bool
    unsolved: float
    twin: float
    loss: float
    twin_loss: float
    why: str
    torchdiag: tuple[str, ...] | None


def apart(one: Tensor, other: Tensor) -> float:
    return float(torch.cdist(one, other).mean())


@torch.no_grad()
def unsolved(recipe: Recipe, trained: Trained) -> float:
    """Share of the task that a model leaves unsolved, on up to 2,000 of the training samples; inf for NaN."""
    inputs, targets = prepared(recipe, data_of(recipe.data))
    torch.manual_seed(0)
    chosen = torch.randperm(len(inputs))[:2_000]
    inputs, targets = inputs[chosen], targets[chosen]
    model = trained.model.eval()
    if recipe.net == "gan":
        real, made = inputs.flatten(1), model(torch.randn(len(inputs), NOISE))
        found = (2 * apart(real, made) - apart(real, real) - apart(made, made)) / apart(real, real)
    elif targets.ndim == 1:
        output = model(inputs)
        limit = 0.5 if recipe.loss in ("bce", "bce_clipped") else 0.0
        said = output.argmax(1) if output.shape[1] > 1 else (output[:, 0] > limit).long()
        found = float((said != targets).float().mean() / (1 - targets.bincount().max() / len(targets)))
        found = found if bool(torch.isfinite(output).all()) else math.inf
    else:
        found = float((model(inputs) - targets).square().mean() / targets.var())
    return found if math.isfinite(found) else math.inf


def last(losses: Sequence[float]) -> float:
    """Mean loss of the last tenth of the steps."""
    return statistics.fmean(losses[-max(len(losses) // 10, 1) :])


@functools.cache
def measured_twin(recipe: Recipe) -> tuple[float, float, float]:
    """What a sound twin leaves unsolved, its last loss and its first."""
    trained = train(recipe)
    return unsolved(recipe, trained), last(trained.losses), statistics.fmean(trained.losses[:3])


def harm(name: str) -> Harm:
    """Train a case, and its sound twin where it has one, and compare."""
    torch.set_num_threads(1)
    one = case(name)
    trained = train(one.recipe)
    said = said_by_torchdiag(trained.model, sample(one.recipe))
    left, loss = unsolved(one.recipe, trained), last(trained.losses)
    if one.fault is None:
        untrained = unsolved(one.recipe, train(replace(one.recipe, steps=0)))
        first = statistics.fmean(trained.losses[:3])
        learns = loss <= LEARNT * first or left <= LEARNT * untrained
        why = "learns" if learns else "does not learn"
        return Harm(name, None, learns, left, untrained, loss, first, why, said)
    sound = sound_twin(one)
    twin, twin_loss, twin_first = measured_twin(sound)
    comparable = one.recipe.net != "gan" and (one.recipe.loss, one.recipe.target_scale) == (
        sound.loss,
        sound.target_scale,
    )
    if not (math.isfinite(loss) and math.isfinite(left)):
        why = "not finite"
    elif left > twin + WORSE and left > MORE * twin:
        why = "leaves more unsolved"
    elif comparable and loss > max(MORE * twin_loss, twin_loss + WORSE * twin_first):
        why = "ends at a higher loss"
    else:
        why = "a defect" if one.fault.defect else "harmless"
    return Harm(name, one.fault.name, why != "harmless", left, twin, loss, twin_loss, why, said)


def sample(recipe: Recipe) -> Tensor:
    """What the model is shown at the end."""
    if recipe.net == "gan":
        return torch.randn(500, NOISE)
    return prepared(recipe, data_of(recipe.data))[0][:500]


def measured(chosen: Sequence[Case], jobs: int) -> list[Harm]:
    """The harm of some cases, those of one sound recipe in one process."""
    names = [one.name for one in sorted(chosen, key=lambda one: (one.base, one.number))]
    if jobs == 1:
        return [harm(name) for name in names]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(harm, names, chunksize=8))


def main() -> None:
    """Measure all cases; with ``--save``, replace those without harm until every fault does some."""
    parser = argparse.ArgumentParser(prog="python -m ward.harm", description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="TEXT", help="cases whose name holds one of these")
    parser.add_argument("--new", action="store_true", help="only cases without a saved result")
    parser.add_argument("--kind", choices=("sick", "sound", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--save", action="store_true", help=f"write {HARMLESS.name} and {RESULTS.name}")
    arguments = parser.parse_args()
    parts = arguments.only or [""]
    earlier = {one["case"]: one for one in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    found: dict[str, Harm] = {}
    while True:
        asked = [one for one in cases().values() if one.name not in found and not lacking(one.recipe.data)]
        asked = [one for one in asked if not (arguments.new and one.name in earlier)]
        if arguments.kind != "both":
            asked = [one for one in asked if (one.fault is not None) == (arguments.kind == "sick")]
        asked = [one for one in asked if any(part in one.name for part in parts)]
        for one in measured(asked, arguments.jobs):
            found[one.case] = one
            if not one.holds:
                print(f"{one.why:<15} {one.case}: unsolved {one.unsolved:.3f}, {one.twin:.3f} in its twin; "
                      f"loss {one.loss:.3g}, {one.twin_loss:.3g}", flush=True)  # fmt: skip
        if not asked or not arguments.save:
            break
        harmless = set(HARMLESS.read_text().splitlines())
        harmless |= {one.case for one in found.values() if one.fault and not one.holds}
        HARMLESS.write_text("".join(f"{name}\n" for name in sorted(harmless)))
        cases.cache_clear()
    print(f"{sum(one.holds for one in found.values())} of {len(found)} are as they should be")
    if arguments.save:
        known = earlier | {name: asdict(one) for name, one in found.items()}
        save_rows(RESULTS, [known[name] for name in cases() if name in known])


if __name__ == "__main__":
    main()
