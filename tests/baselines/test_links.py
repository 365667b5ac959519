"""Tests of links, their spanning forest, the choice of a threshold, and the numbers of clusters."""

import numpy as np
import pytest

from sklearn_gcncluster.baselines._links import (
    ValuedLinks,
    components,
    links_of,
    number_by_size,
    spanning_forest,
)
from sklearn_gcncluster.baselines._thresholds import agreement, best_threshold, candidate_thresholds

SEEDS = [0, 1, 2]


def random_lists(seed, n_samples=40, n_neighbors=5, gaps=False):
    """Lists of random neighbours, as of a graph; with `gaps`, some are filled up with the sample itself."""
    random = np.random.default_rng(seed)
    lists = np.empty((n_samples, n_neighbors), dtype=np.int32)
    for sample in range(n_samples):
        others = np.delete(np.arange(n_samples), sample)
        lists[sample] = random.choice(others, n_neighbors, replace=False)
        if gaps:
            lists[sample, random.integers(0, n_neighbors + 1) :] = sample
    return lists


def random_links(seed, n_samples=40, n_links=80, n_values=None):
    """Links between random pairs, with values in [0, 1); few different ones on request."""
    random = np.random.default_rng(seed)
    keys = random.choice(n_samples**2, 4 * n_links, replace=False)
    low, high = np.divmod(keys, n_samples)
    chosen = np.flatnonzero(low < high)[:n_links]
    values = random.uniform(size=len(chosen))
    if n_values:
        values = np.floor(values * n_values) / n_values
    return ValuedLinks(low[chosen], high[chosen], values)


def slow_components(links, n_samples):
    """Component of each sample, by walking along the links from each sample not yet reached."""
    groups = np.full(n_samples, -1)
    for start in range(n_samples):
        if groups[start] >= 0:
            continue
        groups[start], waiting = start, [start]
        while waiting:
            sample = waiting.pop()
            for low, high in zip(links.low.tolist(), links.high.tolist(), strict=True):
                if sample in (low, high):
                    other = low + high - sample
                    if groups[other] < 0:
                        groups[other] = start
                        waiting.append(other)
    return groups


def same_partition(left, right):
    """Whether two arrays of groups differ in the groups' numbers only."""
    pairs = np.unique(np.stack([left, right]), axis=1).shape[1]
    return pairs == len(np.unique(left)) == len(np.unique(right))


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_links_equal_a_loop_over_the_lists(seed, gaps):
    """Each pair once, in ascending order, with the value of the lower sample if that has one."""
    lists = random_lists(seed, gaps=gaps)
    values = np.random.default_rng(seed).uniform(size=lists.shape)
    slow = {}
    for sample, (listed, valued) in enumerate(zip(lists.tolist(), values.tolist(), strict=True)):
        for other, value in zip(listed, valued, strict=True):
            if other != sample:
                slow.setdefault((min(sample, other), max(sample, other)), value)
    links = links_of(lists, values)
    assert list(zip(links.low.tolist(), links.high.tolist(), strict=True)) == sorted(slow)
    assert links.value.tolist() == [slow[pair] for pair in sorted(slow)]


@pytest.mark.parametrize("n_values", [None, 4])
@pytest.mark.parametrize("largest_first", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_forest_has_the_components_of_all_links(seed, largest_first, n_values):
    """Cut anywhere, with ties or without, the forest falls into the same parts; and it has no circle."""
    links = random_links(seed, n_values=n_values)
    forest = spanning_forest(links, 40, largest_first)
    assert len(forest.value) == 40 - len(np.unique(slow_components(links, 40)))
    for threshold in np.linspace(0, 1, 11):
        parts = [
            one.take(one.value >= threshold if largest_first else one.value < threshold)
            for one in (links, forest)
        ]
        assert same_partition(slow_components(parts[0], 40), components(parts[1].low, parts[1].high, 40))


def test_forest_without_links():
    """Nothing joins nothing."""
    forest = spanning_forest(random_links(0).take(slice(0, 0)), 40, largest_first=True)
    assert len(forest.value) == 0
    assert len(np.unique(components(forest.low, forest.high, 40))) == 40


def test_numbers_by_hand():
    """The largest group is 0, of equal ones the first; counts count, and those of one are -1."""
    groups = np.array([4, 2, 2, 7, 5, 5, 9])
    assert number_by_size(groups, np.ones(7, int)).tolist() == [-1, 0, 0, -1, 1, 1, -1]
    assert number_by_size(groups, np.array([3, 1, 1, 1, 1, 1, 2])).tolist() == [0, 1, 1, -1, 2, 2, 3]
    assert number_by_size(groups, np.array([1, 1, 0, 1, 1, 1, 1])).tolist() == [-1, -1, -1, -1, 0, 0, -1]


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_agreement_equals_sets(seed, gaps):
    """Share of the cluster in the list times share of the list in the cluster, by sets."""
    lists = random_lists(seed, gaps=gaps)
    groups = np.random.default_rng(seed).integers(0, 6, 40)
    total = 0
    for sample in range(40):
        listed = set(lists[sample].tolist()) - {sample}
        others = set(np.flatnonzero(groups == groups[sample]).tolist()) - {sample}
        if listed and others:
            shared = len(listed & others)
            total += shared / len(others) * shared / len(listed)
    assert agreement(lists, groups) == pytest.approx(total / 40)


def test_agreement_is_one_if_lists_are_clusters():
    """Lists that hold the cluster and nothing else; samples alone agree with nothing."""
    groups = np.repeat(np.arange(4), 5)
    lists = np.array([[j for j in range(20) if j // 5 == i // 5 and j != i] for i in range(20)])
    assert agreement(lists, groups) == 1
    assert agreement(lists, np.arange(20)) == 0
    assert agreement(lists, np.zeros(20, int)) == pytest.approx(4 / 19)


def test_candidates_by_hand():
    """The lowest level, all middles, and between the highest level and the ceiling."""
    levels = np.array([0.5, 0.25, 0.5, 0.75])
    assert candidate_thresholds(levels, 1).tolist() == [0.25, 0.375, 0.625, 0.875]
    assert candidate_thresholds(np.append(levels, 1), 1).tolist() == [0.25, 0.375, 0.625, 0.875]
    assert candidate_thresholds(np.array([]), 1).tolist() == [0.5]
    assert candidate_thresholds(np.ones(3), 1).tolist() == [0.5]


def test_candidates_are_limited():
    """Many levels are thinned out to quantiles, which keep both ends."""
    levels = np.random.default_rng(0).uniform(size=10_000)
    candidates = candidate_thresholds(levels, 1)
    assert len(candidates) == 61
    assert (np.diff(candidates) > 0).all()
    assert candidates[0] == levels.min()
    assert levels.max() < candidates[-1] < 1


def test_best_threshold_is_the_first_of_the_best():
    """Of equal quality, the lower threshold."""
    quality = {0.1: 1, 0.2: 3, 0.3: 3, 0.4: 2}
    assert best_threshold(np.array(list(quality)), float, quality.get) == 0.2
