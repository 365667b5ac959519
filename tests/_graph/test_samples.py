"""Tests of distinct samples."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._graph._samples import aggregate_labels, class_codes, distinct_samples, graph_samples

SEEDS = [0, 1, 2]
METRICS = ["cosine", "euclidean"]


def repetitive(seed, n_samples=300, n_features=3):
    """Rows of few values, so that many are equal; none is zero."""
    return np.random.default_rng(seed).integers(1, 4, (n_samples, n_features)).astype(np.float32)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_distinct_row_is_kept_once(seed):
    """Rows, inverse and counts are those of a dictionary of rows."""
    X = repetitive(seed)
    samples = distinct_samples(X, "euclidean")
    slow = Counter(map(tuple, X.tolist()))
    assert len(samples.rows) == len(slow)
    assert dict(zip(map(tuple, samples.rows.tolist()), samples.counts.tolist(), strict=True)) == slow
    np.testing.assert_array_equal(samples.rows[samples.inverse], X)


@pytest.mark.parametrize("seed", SEEDS)
def test_cosine_keeps_directions(seed):
    """Rows have length one, and rows that differ by length only are the same sample."""
    X = np.random.default_rng(seed).standard_normal((100, 5)).astype(np.float32)
    samples = distinct_samples(np.concatenate([X, 4 * X, X / 8]), "cosine")
    assert len(samples.rows) == 100
    assert (samples.counts == 3).all()
    np.testing.assert_allclose(np.linalg.norm(samples.rows, axis=1), 1, rtol=1e-6)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(samples.rows[samples.inverse[:100]], unit, rtol=1e-5)
    np.testing.assert_array_equal(samples.inverse[:100], samples.inverse[200:])


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_cosine_of_extreme_lengths(scale):
    """Squares of float32 values neither vanish nor overflow on the way to a row's length."""
    X = np.array([[3.0, 4.0], [4.0, -3.0]]) * scale
    samples = distinct_samples(X, "cosine")
    np.testing.assert_allclose(samples.rows[samples.inverse], [[0.6, 0.8], [0.8, -0.6]], rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_rows_changes_only_the_inverse(seed, metric):
    """A permutation of X permutes the inverse and leaves rows and counts in place."""
    X = repetitive(seed)
    order = np.random.default_rng(seed).permutation(len(X))
    samples, permuted = distinct_samples(X, metric), distinct_samples(X[order], metric)
    np.testing.assert_array_equal(permuted.rows, samples.rows)
    np.testing.assert_array_equal(permuted.counts, samples.counts)
    np.testing.assert_array_equal(permuted.inverse, samples.inverse[order])


def test_order_does_not_depend_on_other_rows():
    """Distinct rows stand in the same order whatever other rows are there."""
    X = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    kept = distinct_samples(X, "euclidean").rows.tolist()
    fewer = distinct_samples(X[:20], "euclidean").rows.tolist()
    assert [row for row in kept if row in fewer] == fewer


@pytest.mark.parametrize("max_copies", [1, 2, 5, 1000])
@pytest.mark.parametrize("seed", SEEDS)
def test_few_copies_are_kept(seed, max_copies):
    """Copies stand side by side; the first of them speaks for all, and all have the same label."""
    X = repetitive(seed)
    samples, distinct = distinct_samples(X, "euclidean", max_copies), distinct_samples(X, "euclidean")
    kept = np.minimum(distinct.counts, max_copies)
    np.testing.assert_array_equal(samples.rows, np.repeat(distinct.rows, kept, axis=0))
    np.testing.assert_array_equal(samples.rows[samples.inverse], X)
    first = np.concatenate([[0], np.cumsum(kept)[:-1]])
    np.testing.assert_array_equal(samples.inverse, first[distinct.inverse])
    np.testing.assert_array_equal(samples.counts[first], distinct.counts)
    assert samples.counts.sum() == len(X)
    y = np.random.default_rng(seed).integers(-1, 3, len(X))
    np.testing.assert_array_equal(
        aggregate_labels(y, samples), np.repeat(aggregate_labels(y, distinct), kept)
    )
    permuted = distinct_samples(X[::-1], "euclidean", max_copies)
    np.testing.assert_array_equal(permuted.rows, samples.rows)
    np.testing.assert_array_equal(permuted.inverse, samples.inverse[::-1])


@pytest.mark.parametrize("metric", METRICS)
def test_negative_zero_is_zero(metric):
    """Rows that differ by the sign of a zero are equal."""
    samples = distinct_samples(np.array([[0.0, 1.0], [-0.0, 1.0]]), metric)
    assert len(samples.rows) == 1
    assert samples.inverse.tolist() == [0, 0]


def test_zero_row_has_no_direction():
    """A zero row is an error for cosine, which names the row, and a sample for euclidean."""
    X = np.ones((5, 2))
    X[3] = 0
    with pytest.raises(ValueError, match=r"1 rows of length zero \(the first is row 3\)"):
        distinct_samples(X, "cosine")
    assert len(distinct_samples(X, "euclidean").rows) == 2


GRIDS = {
    "binary": np.array(list(product([0, 1], repeat=14))),
    "signs": np.array(list(product([-1, 1], repeat=13))),
    "integers": np.array(list(product(range(13), repeat=4))),
    "powers of two": 2.0 ** np.array(list(product(range(-6, 7), repeat=3))),
    "one hot": np.eye(600),
    "counting": np.arange(40_000.0)[:, None],
    "next to each other": np.float32(1) + np.arange(20_000)[:, None] * np.finfo(np.float32).eps,
    "orders of one row": np.array(list(product(range(1, 5), repeat=6))),
}


@pytest.mark.parametrize("name", GRIDS)
def test_regular_data_do_not_collide(name):
    """Distinct rows of round numbers, over several blocks of hashing, stay distinct."""
    X = GRIDS[name].astype(np.float32)
    samples = distinct_samples(X, "euclidean")
    assert len(samples.rows) == len(X)
    np.testing.assert_array_equal(samples.rows[samples.inverse], X)


def test_signs_do_not_collide():
    """Values that differ in the highest of 32 bits only use all 64 bits of the hash."""
    X = 1 - 2 * np.random.default_rng(0).integers(0, 2, (2**18, 48), dtype=np.int8)
    assert len(np.unique(np.packbits(X > 0, axis=1).view("V6"))) == len(X)
    assert len(distinct_samples(X, "euclidean").rows) == len(X)


@pytest.mark.parametrize("metric", METRICS)
def test_kind_of_array_does_not_matter(metric):
    """Other dtypes, memory orders and strides of the same values give the same samples."""
    base = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float16)
    X = base.astype(np.float32)
    expected = distinct_samples(X, metric)
    strided = np.zeros((120, 16), np.float32)
    strided[::2, ::2] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    for other in (base, X.astype(np.float64), np.asfortranarray(X), strided[::2, ::2], read_only):
        samples = distinct_samples(other, metric)
        assert samples.rows.dtype == np.float32
        assert samples.rows.flags.c_contiguous
        for got, wanted in zip(samples, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("metric", METRICS)
def test_input_is_left_alone(metric):
    """X, float32 and contiguous, is not written to."""
    X = np.random.default_rng(0).standard_normal((20, 3)).astype(np.float32)
    before = X.copy()
    distinct_samples(X, metric)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_copies_are_put_to_the_vote(seed):
    """The most frequent label wins, the lower code among equals; -1 does not vote."""
    X = repetitive(seed, n_samples=150)
    samples = distinct_samples(X, "euclidean")
    y = np.random.default_rng(seed).integers(-1, 3, len(X))
    expected = []
    for number in range(len(samples.rows)):
        votes = Counter(y[(samples.inverse == number) & (y >= 0)].tolist())
        expected.append(min(votes, key=lambda code: (-votes[code], code)) if votes else -1)
    assert aggregate_labels(y, samples).tolist() == expected


def test_labels_by_hand():
    """Majority, tie, minority of labelled copies, and no label at all."""
    X = np.repeat(np.arange(1.0, 5.0), 4)[:, None]
    y = np.array([7, 7, 2, -1, 9, 4, 4, 9, -1, -1, -1, 5, -1, -1, -1, -1])
    samples = distinct_samples(X, "euclidean")
    labels = aggregate_labels(y, samples)
    assert labels[samples.inverse[::4]].tolist() == [7, 4, 5, -1]
    assert aggregate_labels(np.full(16, -1), samples).tolist() == [-1] * 4


@pytest.mark.parametrize("classes", [[3, 7, 20], [-5, 0, 2], ["a", "b", "c"], [0.5, 1.0, 2.5]])
def test_class_codes(classes):
    """Codes number the sorted classes of any type, -1 alone is unlabelled."""
    number = np.random.default_rng(0).permutation(np.repeat(np.arange(-1 * (classes[0] != "a"), 3), 4))
    y = np.array([-1 if code < 0 else classes[code] for code in number])
    found, codes = class_codes(y)
    assert found.tolist() == classes
    np.testing.assert_array_equal(codes, number)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
@pytest.mark.parametrize("seed", SEEDS)
def test_graphs_become_symmetric_similarities(seed, metric, sparse):
    """Each link stands in both directions, at the higher similarity; a distance of zero is a link."""
    random = np.random.default_rng(seed)
    values, linked = random.random((12, 12)), random.random((12, 12)) < (0.3 if sparse else 1)
    values[2, 5], linked[2, 5] = 0, True
    rows, cols = np.nonzero(linked)
    X = sp.csr_array((values[rows, cols], (rows, cols)), shape=(12, 12)) if sparse else values
    samples = graph_samples(X, metric)
    off = linked & ~np.eye(12, dtype=bool) & ((values > 0) | (metric == "precomputed"))
    similarity = values
    if metric == "precomputed":
        similarity = np.exp(-(values**2) / (2 * np.median(values[off] ** 2)))
    one_way = np.where(off, np.maximum(similarity, np.finfo(np.float32).tiny), 0)
    np.testing.assert_allclose(samples.rows.toarray(), np.maximum(one_way, one_way.T), rtol=1e-6)
    assert samples.rows.nnz == (off | off.T).sum()
    assert samples.rows.dtype == np.float32
    assert samples.inverse.tolist() == list(range(12))
    assert samples.counts.tolist() == [1] * 12


def test_impossible_graphs():
    """Negative distances and affinities above one are errors that name the other kind of graph."""
    X = np.array([[0, 2.0], [-1, 0]])
    with pytest.raises(ValueError, match=r'Negative values in data.*-1.*"precomputed_affinity"'):
        graph_samples(X, "precomputed")
    with pytest.raises(ValueError, match=r'affinity above 1 \(2\).*"precomputed"'):
        graph_samples(X, "precomputed_affinity")
    assert graph_samples(np.zeros((3, 3)), "precomputed").rows.toarray().max() == 1
    assert graph_samples(sp.csr_array((3, 3)), "precomputed").rows.nnz == 0
