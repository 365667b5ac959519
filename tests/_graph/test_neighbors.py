"""Tests of neighbour search."""

import numpy as np
import pytest
import torch

from sklearn_gcncluster._graph import _cells, _exact, _neighbors
from sklearn_gcncluster._graph._neighbors import nearest_neighbors, search_recall
from sklearn_gcncluster._graph._samples import distinct_samples

SEEDS = [0, 1]
METRICS = ["cosine", "euclidean"]


def random_rows(seed, metric, n_samples=1100, n_features=6):
    """Rows for more than two blocks of the search; of unit length for cosine."""
    rows = np.random.default_rng(seed).standard_normal((n_samples, n_features)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows


def slow_neighbors(rows, n_neighbors, queries=None):
    """Sort the full matrix of squared distances, in float64."""
    left = (rows if queries is None else queries).astype(np.float64)
    squared = ((left[:, None] - rows[None]) ** 2).sum(axis=2)
    if queries is None:
        np.fill_diagonal(squared, np.inf)
    indices = np.argsort(squared, axis=1)[:, :n_neighbors]
    return indices, np.take_along_axis(squared, indices, axis=1)


def recall(found, wanted):
    """Mean share of the wanted neighbours that were found."""
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, wanted, strict=True)])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_exact_search_equals_the_full_matrix(seed, metric):
    """Neighbours and squared distances are those of a sorted distance matrix, without the sample itself."""
    rows = random_rows(seed, metric)
    indices, distances = nearest_neighbors(rows, 7, metric=metric, algorithm="brute")
    wanted, squared = slow_neighbors(rows, 7)
    assert (indices.dtype, distances.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_allclose(distances, squared, atol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_exact_search_of_queries(seed, metric):
    """Queries find the nearest of all rows, a row that equals the query included."""
    rows = random_rows(seed, metric, n_samples=300)
    queries = np.concatenate([random_rows(seed + 10, metric, n_samples=600), rows[:5]])
    indices, distances = nearest_neighbors(rows, 4, queries=queries, metric=metric)
    wanted, squared = slow_neighbors(rows, 4, queries)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_allclose(distances, squared, atol=1e-5)
    assert indices[-5:, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("metric", METRICS)
def test_all_others_can_be_asked_for(metric):
    """With as many neighbours as there are others, each is listed once."""
    rows = random_rows(0, metric, n_samples=30)
    indices, distances = nearest_neighbors(rows, 29, metric=metric)
    for number, listed in enumerate(indices):
        assert sorted([*listed, number]) == list(range(30))
    assert (np.diff(distances, axis=1) >= 0).all()


DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("asked", ["themselves", "some", "others"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_search_on_a_device(device, asked, metric, dtype, monkeypatch):
    """Where torch makes the products, in blocks of any size, neighbours and distances are the same."""
    monkeypatch.setattr(_exact, "_DEVICE_BLOCK", 50 * 1100 * 4)  # blocks of fifty rows, or of 25
    rows = random_rows(0, metric).astype(dtype)
    rows[7] = rows[900] * dtype(1 + 1e-6)  # so near that products cannot tell
    queries = {"themselves": None, "some": rows[100:330], "others": random_rows(1, metric).astype(dtype)}[
        asked
    ]
    here, there = (
        nearest_neighbors(rows, 7, queries=queries, metric=metric, algorithm="brute", device=one)
        for one in (None, device)
    )
    # To others the two are as near, and which comes first is a matter of rounding.
    np.testing.assert_array_equal(*(np.where(found == 900, 7, found) for found in (there[0], here[0])))
    np.testing.assert_allclose(there[1], here[1], rtol=1e-5, atol=1e-6)
    assert (there[0].dtype, there[1].dtype) == (np.int32, np.float32)


def test_nothing_asked_on_a_device():
    """No query has an empty answer, as elsewhere."""
    rows = random_rows(0, "cosine", n_samples=50)
    for device in (None, "cpu"):
        indices, distances = nearest_neighbors(rows, 4, queries=rows[:0], device=device)
        assert indices.shape == distances.shape == (0, 4)


def without_room(monkeypatch, most_rows):
    """Let products of more rows at once fail as on a full GPU."""
    topk = torch.topk

    def full(values, *given, **named):
        if len(values) > most_rows:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return topk(values, *given, **named)

    monkeypatch.setattr(torch, "topk", full)


def test_device_without_room(monkeypatch):
    """What does not fit there is an error that names two ways out; where nobody asked for it, a warning."""
    rows = random_rows(0, "cosine")
    expected = nearest_neighbors(rows, 7)
    without_room(monkeypatch, 600)  # on the processor blocks have 512
    message = 'no room to compare 1100 samples.*algorithm="cells".*device="cpu"'
    with pytest.raises(MemoryError, match=message):
        nearest_neighbors(rows, 7, algorithm="brute", device="cpu")
    with pytest.warns(UserWarning, match=f"{message}.*on the processor now"):
        found = nearest_neighbors(rows, 7, device="cpu")
    np.testing.assert_array_equal(found[0], expected[0])


def test_more_is_exact_on_a_device(monkeypatch):
    """Beyond what the processor searches exactly, a device still does; its recall is measured."""
    monkeypatch.setattr(_neighbors, "EXACT_UP_TO", 1000)
    rows = random_rows(0, "cosine", n_features=5)
    exact = nearest_neighbors(rows, 10, algorithm="brute")
    found = nearest_neighbors(rows, 10, device="cpu")
    np.testing.assert_array_equal(found[0], exact[0])
    assert search_recall(rows, found[1], algorithm="auto", metric="cosine") == 1.0
    assert search_recall(rows, found[1] + 1, algorithm="auto", metric="cosine") < 0.1
    monkeypatch.setattr(_neighbors, "EXACT_ON_DEVICE", 1000)
    assert (nearest_neighbors(rows, 10, device="cpu")[1] != exact[1]).any()


def test_euclidean_far_from_the_origin():
    """A shift of all samples, large against their distances, changes no neighbours."""
    rows = random_rows(0, "euclidean", n_samples=400)
    queries = random_rows(1, "euclidean", n_samples=100)
    shift = np.float32(2**10)  # the rows themselves lose 10 of 24 bits, squares would lose 20
    near = nearest_neighbors(rows, 10, metric="euclidean")
    far = nearest_neighbors(rows + shift, 10, metric="euclidean")
    assert recall(far[0], near[0]) > 0.99
    np.testing.assert_allclose(far[1], near[1], atol=5e-3)
    near = nearest_neighbors(rows, 10, queries=queries, metric="euclidean")
    far = nearest_neighbors(rows + shift, 10, queries=queries + shift, metric="euclidean")
    assert recall(far[0], near[0]) > 0.99


@pytest.mark.parametrize("algorithm", ["brute", "cells", "hnsw"])
def test_number_of_jobs_changes_nothing(algorithm, monkeypatch):
    """One job and two find the same neighbours at the same distances."""
    monkeypatch.setattr(_exact, "_WORTH_A_WORKER", 0)
    rows = random_rows(0, "cosine", n_features=3)
    one, two = (nearest_neighbors(rows, 5, algorithm=algorithm, n_jobs=n_jobs) for n_jobs in (1, 2))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("algorithm", ["cells", "hnsw"])
@pytest.mark.parametrize("metric", METRICS)
def test_approximate_search_finds_nearly_all(metric, algorithm):
    """Approximate search: recall above .95, right distances, never the sample itself."""
    rows = random_rows(0, metric, n_samples=1500, n_features=16)
    indices, distances = nearest_neighbors(rows, 10, metric=metric, algorithm=algorithm)
    exact, _ = nearest_neighbors(rows, 10, metric=metric, algorithm="brute")
    assert (indices.dtype, distances.dtype) == (np.int32, np.float32)
    assert recall(indices, exact) > 0.95
    assert (indices != np.arange(len(rows))[:, None]).all()
    assert (np.diff(distances, axis=1) >= 0).all()
    squared = ((rows[:, None] - rows[indices]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances, squared, rtol=1e-5, atol=1e-5)


def test_hnsw_queries():
    """Queries may find themselves among the rows, and lists are as long as asked for."""
    rows = random_rows(0, "cosine", n_samples=1000, n_features=16)
    indices, _ = nearest_neighbors(rows, 10, queries=rows[:200], algorithm="hnsw")
    exact, _ = nearest_neighbors(rows, 10, queries=rows[:200], algorithm="brute")
    assert indices.shape == (200, 10)
    assert recall(indices, exact) > 0.95
    assert (indices[:, 0] == np.arange(200)).mean() > 0.95


def test_hnsw_twice_is_identical():
    """The same seed builds the same graph; another seed builds another one."""
    rows = random_rows(0, "cosine", n_samples=3000, n_features=128)  # hard enough to miss some neighbours
    first, second, other = (
        nearest_neighbors(rows, 10, algorithm="hnsw", random_state=seed)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("algorithm", ["brute", "cells", "hnsw"])
def test_duplicates_by_the_thousand(algorithm):
    """Samples with a thousand copies each neither fill the lists nor hide the others."""
    rows = random_rows(0, "cosine", n_samples=1000, n_features=8)
    samples = distinct_samples(np.concatenate([rows, np.repeat(rows[:5], 1000, axis=0)]), "cosine")
    assert len(samples.rows) == 1000
    indices, distances = nearest_neighbors(samples.rows, 10, algorithm=algorithm)
    assert recall(indices, slow_neighbors(samples.rows, 10)[0]) > 0.95
    assert (distances > 0).all()


def test_auto_is_exact_up_to_a_size(monkeypatch):
    """Few samples are searched exactly, many by cells."""
    rows = random_rows(0, "cosine", n_samples=1500, n_features=5)
    exact, approximate = (nearest_neighbors(rows, 10, algorithm=name)[1] for name in ("brute", "cells"))
    assert (exact != approximate).any()
    np.testing.assert_array_equal(nearest_neighbors(rows, 10)[1], exact)
    monkeypatch.setattr(_neighbors, "EXACT_UP_TO", 1499)
    np.testing.assert_array_equal(nearest_neighbors(rows, 10)[1], approximate)


@pytest.mark.parametrize("metric", METRICS)
def test_cells_search_a_part(metric, monkeypatch):
    """Cells compare far fewer pairs than all, and still find as many neighbours as they are meant to."""
    rows = random_rows(0, metric, n_samples=2000, n_features=4)
    exact, _ = nearest_neighbors(rows, 5, metric=metric, algorithm="brute")
    compared, search = [], _cells.search_exactly

    def counted(rows, asked, *arguments, **keywords):
        compared.append(len(rows) * len(asked))
        return search(rows, asked, *arguments, **keywords)

    monkeypatch.setattr(_cells, "search_exactly", counted)
    monkeypatch.setattr(_cells, "_ASKED", 100)
    indices, _ = nearest_neighbors(rows, 5, metric=metric, algorithm="cells")
    assert sum(compared) < 0.4 * len(rows) ** 2
    assert recall(indices, exact) > _cells.TARGET_RECALL - 0.03


def test_cells_of_queries():
    """Queries find themselves among the rows, and nearly all that is near."""
    rows = random_rows(0, "cosine", n_samples=2000, n_features=4)
    queries = np.concatenate([rows[:300], random_rows(3, "cosine", n_samples=100, n_features=4)])
    indices, distances = nearest_neighbors(rows, 10, queries=queries, algorithm="cells")
    exact, squared = slow_neighbors(rows, 10, queries)
    assert (indices[:300, 0] == np.arange(300)).all()
    assert recall(indices, exact) > 0.93
    right = indices == exact
    np.testing.assert_allclose(distances[right], squared[right], atol=1e-5)


def test_cells_too_small_for_a_list_are_left_for_exact_search(monkeypatch):
    """Lists are full and right even where a cell holds fewer rows than neighbours are asked for."""
    rows = random_rows(0, "euclidean", n_samples=800, n_features=2)
    rows[:12] = rows[:12] / 100 + [[40, 40]]  # far from all others, with few about them
    monkeypatch.setattr(_cells, "_LEAST_FOUND", 0.5)
    indices, _ = nearest_neighbors(rows, 30, metric="euclidean", algorithm="cells")
    assert (indices >= 0).all()
    assert all(len(set(one)) == 30 for one in indices)
    assert recall(indices[:12], slow_neighbors(rows, 30)[0][:12]) == 1


def test_cells_depend_on_the_seed_alone():
    """The same seed, the same lists; another seed makes other cells."""
    rows = random_rows(0, "cosine", n_samples=1500, n_features=5)
    first, second, other = (
        nearest_neighbors(rows, 10, algorithm="cells", random_state=seed)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize("with_queries", [False, True])
def test_recall_is_that_of_all_rows(with_queries):
    """The estimate is near the true share; of exact search it is 1."""
    rows = random_rows(0, "cosine", n_samples=1000, n_features=16)
    queries = random_rows(5, "cosine", n_samples=900, n_features=16) if with_queries else None
    _, distances = nearest_neighbors(rows, 10, queries=queries, algorithm="brute")
    settings = {"queries": queries, "metric": "cosine"}
    assert search_recall(rows, distances, algorithm="cells", **settings) == 1
    poor = distances.copy()
    lost = np.random.default_rng(0).random(poor.shape) < 0.3
    poor[lost] = 5  # in place of a neighbour stands one that is far
    assert search_recall(rows, poor, algorithm="hnsw", **settings) == pytest.approx(1 - lost.mean(), abs=0.03)
    assert search_recall(rows, poor, algorithm="brute", **settings) == 1


class LossyIndex:
    """hnswlib's index that loses some rows: they do not find themselves, or no list at all."""

    def __init__(self, index, lost, too_few):
        self._index, self._lost, self._too_few = index, lost, too_few

    def __getattr__(self, name):
        return getattr(self._index, name)

    def knn_query(self, rows, k, num_threads):
        """Lists of rows, but of those that are lost."""
        if self._too_few:
            raise RuntimeError("Cannot return the results in a contiguous 2D array.")
        indices, distances = self._index.knn_query(rows, k=k, num_threads=num_threads)
        indices[self._lost] = (indices[self._lost][:, :1] + 500 + np.arange(k)) % len(rows)
        return indices, distances


@pytest.mark.parametrize("too_few", [False, True])
def test_unreachable_rows_are_searched_exactly(monkeypatch, too_few):
    """Rows that hnswlib does not find, and lists that it cannot fill, come from exact search."""
    import hnswlib

    rows = random_rows(0, "cosine", n_samples=1500, n_features=8)
    lost = np.arange(3, 1500, 100)
    index = hnswlib.Index
    monkeypatch.setattr(hnswlib, "Index", lambda **how: LossyIndex(index(**how), lost, too_few))
    indices, distances = nearest_neighbors(rows, 10, algorithm="hnsw")
    wanted, squared = slow_neighbors(rows, 10)
    np.testing.assert_array_equal(indices[lost], wanted[lost])
    np.testing.assert_allclose(distances[lost], squared[lost], atol=1e-5)
    assert recall(indices, wanted) > 0.98


def two_towns(dtype):
    """Small groups in two places far from each other: neighbours at a millionth of the largest distance."""
    random = np.random.default_rng(0)
    places = np.concatenate([random.random((10, 2)), [5e6, 0] + random.random((10, 2))]) * [1, 300]
    return (places[np.arange(200) % 20] + 0.01 * random.standard_normal((200, 2))).astype(dtype)


def nearly_parallel():
    """Rows of unit length whose cosines are all 1 in single precision."""
    random = np.random.default_rng(0)
    rows = 300 + 0.1 * random.standard_normal((20, 32))[np.arange(300) % 20]
    rows = rows + 0.01 * random.standard_normal((300, 32))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ("rows", "metric"),
    [(two_towns(np.float64), "euclidean"), (nearly_parallel(), "cosine"), (nearly_parallel(), "euclidean")],
    ids=["towns", "parallel", "parallel, euclidean"],
)
def test_exact_search_where_squares_cancel(rows, metric):
    """Neighbours and their distances are those of differences, however small beside the largest distance."""
    indices, distances = nearest_neighbors(rows, 7, metric=metric, algorithm="brute")
    wanted, squared = slow_neighbors(rows, 7)
    np.testing.assert_allclose(distances, squared, rtol=1e-4)
    # Where two are equally far up to rounding, their order is open.
    apart = rows[:, None].astype(np.float64) - rows[indices]
    np.testing.assert_allclose((apart**2).sum(axis=2), squared, rtol=1e-4)
    assert (indices == wanted).mean() > 0.995
    some = nearest_neighbors(rows, 7, queries=rows[:50] + 0, metric=metric, algorithm="brute")
    assert (some[0][:, 0] == np.arange(50)).all()
    np.testing.assert_allclose(some[1][:, 1:], squared[:50, :6], rtol=1e-4)
