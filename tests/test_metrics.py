"""Tests of the clustering measures and scorers."""

import pickle
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import fowlkes_mallows_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_gcncluster.metrics import (
    bcubed_fscore,
    bcubed_precision_recall_fscore,
    bcubed_scorer,
    pairwise_fscore,
    pairwise_precision_recall_fscore,
    pairwise_scorer,
)

METRICS = [pairwise_precision_recall_fscore, bcubed_precision_recall_fscore]
SCORERS = [pairwise_scorer, bcubed_scorer]


def slow_pairwise(labels_true, labels_pred):
    """Look at every pair of labelled samples, one by one."""
    together_true = together_predicted = together_both = 0
    for i in range(len(labels_true)):
        for j in range(i):
            if labels_true[i] == -1 or labels_true[j] == -1:
                continue
            same_class = labels_true[i] == labels_true[j]
            same_cluster = labels_pred[i] == labels_pred[j] and labels_pred[i] >= 0
            together_true += same_class
            together_predicted += same_cluster
            together_both += same_class and same_cluster
    precision = together_both / together_predicted if together_predicted else 1
    recall = together_both / together_true if together_true else 1
    return precision, recall, slow_fscore(precision, recall)


def slow_bcubed(labels_true, labels_pred):
    """Average the precision and recall of every labelled sample, one by one."""
    labelled = [i for i in range(len(labels_true)) if labels_true[i] != -1]
    precisions, recalls = [], []
    for i in labelled:
        same_class = {j for j in labelled if labels_true[j] == labels_true[i]}
        same_cluster = {j for j in labelled if labels_pred[j] == labels_pred[i]}
        if labels_pred[i] < 0:
            same_cluster = {i}
        precisions.append(len(same_class & same_cluster) / len(same_cluster))
        recalls.append(len(same_class & same_cluster) / len(same_class))
    precision, recall = sum(precisions) / len(labelled), sum(recalls) / len(labelled)
    return precision, recall, slow_fscore(precision, recall)


