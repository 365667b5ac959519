"""Tests of what is expected of clusters: by hand, by true scores, and as a diagnosis without labels."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from sklearn_gcncluster import ExpectedDiagnosis, GCNClustering, _doubts
from sklearn_gcncluster._base import Result
from sklearn_gcncluster._expectation import expected_quality, fscore
from sklearn_gcncluster._graph._samples import distinct_samples
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._scored_proposals import Expected
from sklearn_gcncluster._scoring import Scored
from sklearn_gcncluster.metrics import bcubed_precision_recall_fscore


def scored_alone(iou):
    """Proposals of each sample alone, with these scores."""
    proposals = distinct_proposals(np.arange(len(iou))[None])
    return Scored(proposals, np.column_stack([iou, np.ones(len(iou))]), np.ones(len(iou)))


def test_pure_clusters_by_hand():
    """True IoU and IoP of pure clusters give the true precision and recall."""
    y = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    labels = np.array([0, 0, 0, -1, 1, 1, 2, 2, -1])
    samples = distinct_samples(np.arange(9.0)[:, None], "euclidean", 3)
    scores = np.array([[3 / 4, 1], [1, 1], [2 / 3, 1]], dtype=np.float32)
    alone = 1 / np.bincount(y)[y]
    by_row = np.empty(9)
    by_row[samples.inverse] = alone
    result = Result(labels, np.ones(9, np.float32), scores)
    precision, recall = expected_quality(result, scored_alone(by_row), samples)
    truth = bcubed_precision_recall_fscore(y, labels)
    assert np.mean(precision) == pytest.approx(truth[0])
    assert np.mean(recall) == pytest.approx(truth[1])
    assert fscore(precision, recall) == pytest.approx(truth[2])


def test_mixed_clusters_are_estimated_low():
    """What minorities find of their own class is left out."""
    y = np.array([0] * 8 + [1] * 2)
    labels = np.zeros(10, dtype=np.int64)
    samples = distinct_samples(np.arange(10.0)[:, None], "euclidean", 3)
    result = Result(labels, np.ones(10, np.float32), np.array([[0.8, 0.8]], dtype=np.float32))
    precision, recall = expected_quality(result, scored_alone(np.full(10, 0.1)), samples)
    truth = bcubed_precision_recall_fscore(y, labels)
    assert np.mean(precision) == pytest.approx(0.64)
    assert np.mean(recall) == pytest.approx(0.8)
    assert np.mean(precision) <= truth[0]
    assert np.mean(recall) <= truth[1]


def test_clear_clusters_are_expected_to_be_good():
    """Far blobs: much is expected, nothing is open, and the parts add up."""
    X, _ = make_blobs(400, n_features=16, centers=20, random_state=0)
    diagnosis = GCNClustering(random_state=0).fit(X).diagnose(X)
    assert diagnosis.scores["fscore"] > 0.8
    assert not diagnosis.is_open
    for measure in ("precision", "recall"):
        lost = sum(row[measure] for row in diagnosis.table)
        assert lost == pytest.approx(1 - diagnosis.scores[measure])


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
@pytest.mark.filterwarnings("ignore:Only .* of the links")
def test_worse_clusters_are_expected_to_be_worse():
    """The more classes overlap, the less is expected."""
    expected = []
    for width in (0.5, 3, 8):
        X, _ = make_blobs(500, n_features=8, centers=25, cluster_std=width, random_state=1)
        expected.append(GCNClustering(random_state=0).fit(X).diagnose(X).scores["recall"])
    assert expected[0] > expected[1]
    assert expected[0] > expected[2]


def test_little_to_expect_is_warned_of(monkeypatch):
    """Clusters without labels come with a warning if less than a limit is expected; it says how much."""
    X, _ = make_blobs(300, n_features=8, centers=10, random_state=1)
    with warnings.catch_warnings(action="error"):
        expected = GCNClustering(random_state=0).fit(X).diagnose(X).scores["fscore"]
    monkeypatch.setattr(_doubts, "_MIN_EXPECTED", expected + 0.01)
    with pytest.warns(UserWarning, match=f"reach a BCubed F of {expected:.2f}.*Labels of some classes"):
        GCNClustering(random_state=0).fit(X)


def expectation(labels, quality):
    """Clusters of which the same precision and recall is expected of each sample."""
    return Expected(np.array(labels), np.full(len(labels), quality), np.full(len(labels), quality))


@pytest.mark.parametrize(
    ("coarser", "quality", "is_open"),
    [
        ([0] * 6 + [1] * 6, 0.75, True),  # others, and nearly as good
        ([0] * 6 + [1] * 6, 0.5, False),  # others, but much worse
        ([0] * 3 + [1] * 3 + [2] * 3 + [3] * 3, 0.75, False),  # the same
        ([0] * 3 + [-1] * 9, 0.75, True),  # outliers are others, too
    ],
)
def test_open_granularity(coarser, quality, is_open):
    """A coarser clustering that differs and is expected to be nearly as good makes the choice an open one."""
    chosen = expectation(np.repeat(np.arange(4), 3), 0.8)
    diagnosis = ExpectedDiagnosis(chosen, expectation(coarser, quality))
    assert diagnosis.is_open == is_open
    assert ("is open" in repr(diagnosis)) == is_open


def test_page_names_the_largest_cause():
    """The text names the cause that takes most, with its remedy."""
    X, _ = make_blobs(300, n_features=8, centers=25, cluster_std=2, random_state=1)
    diagnosis = GCNClustering(random_state=0).fit(X).diagnose(X)
    worst = max(diagnosis.table, key=lambda row: row["precision"] + row["recall"])
    assert f"Largest: {worst['cause']}. {worst['remedy']}" in repr(diagnosis)


def test_singletons_count_like_noise():
    """Outliers with numbers of their own change nothing."""
    X, _ = make_blobs(300, n_features=8, centers=25, cluster_std=3, random_state=1)
    noise = GCNClustering(random_state=0).fit(X).diagnose(X)
    numbered = GCNClustering(random_state=0, outliers="singletons").fit(X).diagnose(X)
    assert noise.scores == numbered.scores
