"""The threshold at which clusters are best, by labels or by the neighbour lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..metrics import bcubed_fscore, pairwise_fscore

_N_CANDIDATES = 60
LONGEST_LIST = 80
"""Length of the lists that clusters are compared with."""


def candidate_thresholds(levels: np.ndarray, ceiling: float) -> np.ndarray:
    """Thresholds between the levels at which components join; at quantiles, where there are many.

    Parameters
    ----------
    levels : ndarray of shape (n_levels,)
        Values of the links of a spanning forest.
    ceiling : float
        Above all levels that a threshold can part.

    Returns
    -------
    float64 ndarray of shape (n_candidates,)
        Ascending, at least one and below `ceiling`, from the lowest level to above the highest.
    """
    distinct = np.unique(levels[levels < ceiling]).astype(np.float64)
    if not len(distinct):
        return np.array([ceiling / 2])
    if len(distinct) > _N_CANDIDATES:
        distinct = np.quantile(distinct, np.linspace(0, 1, _N_CANDIDATES))
    return np.concatenate([distinct[:1], (distinct + np.append(distinct[1:], ceiling)) / 2])


def best_threshold(
    candidates: np.ndarray,
    partition: Callable[[float], np.ndarray],
    quality: Callable[[np.ndarray], float],
) -> float:
    """The candidate whose partition has the highest quality; the first of several."""
    return float(candidates[np.argmax([quality(partition(threshold)) for threshold in candidates])])


def mean_fscore(y: np.ndarray, labels: np.ndarray) -> float:
    """Mean of pairwise and BCubed F on the labelled samples."""
    return (pairwise_fscore(y, labels) + bcubed_fscore(y, labels)) / 2


def agreement(neighbors: np.ndarray, groups: np.ndarray) -> float:
    r"""How well groups and neighbour lists agree: a quality of clusters that needs no labels.

    With :math:`N_i` the list of sample i and :math:`C_i` the others of its group, it is the mean of

    .. math:: \frac{|N_i \cap C_i|}{|C_i|} \cdot \frac{|N_i \cap C_i|}{|N_i|},

    which is 0 for a sample that is alone. Groups that are too small hold little of the list (second factor),
    and of those that run into each other, the list holds little (first factor).

    Parameters
    ----------
    neighbors : int ndarray of shape (n_samples, n_neighbors)
        A sample in its own list fills a gap.
    groups : int ndarray of shape (n_samples,)
        Numbered from 0.

    Returns
    -------
    float
        In [0, 1].
    """
    itself = np.arange(len(groups))
    others = np.bincount(groups)[groups] - 1
    length, shared = np.zeros((2, len(groups)), dtype=np.int64)
    for column in neighbors.T:  # one place of all lists at a time: a tenth of the memory of all at once
        real = column != itself
        length += real
        shared += real & (groups[column] == groups)
    return float(np.mean(shared**2 / np.maximum(others * length, 1)))
