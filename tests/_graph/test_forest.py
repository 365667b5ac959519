"""Tests of the merge tree."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from sklearn_gcncluster._graph._forest import forest_quantile, merge_tree

SEEDS = [0, 1, 2, 3]


def random_dissimilarity(seed, n_vertices=40, density=0.08, decimals=7):
    """Symmetric dissimilarities in (0, 1), few enough to leave some vertices unconnected."""
    random = np.random.default_rng(seed)
    values = np.round(random.uniform(0.05, 1, (n_vertices, n_vertices)), decimals).astype(np.float32)
    upper = np.triu(values * (random.random(values.shape) < density), k=1)
    return upper + upper.T


def tree_components(tree, cut):
    """Number of each sample's component: climb while the next merge is no higher than the cut."""
    tops = []
    for node in range((len(tree.parent) + 1) // 2):
        while tree.parent[node] != node and tree.height[tree.parent[node]] <= cut:
            node = tree.parent[node]
        tops.append(node)
    return canonical(tops)


def canonical(labels):
    """Number the groups by first appearance."""
    numbers = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


def cut_components(dissimilarity, cut):
    """Components of the dense graph without links longer than the cut."""
    linked = (dissimilarity > 0) & (dissimilarity <= cut)
    return connected_components(sp.csr_array(linked), directed=False)[1]


def cuts_of(dissimilarity):
    """All values, and what lies between and around them."""
    values = np.unique(dissimilarity[dissimilarity > 0]).astype(np.float64)
    return np.concatenate([values, (values[1:] + values[:-1]) / 2, [0.01, 2]])


@pytest.mark.parametrize("decimals", [1, 7])
@pytest.mark.parametrize("density", [0.03, 0.3])
@pytest.mark.parametrize("seed", SEEDS)
def test_components_at_every_cut(seed, density, decimals):
    """Cut anywhere, the tree has the components of the cut graph, with ties and unconnected parts too."""
    dissimilarity = random_dissimilarity(seed, density=density, decimals=decimals)
    tree = merge_tree(sp.csr_array(dissimilarity))
    for cut in cuts_of(dissimilarity)[:: 1 if density < 0.1 else 5]:
        assert tree_components(tree, cut) == canonical(cut_components(dissimilarity, cut))


@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_tree_is_well_formed(seed, groups):
    """Sizes count the samples below, heights grow upwards, the root is last and holds all."""
    dissimilarity = random_dissimilarity(seed)
    numbers = np.random.default_rng(seed).permutation(np.repeat(np.arange(40), 3)) if groups else None
    tree = merge_tree(sp.csr_array(dissimilarity), numbers)
    n_samples = 120 if groups else 40
    below = [{node} for node in range(n_samples)] + [set() for _ in range(n_samples - 1)]
    for node in range(2 * n_samples - 2):
        assert tree.parent[node] > node
        assert tree.height[tree.parent[node]] >= tree.height[node]
        assert not below[tree.parent[node]] & below[node]
        below[tree.parent[node]] |= below[node]
    assert tree.parent[-1] == 2 * n_samples - 2
    assert below[-1] == set(range(n_samples))
    assert tree.size.tolist() == [len(members) for members in below]
    assert np.isneginf(tree.height[:n_samples]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_groups_merge_first(seed):
    """With groups, components are those of the groups' graph, spread to the samples."""
    dissimilarity = random_dissimilarity(seed, n_vertices=15, density=0.15)
    random = np.random.default_rng(seed)
    groups = random.permutation(np.concatenate([np.arange(15), random.integers(0, 15, 30)]))
    tree = merge_tree(sp.csr_array(dissimilarity), groups)
    for cut in cuts_of(dissimilarity):
        expected = cut_components(dissimilarity, cut)[groups]
        assert tree_components(tree, cut) == canonical(expected)
    assert tree_components(tree, -np.inf) == canonical(groups)
    assert np.isneginf(tree.height).sum() == 45 + 30


def test_unconnected_parts_join_at_infinity():
    """A graph of k parts has k - 1 merges at +inf, and a graph without links has nothing else."""
    dissimilarity = np.zeros((6, 6), np.float32)
    dissimilarity[0, 1] = dissimilarity[1, 0] = dissimilarity[4, 5] = dissimilarity[5, 4] = 0.5
    tree = merge_tree(sp.csr_array(dissimilarity))
    assert tree.height[6:].tolist() == [0.5, 0.5, np.inf, np.inf, np.inf]
    assert tree.size[-1] == 6
    empty = merge_tree(sp.csr_array((4, 4), dtype=np.float32))
    assert empty.height[4:].tolist() == [np.inf] * 3


def test_a_single_sample():
    """It is the root."""
    tree = merge_tree(sp.csr_array((1, 1), dtype=np.float32))
    assert (tree.parent.tolist(), tree.height.tolist(), tree.size.tolist()) == ([0], [-np.inf], [1])


def test_heights_are_kept_exactly():
    """Merges are at the float32 dissimilarities of the graph, so that a cut equal to one keeps it."""
    values = np.random.default_rng(0).random(30).astype(np.float32) ** 8  # down to where 1 - value is 1
    assert (np.float32(1) - values == 1).any()
    upper = sp.coo_array((values, (np.arange(30), np.arange(1, 31))), (31, 31))
    tree = merge_tree((upper + upper.T).tocsr())
    np.testing.assert_array_equal(tree.height[31:], np.sort(values))


@pytest.mark.parametrize("seed", SEEDS)
def test_forest_quantile_is_of_the_spanning_forest(seed):
    """Quantiles are over the links of a minimum spanning forest grown one by one, whatever the groups."""
    dissimilarity = random_dissimilarity(seed)
    part, kept = list(range(40)), []
    pairs = [(dissimilarity[i, j], i, j) for i in range(40) for j in range(i) if dissimilarity[i, j] > 0]
    for value, left, right in sorted(pairs):
        if part[left] != part[right]:
            part = [part[left] if number == part[right] else number for number in part]
            kept.append(value)
    trees = [
        merge_tree(sp.csr_array(dissimilarity), groups) for groups in (None, np.repeat(np.arange(40), 2))
    ]
    for quantile in (0, 0.3, 0.77, 1):
        expected = np.quantile(np.float64(kept), quantile)
        for tree in trees:
            assert forest_quantile(tree, quantile) == pytest.approx(expected)


def test_forest_quantile_is_a_valid_cut():
    """Cuts are above zero, where heights are not, keep the links at it, and are 1 without links."""
    for least in (np.finfo(np.float32).tiny, np.float32(1e-42)):
        pair = merge_tree(sp.csr_array(np.float32([[0, least], [least, 0]])))
        assert 0 < forest_quantile(pair, 0.5) < 1e-30
        assert tree_components(pair, forest_quantile(pair, 0.5)) == [0, 0]
    assert forest_quantile(merge_tree(sp.csr_array((3, 3), dtype=np.float32)), 0.5) == 1
    groups = merge_tree(sp.csr_array((1, 1), dtype=np.float32), np.zeros(4, int))
    assert forest_quantile(groups, 0.5) == 1
