"""Read by python as it starts, before its program: waits, torch loaded, and lets a copy of itself go on per order.

The copy then runs the program of its command line as python always does: nothing of this file is on its stack.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
from typing import Any

LOADED = ("torch._dynamo", "typer", "rich.console", "sklearn.datasets")
"""What takes long; the first step of an optimiser loads the first of them. Nothing of limen."""


def wait_for_orders() -> None:
    """Returns in the copies only; the waiting process ends with the one that gives the orders."""
    for each in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(each)
    gc.freeze()  # what is loaded is not taken apart again as each copy ends: that took longer than most programs
    orders = socket.socket(fileno=int(os.environ["WAITING"]))
    while True:
        message, descriptors, *_ = socket.recv_fds(orders, 2**20, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            orders.close()
            serve(json.loads(message), *descriptors)
            return
        for each in descriptors:
            os.close(each)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those that have answered
                pass


def serve(order: dict[str, Any], answer: int, *streams: int) -> None:
    """Returns in another copy; this one tells how that one ended."""
    copy = os.fork()
    if copy:
        for each in (0, 1, 2, *streams):
            os.close(each)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(copy, signal.SIGKILL))
        signal.alarm(order["limit"])
        os.write(answer, b"%d" % os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]))
        os._exit(0)
    os.close(answer)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv[1:] = order["arguments"]
    sys.path.remove(os.path.dirname(__file__))
    tempfile.tempdir = None  # it was perhaps looked for in the environment before


if "WAITING" in os.environ:
    wait_for_orders()
