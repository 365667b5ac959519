"""Tests of proposals, held as layers."""

import numpy as np
import pytest

from sklearn_gcncluster._proposals._layers import distinct_proposals

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


def random_layers(seed, n_layers=6, n_samples=40):
    """Partitions with gaps, -1, a repeated layer under other numbers and shared groups."""
    random = np.random.default_rng(seed)
    layers = random.integers(-1, 14, (n_layers, n_samples))
    layers[2] = np.where(layers[0] < 0, -1, 100 - 3 * layers[0])
    layers[3, layers[1] == 4] = 50
    layers[4, 20:] = layers[1, 20:]
    layers[5] = np.arange(n_samples) // 2
    return layers


@pytest.mark.parametrize(("min_size", "max_size"), [(1, None), (2, 4), (3, 3), (30, 40)])
@pytest.mark.parametrize("seed", SEEDS)
def test_distinct_proposals_equal_sets(seed, min_size, max_size):
    """Proposals are the different member sets of allowed size, and layers refer to them."""
    layers = random_layers(seed)
    proposals = distinct_proposals(layers, min_size, max_size)
    known = []
    for number, layer in enumerate(layers):
        assert proposals.starts[number] == len(known)
        for label in np.unique(layer[layer >= 0]):
            members = np.flatnonzero(layer == label).tolist()
            allowed = min_size <= len(members) <= (max_size or 40)
            if allowed and members not in known:
                known.append(members)
            expected = known.index(members) if allowed else -1
            assert (proposals.layers[number, members] == expected).all()
        assert (proposals.layers[number, layer < 0] == -1).all()
    assert proposals.starts[-1] == len(known)
    found = [part.tolist() for part in np.split(proposals.indices, proposals.indptr[1:-1])]
    assert found == (known or [[]])
    assert proposals.sizes.tolist() == [len(members) for members in known]
    assert (known == []) == (min_size == 30)


@pytest.mark.parametrize("seed", SEEDS)
def test_membership_matrix(seed):
    """A boolean row for each proposal."""
    proposals = distinct_proposals(random_layers(seed))
    membership = proposals.membership()
    assert membership.dtype == bool
    assert membership.shape == (len(proposals.sizes), 40)
    for number, row in enumerate(membership.toarray()):
        first, stop = proposals.indptr[number : number + 2]
        assert np.flatnonzero(row).tolist() == proposals.indices[first:stop].tolist()


def test_proposals_again():
    """The numbered layers, taken as partitions, give the same proposals again."""
    proposals = distinct_proposals(random_layers(0), 2, 10)
    for first, second in zip(proposals, distinct_proposals(proposals.layers), strict=True):
        np.testing.assert_array_equal(first, second)
