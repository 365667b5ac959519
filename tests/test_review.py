"""Questions about clusters, and what answers do."""

import numpy as np
import pandas as pd
import pytest
from sklearn.frozen import FrozenEstimator

from sklearn_gcncluster import ClusterReport, GCNClustering
from sklearn_gcncluster.metrics import bcubed_fscore


@pytest.fixture(scope="module")
def rows(identities):
    """Samples of new classes, some of them twice: X, y."""
    _, _, X, y = identities
    return np.concatenate([X, X[:20]]), np.concatenate([y, y[:20]])


@pytest.fixture(scope="module")
def clusterer(trained, rows):
    """With the networks of another."""
    return GCNClustering(pretrained=FrozenEstimator(trained), random_state=0).fit(rows[0])


@pytest.fixture(scope="module")
def proposals(clusterer, rows):
    """Of these samples."""
    return clusterer.score_proposals(rows[0])


def answers(questions, y):
    """Constraints that the truth makes of questions."""
    pairs = np.array([(question["first"], question["second"]) for question in questions]).reshape(-1, 2)
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    return {"must_link": pairs[same], "cannot_link": pairs[~same]}


def test_questions(clusterer, proposals, rows):
    """Of all kinds, in falling order of gain, about the clusters that they name, none twice."""
    X, _ = rows
    questions = proposals.review(1000)
    assert questions == clusterer.review(X, 1000)
    table = pd.DataFrame(questions)
    assert list(table) == ["kind", "first", "second", "gain", "clusters"]
    assert set(table.kind) == {"merge", "outlier", "split"}
    assert table.gain.is_monotonic_decreasing
    assert table.gain.min() >= 0
    assert not table[["first", "second"]].duplicated().any()
    labels = clusterer.predict(X)
    for question in questions:
        pair = labels[[question["first"], question["second"]]]
        assert question["first"] != question["second"]
        assert question["clusters"] == sorted(set(pair.tolist()) - {-1})
        if question["kind"] == "split":
            assert pair[0] == pair[1] >= 0
        else:
            assert pair[0] != pair[1] or (pair == -1).all()
            assert (question["kind"] == "outlier") == (np.count_nonzero(pair < 0) == 1)
    splits = table[table.kind == "split"].clusters
    assert not splits.map(tuple).duplicated().any()
    assert proposals.review(3) == questions[:3]
    report = ClusterReport(labels, questions=questions[:20])
    assert len(report.content["questions"]) == 20


def test_answers_mend(proposals, rows):
    """Those to the queue make clusters better, and are not asked again."""
    _, y = rows
    before = bcubed_fscore(y, proposals.cluster())
    first = proposals.review(30)
    given = answers(first, y)
    assert len(given["must_link"]) > 2
    after = bcubed_fscore(y, proposals.cluster(**given))
    assert after > before
    again = proposals.review(200, **given)
    asked = {frozenset((question["first"], question["second"])) for question in first}
    assert not asked & {frozenset((question["first"], question["second"])) for question in again}
    photos = np.zeros(len(y), int)  # all samples are apart, so nothing is left to ask
    assert proposals.review(cannot_link_groups=photos) == []


def test_clusters_of_proposals_obey(proposals, clusterer, rows):
    """As those of the estimator do."""
    X, y = rows
    given = answers(proposals.review(10), y)
    np.testing.assert_array_equal(proposals.cluster(**given), clusterer.predict(X, **given))
    with pytest.raises(ValueError, match="Constraints contradict each other"):
        proposals.cluster(must_link=[[0, 1]], cannot_link=[[1, 0]])
