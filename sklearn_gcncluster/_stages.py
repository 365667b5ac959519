"""How long each stage of the pipeline takes, and how much memory it needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import NamedTuple


class Stage(NamedTuple):
    """A stage that has ended, perhaps more than once."""

    seconds: float
    """Wall time, in all."""
    peak: float
    """Most memory that this process has held so far, in GiB; NaN where the system does not tell."""


_records: ContextVar[tuple[dict[str, Stage], ...]] = ContextVar("records", default=())


@contextmanager
def record_stages() -> Iterator[dict[str, Stage]]:
    """Record the stages of everything that happens inside the ``with`` block.

    Yields
    ------
    dict of str to Stage
        Filled as stages end, in the order in which they first do: wall time in seconds, and the peak of this
        process's memory in GiB.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_gcncluster import GCNClustering, record_stages
    >>> X, _ = make_blobs(200, n_features=8, centers=10, random_state=0)
    >>> with record_stages() as stages:
    ...     labels = GCNClustering(random_state=0).fit_predict(X)
    >>> list(stages)
    ['neighbors', 'affinity', 'proposals', 'GCN-D', 'GCN-S', 'de-overlap']
    """
    stages: dict[str, Stage] = {}
    token = _records.set((*_records.get(), stages))
    try:
        yield stages
    finally:
        _records.reset(token)


@contextmanager
def stage(name: str, title: str | None = None) -> Iterator[None]:
    """Time what happens inside the ``with`` block, and print it with a title, if there is one."""
    start = perf_counter()
    yield
    taken = perf_counter() - start
    for stages in _records.get():
        before = stages[name].seconds if name in stages else 0.0
        stages[name] = Stage(before + taken, _peak())
    if title is not None:
        print(f"[{title}] {name}: {taken:.2f} s", flush=True)


def _peak():
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
