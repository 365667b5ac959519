"""Tests that predicted scores hold at all sizes, also in classes far larger than any that was learned."""

from itertools import pairwise

import numpy as np
import pytest

from sklearn_gcncluster import GCNClustering

BOUNDS = (2, 10, 50, 200, 1000, 5001)
AT_LEAST = 20  # proposals in a bin: fewer have no mean


def blobs(sizes, seed):
    """Round classes of these sizes in eight dimensions, some of which touch."""
    random = np.random.default_rng(seed)
    centres = 3.5 * random.normal(size=(len(sizes), 8))
    y = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return centres[y] + random.normal(size=(len(y), 8)), y


@pytest.fixture(scope="module")
def sets():
    """Two sets of classes of 10 to 5,000 samples side by side."""
    return [blobs(np.geomspace(10, 5000, 16).astype(int), seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def clusterer():
    """Networks that learned from classes of at most 500, by lists of 20 neighbours."""
    X, y = blobs(np.geomspace(10, 500, 24).astype(int), 0)
    return GCNClustering(n_neighbors=20, n_networks=1, pretrained=None, device="cpu", random_state=0).fit(
        X, y
    )


@pytest.fixture(scope="module")
def proposals(clusterer, sets):
    """Scored proposals of each set."""
    return [clusterer.score_proposals(X) for X, _ in sets]


@pytest.mark.parametrize(("floor", "n_bins"), [(0, 5), (0.3, 4)])
def test_predicted_is_true_at_all_sizes(proposals, sets, floor, n_bins):
    """Mean predicted and true IoU are within .1: of all proposals, and of those that may become clusters."""
    judged = [
        np.stack([one.membership.sum(axis=1), one.scores[:, 0], one.true_scores(y)[:, 0]])
        for one, (_, y) in zip(proposals, sets, strict=True)
    ]
    sizes, predicted, true = np.concatenate(judged, axis=1)
    bins = [(predicted >= floor) & (sizes >= low) & (sizes < high) for low, high in pairwise(BOUNDS)]
    enough = [chosen for chosen in bins if chosen.sum() >= AT_LEAST]
    assert len(enough) >= n_bins
    error = [predicted[chosen].mean() - true[chosen].mean() for chosen in enough]
    np.testing.assert_allclose(error, 0, atol=0.1)


def test_large_classes_are_found(proposals, sets):
    """A class of thousands, of which a list holds twenty, comes out as one cluster."""
    for one, (_, y) in zip(proposals, sets, strict=True):
        labels = one.cluster()[y == np.bincount(y).argmax()]
        assert np.bincount(labels[labels >= 0]).max() > 0.9 * len(labels)
