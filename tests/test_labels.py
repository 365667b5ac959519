"""Labels are understood in the same way wherever they are given, and however they are held."""

import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning

from sklearn_gcncluster import GCNClustering, GCNSegmenter
from sklearn_gcncluster._labels import check_labels, class_codes, cluster_codes
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

QUICK = {
    "affinity": "neighborhood",
    "hidden_channels": (16, 8),
    "max_epochs": 1,
    "metric": "euclidean",
    "n_networks": 1,
    "n_seeds": 1,
    "n_training_seeds": 1,
    "random_state": 0,
}
MIXED = ["ann", -1, "bob", 7, "ann", -1, "7", 7, "bob"]


def objects(values):
    """An array that holds the values as they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def slow_codes(values, outside):
    """Number numbers in ascending order and then names, one by one; -1 for what is outside."""
    inside = [value for value in values if not outside(value)]
    numbers = sorted({value for value in inside if not isinstance(value, str)})
    classes = numbers + sorted({value for value in inside if isinstance(value, str)})
    return classes, [-1 if outside(value) else classes.index(value) for value in values]


HOLDERS = {
    "list": list,
    "tuple": tuple,
    "array": objects,
    "strided": lambda values: np.repeat(objects(values), 2)[::2],
    "pandas": lambda values: pd.Series(objects(values), index=range(5, 5 + len(values))),
    "category": lambda values: pd.Series(objects(values)).astype("category"),
    "categorical": lambda values: pd.Categorical(objects(values)),
    "polars": lambda values: pl.Series(values, dtype=pl.Object),
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
@pytest.mark.parametrize("unlabelled", [-1, np.int64(-1), -1.0, np.float32(-1)], ids=repr)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_names_and_unlabelled(holder, unlabelled, seed):
    """Names and -1, of whatever kind, in whatever holds them: -1 is no class, "7" and 7 are two."""
    random = np.random.default_rng(seed)
    values = [["ann", "bob", 7, "7", -2, unlabelled][draw] for draw in random.integers(0, 6, 40)]
    classes, codes = class_codes(holder(values))
    expected, expected_codes = slow_codes(values, lambda value: value == -1)
    assert classes.tolist() == expected == [-2, 7, "7", "ann", "bob"]
    assert codes.tolist() == expected_codes


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_negative_clusters_are_noise(holder):
    """Of clusters every negative number is noise, beside names too; of classes only -1 is special."""
    values = ["ann", -2, 3, -1.0, "ann", "bob", -3]
    assert cluster_codes(holder(values)).tolist() == [1, -1, 0, -1, 1, 2, -1]
    assert class_codes(holder(values))[1].tolist() == [3, 1, 2, -1, 3, 4, 0]


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_numbers_as_objects(holder):
    """Integers are numbers in every holder, not names, though all of another type."""
    classes, codes = class_codes(holder([10, np.int8(-1), np.uint16(9), 10]))
    assert classes.tolist() == [9, 10]
    assert codes.tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize(
    ("y", "classes", "codes"),
    [
        pytest.param([5, -1, 3, 5], [3, 5], [1, -1, 0, 1], id="list"),
        pytest.param(np.array([5, -1, 3], dtype=np.int8), [3, 5], [1, -1, 0], id="int8"),
        pytest.param(np.array([255, 0], dtype=np.uint8), [0, 255], [1, 0], id="uint8"),
        pytest.param(np.array([5, -1, 3], dtype=np.float16), [3, 5], [1, -1, 0], id="float16"),
        pytest.param(np.array([True, False]), [False, True], [1, 0], id="Booleans"),
        pytest.param(np.array(["b", "a"]), ["a", "b"], [1, 0], id="strings"),
        pytest.param([True, 1, 1.0, "1"], [1, "1"], [0, 0, 0, 1], id="equal numbers are one class"),
        pytest.param([2**63, -1, 2**63 + 1], [2**63, 2**63 + 1], [0, -1, 1], id="long integers"),
        pytest.param([2**70, 3], [3, 2**70], [1, 0], id="longer integers"),
        pytest.param([np.str_("b"), -1, "b"], ["b"], [0, -1, 0], id="strings of NumPy"),
        pytest.param(range(2), [0, 1], [0, 1], id="range"),
        pytest.param(np.ma.array([5, -1]), [5], [0, -1], id="nothing masked"),
        pytest.param([-1, -1], [], [-1, -1], id="nothing labelled"),
        pytest.param(pd.Series([5, -1], dtype="Int64"), [5], [0, -1], id="nullable integers"),
        pytest.param(pd.Series(["b", "a"], dtype="string"), ["a", "b"], [1, 0], id="nullable strings"),
        pytest.param(pd.Series([True, False], dtype="boolean"), [0, 1], [1, 0], id="nullable Booleans"),
        pytest.param(pd.Index(["b", "a"]), ["a", "b"], [1, 0], id="index"),
        pytest.param(pl.Series([5, -1]), [5], [0, -1], id="polars integers"),
        pytest.param(pl.Series(["b", "a"]), ["a", "b"], [1, 0], id="polars strings"),
        pytest.param(pl.Series(["b", "a"], dtype=pl.Categorical), ["a", "b"], [1, 0], id="polars categories"),
    ],
)
def test_kinds(y, classes, codes):
    """Each kind of label that arrays, lists, pandas and polars have; classes come sorted, numbers first."""
    found, numbers = class_codes(y)
    assert found.tolist() == classes
    assert numbers.dtype == np.intp
    assert numbers.tolist() == codes


def test_numbers_stay_numbers():
    """An array of objects comes out only where there are names."""
    assert check_labels(objects([3, True, np.int32(4)]), "y").dtype == np.int64
    assert check_labels(np.array([3.0, -1.0]), "y").dtype == np.float64
    assert check_labels([3, "a"], "y").tolist() == [3, "a"]


NUMPY_STRINGS = r"y has the string '{}', which .* looks like the number .* dtype=object"
MISSING = r"y has missing values, {} among 3: the first, at position {}, is {}. Mark .* by the number -1"


@pytest.mark.parametrize(
    ("y", "message"),
    [
        pytest.param(np.array(["a", -1, "b"]), NUMPY_STRINGS.format(-1), id="NumPy made strings"),
        pytest.param(np.array(["a", -1.0]), NUMPY_STRINGS.format(-1.0), id="NumPy made strings of floats"),
        pytest.param(["a", "-1"], NUMPY_STRINGS.format(-1), id="list"),
        pytest.param(pd.Series(["a", "-1"]), NUMPY_STRINGS.format(-1), id="pandas"),
        pytest.param(pl.Series(["a", "-1"]), NUMPY_STRINGS.format(-1), id="polars"),
        pytest.param([1, np.nan, np.nan], MISSING.format(2, 1, "nan"), id="NaN"),
        pytest.param(np.array([np.nan, 1, 2]), MISSING.format(1, 0, "nan"), id="NaN in an array"),
        pytest.param(["a", "b", np.nan], MISSING.format(1, 2, "nan"), id="NaN beside names"),
        pytest.param(["a", None, -1], MISSING.format(1, 1, "None"), id="None"),
        pytest.param(["a", None, np.nan], MISSING.format(2, 1, "None"), id="None and NaN"),
        pytest.param(["a", pd.NaT, -1], MISSING.format(1, 1, "NaT"), id="NaT"),
        pytest.param(pd.Series([1, None, 2], dtype="Int64"), MISSING.format(1, 1, "(<NA>|nan)"), id="Int64"),
        pytest.param(pd.Series(["a", None, "b"]), MISSING.format(1, 1, "(None|nan)"), id="pandas strings"),
        pytest.param(pd.Categorical(["a", None, "b"]), MISSING.format(1, 1, "nan"), id="categorical"),
        pytest.param(pl.Series(["a", None, "b"]), MISSING.format(1, 1, "None"), id="polars strings"),
        pytest.param(pl.Series([1, None, 2]), MISSING.format(1, 1, "nan"), id="polars integers"),
        pytest.param(np.ma.array([1, 2, 3], mask=[0, 0, 1]), MISSING.format(1, 2, "None"), id="masked"),
        pytest.param([0.5, 1], "Unknown label type: continuous. y must hold .*, got 0.5", id="fraction"),
        pytest.param(
            ["a", 1.5], "Unknown label type: continuous. y must hold .*, got 1.5", id="beside names"
        ),
        pytest.param(np.array([1, np.inf]), "y must hold integers or strings, got inf", id="infinite"),
        pytest.param([b"a", b"b"], r"y must hold integers or strings, got b'a' \(bytes\)", id="bytes"),
        pytest.param([["a"], ["a", "b"]], r"got \['a'\] \(list\)", id="several labels each"),
        pytest.param([1j], r"got 1j \(complex\)", id="complex"),
        pytest.param(np.zeros((3, 2), int), r"y must be one-dimensional, got .* shape \(3, 2\)", id="table"),
        pytest.param("abc", r"y must be one-dimensional, got .* shape \(\)", id="one string"),
        pytest.param([], r"y has 0 sample\(s\)", id="empty"),
    ],
)
def test_errors(y, message):
    """What can not be told is an error that names the value and the remedy."""
    with pytest.raises(ValueError, match=message):
        class_codes(y)
    with pytest.raises(ValueError, match=message.replace("y ", "clusters ", 1)):
        cluster_codes(y, "clusters")


@pytest.mark.parametrize("column", [pd.DataFrame({"y": MIXED}), [[label] for label in MIXED]])
def test_columns(column):
    """A column is taken for the labels in it, with the warning that scikit-learn gives."""
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        _, codes = class_codes(column)
    np.testing.assert_array_equal(codes, class_codes(MIXED)[1])


@pytest.mark.parametrize("hold", [np.asarray, list], ids=["array", "list"])
def test_large(hold):
    """A million names and -1, in a second or two."""
    random = np.random.default_rng(0)
    numbers = random.integers(-1, 10_000, 1_000_000)
    names = np.append(np.char.add("p", np.arange(10_000).astype(str)).astype(object), -1)
    y = hold(names[numbers])
    start = time.process_time()
    classes, codes = class_codes(y)
    assert time.process_time() - start < 4  # on a busy machine too
    assert len(classes) == 10_000
    np.testing.assert_array_equal(classes[codes[numbers >= 0]], names[numbers[numbers >= 0]])


@pytest.fixture(scope="module")
def groups():
    """Twelve groups of ten samples: X, their numbers, and the same with every fifth unlabelled."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(12), 10)
    X = 10 * random.normal(size=(12, 4))[y] + random.normal(size=(len(y), 4))
    return X, y, np.where(np.arange(len(y)) % 5, y, -1)


