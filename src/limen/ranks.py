"""The processes of one distributed training, as torchrun and its kin tell each of them through its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ranks", "for_rank", "this_rank"]


@dataclass(frozen=True)
class Ranks:
    """Which processes of one run something was seen by.

    Attributes:
        run: what all ranks of a run know of it without asking each other: the name that torchrun gave it, and where
            they meet. A restart, or the next run of the same command, may have the same; the time of the start tells
            those apart. The number of restarts would not: each machine counts its own.
        world: number of processes of the run.
        present: their numbers, from 0, rising.
    """

    run: str
    world: int
    present: tuple[int, ...]


def this_rank(environment: Mapping[str, str] = os.environ) -> Ranks | None:
    """This process among its kind; None where it trains alone.

    >>> this_rank({"RANK": "3", "WORLD_SIZE": "4", "MASTER_ADDR": "node0", "MASTER_PORT": "29500"})
    Ranks(run='node0:29500', world=4, present=(3,))
    """
    rank, world = environment.get("RANK", ""), environment.get("WORLD_SIZE", "")
    if not (rank.isdecimal() and world.isdecimal() and int(rank) < int(world) and int(world) > 1):
        return None
    name = environment.get("TORCHELASTIC_RUN_ID", "none")
    met = f"{environment.get('MASTER_ADDR', '')}:{environment.get('MASTER_PORT', '')}"
    return Ranks(met if name == "none" else f"{name} at {met}", int(world), (int(rank),))


def for_rank(path: Path, rank: int) -> Path:
    """The path of one process of a distributed run: ``run.limen``, ``run.rank1.limen`` and so on.

    >>> str(for_rank(Path("run.limen"), 0)), str(for_rank(Path("run.limen"), 3))
    ('run.limen', 'run.rank3.limen')
    """
    return path.with_name(f"{path.stem}.rank{rank}{path.suffix}") if rank else path
