"""Tests of the room that samples take, beside pairs that are measured one by one."""

from itertools import combinations

import numpy as np
import pytest

from sklearn_gcncluster._arrays import pair_products
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._links import link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._graph._room import N_LENGTHS, LengthFeatures, room_of


def links_of(X, n_neighbors):
    """Links of the nearest neighbours of rows."""
    neighbors, distances = nearest_neighbors(X, n_neighbors, metric="euclidean")
    return link(neighbors, dissimilarities_of(distances, "euclidean"))


def samples(n_samples=300, n_features=12, offset=0.0):
    """Rows around some place."""
    random = np.random.default_rng(0)
    return (offset + random.normal(size=(n_samples, n_features))).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scatter_is_half_of_what_pairs_are_apart(dtype):
    """Mean squared distance from the mean, and so half of that between two samples drawn at random."""
    X = samples(60, offset=3).astype(dtype)
    room = room_of(X)
    apart = [((X[i].astype(float) - X[j]) ** 2).sum() for i, j in combinations(range(60), 2)]
    assert room.scatter == pytest.approx(np.sum(apart) / 60**2, rel=1e-2 if dtype == np.float16 else 1e-5)
    np.testing.assert_allclose(room.squares, ((X.astype(float) - X.mean(axis=0)) ** 2).sum(axis=1), rtol=2e-2)


@pytest.mark.parametrize("n_used", [1, 3, 12])
@pytest.mark.parametrize("n_samples", [8, 5000])
def test_dimensions_are_those_in_use(n_used, n_samples):
    """Directions without scatter do not count; nor do more than samples can span."""
    X = samples(n_samples, n_used) @ np.linalg.qr(samples(12, 12))[0][:n_used]
    dimensions = room_of(X).dimensions
    assert dimensions <= min(n_used, n_samples - 1) + 1e-3
    if n_samples > 100:
        assert dimensions == pytest.approx(n_used, rel=0.02)


def test_common_is_what_the_mean_holds_of_all_squares():
    """None around the origin, and nearly everything far from it."""
    assert room_of(samples(5000)).common == pytest.approx(0, abs=1e-3)
    assert room_of(samples(5000, offset=1)).common == pytest.approx(0.5, abs=0.02)
    assert room_of(samples(5000, offset=100)).common == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("rows", [np.zeros((1, 3)), np.ones((5, 3)), np.eye(2)])
def test_few_or_equal_samples_have_a_room(rows):
    """Nothing is divided by zero."""
    room = room_of(rows.astype(np.float32))
    assert np.isfinite([room.scatter, room.dimensions, room.common]).all()
    assert np.isfinite(room.log_share(np.array([0.0, 1.0]))).all()


def test_lengths_of_links_are_shares_of_the_scatter():
    """Each link's squared distance against that of all pairs on average; and the dimensions."""
    X = samples(80, offset=2)
    links, room = links_of(X, 6), room_of(X)
    centred = X - X.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = pair_products(unit, unit, links.rows, links.cols)
    found = LengthFeatures(links, cosine, room)(np.arange(len(links.rows)))
    assert found.shape == (len(links.rows), N_LENGTHS)
    assert found.dtype == np.float32
    for (length, dimensions), row, col in zip(found, links.rows, links.cols, strict=True):
        squared = ((X[row].astype(float) - X[col]) ** 2).sum()
        assert length == pytest.approx(np.log(squared / (2 * room.scatter) + 1e-3), abs=1e-3)
        assert dimensions == pytest.approx(np.log(room.dimensions))
    some = LengthFeatures(links, cosine, room)(np.array([3, 7]))
    np.testing.assert_array_equal(some, found[[3, 7]])


def test_lengths_do_not_depend_on_scale_or_place():
    """The same samples elsewhere, ten times as large."""
    X = samples(80)
    links = links_of(X, 6)

    def lengths(rows):
        centred = rows - rows.mean(axis=0)
        unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        cosine = pair_products(unit, unit, links.rows, links.cols)
        return LengthFeatures(links, cosine, room_of(rows))(np.arange(len(links.rows)))

    np.testing.assert_allclose(lengths(10 * X + 30), lengths(X), atol=1e-3)


def test_bare_graphs_have_no_lengths():
    """Zeros, which no link of an embedding of several dimensions has."""
    links = links_of(samples(30), 4)
    found = LengthFeatures(links, 1 - links.dissimilarity, None)(np.arange(5))
    np.testing.assert_array_equal(found, np.zeros((5, N_LENGTHS)))
