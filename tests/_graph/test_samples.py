"""Tests of distinct samples."""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from sklearn_gcncluster._graph._samples import aggregate_labels, comparable_rows, distinct_samples

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
    kept = X[samples.kept]
    assert dict(zip(map(tuple, kept.tolist()), samples.counts.tolist(), strict=True)) == slow
    np.testing.assert_array_equal(kept[samples.inverse], X)
    np.testing.assert_allclose(samples.original_rows(), kept, rtol=1e-14)
    assert samples.n_distinct == len(slow)


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
    assert samples.original_rows() is samples.rows
    np.testing.assert_array_equal(samples.inverse[:100], samples.inverse[200:])


@pytest.mark.parametrize("scale", [1e-300, 1e-25, 1e25, 1e300])
def test_cosine_of_extreme_lengths(scale):
    """Squares of very small and large values neither vanish nor overflow on the way to a row's length."""
    X = np.array([[3.0, 4.0], [4.0, -3.0]]) * scale
    samples = distinct_samples(X, "cosine")
    np.testing.assert_allclose(samples.rows[samples.inverse], [[0.6, 0.8], [0.8, -0.6]], rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_rows_changes_only_the_inverse(seed, metric):
    """A permutation of X permutes the inverse and leaves rows and counts in place."""
    random = np.random.default_rng(seed)
    for X in (repetitive(seed), 300 + random.standard_normal((300, 40))):
        order = random.permutation(len(X))
        samples, permuted = distinct_samples(X, metric), distinct_samples(X[order], metric)
        np.testing.assert_array_equal(permuted.rows, samples.rows)
        np.testing.assert_array_equal(permuted.counts, samples.counts)
        np.testing.assert_array_equal(permuted.inverse, samples.inverse[order])
        np.testing.assert_array_equal(samples.inverse[order][permuted.kept], samples.inverse[samples.kept])


def test_order_does_not_depend_on_other_rows():
    """Distinct directions stand in the same order whatever other rows are there."""
    X = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    kept = distinct_samples(X, "cosine").rows.tolist()
    fewer = distinct_samples(X[:20], "cosine").rows.tolist()
    assert [row for row in kept if row in fewer] == fewer


@pytest.mark.parametrize("factor", [2.0**-100, 0.5, 4.0, 2.0**90])
@pytest.mark.parametrize("n_features", [3, 40])
@pytest.mark.parametrize("metric", METRICS)
def test_powers_of_two_change_nothing(metric, n_features, factor):
    """In another unit by a power of two, samples are the same to the last bit."""
    X = 5 + np.random.default_rng(0).standard_normal((200, n_features)).round(1)
    samples, scaled = distinct_samples(X, metric), distinct_samples(factor * X, metric)
    for name in ("rows", "kept", "inverse", "counts"):
        np.testing.assert_array_equal(getattr(scaled, name), getattr(samples, name))
    if metric == "euclidean":
        assert scaled.frame.unit == factor * samples.frame.unit
        np.testing.assert_array_equal(scaled.frame.origin, factor * samples.frame.origin)


@pytest.mark.parametrize("factor", [1e-200, 1e-24, 3.7, 1e30, 1e200])
@pytest.mark.parametrize("n_features", [3, 40])
@pytest.mark.parametrize("metric", METRICS)
def test_unit_does_not_matter(metric, n_features, factor):
    """In any other unit, samples are the same up to rounding, and in the same order."""
    X = 5 + np.random.default_rng(0).standard_normal((200, n_features)).round(1)
    samples, scaled = distinct_samples(X, metric), distinct_samples(factor * X, metric)
    for name in ("kept", "inverse", "counts"):
        np.testing.assert_array_equal(getattr(scaled, name), getattr(samples, name))
    np.testing.assert_allclose(scaled.rows, samples.rows, atol=2e-6)
    unit = factor if metric == "euclidean" else 1  # directions have none
    np.testing.assert_allclose(scaled.original_rows() / unit, samples.original_rows(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_far_from_the_origin(seed):
    """Seconds since 1970, in double precision, are as far apart as they were."""
    random = np.random.default_rng(seed)
    times = random.uniform(0, 3600, 500).round(3)
    samples = distinct_samples((1.7e9 + times)[:, None], "euclidean")
    assert samples.rows.dtype == np.float64
    apart = samples.rows[samples.inverse, 0] * samples.frame.unit
    np.testing.assert_allclose(apart - apart[0], times - times[0], atol=1e-6)
    assert 0.1 < np.abs(samples.rows).mean() < 10


@pytest.mark.parametrize(("n_features", "dtype"), [(1, np.float64), (31, np.float64), (32, np.float32)])
def test_precision_of_rows(n_features, dtype):
    """Coordinates stay in double precision, embeddings are in single precision, and so are directions."""
    X = np.random.default_rng(0).standard_normal((20, n_features))
    assert distinct_samples(X.astype(np.float32), "euclidean").rows.dtype == dtype
    assert distinct_samples(X, "euclidean").rows.dtype == dtype
    assert distinct_samples(X, "cosine").rows.dtype == np.float32


def test_frame_of_others():
    """Rows of new samples have the origin and the unit of those before, whatever their own mean."""
    random = np.random.default_rng(0)
    X, X_new = 50 + 7 * random.standard_normal((2, 100, 5))
    X_new += 3
    frame = distinct_samples(X, "euclidean").frame
    assert np.abs(frame.origin - X.mean(axis=0)).max() < 1e-4
    assert np.sqrt(5) * 7 / 2 < frame.unit < np.sqrt(5) * 7 * 2
    new = distinct_samples(X_new, "euclidean", frame=frame)
    assert new.frame is frame
    np.testing.assert_allclose(new.rows, (X_new[new.kept] - frame.origin) / frame.unit, rtol=1e-12)
    np.testing.assert_allclose(new.original_rows(), X_new[new.kept], rtol=1e-12)
    assert distinct_samples(X_new, "cosine", frame=frame).frame is None


@pytest.mark.parametrize("metric", METRICS)
def test_rows_on_a_common_scale(metric):
    """They are those of distinct samples, in the order of X; some of them on request."""
    X = 5 + np.random.default_rng(0).standard_normal((30, 4))
    samples = distinct_samples(X, metric)
    rows, frame = comparable_rows(X, metric)
    np.testing.assert_array_equal(rows, samples.rows[samples.inverse])
    some, _ = comparable_rows(X, metric, np.array([7, 3]), frame)
    np.testing.assert_array_equal(some, rows[[7, 3]])


@pytest.mark.parametrize("value", [0.0, 3.0, -1e30])
def test_constant_rows(value):
    """Rows without any spread have a frame too."""
    samples = distinct_samples(np.full((6, 3), value), "euclidean")
    assert (samples.n_distinct, samples.counts.tolist()) == (1, [6])
    assert np.isfinite(samples.rows).all()
    np.testing.assert_allclose(samples.original_rows(), [[value] * 3], rtol=1e-6)


@pytest.mark.parametrize("max_copies", [1, 2, 5, 1000])
@pytest.mark.parametrize("seed", SEEDS)
def test_few_copies_are_kept(seed, max_copies):
    """Copies stand side by side; the first of them speaks for all, and all have the same label."""
    X = repetitive(seed)
    samples, distinct = distinct_samples(X, "euclidean", max_copies), distinct_samples(X, "euclidean")
    # Of rows that nearly all have copies, so many fewer are kept.
    usual = np.sort(distinct.counts)[(len(distinct.counts) - 1) // 4]
    kept = np.minimum(np.ceil(distinct.counts / usual).astype(int), max_copies)
    np.testing.assert_array_equal(samples.rows, np.repeat(distinct.rows, kept, axis=0))
    np.testing.assert_array_equal(X[samples.kept][samples.inverse], X)
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


def test_copies_by_the_number_of_samples():
    """How many copies are kept may follow from how many samples differ."""
    X, asked = repetitive(0), []

    def few(n_distinct):
        asked.append(n_distinct)
        return 3

    samples, expected = distinct_samples(X, "euclidean", few), distinct_samples(X, "euclidean", 3)
    assert asked == [expected.n_distinct]
    np.testing.assert_array_equal(samples.rows, expected.rows)
    np.testing.assert_array_equal(samples.inverse, expected.inverse)


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


@pytest.mark.parametrize("max_copies", [1, 3])
def test_zero_rows_are_left_out_on_request(max_copies):
    """Where they are to be dropped, zero rows are no samples, and all others are as without them."""
    random = np.random.default_rng(0)
    X = random.integers(1, 4, (40, 3)).astype(np.float64)
    zero = random.random(len(X)) < 0.3
    X[zero] = 0
    samples = distinct_samples(X, "cosine", max_copies, drop_zeros=True)
    without = distinct_samples(X[~zero], "cosine", max_copies)
    np.testing.assert_array_equal(samples.inverse < 0, zero)
    np.testing.assert_array_equal(samples.inverse[~zero], without.inverse)
    np.testing.assert_array_equal(samples.rows, without.rows)
    np.testing.assert_array_equal(samples.counts, without.counts)
    np.testing.assert_array_equal(samples.kept, np.flatnonzero(~zero)[without.kept])
    y = random.integers(-1, 3, len(X))
    np.testing.assert_array_equal(aggregate_labels(y, samples), aggregate_labels(y[~zero], without))
    assert (distinct_samples(X, "euclidean", drop_zeros=True).inverse >= 0).all()


def test_nothing_but_zero_rows():
    """No sample is left, and that is no error."""
    samples = distinct_samples(np.zeros((4, 3)), "cosine", drop_zeros=True)
    assert samples.rows.shape == (0, 3)
    assert samples.inverse.tolist() == [-1] * 4
    assert samples.n_distinct == 0
    assert aggregate_labels(np.arange(4), samples).tolist() == []


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
    np.testing.assert_array_equal(X[samples.kept][samples.inverse], X)
    np.testing.assert_allclose(samples.original_rows(), X[samples.kept], rtol=1e-6, atol=1e-7)


def test_signs_do_not_collide():
    """Values that differ in the highest of 32 bits only use all 64 bits of the hash."""
    X = 1 - 2 * np.random.default_rng(0).integers(0, 2, (2**17, 48), dtype=np.int8)
    X = np.concatenate([X, -X])  # of mean zero, so that rows are scaled only
    assert len(np.unique(np.packbits(X > 0, axis=1).view("V6"))) == len(X)
    samples = distinct_samples(X, "euclidean")
    assert len(samples.rows) == len(X)
    assert len(np.unique(np.abs(samples.rows))) == 1


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
        assert samples.rows.dtype == expected.rows.dtype
        assert samples.rows.flags.c_contiguous
        for got, wanted in zip(samples[:-1], expected[:-1], strict=True):
            np.testing.assert_array_equal(got, wanted)
        for got, wanted in zip(samples.frame or (), expected.frame or (), strict=True):
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
