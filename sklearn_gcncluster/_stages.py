"""Stages of the pipeline: their time, how much memory they needed, and a bar that shows where the work is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any, NamedTuple

from tqdm.auto import tqdm

_STEPS = {"learn affinity": 8, "train networks": 4}
"""Steps of the bar that a stage is worth, if more than one: models that it trains by default."""


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


class _Progress:
    """One bar for all stages, or a line for each that ends."""

    def __init__(self, title: str, stages: tuple[str, ...], verbose: int):
        self.title, self.stages, self.lines = title, stages, verbose > 1
        self.bar: Any = tqdm(total=self._steps(*stages), desc=title, disable=verbose != 1)
        self.end = 0

    def start(self, name: str):
        if name in self.stages:
            before = self._steps(*self.stages[: self.stages.index(name)])
            self.bar.update(max(before - self.bar.n, 0))
            self.end = before + self._steps(name)
        self.bar.set_description(f"{self.title}: {name}")

    def step(self):
        self.bar.update(self.bar.n < self.end)

    def stop(self, name: str, seconds: float):
        self.bar.update(max(self.end - self.bar.n, 0))
        if self.lines:
            print(f"[{self.title}] {name}: {seconds:.2f} s", flush=True)

    @staticmethod
    def _steps(*stages: str) -> int:
        return sum(_STEPS.get(name, 1) for name in stages)


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)


@contextmanager
def show_progress(title: str, stages: tuple[str, ...], verbose: int) -> Iterator[None]:
    """Show how far the stages inside the ``with`` block are.

    Parameters
    ----------
    title : str
    stages : tuple of str
        Names of the stages to come.
    verbose : int
        0 shows nothing, 1 a bar, 2 and more a line for each stage that ends.
    """
    progress = _Progress(title, stages, verbose)
    token = _progress.set(progress)
    try:
        yield
        progress.bar.set_description(title)
        progress.bar.update(progress.bar.total - progress.bar.n if progress.bar.total else 0)
    finally:
        _progress.reset(token)
        progress.bar.close()


def step() -> None:
    """Say that a part of the stage is done; in another process than the bar's, nothing happens."""
    progress = _progress.get()
    if progress is not None:
        progress.step()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time what happens inside the ``with`` block, and show it."""
    start, progress = perf_counter(), _progress.get()
    if progress is not None:
        progress.start(name)
    yield
    taken = perf_counter() - start
    for stages in _records.get():
        before = stages[name].seconds if name in stages else 0.0
        stages[name] = Stage(before + taken, _peak())
    if progress is not None:
        progress.stop(name, taken)


def _peak():
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
