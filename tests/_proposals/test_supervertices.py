"""Tests of super-vertices and the levels above them."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sklearn_gcncluster._graph import _forest
from sklearn_gcncluster._graph._forest import merge_tree
from sklearn_gcncluster._proposals._supervertices import (
    group_dissimilarity,
    multiscale_layers,
    supervertices,
)

SEEDS = range(6)
TINY = np.finfo(np.float32).tiny  # how a dissimilarity of zero stands in a sparse matrix


def random_dissimilarity(seed, n_samples=50, density=0.15):
    """Symmetric dissimilarities in (0, 1)."""
    random = np.random.default_rng(seed)
    values = random.random((n_samples, n_samples)).astype(np.float32)
    upper = np.triu(values * (random.random(values.shape) < density), k=1)
    return upper + upper.T


def partition(labels):
    """Partition as a set of sets."""
    labels = np.asarray(labels)
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def slow_algorithm_1(dissimilarity, cut, step, max_size, sizes=None):
    """Algorithm 1 by the letter, on a dense graph; vertices stand for `sizes` samples each.

    In the paper's words, links below a threshold on the similarity go, and the threshold t = 1 - cut is
    raised to t + (1 - t) * step.
    """
    sizes = np.ones(len(dissimilarity), int) if sizes is None else sizes
    labels, remaining = np.full(len(dissimilarity), -1), np.arange(len(dissimilarity))
    while len(remaining):
        left = dissimilarity[np.ix_(remaining, remaining)]
        linked = (left > 0) & (left <= cut)
        n_components, component = connected_components(sp.csr_array(linked), directed=False)
        for number in range(n_components):
            members = remaining[component == number]
            if sizes[members].sum() <= max_size:
                labels[members] = labels.max() + 1
        remaining = np.flatnonzero(labels < 0)
        longest = left[linked].max(initial=np.inf if not linked.any() else 0)
        cut -= cut * step
        while cut >= longest:  # as before: all components are too large
            cut -= cut * step
    return labels


def slow_group_dissimilarity(dissimilarity, labels, rows):
    """One less the cosine of centres, or the mean of the links, of groups whose samples are linked."""
    n_groups = labels.max() + 1
    out = np.zeros((n_groups, n_groups))
    for a in range(n_groups):
        for b in range(n_groups):
            between = dissimilarity[np.ix_(labels == a, labels == b)]
            if a == b or not between.any():
                continue
            if rows is None:
                out[a, b] = between[between > 0].mean()
            else:
                first, second = (rows[labels == group].mean(axis=0, dtype=float) for group in (a, b))
                cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
                out[a, b] = max(1 - cosine, TINY)
    return out


def slow_forest_quantile(dissimilarity, quantile):
    """Quantile of the links of a minimum spanning forest, grown from the shortest link up."""
    part, kept = list(range(len(dissimilarity))), []
    links = [(dissimilarity[i, j], i, j) for i in range(len(part)) for j in range(i) if dissimilarity[i, j]]
    for value, i, j in sorted(links):
        if part[i] != part[j]:
            part = [part[i] if number == part[j] else number for number in part]
            kept.append(value)
    return np.quantile(kept, quantile) if kept else 1


@pytest.mark.parametrize("max_size", [1, 2, 5, 12, 50])
@pytest.mark.parametrize("step", [0.02, 0.05, 0.4])
@pytest.mark.parametrize("seed", SEEDS)
def test_supervertices_equal_algorithm_1(seed, step, max_size):
    """The tree gives the partition of the paper's loop, no group larger than allowed."""
    dissimilarity = random_dissimilarity(seed, density=[0.03, 0.08, 0.3][seed % 3])
    tree = merge_tree(sp.csr_array(dissimilarity))
    for cut in (1.5, 1, 0.7, 0.4, 0.05):
        labels = supervertices(tree, cut, step, max_size)
        assert partition(labels) == partition(slow_algorithm_1(dissimilarity, cut, step, max_size))
        assert np.bincount(labels).max() <= max_size
        assert set(labels) == set(range(labels.max() + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_supervertices_with_tied_dissimilarities(seed):
    """Links of equal length are cut together, those at the cut itself are kept."""
    dissimilarity = np.round(random_dissimilarity(seed, density=0.2) * 7.5) / 8  # exact in binary
    tree = merge_tree(sp.csr_array(dissimilarity.astype(np.float32)))
    for cut in (0.875, 0.625, 0.5):
        for max_size in (3, 10, 50):
            expected = slow_algorithm_1(dissimilarity, cut, 0.07, max_size)
            assert partition(supervertices(tree, cut, 0.07, max_size)) == partition(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_close_samples_are_told_apart(seed):
    """Dissimilarities that are nothing beside 1 make the same super-vertices as large ones do."""
    dissimilarity = random_dissimilarity(seed)
    trees = [merge_tree(sp.csr_array(scale * dissimilarity)) for scale in np.float32([1, 2.0**-60])]
    for cut in (0.5, 0.9):
        for max_size in (2, 10):
            far, close = (
                supervertices(tree, scale * cut, 0.05, max_size)
                for tree, scale in zip(trees, (1, 2.0**-60), strict=True)
            )
            assert partition(far) == partition(close)


def test_what_no_cut_parts_stays_together():
    """Samples linked at zero are one group each way, even too large, and are not mixed with others."""
    dissimilarity = np.zeros((12, 12), np.float32)
    dissimilarity[:5, :5] = dissimilarity[5:10, 5:10] = TINY
    np.fill_diagonal(dissimilarity, 0)
    dissimilarity[0, 5] = dissimilarity[5, 0] = 0.7
    dissimilarity[10, 11] = dissimilarity[11, 10] = 0.1
    expected = [{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}, {10, 11}]
    for max_size in (2, 3, 5, 9):
        labels = supervertices(merge_tree(sp.csr_array(dissimilarity)), 0.9, 0.05, max_size)
        assert partition(labels) == set(map(frozenset, expected))
    layers = multiscale_layers(
        sp.csr_array(dissimilarity), None, thresholds=[0.1], max_supervertex_size=9, max_size=4
    )
    assert partition(layers[1]) == set(map(frozenset, expected))
    # Where all merge at zero, so does the lowest quantile; the cut is above it all the same.
    of_copies = sp.csr_array(np.where(np.eye(4), 0, TINY).astype(np.float32))
    layers = multiscale_layers(of_copies, None, quantiles=[0.1, 0.9], max_supervertex_size=2)
    assert (layers == 0).all()


@pytest.mark.parametrize("with_rows", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_group_dissimilarity_equals_dense(seed, with_rows):
    """Groups are linked where their samples are, by centres or by mean dissimilarity."""
    dissimilarity = random_dissimilarity(seed, density=0.05)
    rows = np.random.default_rng(seed).standard_normal((50, 4)).astype(np.float32) if with_rows else None
    labels = np.random.default_rng(seed).permutation(np.arange(50) % 12)
    found = group_dissimilarity(sp.csr_array(dissimilarity), labels, rows)
    expected = slow_group_dissimilarity(dissimilarity, labels, rows)
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-6)
    np.testing.assert_array_equal(found.toarray() > 0, expected > 0)


def test_close_centres_are_told_apart():
    """Groups whose centres have a cosine of 1 in single precision are as unlike as in double precision."""
    random = np.random.default_rng(0)
    rows = 300 + 0.01 * random.standard_normal((40, 8))
    labels = np.arange(40) % 10
    everything = 1 - np.eye(40)
    found = group_dissimilarity(sp.csr_array(everything.astype(np.float32)), labels, rows)
    expected = slow_group_dissimilarity(everything, labels, rows)
    assert expected.max() < 1e-7
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-4)


@pytest.mark.parametrize("by", ["thresholds", "quantiles"])
@pytest.mark.parametrize("with_rows", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_multiscale_layers_equal_algorithm_2(seed, with_rows, by):
    """Every level of every setting is Algorithm 1 on the dense graph of the groups below."""
    dissimilarity = random_dissimilarity(seed)
    rows = np.abs(np.random.default_rng(seed).standard_normal((50, 3))).astype(np.float32)
    rows = rows if with_rows else None
    values = [0.33, 0.62, 0.87]
    layers = multiscale_layers(
        sp.csr_array(dissimilarity),
        rows,
        **{by: values},
        step=0.1,
        max_supervertex_size=4,
        max_size=15,
        n_levels=3,
    )
    assert layers.shape == (9, 50)
    for setting, value in enumerate(values):
        labels, of_level = np.arange(50), dissimilarity
        for level in range(3):
            cut = slow_forest_quantile(of_level, value) if by == "quantiles" else 1 - value
            sizes, max_size = np.bincount(labels), 15 if level else 4
            labels = slow_algorithm_1(of_level, cut, 0.1, max_size, sizes)[labels]
            assert partition(layers[3 * setting + level]) == partition(labels)
            of_level = slow_group_dissimilarity(dissimilarity, labels, rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_levels_nest(seed):
    """Each group of a level is a union of groups of the level below, and no larger than allowed."""
    dissimilarity = sp.csr_array(random_dissimilarity(seed, n_samples=120, density=0.05))
    layers = multiscale_layers(
        dissimilarity, None, thresholds=[0.2, 0.7], max_supervertex_size=6, max_size=40, n_levels=3
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

    def counted(graph, **options):
        spanned.append(graph.shape[0])
        return original(graph, **options)

    monkeypatch.setattr(_forest, "minimum_spanning_tree", counted)
    dissimilarity = sp.csr_array(random_dissimilarity(0))
    settings = {by: [0.1, 0.3, 0.5, 0.7, 0.9], "max_supervertex_size": 3}
    multiscale_layers(dissimilarity, None, n_levels=1, **settings)
    assert spanned == [50]
    spanned.clear()
    layers = multiscale_layers(dissimilarity, None, n_levels=2, **settings)
    assert spanned == [50, *(layers[::2].max(axis=1) + 1)]
