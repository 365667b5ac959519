"""Tests of numbers that agree with an earlier clustering."""

from time import perf_counter

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

from sklearn_gcncluster import match_labels


def n_kept(matched, reference):
    """Samples that have their number of the reference."""
    return np.sum((matched == reference) & (reference >= 0))


def largest_overlap(labels, reference):
    """What SciPy finds in the table of all clusters."""
    inside = (labels >= 0) & (reference >= 0)
    table = np.zeros((labels.max(initial=-1) + 1, reference.max(initial=-1) + 1), int)
    np.add.at(table, (labels[inside], reference[inside]), 1)
    return table[linear_sum_assignment(table, maximize=True)].sum()


def same_partition(left, right):
    """Whether samples share a cluster in one if and only if they do in the other."""
    pairs = len(np.unique(np.stack([left, right]), axis=1).T)
    return pairs == len(np.unique(left)) == len(np.unique(right))


@pytest.mark.parametrize("largest", [2, 5, 30])
@pytest.mark.parametrize("n_samples", [1, 10, 100, 1000])
def test_agrees_with_scipy(largest, n_samples):
    """On random pairs of clusterings, which tie often and have outliers."""
    random = np.random.default_rng(largest * n_samples)
    for _ in range(40):
        n_new, n_old = random.integers(1, largest + 1, 2)
        labels, reference = random.integers(-1, n_new, n_samples), random.integers(-1, n_old, n_samples)
        matched = match_labels(labels, reference)
        assert n_kept(matched, reference) == largest_overlap(labels, reference)
        assert same_partition(matched, labels)
        np.testing.assert_array_equal(matched < 0, labels < 0)


@pytest.mark.parametrize("noise", [0.02, 0.3, 0.7, 0.95])
def test_agrees_with_scipy_on_clusterings_that_resemble_each_other(noise):
    """Sizes are skewed, and numbers mean nothing."""
    random = np.random.default_rng(0)
    reference = (random.pareto(1, 5000) * 3).astype(int) % 200
    labels = np.where(random.random(5000) < noise, random.permutation(reference), reference)
    labels = random.permutation(200)[labels // 2 * 2]  # pairs of clusters became one
    assert n_kept(match_labels(labels, reference), reference) == largest_overlap(labels, reference)


def test_numbers_mean_nothing():
    """The result depends on which samples share a cluster, not on how the clusters were called."""
    random = np.random.default_rng(0)
    reference = random.integers(0, 8, 60)
    for _ in range(20):
        labels = random.integers(0, 8, 60)
        renamed = random.permutation(8)[labels]
        np.testing.assert_array_equal(match_labels(labels, reference), match_labels(renamed, reference))


def test_same_clusters_get_the_same_numbers():
    """Whatever the numbers were, and in whatever type they come."""
    reference = np.array([7, 7, -1, 3, 3, 0])
    for labels in (reference, [1, 1, -1, 0, 0, 2], np.float32([5, 5, -1, 9, 9, 8]), pd.Series(reference)):
        matched = match_labels(labels, reference)
        np.testing.assert_array_equal(matched, reference)
        assert matched.dtype == np.int64


def test_new_clusters_get_new_numbers():
    """They count on from the largest number of the reference, used or not by a match, larger ones first."""
    reference = [4, 4, 9, -1, -1, -1, -1]
    np.testing.assert_array_equal(match_labels([1, 1, 1, 2, 0, 0, -1], reference), [4, 4, 4, 11, 10, 10, -1])
    np.testing.assert_array_equal(match_labels([5, 5, 6], [-1, -1, -1]), [0, 0, 1])


def test_outliers():
    """They stay as they are, also the kinds that HDBSCAN tells apart, and match nothing."""
    np.testing.assert_array_equal(match_labels([-1, -2, 0, 0], [0, 0, -3, -3]), [-1, -2, 1, 1])
    np.testing.assert_array_equal(match_labels([-1, -1], [0, 1]), [-1, -1])
    assert len(match_labels([], [])) == 0


def test_input_stays():
    """The labels that are given do not change."""
    labels = np.array([1, 1, 0])
    match_labels(labels, [0, 0, 1])
    np.testing.assert_array_equal(labels, [1, 1, 0])


def test_ties():
    """Of two halves the one with the earlier sample keeps the number."""
    np.testing.assert_array_equal(match_labels([1, 0, 1, 0], [2, 2, 2, 2]), [2, 3, 2, 3])


@pytest.mark.parametrize(
    ("labels", "reference", "message"),
    [
        ([0, 1], [0, 1, 2], "labels has 2 samples and reference 3"),
        ([0.5, 1], [0, 1], "labels must hold integers, got .*0.5"),
        ([0, 1], [0, np.nan], "reference must hold integers, got .*nan"),
        ([0, 1], [0, np.inf], "reference must hold integers, got .*inf"),
        (["a", "b"], [0, 1], "labels must hold integers, got .*'a'"),
        ([0, 1], [[0, 1], [1, 0]], r"reference must be one-dimensional, got an array of shape \(2, 2\)"),
        ([[0, 1]], [0, 1], r"labels must be one-dimensional, got an array of shape \(1, 2\)"),
        ([0, 1], [2**63 - 1, -1], "count on from the largest of reference, 9223372036854775807"),
    ],
)
def test_errors(labels, reference, message):
    """Say what is wrong with which of the two."""
    with pytest.raises(ValueError, match=message):
        match_labels(labels, reference)


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
def test_large(noise):
    """Half a million samples in tens of thousands of clusters take no more than a moment, alike or not."""
    random = np.random.default_rng(0)
    sizes = 1 / (1 + np.arange(30_000)) ** 0.7
    reference = random.choice(30_000, 584_000, p=sizes / sizes.sum())
    labels = np.where(random.random(584_000) < noise, random.permutation(reference), reference)
    start = perf_counter()
    matched = match_labels(random.permutation(30_000)[labels], reference)
    assert perf_counter() - start < 8  # takes 0.3 to 0.9 s; machines that run tests are busy
    assert n_kept(matched, reference) >= (labels == reference).sum()
