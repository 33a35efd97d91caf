"""The pictures of the demo, and what is said when they are not there."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from limen.demo.data import FASHION_MNIST, digits, fashion_mnist, load, read_idx
from limen.errors import InvalidValue, MissingPackage, UnknownName


def idx(path: Path, shape: tuple[int, ...], content: bytes, kind: int = 8) -> Path:
    header = bytes((0, 0, kind, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
    path.write_bytes(gzip.compress(header + content))
    return path


def test_digits_are_parted_without_overlap_and_scaled_to_one() -> None:
    pictures = digits()
    assert pictures.train.shape == (1347, 64)
    assert pictures.test.shape == (450, 64)
    assert (float(pictures.train.min()), float(pictures.train.max())) == (0.0, 1.0)
    seen = {picture.numpy().tobytes() for picture in pictures.train}
    assert not any(picture.numpy().tobytes() in seen for picture in pictures.test)
    assert sorted(set(pictures.test_labels.tolist())) == list(range(10))


@pytest.mark.skipif(not FASHION_MNIST.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_is_read_from_debian_s_package() -> None:
    pictures = load("fashion-mnist")
    assert pictures.train.shape == (10_000, 784)
    assert pictures.test.shape == (2_000, 784)
    assert torch.bincount(pictures.train_labels, minlength=10).min() > 900  # the classes are about equally frequent
    assert float(pictures.train.mean()) == pytest.approx(0.286, abs=0.005)  # the well-known mean of the whole set


def test_an_idx_file_is_read_in_the_shape_its_header_says(tmp_path: Path) -> None:
    array = read_idx(idx(tmp_path / "a.gz", (2, 3), bytes(range(6))))
    assert np.array_equal(array, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    ("shape", "content", "kind", "words"),
    [
        ((2, 3), bytes(5), 8, r"should hold an array of shape \(2, 3\) and holds 5 bytes"),
        ((2**31, 2**31), bytes(5), 8, "holds 5 bytes"),
        ((2, 3), bytes(24), 0x0D, "not an IDX file of bytes"),
    ],
)
def test_a_damaged_idx_file_is_an_error(
    tmp_path: Path, shape: tuple[int, ...], content: bytes, kind: int, words: str
) -> None:
    with pytest.raises(InvalidValue, match=words):
        read_idx(idx(tmp_path / "a.gz", shape, content, kind))


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"12345678", mtime=0)[:-9]])
def test_what_is_no_gzip_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(InvalidValue, match=r"not a(n IDX| gzip) file"):
        read_idx(tmp_path / "a.gz")


def test_a_missing_debian_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPackage, match="apt install dataset-fashion-mnist"):
        fashion_mnist(tmp_path / "nowhere")
    with pytest.raises(MissingPackage, match=r"train-images-idx3-ubyte\.gz does not exist"):
        fashion_mnist(tmp_path)


def test_missing_scikit_learn_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingPackage, match="pip install scikit-learn"):
        digits()


def test_an_unknown_data_set_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"No data set is named 'fashion'\. Did you mean 'fashion-mnist'\?"):
        load("fashion")
