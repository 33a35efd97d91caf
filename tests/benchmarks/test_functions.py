import pytest
import torch
import torch.nn.functional as F

from benchmarks.functions import AGAIN, COPY, EAGER, EXACT, FAST, NAMES, contestants, row, turn
from limen.kernels.functions import IN_USE, compiled


def test_a_function_is_timed_within_its_round() -> None:
    """The machine is three times slower in the second round; the ratios stay the same."""
    times = {
        who: [(slow * forward, slow * backward) for slow in (1.0, 3.0)]
        for who, (forward, backward) in {EAGER: (2.0, 4.0), FAST: (1.0, 2.0), COPY: (1.2, 0.0)}.items()
    }
    found = row("relu", 10, "wall", times)
    assert found.rounds == 2
    assert found.both == {FAST: pytest.approx((2.0, 2.0, 2.0))}
    assert found.forward == {FAST: pytest.approx((2.0, 2.0, 2.0))}
    assert found.of_copy[FAST] == pytest.approx((1.0, 1.0, 1.0))  # 1.2 for two tensors, 3 for the five of both passes
    assert found.milliseconds[COPY][1] == pytest.approx(2400)


def test_all_run_the_same_function() -> None:
    if IN_USE.startswith("torch"):
        pytest.skip("no compiled functions")
    assert all(compiled(name, torch.float32, torch.device("cpu")) for name in NAMES.split())
    x, grad = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    leaf = x.clone().requires_grad_()
    y = F.mish(leaf)
    expected = [y.detach(), torch.autograd.grad(y, leaf, grad)[0]]
    for who, (forward, backward) in contestants("mish", x, grad, compiled=False).items():
        made = [forward(), backward()]
        if who in (FAST, EXACT):
            torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-6)
        elif who in (EAGER, AGAIN):
            torch.testing.assert_close(made[1], (expected[1],))
        assert min(turn((forward, backward), "wall")) >= 0
