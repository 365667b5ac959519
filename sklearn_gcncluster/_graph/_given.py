"""X that is a graph already: distances or affinities of pairs of samples -> samples and their links."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ._dissimilarity import dissimilarities_of, stored
from ._links import strongest
from ._samples import Samples

_BLOCK_CELLS = 2**24  # entries of a dense matrix that are looked at at once
_SELF, _LOOKED_AT = 0.01, 1_000
"""By which share of the largest entry a diagonal, and of the larger one a pair in so many rows, may vary."""
_ROUNDING = 1e-6
"""Share of the largest distance up to which negative distances are taken for zeros that were rounded."""


def graph_samples(X: np.ndarray | sp.csr_array, metric: str, n_neighbors: int) -> Samples:
    """Samples that are given by a graph; each is distinct, in the order given.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_samples)
        Explicit entries are links, of a dense X all, but no affinities of zero or less; the diagonal is not
        looked at. A row is the list of a sample's neighbours. A link in one direction is one in both: lists
        that are shorter than the longest are filled up with the nearest that list the sample, so that one
        triangle of a symmetric matrix will do.
    metric : {"precomputed", "precomputed_affinity"}
        Whether entries are distances, or affinities of at most 1.
    n_neighbors : int
        Only so many of each sample's nearest are looked at.

    Returns
    -------
    Samples
        Its rows are the lists. Of a pair that is linked both ways, the closer entry counts.
    """
    n_samples, affinities = X.shape[0], metric == "precomputed_affinity"
    _check_entries(X if isinstance(X, np.ndarray) else X.data, affinities)
    nearest = _nearest_of_dense if isinstance(X, np.ndarray) else _nearest_of_sparse
    rows, cols, values = nearest(X, n_neighbors, affinities)
    values = values.astype(np.float64)
    if affinities:
        unlike = 1 - np.minimum(values, 1)
    else:
        scale = values.max(initial=0) or 1.0  # squares of very large or small numbers do not exist
        unlike = dissimilarities_of(np.square(np.maximum(values, 0) / scale), "euclidean")
    lists = _completed(rows, cols, stored(unlike), n_samples)
    everyone = np.arange(n_samples)
    return Samples(lists, everyone, everyone, np.ones(n_samples, dtype=np.intp))


def graph_lists(rows: sp.csr_array, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbour lists of samples that are given by a graph.

    Parameters
    ----------
    rows : csr_array of shape (n_samples, n_samples)
        Of :class:`Samples`: the dissimilarities of linked samples.
    n_neighbors : int

    Returns
    -------
    neighbors : int32 ndarray of shape (n_samples, n_listed)
        Nearest first; as many as asked for, or as the longest row has. The sample itself fills a short list.
    dissimilarities : float32 ndarray of shape (n_samples, n_listed)
    """
    longest = int(np.diff(rows.indptr).max(initial=1))
    neighbors, nearness = strongest(-rows, min(n_neighbors, longest))
    return neighbors, -nearness


def _completed(rows, cols, unlike, n_samples):
    """Lists of neighbours as a sparse matrix; short ones are filled up by links of others to them."""
    longest = np.bincount(rows, minlength=n_samples).max(initial=0)
    source, target = np.concatenate([rows, cols]), np.concatenate([cols, rows])
    own = np.repeat([True, False], len(rows))
    pair = source.astype(np.int64) * n_samples + target
    order = np.lexsort((~own, pair))
    first = np.flatnonzero(np.diff(pair[order], prepend=-1))
    closest = np.minimum.reduceat(np.tile(unlike, 2)[order], first) if len(first) else unlike
    source, target, own = source[order[first]], target[order[first]], own[order[first]]
    order = np.lexsort((closest, ~own, source))
    degree = np.bincount(source, minlength=n_samples)
    place = np.arange(len(order)) - np.repeat(np.cumsum(degree) - degree, degree)
    kept = order[place < longest]
    return sp.csr_array((closest[kept], (source[kept], target[kept])), shape=(n_samples, n_samples))


def is_of_two_sets(X: np.ndarray | sp.csr_array, metric: str) -> bool:
    """Whether a square matrix goes from some samples to as many others, so that no sample meets itself.

    Of one set the diagonal is constant, whatever it is filled with, or most samples are nearest to
    themselves, or most pairs are as far from each other both ways.
    """
    own = X.diagonal().astype(np.float64)
    if sp.issparse(X):
        own = own[own != 0]
    scale = float(max(X.max(), -float(X.min()))) if len(own) else 0.0
    if len(own) < 2 or np.ptp(own) <= _SELF * scale:
        return False
    some: Any = X[:_LOOKED_AT, :_LOOKED_AT]
    some = (some.toarray() if sp.issparse(some) else some).astype(np.float64)
    far = np.where(
        (some != 0) | (not sp.issparse(X)), -some if metric == "precomputed_affinity" else some, np.inf
    )
    themselves = np.isfinite(far.diagonal())
    nearest = far.diagonal() <= far.min(axis=1) + _SELF * scale
    both = (some != 0) & (some.T != 0) & ~np.eye(len(some), dtype=bool)
    unlike = (np.abs(some - some.T) > _SELF * np.maximum(np.abs(some), np.abs(some.T)))[both]
    if not themselves.any() or not len(unlike):
        return False
    return bool(nearest[themselves].mean() < 0.5 and unlike.mean() > 0.5)


def _check_entries(values, affinities):
    least, most = float(values.min(initial=0)), float(values.max(initial=0))
    if affinities and most > 1 + _ROUNDING:
        raise ValueError(
            f"X has an affinity above 1 ({most:g}). Scale affinities to at most 1, or use "
            'metric="precomputed" for distances.'
        )
    if not affinities and least < -_ROUNDING * most:
        raise ValueError(
            f'Negative values in data passed with metric="precomputed", which takes distances (the least is '
            f"{least:g}). For affinities, higher being closer, use "
            'metric="precomputed_affinity".'
        )


def _nearest_of_dense(X, n_neighbors, affinities):
    """Ends and values of each row's nearest others; affinities of zero or less are no links."""
    n_samples = len(X)
    n_neighbors = min(n_neighbors, n_samples - 1)
    n_rows = _BLOCK_CELLS // n_samples + 1
    parts = []
    for start in range(0, n_samples, n_rows):
        block = X[start : start + n_rows]
        local = np.arange(len(block))
        farness = block.astype(X.dtype if X.dtype.kind == "f" else np.float64)
        if affinities:
            np.negative(farness, out=farness)
        farness[local, start + local] = np.inf
        nearest = np.argpartition(farness, max(n_neighbors - 1, 0), axis=1)[:, :n_neighbors]
        values = np.take_along_axis(block, nearest, axis=1)
        parts.append((np.repeat(start + local, n_neighbors), nearest.ravel(), values.ravel()))
    rows, cols, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    linked = values > 0 if affinities else np.ones(len(values), dtype=bool)
    return rows[linked], cols[linked], values[linked]


def _nearest_of_sparse(X, n_neighbors, affinities):
    """The same of the explicit entries of a sparse matrix."""
    graph = X.tocoo()
    rows, cols = graph.coords
    linked = np.flatnonzero((rows != cols) & ((graph.data > 0) | (not affinities)))
    rows, cols, values = rows[linked], cols[linked], graph.data[linked].astype(np.float64)
    order = np.lexsort((-values if affinities else values, rows))
    degree = np.bincount(rows, minlength=X.shape[0])
    place = np.arange(len(order)) - np.repeat(np.cumsum(degree) - degree, degree)
    nearest = order[place < n_neighbors]
    return rows[nearest], cols[nearest], values[nearest]
