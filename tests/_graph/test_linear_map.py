"""Tests of the learned linear map and of the folds of classes."""

import numpy as np
import pytest

from sklearn_gcncluster._folds import class_folds
from sklearn_gcncluster._graph._linear_map import apply_map, fit_map

SEEDS = [0, 1, 2]


def planted(seed, n_classes=30, n_samples=8, n_features=10, noise=25.0):
    """Classes that differ in all directions but one, along which the samples of each are scattered."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), n_samples)
    X = random.standard_normal((n_classes, n_features))[y]
    X += 0.2 * random.standard_normal(X.shape)
    direction = random.standard_normal(n_features)
    direction /= np.linalg.norm(direction)
    X += noise * random.standard_normal((len(y), 1)) * direction
    return X.astype(np.float32), y, direction


def neighbor_is_of_class(X, y):
    """Share of samples whose nearest other sample is of their class."""
    squared = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squared, np.inf)
    return (y[squared.argmin(axis=1)] == y).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_within_classes_is_shrunk(seed):
    """The planted direction is shrunk most, which helps classes that the map was not fitted on."""
    X, y, direction = planted(seed)
    seen = y < 20
    learned = fit_map(X[seen], y[seen])
    assert {name: (array.dtype, array.shape) for name, array in learned._asdict().items()} == {
        "mean": (np.float32, (10,)),
        "directions": (np.float32, (10, 10)),
    }
    np.testing.assert_allclose(learned.mean, X[seen].mean(axis=0), atol=1e-5)
    across = np.linalg.svd(np.eye(10) - np.outer(direction, direction))[0][:, :9].T
    kept = np.linalg.norm(across @ learned.directions, axis=1)
    assert np.linalg.norm(direction @ learned.directions) < kept.min() / 2
    unseen = ~seen
    before = neighbor_is_of_class(X[unseen], y[unseen])
    after = neighbor_is_of_class(apply_map(X[unseen], learned), y[unseen])
    assert after > before + 0.1
    assert after > 0.85


def test_directions_in_which_classes_do_not_differ_are_shrunk():
    """Of two directions with the same scatter inside classes, the one that tells classes apart is kept."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(40), 10)
    X = random.standard_normal((400, 2))
    X[:, 0] += 3 * random.standard_normal(40)[y]
    directions = fit_map(X.astype(np.float32), y).directions
    lengths = np.linalg.norm(directions, axis=1)
    assert lengths[0] > 1.2 * lengths[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_unlabelled_samples_are_left_out(seed):
    """Samples with -1, and how classes are called and ordered, change nothing."""
    X, y, _ = planted(seed, n_classes=6)
    expected = fit_map(X, y)
    noise = 100 + np.random.default_rng(seed).standard_normal((20, 10)).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(X) + 20)
    found = fit_map(np.concatenate([X, noise])[order], np.concatenate([50 - 7 * y, np.full(20, -1)])[order])
    for array, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(np.abs(other), np.abs(array), atol=1e-3)


@pytest.mark.parametrize(
    "y",
    [[0] * 6 + [1] * 6, list(range(12)), [0, 0, *range(1, 11)], [-1] * 12, [-1] * 11 + [3]],
    ids=["two classes", "all single", "one pair", "no labels", "one label"],
)
def test_identity_where_there_is_nothing_to_learn(y):
    """With too few classes or pairs the map only takes away a finite mean."""
    X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
    y = np.array(y)
    learned = fit_map(X, y)
    np.testing.assert_array_equal(learned.directions, np.eye(4, dtype=np.float32))
    mean = X[y >= 0].mean(axis=0) if (y >= 0).any() else np.zeros(4)
    np.testing.assert_allclose(learned.mean, mean, atol=1e-6)
    np.testing.assert_allclose(apply_map(X, learned), X - mean, atol=1e-6)


@pytest.mark.parametrize("n_features", [3, 60])
def test_degenerate_samples_give_finite_maps(n_features):
    """Constant samples, and more features than samples."""
    y = np.repeat(np.arange(5), 3)
    random = np.random.default_rng(0)
    for X in (np.ones((15, n_features)), random.standard_normal((15, n_features)), np.eye(n_features)[y % 3]):
        learned = fit_map(X.astype(np.float32), y)
        assert all(np.isfinite(array).all() for array in learned)


@pytest.mark.parametrize("n_folds", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_folds_do_not_share_classes(seed, n_folds):
    """Each class is in one fold, folds are about equally large, unlabelled samples are in none."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(random.permutation(40), random.geometric(0.1, 40)))
    y[random.random(len(y)) < 0.1] = -1
    folds = class_folds(y, n_folds, np.random.default_rng(seed))
    np.testing.assert_array_equal(folds == -1, y == -1)
    assert len(set(zip(y, folds, strict=True))) == len(np.unique(y))
    sizes = np.bincount(folds[y >= 0], minlength=n_folds)
    assert len(sizes) == n_folds
    assert sizes.max() - sizes.min() <= np.bincount(y[y >= 0]).max()
    classes = [len(np.unique(y[folds == fold])) for fold in range(n_folds)]
    assert max(classes) - min(classes) <= 1
    np.testing.assert_array_equal(folds, class_folds(y, n_folds, np.random.default_rng(seed)))


def test_folds_are_drawn_at_random():
    """Another generator deals classes of equal size out in another way."""
    y = np.repeat(np.arange(20), 3)
    first, second = (class_folds(y, 4, np.random.default_rng(seed)) for seed in (0, 1))
    assert (first != second).any()
    assert class_folds(np.full(3, -1), 2, np.random.default_rng(0)).tolist() == [-1, -1, -1]


def test_folds_are_balanced():
    """Large and small classes are dealt out in turn, forwards and backwards."""
    y = np.repeat(np.arange(6), [40, 30, 20, 15, 5, 10])
    folds = class_folds(y, 2, np.random.default_rng(0))
    assert sorted(np.bincount(folds).tolist()) == [55, 65]
    folds = class_folds(y[y < 4], 2, np.random.default_rng(0))
    assert sorted(np.bincount(folds).tolist()) == [50, 55]
