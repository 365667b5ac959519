"""Tests of scored proposals, as users see them."""

import copy
from collections import Counter

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator

from sklearn_gcncluster import GCNClustering, ScoredProposals
from sklearn_gcncluster.metrics import bcubed_fscore

SETTINGS = [
    {},
    {"overlap": "deoverlap", "min_score": 0.0},
    {"overlap": "deoverlap", "min_score": 0.6},
    {"overlap": "nms", "max_overlap": 0.2},
    {"outliers": "singletons"},
    {"outliers": "singletons", "min_score": 0.7},
    {"min_score": 1.0},
]
no_outlier_warning = pytest.mark.filterwarnings("ignore:.* of the samples are outliers")


@pytest.fixture(scope="module")
def repeated(unseen):
    """Unseen samples, some of them twice and one of them often, in another order: X, y."""
    X, y = unseen
    rows = np.concatenate([np.arange(len(X)), np.arange(0, len(X), 5), np.full(60, 3)])
    rows = np.random.default_rng(0).permutation(rows)
    return X[rows], y[rows]


@pytest.fixture(scope="module")
def segmenting(trained):
    """The trained estimator, which segments all clusters."""
    return copy.deepcopy(trained).set_params(iop_range=(0.0, 1.0))


@pytest.fixture(scope="module")
def scored(segmenting, repeated):
    """Their proposals."""
    return segmenting.score_proposals(repeated[0])


def members_of(proposals):
    """Samples of each proposal, as sets."""
    return [set(np.flatnonzero(row).tolist()) for row in proposals.membership.toarray()]


def first_of_copies(X):
    """For each sample the number of the first that equals it."""
    _, first, inverse = np.unique(X, axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)]


def test_what_is_told(scored, repeated):
    """Shapes and kinds; every sample is proposed alone; what GCN-S left comes last."""
    X, _ = repeated
    assert isinstance(scored, ScoredProposals)
    n_proposals = len(scored.scores)
    assert scored.membership.shape == (n_proposals, len(X))
    assert scored.membership.dtype == bool
    assert scored.scores.shape == (n_proposals, 2)
    assert scored.scores.dtype == np.float32
    assert ((scored.scores >= 0) & (scored.scores <= 1)).all()
    assert scored.segmented.dtype == bool
    assert (np.diff(scored.segmented.astype(int)) >= 0).all()
    assert 0 < scored.segmented.sum() < n_proposals
    groups = members_of(scored)
    first = first_of_copies(X)
    n_empty = sum(not group for group in groups)  # copies that stand for another, each proposed alone
    assert n_empty <= len(X) - len(np.unique(first))
    alone = {frozenset(np.flatnonzero(first == number).tolist()) for number in first}
    assert alone <= set(map(frozenset, groups))


def test_copies_are_in_the_same_proposals(scored, repeated):
    """Equal samples are all in a proposal, or none of them, unless it holds nothing else."""
    first = first_of_copies(repeated[0])
    for row in scored.membership.toarray():
        assert (row == row[first]).all() or len(set(first[row])) == 1


def test_labels_are_proposals(scored, repeated):
    """By plain de-overlap each sample is in the best proposal that holds it, as a loop finds it."""
    X, _ = repeated
    expected = np.full(len(X), -1)
    first = first_of_copies(X)
    groups = members_of(scored)
    for number in np.argsort(-scored.scores[:, 0], kind="stable"):
        free = [sample for sample in groups[number] if expected[sample] < 0]
        expected[free] = number
    labels = scored.cluster(overlap="deoverlap", min_score=0)
    for number in np.unique(labels[labels >= 0]):
        assert len(set(expected[labels == number])) == 1
    for number in np.unique(expected):
        assert len(set(labels[expected == number])) == 1
        if len(set(first[expected == number])) > 1:
            assert labels[expected == number][0] >= 0


@no_outlier_warning
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_cluster_is_predict(segmenting, scored, repeated, settings):
    """The last step by hand gives the labels of predict."""
    X, _ = repeated
    estimator = copy.deepcopy(segmenting).set_params(**settings)
    labels = scored.cluster(**settings)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, estimator.predict(X))
    before = {name: getattr(segmenting, name) for name in ("overlap", "max_overlap", "min_score", "outliers")}
    np.testing.assert_array_equal(scored.cluster(**before), segmenting.predict(X))


