"""Tests of average linkage."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._proposals._average_link import average_link_layers

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


def slow_average_link(affinity, thresholds, missing, n_neighbors, groups=None):
    """Merge all mutually nearest pairs of groups, round by round, by sums over their members.

    Groups without a near other wait until no other pair is left.
    """
    groups = groups or [[sample] for sample in range(len(affinity))]

    def mean(first, second):
        between = affinity[np.ix_(first, second)].astype(float)
        if not between.any():
            return -1
        smaller, larger = sorted([len(first), len(second)])
        if missing == "zero":
            return round(between.sum() / (smaller * min(larger, n_neighbors)), 9)
        return round(between.sum() / np.count_nonzero(between), 9)

    layers = []
    for threshold in thresholds:
        n_before = None
        while n_before != len(groups):
            n_before, waiting, active = len(groups), [], groups
            while True:
                nearest = {}
                for a in range(len(active)):
                    means = [(mean(active[a], active[b]), -b) for b in range(len(active)) if b != a]
                    highest, b = max(means, default=(-1, 0))
                    if highest >= threshold:
                        nearest[a] = -b
                pairs = [(a, b) for a, b in nearest.items() if a < b and nearest.get(b) == a]
                if not pairs:
                    break
                for a, b in pairs:
                    active[a] = active[a] + active[b]
                absorbed = {b for _, b in pairs}
                waiting += [group for number, group in enumerate(active) if number not in nearest]
                active = [active[number] for number in sorted(nearest) if number not in absorbed]
            groups = sorted(waiting + active, key=min)
        layers.append({frozenset(group) for group in groups})
    return layers


@pytest.mark.parametrize("missing", ["zero", "ignore"])
@pytest.mark.parametrize("seed", SEEDS)
def test_average_link_equals_merging_pair_by_pair(seed, missing):
    """Every layer is the partition of a slow loop over all pairs of groups."""
    affinity = random_affinity(seed, n_samples=30, density=0.25)
    thresholds = np.array([0.9, 0.75, 0.6, 0.45, 0.3, 0.15, 0.0])
    layers = average_link_layers(sp.csr_array(affinity), thresholds, missing, n_neighbors=3)
    expected = slow_average_link(affinity, thresholds, missing, n_neighbors=3)
    assert [partition(layer) for layer in layers] == expected
    assert len(set(map(frozenset, expected))) >= 3


@pytest.mark.parametrize("missing", ["zero", "ignore"])
@pytest.mark.parametrize("seed", SEEDS)
def test_average_link_of_given_groups(seed, missing):
    """Merging goes on from a partition, without the samples that are in no group."""
    affinity = random_affinity(seed, n_samples=40, density=0.2)
    start = np.random.default_rng(seed).integers(-1, 15, 40) * 2
    start[start < 0] = -1
    groups = [np.flatnonzero(start == label).tolist() for label in np.unique(start[start >= 0])]
    thresholds = np.array([0.8, 0.3, 0.15, 0.0])
    layers = average_link_layers(sp.csr_array(affinity), thresholds, missing, 3, start)
    expected = slow_average_link(affinity, thresholds, missing, 3, groups)
    for layer, wanted in zip(layers, expected, strict=True):
        np.testing.assert_array_equal(layer < 0, start < 0)
        assert partition(layer) - {frozenset(np.flatnonzero(start < 0).tolist())} == wanted


@pytest.mark.parametrize("missing", ["zero", "ignore"])
def test_average_link_with_ties(missing):
    """Among equally near groups the lowest numbers merge, and equal groups all find an end."""
    affinity = np.zeros((6, 6), np.float32)
    affinity[np.arange(5), np.arange(1, 6)] = 0.5
    affinity += affinity.T
    layers = average_link_layers(sp.csr_array(affinity), np.array([0.5]), missing, n_neighbors=5)
    assert partition(layers[0]) == slow_average_link(affinity, [0.5], missing, 5)[0]


def test_average_link_counts_missing_links():
    """Two pairs with one link between them merge only if missing links do not count."""
    affinity = np.zeros((4, 4), np.float32)
    affinity[0, 1] = affinity[2, 3] = 0.9
    affinity[1, 2] = 0.6
    affinity = sp.csr_array(affinity + affinity.T)
    assert average_link_layers(affinity, np.array([0.5]), "ignore", 3).max() == 0
    assert average_link_layers(affinity, np.array([0.5]), "zero", 3).max() == 1
    assert average_link_layers(affinity, np.array([0.25]), "zero", 1).max() == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_average_link_layers_nest(seed):
    """Lower thresholds only merge, and samples without links stay alone."""
    affinity = random_affinity(seed, density=0.1)
    affinity[:3] = affinity[:, :3] = 0
    layers = average_link_layers(sp.csr_array(affinity), np.linspace(0.95, 0, 12), "zero", 5)
    for lower, upper in pairwise(layers):
        assert len(set(zip(lower, upper, strict=True))) == lower.max() + 1
    assert (layers[-1][:, None] == layers[-1][:3]).sum() == 3
