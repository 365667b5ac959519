"""Tests of X that is a graph already."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import kneighbors_graph, sort_graph_by_row_values

from sklearn_gcncluster._graph import _given
from sklearn_gcncluster._graph._given import graph_lists, graph_samples

SEEDS = [0, 1, 2]
TINY = np.finfo(np.float32).tiny


def slow_lists(values, linked, metric, n_neighbors):
    """Dictionaries of each sample's neighbours and their dissimilarities, by the letter of the docstring."""
    n_samples, affinities = len(values), metric == "precomputed_affinity"
    own = []
    for i in range(n_samples):
        others = [j for j in range(n_samples) if j != i and linked[i, j]]
        others = [j for j in others if values[i, j] > 0 or not affinities]
        others.sort(key=lambda j, i=i: -values[i, j] if affinities else values[i, j])
        own.append(others[:n_neighbors])
    kept = [values[i, j] for i, listed in enumerate(own) for j in listed]
    median = np.median(np.square(np.maximum(kept, 0))) if kept else 1

    def unlike(i, j):
        if affinities:
            return max(1 - min(values[i, j], 1), TINY)
        return max(1 - np.exp(-(max(values[i, j], 0) ** 2) / median / 2), TINY)

    def closest(i, j):
        return min(unlike(a, b) for a, b in ((i, j), (j, i)) if b in own[a])

    longest = max(map(len, own))
    lists = []
    for i in range(n_samples):
        fans = sorted(
            (j for j in range(n_samples) if i in own[j] and j not in own[i]), key=lambda j: closest(i, j)
        )
        lists.append({j: closest(i, j) for j in [*own[i], *fans[: longest - len(own[i])]]})
    return lists


@pytest.mark.parametrize("n_neighbors", [1, 3, 20])
@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
@pytest.mark.parametrize("seed", SEEDS)
def test_graphs_become_lists_of_dissimilarities(seed, metric, sparse, n_neighbors):
    """Each list is the row's nearest, filled up with who lists it; a distance of zero is a link."""
    random = np.random.default_rng(seed)
    values, linked = random.random((14, 14)), random.random((14, 14)) < (0.3 if sparse else 1)
    values[2, 5], linked[2, 5] = 0, True
    linked[7] = linked[7] & ~sparse  # a sample that lists nobody
    rows, cols = np.nonzero(linked)
    X = sp.csr_array((values[rows, cols], (rows, cols)), shape=(14, 14)) if sparse else values
    samples = graph_samples(X, metric, n_neighbors)
    expected = np.zeros((14, 14))
    for i, listed in enumerate(slow_lists(values, linked, metric, n_neighbors)):
        expected[i, list(listed)] = list(listed.values())
    np.testing.assert_allclose(samples.rows.toarray(), expected, rtol=1e-5, atol=1e-30)
    np.testing.assert_array_equal(samples.rows.toarray() != 0, expected != 0)
    assert samples.rows.dtype == np.float32
    assert samples.rows.has_canonical_format
    assert samples.kept.tolist() == samples.inverse.tolist() == list(range(14))
    assert samples.counts.tolist() == [1] * 14
    assert samples.frame is None


def test_lists_of_a_graph():
    """The nearest first, the sample itself behind the last; no longer than the longest row."""
    rows = sp.csr_array(np.float32([[0, 0.5, 0.25], [0.5, 0, 0], [0, 0, 0]]))
    for n_neighbors in (2, 9):
        neighbors, dissimilarities = graph_lists(rows, n_neighbors)
        assert neighbors.tolist() == [[2, 1], [0, 1], [2, 2]]
        assert dissimilarities.tolist() == [[0.25, 0.5], [0.5, 0], [0, 0]]
    assert graph_lists(rows, 1)[0].tolist() == [[2], [0], [2]]


@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
@pytest.mark.parametrize("n_neighbors", [1, 5, 39, 100])
def test_dense_graph_is_the_sparse_one_of_its_nearest(metric, n_neighbors, monkeypatch):
    """Of a dense matrix only each sample's nearest count, however many rows are looked at at once."""
    points = np.random.default_rng(0).standard_normal((40, 3))
    distances = pairwise_distances(points)
    X = distances if metric == "precomputed" else np.exp(-distances)
    nearest = kneighbors_graph(points, min(n_neighbors, 39), mode="distance")
    if metric == "precomputed_affinity":
        nearest.data = np.exp(-nearest.data)
    expected = graph_samples(sp.csr_array(nearest), metric, n_neighbors).rows
    found = graph_samples(X, metric, n_neighbors).rows
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-5)
    longer = graph_samples(
        sp.csr_array(kneighbors_graph(points, 39, mode="distance")), "precomputed", n_neighbors
    )
    if metric == "precomputed":
        np.testing.assert_allclose(longer.rows.toarray(), expected.toarray(), rtol=1e-5)
    monkeypatch.setattr(_given, "_BLOCK_CELLS", 130)
    assert (graph_samples(X, metric, n_neighbors).rows != found).nnz == 0


