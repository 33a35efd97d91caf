"""How many values and samples a normalisation takes together."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from limen.probe.norm_record import samples_of, values_of


def four(_group: object) -> int:
    return 4


@pytest.mark.parametrize(("kind", "times"), [(nn.SyncBatchNorm, 4), (nn.BatchNorm2d, 1)])
def test_only_a_synchronised_one_sees_what_other_processes_are_given(
    kind: type[nn.Module], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    norm, data = kind(6), torch.zeros(2, 6, 5, 5)
    assert (samples_of(norm, data), values_of(norm, data)) == (2, 50)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", four)
    assert (samples_of(norm, data), values_of(norm, data)) == (2 * times, 50 * times)


@pytest.mark.parametrize("norm", [nn.LayerNorm(5), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6)], ids=str)
def test_others_take_no_samples_together(norm: nn.Module) -> None:
    assert samples_of(norm, torch.zeros(2, 6, 5, 5)) == 0
