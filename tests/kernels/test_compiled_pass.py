"""The compiled pass finds the same on every instruction set and any number of threads, and reads only its tensor."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from limen.kernels import torch_pass
from limen.kernels.compiled_pass import CompiledPass
from limen.kernels.library import Library
from tests.kernels.conftest import SOURCE

TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
SPECIAL = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-40, 6e-8, -3e-6, 60000.0, 1e38, -1e30]


@pytest.fixture(scope="module")
def kernels(library: Library | None) -> CompiledPass:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    return CompiledPass(library)


@st.composite
def tensors(draw: st.DrawFn) -> tuple[Tensor, int]:
    """Any view of any type, with values that are hard to sum, and a unit axis."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    shape[draw(st.integers(0, len(shape) - 1))] = draw(st.integers(1, 40))
    kind = draw(st.sampled_from(TYPES))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    z = torch.randn(shape, generator=generator, dtype=torch.float64) + draw(st.sampled_from([0.0, 0.0, 50.0]))
    for _ in range(draw(st.integers(0, 3))):
        z.view(-1)[draw(st.integers(0, z.numel() - 1))] = draw(st.sampled_from(SPECIAL))
    z = z.to(kind).permute(draw(st.permutations(range(z.ndim))))
    axis = draw(st.integers(0, z.ndim - 1))
    start = draw(st.integers(0, z.shape[axis] - 1))
    return z.narrow(axis, start, draw(st.integers(1, z.shape[axis] - start))), axis


@given(given_tensor=tensors(), left=st.sampled_from([None, 0.0, -0.5]), right=st.sampled_from([None, 1.0]))
@settings(max_examples=300, deadline=None)
def test_any_tensor_is_read_as_float64_says_on_every_path(
    library: Library | None, given_tensor: tuple[Tensor, int], left: float | None, right: float | None
) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    z, axis = given_tensor
    table = z.double().movedim(axis, -1).reshape(-1, z.shape[axis]).numpy()
    found: list[bytes] = []
    for path in library.paths:
        library.use(path)
        sums = CompiledPass(library).measure(z, axis, left, right)
        assert sums.samples == len(table)
        assert sums.left.tolist() == [0 if left is None else int((column <= left).sum()) for column in table.T]
        assert sums.right.tolist() == [0 if right is None else int((column >= right).sum()) for column in table.T]
        assert sums.low.tolist() == np.fmin.reduce(table, 0, initial=np.inf).tolist()
        assert sums.high.tolist() == np.fmax.reduce(table, 0, initial=-np.inf).tolist()
        assert sums.nonfinite == int((~np.isfinite(table)).sum())
        for unit in np.flatnonzero(np.isfinite(table).all(0)):
            column = table[:, unit] - sums.shift[unit]
            # double sums of some hundred terms
            assert abs(sums.total[unit] - column.sum()) <= 1e-13 * np.abs(column).sum()
            assert sums.squares[unit] == pytest.approx(np.square(column).sum(), rel=1e-13, abs=1e-300)
        found.append(b"".join(np.asarray(part).tobytes() for part in sums if not np.isnan(part).any()))
    library.use(library.paths[0])
    assert len(set(found)) == 1


@given(given_tensor=tensors())
@settings(max_examples=100, deadline=None)
def test_any_histogram_is_that_of_torch(library: Library | None, given_tensor: tuple[Tensor, int]) -> None:
    if library is None:
        pytest.skip("no compiled kernels and no C compiler on this machine")
    z, _ = given_tensor
    assert CompiledPass(library).histogram(z).tolist() == torch_pass.histogram(z).tolist()


LARGE = {
    "rows": ((999, 1033), -1),
    "few units": ((70_001, 3), -1),
    "images": ((9, 37, 31, 29), 1),
    "long runs": ((2, 5, 9001), 1),
}


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("layout", LARGE)
def test_the_number_of_threads_changes_no_bit(kernels: CompiledPass, layout: str) -> None:
    shape, axis = LARGE[layout]
    z = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found: list[list[object]] = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        sums = kernels.measure(z, axis, 0.0, 1.0)
        found.append([np.asarray(part).tolist() for part in sums] + kernels.norms([z, z[0]]))
    assert found[0] == found[1] == found[2]


