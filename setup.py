"""Compiles the kernels and the quick way, where there is a compiler; without one torch and Python serve."""

import sysconfig
from glob import glob
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class Libraries(build_ext):
    """The kernels are libraries for ctypes, without anything of Python in them; the quick way asks for Python 3.11."""

    def get_ext_filename(self, fullname: str) -> str:
        is_for_python = self.ext_map[fullname].py_limited_api
        return super().get_ext_filename(fullname) if is_for_python else fullname.replace(".", "/") + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return super().get_export_symbols(ext) if ext.py_limited_api else ext.export_symbols


KERNELS = "src/limen/kernels"
QUICK = "src/limen/probe/quick"
FLAGS: dict[str, Any] = {
    "extra_compile_args": [
        "-O3",
        "-ffp-contract=off",
        "-fno-math-errno",
        "-fvisibility=hidden",
        "-Wno-psabi",
        "-Wno-unused",
    ],
    "optional": True,
}

# The stable interface needs the lock of Python, as the quick way does: where there is none, to load it would bring the
# lock back into the training.
HAS_LOCK = not sysconfig.get_config_var("Py_GIL_DISABLED")

quick = Extension(
    "limen.probe.quick._quick",
    [f"{QUICK}/quick.c"],
    depends=glob(f"{QUICK}/*.h"),
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    py_limited_api=True,
    **FLAGS,
)

setup(
    ext_modules=[
        Extension("limen.kernels._pass", [f"{KERNELS}/pass.c"], depends=glob(f"{KERNELS}/*.h"), **FLAGS),
        Extension(
            "limen.kernels.functions._functions",
            [f"{KERNELS}/functions/functions.c"],
            depends=[*glob(f"{KERNELS}/*.h"), *glob(f"{KERNELS}/functions/*.h")],
            **FLAGS,
        ),
        *([quick] if HAS_LOCK else []),
    ],
    cmdclass={"build_ext": Libraries},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if HAS_LOCK else {},
)
