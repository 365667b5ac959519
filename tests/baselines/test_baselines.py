"""What both baselines promise, and what they do where there is next to nothing to cluster."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold

from sklearn_gcncluster import record_stages
from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation, _base, _neighborhoods
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore

BASELINES = [
    ApproximateRankOrder(random_state=0),
    ConsensusPropagation(random_state=0),
    ConsensusPropagation(committee=[slice(None), slice(0, 4), "passthrough"], random_state=0),
]
both = pytest.mark.parametrize("clusterer", BASELINES, ids=["rank-order", "propagation", "committee"])


@both
def test_well_separated_classes(clusterer):
    """Far groups are found by the automatic threshold, with labels or without."""
    centres = 20 * np.random.default_rng(0).normal(size=(12, 8))
    y = np.repeat(np.arange(12), 50)
    X = centres[y] + np.random.default_rng(1).normal(size=(600, 8))
    assert bcubed_fscore(y, clone(clusterer).fit_predict(X)) > 0.98
    assert bcubed_fscore(y, clone(clusterer).fit(X, np.where(y % 3, y, -1)).labels_) > 0.98


@both
@pytest.mark.parametrize("threshold", ["auto", 0.5])
def test_numbers_of_clusters(clusterer, threshold):
    """0 is the largest, no cluster has one sample, and n_clusters_ counts them."""
    X, _ = make_identities(500, n_features=32, class_spread=0.5, random_state=0)
    clusterer = clone(clusterer).set_params(threshold=threshold).fit(X)
    sizes = np.bincount(clusterer.labels_[clusterer.labels_ >= 0])
    assert len(sizes) == clusterer.n_clusters_ > 2
    assert sizes.min() >= 2
    assert (np.diff(sizes) <= 0).all()
    assert clusterer.labels_.min() == -1
    assert clusterer.labels_.dtype == np.int64


@both
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_prediction_uses_the_threshold_of_fit(clusterer, metric, labelled):
    """The samples of fit are clustered as in fit, others as at that threshold, and nothing is changed."""
    X, y = make_identities(400, n_features=8, random_state=0)
    clusterer = clone(clusterer).set_params(metric=metric).fit(X[:200], y[:200] if labelled else None)
    before = clusterer.labels_.copy()
    np.testing.assert_array_equal(clusterer.predict(X[:200]), before)
    labels = clusterer.predict(X[200:])
    assert clusterer.score(X[200:], y[200:]) == bcubed_fscore(y[200:], labels)
    np.testing.assert_array_equal(clusterer.labels_, before)
    if not labelled:
        fixed = clone(clusterer).set_params(threshold=clusterer.threshold_)
        np.testing.assert_array_equal(fixed.fit_predict(X[200:]), labels)


@both
@pytest.mark.parametrize("algorithm", ["brute", "hnsw"])
def test_order_of_rows_does_not_matter(clusterer, algorithm):
    """Nor do repeated rows, nor the number of workers."""
    X, y = make_identities(150, n_features=8, random_state=0)
    X, y = np.concatenate([X, X[:30], X[:10]]), np.concatenate([y, y[:30], y[:10]])
    order = np.random.default_rng(0).permutation(len(X))
    clusterer = clone(clusterer).set_params(algorithm=algorithm)
    n_jobs = 2 if algorithm == "hnsw" else None  # threads there, and processes elsewhere, which take long
    for labels in (None, y):
        first = clone(clusterer).fit(X, labels)
        other = clone(clusterer).set_params(n_jobs=n_jobs)
        second = other.fit(X[order], None if labels is None else y[order])
        np.testing.assert_array_equal(first.labels_[order], second.labels_)
        assert first.threshold_ == second.threshold_


@both
def test_equal_rows_share_a_label(clusterer):
    """However many there are."""
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 4)), np.arange(1, 21), axis=0)
    labels = clone(clusterer).fit_predict(X)
    assert len(np.unique(np.column_stack([X[:, 0], labels]), axis=0)) == 20
    assert (labels[1:] >= 0).all()


@both
@pytest.mark.parametrize("threshold", ["auto", 0.5])
def test_one_sample(clusterer, threshold):
    """It is alone; labels of it would teach nothing."""
    clusterer = clone(clusterer).set_params(threshold=threshold).fit(np.ones((1, 4)))
    assert clusterer.labels_.tolist() == [-1]
    assert clusterer.n_clusters_ == 0
    assert clusterer.predict(np.eye(4)).shape == (4,)
    with pytest.raises(ValueError, match=r"y has one class \(3\) among 1 samples"):
        clusterer.fit(np.ones((1, 4)), [3])


@both
@pytest.mark.parametrize("n_samples", [2, 3, 500])
def test_all_rows_equal(clusterer, n_samples):
    """One cluster."""
    clusterer = clone(clusterer).fit(np.ones((n_samples, 4)))
    assert clusterer.labels_.tolist() == [0] * n_samples
    assert clusterer.n_clusters_ == 1


@pytest.mark.parametrize("clusterer", BASELINES[:2])
@pytest.mark.parametrize("labelled", [False, True])
def test_rows_without_a_direction(clusterer, labelled):
    """They are outliers, with a warning, and change nothing else; nothing but such rows is an error."""
    X, y = make_identities(200, n_features=32, random_state=0)
    wide = np.concatenate([np.zeros((2, 32)), X])
    expected = clone(clusterer).fit(X, y if labelled else None)
    with pytest.warns(UserWarning, match="X has 2 rows of length zero, .* they are outliers"):
        fitted = clone(clusterer).fit(wide, np.append([0, 1], y) if labelled else None)
    assert fitted.labels_.tolist() == [-1, -1, *expected.labels_]
    with pytest.warns(UserWarning, match="X has 3 rows of length zero"):
        assert fitted.predict(np.zeros((3, 32))).tolist() == [-1, -1, -1]
    with (
        pytest.warns(UserWarning, match="X has 3 rows of length zero"),
        pytest.raises(ValueError, match="X has 3 rows, none of which has a direction"),
    ):
        clone(clusterer).fit(np.zeros((3, 32)))


@both
def test_two_samples(clusterer):
    """Few samples are no error, whatever comes of them."""
    assert clone(clusterer).fit_predict(np.eye(2)).shape == (2,)


@pytest.mark.parametrize("clusterer", BASELINES[:2])
@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_graph_without_links(clusterer, metric):
    """Everybody is alone; so is, beside a pair, a sample without links."""
    clusterer = clone(clusterer).set_params(metric=metric)
    assert clusterer.fit_predict(sp.csr_array((5, 5))).tolist() == [-1] * 5
    pair = sp.csr_array(([0.9], ([1], [3])), shape=(5, 5))
    assert clusterer.set_params(threshold=0.1).fit_predict(pair).tolist() == [-1, 0, -1, 0, -1]


@both
def test_labels_that_teach_nothing(clusterer):
    """Errors give what was found and a remedy."""
    X = np.random.default_rng(0).normal(size=(20, 4))
    with pytest.raises(ValueError, match=r"no labelled sample \(all are -1\) among 20 .* call fit\(X\)"):
        clone(clusterer).fit(X, np.full(20, -1))


@pytest.mark.parametrize("clusterer", BASELINES[:2])
def test_a_graph_must_be_square(clusterer):
    """In fit and in predict."""
    clusterer = clone(clusterer).set_params(metric="precomputed")
    with pytest.raises(ValueError, match="X has 4 features, but .* is expecting 3 features as input"):
        clusterer.fit(np.ones((3, 4)))
    clusterer.fit(1 - np.eye(4))
    with pytest.raises(ValueError, match="make one of the new samples alone"):
        clusterer.predict(np.ones((3, 4)))
    assert clusterer.predict(1 - np.eye(3)).shape == (3,)


@pytest.mark.parametrize("clusterer", BASELINES[:2])
def test_grid_search(clusterer):
    """Other parameters are chosen by cross-validation over classes."""
    X, y = make_identities(300, n_features=8, random_state=0)
    search = GridSearchCV(clusterer, {"n_neighbors": [5, 10]}, cv=GroupKFold(2)).fit(X, y, groups=y)
    assert search.best_params_["n_neighbors"] in (5, 10)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@both
def test_names_of_classes(clusterer):
    """Strings name classes as well as numbers do."""
    X, y = make_identities(300, n_features=8, random_state=0)
    names = np.array([f"class {code}" for code in y])
    np.testing.assert_array_equal(clone(clusterer).fit(X, y).labels_, clone(clusterer).fit(X, names).labels_)


@both
def test_failed_fit_changes_nothing(clusterer, monkeypatch):
    """Whether it fails or is interrupted, the estimator is as it was before."""
    X, y = make_identities(200, n_features=8, random_state=0)
    clusterer = clone(clusterer).fit(X, y)
    before = vars(clusterer).copy()
    expected = clusterer.predict(X)

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(_base, "number_clusters", interrupt)
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(X[:, :5])
    monkeypatch.undo()
    with pytest.raises(ValueError, match="NaN"):
        clusterer.fit(np.full((9, 3), np.nan))
    assert vars(clusterer).keys() == before.keys()
    assert all(vars(clusterer)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(clusterer.predict(X), expected)


@both
def test_neighbours_are_searched_once(clusterer, tmp_path, monkeypatch):
    """With memory, a search over later parameters does not search neighbours again."""
    X, _ = make_identities(200, n_features=8, random_state=0)
    expected = [clone(clusterer).set_params(threshold=one).fit_predict(X) for one in (0.4, 0.6)]
    found = []
    search = _neighborhoods.nearest_neighbors

    def count(*args, **kwargs):
        found.append(1)
        return search(*args, **kwargs)

    monkeypatch.setattr(_neighborhoods, "nearest_neighbors", count)
    clusterer = clone(clusterer).set_params(memory=tmp_path, threshold=0.4)
    np.testing.assert_array_equal(clusterer.fit_predict(X), expected[0])
    n_searches = len(found)
    assert n_searches > 0
    np.testing.assert_array_equal(clusterer.set_params(threshold=0.6).fit_predict(X), expected[1])
    assert len(found) == n_searches


@both
def test_stages(clusterer, capsys):
    """The time of each is recorded, and printed on request."""
    X, y = make_identities(200, n_features=8, random_state=0)
    expected = ["neighbors", "links", "threshold"]
    if getattr(clusterer, "committee", None):
        expected.insert(1, "mediator")
    with record_stages() as stages:
        clone(clusterer).set_params(verbose=2).fit(X, y)
    assert list(stages) == expected
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(":")[0] for line in lines] == [
        f"[{type(clusterer).__name__}] {name}" for name in expected
    ]
