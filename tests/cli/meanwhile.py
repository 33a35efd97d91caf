"""What ``limen run`` says while a training lasts, for tests that compare what it says in the end."""

import re
import time

from limen.cli.live import INTERVAL

MEANWHILE = re.compile(r"^limen  (if this run gets killed, .*|step [\d,]+ · .*watching .*)\n", re.MULTILINE)


def at_the_end(err: str, begun: float) -> str:
    """Without the lines of every ten seconds, if there was the time for one: a slow machine is no fault.

    Args:
        err: what a program wrote on stderr.
        begun: when it was started, by ``time.monotonic``.
    """
    return MEANWHILE.sub("", err) if time.monotonic() - begun >= INTERVAL else err
