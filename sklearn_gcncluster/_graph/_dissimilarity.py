"""Dissimilarity: one less the similarity.

It is kept instead of the similarity, which near 1 has no digits left to tell close neighbours apart.
"""

from __future__ import annotations

import numpy as np


def dissimilarities_of(distances: np.ndarray, metric: str, typical: float | None = None) -> np.ndarray:
    """Dissimilarity, zero or more, for each squared distance to a neighbour.

    Parameters
    ----------
    distances : float ndarray of any shape
        Squared; between rows of unit length for "cosine".
    metric : {"cosine", "euclidean"}
        One less the cosine, in [0, 2]; or ``1 - exp(-d^2 / (2 s^2))``.
    typical : float, optional
        The s^2 in it; by default that of the distances themselves, as :func:`typical_distance` gives it.

    Returns
    -------
    float32 ndarray of the same shape
    """
    if metric == "cosine":
        return np.clip(distances / 2, 0, 2).astype(np.float32)
    typical = typical_distance(distances) if typical is None else typical
    return -np.expm1(-0.5 * (distances / typical)).astype(np.float32)


def typical_distance(distances: np.ndarray) -> float:
    """Median of squared distances; of those above zero, if it is zero, since most may be copies."""
    typical = np.median(distances) if distances.size else 1.0
    if typical == 0:
        typical = np.median(distances[distances > 0]) if distances.any() else 1.0
    return typical


def stored(values: np.ndarray) -> np.ndarray:
    """Values as float32 in a sparse matrix, where zero would mean that there is none."""
    return np.where(values == 0, np.finfo(np.float32).tiny, values).astype(np.float32)
