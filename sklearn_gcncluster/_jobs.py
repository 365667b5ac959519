"""Threads within the package, and jobs beside each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Run what is inside on one OpenMP thread, and leave the setting of the process as it was.

    The products here are small: several threads gain little on idle cores, and on busy ones they wait for
    each other, ten times as long as one would take alone. Work is spread by jobs instead.
    """
    import torch  # noqa: F401, since only libraries that are loaded can be told

    with threadpool_limits(1, user_api="openmp"):
        yield
