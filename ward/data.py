"""The data that the ward trains on: from scikit-learn, from two packages of Debian and the texts that Python ships."""

from __future__ import annotations

import functools
import pydoc_data.topics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor

from limen.demo.data import FASHION_MNIST, load
from ward.r_data import read_frame

__all__ = ["LOADERS", "Data", "data_of", "lacking"]

MLBENCH = "mlbench/data/LetterRecognition.rda"
LETTERS = (Path("/usr/lib/R/site-library") / MLBENCH, Path(__file__).parent / "downloaded" / MLBENCH)
"""Where Debian's package r-cran-mlbench puts it, and where ``make ward-data`` does."""


@dataclass(frozen=True, eq=False)
class Data:
    """Inputs and targets of one task.

    Attributes:
        inputs: ``[samples, …]``: standardised features, brightness in [0, 1], or token numbers.
        targets: ``[samples]`` class numbers, or ``[samples, 1]`` standardised values.
        classes: number of classes; 0 for a regression.
        tokens: size of the vocabulary; 0 where inputs are not tokens.
    """

    inputs: Tensor
    targets: Tensor
    classes: int
    tokens: int = 0


def standardised(features: Tensor) -> Tensor:
    return (features - features.mean(0)) / features.std(0).clamp(min=1e-6)


def table(loader: Callable[..., Any], *, regression: bool = False) -> Data:
    features, targets = (torch.as_tensor(part) for part in loader(return_X_y=True))
    x = standardised(features.float())
    if regression:
        return Data(x, standardised(targets.float()[:, None]), 0)
    return Data(x, targets.long(), int(targets.max()) + 1)


def points(loader: Callable[..., Any], classes: int, **options: float) -> Data:
    """AutoTrainer's two-dimensional sets."""
    features, targets = (torch.as_tensor(part) for part in loader(n_samples=3_000, random_state=0, **options))
    return Data(features.float(), targets.long(), classes)


def digits() -> Data:
    """1,797 digits of 8 x 8 pixels."""
    pixels, targets = (torch.as_tensor(part) for part in datasets.load_digits(return_X_y=True))
    return Data(pixels.float() / 16, targets.long(), 10)


def fashion() -> Data:
    """10,000 garments of 28 x 28 pixels."""
    found = load("fashion-mnist")
    return Data(found.train, found.train_labels, 10)


def text(length: int = 48) -> Data:
    """The help texts of Python, in pieces of ``length`` letters; the target of each is the letter after it."""
    written = "".join(pydoc_data.topics.topics.values()).encode("ascii", "ignore")[:200_000]
    tokens = torch.tensor(list(written))
    pieces = tokens.unfold(0, length + 1, 17)
    return Data(pieces[:, :-1].contiguous(), pieces[:, -1].contiguous(), 128, tokens=128)


def one_hot_text() -> Data:
    """The same as 0 and 1: 16 letters with 128 places each, of which one is 1."""
    found = text(16)
    return Data(torch.nn.functional.one_hot(found.inputs, 128).flatten(1).float(), found.targets, 128)


def letters() -> Data:
    """20,000 distorted printed letters as 16 measures of their shape.

    Source: Frey & Slate 1991, "Letter Recognition Using Holland-Style Adaptive Classifiers".
    """
    columns = read_frame(next(path for path in LETTERS if path.exists()))
    codes = torch.from_numpy(columns.pop("lettr") - 1).long()
    return Data(standardised(torch.from_numpy(np.stack(list(columns.values()), 1)).float()), codes, 26)


def letter_width() -> Data:
    """The width of each letter from its 15 other measures: a regression."""
    columns = read_frame(next(path for path in LETTERS if path.exists()))
    columns.pop("lettr")
    width = torch.from_numpy(columns.pop("width")).float()[:, None]
    inputs = torch.from_numpy(np.stack(list(columns.values()), 1)).float()
    return Data(standardised(inputs), standardised(width), 0)


def rows() -> Data:
    """Digits as sequences of 8 rows."""
    found = digits()
    return Data(found.inputs.view(-1, 8, 8), found.targets, 10)


LOADERS: dict[str, Callable[[], Data]] = {
    "digits": digits,
    "rows": rows,
    "fashion": fashion,
    "text": text,
    "one_hot": one_hot_text,
    "letters": letters,
    "letter_width": letter_width,
    "diabetes": lambda: table(datasets.load_diabetes, regression=True),
    "cancer": lambda: table(datasets.load_breast_cancer),
    "wine": lambda: table(datasets.load_wine),
    "iris": lambda: table(datasets.load_iris),
    "blob": lambda: points(datasets.make_blobs, 3, centers=3, cluster_std=1.5),
    "circle": lambda: points(datasets.make_circles, 2, noise=0.1, factor=0.4),
}


@functools.cache
def data_of(name: str) -> Data:
    """The data called ``name``, one of ``LOADERS``."""
    return LOADERS[name]()


def lacking(name: str) -> str:
    """What has to be installed for the data called ``name``; empty where nothing has."""
    if name == "fashion" and not FASHION_MNIST.exists():
        return "needs Debian's package dataset-fashion-mnist: sudo apt-get install dataset-fashion-mnist"
    if name.startswith("letter") and not any(path.exists() for path in LETTERS):
        return "needs Debian's package r-cran-mlbench: make ward-data fetches its data, without R"
    return ""
