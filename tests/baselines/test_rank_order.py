"""Tests of approximate rank-order clustering."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

from sklearn_gcncluster._graph._links import link
from sklearn_gcncluster.baselines import ApproximateRankOrder
from sklearn_gcncluster.baselines._rank_order import rank_order_distances
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

SEEDS = [0, 1, 2]


def lists_of(X, n_neighbors):
    """Neighbours of each row, nearest first."""
    found = NearestNeighbors(n_neighbors=n_neighbors).fit(X)
    return found.kneighbors(return_distance=False).astype(np.int32)


def slow_distance(a, b, lists):
    """The definition by the letter: ranks from 1, a sample in its own list is a gap."""
    lists = [[other for other in listed if other != sample] for sample, listed in enumerate(lists)]
    k = max(len(listed) for listed in lists)

    def rank(owner, other):
        return lists[owner].index(other) + 1 if other in lists[owner] else np.inf

    def missing(owner, other):
        nearer = lists[owner][: int(min(rank(owner, other), k))]
        return sum(one != other and one not in lists[other] for one in nearer)

    return (missing(a, b) + missing(b, a)) / min(rank(a, b), rank(b, a))


def slow_labels(lists, threshold):
    """Join pairs one by one, then number groups by falling size."""
    groups = list(range(len(lists)))
    for a, listed in enumerate(lists):
        for b in listed:
            if b != a and slow_distance(a, b, lists) < threshold:
                groups = [groups[a] if group == groups[b] else group for group in groups]
    members = [[i for i, group in enumerate(groups) if group == name] for name in sorted(set(groups))]
    members = sorted((one for one in members if len(one) > 1), key=lambda one: -len(one))
    labels = np.full(len(lists), -1)
    for number, one in enumerate(members):
        labels[one] = number
    return labels


def same_clusters(left, right):
    """Whether labels differ in the numbers of clusters of equal size only."""
    assert np.bincount(left + 1).tolist() == np.bincount(right + 1).tolist()
    assert len(np.unique(np.stack([left, right]), axis=1).T) == len(np.unique(left))


@pytest.mark.parametrize("n_neighbors", [1, 2, 7, 39])
@pytest.mark.parametrize("seed", SEEDS)
def test_distances_equal_the_definition(seed, n_neighbors):
    """Every neighbour of every sample, for short lists and complete ones."""
    lists = lists_of(np.random.default_rng(seed).normal(size=(40, 3)), n_neighbors)
    slow = [[slow_distance(a, b, lists.tolist()) for b in lists[a].tolist()] for a in range(40)]
    np.testing.assert_allclose(rank_order_distances(lists), slow, rtol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_distances_with_short_lists(seed):
    """A list that is filled up with the sample itself counts as short."""
    lists = lists_of(np.random.default_rng(seed).normal(size=(40, 3)), 6)
    lengths = np.random.default_rng(seed).integers(0, 7, 40)
    lengths[0] = 6
    lists = np.where(np.arange(6) < lengths[:, None], lists, np.arange(40)[:, None]).astype(np.int32)
    distances = rank_order_distances(lists)
    for a, listed in enumerate(lists.tolist()):
        for place, b in enumerate(listed):
            if b != a:
                assert distances[a, place] == pytest.approx(slow_distance(a, b, lists.tolist()))


def test_distances_by_hand():
    """Two pairs and a sample between them."""
    lists = np.array([[1, 2], [0, 2], [1, 3], [4, 2], [3, 2]], dtype=np.int32)
    distances = rank_order_distances(lists)
    assert distances[0, 0] == 0  # 0 and 1 are first of each other: nobody is nearer
    assert distances[0, 1] == (0 + 1) / 2  # all of 0's is known to 2 (1, and 2 itself), but 3 not to 0
    assert distances[2, 0] == (0 + 1) / 1  # 1 is first for 2; of 1's, 0 is not known to 2
    assert distances[2, 1] == (1 + 1) / 2


def test_distances_are_symmetric():
    """Two samples in each other's lists have one distance; so blocks of rows leave no trace."""
    lists = lists_of(np.random.default_rng(0).normal(size=(3000, 3)), 40)
    distances = sp.csr_array((rank_order_distances(lists).ravel() + 1, lists.ravel(), np.arange(3001) * 40))
    mutual = (distances > 0).multiply(distances.T > 0)
    assert mutual.sum() > 50_000
    assert abs((distances - distances.T).multiply(mutual)).max() == 0


@pytest.mark.parametrize("threshold", [0, 0.3, 0.8, 1.5, 50])
@pytest.mark.parametrize("seed", SEEDS)
def test_labels_equal_joining_one_by_one(seed, threshold):
    """One merge pass, and chains of merges are clusters."""
    X = np.random.default_rng(seed).normal(size=(40, 2)).astype(np.float32)
    labels = ApproximateRankOrder(n_neighbors=5, threshold=threshold).fit_predict(X)
    same_clusters(labels, slow_labels(lists_of(X, 5).tolist(), threshold))


def test_clusters_grow_with_the_threshold():
    """Whoever is together stays together as the threshold rises."""
    X, _ = make_identities(500, n_features=32, random_state=0)
    labels = [ApproximateRankOrder(threshold=threshold).fit_predict(X) for threshold in np.linspace(0, 2, 11)]
    assert (labels[0] == -1).all()
    for finer, coarser in pairwise(labels):
        together = np.unique(np.stack([finer, coarser])[:, finer >= 0], axis=1)
        assert len(together[0]) == len(np.unique(together[0]))
        assert (coarser[finer >= 0] >= 0).all()


def test_threshold_by_labels_is_the_best():
    """No other threshold gives a higher mean of both F on the labelled samples."""
    X, y = make_identities(600, n_features=32, random_state=0)
    y = np.where(y % 3 == 0, -1, y)
    clusterer = ApproximateRankOrder(n_neighbors=20).fit(X, y)

    def quality(labels):
        return pairwise_fscore(y, labels) + bcubed_fscore(y, labels)

    lists = lists_of(X, 20)
    levels = np.unique(link(lists, rank_order_distances(lists)).dissimilarity)
    others = [
        ApproximateRankOrder(n_neighbors=20, threshold=level).fit_predict(X) for level in levels[::20] + 1e-6
    ]
    assert len(others) > 10
    assert quality(clusterer.labels_) >= max(map(quality, others)) - 0.005


@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_complete_graph_equals_rows(metric):
    """All distances, or affinities, say as much as the rows."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    distances = kneighbors_graph(X, 59, mode="distance")
    graph = distances.copy()
    if metric == "precomputed_affinity":
        graph.data = 1 / (1 + graph.data)
    by_rows = ApproximateRankOrder(n_neighbors=8).fit(X)
    by_graph = ApproximateRankOrder(n_neighbors=8, metric=metric).fit(graph)
    same_clusters(by_graph.labels_, by_rows.labels_)
    assert by_graph.threshold_ == by_rows.threshold_
    same_clusters(by_graph.predict(graph), by_rows.labels_)
