"""Tests of the choice of a threshold."""

import numpy as np
import pytest

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
