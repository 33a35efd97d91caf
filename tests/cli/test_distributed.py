"""Trainings of several processes under ``limen run``: nothing is asked of the others, and the journals add up."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch.distributed
from sklearn.datasets import load_digits

from limen.journal import Run, merge, read
from limen.vitals import Activity
from tests.cli.warm import run_module, run_script
from tests.vitals.rounding import all_unequal, unequal

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(), reason="torch without gloo"
)

TRAIN = """
import hashlib, os, sys
import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
torch.manual_seed(0)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)  # so that the order of a sum flips no count
digits = np.load("digits.npz")
images, labels = torch.tensor(digits["images"]) / 16, torch.tensor(digits["labels"])
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 10))
nn.init.constant_(model[0].bias[:3], -50.0)
if world > 1:
    dist.init_process_group("gloo")
    if "sharded" in sys.argv:
        from torch.distributed.fsdp import fully_shard
        fully_shard(model[2]), fully_shard(model)
    else:
        model = DistributedDataParallel(model)
optimiser = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
order = torch.randperm(1700, generator=torch.Generator().manual_seed(1))
for step in range(68):
    batch = order[step % 17 * 100 :][:100][rank::world]
    loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
tensors = [p.to_local() if hasattr(p, "to_local") else p for p in model.parameters()]
tensors += [torch.random.get_rng_state()]
digest = hashlib.sha1(b"".join(tensor.detach().numpy().tobytes() for tensor in tensors)).hexdigest()
calls = dist.group.WORLD._get_sequence_number_for_group() if world > 1 else 0
print(f"rank {rank}: {digest} after {calls} collectives", flush=True)
if world > 1:
    dist.barrier()
    dist.destroy_process_group()
"""

LIMEN = ("limen", "run", "--budget", "every", "--journal", "run.limen", "train.py")


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), **more}


def torchrun(folder: Path, *command: str) -> tuple[list[str], str]:
    """What two processes print on stdout, sorted, and on stderr."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = subprocess.run(
        [sys.executable, *launcher, *command],
        cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return sorted(re.findall(r"rank \d: \w+ after \d+ collectives", done.stdout)), done.stderr


def two_processes(folder: Path, run: Callable[..., tuple[int, str, str]], *command: str, port: int) -> list[str]:
    """The same without a launcher, which would end both where gloo's threads abort at the exit of one, as they may."""
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}

    def output(rank: int) -> str:
        own = environment(folder, RANK=str(rank), LOCAL_RANK=str(rank), **shared)
        return run(*command, folder=folder, environment=own)[1]

    with ThreadPoolExecutor(2) as pool:
        return [line for out in pool.map(output, range(2)) for line in out.splitlines()]


def prepared(folder: Path) -> Path:
    """The folder with the script and its data: real digits."""
    images, labels = load_digits(return_X_y=True)
    np.savez(folder / "digits.npz", images=images, labels=labels)
    (folder / "train.py").write_text(TRAIN)
    return folder


def free_port() -> int:
    return torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False).port


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("ranks"))


@pytest.fixture(scope="module")
def bare(folder: Path) -> list[str]:
    return sorted(two_processes(folder, run_script, "train.py", port=free_port()))


@pytest.fixture(scope="module")
def watched(folder: Path) -> tuple[list[str], str]:
    return torchrun(folder, "-m", *LIMEN)


@pytest.fixture(scope="module")
def merged(folder: Path, watched: tuple[list[str], str]) -> Run:
    return merge([read(folder / "run.rank1.limen"), read(folder / "run.limen")])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = prepared(tmp_path_factory.mktemp("alone"))
    code, _, err = run_module(*LIMEN, folder=folder, environment=environment(folder))
    assert code == 0, err
    return read(folder / "run.limen")


