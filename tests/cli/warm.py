"""Programs run by copies of a python that has loaded torch already: two seconds less for each.

Only torch is there earlier than in a new process; the tests for which that matters start one.
"""

import atexit
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

WAITING = Path(__file__).parent / "waiting"
HERE = "/proc/self/cwd"
"""The folder that a copy is sent to; the original knows only the one where it waits."""
LIMIT = 300
"""Seconds after which a program is killed."""
STARTING = threading.Lock()


def waiting(*program: str) -> socket.socket:
    """Where to send orders to a ``python PROGRAM`` that has not begun yet: one for all that ask, at once or later."""
    with STARTING:
        return _started(*program)


@functools.cache
def _started(*program: str) -> socket.socket:
    here, there = socket.socketpair()
    path = os.pathsep.join(filter(None, (str(WAITING), os.environ.get("PYTHONPATH"))))
    own = {"PYTHONPATH": path, "WAITING": str(there.fileno()), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(
        [sys.executable, *program], env={**os.environ, **own}, pass_fds=[there.fileno()], **streams
    )
    there.close()
    atexit.register(process.wait)
    atexit.register(here.close)  # the last one registered is the first to be called
    return here


def run_module(module: str, *arguments: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Exit code and output of ``python -m module ARGUMENTS``."""
    return _run(waiting("-m", module), arguments, folder, environment)


def run_script(name: str, *arguments: str, folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """The same of ``python NAME ARGUMENTS``."""
    code, out, err = _run(waiting(f"{HERE}/{name}"), arguments, folder, environment)
    return code, out, err.replace(HERE, str(folder))


def _run(
    orders: socket.socket, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]
) -> tuple[int, str, str]:
    order = {"folder": str(folder), "environment": environment, "arguments": arguments, "limit": LIMIT}
    answer, answers = os.pipe()
    with open(os.devnull) as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams = [answers, nothing.fileno(), out.fileno(), err.fileno()]
        socket.send_fds(orders, [json.dumps(order).encode()], streams)
        os.close(answers)
        with open(answer) as told:
            code = int(told.read())
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()
