"""Tests of dissimilarities."""

import numpy as np
import pytest

from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of, stored, typical_distance


def test_cosine():
    """Half the squared distance of unit rows is one less their cosine, held within [0, 2]."""
    random = np.random.default_rng(0)
    rows = random.standard_normal((2, 50, 6))
    left, right = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    distances = ((left - right) ** 2).sum(axis=1)
    expected = 1 - (left * right).sum(axis=1)
    np.testing.assert_allclose(dissimilarities_of(distances, "cosine"), expected, atol=1e-6)
    assert dissimilarities_of(np.float32([[-1e-6, 4.1]]), "cosine").tolist() == [[0, 2]]


@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1, 1024, 1e150])
def test_euclidean(scale):
    """It grows from 0 to 1 with the distance, and does not depend on the unit of the data."""
    distances = np.sort(np.random.default_rng(0).chisquare(3, (40, 9)), axis=1)
    near = dissimilarities_of(distances, "euclidean")
    np.testing.assert_allclose(dissimilarities_of(scale * distances, "euclidean"), near, rtol=1e-5)
    np.testing.assert_allclose(near, 1 - np.exp(-distances / np.median(distances) / 2), rtol=1e-5)
    assert near.dtype == np.float32
    assert (np.diff(near, axis=1) >= 0).all()


def test_unit_of_others():
    """Distances may be measured by what is typical among others."""
    distances = np.random.default_rng(0).chisquare(3, (40, 9))
    typical = typical_distance(distances)
    near = dissimilarities_of(distances, "euclidean")
    np.testing.assert_array_equal(dissimilarities_of(distances[3:5], "euclidean", typical), near[3:5])
    assert typical_distance(np.float32([0, 0, 0, 4])) == 4


def test_close_neighbors_are_told_apart():
    """Distances of a millionth of the typical one keep all their digits."""
    distances = np.append(np.full(9, 1.0), [1e-12, 2e-12])
    close = dissimilarities_of(distances, "euclidean")[-2:]
    np.testing.assert_allclose(close, [0.5e-12, 1e-12], rtol=1e-5)


def test_copies():
    """Where most distances are zero, the median is that of the others; where all are, so is the result."""
    assert dissimilarities_of(np.zeros((3, 2), np.float32), "euclidean").tolist() == [[0, 0]] * 3
    copies = np.float32([[0, 0, 4], [0, 0, 4], [0, 0, 4]])
    np.testing.assert_allclose(dissimilarities_of(copies, "euclidean")[:, 2], 1 - np.exp(-0.5), rtol=1e-6)
    assert dissimilarities_of(np.zeros((3, 0)), "euclidean").shape == (3, 0)


def test_stored_values_are_not_zero():
    """Zeros become the smallest positive number, all else stays."""
    values = stored(np.array([0.0, 0.5, -0.5, 0]))
    assert (values != 0).all()
    np.testing.assert_allclose(values, [0, 0.5, -0.5, 0], atol=1e-30)
