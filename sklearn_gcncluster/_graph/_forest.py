"""Minimum spanning forest of a graph of dissimilarities, as a merge tree that serves every threshold at once.

The connected components of a graph cut at any threshold are those of its spanning forest cut there (single
linkage). So the graph is sorted once, and each setting of Algorithm 1 reads its super-vertices off the same
tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from .._compat import single_linkage_label


class MergeTree(NamedTuple):
    """Single-linkage tree: nodes 0..n-1 are the samples, node n + i is the i-th merge, the last the root."""

    parent: np.ndarray
    """Parent of each node, intp of shape (2 n - 1,); the root is its own parent."""
    height: np.ndarray
    """Dissimilarity at which a node's children merged, float64 of shape (2 n - 1,): -inf for single samples,
    +inf where two unconnected parts of the graph are joined."""
    size: np.ndarray
    """Number of samples below each node, intp of shape (2 n - 1,)."""


def merge_tree(dissimilarity: sp.csr_array, groups: np.ndarray | None = None) -> MergeTree:
    """Merge tree of the minimum spanning forest.

    Parameters
    ----------
    dissimilarity : csr_array of shape (n_vertices, n_vertices)
        Positive where two vertices are linked; symmetric, or only what is above the diagonal.
    groups : ndarray of shape (n_samples,), optional
        The vertex each sample belongs to, when vertices stand for groups of samples (super-vertices):
        these merge first, at -inf. By default each vertex is a sample.

    Returns
    -------
    MergeTree
    """
    source, target, values = _spanning_edges(dissimilarity)
    if groups is not None:
        order = np.argsort(groups, kind="stable")
        together = groups[order[1:]] == groups[order[:-1]]
        first = order[np.concatenate([[True], ~together])]  # one sample to stand for each group
        source = np.concatenate([order[:-1][together], first[source]])
        target = np.concatenate([order[1:][together], first[target]])
        values = np.concatenate([np.full(together.sum(), -np.inf), values])
    n_samples = len(source) + 1
    order = np.argsort(values, kind="stable")
    edges = np.column_stack([source, target, values])[order].astype(np.float64)
    merges = single_linkage_label(edges) if len(edges) else np.empty((0, 4))
    parent = np.full(2 * n_samples - 1, 2 * n_samples - 2, dtype=np.intp)
    parent[merges[:, :2].astype(np.intp)] = np.arange(n_samples, 2 * n_samples - 1)[:, None]
    return MergeTree(
        parent,
        np.concatenate([np.full(n_samples, -np.inf), merges[:, 2]]),
        np.concatenate([np.ones(n_samples, np.intp), merges[:, 3].astype(np.intp)]),
    )


def forest_quantile(tree: MergeTree, quantile: float) -> float:
    """Quantile of the heights at which the forest merges, above zero: a cut that suits any embedding."""
    merged = tree.height[np.isfinite(tree.height)]
    return max(float(np.quantile(merged, quantile)), float(np.finfo(np.float32).tiny)) if len(merged) else 1.0


def _spanning_edges(dissimilarity):
    """Ends and lengths of n - 1 edges that span all vertices; +inf between unconnected parts."""
    forest = minimum_spanning_tree(_above_diagonal(dissimilarity), overwrite=True).tocoo()
    n_parts, part = connected_components(forest, directed=False)
    first = np.unique(part, return_index=True)[1]
    return (
        np.concatenate([forest.row, first[:-1]]),
        np.concatenate([forest.col, first[1:]]),
        np.concatenate([forest.data, np.full(n_parts - 1, np.inf)]),
    )


def _above_diagonal(matrix):
    """Entries above the diagonal, in double precision: as by `scipy.sparse.triu`, in less memory."""
    n_rows = matrix.shape[0]
    row = np.repeat(np.arange(n_rows, dtype=np.int32), np.diff(matrix.indptr))
    inside = matrix.indices > row
    # Before 1.17 SciPy finds the forest on 32-bit indices only.
    indptr = np.searchsorted(row[inside], np.arange(n_rows + 1)).astype(np.int32)
    indices = matrix.indices[inside].astype(np.int32, copy=False)
    return sp.csr_array((matrix.data[inside].astype(np.float64), indices, indptr), matrix.shape)
