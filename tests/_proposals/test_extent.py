"""Tests of how much room proposals take and how far the next group is, beside a slow reference."""

import numpy as np
import pytest

from sklearn_gcncluster._graph._room import room_of
from sklearn_gcncluster._proposals._extent import EXTENT_FEATURES, extent_features
from sklearn_gcncluster._proposals._layers import distinct_proposals

SMALLEST, COARSER = 8, 4


def slow_features(X, layer, members):
    """Features of one proposal, group by group."""
    X = X.astype(np.float64)
    total = ((X - X.mean(axis=0)) ** 2).sum(axis=1).mean()
    own = X[members]
    centre = own.mean(axis=0)
    pairs = ((own[:, None] - own) ** 2).sum(axis=-1)
    within = pairs.sum() / max(len(own) * (len(own) - 1), 1) / (2 * total)
    near, ratio = 1.0, 0.0
    if len(own) >= SMALLEST:
        # Sizes of one kind look for others together: from 8, from 32, from 128 samples on.
        low = SMALLEST * COARSER ** int(np.log(len(own) / SMALLEST) / np.log(COARSER) + 1e-9)
        others = [np.flatnonzero(layer == number) for number in np.unique(layer[layer >= 0])]
        others = [one for one in others if len(one) >= low / COARSER and set(one) != set(members)]
        if others:
            squared = [((X[one].mean(axis=0) - centre) ** 2).sum() for one in others]
            near = min(squared) / (2 * total)
            ratio = np.clip(np.log(len(others[int(np.argmin(squared))]) / len(own)), -3, 3)
    covariance = np.cov(X.T)
    dimensions = np.trace(covariance) ** 2 / (covariance**2).sum()
    within, near = np.log(within + 1e-3), np.log(near + 1e-3)
    common = (X.mean(axis=0) ** 2).sum() / (X**2).sum(axis=1).mean()
    return [within, near, near - within, ratio, np.log(dimensions), common]


def random_case(seed):
    """Samples around some places, and layers of groups of all sizes, some samples in none."""
    random = np.random.default_rng(seed)
    X = 3 * random.normal(size=(12, 6))[random.integers(0, 12, 400)] + random.normal(size=(400, 6)) + 1
    fine = np.sort(random.integers(0, 60, 400) ** 2 // 60)
    return X.astype(np.float32), np.stack(
        [np.where(random.random(400) < 0.1, -1, fine), fine // 5, fine // 30]
    )


@pytest.mark.parametrize("seed", range(3))
def test_features_equal_a_slow_reference(seed):
    """All features of all proposals; one that stands in several layers is told by the first of them."""
    X, layers = random_case(seed)
    proposals = distinct_proposals(layers)
    assert proposals.sizes.min() < SMALLEST < 128 < proposals.sizes.max()
    found = extent_features(proposals, X, room_of(X))
    assert found.shape == (len(proposals.sizes), len(EXTENT_FEATURES))
    assert found.dtype == np.float32
    layer_of = np.repeat(np.arange(len(layers)), np.diff(proposals.starts))
    for number, layer in enumerate(layer_of):
        members = proposals.indices[proposals.indptr[number] : proposals.indptr[number + 1]]
        slow = slow_features(X, proposals.layers[layer], members)
        for name, value, expected in zip(EXTENT_FEATURES, found[number], slow, strict=True):
            assert value == pytest.approx(expected, abs=5e-3), name


def test_features_do_not_depend_on_blocks_and_workers(monkeypatch):
    """Neither how many members are summed at once nor who looks at which layer changes anything."""
    X, layers = random_case(0)
    proposals, room = distinct_proposals(layers), room_of(X)
    expected = extent_features(proposals, X, room)
    monkeypatch.setattr("sklearn_gcncluster._proposals._extent._MEMBERS_AT_ONCE", 7)
    np.testing.assert_allclose(extent_features(proposals, X, room), expected, atol=1e-4)
    monkeypatch.undo()
    monkeypatch.setattr("sklearn_gcncluster._jobs._WORTH_A_WORKER", 0)
    np.testing.assert_array_equal(extent_features(proposals, X, room, n_jobs=2), expected)


def test_a_lone_proposal_has_nothing_beside_it():
    """All samples as one, and no samples as none."""
    X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    whole = extent_features(distinct_proposals(np.zeros((1, 50), int)), X, room_of(X))
    assert whole[0, :4] == pytest.approx([np.log(50 / 49), 0, -np.log(50 / 49), 0], abs=2e-3)
    none = extent_features(distinct_proposals(np.full((1, 50), -1)), X, room_of(X))
    assert none.shape == (0, len(EXTENT_FEATURES))


def test_features_of_a_file_are_those_of_its_rows(tmp_path):
    """Rows that are mapped, in half precision."""
    X, layers = random_case(1)
    np.save(tmp_path / "X.npy", X.astype(np.float16))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    proposals = distinct_proposals(layers)
    found = extent_features(proposals, mapped, room_of(mapped))
    rows = X.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(found, extent_features(proposals, rows, room_of(rows)), atol=1e-2)
