"""Which groups must not become one, however groups merge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp


class Apart(NamedTuple):
    """Groups of samples that must not merge: by pairs, and by cells of which a group may hold one sample."""

    low: np.ndarray
    """intp of shape (n_pairs,): a group."""
    high: np.ndarray
    """intp of shape (n_pairs,): another that must not share a cluster with it."""
    cells: sp.csr_array
    """Boolean of shape (n_groups, n_cells): cells that each group holds a sample of."""

    def between(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Whether each pair of groups must stay apart."""
        n_groups = self.cells.shape[0]
        forbidden = np.unique(np.minimum(self.low, self.high) * n_groups + np.maximum(self.low, self.high))
        pairs = np.minimum(low, high).astype(np.int64) * n_groups + np.maximum(low, high)
        apart = np.isin(pairs, forbidden)
        held = np.diff(self.cells.indptr) > 0
        asked = np.flatnonzero(held[low] & held[high] & ~apart)
        if len(asked):
            shared = self.cells[low[asked]].multiply(self.cells[high[asked]])
            apart[asked] = np.diff(shared.tocsr().indptr) > 0
        return apart

    def contract(self, group_of: np.ndarray) -> Apart:
        """The same between the groups that groups now belong to; those with a -1 are dropped."""
        low, high = group_of[self.low], group_of[self.high]
        inside = (low >= 0) & (high >= 0)
        entries = self.cells.tocoo()
        row, cell = group_of[entries.coords[0]], entries.coords[1]
        row, cell = row[row >= 0], cell[row >= 0]
        return Apart(
            low[inside], high[inside], _cells(row, cell, group_of.max(initial=-1) + 1, self.cells.shape[1])
        )


def apart_of(pairs: np.ndarray, cells: np.ndarray, n_groups: int) -> Apart:
    """From pairs of groups, and from an array of shape (n_held, 2) of groups and cells."""
    n_cells = cells[:, 1].max(initial=-1) + 1
    return Apart(pairs[:, 0], pairs[:, 1], _cells(cells[:, 0], cells[:, 1], n_groups, n_cells))


def _cells(group, cell, n_groups, n_cells):
    return sp.csr_array((np.ones(len(group), bool), (group, cell)), shape=(n_groups, n_cells))
