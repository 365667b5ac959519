"""Threads within the package, and jobs beside each other.

Workers may be processes, on this machine or on others. What all tasks read is written once, to a temporary
folder, and mapped into the memory of each worker; a task itself is a range of numbers.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import joblib
import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn import get_config
from threadpoolctl import threadpool_limits

from ._stages import step
from ._temporary import temporary_folder, written

Range: TypeAlias = tuple[int, int]
_WORTH_A_WORKER = 500_000
"""Values to be worked on that take about as long as it takes to start a worker."""


_limited = threading.local()
"""Whether what this thread runs is limited already: to look for the libraries takes milliseconds."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Run what is inside on one OpenMP thread, and leave the setting of the process as it was.

    The products here are small: several threads gain little on idle cores, and on busy ones they wait for
    each other, ten times as long as one would take alone. Work is spread by jobs instead.
    """
    import torch  # noqa: F401, since only libraries that are loaded can be told

    if getattr(_limited, "already", False):
        yield
        return
    with threadpool_limits(1, user_api="openmp"):
        _limited.already = True
        try:
            yield
        finally:
            _limited.already = False


def side_by_side(function: Callable, tasks: Iterable[dict[str, Any]], n_jobs: int | None) -> list:
    """Results of a function for several sets of keyword arguments, in their order; each on one thread.

    Parameters
    ----------
    function : callable
        Of a module, so that workers can import it.
    tasks : iterable of dict
        Keyword arguments of each call.
    n_jobs : int or None
        Workers of joblib; its context may set another backend. Results must not depend on it.
    """
    return Parallel(n_jobs=n_jobs)(delayed(_alone)(function, task) for task in tasks)


def by_ranges(function: Callable, ranges: Sequence[Range], n_jobs: int | None, **shared: Any) -> list:
    """Results of ``function(start, stop, **shared)`` for several ranges, in their order; each on one thread.

    Parameters
    ----------
    function : callable
        Of a module, so that workers can import it.
    ranges : sequence of tuple of two ints
        They must not depend on `n_jobs`, so that results do not.
    n_jobs : int or None
        Workers of joblib; its context may set another backend. A single range needs no worker.
    **shared : dict
        What all calls read. Processes map its arrays from a temporary file.
    """
    if len(ranges) < 2 or effective_n_jobs(n_jobs) == 1:
        with one_thread():
            return [function(start, stop, **shared) for start, stop in ranges]
    if getattr(get_active_backend()[0], "supports_sharedmem", False):
        return Parallel(n_jobs=n_jobs)(delayed(_of_range)(function, one, shared) for one in ranges)
    with temporary_folder() as folder:
        path = folder / "shared.joblib"
        given = {name: _Mapped.of(value) if _is_file(value) else value for name, value in shared.items()}
        written(path, lambda: joblib.dump(given, path))
        return Parallel(n_jobs=n_jobs)(delayed(_of_range)(function, one, path) for one in ranges)


def ranges_of(n_items: int, longest: int) -> list[Range]:
    """Ranges of at most so many that cover all items; one that is empty if there are none."""
    return [(start, min(start + longest, n_items)) for start in range(0, max(n_items, 1), longest)]


def spread(n_items: int, size: int) -> list[Range]:
    """A range for each item or, if all of them are small, one range, for which no worker has to be started.

    Parameters
    ----------
    n_items : int
    size : int
        Values that they hold together.
    """
    return ranges_of(n_items, 1 if size > _WORTH_A_WORKER else max(n_items, 1))


def rows_in_memory(n_bytes: int, most: int, least: int = 16) -> int:
    """How many rows of so many bytes a quarter of scikit-learn's ``working_memory`` holds, within limits."""
    return max(min(int(get_config()["working_memory"] * 2**18) // max(n_bytes, 1), most), least)


def _alone(function, task):
    with one_thread():
        result = function(**task)
    step()
    return result


def _of_range(function, one, shared):
    with one_thread():
        return function(*one, **(_opened(shared) if isinstance(shared, Path) else shared))


class _Mapped(NamedTuple):
    """An array in a file that is there already, such as the one the user gave."""

    path: str
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int

    @classmethod
    def of(cls, array: np.memmap) -> _Mapped:
        return cls(os.path.abspath(str(array.filename)), array.dtype, array.shape, array.offset)

    def open(self) -> np.memmap:
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape)


def _is_file(value):
    """Whether a value is all that a memory map of a file holds, in the usual order."""
    whole = isinstance(value, np.memmap) and isinstance(value.base, mmap)
    return whole and value.filename is not None and value.flags.c_contiguous


def _opened(path):
    # By each task anew, which takes milliseconds. What a worker maps from one task to the next, loky takes
    # for a leak: from 300 MB on it replaces the worker by one that has to load torch first.
    try:
        shared = joblib.load(path, mmap_mode="r")
        return {name: value.open() if isinstance(value, _Mapped) else value for name, value in shared.items()}
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno,
            "a worker does not see the temporary folder. Set the environment variable JOBLIB_TEMP_FOLDER to "
            "one that all machines share",
            str(path),
        ) from error
