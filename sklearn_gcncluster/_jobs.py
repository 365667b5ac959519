"""Threads within the package, and jobs beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from ._stages import step


@contextmanager
def one_thread() -> Iterator[None]:
    """Run what is inside on one OpenMP thread, and leave the setting of the process as it was.

    The products here are small: several threads gain little on idle cores, and on busy ones they wait for
    each other, ten times as long as one would take alone. Work is spread by jobs instead.
    """
    import torch  # noqa: F401, since only libraries that are loaded can be told

    with threadpool_limits(1, user_api="openmp"):
        yield


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


def _alone(function, task):
    with one_thread():
        result = function(**task)
    step()
    return result
