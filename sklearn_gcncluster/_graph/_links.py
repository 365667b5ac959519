"""Affinity graph: neighbour lists as links, and as symmetric sparse matrices of one pattern."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._jobs import ranges_of, rows_in_memory
from ._dissimilarity import stored

_BYTES_PER_ENTRY = 128
"""That lists take while they are sorted into links, for each neighbour."""


class Links(NamedTuple):
    """Each linked pair of samples once; linked where one is among the other's nearest neighbours."""

    neighbors: np.ndarray
    """int32 of shape (n_samples, n_neighbors): nearest first; the sample itself where its list is shorter."""
    dissimilarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors), ascending: dissimilarity to each, and in the gaps of a
    shorter list that to the last in it."""
    lengths: np.ndarray
    """int32 of shape (n_samples,): neighbours in each list."""
    rows: np.ndarray
    """int32 of shape (n_links,): the sample of lower number, ascending."""
    cols: np.ndarray
    """int32 of shape (n_links,): the other, ascending for each row."""
    dissimilarity: np.ndarray
    """float32 of shape (n_links,)."""
    ranks: np.ndarray
    """int32 of shape (2, n_links): place of `cols` in the list of `rows`, and the other way round; the length
    of the list where it is not in it."""
    recall: float = 1.0
    """Share of the nearest neighbours that the lists hold, as far as it was looked up."""

    def matrix(self, values: np.ndarray) -> sp.csr_array:
        """Symmetric matrix with a value for each link, always of the same pattern.

        Parameters
        ----------
        values : float32 ndarray of shape (n_links,)
            Zeros are kept, as the smallest positive number.
        """
        upper = self.upper(values)
        matrix = (upper + upper.T).tocsr()
        matrix.sum_duplicates()  # sorts; and sets all flags, so that use does not change the cache's key
        return matrix

    def upper(self, values: np.ndarray) -> sp.csr_array:
        """The part of that matrix above the diagonal."""
        n_samples = len(self.neighbors)
        indptr = np.searchsorted(self.rows, np.arange(n_samples + 1))
        return sp.csr_array((stored(values), self.cols, indptr), shape=(n_samples, n_samples))

    def take(self, kept: np.ndarray) -> Links:
        """Some of the links, by ascending numbers; the lists stay as they are."""
        return self._replace(
            rows=self.rows[kept],
            cols=self.cols[kept],
            dissimilarity=self.dissimilarity[kept],
            ranks=self.ranks[:, kept],
        )


class Graph(NamedTuple):
    """Affinity graph of distinct samples."""

    rows: np.ndarray | None
    """Embedding of shape (n_samples, n_features), of unit length for "cosine"; None if X was a graph."""
    dissimilarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors), as in :class:`Links`."""
    lengths: np.ndarray
    """int32 of shape (n_samples,): neighbours in each list."""
    dissimilarity: sp.csr_array
    """float32 of shape (n_samples, n_samples), symmetric: dissimilarity of linked samples."""
    affinity: sp.csr_array
    """Same links, in [0, 1]: the affinity that decides. The similarity itself, or one that knows more."""
    unknown: float = 0.0
    """Share of what the learned affinity was asked that lay outside the range it was trained on."""
    kept: float = 1.0
    """Share of the links between neighbours that the learned affinity did not drop as unlikely."""
    recall: float = 1.0
    """As of :class:`Links`."""


def link(neighbors: np.ndarray, dissimilarities: np.ndarray) -> Links:
    """Turn neighbour lists into links.

    Parameters
    ----------
    neighbors : int32 ndarray of shape (n_samples, n_neighbors)
        Nearest first; a sample in its own list fills a gap behind its last neighbour and is no link.
    dissimilarities : float32 ndarray of shape (n_samples, n_neighbors)
    """
    n_samples, n_neighbors = neighbors.shape
    lengths = np.count_nonzero(neighbors != np.arange(n_samples)[:, None], axis=1).astype(np.int32)
    places = np.tile(np.arange(n_neighbors, dtype=np.int32), n_samples)
    indptr = np.arange(n_samples + 1, dtype=np.intp) * n_neighbors
    # Who lists a sample, ascending, and at which place.
    listed = sp.csr_array((places, neighbors.ravel(), indptr), (n_samples, n_samples)).tocsc()
    del places
    n_rows = rows_in_memory(_BYTES_PER_ENTRY * n_neighbors, max(n_samples, 1))
    parts = [
        _links_of_rows(start, stop, neighbors, dissimilarities, lengths, listed)
        for start, stop in ranges_of(n_samples, n_rows)
    ]
    rows, cols, dissimilarity, ranks = (np.concatenate(one, axis=-1) for one in zip(*parts, strict=True))
    return Links(neighbors, _filled(dissimilarities, lengths), lengths, rows, cols, dissimilarity, ranks)


