"""Questions about clusters, in the order of what an answer should be worth.

Three kinds of questions have the same form, two samples that belong together or not: the exemplars of two
clusters that may be one, an outlier and the exemplar of a cluster that may be its own, and the exemplars of
two parts of a cluster that may be two. An answer is worth what it changes: the BCubed recall that a union
gains, or the precision that two parts gain, times the probability that it is so.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._base import Result
from ._constraints import Constraints
from ._graph._samples import Samples
from ._obeying import ties_within
from ._proposals._average_link import average_link_layers
from ._scoring import Judge

_PARTING = np.array([0.8, 0.5, 0.3, 0.15])
"""Falling thresholds of average linkage at which clusters are looked at for parts."""


class _Pairs(NamedTuple):
    """Groups of samples that are linked."""

    low: np.ndarray
    high: np.ndarray
    best: np.ndarray
    """Mean over a group's samples of the best link to the other group, in [0, 1]."""
    mean: np.ndarray
    """Mean affinity of the links."""

    @property
    def probability(self) -> np.ndarray:
        """That both are of one class.

        The best of many links is high by chance, and most so between large groups. With the mean beside it,
        far more of the first questions were answered "same" (examples/benchmarks/review.py).
        """
        return self.best * np.sqrt(self.best * self.mean)


def questions(
    result: Result, samples: Samples, judge: Judge, constraints: Constraints | None, n_questions: int
) -> list[dict[str, Any]]:
    """What to ask about clusters; documented as :meth:`GCNClustering.review`.

    Parameters
    ----------
    result : Result
        Clusters of the rows of X.
    samples : Samples
    judge : Judge
        Of the graph.
    constraints : Constraints or None
        What is known already, of rows.
    n_questions : int
    """
    affinity, n_neighbors = judge.graph.affinity, judge.graph.dissimilarities.shape[1]
    label = result.labels[samples.kept]
    first = np.maximum.accumulate(np.where(samples.counts > 0, np.arange(len(label)), 0))
    n_clusters = len(result.scores)
    group = np.where(label >= 0, label, n_clusters + first)  # lone samples are groups of one
    weight = np.bincount(samples.inverse[samples.inverse >= 0], minlength=len(label))
    asked = []

    between = _linked(group, affinity)
    worth = between.probability * _change(group, weight, between) / len(result.labels)
    lone = (between.low >= n_clusters) != (between.high >= n_clusters)
    kinds = np.where(lone, "outlier", "merge")
    asked.append((kinds, *_exemplars(group, affinity, between), worth))

    inside = affinity.tocoo()
    low, high = inside.coords
    own = (label[low] == label[high]) & (label[low] >= 0)
    inside = sp.csr_array((inside.data[own], (low[own], high[own])), shape=affinity.shape)
    impure = np.append(1 - np.nan_to_num(result.scores[:, 1], nan=1), 0)
    for layer in average_link_layers(inside, _PARTING, "zero", n_neighbors):
        parts = _linked(layer, inside)
        one, other = _exemplars(layer, inside, parts)
        worth = impure[label[one]] * (1 - parts.best) * _change(layer, weight, parts)
        asked.append((np.full(len(one), "split"), one, other, worth / len(result.labels)))

    kind, one, other, worth = (np.concatenate(columns) for columns in zip(*asked, strict=True))
    one, other = samples.kept[one], samples.kept[other]
    kept = np.ones(len(one), bool) if constraints is None else _open(one, other, constraints)
    order = np.lexsort((other, one, -worth))
    order = order[kept[order]]
    # Of each cluster one split, the best, and no pair twice.
    split = kind[order] == "split"
    key = np.where(split, -1 - result.labels[one[order]], np.arange(len(order)))
    _, place = np.unique(key, return_index=True)
    order = order[np.sort(place)][:n_questions]
    return [
        {
            "kind": str(kind[question]),
            "first": int(one[question]),
            "second": int(other[question]),
            "gain": float(worth[question]),
            "clusters": sorted(set(result.labels[[one[question], other[question]]].tolist()) - {-1}),
        }
        for question in order.tolist()
    ]


def _linked(group, affinity):
    """Pairs of groups with links between them."""
    links = affinity.tocoo()
    node, neighbor = links.coords
    other = group[neighbor]
    across = np.flatnonzero(group[node] != other)
    n_groups = int(group.max(initial=-1)) + 1
    key = node[across].astype(np.int64) * n_groups + other[across]
    order = np.argsort(key, kind="stable")
    start = np.flatnonzero(np.diff(key[order], prepend=-1))
    if not len(start):
        return _Pairs(start, start, np.empty(0), np.empty(0))
    best = np.maximum.reduceat(links.data[across][order], start).astype(np.float64)
    node, other = np.divmod(key[order][start], n_groups)
    size = np.bincount(group, minlength=n_groups)
    pair, place = np.unique(group[node] * n_groups + other, return_inverse=True)
    mean = np.bincount(place.reshape(-1), weights=best) / size[pair // n_groups]
    one, two = np.divmod(pair, n_groups)
    keys, number = np.unique(np.minimum(one, two) * n_groups + np.maximum(one, two), return_inverse=True)
    nearer = np.zeros(len(keys))
    np.maximum.at(nearer, number.reshape(-1), mean)
    ends = group[links.coords[0][across]], group[links.coords[1][across]]
    link = np.searchsorted(keys, np.minimum(*ends) * np.int64(n_groups) + np.maximum(*ends))
    total = np.bincount(link, weights=links.data[across], minlength=len(keys))
    low, high = np.divmod(keys, n_groups)
    return _Pairs(low, high, np.minimum(nearer, 1), total / np.bincount(link, minlength=len(keys)))


def _change(group, weight, pairs):
    """By how much the sum of BCubed recall or precision changes between a union and its two parts."""
    size = np.bincount(group, weights=weight)
    return 2 * size[pairs.low] * size[pairs.high] / np.maximum(size[pairs.low] + size[pairs.high], 1)


def _exemplars(group, affinity, pairs):
    """The most typical sample of both groups of each pair."""
    order = np.lexsort((np.arange(len(group)), -ties_within(group, affinity), group))
    numbers, first = np.unique(group[order], return_index=True)
    exemplar = np.zeros(numbers.max(initial=-1) + 1, dtype=np.intp)
    exemplar[numbers] = order[first]
    return exemplar[pairs.low], exemplar[pairs.high]


def _open(one, other, constraints):
    """Which pairs are not answered by constraints."""
    left, right = constraints.component[one], constraints.component[other]
    apart = constraints.apart().contract(constraints.component)
    return (left != right) & ~apart.between(left, right)
