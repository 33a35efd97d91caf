"""Compiles the kernels, where there is a compiler; without one the torch version serves."""

from glob import glob
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext


class SharedLibrary(build_ext):
    """A library for ctypes: without anything of Python in it."""

    def get_ext_filename(self, fullname: str) -> str:
        return fullname.replace(".", "/") + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return ext.export_symbols


class AnyPython(bdist_wheel):
    """A wheel that depends on the machine but on no version of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


KERNELS = "src/limen/kernels"
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

setup(
    ext_modules=[
        Extension("limen.kernels._pass", [f"{KERNELS}/pass.c"], depends=glob(f"{KERNELS}/*.h"), **FLAGS),
        Extension(
            "limen.kernels.functions._functions",
            [f"{KERNELS}/functions/functions.c"],
            depends=[*glob(f"{KERNELS}/*.h"), *glob(f"{KERNELS}/functions/*.h")],
            **FLAGS,
        ),
    ],
    cmdclass={"build_ext": SharedLibrary, "bdist_wheel": AnyPython},
)