def _links_of_rows(start, stop, neighbors, dissimilarities, lengths, listed):
    """Links whose lower end is in a range: ends, dissimilarity, and places of each in the other's list.

    They are those that the lower end lists, and those that list it.
    """
    n_samples = len(neighbors)
    inside = neighbors[start:stop]
    low, place = np.nonzero(inside > np.arange(start, stop)[:, None])
    high = inside[low, place]
    ends = listed.indptr[start : stop + 1]
    listing, their_place = listed.indices[ends[0] : ends[-1]], listed.data[ends[0] : ends[-1]]
    theirs = np.repeat(np.arange(stop - start), np.diff(ends))
    higher = np.flatnonzero(listing > theirs + start)
    theirs, listing, their_place = theirs[higher], listing[higher], their_place[higher]
    pairs, link_of = np.unique(
        np.concatenate([low, theirs]) * n_samples + np.concatenate([high, listing]), return_inverse=True
    )
    ours, other = np.split(link_of, [len(low)])
    rows, cols = (pairs // n_samples + start).astype(np.int32), (pairs % n_samples).astype(np.int32)
    ranks = np.stack([lengths[rows], lengths[cols]])
    ranks[0, ours], ranks[1, other] = place, their_place
    dissimilarity = np.empty(len(pairs), dtype=dissimilarities.dtype)
    dissimilarity[other] = dissimilarities[listing, their_place]
    dissimilarity[ours] = dissimilarities[low + start, place]
    return rows, cols, dissimilarity, ranks


def list_means(values: np.ndarray, lengths: np.ndarray, depth: int | None = None) -> np.ndarray:
    """Mean of the first values of each list, as far as it goes; of an empty list, the value that fills it.

    Parameters
    ----------
    values : float32 ndarray of shape (n_samples, n_neighbors)
    lengths : int32 ndarray of shape (n_samples,)
    depth : int, optional
        How many of each list; by default all.
    """
    depth = values.shape[1] if depth is None else min(depth, values.shape[1])
    if lengths.min(initial=depth) >= depth:
        return values[:, :depth].mean(axis=1)
    inside = np.minimum(np.maximum(lengths, 1), depth)
    held = np.arange(depth) < inside[:, None]
    return (values[:, :depth] * held).sum(axis=1) / inside


def spread_of(values: np.ndarray, lengths: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of all that stands in the lists, gaps left out."""
    held = values[np.arange(values.shape[1]) < lengths[:, None]]
    return (float(held.mean()), float(held.std())) if len(held) else (0.0, 0.0)


def _filled(values, lengths):
    """Lists whose gaps repeat the last value before them, and those of empty lists the largest of all."""
    n_neighbors = values.shape[1]
    if lengths.min(initial=n_neighbors) == n_neighbors:
        return values
    place = np.minimum(np.arange(n_neighbors), np.maximum(lengths - 1, 0)[:, None])
    filled = np.take_along_axis(values, place, axis=1)
    held = np.arange(n_neighbors) < lengths[:, None]
    filled[lengths == 0] = values[held].max(initial=0)
    return filled


def _by_row_then_falling(row, values):
    """Integers that sort as the rows do and, within one, as float32 values fall.

    The stable sort of one array that ascends by row takes a sixth of the time of a sort by two.
    """
    bits = (0 - values).astype(np.float32).view(np.int32)  # 0 - 0 is 0, while -0 has other bits
    return (row << 32) + np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)


def strongest(matrix: sp.csr_array, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """The heaviest entries of each row of a sparse float32 matrix, heaviest first.

    Returns
    -------
    indices : int32 ndarray of shape (n_samples, n_neighbors)
        Filled up with the row itself.
    weights : float32 ndarray of shape (n_samples, n_neighbors)
        Filled up with zeros.
    """
    n_samples = matrix.shape[0]
    indices = np.repeat(np.arange(n_samples, dtype=np.int32)[:, None], n_neighbors, axis=1)
    weights = np.zeros((n_samples, n_neighbors), dtype=np.float32)
    n_rows = rows_in_memory(_BYTES_PER_ENTRY * (matrix.nnz // max(n_samples, 1) + 1), max(n_samples, 1))
    for start, stop in ranges_of(n_samples, n_rows):
        ends = matrix.indptr[start : stop + 1]
        part, degree = slice(ends[0], ends[-1]), np.diff(ends)
        row = np.repeat(np.arange(start, stop, dtype=np.int64), degree)
        order = np.argsort(_by_row_then_falling(row, matrix.data[part]), kind="stable")
        place = np.arange(len(order)) - np.repeat(ends[:-1] - ends[0], degree)
        kept = place < n_neighbors
        indices[row[kept], place[kept]] = matrix.indices[part][order[kept]]
        weights[row[kept], place[kept]] = matrix.data[part][order[kept]]
    return indices, weights
