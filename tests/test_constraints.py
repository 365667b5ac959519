"""Constraints hold always, and tell something about the clusters that they touch."""

import numpy as np
import pytest
import sklearn
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_gcncluster import GCNClustering, GCNSegmenter, load_decisions
from sklearn_gcncluster._constraints import check_constraints
from sklearn_gcncluster._obeying import broken_groups, joined, taken_apart, torn_groups, without_rivals
from sklearn_gcncluster._proposals._average_link import average_link_layers
from sklearn_gcncluster.metrics import bcubed_fscore

TINY = {
    "affinity": "neighborhood",
    "metric_learning": False,
    "hidden_channels": (8, 4),
    "n_networks": 1,
    "max_epochs": 1,
    "n_training_seeds": 1,
    "random_state": 0,
}


def draw(n, seed, n_must=40, n_cannot=200, n_groups=15):
    """Random constraints of n rows, without a contradiction."""
    random = np.random.default_rng(seed)
    must = random.integers(0, n, (n_must, 2))
    component = connected_components(csr_array((np.ones(n_must), must.T), shape=(n, n)), directed=False)[1]
    cannot = random.integers(0, n, (n_cannot, 2))
    cannot = cannot[component[cannot[:, 0]] != component[cannot[:, 1]]]
    groups = np.full(n, -1)
    first = np.unique(component, return_index=True)[1]  # one row of a component at most
    groups[first] = random.integers(-1, n_groups, len(first)) * 7
    groups[groups < 0] = -1
    return {"must_link": must, "cannot_link": cannot, "cannot_link_groups": groups}


def assert_hold(labels, must_link=(), cannot_link=(), cannot_link_groups=()):
    """No constraint is violated; noise is no cluster."""
    for left, right in must_link:
        assert left == right or labels[left] == labels[right] >= 0
    for left, right in cannot_link:
        assert labels[left] < 0 or labels[left] != labels[right]
    held = [pair for pair in zip(cannot_link_groups, labels, strict=False) if min(pair) >= 0]
    assert len(held) == len(set(held))


@pytest.fixture(scope="module")
def rows(unseen):
    """Samples with equal rows, and rows of length zero among them."""
    X, _ = unseen
    X = X.copy()
    X[20:40] = X[0]
    X[40:43] = X[50:53]
    X[60:64] = 0
    return X


@pytest.fixture(scope="module")
def quick(trained):
    """An estimator that uses the networks of a trained one, and a segmenter."""
    from sklearn.frozen import FrozenEstimator

    networks = FrozenEstimator(trained)
    return GCNClustering(pretrained=networks, random_state=0), GCNSegmenter(
        pretrained=networks, random_state=0
    )


