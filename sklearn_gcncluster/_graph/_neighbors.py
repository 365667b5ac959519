"""Nearest neighbours: exact by blocks of matrix products, or approximate by hnswlib."""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy.spatial import KDTree

from .._arrays import pair_distances

EXACT_UP_TO = 150_000
"""Number of samples up to which exact search took no longer than hnswlib (examples/benchmarks/stages.py)."""
_BLOCK_ROWS = 512  # rows searched at once: a 512 x 100,000 block of similarities is 200 MB
_HNSW_LINKS, _HNSW_BUILD_BREADTH = 16, 200
_BLURRED = 64
"""Roundings of the largest square below which a squared distance, as a difference of squares, is blurred."""


def nearest_neighbors(
    rows: np.ndarray,
    n_neighbors: int,
    *,
    queries: np.ndarray | None = None,
    algorithm: str = "auto",
    metric: str = "cosine",
    n_jobs: int | None = None,
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
    algorithm : {"auto", "brute", "hnsw"}
        "brute" is exact. "hnsw" is hnswlib, built on one thread so that the graph can be reproduced.
    metric : {"cosine", "euclidean"}
    n_jobs : int or None
        Number of joblib workers of the search.
    random_state : int
        Seed of the hnswlib graph.

    Returns
    -------
    indices : int32 ndarray of shape (n_queries, n_neighbors)
        Nearest first.
    distances : float32 ndarray of shape (n_queries, n_neighbors)
        Squared Euclidean distances; for unit rows, two less twice the cosine.
    """
    if algorithm == "auto":
        algorithm = "brute" if len(rows) <= EXACT_UP_TO else "hnsw"
    if algorithm == "hnsw":
        return _search_hnsw(rows, queries, n_neighbors, n_jobs, random_state)
    if metric == "euclidean":
        centre = rows.mean(axis=0)  # far from the origin, differences of squares drown in rounding
        rows, queries = rows - centre, None if queries is None else queries - centre
    return _search_exactly(rows, queries, n_neighbors, n_jobs, of_unit_length=metric == "cosine")


def _search_exactly(rows, queries, n_neighbors, n_jobs, of_unit_length):
    """By products; where these are too coarse, again in double precision and from differences."""
    squares = None if of_unit_length else np.einsum("ij,ij->i", rows, rows)
    asked = rows if queries is None else queries
    itself = np.arange(len(rows)) if queries is None else None
    indices, distances = _search_blocks(rows, squares, asked, itself, n_neighbors, n_jobs)
    if not n_neighbors:
        return indices, distances
    rounding = _BLURRED * np.finfo(rows.dtype).eps * (1.0 if squares is None else float(squares.max()))
    blurred = np.flatnonzero(distances[:, -1] < rounding)
    if len(blurred) and rows.dtype == np.float64:  # few features: a tree compares differences
        own = None if itself is None else blurred
        indices[blurred], distances[blurred] = _search_tree(rows, asked[blurred], own, n_neighbors)
    elif len(blurred):
        precise = rows.astype(np.float64)
        indices[blurred], distances[blurred] = _search_blocks(
            precise,
            np.einsum("ij,ij->i", precise, precise),
            asked[blurred].astype(np.float64),
            None if itself is None else blurred,
            n_neighbors,
            n_jobs,
        )
    close = np.nonzero(distances < rounding)
    distances[close] = pair_distances(asked, rows, close[0], indices[close])
    unsorted = np.flatnonzero((np.diff(distances, axis=1) < 0).any(axis=1))
    order = np.argsort(distances[unsorted], axis=1, kind="stable")
    for array in (indices, distances):
        array[unsorted] = np.take_along_axis(array[unsorted], order, axis=1)
    return indices, distances


def _search_blocks(rows, squares, asked, itself, n_neighbors, n_jobs):
    blocks = Parallel(n_jobs=n_jobs)(
        delayed(_search_block)(rows, squares, asked, itself, start, n_neighbors)
        for start in range(0, len(asked), _BLOCK_ROWS)
    )
    indices, distances = zip(*blocks, strict=True)
    return np.concatenate(indices), np.concatenate(distances)


def _search_block(rows, squares, asked, itself, start, n_neighbors):
    """Neighbours of one block of queries; `itself` names for each the row that it must not find."""
    import torch  # its topk is ten times faster than numpy's partition

    block = asked[start : start + _BLOCK_ROWS]
    nearness = block @ rows.T
    if squares is not None:  # x.z - |z|^2 / 2 orders by distance as x.z does for unit rows
        nearness -= squares / 2
    if itself is not None:
        nearness[np.arange(len(block)), itself[start : start + _BLOCK_ROWS]] = -np.inf
    values, indices = torch.topk(torch.from_numpy(nearness), n_neighbors, dim=1)
    own = 2 if squares is None else np.einsum("ij,ij->i", block, block)[:, None]
    distances = np.maximum(own - 2 * values.numpy(), 0)
    return indices.numpy().astype(np.int32), distances.astype(np.float32)


def _search_tree(rows, asked, itself, n_neighbors):
    n_found = n_neighbors + (itself is not None)
    distances, indices = (array.reshape(-1, n_found) for array in KDTree(rows).query(asked, n_found))
    if itself is not None:
        distances, indices = _without(itself, distances, indices)
    return indices.astype(np.int32), (distances**2).astype(np.float32)


def _without(itself, distances, indices):
    """Lists without the sample itself, wherever it stands; where it is not, without the last."""
    own = indices == itself[:, None]
    own[~own.any(axis=1), -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return distances[~own].reshape(shape), indices[~own].reshape(shape)


def _search_hnsw(rows, queries, n_neighbors, n_jobs, random_state):
    import hnswlib

    index = hnswlib.Index(space="l2", dim=rows.shape[1])
    index.init_index(len(rows), M=_HNSW_LINKS, ef_construction=_HNSW_BUILD_BREADTH, random_seed=random_state)
    index.add_items(rows, num_threads=1)  # several threads give another graph in every run
    index.set_ef(max(2 * n_neighbors, _HNSW_BUILD_BREADTH))
    n_threads = effective_n_jobs(n_jobs)
    if queries is not None:
        indices, distances = index.knn_query(queries, k=n_neighbors, num_threads=n_threads)
        return indices.astype(np.int32), distances
    indices, distances = index.knn_query(rows, k=n_neighbors + 1, num_threads=n_threads)
    distances, indices = _without(np.arange(len(rows)), distances, indices)
    return indices.astype(np.int32), distances
