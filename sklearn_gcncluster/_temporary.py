"""Files that last as long as their use, of what is too large for memory or is read by other processes."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import get_config

_PREFIX = "sklearn_gcncluster_"
_BLOCK_ROWS = 16_384


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, in ``JOBLIB_TEMP_FOLDER`` or where the system has such folders.

    Not in the shared memory that joblib prefers: what goes there is meant to leave the memory.
    """
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_place(), ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def written(path: Path, write: Callable[[], Any]) -> None:
    """Write a temporary file; if that fails, say where other space can be named."""
    try:
        write()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror or error}; intermediate results do not fit into the temporary folder. Free "
            "some space, or set the environment variable JOBLIB_TEMP_FOLDER to a folder with more, which "
            "all workers can read",
            str(path),
        ) from error


def empty_array(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array to be filled: in memory or, if larger than ``working_memory``, in a file that is mapped.

    The file is deleted with the array and its views, and at the latest when Python ends.
    """
    if np.prod(shape, dtype=float) * np.dtype(dtype).itemsize <= get_config()["working_memory"] * 2**20:
        return np.empty(shape, dtype=dtype)
    folder = tempfile.mkdtemp(prefix=_PREFIX, dir=_place())
    path = Path(folder, "array")
    array: Any = None

    def make():
        nonlocal array
        array = np.memmap(path, dtype=dtype, mode="w+", shape=shape)

    try:
        written(path, make)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(array._mmap, shutil.rmtree, folder, ignore_errors=True)
    return array


def of_blocks(function: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    """A function of each row, taken of blocks of rows, for results as large as the rows: see `empty_array`.

    Parameters
    ----------
    function : callable
        Of an array of shape (n_block, n_features); gives one of the same shape, or of as many rows.
    rows : ndarray of shape (n_samples, n_features)
        Perhaps a file.
    """
    first = function(rows[:_BLOCK_ROWS])
    out = empty_array((len(rows), *first.shape[1:]), first.dtype)
    out[:_BLOCK_ROWS] = first
    for start in range(_BLOCK_ROWS, len(rows), _BLOCK_ROWS):
        out[start : start + _BLOCK_ROWS] = function(rows[start : start + _BLOCK_ROWS])
    return out


def _place():
    return os.environ.get("JOBLIB_TEMP_FOLDER")
