"""Versions and machine: what a report says about where a training ran."""

import os
import platform

import numpy as np
import torch

from limen import __version__
from limen.kernels import IN_USE, functions
from limen.probe import quick

__all__ = ["facts"]


def facts(*, devices: bool = False) -> dict[str, str]:
    """What may matter for a result, by name, for people to read; costs milliseconds.

    Args:
        devices: Ask the driver for its devices as well. Not within someone else's program: it may still be about to
            set ``CUDA_VISIBLE_DEVICES`` or to fork.
    """
    return {
        "limen": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": _cpu(),
        "threads": f"{torch.get_num_threads()} of {os.cpu_count() or 1} cores",
        "cuda": _cuda(devices),
        "kernels": IN_USE,
        "functions": functions.IN_USE,
        "hooks": quick.IN_USE,
    }


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _cuda(devices: bool) -> str:
    version: str | None = torch.version.cuda
    if version is None:
        return "not in this build of torch"
    if not devices and not torch.cuda.is_initialized():
        return version
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return f"{version}, {', '.join(names) or 'no device'}"
