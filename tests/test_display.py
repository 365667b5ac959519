"""Tests of the plots."""

import copy
import subprocess
import sys

import numpy as np
import pytest
from sklearn.cluster import KMeans

from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore
from sklearn_gcncluster.plotting import (
    ClusterSizeDisplay,
    ProposalScoreDisplay,
    ProposalSizeDisplay,
    ThresholdDisplay,
)

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def partly(unseen):
    """Unseen samples, every tenth of them unlabelled."""
    X, y = unseen
    return X, np.where(np.arange(len(y)) % 10, y, -1)


@pytest.mark.parametrize(("column", "quality"), [(0, "iou"), (1, "iop")])
def test_proposal_scores(trained, partly, column, quality):
    """Each proposal of two samples or more is a point of its true and its predicted value."""
    display = ProposalScoreDisplay.from_estimator(trained, *partly, quality=quality)
    proposals = trained.score_proposals(partly[0])
    true = proposals.true_scores(partly[1])
    shown = (proposals.membership.sum(axis=1) > 1) & ~np.isnan(true[:, column])
    assert 0 < shown.sum() < len(shown)
    np.testing.assert_allclose(display.y_pred, proposals.scores[shown, column])
    np.testing.assert_allclose(display.y_true, true[shown, column])
    assert display.hexbin_.get_array().sum() == shown.sum()
    assert display.ax_.get_xlabel() == f"predicted {quality[:2].title()}{quality[2].upper()}"


def test_mean_of_proposal_scores():
    """The line is the mean of the true values in each bin of predicted ones."""
    predicted = np.repeat([0.11, 0.52, 0.98], [100, 100, 2])  # the last bin holds too few
    true = np.concatenate([np.tile([0.0, 0.4], 50), np.full(100, 0.7), [1, 1]])
    x, y = ProposalScoreDisplay.from_predictions(true, predicted).line_.get_data()
    np.testing.assert_allclose(x, [0.11, 0.52])
    np.testing.assert_allclose(y, [0.2, 0.7])