def slow_fscore(precision, recall):
    """Harmonic mean, 0 if both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


def random_labels(seed, n_samples=60):
    """Draw classes and clusters with unlabelled samples and outliers among them."""
    rng = np.random.default_rng(seed)
    n_classes, n_clusters = rng.integers(1, 30, size=2)
    return rng.integers(-1, n_classes, n_samples), rng.integers(-1, n_clusters, n_samples)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("metric", "slow"),
    [
        (pairwise_precision_recall_fscore, slow_pairwise),
        (bcubed_precision_recall_fscore, slow_bcubed),
    ],
)
def test_equals_slow_version(metric, slow, seed):
    """The sparse table gives what looking at every pair or sample gives."""
    labels_true, labels_pred = random_labels(seed)
    assert metric(labels_true, labels_pred) == pytest.approx(slow(labels_true, labels_pred))


def test_pairwise_by_hand():
    """Six samples: 2 of 3 claimed pairs are right, 2 of 4 pairs are found."""
    scores = pairwise_precision_recall_fscore([0, 0, 0, 1, 1, 2], [5, 5, 6, 7, 7, 6])
    assert scores == pytest.approx((2 / 3, 2 / 4, 4 / 7))


def test_bcubed_by_hand():
    """Six samples: precision 1, 1, 1/2, 1, 1, 1/2 and recall 2/3, 2/3, 1/3, 1, 1, 1."""
    precision, recall, fscore = bcubed_precision_recall_fscore([0, 0, 0, 1, 1, 2], [5, 5, 6, 7, 7, 6])
    assert (precision, recall) == pytest.approx((5 / 6, 14 / 18))
    assert fscore == pytest.approx(2 * (5 / 6) * (14 / 18) / (5 / 6 + 14 / 18))


@pytest.mark.parametrize("seed", range(5))
def test_pairwise_agrees_with_scikit_learn(seed):
    """Fowlkes-Mallows is the geometric mean of pairwise precision and recall."""
    rng = np.random.default_rng(seed)
    labels_true, labels_pred = rng.integers(0, 8, size=(2, 100))
    precision, recall, _ = pairwise_precision_recall_fscore(labels_true, labels_pred)
    expected = fowlkes_mallows_score(labels_true, labels_pred)
    assert np.sqrt(precision * recall) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels_true", "labels_pred", "expected"),
    [
        pytest.param([0, 0, 1], [0, 0, 1], (1, 1, 1), id="perfect"),
        pytest.param([0, 1, 2], [5, 6, 7], (1, 1, 1), id="nothing to find, nothing claimed"),
        pytest.param([0, 0, 0], [5, 6, 7], (1, 0, 0), id="nothing claimed"),
        pytest.param([0, 1, 2], [5, 5, 5], (0, 1, 0), id="nothing to find"),
        pytest.param([0, 0, 1, 1], [5, 6, 5, 6], (0, 0, 0), id="all wrong"),
        pytest.param([0, 0, 0], [-1, -1, -1], (1, 0, 0), id="only outliers"),
        pytest.param([0, 0, 1, 1], [5, 5, 5, 5], (1 / 3, 1, 1 / 2), id="one cluster"),
        pytest.param([7], [7], (1, 1, 1), id="one sample"),
    ],
)
def test_pairwise_edge_cases(labels_true, labels_pred, expected):
    """Nothing is divided by zero, and the value is the documented one."""
    scores = pairwise_precision_recall_fscore(labels_true, labels_pred)
    assert scores == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels_true", "labels_pred", "expected"),
    [
        pytest.param([0, 0, 1], [0, 0, 1], (1, 1, 1), id="perfect"),
        pytest.param([0, 1, 2], [5, 6, 7], (1, 1, 1), id="nothing to find, nothing claimed"),
        pytest.param([0, 0, 0], [5, 6, 7], (1, 1 / 3, 1 / 2), id="nothing claimed"),
        pytest.param([0, 1, 2], [5, 5, 5], (1 / 3, 1, 1 / 2), id="nothing to find"),
        pytest.param([0, 0, 0], [-1, -1, -1], (1, 1 / 3, 1 / 2), id="only outliers"),
        pytest.param([0, 0, 1, 1], [5, 5, 5, 5], (1 / 2, 1, 2 / 3), id="one cluster"),
        pytest.param([7], [7], (1, 1, 1), id="one sample"),
    ],
)
def test_bcubed_edge_cases(labels_true, labels_pred, expected):
    """Every sample shares class and cluster with itself, so every value is above 0."""
    scores = bcubed_precision_recall_fscore(labels_true, labels_pred)
    assert scores == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_outliers_are_singletons(metric, seed):
    """A predicted -1 scores as a cluster of its own, and so do the -2 and -3 of HDBSCAN."""
    labels_true, labels_pred = random_labels(seed)
    outlier = labels_pred == -1
    singletons = labels_pred.copy()
    singletons[outlier] = 1000 + np.arange(outlier.sum())
    expected = metric(labels_true, singletons)
    assert metric(labels_true, labels_pred) == expected
    labels_pred[np.flatnonzero(outlier)[::2]] = -3
    assert metric(labels_true, labels_pred) == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_unlabelled_samples_are_left_out(metric, seed):
    """Samples of class -1 change nothing, wherever they were put."""
    labels_true, labels_pred = random_labels(seed)
    labelled = labels_true != -1
    expected = metric(labels_true[labelled], labels_pred[labelled])
    assert metric(labels_true, labels_pred) == expected
    labels_pred[~labelled] = labels_pred[labelled][0]
    assert metric(labels_true, labels_pred) == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(5))
def test_invariant_to_relabelling_and_order(metric, seed):
    """Neither the numbers of classes and clusters nor the order of samples matters."""
    labels_true, labels_pred = random_labels(seed)
    rng = np.random.default_rng(seed)
    expected = metric(labels_true, labels_pred)
    new_names = np.append(rng.permutation(10**12 + np.arange(30)), -1)
    assert metric(new_names[labels_true], new_names[labels_pred]) == pytest.approx(expected)
    order = rng.permutation(len(labels_true))
    assert metric(labels_true[order], labels_pred[order]) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_swapping_arguments_swaps_precision_and_recall(metric):
    """What is precision from one side is recall from the other."""
    rng = np.random.default_rng(0)
    labels_true, labels_pred = rng.integers(0, 8, size=(2, 100))
    precision, recall, fscore = metric(labels_true, labels_pred)
    assert metric(labels_pred, labels_true) == pytest.approx((recall, precision, fscore))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "convert",
    [
        list,
        tuple,
        pd.Series,
        pl.Series,
        lambda labels: np.asarray(labels, dtype=np.int8),
        lambda labels: np.asarray(labels, dtype=np.float32),
        lambda labels: np.asarray(labels, dtype=object),
    ],
    ids=["list", "tuple", "pandas", "polars", "int8", "float32", "object"],
)
def test_input_types(metric, convert):
    """All kinds of integer labels give the same Python floats."""
    labels_true, labels_pred = (labels.tolist() for labels in random_labels(0))
    scores = metric(convert(labels_true), convert(labels_pred))
    assert scores == metric(labels_true, labels_pred)
    assert all(type(score) is float for score in scores)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("convert", [list, np.array, pd.Series, pl.Series])
def test_string_labels(metric, convert):
    """Classes and clusters may have names."""
    labels_true, labels_pred = ["a", "a", "b", "b", "b"], ["x", "x", "x", "z", "z"]
    expected = metric([0, 0, 1, 1, 1], [3, 3, 3, 4, 4])
    assert metric(convert(labels_true), convert(labels_pred)) == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("labels_true", "labels_pred", "message"),
    [
        ([], [], r"0 sample\(s\)"),
        ([0, 1, 1], [0, 1], r"inconsistent numbers of samples: \[3, 2\]"),
        ([[0, 1]], [0, 1], r"labels_true must be one-dimensional, got .* shape \(1, 2\)"),
        ([0, 1], [0.5, 1], "labels_pred must hold integers or strings, got 0.5"),
        ([0, np.nan], [0, 1], "labels_true has missing values, 1 among 2"),
        ([0, 1], np.array(["a", "-1"]), "labels_pred has the string '-1'"),
        ([-1, -1, -1], [0, 1, 1], "no labelled sample to evaluate on: all 3 are -1"),
        (0, [0, 1], "'labels_true' parameter .* must be an array-like"),
    ],
)
def test_bad_labels(metric, labels_true, labels_pred, message):
    """Labels that can not be evaluated raise an error that says why."""
    with pytest.raises(ValueError, match=message):
        metric(labels_true, labels_pred)


@pytest.mark.parametrize(
    ("fscore", "metric"),
    [
        (pairwise_fscore, pairwise_precision_recall_fscore),
        (bcubed_fscore, bcubed_precision_recall_fscore),
    ],
)
def test_fscore_alone(fscore, metric):
    """The short form gives the third number of the long one, as a Python float."""
    labels_true, labels_pred = random_labels(3)
    assert fscore(labels_true, labels_pred) == metric(labels_true, labels_pred)[2]
    assert type(fscore(labels_true, labels_pred)) is float


@pytest.mark.parametrize("metric", METRICS)
def test_large(metric):
    """As many samples and classes as the benchmark of the paper, within two seconds."""
    rng = np.random.default_rng(0)
    labels_true = rng.integers(0, 8573, 584_013)
    labels_pred = labels_true * 4 + rng.integers(0, 4, 584_013)
    labels_pred[rng.random(584_013) < 0.2] = -1
    start = time.process_time()
    precision, recall, fscore = metric(labels_true, labels_pred)
    assert time.process_time() - start < 2
    assert precision == 1
    assert 0 < recall < fscore < 1


def test_no_integer_overflow():
    """One cluster of 200,000 samples has more pairs than 32 bits can count."""
    n_samples = 200_000
    labels_true = np.arange(n_samples, dtype=np.int32) % 2
    together = np.zeros(n_samples, dtype=np.int32)
    half = n_samples // 2
    expected = (half - 1) / (n_samples - 1)
    assert pairwise_precision_recall_fscore(labels_true, together)[0] == pytest.approx(expected)
    assert bcubed_precision_recall_fscore(labels_true, together)[0] == pytest.approx(0.5)
    apart = np.arange(n_samples, dtype=np.int32)
    assert pairwise_precision_recall_fscore(apart, apart) == (1, 1, 1)


@pytest.mark.parametrize(
    ("scorer", "fscore"), [(pairwise_scorer, pairwise_fscore), (bcubed_scorer, bcubed_fscore)]
)
def test_scorer_uses_predict(scorer, fscore):
    """A clusterer that can predict is asked to."""
    X, y = make_blobs(n_samples=100, centers=8, random_state=0)
    kmeans = KMeans(n_clusters=5, random_state=0).fit(X)
    assert scorer(kmeans, X[::2], y[::2]) == fscore(y[::2], kmeans.predict(X[::2]))


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorer_without_predict(scorer):
    """A clusterer without predict clusters the new samples, and keeps what it was fitted to."""
    X, y = make_blobs(n_samples=100, centers=5, cluster_std=0.1, random_state=0)
    dbscan = DBSCAN(eps=1).fit(X)
    assert scorer(dbscan, X[:40], y[:40]) == 1
    assert len(dbscan.labels_) == 100


@pytest.mark.parametrize("scorer", SCORERS)
@pytest.mark.parametrize("clusterer", [DBSCAN(), HDBSCAN(copy=True), KMeans(random_state=0)])
def test_scorer_in_model_selection(scorer, clusterer):
    """Scorers work as scoring in pipelines, searches and several processes."""
    X, y = make_blobs(n_samples=120, centers=12, cluster_std=0.1, random_state=0)
    name, values = {
        "DBSCAN": ("eps", [1e-6, 0.5]),
        "HDBSCAN": ("min_cluster_size", [40, 5]),
        "KMeans": ("n_clusters", [1, 6]),
    }[type(clusterer).__name__]
    pipeline = make_pipeline(StandardScaler(), clusterer)
    grid = {f"{type(clusterer).__name__.lower()}__{name}": values}
    search = GridSearchCV(pipeline, grid, scoring=scorer, cv=GroupKFold(2), n_jobs=2, error_score="raise")
    search.fit(X, y, groups=y)
    assert search.best_params_ == {next(iter(grid)): values[1]}


def test_scorers_together():
    """Several scorers in one cross-validation."""
    X, y = make_blobs(n_samples=100, centers=10, cluster_std=0.1, random_state=0)
    scores = cross_validate(
        DBSCAN(),
        X,
        y,
        groups=y,
        cv=GroupKFold(2),
        scoring={"pairwise": pairwise_scorer, "bcubed": bcubed_scorer},
        error_score="raise",
    )
    assert np.all(scores["test_pairwise"] > 0.9)
    assert np.all(scores["test_bcubed"] > 0.9)


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorer_pickles(scorer):
    """Scorers can be sent to other processes."""
    assert pickle.loads(pickle.dumps(scorer)) is scorer


def test_no_torch():
    """Who wants a measure does not wait for torch to be imported."""
    code = "import sklearn_gcncluster as s, sys; s.metrics; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