def named(y):
    """The same labels with names, in the same order, where they are not negative."""
    return [label if label < 0 else f"person {label:02}" for label in y.tolist()]


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_fit_and_score(groups, holder):
    """An estimator learns from names and -1 what it learns from numbers and -1, and is scored alike."""
    X, _, partly = groups
    reference = GCNClustering(**QUICK).fit(X, partly)
    estimator = GCNClustering(**QUICK).fit(X, holder(named(partly)))
    np.testing.assert_array_equal(estimator.labels_, reference.labels_)
    np.testing.assert_array_equal(estimator.probabilities_, reference.probabilities_)
    assert estimator.score(X, holder(named(partly))) == bcubed_fscore(partly, reference.labels_)
    diagnosis = estimator.diagnose(X, holder(named(partly)))
    assert diagnosis.table == reference.diagnose(X, partly).table


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
def test_refine(groups, holder):
    """Clusters with names are refined like those with numbers, and their -1 is noise."""
    X, y, partly = groups
    segmenter = GCNSegmenter(**QUICK).fit(X, y)
    clusters = np.where(partly < 0, -1, partly // 2)
    expected = segmenter.refine(X, clusters)
    assert (expected[partly < 0] == -1).all()
    np.testing.assert_array_equal(segmenter.refine(X, holder(named(clusters))), expected)


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS.keys())
@pytest.mark.parametrize("metric", [pairwise_fscore, bcubed_fscore])
def test_metrics(holder, metric):
    """Names beside -1 count as numbers beside -1 do, of classes and of clusters."""
    random = np.random.default_rng(0)
    true, predicted = random.integers(-1, 5, (2, 100))
    expected = metric(true, predicted)
    assert metric(holder(named(true)), predicted) == expected
    assert metric(true, holder(named(predicted))) == expected
    assert metric(holder(named(true)), holder(named(predicted))) == expected


