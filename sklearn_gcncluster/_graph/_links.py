"""Affinity graph: neighbour lists as links, and as symmetric sparse matrices of one pattern."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp


class Links(NamedTuple):
    """Each linked pair of samples once; linked where one is among the other's nearest neighbours."""

    neighbors: np.ndarray
    """int32 of shape (n_samples, n_neighbors): nearest first."""
    similarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors): descending in each row."""
    rows: np.ndarray
    """int32 of shape (n_links,): the sample of lower number, ascending."""
    cols: np.ndarray
    """int32 of shape (n_links,): the other, ascending for each row."""
    similarity: np.ndarray
    """float32 of shape (n_links,)."""
    ranks: np.ndarray
    """int32 of shape (2, n_links): place of `cols` in the list of `rows`, and the other way round;
    n_neighbors where it is not listed."""

    def matrix(self, values: np.ndarray) -> sp.csr_array:
        """Symmetric matrix with a value for each link, always of the same pattern.

        Parameters
        ----------
        values : float32 ndarray of shape (n_links,)
            Zeros are kept, as the smallest positive number.
        """
        n_samples = len(self.neighbors)
        values = np.where(values == 0, np.finfo(np.float32).tiny, values).astype(np.float32)
        indptr = np.searchsorted(self.rows, np.arange(n_samples + 1))
        upper = sp.csr_array((values, self.cols, indptr), shape=(n_samples, n_samples))
        matrix = (upper + upper.T).tocsr()
        matrix.sum_duplicates()  # sorts; and sets all flags, so that use does not change the cache's key
        return matrix

    def take(self, kept: np.ndarray) -> Links:
        """Some of the links, by ascending numbers; the lists stay as they are."""
        return self._replace(
            rows=self.rows[kept],
            cols=self.cols[kept],
            similarity=self.similarity[kept],
            ranks=self.ranks[:, kept],
        )


class Graph(NamedTuple):
    """Affinity graph of distinct samples."""

    rows: np.ndarray | None
    """float32 of shape (n_samples, n_features), of unit length for "cosine"; None if X was a graph."""
    similarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors), descending: to each sample's nearest neighbours."""
    similarity: sp.csr_array
    """float32 of shape (n_samples, n_samples), symmetric: similarity of linked samples."""
    affinity: sp.csr_array
    """Same links, in [0, 1]: the affinity that decides. The similarity itself, or one that knows more."""
    unknown: float = 0.0
    """Share of what the learned affinity was asked that lay outside the range it was trained on."""


def link(neighbors: np.ndarray, similarities: np.ndarray) -> Links:
    """Turn neighbour lists into links.

    Parameters
    ----------
    neighbors : int32 ndarray of shape (n_samples, n_neighbors)
        A sample in its own list fills a gap and is no link.
    similarities : float32 ndarray of shape (n_samples, n_neighbors)
    """
    n_samples, n_neighbors = neighbors.shape
    source = np.repeat(np.arange(n_samples, dtype=np.int64), n_neighbors)
    target = neighbors.ravel().astype(np.int64)
    low, high = np.minimum(source, target), np.maximum(source, target)
    real = np.flatnonzero(source != target)
    pairs, first, number = np.unique((low * n_samples + high)[real], return_index=True, return_inverse=True)
    ranks = np.full((2, len(pairs)), n_neighbors, dtype=np.int32)
    ranks[(source > target)[real].astype(np.int64), number] = real % n_neighbors
    return Links(
        neighbors,
        similarities,
        (pairs // n_samples).astype(np.int32),
        (pairs % n_samples).astype(np.int32),
        similarities.ravel()[real[first]],
        ranks,
    )


def strongest(matrix: sp.csr_array, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """The heaviest entries of each row of a sparse matrix, heaviest first.

    Returns
    -------
    indices : int32 ndarray of shape (n_samples, n_neighbors)
        Filled up with the row itself.
    weights : float32 ndarray of shape (n_samples, n_neighbors)
        Filled up with zeros.
    """
    n_samples, degree = matrix.shape[0], np.diff(matrix.indptr)
    row = np.repeat(np.arange(n_samples, dtype=np.int32), degree)
    order = np.lexsort((-matrix.data, row))
    place = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], degree)
    kept = place < n_neighbors
    indices = np.repeat(np.arange(n_samples, dtype=np.int32)[:, None], n_neighbors, axis=1)
    weights = np.zeros((n_samples, n_neighbors), dtype=np.float32)
    indices[row[kept], place[kept]] = matrix.indices[order[kept]]
    weights[row[kept], place[kept]] = matrix.data[order[kept]]
    return indices, weights
