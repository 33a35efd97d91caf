"""The pictures that the demo learns: real ones, from packages on this machine."""

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from limen.errors import InvalidValue, MissingPackage, UnknownName

__all__ = ["FASHION_MNIST", "Pictures", "load", "read_idx"]

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its four files."""

TRAINED, TESTED = 10_000, 2_000
"""Pictures of Fashion-MNIST that are used, of 60,000 and 10,000: enough for the point, and done in seconds."""

IDX_BYTES = 0x08  # the type code of unsigned bytes in the IDX format


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of ten classes, parted for training and testing.

    Attributes:
        title: what they are, for a person.
        train: ``[pictures, pixels]``, brightness in [0, 1].
        train_labels: ``[pictures]``, 0 to 9.
        test: ``[pictures, pixels]``, none of them in ``train``.
        test_labels: ``[pictures]``, 0 to 9.
    """

    title: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


def load(name: str) -> Pictures:
    """The pictures called ``digits`` or ``fashion-mnist``.

    Raises:
        UnknownName: another name (also a ``KeyError``).
        MissingPackage: the package that holds them is not installed (also an ``ImportError``).
    """
    if name == "digits":
        return digits()
    if name == "fashion-mnist":
        return fashion_mnist()
    raise UnknownName.of("data set", name, ["digits", "fashion-mnist"])


def digits() -> Pictures:
    """1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn; three quarters for training.

    Source: Alpaydin & Kaynak 1998, UCI repository, https://doi.org/10.24432/C50P49.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingPackage(
            "limen demo needs scikit-learn for its handwritten digits, and it is not installed. "
            "Install it: pip install scikit-learn"
        ) from error
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))  # the writers follow one another in the file
    pictures = torch.from_numpy((pixels[order] / 16.0).astype(np.float32))
    targets = torch.from_numpy(labels[order].astype(np.int64))
    cut = len(targets) * 3 // 4
    return Pictures("handwritten digits", pictures[:cut], targets[:cut], pictures[cut:], targets[cut:])


def fashion_mnist(folder: Path = FASHION_MNIST) -> Pictures:
    """The first pictures of clothes of 28 x 28 pixels from Debian's package.

    Source: Xiao et al. 2017, arXiv:1708.07747.
    """
    if not folder.is_dir():
        raise MissingPackage(
            f"limen demo --data fashion-mnist needs Debian's package dataset-fashion-mnist, and {folder} does not "
            "exist. Install it: sudo apt install dataset-fashion-mnist. Or leave --data out, for digits."
        )
    parts: list[Tensor] = []
    for part, count in (("train", TRAINED), ("t10k", TESTED)):
        pixels = read_idx(folder / f"{part}-images-idx3-ubyte.gz")[:count].reshape(count, -1)
        labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz")[:count]
        parts += [torch.from_numpy(pixels.astype(np.float32) / 255.0), torch.from_numpy(labels.astype(np.int64))]
    return Pictures("pictures of clothes", *parts)


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array in a gzipped IDX file of bytes, in the shape that its header says.

    Raises:
        InvalidValue: not such a file, or cut short (also a ``ValueError``).
        MissingPackage: no such file (also an ``ImportError``).
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingPackage(f"{path} does not exist. Install Debian's package dataset-fashion-mnist again.") from error
    except (OSError, EOFError) as error:
        raise InvalidValue(f"{path} is not a gzip file ({error}). Install dataset-fashion-mnist again.") from error
    axes = content[3] if len(content) > 3 else 0
    start = 4 + 4 * axes
    if len(content) < start or content[:3] != bytes((0, 0, IDX_BYTES)):
        raise InvalidValue(f"{path} is not an IDX file of bytes. Install dataset-fashion-mnist again.")
    shape = struct.unpack(f">{axes}I", content[4:start])
    if len(content) - start != int(np.prod(shape, dtype=np.int64)):
        raise InvalidValue(
            f"{path} should hold an array of shape {shape} and holds {len(content) - start} bytes. "
            "Install dataset-fashion-mnist again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
