"""Samples -> neighbour lists: those that are linked, and longer ones for clusters to agree with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from .._graph._dissimilarity import dissimilarities_of, typical_distance
from .._graph._given import graph_lists
from .._graph._neighbors import nearest_neighbors, search_recall


class Neighborhoods(NamedTuple):
    """Nearest neighbours of each sample."""

    neighbors: np.ndarray
    """int32 of shape (n_samples, n_neighbors): nearest first; the sample itself fills a short list."""
    dissimilarities: np.ndarray
    """float32 of shape (n_samples, n_neighbors), ascending: dissimilarity to each."""
    typical: float
    """Squared distance that is the unit of Euclidean dissimilarities."""
    lists: np.ndarray
    """int32 of shape (n_samples, n_listed): lists of another length, for clusters to agree with."""
    recall: float = 1.0
    """Share of the nearest neighbours that the search found."""


def neighborhoods_of(
    rows: np.ndarray | sp.csr_array,
    n_neighbors: int,
    n_listed: int = 0,
    *,
    metric: str,
    algorithm: str = "auto",
    seed: int = 0,
    n_jobs: int | None = None,
) -> Neighborhoods:
    """Nearest neighbours, searched among rows or read off a graph.

    Parameters
    ----------
    rows : float ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
        Of unit length for "cosine"; or the dissimilarities of linked samples.
    n_neighbors, n_listed : int
        Clipped to the number of other samples, and to the links of the sample that has most.
    metric : {"cosine", "euclidean", "precomputed", "precomputed_affinity"}
    algorithm : {"auto", "brute", "cells", "hnsw"}
    seed : int
        Of the hnswlib graph.
    n_jobs : int or None
    """
    depth, typical, recall = max(n_neighbors, n_listed), 1.0, 1.0
    if isinstance(rows, sp.csr_array):
        neighbors, dissimilarities = graph_lists(rows, depth)
    else:
        how: dict[str, Any] = {
            "metric": metric,
            "algorithm": algorithm,
            "n_jobs": n_jobs,
            "random_state": seed,
        }
        neighbors, distances = nearest_neighbors(rows, min(depth, len(rows) - 1), **how)
        recall = search_recall(rows, distances, **how)
        distances = distances[:, :n_neighbors]  # what is listed besides must not change the unit
        typical = typical_distance(distances)
        dissimilarities = dissimilarities_of(distances, metric, typical)
    return Neighborhoods(
        neighbors[:, :n_neighbors],
        dissimilarities[:, :n_neighbors],
        typical,
        neighbors[:, :n_listed],
        recall,
    )
