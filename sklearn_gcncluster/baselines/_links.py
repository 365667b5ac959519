"""Neighbour lists -> links -> spanning forest, which has the same components at every threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree


class ValuedLinks(NamedTuple):
    """Linked pairs of samples, each pair once, with a value: a distance or an affinity."""

    low: np.ndarray
    """int64 of shape (n_links,): the sample of lower number."""
    high: np.ndarray
    """int64 of shape (n_links,): the other."""
    value: np.ndarray
    """float32 or float64 of shape (n_links,)."""

    def take(self, chosen: np.ndarray) -> ValuedLinks:
        """Some of the links, by number or by a mask."""
        return ValuedLinks(*(array[chosen] for array in self))


def links_of(neighbors: np.ndarray, values: np.ndarray) -> ValuedLinks:
    """Link each sample to its neighbours; a sample in its own list fills a gap and is no link.

    Parameters
    ----------
    neighbors : int ndarray of shape (n_samples, n_neighbors)
    values : ndarray of shape (n_samples, n_neighbors)
        If two samples are in each other's lists, that of the lower sample counts.

    Returns
    -------
    ValuedLinks
        Ascending by `low`, then by `high`.
    """
    n_samples, n_neighbors = neighbors.shape
    source = np.repeat(np.arange(n_samples, dtype=np.int64), n_neighbors)
    target = neighbors.ravel().astype(np.int64)
    real = np.flatnonzero(source != target)
    source, target = source[real], target[real]
    keys, first = np.unique(
        np.minimum(source, target) * n_samples + np.maximum(source, target), return_index=True
    )
    return ValuedLinks(*np.divmod(keys, n_samples), values.ravel()[real[first]])


def spanning_forest(links: ValuedLinks, n_samples: int, largest_first: bool) -> ValuedLinks:
    """Fewest links that join, at any threshold on their values, the samples that all links join.

    Parameters
    ----------
    links : ValuedLinks
    n_samples : int
    largest_first : bool
        Whether links of large values join first, as affinities do, or those of small ones.
    """
    order = np.argsort(-links.value if largest_first else links.value, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)  # unlike values, positive and without ties
    matrix = sp.csr_array((rank, (links.low, links.high)), shape=(n_samples, n_samples))
    return links.take(np.sort(order[minimum_spanning_tree(matrix).data.astype(np.int64) - 1]))


def components(low: np.ndarray, high: np.ndarray, n_samples: int) -> np.ndarray:
    """Connected component of each sample, int32 of shape (n_samples,), numbered from 0."""
    matrix = sp.coo_array((np.ones(len(low), dtype=bool), (low, high)), shape=(n_samples, n_samples))
    return connected_components(matrix, directed=False)[1]


def number_by_size(groups: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Number groups by falling size; those of one sample get -1.

    Parameters
    ----------
    groups : int ndarray of shape (n_distinct,)
        Numbered from 0.
    counts : int ndarray of shape (n_distinct,)
        How many samples each speaks for.

    Returns
    -------
    int64 ndarray of shape (n_distinct,)
        Among equal sizes the group of the first sample comes first.
    """
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    sizes = np.bincount(groups, weights=counts)
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    number[sizes < 2] = -1
    return number[groups]
