"""Who this process is, from what a launcher says."""

import pytest

from limen.ranks import Ranks, this_rank

TORCHRUN = {
    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "node0", "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "0",
}  # fmt: skip


def test_all_ranks_of_a_run_know_one_name_for_it() -> None:
    assert this_rank(TORCHRUN) == Ranks("node0:29500", 4, (3,))
    other = {**TORCHRUN, "RANK": "0", "LOCAL_RANK": "0", "TORCHELASTIC_RESTART_COUNT": "1"}
    assert this_rank(other) == Ranks("node0:29500", 4, (0,))
    assert this_rank({**TORCHRUN, "TORCHELASTIC_RUN_ID": "job7"}) == Ranks("job7 at node0:29500", 4, (3,))


@pytest.mark.parametrize(
    "alone",
    [{}, {"RANK": "0"}, {"WORLD_SIZE": "2"}, {"RANK": "0", "WORLD_SIZE": "1"}, {"RANK": "2", "WORLD_SIZE": "2"},
     {"RANK": "-1", "WORLD_SIZE": "2"}, {"RANK": "first", "WORLD_SIZE": "2"}],
)  # fmt: skip
def test_a_process_that_trains_alone_has_no_rank(alone: dict[str, str]) -> None:
    assert this_rank(alone) is None
