"""Tests of super-vertices and the levels above them."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sklearn_gcncluster._proposals import _forest
from sklearn_gcncluster._proposals._forest import merge_tree
from sklearn_gcncluster._proposals._supervertices import group_affinity, multiscale_layers, supervertices

SEEDS = range(6)


def random_affinity(seed, n_samples=50, density=0.15):
    """Symmetric affinities in (0, 1)."""
    random = np.random.default_rng(seed)
    values = random.random((n_samples, n_samples)).astype(np.float32)
    upper = np.triu(values * (random.random(values.shape) < density), k=1)
    return upper + upper.T


def partition(labels):
    """Partition as a set of sets."""
    labels = np.asarray(labels)
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def slow_algorithm_1(affinity, threshold, step, max_size, sizes=None):
    """Algorithm 1 by the letter, on a dense graph; vertices stand for `sizes` samples each."""
    sizes = np.ones(len(affinity), int) if sizes is None else sizes
    labels, remaining = np.full(len(affinity), -1), np.arange(len(affinity))
    while len(remaining):
        cut = affinity[np.ix_(remaining, remaining)] >= max(threshold, 1e-30)
        n_components, component = connected_components(sp.csr_array(cut), directed=False)
        for number in range(n_components):
            members = remaining[component == number]
            if sizes[members].sum() <= max_size:
                labels[members] = labels.max() + 1
        remaining = np.flatnonzero(labels < 0)
        threshold += (1 - threshold) * step
    return labels


def slow_group_affinity(affinity, labels, rows):
    """Dense affinities of groups: cosine of centres, or mean of the links, where samples are linked."""
    n_groups = labels.max() + 1
    out = np.zeros((n_groups, n_groups))
    for a in range(n_groups):
        for b in range(n_groups):
            between = affinity[np.ix_(labels == a, labels == b)]
            if a == b or not between.any():
                continue
            if rows is None:
                out[a, b] = between[between > 0].mean()
            else:
                first, second = (rows[labels == group].mean(axis=0, dtype=float) for group in (a, b))
                cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
                out[a, b] = max(cosine, np.finfo(np.float32).tiny)
    return out


def slow_forest_quantile(affinity, quantile):
    """Quantile of the links of a maximum spanning forest, grown from the strongest link down."""
    part, kept = list(range(len(affinity))), []
    links = [(affinity[i, j], i, j) for i in range(len(affinity)) for j in range(i) if affinity[i, j]]
    for value, i, j in sorted(links, reverse=True):
        if part[i] != part[j]:
            part = [part[i] if number == part[j] else number for number in part]
            kept.append(value)
    return np.quantile(kept, quantile) if kept else 0


@pytest.mark.parametrize("max_size", [1, 2, 5, 12, 50])
@pytest.mark.parametrize("step", [0.02, 0.05, 0.4])
@pytest.mark.parametrize("seed", SEEDS)
def test_supervertices_equal_algorithm_1(seed, step, max_size):
    """The tree gives the partition of the paper's loop, no group larger than allowed."""
    affinity = random_affinity(seed, density=[0.03, 0.08, 0.3][seed % 3])
    tree = merge_tree(sp.csr_array(affinity))
    for threshold in (-0.5, 0, 0.3, 0.6, 0.95):
        labels = supervertices(tree, threshold, step, max_size)
        assert partition(labels) == partition(slow_algorithm_1(affinity, threshold, step, max_size))
        assert np.bincount(labels).max() <= max_size
        assert set(labels) == set(range(labels.max() + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_supervertices_with_tied_affinities(seed):
    """Links of equal affinity are cut together, those at the threshold itself are kept."""
    affinity = np.round(random_affinity(seed, density=0.2) * 7.5) / 8  # 0, 1/8, ..: exact in binary
    tree = merge_tree(sp.csr_array(affinity.astype(np.float32)))
    for threshold in (0.125, 0.375, 0.5):
        for max_size in (3, 10, 50):
            expected = slow_algorithm_1(affinity, threshold, 0.07, max_size)
            assert partition(supervertices(tree, threshold, 0.07, max_size)) == partition(expected)


def test_what_no_threshold_parts_stays_together():
    """Samples linked at 1 are one group each way, even too large, and are not mixed with others."""
    affinity = np.zeros((12, 12), np.float32)
    affinity[:5, :5] = affinity[5:10, 5:10] = 1
    np.fill_diagonal(affinity, 0)
    affinity[0, 5] = affinity[5, 0] = 0.3
    affinity[10, 11] = affinity[11, 10] = 0.9
    expected = [{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}, {10, 11}]
    for max_size in (2, 3, 5, 9):
        labels = supervertices(merge_tree(sp.csr_array(affinity)), 0.1, 0.05, max_size)
        assert partition(labels) == set(map(frozenset, expected))
    layers = multiscale_layers(
        sp.csr_array(affinity), None, thresholds=[0.1], max_supervertex_size=9, max_size=4
    )
    assert partition(layers[1]) == set(map(frozenset, expected))


@pytest.mark.parametrize("with_rows", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_group_affinity_equals_dense(seed, with_rows):
    """Groups are linked where their samples are, by centres or by mean affinity."""
    affinity = random_affinity(seed, density=0.05)
    rows = np.random.default_rng(seed).standard_normal((50, 4)).astype(np.float32) if with_rows else None
    labels = np.random.default_rng(seed).permutation(np.arange(50) % 12)
    found = group_affinity(sp.csr_array(affinity), labels, rows)
    expected = slow_group_affinity(affinity, labels, rows)
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)
    np.testing.assert_array_equal(found.toarray() > 0, expected > 0)


@pytest.mark.parametrize("by", ["thresholds", "quantiles"])
@pytest.mark.parametrize("with_rows", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_multiscale_layers_equal_algorithm_2(seed, with_rows, by):
    """Every level of every setting is Algorithm 1 on the dense graph of the groups below."""
    affinity = random_affinity(seed)
    rows = np.abs(np.random.default_rng(seed).standard_normal((50, 3))).astype(np.float32)
    rows = rows if with_rows else None
    values = [0.33, 0.62, 0.87]
    layers = multiscale_layers(
        sp.csr_array(affinity),
        rows,
        **{by: values},
        step=0.1,
        max_supervertex_size=4,
        max_size=15,
        n_levels=3,
    )
    assert layers.shape == (9, 50)
    for setting, value in enumerate(values):
        labels, level_affinity = np.arange(50), affinity
        for level in range(3):
            threshold = slow_forest_quantile(level_affinity, value) if by == "quantiles" else value
            sizes, max_size = np.bincount(labels), 15 if level else 4
            labels = slow_algorithm_1(level_affinity, threshold, 0.1, max_size, sizes)[labels]
            assert partition(layers[3 * setting + level]) == partition(labels)
            level_affinity = slow_group_affinity(affinity, labels, rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_nest(seed):
    """Each group of a level is a union of groups of the level below, and no larger than allowed."""
    affinity = sp.csr_array(random_affinity(seed, n_samples=120, density=0.05))
    layers = multiscale_layers(
        affinity, None, thresholds=[0.2, 0.7], max_supervertex_size=6, max_size=40, n_levels=3
    )
    for lower, upper in [(0, 1), (1, 2), (3, 4), (4, 5)]:
        pairs = set(zip(layers[lower], layers[upper], strict=True))
        assert len(pairs) == layers[lower].max() + 1
    for number, layer in enumerate(layers):
        assert np.bincount(layer).min() > 0
        assert np.bincount(layer).max() <= (40 if number % 3 else 6)
    assert layers[2].max() < layers[0].max()


@pytest.mark.parametrize("by", ["thresholds", "quantiles"])
def test_one_forest_serves_all_thresholds(monkeypatch, by):
    """The graph of the samples is spanned once, whatever the number of settings."""
    spanned = []
    original = _forest.minimum_spanning_tree

    def counted(graph):
        spanned.append(graph.shape[0])
        return original(graph)

    monkeypatch.setattr(_forest, "minimum_spanning_tree", counted)
    affinity = sp.csr_array(random_affinity(0))
    settings = {by: [0.1, 0.3, 0.5, 0.7, 0.9], "max_supervertex_size": 3}
    multiscale_layers(affinity, None, n_levels=1, **settings)
    assert spanned == [50]
    spanned.clear()
    layers = multiscale_layers(affinity, None, n_levels=2, **settings)
    assert spanned == [50, *(layers[::2].max(axis=1) + 1)]
