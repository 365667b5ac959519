"""Average linkage on a sparse affinity graph, for many thresholds in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._proposals import last_ancestor


class _Links(NamedTuple):
    """What lies between linked groups; each pair of groups once, ascending by `low`, then by `high`."""

    low: np.ndarray
    """Group of the lower number."""
    high: np.ndarray
    """The other."""
    sums: np.ndarray
    """float64 of shape (2, n_links): sum of the affinities between the two, and number of affinities."""


def average_link_layers(
    affinity: sp.csr_array,
    thresholds: np.ndarray,
    missing: str,
    n_neighbors: int,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Partitions by average linkage, one at each of several falling thresholds.

    This is Algorithm 2 with many levels and the mean in place of the single link: mutually nearest groups
    merge, all such pairs at once, while the affinity of their members is at least the threshold on average.
    A group without so near another sits out until those that have one are done; then the threshold falls.

    Parameters
    ----------
    affinity : csr_array of shape (n_samples, n_samples)
        Symmetric, in [0, 1].
    thresholds : ndarray of shape (n_layers,)
        Falling.
    missing : {"zero", "ignore"}
        What pairs of samples without a link count. "zero": nothing, as far as the lists of the smaller group
        could have held them; "ignore": they are left out, and the mean is over links.
    n_neighbors : int
        Length of the neighbour lists behind the graph.
    groups : int ndarray of shape (n_samples,), optional
        The partition to start from; samples with -1 are left out. By default each sample is alone.

    Returns
    -------
    int32 ndarray of shape (n_layers, n_samples)
    """
    inside = np.arange(affinity.shape[0]) if groups is None else np.flatnonzero(groups >= 0)
    labels = inside if groups is None else np.unique(groups[inside], return_inverse=True)[1].reshape(-1)
    upper = sp.triu(affinity, k=1, format="coo")
    links = _Links(*upper.coords, np.stack([upper.data, np.ones_like(upper.data)]).astype(np.float64))
    group_of = np.full(affinity.shape[0], -1)
    group_of[inside] = labels
    links, sizes = _contract(links, group_of), np.bincount(labels)
    layers = np.full((len(thresholds), affinity.shape[0]), -1, dtype=np.int32)
    for layer, threshold in zip(layers, thresholds, strict=True):
        while (merged := _merge(links, sizes, threshold, missing, n_neighbors)) is not None:
            labels, links = merged[labels], _contract(links, merged)
            sizes = np.bincount(merged, weights=sizes).astype(np.intp)
        layer[inside] = labels
    return layers


def _merge(links, sizes, threshold, missing, n_neighbors):
    """New number of each group after mutually nearest pairs merged, round by round; None if there are none.

    A round looks only at groups that are near another: far fewer than all, in all rounds but the first.
    """
    into, sizes = np.arange(len(sizes)), sizes.copy()
    active = np.arange(len(sizes))  # the groups that take part, by their number among all
    while True:
        means = _mean_affinity(links, sizes[active], missing, n_neighbors)
        near = np.flatnonzero(means >= threshold)
        if not len(near):
            break
        low, high = _mutually_nearest(links, means, near)
        local = np.arange(len(active))
        local[high] = low
        into[active[high]] = active[low]
        np.add.at(sizes, active[low], sizes[active[high]])
        has_near = np.zeros(len(active), dtype=bool)
        has_near[links.low[near]] = has_near[links.high[near]] = True
        kept = np.flatnonzero(has_near & (local == np.arange(len(active))))
        number = np.full(len(active), -1)
        number[kept] = np.arange(len(kept))
        links, active = _contract(links, np.where(has_near, number[local], -1)), active[kept]
    if np.array_equal(into, np.arange(len(into))):
        return None
    return np.unique(last_ancestor(into), return_inverse=True)[1].reshape(-1)


def _mean_affinity(links, sizes, missing, n_neighbors):
    """Mean affinity of linked groups, rounded so that the order of summation decides nothing."""
    total, count = links.sums
    if missing == "zero":
        sizes_low, sizes_high = sizes[links.low], sizes[links.high]
        count = np.minimum(sizes_low, sizes_high) * np.minimum(np.maximum(sizes_low, sizes_high), n_neighbors)
    return np.round(total / count, 9)


def _mutually_nearest(links, means, near):
    """Pairs of groups that are nearest to each other; among equals, the pair of lowest numbers."""
    order = near[np.argsort(-means[near], kind="stable")]
    nearest = np.empty(links.high.max() + 1, dtype=np.intp)
    # From the farthest to the nearest: what is written last stays.
    ends = np.stack([links.low[order[::-1]], links.high[order[::-1]]], axis=1)
    nearest[ends.ravel()] = np.repeat(order[::-1], 2)
    mutual = near[(nearest[links.low[near]] == near) & (nearest[links.high[near]] == near)]
    return links.low[mutual], links.high[mutual]


def _contract(links, group_of):
    """Links between the groups that groups now belong to; those inside one or with a -1 are dropped."""
    ends = group_of[links.low], group_of[links.high]
    low, high = np.minimum(*ends), np.maximum(*ends)
    between = np.flatnonzero((low >= 0) & (low != high))
    n_groups = group_of.max(initial=0) + 1
    pairs = low[between] * np.int64(n_groups) + high[between]
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    sums = np.add.reduceat(links.sums[:, between[order]], first, axis=1) if len(first) else links.sums[:, :0]
    return _Links(pairs[first] // n_groups, pairs[first] % n_groups, sums)