def test_without_segmentation(segmenting, unseen):
    """An estimator that does not segment proposes the same, without the last part."""
    whole = segmenting.score_proposals(unseen[0])
    assert all(members_of(whole))
    part = copy.deepcopy(segmenting).set_params(segment=False).score_proposals(unseen[0])
    assert not part.segmented.any()
    n_first = len(part.scores)
    assert n_first == np.count_nonzero(~whole.segmented)
    assert (part.membership != whole.membership[:n_first]).nnz == 0
    np.testing.assert_array_equal(part.scores, whole.scores[:n_first])


@pytest.mark.parametrize("unlabelled", [0, 0.3])
def test_true_scores_equal_sets(segmenting, unseen, unlabelled):
    """IoU and IoP of each proposal with its most frequent class, as sets of labelled samples."""
    X, y = unseen
    y = np.where(np.random.default_rng(0).random(len(y)) < unlabelled, -1, y)
    proposals = segmenting.score_proposals(X)
    found = proposals.true_scores(y)
    assert found.shape == proposals.scores.shape
    assert found.dtype == np.float32
    n_unknown = 0
    for members, (iou, iop) in zip(members_of(proposals), found, strict=True):
        known = [sample for sample in members if y[sample] >= 0]
        if not known:
            n_unknown += 1
            assert np.isnan([iou, iop]).all()
            continue
        votes = Counter(y[known].tolist())
        majority = min(votes, key=lambda code: (-votes[code], code))
        its_class = set(np.flatnonzero(y == majority).tolist())
        assert iop == pytest.approx(len(its_class & set(known)) / len(known))
        assert iou == pytest.approx(len(its_class & set(known)) / len(its_class | set(known)))
    assert (n_unknown > 0) == (unlabelled > 0)
    names = [label if label < 0 else f"person {label:02}" for label in y.tolist()]
    np.testing.assert_array_equal(proposals.true_scores(names), found)


def test_ranked_by_other_scores(segmenting, unseen):
    """With the true scores in place of the predicted ones clusters are better; negative ones come last."""
    X, y = unseen
    proposals = segmenting.score_proposals(X)
    true = proposals.true_scores(y)[:, 0]
    plain = {"overlap": "deoverlap", "min_score": 0}
    ideal = proposals.cluster(scores=true, **plain)
    assert bcubed_fscore(y, ideal) > bcubed_fscore(y, proposals.cluster(**plain))
    np.testing.assert_array_equal(proposals.cluster(scores=true.tolist(), **plain), ideal)
    sizes = np.diff(proposals.membership.indptr)
    pairs = np.where(sizes == 2, proposals.scores[:, 0], -1)
    assert np.bincount(np.bincount(proposals.cluster(scores=pairs, **plain) + 1)[1:])[3:].sum() == 0
    np.testing.assert_array_equal(proposals.cluster(), proposals.cluster(scores=proposals.scores[:, 0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": "none"}, "The 'overlap' parameter"),
        ({"max_overlap": 2}, "The 'max_overlap' parameter"),
        ({"min_score": -0.1}, "The 'min_score' parameter"),
        ({"outliers": "split"}, "The 'outliers' parameter"),
        ({"scores": "iou"}, "The 'scores' parameter"),
        ({"scores": [0.5, 0.5]}, "scores"),
    ],
    ids=str,
)
def test_impossible_settings(scored, arguments, message):
    """Errors name the parameter."""
    with pytest.raises(ValueError, match=message):
        scored.cluster(**arguments)


def test_impossible_truth(scored, repeated):
    """As many classes as samples are asked for."""
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        scored.true_scores(repeated[1][:-1])


def test_nothing_to_propose(segmenting, unseen):
    """Samples that are all equal are no two that could be told apart."""
    X, _ = unseen
    for rows in (X[:1], np.repeat(X[:1], 5, axis=0)):
        with pytest.raises(
            ValueError, match=f"X has {len(rows)} samples, but no two that differ.*Give others"
        ):
            segmenting.score_proposals(rows)


@no_outlier_warning
def test_later_calls_do_not_matter(segmenting, unseen):
    """Clusters are those of the samples that were scored, whatever the estimator does afterwards."""
    X, _ = unseen
    estimator = GCNClustering(pretrained=FrozenEstimator(segmenting), random_state=0).fit(X)
    proposals, labels = estimator.score_proposals(X), estimator.labels_
    estimator.set_params(min_score=0.9, overlap="nms", outliers="singletons").predict(X[::2])
    np.testing.assert_array_equal(proposals.cluster(), labels)
