"""Which watch is active; what forks make of it is tested with the watch."""

import gc

from limen.active import Active
from limen.probe import Budget, Probe


class Someone:
    """Stands for a watch."""


def a_probe() -> Probe:
    return Probe([], Budget(None), lambda step: None, lambda error: None)


def test_the_one_that_began_last_is_active_until_it_ends() -> None:
    active, first, second, probe = Active[Someone](), Someone(), Someone(), a_probe()
    try:
        assert active.current() is None
        active.begin(first, probe)
        assert active.current() is first
        active.begin(second, probe)
        active.end(first)
        assert active.current() is second
        active.end(second)
        assert active.current() is None
    finally:
        probe.close()


def test_one_that_nobody_holds_is_not_kept_alive() -> None:
    active, someone, probe = Active[Someone](), Someone(), a_probe()
    try:
        active.begin(someone, probe)
        del someone
        gc.collect()
        assert active.current() is None
    finally:
        probe.close()