@pytest.mark.filterwarnings("ignore:X has 4 rows of length zero")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("outliers", ["noise", "singletons"])
def test_they_hold(rows, quick, seed, outliers):
    """In fit, predict and refine, whatever they say, of equal rows and of zero rows too."""
    clusterer, segmenter = quick
    clusterer.set_params(outliers=outliers)
    given = draw(len(rows), seed)
    labels = clusterer.fit_predict(rows, **given)
    assert_hold(labels, **given)
    np.testing.assert_array_equal(clusterer.predict(rows, **given), labels)
    assert len(clusterer.cluster_scores_) == labels.max() + 1 == clusterer.n_clusters_
    assert (clusterer.probabilities_[labels < 0] == 0).all()
    assert ((clusterer.probabilities_ >= 0) & (clusterer.probabilities_ <= 1)).all()
    assert (labels < 0).any() == (outliers == "noise")
    for name in given:
        assert_hold(clusterer.fit_predict(rows, **{name: given[name]}), **{name: given[name]})
    segmenter.set_params(outliers=outliers)
    assert_hold(segmenter.refine(rows, np.arange(len(rows)) // 25 - 1, **given), **given)


def test_they_hold_in_a_fit_with_labels(unseen):
    """What is learned does not depend on them."""
    X, y = unseen
    given = draw(len(X), 5)
    free = GCNClustering(**TINY).fit(X, y)
    bound = GCNClustering(**TINY).fit(X, y, **given)
    assert_hold(bound.labels_, **given)
    for one, other in zip(free.learned_.detection, bound.learned_.detection, strict=True):
        for name in one.parameters:
            np.testing.assert_array_equal(one.parameters[name], other.parameters[name])
    np.testing.assert_array_equal(bound.predict(X), free.predict(X))


def test_equal_rows_apart(quick):
    """Where there is nothing but one row, many times."""
    X, given = np.ones((9, 32)), {"must_link": [[0, 1], [2, 3]], "cannot_link": [[0, 2]]}
    assert_hold(quick[0].fit_predict(X, **given), **given)
    assert_hold(quick[1].refine(X, np.zeros(9, int), **given), **given)
    photo = np.r_[np.zeros(4, int), np.full(5, -1)]
    assert_hold(quick[0].fit_predict(X, cannot_link_groups=photo), cannot_link_groups=photo)


def test_nothing_said_changes_nothing(unseen, quick):
    """Empty constraints, and those that hold anyway."""
    X, _ = unseen
    labels = quick[0].fit_predict(X)
    first, second = np.flatnonzero(labels == 0)[:2]
    other = np.flatnonzero(labels == 1)[0]
    for given in (
        {"must_link": [], "cannot_link": np.empty((0, 2)), "cannot_link_groups": np.full(len(X), -1)},
        {"must_link": [[first, second], [first, first]], "cannot_link": [[other, second]]},
    ):
        np.testing.assert_array_equal(quick[0].fit_predict(X, **given), labels)


def test_an_answer_mends_clusters(identities, quick):
    """A must-link of typical samples joins their clusters, and others stay as they are."""
    _, _, X, y = identities
    clusterer = quick[0].fit(X)
    labels = clusterer.labels_
    sizes = np.bincount(labels[labels >= 0])
    members = [np.flatnonzero(labels == k) for k in range(2)]
    typical = [rows[(X[rows] @ X[rows].mean(axis=0)).argmax()] for rows in members]
    merged = quick[0].fit_predict(X, must_link=[typical])
    assert (merged == merged[typical[0]]).sum() > sizes[1] + 1
    untouched = (labels > 1) | (labels < 0)
    pairs = np.unique(np.stack([labels[untouched], merged[untouched]]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels[untouched]))
    # Answers about clusters in two pieces mend them.
    halves = np.where(np.arange(len(X)) % 2, y, y + y.max() + 1)
    before = bcubed_fscore(y, halves)
    must = [np.flatnonzero(y == k)[:2] for k in np.unique(y)[:15] if (y == k).sum() > 3]
    fixed = GCNSegmenter(pretrained=quick[1].pretrained, merge=False, iop_range=(0, 0))
    free = bcubed_fscore(y, fixed.refine(X, halves))
    assert bcubed_fscore(y, fixed.refine(X, halves, must_link=must)) > max(before, free) + 0.02


# Partitions that obey, against slow references


def slow_violations(labels, constraints):
    """Groups that hold what must stay apart, and groups that hold a part of a component."""
    broken, torn = set(), set()
    component = constraints.component
    for group in set(labels[labels >= 0].tolist()):
        held = set(component[labels == group].tolist())
        cells = {}
        for member, cell in constraints.cells.tolist():
            if member in held:
                cells[cell] = cells.get(cell, 0) + 1
        if any(count > 1 for count in cells.values()) or any(
            left in held and right in held for left, right in constraints.pairs.tolist()
        ):
            broken.add(group)
        if any((labels[component == one] != group).any() for one in held):
            torn.add(group)
    return broken, torn


@pytest.mark.parametrize("seed", range(5))
def test_partitions_obey(seed):
    """Violations are found; each way out of them leaves none, and parts lie within groups."""
    random = np.random.default_rng(seed)
    n = 60
    weights = random.random((n, n)) * (random.random((n, n)) < 0.2)
    affinity = csr_array(np.triu(weights, 1) + np.triu(weights, 1).T, dtype=np.float32)
    constraints = check_constraints(*draw(n, seed, 12, 40, 6).values(), n)
    labels = random.integers(-1, 5, n) * 3
    labels[labels < 0] = -1
    broken, torn = slow_violations(labels, constraints)
    assert set(broken_groups(labels, constraints).tolist()) == broken
    assert set(torn_groups(labels, constraints).tolist()) == torn
    for leading in (None, random.random(n) < 0.3, np.ones(n, bool)):
        whole = joined(labels, constraints, affinity, leading)
        assert not slow_violations(whole, constraints)[1]
        parts = taken_apart(whole, constraints, affinity, 10)
        assert slow_violations(parts, constraints) == (set(), set())
        assert len(np.unique(np.stack([parts, whole]), axis=1).T) == len(np.unique(parts))
        fewer = without_rivals(whole, constraints, affinity)
        assert slow_violations(fewer, constraints) == (set(), set())
        assert set(np.unique(whole[fewer != whole]).tolist()) <= slow_violations(whole, constraints)[0]
        np.testing.assert_array_equal(fewer[fewer >= 0], whole[fewer >= 0])


def test_average_link_keeps_apart():
    """Layers hold nothing that must stay apart, and are the usual ones where nothing must."""
    random = np.random.default_rng(0)
    n = 80
    weights = np.triu(random.random((n, n)), 1)
    affinity, thresholds = csr_array(weights + weights.T), np.array([0.8, 0.5, 0.2])
    constraints = check_constraints(None, *list(draw(n, 1, 0, 100, 10).values())[1:], n)
    for missing in ("zero", "ignore"):
        free = average_link_layers(affinity, thresholds, missing, 20)
        layers = average_link_layers(affinity, thresholds, missing, 20, apart=constraints.apart())
        assert all(slow_violations(layer, constraints)[0] == set() for layer in layers)
        assert slow_violations(free[-1], constraints)[0]
        nothing = check_constraints([[0, 1]], None, None, n)._replace(component=np.arange(n)).apart()
        np.testing.assert_array_equal(
            average_link_layers(affinity, thresholds, missing, 20, apart=nothing), free
        )


# Errors, routing, and where constraints come from


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"must_link": [[4, 2], [2, 7], [7, 5], [1, 3]], "cannot_link": [[0, 1], [5, 4]]},
            r"rows 5 - 7 - 2 - 4 belong together, but cannot_link says that rows 5 and 4 do not",
        ),
        (
            {"must_link": [[1, 8]], "cannot_link_groups": [9, 7, -1, -1, -1, 9, -1, 9, 7, -1]},
            r"rows 1 - 8 belong together, but rows 1 and 8 are of one group \(7\) in cannot_link_groups",
        ),
        ({"must_link": [[0, 10]]}, "must_link has row 10, but X has 10 samples"),
        ({"cannot_link": [[-1, 1]]}, "cannot_link has row -1, but X has 10 samples"),
        ({"cannot_link": [[3, 3]]}, "cannot_link has row 3 twice in a pair"),
        ({"must_link": [1, 2]}, r"must_link has shape \(2,\), but must hold pairs"),
        ({"must_link": [[0.5, 2]]}, r"must_link must hold integers, got .*0\.5"),
        ({"cannot_link_groups": [1, 2]}, "cannot_link_groups has 2 values for 10 samples"),
        ({"cannot_link_groups": list("abcdefghij")}, "cannot_link_groups must hold integers"),
        (
            {"cannot_link_groups": np.full(10, 2**63 + 5, np.uint64)},
            r"cannot_link_groups must hold integers from -2\*\*63 .* got 9223372036854775813. Number such",
        ),
        (
            {"cannot_link_groups": np.full(10, 1e300)},
            "cannot_link_groups must hold .* got 1e.300",
        ),
        ({"must_link": np.array([[0, 2**64 - 1]], np.uint64)}, "must_link must hold integers from"),
    ],
)
def test_mistakes(quick, given, message):
    """One message that names rows, before anything is computed; the estimator stays as it was."""
    X = np.random.default_rng(0).normal(size=(10, 32))
    clusterer = quick[0].fit(X[:9])
    before = clusterer.labels_
    for method in (clusterer.fit, clusterer.fit_predict, clusterer.predict):
        with pytest.raises(ValueError, match=message):
            method(X, **given)
    assert clusterer.labels_ is before
    with pytest.raises(ValueError, match=message):
        quick[1].refine(X, np.zeros(10, int), **given)


