"""Nearest neighbours: exact, or approximate by overlapping cells or hnswlib; and how many were found."""

from __future__ import annotations

import numpy as np
from joblib import effective_n_jobs

from .._warning import warn
from ._cells import search_cells
from ._exact import search_exactly, without

ALGORITHMS = ("auto", "brute", "cells", "hnsw")
EXACT_UP_TO = 50_000
"""Number of samples up to which "auto" searches exactly: half a minute on one core."""
EXACT_ON_DEVICE = 2_000_000
"""The same on a GPU: two to three minutes on a large one."""
_HNSW_LINKS, _HNSW_BUILD_BREADTH = 16, 200
_HNSW_BATCH = 8_192
"""Queries of which hnswlib either answers all or none."""
_PROBED = 300
"""Rows whose exact neighbours tell the recall of all."""
_ROUNDING = 1e-6
"""Share of the largest distance by which products and differences may disagree."""


def nearest_neighbors(
    rows: np.ndarray,
    n_neighbors: int,
    *,
    queries: np.ndarray | None = None,
    algorithm: str = "auto",
    metric: str = "cosine",
    n_jobs: int | None = None,
    device: str | None = None,
    random_state: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest neighbours of each query, or of each sample among the others.

    Parameters
    ----------
    rows : float32 or float64 ndarray of shape (n_samples, n_features)
        Distinct rows; of unit length for "cosine".
    n_neighbors : int
        At most ``n_samples``, less one without `queries`.
    queries : ndarray of shape (n_queries, n_features), optional
        Of the same kind. By default the rows themselves, each without itself.
    algorithm : {"auto", "brute", "cells", "hnsw"}
        "brute" is exact. "cells" is exact within overlapping cells. "hnsw" is hnswlib, built on one thread
        so that the graph can be reproduced.
    metric : {"cosine", "euclidean"}
    n_jobs : int or None
        Number of joblib workers of the search.
    device : str or None
        Of torch, where search is exact; None is the processor, by blocks that workers share.
    random_state : int
        Seed of the cells and of the hnswlib graph.

    Returns
    -------
    indices : int32 ndarray of shape (n_queries, n_neighbors)
        Nearest first.
    distances : float32 ndarray of shape (n_queries, n_neighbors)
        Squared Euclidean distances; for unit rows, two less twice the cosine.
    """
    asked, itself = (rows, np.arange(len(rows))) if queries is None else (queries, None)
    if device is not None and is_exact(algorithm, len(rows), device):
        try:
            return search_exactly(rows, asked, itself, n_neighbors, metric, n_jobs, device)
        except MemoryError as error:
            if algorithm == "brute":
                raise
            warn(f"{error} Neighbours are searched on the processor now.")
    if is_exact(algorithm, len(rows)):
        return search_exactly(rows, asked, itself, n_neighbors, metric, n_jobs)
    search = _search_hnsw if algorithm == "hnsw" else search_cells
    return search(rows, queries, n_neighbors, metric, n_jobs, random_state)


def is_exact(algorithm: str, n_samples: int, device: str | None = None) -> bool:
    """Whether so many samples are searched exactly."""
    most = EXACT_UP_TO if device is None else EXACT_ON_DEVICE
    return algorithm == "brute" or (algorithm == "auto" and n_samples <= most)


def search_recall(
    rows: np.ndarray,
    distances: np.ndarray,
    *,
    queries: np.ndarray | None = None,
    algorithm: str,
    metric: str,
    n_jobs: int | None = None,
    random_state: int = 0,
) -> float:
    """Share of the nearest neighbours that a search found, by exact search for a few hundred rows.

    Parameters
    ----------
    rows, queries, algorithm, metric, n_jobs
        As of :func:`nearest_neighbors`.
    distances : float32 ndarray of shape (n_queries, n_neighbors)
        What it found. One is right that is no larger than the largest of the exact search, so that among
        equally near neighbours any will do.
    random_state : int
        Seed of the rows that are looked at.

    Returns
    -------
    float
        1.0 for exact search.
    """
    if is_exact(algorithm, len(rows)) or not distances.size:
        return 1.0
    asked = rows if queries is None else queries
    random = np.random.default_rng([random_state, 1])  # not those by which cells were chosen
    chosen = np.sort(random.permutation(len(asked))[:_PROBED])
    itself = chosen if queries is None else None
    _, exact = search_exactly(rows, asked[chosen], itself, distances.shape[1], metric, n_jobs)
    return float((distances[chosen] <= exact[:, -1:] + _ROUNDING * exact.max()).mean())


def _search_hnsw(rows, queries, n_neighbors, metric, n_jobs, random_state):
    """Lists by hnswlib; rows that do not find themselves, or too few others, are searched exactly."""
    import torch  # noqa: F401, first: where hnswlib is loaded already, some builds of torch crash

    # isort: split
    import hnswlib

    index = hnswlib.Index(space="l2", dim=rows.shape[1])
    index.init_index(len(rows), M=_HNSW_LINKS, ef_construction=_HNSW_BUILD_BREADTH, random_seed=random_state)
    index.add_items(rows, num_threads=1)  # several threads give another graph in every run
    index.set_ef(max(2 * n_neighbors, _HNSW_BUILD_BREADTH))
    asked = rows if queries is None else queries
    n_listed = n_neighbors + (queries is None)
    indices = np.full((len(asked), n_listed), -1, dtype=np.int32)
    distances = np.zeros((len(asked), n_listed), dtype=np.float32)
    reached = np.ones(len(asked), dtype=bool)
    for start in range(0, len(asked), _HNSW_BATCH):
        part = slice(start, start + _HNSW_BATCH)
        try:
            indices[part], distances[part] = index.knn_query(
                asked[part], k=n_listed, num_threads=effective_n_jobs(n_jobs)
            )
        except RuntimeError:  # of some query there are fewer within reach
            reached[part] = False
    if queries is None:
        distances, indices, found = without(np.arange(len(rows)), distances, indices)
        reached &= found
    lost = np.flatnonzero(~reached)
    if len(lost):
        itself = lost if queries is None else None
        indices[lost], distances[lost] = search_exactly(
            rows, asked[lost], itself, n_neighbors, metric, n_jobs
        )
    return indices, distances
