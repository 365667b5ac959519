"""Tests of links between samples."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._graph._links import link, list_means, spread_of, strongest

SEEDS = [0, 1, 2]


def random_lists(seed, n_samples=40, n_neighbors=6):
    """Neighbour lists of points on a plane, nearest first, and their distances."""
    points = np.random.default_rng(seed).standard_normal((n_samples, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    neighbors = np.argsort(distances, axis=1)[:, :n_neighbors].astype(np.int32)
    return neighbors, np.take_along_axis(distances, neighbors, axis=1).astype(np.float32)


def slow_links(neighbors, dissimilarities):
    """Dictionary of pairs: dissimilarity, and the place of each end in the other's list."""
    found = {}
    for i, listed in enumerate(neighbors.tolist()):
        for place, j in enumerate(listed):
            pair = (min(i, j), max(i, j))
            lengths = [sum(k != end for k in neighbors[end].tolist()) for end in pair]
            entry = found.setdefault(pair, [dissimilarities[i, place], lengths])
            entry[1][0 if i < j else 1] = place
    return found


@pytest.mark.parametrize("n_neighbors", [1, 6, 39])
@pytest.mark.parametrize("seed", SEEDS)
def test_links_equal_a_loop_over_the_lists(seed, n_neighbors):
    """Pairs in ascending order, each once, with their dissimilarity and both ranks."""
    neighbors, dissimilarities = random_lists(seed, n_neighbors=n_neighbors)
    links = link(neighbors, dissimilarities)
    slow = slow_links(neighbors, dissimilarities)
    assert list(zip(links.rows.tolist(), links.cols.tolist(), strict=True)) == sorted(slow)
    for number, pair in enumerate(sorted(slow)):
        assert links.dissimilarity[number] == slow[pair][0]
        assert links.ranks[:, number].tolist() == slow[pair][1]
    np.testing.assert_array_equal(links.neighbors, neighbors)
    np.testing.assert_array_equal(links.dissimilarities, dissimilarities)
    assert (links.lengths == n_neighbors).all()


def test_links_by_hand():
    """Mutual neighbours are one link with two ranks; one-sided ones rank behind the list."""
    neighbors = np.array([[1, 2], [0, 2], [1, 0], [2, 0]], dtype=np.int32)
    dissimilarities = np.array([[0.1, 0.3], [0.1, 0.5], [0.5, 0.3], [0.2, 0.9]], dtype=np.float32)
    links = link(neighbors, dissimilarities)
    assert links.rows.tolist() == [0, 0, 0, 1, 2]
    assert links.cols.tolist() == [1, 2, 3, 2, 3]
    assert links.dissimilarity.tolist() == np.float32([0.1, 0.3, 0.9, 0.5, 0.2]).tolist()
    assert links.ranks.tolist() == [[0, 1, 2, 1, 2], [0, 1, 1, 0, 0]]


@pytest.mark.parametrize("seed", SEEDS)
def test_matrix_holds_each_value_twice(seed):
    """The matrix is symmetric, with the values of the links and nothing else."""
    links = link(*random_lists(seed))
    values = np.random.default_rng(seed).standard_normal(len(links.rows)).astype(np.float32)
    matrix = links.matrix(values)
    dense = np.zeros((40, 40), np.float32)
    dense[links.rows, links.cols] = values
    dense[links.cols, links.rows] = values
    assert matrix.dtype == np.float32
    assert matrix.has_canonical_format
    np.testing.assert_array_equal(matrix.toarray(), dense)


@pytest.mark.parametrize("seed", SEEDS)
def test_pattern_does_not_depend_on_values(seed):
    """Zeros, negative values and values that cancel stay in the matrix."""
    links = link(*random_lists(seed))
    n_links = len(links.rows)
    some_zeros = np.random.default_rng(seed).integers(-1, 2, n_links).astype(np.float32)
    expected = links.matrix(np.ones(n_links, np.float32))
    assert expected.nnz == 2 * n_links
    for values in (np.zeros(n_links, np.float32), -np.ones(n_links, np.float32), some_zeros):
        matrix = links.matrix(values)
        np.testing.assert_array_equal(matrix.indptr, expected.indptr)
        np.testing.assert_array_equal(matrix.indices, expected.indices)
        np.testing.assert_allclose(matrix.toarray()[links.rows, links.cols], values, atol=1e-30)
        assert (matrix.data != 0).all()
        assert (matrix != matrix.T).nnz == 0