def test_same_errors_everywhere(groups):
    """A string that looks like -1 is refused by all who take labels."""
    X, y, partly = groups
    strings = np.array(named(partly))
    estimator, segmenter = GCNClustering(**QUICK).fit(X, y), GCNSegmenter(**QUICK).fit(X, y)
    for ask in (estimator.fit, estimator.score, estimator.diagnose, segmenter.fit, segmenter.refine):
        with pytest.raises(ValueError, match="has the string '-1', which is a name, but looks like"):
            ask(X, strings)
    for labels in [(strings, y), (y, strings)]:
        with pytest.raises(ValueError, match="has the string '-1', which is a name, but looks like"):
            bcubed_fscore(*labels)


@pytest.mark.parametrize(
    ("y", "shown"),
    [(np.zeros(120), "0.0"), (np.full(120, "a"), "a"), (objects([np.int64(3)] * 120), "3")],
)
def test_the_only_class_is_shown_plainly(groups, y, shown):
    """The error about a single class shows it as the user wrote it."""
    with pytest.raises(ValueError, match=rf"y has one class \({shown}\) among 120 samples"):
        GCNClustering(**QUICK).fit(groups[0], y)


def test_continuous_targets(groups):
    """A target of regression is refused in the words that scikit-learn has for it."""
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        GCNClustering(**QUICK).fit(groups[0], groups[0][:, 0])