def test_proposal_scores_of_wrong_input(trained, partly):
    """Errors say what is wrong."""
    with pytest.raises(
        ValueError, match='quality must be "iou" or "iop", got "size"'.replace('"size"', "'size'")
    ):
        ProposalScoreDisplay.from_estimator(trained, *partly, quality="size")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ProposalScoreDisplay.from_predictions([0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="y_pred contains NaN"):
        ProposalScoreDisplay.from_predictions([0.1, 0.2], [0.1, np.nan])
    with pytest.raises(TypeError, match="estimator must be a GCNClustering.*got KMeans"):
        ProposalScoreDisplay.from_estimator(KMeans(), *partly)
    for display in (ProposalScoreDisplay, ProposalSizeDisplay):
        with pytest.raises(ValueError, match="of which one is labelled, so there is nothing to show"):
            display.from_estimator(trained, partly[0], np.full(len(partly[1]), -1))


@pytest.mark.parametrize(("column", "quality", "floor"), [(0, "iou", None), (1, "iop", 0.6), (0, "iou", 0)])
def test_scores_by_size(trained, partly, column, quality, floor):
    """Means of each bin of sizes, over proposals of two samples or more above the floor, as by a loop."""
    options = {"quality": quality, "min_score": floor, "min_proposals": 3}
    display = ProposalSizeDisplay.from_estimator(trained, *partly, **options)
    proposals = trained.score_proposals(partly[0])
    true, sizes = proposals.true_scores(partly[1]), proposals.membership.sum(axis=1)
    floor = trained.min_score if floor is None else floor
    bins = {}
    for size, (iou, iop), scores in zip(sizes, true, proposals.scores, strict=True):
        if size > 1 and scores[0] >= floor and not np.isnan(iou):
            lowest = max(low for low in (2, 5, 10, 20, 50, 100, 200) if low <= size)
            bins.setdefault(lowest, []).append(((iou, iop)[column], scores[column]))
    bins = {low: values for low, values in sorted(bins.items()) if len(values) >= 3}
    assert len(bins) > 2
    assert display.sizes.tolist() == list(bins)
    assert display.n_proposals.tolist() == [len(values) for values in bins.values()]
    means = np.array([np.mean(values, axis=0) for values in bins.values()])
    np.testing.assert_allclose(display.y_true, means[:, 0], rtol=1e-5)
    np.testing.assert_allclose(display.y_pred, means[:, 1], rtol=1e-5)
    np.testing.assert_array_equal(display.true_line_.get_ydata(), display.y_true)
    np.testing.assert_array_equal(display.predicted_line_.get_ydata(), display.y_pred)
    assert display.ax_.get_ylabel() == {"iou": "IoU", "iop": "IoP"}[quality]


def test_few_proposals_by_size():
    """Bins with fewer than were asked for are left out, be it all of them; large ones are bins as well."""
    sizes = [2, 4, 999, 1000, 4999, 5000]
    values = np.linspace(0, 1, 6)
    display = ProposalSizeDisplay.from_predictions(values, values, sizes, min_proposals=1)
    assert display.sizes.tolist() == [2, 500, 1000, 2000, 5000]
    assert display.n_proposals.tolist() == [2, 1, 1, 1, 1]
    for given in ((values, values, sizes), ([], [], [])):
        assert len(ProposalSizeDisplay.from_predictions(*given).sizes) == 0


def test_scores_by_impossible_size():
    """Errors say what is wrong."""
    with pytest.raises(ValueError, match="sizes must be at least 1, got 0"):
        ProposalSizeDisplay.from_predictions([0.5, 0.5], [0.5, 0.5], [3, 0])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ProposalSizeDisplay.from_predictions([0.5, 0.5], [0.5, 0.5], [3])
    with pytest.raises(ValueError, match='quality must be "iou" or "iop", got \'size\''):
        ProposalSizeDisplay.from_predictions([0.5], [0.5], [3], quality="size")


@pytest.mark.parametrize("outliers", ["noise", "singletons"])
def test_threshold_is_min_score(trained, partly, outliers):
    """At each threshold the scores are those of an estimator with this min_score."""
    X, y = partly
    thresholds = [0.0, 0.5, 0.9]
    estimator = copy.deepcopy(trained).set_params(outliers=outliers)
    before = estimator.get_params()
    display = ThresholdDisplay.from_estimator(estimator, X, y, thresholds=thresholds)
    assert estimator.get_params() == before
    estimator.set_params(outliers="noise")
    labels = [estimator.set_params(min_score=value).predict(X) for value in thresholds]
    assert len(np.unique([pairwise_fscore(y, row) for row in labels])) > 1
    np.testing.assert_allclose(display.pairwise, [pairwise_fscore(y, row) for row in labels])
    np.testing.assert_allclose(display.bcubed, [bcubed_fscore(y, row) for row in labels])
    np.testing.assert_allclose(display.clustered, [(row >= 0).mean() for row in labels])
    assert display.current == trained.min_score
    assert display.ax_.get_xlabel() == "min_score"


def test_threshold_of_any_clusterer():
    """Curves of given clusterings; the threshold in use is marked only if there is one."""
    y, labels = [0, 0, 1, 1], [[0, 0, 1, 1], [0, 0, 0, 0], [-1, -1, -1, -1]]
    display = ThresholdDisplay.from_predictions(y, labels, [1, 2, 3], threshold_name="eps")
    pairwise, bcubed, clustered = (line.get_ydata() for line in display.lines_)
    np.testing.assert_allclose(pairwise, [1, 0.5, 0])
    np.testing.assert_allclose(bcubed, [1, 2 / 3, 2 / 3])
    np.testing.assert_allclose(clustered, [1, 1, 0])
    assert len(display.ax_.lines) == 3
    assert len(ThresholdDisplay.from_predictions(y, labels, [1, 2, 3], current=2).ax_.lines) == 4
    with pytest.raises(ValueError, match="one row of clusters for each threshold, got 3 rows for 2"):
        ThresholdDisplay.from_predictions(y, labels, [1, 2])


def test_cluster_sizes(trained, partly):
    """Sizes fall; outliers are clusters of one, unlabelled samples are left out."""
    X, y = partly
    display = ClusterSizeDisplay.from_estimator(trained, X, y)
    labels = trained.predict(X)[y != -1]
    sizes = np.concatenate([np.bincount(labels[labels >= 0]), np.ones(np.sum(labels < 0), int)])
    np.testing.assert_array_equal(display.cluster_sizes, sorted(sizes[sizes > 0], reverse=True))
    np.testing.assert_array_equal(
        display.class_sizes, sorted(np.unique(y[y != -1], return_counts=True)[1], reverse=True)
    )
    np.testing.assert_array_equal(display.cluster_line_.get_ydata(), display.cluster_sizes)
    assert display.cluster_line_.get_label().startswith("GCNClustering: ")


def test_clusterings_side_by_side():
    """In the same axes the classes are drawn once, and each clustering in its own colour."""
    first = ClusterSizeDisplay.from_predictions([0, 0, 1], [0, 0, 1])
    second = ClusterSizeDisplay.from_predictions([0, 0, 1], [0, 0, 0], name="all", ax=first.ax_, lw=1)
    assert second.ax_ is first.ax_
    assert second.class_line_ is first.class_line_
    assert second.cluster_line_.get_color() != first.cluster_line_.get_color()
    labels = [text.get_text() for text in second.ax_.get_legend().get_texts()]
    assert labels == ["classes: 2, 1 of one sample", "clusters: 2, 1 of one sample", "all: 1"]


def test_plot_again_in_given_axes():
    """A display draws again where it is told to, with other properties."""
    _, axes = plt.subplots(1, 4)
    sizes = ClusterSizeDisplay.from_predictions([0, 0, 1], [0, 0, 1])
    scores = ProposalScoreDisplay.from_predictions([0.5, 1], [0.5, 1])
    thresholds = ThresholdDisplay.from_predictions([0, 0], [[0, 0]], [1])
    by_size = ProposalSizeDisplay.from_predictions([0.5], [0.5], [2], min_proposals=1)
    for display, ax in zip((sizes, scores, thresholds, by_size), axes, strict=True):
        assert display.plot(ax=ax, linewidth=7, alpha=0.5) is display
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
    assert sizes.cluster_line_.get_linewidth() == 7
    assert [line.get_linewidth() for line in thresholds.lines_] == [7, 7, 7]
    assert by_size.true_line_.get_linewidth() == by_size.predicted_line_.get_linewidth() == 7


def test_without_matplotlib(monkeypatch):
    """The error tells how to get it."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"ClusterSizeDisplay needs matplotlib.*pip install .*\[plot\]"):
        ClusterSizeDisplay.from_predictions([0, 0], [0, 0])


def test_import_without_matplotlib():
    """Nothing imports matplotlib or torch before it is needed."""
    code = (
        "import sys, sklearn_gcncluster; sklearn_gcncluster.plotting, sklearn_gcncluster.load;"
        "print([name for name in ('matplotlib', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