def test_samples_that_nobody_lists():
    """A matrix has a row for every sample, at the end and in the middle, however few links it has."""
    neighbors = np.array([[1], [0], [0], [1], [0]], dtype=np.int32)
    links = link(neighbors, np.full((5, 1), 0.5, np.float32))
    matrix = links.matrix(links.dissimilarity)
    assert matrix.shape == (5, 5)
    assert np.diff(matrix.indptr).tolist() == [3, 2, 1, 1, 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sample_in_its_own_list_is_no_link(seed):
    """Lists of different lengths, filled up with the sample itself, give the links of the rest."""
    neighbors, dissimilarities = random_lists(seed)
    lengths = np.random.default_rng(seed).integers(0, 7, 40)
    gap = np.arange(6) >= lengths[:, None]
    neighbors = np.where(gap, np.arange(40)[:, None], neighbors).astype(np.int32)
    links = link(neighbors, np.where(gap, 0, dissimilarities).astype(np.float32))
    slow = {
        pair: entry for pair, entry in slow_links(neighbors, dissimilarities).items() if pair[0] != pair[1]
    }
    assert list(zip(links.rows.tolist(), links.cols.tolist(), strict=True)) == sorted(slow)
    assert links.dissimilarity.tolist() == [slow[pair][0] for pair in sorted(slow)]
    assert links.ranks.T.tolist() == [slow[pair][1] for pair in sorted(slow)]
    assert links.matrix(links.dissimilarity).diagonal().max() == 0
    # Gaps repeat the last value before them; an empty list is as far away as any neighbour is.
    np.testing.assert_array_equal(links.lengths, lengths)
    for length, filled, given in zip(lengths, links.dissimilarities, dissimilarities, strict=True):
        last = given[length - 1] if length else dissimilarities[~gap].max()
        assert filled.tolist() == [*given[:length], *[last] * (6 - length)]


@pytest.mark.parametrize("depth", [1, 3, 10, None])
@pytest.mark.parametrize("seed", SEEDS)
def test_means_over_lists_leave_gaps_out(seed, depth):
    """Means of the first neighbours, and level and spread of all, are those of a loop over what is there."""
    neighbors, dissimilarities = random_lists(seed)
    lengths = np.random.default_rng(seed).integers(0, 7, 40)
    assert (lengths == 0).any()
    gap = np.arange(6) >= lengths[:, None]
    links = link(np.where(gap, np.arange(40)[:, None], neighbors).astype(np.int32), dissimilarities)
    everything = dissimilarities[~gap]
    farthest = [everything.max()]  # what an empty list is filled with
    lists = [row[:length][:depth] for row, length in zip(dissimilarities, lengths, strict=True)]
    found = list_means(links.dissimilarities, links.lengths, depth)
    np.testing.assert_allclose(found, [np.mean(row if len(row) else farthest) for row in lists], rtol=1e-5)
    expected = everything.mean(), everything.std()
    assert spread_of(links.dissimilarities, links.lengths) == pytest.approx(expected, rel=1e-5)


def test_lists_without_an_entry():
    """No neighbour at all: nothing is linked, means and spread are zero, and that is no error."""
    neighbors = np.repeat(np.arange(5, dtype=np.int32)[:, None], 3, axis=1)
    links = link(neighbors, np.full((5, 3), 0.5, np.float32))
    assert links.lengths.tolist() == [0] * 5
    assert links.dissimilarities.tolist() == [[0] * 3] * 5
    assert links.rows.shape == links.dissimilarity.shape == (0,)
    assert links.ranks.shape == (2, 0)
    assert links.matrix(links.dissimilarity).nnz == 0
    assert list_means(links.dissimilarities, links.lengths).tolist() == [0] * 5
    assert spread_of(links.dissimilarities, links.lengths) == (0, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n_neighbors", [1, 4, 30])
@pytest.mark.parametrize("seed", SEEDS)
def test_strongest_equals_sorting(seed, n_neighbors, sign):
    """The heaviest entries of each row, heaviest first, filled up with the row itself at weight zero."""
    random = np.random.default_rng(seed)
    dense = (sign * random.random((25, 25)) * (random.random((25, 25)) < 0.25)).astype(np.float32)
    np.fill_diagonal(dense, 0)
    dense[3] = 0
    indices, weights = strongest(sp.csr_array(dense), n_neighbors)
    assert indices.shape == weights.shape == (25, n_neighbors)
    assert (indices.dtype, weights.dtype) == (np.int32, np.float32)
    for row in range(25):
        entries = [(value, col) for col, value in enumerate(dense[row].tolist()) if value]
        filled = (sorted(entries, reverse=True) + [(0, row)] * n_neighbors)[:n_neighbors]
        assert indices[row].tolist() == [col for _, col in filled]
        np.testing.assert_array_equal(weights[row], np.float32([value for value, _ in filled]))


def test_some_links():
    """Taking links keeps the lists, and what is left is as before."""
    random = np.random.default_rng(0)
    neighbors = np.stack([random.permutation(np.delete(np.arange(30), i))[:6] for i in range(30)]).astype(
        np.int32
    )
    links = link(neighbors, np.sort(random.random((30, 6)).astype(np.float32)))
    kept = np.flatnonzero(links.dissimilarity > 0.5)
    some = links.take(kept)
    dense = links.matrix(links.dissimilarity).toarray()
    np.testing.assert_array_equal(some.matrix(some.dissimilarity).toarray(), np.where(dense > 0.5, dense, 0))
    np.testing.assert_array_equal(some.ranks, links.ranks[:, kept])
    assert some.neighbors is links.neighbors
