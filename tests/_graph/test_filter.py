"""Tests of the search by products of half the digits."""

import warnings

import joblib
import numpy as np
import pytest
import sklearn

from sklearn_gcncluster._graph import _exact, _filter
from sklearn_gcncluster._graph._filter import NO_HALVES, Filter, halves_of
from sklearn_gcncluster._graph._neighbors import nearest_neighbors

SEEDS = [0, 1]


@pytest.fixture(autouse=True)
def on_any_processor(monkeypatch):
    """Let the filter be used here, whether or not it is faster on this processor."""
    monkeypatch.setattr(_filter, "_is_faster", lambda: True)
    monkeypatch.setattr(_filter, "_LEAST_SEARCHED", 10)


def unit_rows(seed, n_rows=1500, n_features=16, spread=1.0):
    """Rows of unit length in thirty directions; the smaller the spread, the nearer to these."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((30, n_features))
    rows = centres[random.integers(30, size=n_rows)] + spread * random.standard_normal((n_rows, n_features))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def slow_neighbors(rows, asked, itself, n_neighbors):
    """Sort all squared distances, in float64."""
    squared = ((asked.astype(np.float64)[:, None] - rows.astype(np.float64)) ** 2).sum(axis=2)
    if itself is not None:
        squared[np.arange(len(asked)), itself] = np.inf
    indices = np.argsort(squared, axis=1)[:, :n_neighbors]
    return indices, np.take_along_axis(squared, indices, axis=1)


@pytest.mark.parametrize("part", [100, 4096])
@pytest.mark.parametrize("seed", SEEDS)
def test_lists_that_are_certain_are_right(seed, part, monkeypatch):
    """What the filter is sure of is what sorted distances say; where data are spread, that is nearly all."""
    monkeypatch.setattr(_filter, "_PART", part)
    rows = unit_rows(seed)
    itself = np.arange(700)
    indices, distances, sure = Filter(rows, *halves_of(rows, "cosine"), 20, len(rows)).search(
        rows[:700], itself
    )
    wanted, squared = slow_neighbors(rows, rows[:700], itself, 20)
    assert sure.mean() > 0.95
    np.testing.assert_array_equal(indices[sure], wanted[sure])
    np.testing.assert_allclose(distances[sure], squared[sure], rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_search_among_some(seed):
    """Among some rows the numbers are those of all; none sees what another search left."""
    rows, asked = unit_rows(seed), unit_rows(seed + 10, n_rows=50)
    search = Filter(rows, *halves_of(rows, "cosine"), 8, 1200)
    for among in (np.arange(0, 1500, 2), np.arange(1, 900, 3), np.arange(400, 1500)):
        indices, distances, sure = search.search(asked, None, among)
        wanted, squared = slow_neighbors(rows[among], asked, None, 8)
        assert sure.mean() > 0.9
        np.testing.assert_array_equal(indices[sure], among[wanted][sure])
        np.testing.assert_allclose(distances[sure], squared[sure], rtol=1e-5)


@pytest.mark.parametrize("spread", [3e-4, 3e-3, 0.03])
@pytest.mark.parametrize("seed", SEEDS)
def test_rows_too_near_for_the_filter(seed, spread):
    """Nothing wrong is certain where half the digits do not tell rows apart, and few are tried in vain."""
    rows = unit_rows(seed, spread=spread)
    indices, _, sure = Filter(rows, *halves_of(rows, "cosine"), 5, len(rows)).search(
        rows, np.arange(len(rows))
    )
    wanted, _ = slow_neighbors(rows, rows, np.arange(len(rows)), 5)
    np.testing.assert_array_equal(indices[sure], wanted[sure])
    if spread < 0.01:
        assert not sure[512:].any()  # the first block was all in vain


def test_neighbours_in_opposite_directions():
    """Where some that are named lie on the other side, nothing is certain: negative bits are out of order."""
    rows = np.concatenate([unit_rows(0, n_rows=6, spread=0.1), -np.abs(unit_rows(1, n_rows=500))])
    rows[:6] = np.abs(rows[:6])
    indices, _, sure = Filter(rows, *halves_of(rows, "cosine"), 20, len(rows)).search(rows[:6], np.arange(6))
    assert not sure.any()
    indices, distances = nearest_neighbors(rows, 20, algorithm="brute")
    wanted, squared = slow_neighbors(rows, rows, np.arange(len(rows)), 20)
    np.testing.assert_array_equal(indices[:6], wanted[:6])
    np.testing.assert_allclose(distances, squared, atol=1e-5)


@pytest.mark.parametrize("algorithm", ["brute", "cells"])
@pytest.mark.parametrize("asked", ["themselves", "others"])
@pytest.mark.parametrize("spread", [1.0, 0.02])
def test_search_with_and_without_the_filter(algorithm, asked, spread, monkeypatch):
    """Neighbours are the same on processors that use the filter and on those that do not, for any n_jobs."""
    rows = unit_rows(0, n_rows=3000, spread=spread)
    queries = None if asked == "themselves" else unit_rows(0, n_rows=3300, spread=spread)[3000:]
    with joblib.parallel_config("threading"):  # processes would not see what is patched
        found = [nearest_neighbors(rows, 10, queries=queries, algorithm=algorithm, n_jobs=n) for n in (1, 2)]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    monkeypatch.setattr(_filter, "_is_faster", lambda: False)
    indices, distances = nearest_neighbors(rows, 10, queries=queries, algorithm=algorithm)
    np.testing.assert_array_equal(found[0][0], indices)
    np.testing.assert_allclose(found[0][1], distances, atol=1e-6)


def test_what_has_no_halves():
    """Distances that are not angles, and rows of doubles, are searched by products."""
    rows = unit_rows(0)
    assert halves_of(rows, "euclidean") == NO_HALVES
    assert halves_of(rows.astype(np.float64), "cosine") == NO_HALVES
    bits, lost = halves_of(rows, "cosine")
    assert (bits.shape, bits.dtype) == (rows.shape, np.int16)
    halved = (bits.astype(np.int32) << 16).view(np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows - halved, axis=1).max(), lost, rtol=1e-5)
    assert 0 < lost < 2**-8


def test_no_neighbours_are_asked_for():
    """Lists of no length are no error, with a filter and without, nor is a search with nothing asked."""
    rows = unit_rows(0)
    for algorithm in ("brute", "cells"):
        indices, distances = nearest_neighbors(rows, 0, algorithm=algorithm)
        assert indices.shape == distances.shape == (1500, 0)
        indices, distances = nearest_neighbors(rows, 5, queries=rows[:0], algorithm=algorithm)
        assert indices.shape == distances.shape == (0, 5)


def test_one_search_of_all_among_searches_of_some():
    """A cell may hold everyone; others that hold fewer are searched by the same filter."""
    rows, asked = unit_rows(0), unit_rows(10, n_rows=30)
    search = Filter(rows, *halves_of(rows, "cosine"), 8, len(rows))
    for among in (np.arange(1500), np.arange(700), np.arange(1500)):
        indices, _, sure = search.search(asked, None, among)
        assert sure.any()
        np.testing.assert_array_equal(indices[sure], slow_neighbors(rows[among], asked, None, 8)[0][sure])


def test_rows_that_are_searched_again_fit_into_the_memory(monkeypatch):
    """Where the filter is sure of little, no more rows are multiplied at once than the memory holds."""
    rows, seen = unit_rows(0, n_rows=3000, spread=1e-3), []
    by_products = _exact._by_products

    def spy(block, *others):
        seen.append(len(block))
        return by_products(block, *others)

    monkeypatch.setattr(_exact, "_by_products", spy)
    with sklearn.config_context(working_memory=4):  # a quarter of it is 87 rows of products, or 174 of halves
        found = nearest_neighbors(rows, 5, algorithm="brute")
    assert max(seen) <= 87
    assert sum(seen) >= 2500
    np.testing.assert_array_equal(found[0], nearest_neighbors(rows, 5, algorithm="brute")[0])


def test_arrays_that_are_only_to_be_read(tmp_path):
    """A map of a file that must not be written is searched without a warning."""
    np.save(tmp_path / "rows.npy", unit_rows(0))
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    bits, lost = halves_of(rows, "cosine")
    bits.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, _, sure = Filter(rows, bits, lost, 5, len(rows)).search(rows[:50], np.arange(50))
    assert sure.any()
