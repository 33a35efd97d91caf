"""When units were last active, in one number each, against counting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from limen.kernels.silence import ROOM, Silence

UNITS = 6


@given(seed=st.integers(0, 2**16), steps=st.integers(1, 120), rate=st.floats(0.0, 0.5), ahead=st.integers(1, 9))
@settings(deadline=None)
def test_it_is_what_counting_says(seed: int, steps: int, rate: float, ahead: int) -> None:
    random = np.random.default_rng(seed)
    silence = Silence(UNITS, dead_samples=40, dead_steps=5, room=3)  # the list is looked through all the time
    last, silent_steps, silent_samples = np.zeros((3, UNITS), np.int64)
    number = 0
    for _ in range(steps):
        number += int(random.integers(1, 4))
        samples, active = int(random.integers(1, 30)), random.random(UNITS) < rate
        place, dead = silence.open(number, samples)
        silence.last[active] = place
        silence.tidy(ahead)
        last = np.where(active, number, last)
        silent_steps = np.where(active, 0, silent_steps + 1)
        silent_samples = np.where(active, 0, silent_samples + samples)
        assert silence.last_active.tolist() == last.tolist()
        assert silence.steps.tolist() == silent_steps.tolist()
        assert silence.samples.tolist() == silent_samples.tolist()
        which, kinds = silence.kinds()
        assert kinds[:, which].tolist() == [last.tolist(), silent_steps.tolist(), silent_samples.tolist()]
        assert (
            kinds.shape[1] == len({*which.tolist()}) == len({*last.tolist()})
        )  # none twice, and none that is no unit's
        expected = (silent_steps >= 5) & (silent_samples >= 40)
        assert (silence.last.astype(np.int64) <= dead).tolist() == expected.tolist()


def test_the_list_of_steps_does_not_grow_with_their_number() -> None:
    silence = Silence(UNITS, dead_samples=1_000, dead_steps=20)
    most = 0
    for step in range(1, 20 * ROOM):
        place, _ = silence.open(step, 64)
        silence.last[step % UNITS] = place
        most = max(most, silence.nbytes)
    assert most <= 4 * UNITS + 24 * ROOM
