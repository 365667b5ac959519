"""Average linkage on a sparse affinity graph, for many thresholds in one pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._apart import Apart
from ._layers import last_ancestor


class _Links(NamedTuple):
    """What lies between linked groups; each pair of groups once."""

    low: np.ndarray
    """int32 of shape (n_links,): group of the lower number."""
    high: np.ndarray
    """int32 of shape (n_links,): the other."""
    sums: np.ndarray
    """float64 of shape (n_sums, n_links): sum of the affinities between the two and, where missing pairs are
    ignored, number of affinities."""
    means: np.ndarray
    """float64 of shape (n_links,): mean affinity of the two."""


def average_link_layers(
    affinity: sp.csr_array,
    thresholds: np.ndarray,
    missing: str,
    n_neighbors: int,
    groups: np.ndarray | None = None,
    apart: Apart | None = None,
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
    apart : Apart, optional
        Samples that must not be in one group; none are in one of `groups`.

    Returns
    -------
    int32 ndarray of shape (n_layers, n_samples)
    """
    inside = np.arange(affinity.shape[0]) if groups is None else np.flatnonzero(groups >= 0)
    labels = inside if groups is None else np.unique(groups[inside], return_inverse=True)[1].reshape(-1)
    upper = sp.triu(affinity, k=1, format="coo")
    low, high = upper.coords
    kinds = [upper.data] if missing == "zero" else [upper.data, np.ones_like(upper.data)]
    sums = np.stack(kinds).astype(np.float64)
    mean_of = partial(_mean_affinity, missing, n_neighbors)
    links = _Links(low, high, sums, mean_of(low, high, sums, np.ones(affinity.shape[0], dtype=np.intp)))
    del upper, kinds, sums
    sizes = np.bincount(labels)
    if groups is not None:
        group_of = np.full(affinity.shape[0], -1)
        group_of[inside] = labels
        links = _contract(links, group_of, sizes, mean_of)
        apart = None if apart is None else apart.contract(group_of)
    if apart is not None:
        links = _allowed(links, apart)
    layers = np.full((len(thresholds), affinity.shape[0]), -1, dtype=np.int32)
    for layer, threshold in zip(layers, thresholds, strict=True):
        while (merged := _merge(links, sizes, threshold, mean_of, apart)) is not None:
            labels, sizes = merged[labels], np.bincount(merged, weights=sizes).astype(np.intp)
            links = _renumbered(links, merged, sizes, mean_of)
            if apart is not None:
                apart = apart.contract(merged)
                links = _allowed(links, apart)
        layer[inside] = labels
    return layers


def _merge(links, sizes, threshold, mean_of, apart):
    """New number of each group after mutually nearest pairs merged, round by round; None if there are none.

    A round looks only at links between groups that are near another, and adds up only what a merge changed:
    after a few rounds, hardly any.
    """
    into, sizes = np.arange(len(sizes)), sizes.copy()
    while len(near := np.flatnonzero(links.means >= threshold)):
        low, high = _mutually_nearest(links, near, len(sizes))
        into[high] = low
        sizes[low] += sizes[high]
        has_near, merged = np.zeros((2, len(sizes)), dtype=bool)
        has_near[links.low[near]] = has_near[links.high[near]] = True
        merged[low] = merged[high] = True
        active = np.flatnonzero(has_near[links.low] & has_near[links.high])
        changed = merged[links.low[active]] | merged[links.high[active]]
        changed_links = _contract(_take(links, active[changed]), into, sizes, mean_of)
        if apart is not None:
            changed_links = _allowed(changed_links, apart.contract(last_ancestor(into)))
        links = _concatenate(_take(links, active[~changed]), changed_links)
    if np.array_equal(into, np.arange(len(into))):
        return None
    return np.unique(last_ancestor(into), return_inverse=True)[1].reshape(-1).astype(np.int32)


def _mean_affinity(missing, n_neighbors, low, high, sums, sizes):
    """Mean affinity of linked groups, rounded so that the order of summation decides nothing."""
    if missing == "zero":
        sizes_low, sizes_high = sizes[low], sizes[high]
        count = np.minimum(sizes_low, sizes_high) * np.minimum(np.maximum(sizes_low, sizes_high), n_neighbors)
    else:
        count = sums[1]
    return np.round(sums[0] / count, 9)


def _mutually_nearest(links, near, n_groups):
    """Pairs of groups that are nearest to each other; among equals, the pair of lowest numbers."""
    low, high, means = links.low[near], links.high[near], links.means[near]
    pair = low.astype(np.int64) * n_groups + high
    highest, nearest = np.zeros(n_groups), np.full(n_groups, n_groups**2)
    for end in (low, high):
        np.maximum.at(highest, end, means)
    for end in (low, high):
        candidates = np.flatnonzero(means == highest[end])
        np.minimum.at(nearest, end[candidates], pair[candidates])
    mutual = (nearest[low] == pair) & (nearest[high] == pair)
    return low[mutual], high[mutual]


def _renumbered(links, merged, sizes, mean_of):
    """The same as `_contract`, where few groups merge: links that none of them has only get new numbers."""
    several = np.bincount(merged)[merged] > 1
    changed = several[links.low] | several[links.high]
    same = _take(links, np.flatnonzero(~changed))
    # Numbers follow those of the first group of each, so the lower end stays the lower.
    same = same._replace(low=merged[same.low], high=merged[same.high])
    return _concatenate(same, _contract(_take(links, np.flatnonzero(changed)), merged, sizes, mean_of))


def _contract(links: _Links, group_of: np.ndarray, sizes: np.ndarray, mean_of: Callable) -> _Links:
    """Links between the groups that groups now belong to, of these sizes; inside one or with a -1 they go."""
    group_of = group_of.astype(np.int32)
    ends = group_of[links.low], group_of[links.high]
    low, high = np.minimum(*ends), np.maximum(*ends)
    between = np.flatnonzero((low >= 0) & (low != high))
    n_groups = int(group_of.max(initial=0)) + 1
    pairs = low[between].astype(np.int64) * n_groups + high[between]
    del ends, low, high
    order = np.argsort(pairs)
    pairs = pairs[order]
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    sums = np.add.reduceat(links.sums[:, between[order]], first, axis=1) if len(first) else links.sums[:, :0]
    low, high = (numbers.astype(np.int32) for numbers in np.divmod(pairs[first], n_groups))
    return _Links(low, high, sums, mean_of(low, high, sums, sizes))


def _allowed(links, apart):
    """Links between groups that may merge; those that may not never may, whatever they merge with."""
    return _take(links, np.flatnonzero(~apart.between(links.low, links.high)))


def _take(links, chosen):
    return _Links(*(array[..., chosen] for array in links))


def _concatenate(*parts):
    return _Links(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))