@pytest.mark.usefixtures("threads")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_reads_without_the_threads_of_its_parent(kernels: CompiledPass) -> None:
    torch.set_num_threads(2)
    z = torch.ones(999, 1033)
    assert kernels.measure(z, -1, 1.0, None).left.tolist() == [999] * 1033
    child = os.fork()
    if child == 0:
        os._exit(0 if kernels.measure(z, -1, 1.0, None).left.tolist() == [999] * 1033 else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0


class Labelled(torch.Tensor):
    """A subclass, which may mean anything."""


UNREADABLE = {
    "a subclass": lambda: torch.randn(4, 3).as_subclass(Labelled),
    "a negative view": lambda: torch.randn(4, 3, dtype=torch.complex64).conj().imag,
    "an integer type": lambda: torch.arange(12).reshape(4, 3),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_left_to_torch(kernels: CompiledPass, kind: str) -> None:
    z = UNREADABLE[kind]()
    found, expected = kernels.measure(z, -1, 0.0, 1.0), torch_pass.measure(z, -1, 0.0, 1.0)
    assert [np.asarray(part).tolist() for part in found] == [np.asarray(part).tolist() for part in expected]


def test_tensors_of_a_transform_are_left_to_torch(kernels: CompiledPass) -> None:
    seen: list[Tensor | None] = []

    def row(z: Tensor) -> Tensor:
        plan, _ = kernels.plan_for(z, -1)
        seen.append(None if plan is None else z)
        return z.sum()

    torch.func.vmap(row)(torch.ones(4, 3))
    torch.func.grad(row)(torch.ones(3))
    assert seen == [None, None]


DRIVER = """
#include "pass.c"

/* Memory of exactly the size of each tensor: a read outside of it is seen by the sanitizer. */
static void check(struct layout layout)
{
    int64_t entries = (end_of(&layout, NULL) - (char *)NULL) / SIZE[layout.type];
    char *data = calloc(entries, SIZE[layout.type]);
    double *out = malloc(7 * layout.units * sizeof(double));
    int64_t cells[CELLS];
    limen_measure(&layout, data, 0, NAN, 0, out);
    limen_histogram(&layout, data, cells);
    for (int64_t unit = 0; unit < layout.units; unit++)
        if (((int64_t *)out)[unit] != samples_of(&layout))
            abort();
    double norm;
    const void *one = data;
    limen_norms(1, &one, &entries, &layout.type, 0, &norm);
    free(data), free(out);
}

int main(void)
{
    for (int path = 0; limen_path(path); path++)
        for (int64_t type = F32; type <= F16; type++)
            for (int64_t size = 1; size < 40; size++)
                for (int64_t outer = 1; outer < 4; outer++)
                    for (int64_t inner = 1; inner < 40; inner += 19)
                        for (int64_t gap = 0; gap < 3; gap++) {
                            int64_t step = size + gap;
                            check((struct layout){type, size, 1, outer, inner * step, inner, step, 1});
                            check((struct layout){type, size, 1, outer, 0, inner, step, 1});
                            check((struct layout){type, 3, step, outer, 3 * step, 1, 0, size});
                            check((struct layout){type, 1, 0, outer, inner * step, inner, step, size});
                        }
    return 0;
}
"""


def test_no_path_reads_beside_its_tensor(compiler: str, tmp_path: Path) -> None:
    driver, program = tmp_path / "driver.c", tmp_path / "driver"
    driver.write_text(DRIVER)
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Wno-psabi", "-Wno-unused"]
    command = [compiler, *flags, f"-I{SOURCE.parent}", str(driver), "-o", str(program), "-lm"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"this compiler has no sanitizers: {built.stderr[-200:]}")
    environment = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0"}
    ran = subprocess.run([str(program)], capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_the_source_needs_nothing_but_a_bare_compiler(compiler: str, tmp_path: Path) -> None:
    flags = ["-std=gnu11", "-O0", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-fPIC", "-shared"]
    file = tmp_path / "pass.so"
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(file), "-lm"], check=True)
    sums = CompiledPass(Library(file)).measure(torch.tensor([[1.0, -2.0], [3.0, -4.0]]), -1, 0.0, None)
    assert (sums.left.tolist(), sums.total.tolist(), sums.squares.tolist()) == ([0, 2], [4.0, -6.0], [10.0, 20.0])


@pytest.mark.skipif(shutil.which("aarch64-linux-gnu-gcc") is None, reason="no compiler for ARM on this machine")
def test_the_source_compiles_for_arm(tmp_path: Path) -> None:
    flags = ["-O3", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", "-fPIC", "-shared"]
    subprocess.run(["aarch64-linux-gnu-gcc", *flags, str(SOURCE), "-o", str(tmp_path / "arm.so")], check=True)
