"""What all tests share: texts compared with files that only ``pytest --regold`` rewrites."""

import gc
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regold", action="store_true", help="rewrite tests/golden from what the code says now")


def pytest_configure() -> None:
    # A suite started in the background ignores Ctrl-C, and so would every program that it starts and interrupts.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    # What is there before the first test stays to the end; every look for what can be freed would go over it again.
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden(name, text)`` asserts that the text is what ``tests/golden/name`` holds."""

    def compare(name: str, text: str) -> None:
        if request.config.getoption("--regold"):
            (GOLDEN / name).write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == (GOLDEN / name).read_text(encoding="utf-8")

    return compare