def test_the_weights_are_the_same_bits_and_no_collective_is_added(
    bare: list[str], watched: tuple[list[str], str]
) -> None:
    assert len(bare) == 2
    assert all(re.search(r" after [1-9]\d* collectives$", line) for line in bare)
    assert watched[0] == bare


def test_one_rank_speaks_and_each_has_its_journal(folder: Path, watched: tuple[list[str], str]) -> None:
    assert watched[1].count("steps watched") == 1
    assert watched[1].count("Rank 0 of 2") == 1
    assert f"all ranks: limen report {folder}/run.limen {folder}/run.rank*.limen\n" in watched[1]
    assert {path.name for path in folder.iterdir() if path.suffix in (".html", ".limen")} == {
        "limen-report.html", "run.limen", "run.rank1.limen",
    }  # fmt: skip
    assert [read(folder / name).vitals.samples for name in ("run.limen", "run.rank1.limen")] == [3400, 3400]


def test_the_journals_of_two_ranks_add_up_to_that_of_one_process(merged: Run, alone: Run) -> None:
    one, two = alone.vitals, merged.vitals
    assert (two.step, two.looked, two.samples) == (one.step, one.looked, one.samples) == (68, 68, 6800)
    assert [seen.site.name for seen in two.sites] == ["1", "3"]
    assert all_unequal(one.sites, two.sites) == []
    assert all_unequal(one.parameters, two.parameters) == []
    assert all_unequal(one.losses, two.losses) == []
    assert all_unequal(one.optimisers, two.optimisers) == []
    assert unequal(one.inputs, two.inputs) == []
    assert all(isinstance(seen.total, Activity) and seen.total.samples == 6800 for seen in two.sites)
    assert two.sites[0].history.dead[-1] >= 3


def test_so_do_their_histograms_and_their_findings(merged: Run, alone: Run) -> None:
    assert merged.histograms.keys() == alone.histograms.keys() == {"1", "3"}
    for name, taken in alone.histograms.items():
        assert [(step, h.counts.tolist()) for step, h in merged.histograms[name]] == [
            (step, h.counts.tolist()) for step, h in taken
        ]
    known = [(finding.key, finding.units, finding.step) for finding in alone.findings]
    assert [(finding.key, finding.units, finding.step) for finding in merged.findings] == known
    assert (merged.verdict, merged.finished, merged.exit_code) == (alone.verdict, True, 0)


def test_the_report_of_the_folder_is_that_of_one_run(folder: Path, merged: Run) -> None:
    for named in (["."], ["run.rank1.limen", "run.limen"]):
        command = ("report", *named, "--json", "all.json")
        code, out, err = run_module("limen", *command, folder=folder, environment=environment(folder))
        assert code == 0, err
        assert out.startswith(f"{merged.verdict}: 2 sites, 68 steps watched")
        assert "Merged from all 2 ranks." in out


def test_sharded_parameters_are_read_in_parts_without_a_collective(folder: Path, alone: Run) -> None:
    ways = ((run_script, "train.py"), (run_module, *LIMEN))
    lines = [two_processes(folder, *way, "sharded", port=free_port()) for way in ways]
    assert len(lines[0]) == 2
    assert lines[0] == lines[1]
    whole = merge([read(folder / "run.limen"), read(folder / "run.rank1.limen")])
    assert whole.broken == ""
    assert {seen.parameter.shards for seen in whole.vitals.parameters} == {2}
    expected = {seen.parameter.name: seen.history for seen in alone.vitals.parameters}
    for seen in whole.vitals.parameters:
        one, other = expected[seen.parameter.name], seen.history
        assert unequal((one.step, one.gradient), (other.step, other.gradient)) == []
        np.testing.assert_allclose(one.weight, other.weight, 5e-3)  # it is read anew when it may be off by more
        np.testing.assert_allclose(one.update, other.update, 5e-3)
    for one, other in zip(alone.vitals.sites, whole.vitals.sites, strict=True):
        assert unequal((one.total, one.history), (other.total, other.history)) == []
