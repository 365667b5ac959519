"""Which samples must share a cluster and which must not: as users write it, and checked.

Samples that must share a cluster are one *component*, and everything else is said of components.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components

from ._graph._samples import Samples
from ._labels import integers
from ._proposals._apart import Apart, apart_of

_N_NAMED = 10
"""Rows of a chain that an error names."""


class Constraints(NamedTuple):
    """What must share a cluster and what must not, of n samples; no component holds what must stay apart."""

    component: np.ndarray
    """intp of shape (n_samples,): samples of one component must share a cluster."""
    pairs: np.ndarray
    """intp of shape (n_pairs, 2): components that must not."""
    cells: np.ndarray
    """intp of shape (n_held, 2): a component, and a group of samples that it holds one of. No two components
    that hold one of the same group may share a cluster."""

    @property
    def bound(self) -> np.ndarray:
        """Samples that must share a cluster with others."""
        return np.flatnonzero(np.bincount(self.component)[self.component] > 1)

    def apart(self) -> Apart:
        """What must not merge, of samples that start alone."""
        first = np.unique(self.component, return_index=True)[1]
        cells = np.column_stack([first[self.cells[:, 0]], self.cells[:, 1]])
        return apart_of(first[self.pairs], cells, len(self.component))

    def among(self, chosen: np.ndarray) -> Constraints:
        """The same of some samples, numbered by their place in `chosen`."""
        numbers, component = np.unique(self.component[chosen], return_inverse=True)
        number = np.full(self.component.max(initial=-1) + 1, -1)
        number[numbers] = np.arange(len(numbers))
        pairs, cells = number[self.pairs], np.column_stack([number[self.cells[:, 0]], self.cells[:, 1]])
        return Constraints(component.reshape(-1), pairs[(pairs >= 0).all(axis=1)], cells[cells[:, 0] >= 0])

    def of(self, samples: Samples) -> Constraints:
        """The same of distinct samples.

        What is said of equal rows that must stay apart cannot be said of distinct samples, and is left out:
        it holds for rows.
        """
        known = np.flatnonzero(samples.inverse >= 0)
        n_kept = len(samples.counts)
        of_component = np.full(self.component.max(initial=-1) + 1, -1)
        of_component[self.component[known]] = samples.inverse[known]
        links = np.column_stack([samples.inverse[known], of_component[self.component[known]]])
        component = components(links, n_kept)
        to = np.append(component, -1)[of_component]
        pairs, cells = to[self.pairs], np.column_stack([to[self.cells[:, 0]], self.cells[:, 1]])
        pairs = np.unique(np.sort(pairs[(pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])]), axis=0)
        return Constraints(component, pairs, np.unique(cells[cells[:, 0] >= 0], axis=0))


def check_constraints(
    must_link: Any, cannot_link: Any, cannot_link_groups: Any, n_samples: int
) -> Constraints | None:
    """Constraints of rows of X, as users write them.

    Parameters
    ----------
    must_link, cannot_link : array-like of int of shape (n_pairs, 2) or None
        Pairs of row numbers.
    cannot_link_groups : array-like of int of shape (n_samples,) or None
        -1 for samples in no group.
    n_samples : int

    Returns
    -------
    Constraints or None
        None if there are none.

    Raises
    ------
    ValueError
        If they are malformed, or contradict each other; the message names a chain of rows.
    """
    must = _pairs(must_link, "must_link", n_samples)
    cannot = _pairs(cannot_link, "cannot_link", n_samples)
    groups = _groups(cannot_link_groups, n_samples)
    if not len(must) and not len(cannot) and not (groups >= 0).any():
        return None
    component = components(must, n_samples)
    within = np.flatnonzero(component[cannot[:, 0]] == component[cannot[:, 1]])
    if len(within):
        first, last = cannot[within[0]].tolist()
        told = f"cannot_link says that rows {first} and {last} do not"
        raise ValueError(_contradiction(must, first, last, told))
    grouped = np.flatnonzero(groups >= 0)
    cells = np.column_stack([component[grouped], groups[grouped]])
    order = np.lexsort(cells.T)
    twice = np.flatnonzero((np.diff(cells[order], axis=0) == 0).all(axis=1))
    if len(twice):
        first, last = np.sort(grouped[order[[twice[0], twice[0] + 1]]]).tolist()
        told = f"rows {first} and {last} are of one group ({groups[first]}) in cannot_link_groups"
        raise ValueError(_contradiction(must, first, last, told))
    cells[:, 1] = np.unique(cells[:, 1], return_inverse=True)[1].reshape(-1)
    return Constraints(component, np.unique(np.sort(component[cannot]), axis=0), cells)


def components(pairs: np.ndarray, n: int) -> np.ndarray:
    """Number of the connected component of each of n nodes that pairs link: intp of shape (n,)."""
    graph = sp.csr_array((np.ones(len(pairs), np.int8), tuple(pairs.T.astype(np.int32))), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.intp)


def _pairs(pairs, name, n_samples):
    """Pairs of rows, checked."""
    if pairs is None:
        return np.empty((0, 2), dtype=np.intp)
    rows = np.asarray(pairs)
    if rows.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(
            f"{name} has shape {rows.shape}, but must hold pairs of row numbers: shape (n_pairs, 2)."
        )
    rows = integers(rows.ravel(), name).reshape(-1, 2)
    outside = rows[(rows < 0) | (rows >= n_samples)]
    if len(outside):
        raise ValueError(
            f"{name} has row {outside[0]}, but X has {n_samples} samples; rows count from 0. Give numbers of "
            "rows of the X that is passed with them."
        )
    itself = np.flatnonzero(rows[:, 0] == rows[:, 1])
    if len(itself) and name == "cannot_link":
        raise ValueError(f"{name} has row {rows[itself[0], 0]} twice in a pair; give two different rows.")
    return rows.astype(np.intp)


def _groups(groups, n_samples):
    if groups is None:
        return np.full(n_samples, -1)
    groups = integers(groups, "cannot_link_groups")
    if len(groups) != n_samples:
        raise ValueError(
            f"cannot_link_groups has {len(groups)} values for {n_samples} samples; give one for each, -1 for "
            "samples in no group."
        )
    return groups


def _contradiction(must, first, last, told):
    """What to say where `first` and `last` must share a cluster, and must not."""
    n = int(must.max(initial=max(first, last))) + 1
    graph = sp.csr_array((np.ones(len(must), np.int8), tuple(must.T.astype(np.int32))), shape=(n, n))
    before = breadth_first_order(graph, first, directed=False)[1]
    chain = [last]
    while chain[-1] != first:
        chain.append(int(before[chain[-1]]))
    named = list(map(str, chain[::-1]))
    if len(named) > _N_NAMED:
        named = [*named[: _N_NAMED // 2], f"({len(named) - _N_NAMED} more)", *named[-_N_NAMED // 2 :]]
    return (
        f"Constraints contradict each other: by must_link, rows {' - '.join(named)} belong together, but "
        f"{told}. Take out one of these."
    )
