"""How long each stage of the pipeline takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Stages:
    """Times named stages, and prints each as it ends if asked to.

    Parameters
    ----------
    title : str
        What the stages belong to.
    verbose : bool or int

    Attributes
    ----------
    seconds : dict of str to float
        Total time of each stage so far.
    """

    def __init__(self, title: str = "", verbose: bool | int = False):
        self._title, self._verbose = title, verbose
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what happens inside the ``with`` block."""
        start = perf_counter()
        yield
        taken = perf_counter() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + taken
        if self._verbose:
            print(f"[{self._title}] {name}: {taken:.2f} s", flush=True)
