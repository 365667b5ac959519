"""Affinity graph: each sample's nearest neighbours, as arrays and as a symmetric sparse matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from joblib import Parallel, delayed

_EXACT_UP_TO = 150_000
"""Number of samples up to which exact search took no longer than hnswlib (examples/benchmarks/stages.py)."""
_BLOCK_ROWS = 512  # rows searched at once: a 512 x 100,000 block of similarities is 200 MB
_HNSW_LINKS, _HNSW_BUILD_BREADTH = 16, 200


class Graph(NamedTuple):
    """Affinity graph of distinct samples."""

    rows: np.ndarray | None
    """float32 of shape (n_samples, n_features), of unit length for "cosine"; None if X was a graph."""
    similarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors), descending: to each sample's nearest neighbours."""
    affinity: sp.csr_array
    """float32 of shape (n_samples, n_samples), symmetric."""


def nearest_neighbors(
    rows: np.ndarray,
    n_neighbors: int,
    *,
    metric: str = "cosine",
    algorithm: str = "auto",
    n_jobs: int | None = None,
    random_state: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest neighbours of each sample among the others, most similar first.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_samples, n_features)
        Distinct rows; of unit length for "cosine".
    n_neighbors : int
        At most ``n_samples - 1``.
    metric : {"cosine", "euclidean"}
        Similarity is the cosine, or ``exp(-d^2 / (2 s^2))`` with d the Euclidean distance and s^2 the
        median squared distance to the neighbours found.
    algorithm : {"auto", "brute", "hnsw"}
        "brute" is exact. "hnsw" is hnswlib, built on one thread so that the graph can be reproduced.
    n_jobs : int or None
        Number of joblib workers of the search.
    random_state : int
        Seed of the hnswlib graph.

    Returns
    -------
    indices : int32 ndarray of shape (n_samples, n_neighbors)
    similarities : float32 ndarray of shape (n_samples, n_neighbors)
        Descending in each row, at most 1.
    """
    if algorithm == "auto":
        algorithm = "brute" if len(rows) <= _EXACT_UP_TO else "hnsw"
    search = _search_exact if algorithm == "brute" else _search_hnsw
    indices, squared = search(rows, n_neighbors, metric, n_jobs, random_state)
    if metric == "cosine":
        similarities = 1 - squared / 2
    else:
        similarities = np.exp(-squared / (2 * np.median(squared)))
    return indices, np.clip(similarities, -1, 1).astype(np.float32)


def affinity_matrix(indices: np.ndarray, similarities: np.ndarray) -> sp.csr_array:
    """Symmetric affinity matrix with an entry wherever one of two samples is a neighbour of the other.

    Parameters
    ----------
    indices, similarities : ndarrays of shape (n_samples, n_neighbors)
        As from :func:`nearest_neighbors`.

    Returns
    -------
    float32 csr_array of shape (n_samples, n_samples)
        Sorted indices, empty diagonal. Similarities of zero or less are kept as tiny positive affinities,
        so that the pattern of the matrix is the neighbour graph.
    """
    n_samples, n_neighbors = indices.shape
    values = np.maximum(similarities.ravel(), np.finfo(np.float32).tiny)
    directed = sp.csr_array(
        (values, indices.ravel(), np.arange(0, n_samples * n_neighbors + 1, n_neighbors)),
        shape=(n_samples, n_samples),
    )
    affinity = directed.maximum(directed.T.tocsr()).tocsr()
    affinity.sort_indices()
    return affinity


def _search_exact(rows, n_neighbors, metric, n_jobs, random_state):
    norms = np.einsum("ij,ij->i", rows, rows) if metric == "euclidean" else None
    blocks = Parallel(n_jobs=n_jobs)(
        delayed(_search_block)(rows, norms, start, n_neighbors)
        for start in range(0, len(rows), _BLOCK_ROWS)
    )
    indices, squared = zip(*blocks, strict=True)
    return np.concatenate(indices), np.concatenate(squared)


def _search_block(rows, norms, start, n_neighbors):
    """Indices and squared distances of the nearest neighbours of one block of rows."""
    import torch  # its topk is ten times faster than numpy's partition

    block = rows[start : start + _BLOCK_ROWS]
    similarity = block @ rows.T
    if norms is not None:  # order by distance: x.z - |z|^2 / 2
        similarity -= norms / 2
    local = np.arange(len(block))
    similarity[local, start + local] = -np.inf
    values, indices = torch.topk(torch.from_numpy(similarity), n_neighbors, dim=1)
    squared = 2 - 2 * values.numpy() if norms is None else norms[start + local, None] - 2 * values.numpy()
    return indices.numpy().astype(np.int32), np.maximum(squared, 0)


def _search_hnsw(rows, n_neighbors, metric, n_jobs, random_state):
    import hnswlib

    index = hnswlib.Index(space="l2", dim=rows.shape[1])
    index.init_index(
        len(rows), M=_HNSW_LINKS, ef_construction=_HNSW_BUILD_BREADTH, random_seed=random_state
    )
    index.add_items(rows, num_threads=1)  # several threads give another graph in every run
    index.set_ef(max(2 * n_neighbors, _HNSW_BUILD_BREADTH))
    n_threads = Parallel(n_jobs=n_jobs)._effective_n_jobs()
    indices, squared = index.knn_query(rows, k=n_neighbors + 1, num_threads=n_threads)
    # The sample itself is usually, not always, in the first column: drop it where it stands.
    itself = indices == np.arange(len(rows))[:, None]
    itself[~itself.any(axis=1), -1] = True
    shape = (len(rows), n_neighbors)
    return indices[~itself].reshape(shape).astype(np.int32), squared[~itself].reshape(shape)
