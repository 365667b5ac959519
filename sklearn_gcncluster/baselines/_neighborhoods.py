"""X -> neighbour lists with affinities: all that the baselines ask of the package's own graph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._graph._given import graph_samples
from .._graph._links import strongest
from .._graph._neighbors import nearest_neighbors
from .._graph._samples import Samples, distinct_samples

GRAPH_METRICS = ("precomputed", "precomputed_affinity")
_BLOCK_ROWS = 65_536  # bounds the temporary copies of rows whose distances are asked for


class Neighborhoods(NamedTuple):
    """Nearest neighbours of each sample."""

    neighbors: np.ndarray
    """int32 of shape (n_samples, n_neighbors): nearest first; the sample itself fills a short list."""
    affinities: np.ndarray
    """float32 of shape (n_samples, n_neighbors): at most 1, descending in each row."""
    scale: float
    """Variance of the Gaussian that turns Euclidean distances into affinities; 1 for other metrics."""
    lists: np.ndarray
    """int32 of shape (n_samples, n_listed): lists of another length, for clusters to agree with."""


def samples_of(X: np.ndarray | sp.csr_array, metric: str, max_copies: int, n_neighbors: int) -> Samples:
    """Samples in an order that does not depend on the order of the rows of X, but for graphs.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), or ndarray or csr_array of shape (n_samples, n_samples)
    metric : {"cosine", "euclidean", "precomputed", "precomputed_affinity"}
    max_copies : int
        How many copies of a row are kept as samples; all get one label.
    n_neighbors : int
        How many of each sample's links in a graph are looked at.
    """
    if metric in GRAPH_METRICS:
        return graph_samples(X, metric, n_neighbors)
    return distinct_samples(X, metric, max_copies)


def neighborhoods_of(
    rows: np.ndarray | sp.csr_array,
    n_neighbors: int,
    n_listed: int = 0,
    *,
    metric: str,
    algorithm: str = "auto",
    n_jobs: int | None = None,
) -> Neighborhoods:
    """Nearest neighbours, searched among rows or read off a graph.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
        Of unit length for "cosine"; or the dissimilarities of linked samples.
    n_neighbors, n_listed : int
        Clipped to the number of other samples, and to the links of the sample that has most.
    metric : {"cosine", "euclidean", "precomputed", "precomputed_affinity"}
        The affinity is the cosine, or ``exp(-d^2 / (2 s^2))`` with s^2 the median of the squared distances to
        neighbours (of those above zero, if that is zero).
    algorithm : {"auto", "brute", "hnsw"}
    n_jobs : int or None
    """
    depth, scale = max(n_neighbors, n_listed), 1.0
    if isinstance(rows, sp.csr_array):
        longest = int(np.diff(rows.indptr).max(initial=1))
        neighbors, nearness = strongest(-rows, min(depth, longest))
        gap = neighbors == np.arange(len(neighbors))[:, None]
        affinities = np.where(gap, 0, 1 + nearness)
    else:
        neighbors, squared = nearest_neighbors(
            rows, min(depth, len(rows) - 1), metric=metric, algorithm=algorithm, n_jobs=n_jobs
        )
        squared = squared[:, :n_neighbors]  # how many are listed besides must not change an affinity
        if metric == "euclidean" and squared.any():
            scale = float(np.median(squared)) or float(np.median(squared[squared > 0]))
        affinities = _affinities(squared, metric, scale)
    return Neighborhoods(
        neighbors[:, :n_neighbors], affinities[:, :n_neighbors], scale, neighbors[:, :n_listed]
    )


def pair_affinities(
    rows: np.ndarray, low: np.ndarray, high: np.ndarray, metric: str, scale: float
) -> np.ndarray:
    """Affinities of given pairs of samples, whether they are neighbours or not.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_samples, n_features)
        Of unit length for "cosine".
    low, high : int ndarray of shape (n_pairs,)
    metric : {"cosine", "euclidean"}
    scale : float
        That of the neighbourhoods of `rows`.

    Returns
    -------
    float32 ndarray of shape (n_pairs,)
    """
    squared = np.empty(len(low), dtype=np.float32)
    for start in range(0, len(low), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        difference = rows[low[part]] - rows[high[part]]
        squared[part] = np.einsum("ij,ij->i", difference, difference)
    return _affinities(squared, metric, scale)


def _affinities(squared, metric, scale):
    if metric == "cosine":
        return np.clip(1 - squared / 2, -1, 1)
    return np.exp(-squared / np.float32(2 * scale))
