"""What a program leaves on a terminal is the same with and without a line drawn in between."""

import io
import re
from pathlib import Path

import pytest

from limen.cli.screen import is_terminal
from tests.cli.terminal import in_terminal, replay

FRAME = """
import sys
if "drawing" in sys.argv:
    from limen.cli.screen import Screen
    screen = Screen(sys.stderr, sys.stdout)
    draw, close = screen.draw, screen.close
else:
    draw = close = lambda *_: None
{body}
close()
print("end")
"""

BODIES = {
    "lines": "for i in range(3): draw(f'LIVE {i}'); print('line', i)",
    "both streams": "draw('LIVE'); print('out'); draw('LIVE'); print('err', file=sys.stderr); draw('LIVE')",
    "half a line": "print('half', end=''); draw('LIVE'); print(' whole'); draw('LIVE')",
    "half a line flushed": "draw('LIVE'); print('half', end='', flush=True); draw('LIVE'); print(' whole')",
    "a longer line than the text": "draw('L' * 60); print('short'); draw('L' * 60)",
    "writing to the buffer": "sys.stdout.buffer.write(b'raw\\n'); draw('LIVE'); sys.stdout.buffer.write(b'more\\n')",
    "another wrapper of the buffer": """
import io
draw('LIVE')
own = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
own.write('own\\n'); draw('LIVE'); own.write('half'); own.flush(); draw('LIVE'); own.write(' whole\\n')
own.detach()
""",
    "a copy of the stream taken earlier": "from sys import stdout\ndraw('LIVE'); stdout.write('x\\n'); draw('LIVE')",
    "a tee": """
class Tee:
    def __init__(self, stream): self.stream = stream; self.kept = []
    def write(self, text): self.kept.append(text); self.stream.write(text)
    def flush(self): self.stream.flush()
sys.stdout = Tee(sys.stdout)
draw('LIVE'); print('one'); draw('LIVE'); print('two', end=''); draw('LIVE'); print()
""",
    "writelines": "draw('LIVE'); sys.stdout.writelines(['a\\n', 'b']); draw('LIVE'); print()",
    "a prompt": "draw('LIVE'); name = input('name? '); draw('LIVE'); print('hello', name); draw('LIVE')",
    "tqdm": """
from tqdm import tqdm
draw('LIVE')
for i in tqdm(range(4), mininterval=0, bar_format='{n}/{total}'):
    draw('LIVE')
    if i == 2: tqdm.write('a word'); draw('LIVE')
draw('LIVE')
""",
    "two tqdm bars": """
from tqdm import tqdm
for i in tqdm(range(3), mininterval=0, bar_format='outer {n}/{total}'):
    for j in tqdm(range(2), leave=False, mininterval=0, bar_format='inner {n}/{total}'):
        draw('LIVE')
draw('LIVE')
""",
    "a forked child": """
import os
draw('LIVE')
if not os.fork(): print('child', flush=True); draw('LIVE'); os._exit(0)
os.wait(); draw('LIVE'); print('parent')
""",
    "an error": "draw('LIVE'); raise ValueError('x')",
    "a stream that is closed": "draw('LIVE'); sys.stderr.close(); draw('LIVE'); print('still')",
    "what the stream says of itself": """
draw('LIVE')
print(type(sys.stdout), sys.stdout.isatty(), sys.stdout.fileno(), sys.stdout.encoding, sys.stdout.buffer.mode)
print(sys.stdout is sys.__stdout__)
""",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_screen_in_the_end_is_the_one_of_the_program(body: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(FRAME.format(body=body))
    code, bare = in_terminal("prog.py", cwd=tmp_path, typed=b"Ada\n")
    drawn_code, drawn = in_terminal("prog.py", "drawing", cwd=tmp_path, typed=b"Ada\n")
    assert drawn_code == code
    assert replay(drawn) == replay(bare)
    assert re.search("LIVE|LLLL", drawn)


def test_the_streams_are_as_before_after_closing(tmp_path: Path) -> None:
    body = """
draw("LIVE"); close()
print([set(vars(stream.buffer)) & {"write", "flush"} for stream in (sys.stdout, sys.stderr)])
draw("MORE")
"""
    (tmp_path / "prog.py").write_text(FRAME.format(body=body))
    assert replay(in_terminal("prog.py", "drawing", cwd=tmp_path)[1]) == ["[set(), set()]", "end", ""]


def test_a_standing_line_stays_above_the_live_one(tmp_path: Path) -> None:
    body = "draw('LIVE'); screen.say('kept'); draw('LIVE'); print('half', end=''); screen.say('lost'); print()"
    (tmp_path / "prog.py").write_text(FRAME.format(body=body))
    assert replay(in_terminal("prog.py", "drawing", cwd=tmp_path)[1]) == ["kept", "half", "end", ""]


def test_only_a_terminal_that_can_move_its_cursor_is_one() -> None:
    closed = io.StringIO()
    closed.close()
    assert not any(is_terminal(stream) for stream in (None, io.StringIO(), closed))