def test_routing(unseen, quick):
    """They pass through pipelines; groups, which are of samples, through searches too."""
    X, y = unseen
    given = draw(len(X), 2)
    with sklearn.config_context(enable_metadata_routing=True):
        clusterer = sklearn.clone(quick[0])
        clusterer.set_fit_request(must_link=True, cannot_link=True, cannot_link_groups=True)
        clusterer.set_predict_request(must_link=True, cannot_link=True, cannot_link_groups=True)
        pipeline = make_pipeline(Normalizer(), clusterer).fit(X, **given)
        assert_hold(pipeline[-1].labels_, **given)
        assert_hold(pipeline.predict(X, **given), **given)
        groups = given["cannot_link_groups"]
        learner = GCNClustering(**TINY).set_fit_request(cannot_link_groups=True)
        search = GridSearchCV(learner, {"min_score": [0.2, 0.4]}, cv=GroupKFold(2).split(X, groups=y))
        search.fit(X, y, cannot_link_groups=groups)
        assert_hold(search.best_estimator_.labels_, cannot_link_groups=groups)


def test_decisions_are_obeyed(unseen, quick):
    """What was decided on the page of a report holds in the next clustering."""
    X, _ = unseen
    labels = quick[0].fit_predict(X)
    mates, (left, right) = np.flatnonzero(labels == 0)[:2], [np.flatnonzero(labels == k)[0] for k in (1, 2)]
    text = f'{{"must_link": [[{left}, {right}]], "cannot_link": [[{mates[0]}, {mates[1]}]]}}'
    decisions = load_decisions(text, n_samples=len(X))
    assert_hold(quick[0].fit_predict(X, **decisions._asdict()), *decisions)
