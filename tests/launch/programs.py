"""Small programs, each of which shows something of what surrounds it, and how it ends."""

PROGRAMS = {
    "names of the main module": """
import sys
for name in sorted(globals()):
    if name != "__loader__":
        print(name, globals()[name] if name != "sys" else "")
print(type(__loader__), __loader__.path, __loader__.name)
print(sys.argv, sys.path[0], sys.modules["__main__"].__file__, __name__)
""",
    "working directory": "import os; print(os.getcwd())",
    "arguments": "import sys; print(sys.argv)",
    "exit 0": "import sys; sys.exit(0)",
    "exit 3": "import sys; sys.exit(3)",
    "exit -1": "import sys; sys.exit(-1)",
    "exit True": "import sys; sys.exit(True)",
    "exit too large": "import sys; sys.exit(2**70)",
    "exit None": "import sys; sys.exit(None)",
    "exit with words": "import sys; print('out'); sys.exit('the words')",
    "exit with an object": "import sys; sys.exit((1, 'two'))",
    "quit": "quit(4)",
    "raises": """
def f(x):
    return 1 / x

f(0)
""",
    "raises a chain": """
def f():
    raise ValueError("inner")

def g():
    try:
        f()
    except ValueError as e:
        raise RuntimeError("outer") from e

try:
    g()
except RuntimeError:
    raise KeyError("last")
""",
    "raises a group": """
def f():
    raise ValueError("one")

errors = []
for _ in range(2):
    try:
        f()
    except ValueError as e:
        errors.append(e)
raise ExceptionGroup("several", errors)
""",
    "raises with notes": """
error = ValueError("multi\\nline")
error.add_note("a note")
raise error
""",
    "syntax error": "x = 1\nif x\n    pass\n",
    "syntax error in an import": "import broken_neighbour",
    "indentation error": "if 1:\nx\n",
    "not python: null byte": "x = 1\0\n",
    "warning while compiling": "x = 1\nprint(x is 1)\n",
    "deprecation warning in main": "import warnings; warnings.warn('old', DeprecationWarning)",
    "warning about an escape": "print('\\d')\n",
    "missing import": "import no_such_module_anywhere",
    "interrupted": "import os, signal; print('x'); os.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(9)",
    "interrupted by a derived class": "class K(KeyboardInterrupt): pass\nraise K('no')",
    "terminated": """
import os, signal, time
print('x', flush=True)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(9)
""",
    "terminated with a handler of its own": """
import os, signal, sys
def handle(number, frame):
    print("mine", number)
    sys.exit(7)
signal.signal(signal.SIGTERM, handle)
os.kill(os.getpid(), signal.SIGTERM)
""",
    "terminates a forked child": """
import os, signal, time
child = os.fork()
if not child:
    time.sleep(9)
    os._exit(1)  # or it would terminate process 0: the group, and pytest with it
os.kill(child, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""",
    "forks and lets the child end by itself": """
import os, sys
child = os.fork()
if child:
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    sys.exit(5)
""",
    "atexit": """
import atexit
atexit.register(lambda: print("bye", "__file__" in globals()))
print("hello")
""",
    "atexit after an error": "import atexit; atexit.register(print, 'bye'); raise ValueError",
    "excepthook of its own": """
import sys
sys.excepthook = lambda kind, error, trace: print("mine", kind, error, trace.tb_frame.f_code.co_name, trace.tb_next)
raise ValueError("x")
""",
    "broken excepthook": """
import sys
def hook(kind, error, trace):
    raise RuntimeError("hook")
sys.excepthook = hook
raise ValueError("x")
""",
    "thread that outlives main": """
import threading, time
def work():
    time.sleep(0.3)
    print("worked", threading.main_thread().is_alive())
threading.Thread(target=work).start()
print("main done")
""",
    "thread that raises": """
import threading
def work():
    raise ValueError("in thread")
t = threading.Thread(target=work); t.start(); t.join()
""",
    "pool left open": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
print(pool.submit(lambda: 1).result())
""",
    "object deleted at the end": """
class D:
    def __del__(self):
        print("deleted")
d = D()
""",
    "pickle and source of its own class": """
import dataclasses, inspect, pickle
@dataclasses.dataclass
class A:
    x: int = 1
print(pickle.loads(pickle.dumps(A(3))), inspect.getsource(A), A.__module__, inspect.getfile(A))
""",
    "spawned processes": """
import multiprocessing as mp
class Job:
    def __init__(self, x): self.x = x
def work(job):
    return job.x + 1, __name__
if __name__ == "__main__":
    with mp.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [Job(1), Job(2)]))
""",
    "forked processes": """
import multiprocessing as mp
def work(queue): queue.put(__name__)
queue = mp.get_context("fork").Queue()
p = mp.get_context("fork").Process(target=work, args=(queue,)); p.start(); print(queue.get()); p.join()
print(p.exitcode)
""",
    "imports a neighbour": "import neighbour; print(neighbour.__file__, neighbour.X)",
    "flags of the compiler are its own": "def f(x: undefined_name = 1): pass",
    "encoding cookie": "# -*- coding: latin-1 -*-\nprint('caf\xe9'.encode())",
    "empty": "",
    "closes its streams": "import sys; sys.stdout.close(); sys.stderr.close()",
    "leaves at once": "import os; print('a', flush=True); os._exit(9)",
    "prompts": "print(input('? '))",
}