@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_one_triangle_will_do(metric):
    """A link in one direction is one in both; of two entries of a pair the closer counts."""
    values = np.random.default_rng(0).uniform(0.1, 0.9, (9, 9))
    both = np.minimum(values, values.T) if metric == "precomputed" else np.maximum(values, values.T)
    expected = graph_samples(both, metric, 20).rows.toarray()
    upper, lower = (sp.csr_array(cut(both, k)) for cut, k in ((np.triu, 1), (np.tril, -1)))
    for one in (upper, lower):
        np.testing.assert_allclose(graph_samples(one, metric, 20).rows.toarray(), expected, rtol=1e-6)
    # Entries of both directions differ: their median sets the unit of distances.
    found = graph_samples(values, metric, 20).rows.toarray()
    np.testing.assert_array_equal(found, found.T)
    if metric == "precomputed_affinity":
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_triangle_of_an_album():
    """A chain in which each lists the next: lists hold one neighbour, as the longest does."""
    chain = sp.csr_array((np.full(4, 0.75), (np.arange(4), np.arange(1, 5))), shape=(5, 5))
    found = graph_samples(chain, "precomputed_affinity", 10).rows
    assert found.toarray().nonzero()[1].tolist() == [1, 2, 3, 4, 3]
    assert set(found.data.tolist()) == {0.25}


@pytest.mark.parametrize("kind", ["csr", "unsorted", "by scikit-learn", "diagonal", "int64 indices"])
def test_kinds_of_sparse_graphs(kind):
    """The order of entries, explicit zeros on the diagonal and the width of indices do not matter."""
    points = np.random.default_rng(0).standard_normal((30, 2))
    X = sp.csr_array(kneighbors_graph(points, 6, mode="distance"))
    X.sort_indices()
    expected = graph_samples(X, "precomputed", 5)
    if kind == "unsorted":
        backwards = np.concatenate([np.arange(start + 5, start - 1, -1) for start in range(0, 180, 6)])
        X = sp.csr_array((X.data[backwards], X.indices[backwards], X.indptr), X.shape)
    elif kind == "by scikit-learn":
        X = sort_graph_by_row_values(X, warn_when_not_sorted=False, copy=True)
    elif kind == "diagonal":
        X = sp.csr_array(kneighbors_graph(points, 7, mode="distance", include_self=True))
    elif kind == "int64 indices":
        X = sp.csr_array((X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), X.shape)
    before = X.copy()
    found = graph_samples(X, "precomputed", 5)
    assert (found.rows != expected.rows).nnz == 0
    np.testing.assert_array_equal(X.data, before.data)
    np.testing.assert_array_equal(X.indices, before.indices)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float16, np.float32])
@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_kinds_of_dense_graphs(metric, dtype):
    """Whole numbers and other precisions give what the same numbers give as float64; X is left alone."""
    high = 2 if dtype is bool or metric == "precomputed_affinity" else 9
    X = np.random.default_rng(0).integers(0, high, (12, 12)).astype(dtype)
    before = X.copy()
    expected = graph_samples(X.astype(np.float64), metric, 20)
    variants = [X, np.asfortranarray(X)]
    if metric == "precomputed_affinity" and dtype is not np.float16:  # SciPy does not have it
        variants.append(sp.csr_array(X))
    for same in variants:
        found = graph_samples(same, metric, 20)
        np.testing.assert_allclose(found.rows.toarray(), expected.rows.toarray(), rtol=1e-6)
        assert found.rows.nnz == expected.rows.nnz
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 3.7, 1e30, 1e200])
def test_unit_of_distances_does_not_matter(scale):
    """Distances in another unit give the same lists."""
    X = pairwise_distances(np.random.default_rng(0).standard_normal((20, 2)))
    expected = graph_samples(X, "precomputed", 5).rows
    found = graph_samples(scale * X, "precomputed", 5).rows
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-5)


@pytest.mark.parametrize("sparse", [True, False])
def test_distances_rounded_below_zero(sparse):
    """Distances that rounding made negative are zeros."""
    points = np.repeat(np.random.default_rng(0).standard_normal((6, 2)), 2, axis=0)
    X = pairwise_distances(points)
    rounded = X.copy()
    rounded[X == 0] = -1e-8
    kind = sp.csr_array if sparse else np.asarray
    if sparse:  # entries of zero would not be explicit
        X[X == 0] = 1e-30
    found, expected = (graph_samples(kind(values), "precomputed", 4).rows for values in (rounded, X))
    np.testing.assert_array_equal(found.toarray() != 0, expected.toarray() != 0)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-6, atol=1e-30)
    assert 0 < found.toarray()[0, 1] < 1e-30


def test_impossible_graphs():
    """Negative distances and affinities above one are errors that name the other kind of graph."""
    X = np.array([[0, 2.0], [-1, 0]])
    for kind in (np.asarray, sp.csr_array):
        with pytest.raises(ValueError, match=r'Negative values in data.*-1.*"precomputed_affinity"'):
            graph_samples(kind(X), "precomputed", 5)
        with pytest.raises(ValueError, match=r'affinity above 1 \(2\).*"precomputed"'):
            graph_samples(kind(X), "precomputed_affinity", 5)


def test_graphs_without_a_difference():
    """Distances that are all zero, no links at all, one sample: no error."""
    assert 0 < graph_samples(np.zeros((3, 3)), "precomputed", 5).rows.toarray().max() < 1e-30
    assert graph_samples(np.zeros((3, 3)), "precomputed", 5).rows.nnz == 6
    assert graph_samples(np.zeros((3, 3)), "precomputed_affinity", 5).rows.nnz == 0
    assert 0 < graph_samples(np.ones((3, 3)), "precomputed_affinity", 5).rows.toarray().max() < 1e-30
    for metric in ("precomputed", "precomputed_affinity"):
        assert graph_samples(sp.csr_array((3, 3)), metric, 5).rows.nnz == 0
        assert graph_samples(np.zeros((1, 1)), metric, 5).rows.shape == (1, 1)
