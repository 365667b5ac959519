"""GCNClustering among other software: scikit-learn's tools, processes, caches."""

import importlib
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

from sklearn_gcncluster import GCNClustering


def untrained(estimator, **parameters):
    """An untrained one like it, with other parameters."""
    return clone(estimator).set_params(**parameters)


def behind(estimator, **parameters):
    """An estimator without training of its own that uses the networks of a trained one."""
    return GCNClustering(
        pretrained=FrozenEstimator(estimator), n_seeds=estimator.n_seeds, random_state=0, **parameters
    )


def counted(monkeypatch, target):
    """A list that grows with each call of a function."""
    calls = []
    module, _, name = target.rpartition(".")
    original = getattr(importlib.import_module(module), name)

    def call(*args, **kwargs):
        calls.append(name)
        return original(*args, **kwargs)

    monkeypatch.setattr(target, call)
    return calls


# Among other software


def test_global_state_is_not_touched(labelled, quick):
    """Random states, threads and the default precision of NumPy and torch."""

    def state():
        return (
            joblib.hash(np.random.get_state()),  # noqa: NPY002 - this one must not change
            joblib.hash(torch.get_rng_state().numpy()),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_grad_enabled(),
        )

    before = state()
    untrained(quick, affinity="learned").fit(*labelled).predict(labelled[0])
    assert state() == before


def test_X_is_not_kept(new, quick):
    """No row is in the file, as it came or of unit length, and what is told of a sample takes little room."""
    X, _ = new
    small, large = (pickle.dumps(behind(quick).fit(part)) for part in (X[:50], X))
    assert len(large) - len(small) < 200 * (len(X) - 50)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert not any(row[:2].tobytes() in large for rows in (X, unit) for row in rows)


def test_import_is_light():
    """Importing the package imports neither torch nor hnswlib."""
    code = (
        "import sys, sklearn_gcncluster; print(sorted({'torch', 'hnswlib', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_clone_and_pickle(labelled, quick):
    """A clone has the parameters only; a pickle everything."""
    X, _ = labelled
    copied = clone(quick)
    assert copied.get_params() == quick.get_params()
    assert not hasattr(copied, "learned_")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(quick)).predict(X), quick.predict(X))


def test_html(quick):
    """Notebooks show the estimator, fitted or not."""
    assert "GCNClustering" in estimator_html_repr(quick)
    assert "GCNClustering" in estimator_html_repr(make_pipeline(clone(quick)))


def test_frozen(labelled, quick):
    """In a FrozenEstimator, fit trains nothing."""
    X, y = labelled
    frozen = make_pipeline(FrozenEstimator(quick)).fit(X, y)
    np.testing.assert_array_equal(frozen.predict(X), quick.predict(X))


def test_cross_validation(labelled, quick):
    """Folds by class, and the estimator's own score."""
    X, y = labelled
    scores = cross_val_score(untrained(quick), X, y, groups=y, cv=GroupKFold(2))
    assert ((scores > 0) & (scores <= 1)).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_grid_search(labelled, quick, n_jobs):
    """Over parameters of proposals, with our scorer's name or without."""
    X, y = labelled
    grid = {"max_supervertex_size": [20, 100], "edge_threshold": ["auto", 0.2]}
    search = GridSearchCV(untrained(quick), grid, cv=GroupKFold(2), n_jobs=n_jobs, error_score="raise")
    search.fit(X, y, groups=y)
    assert set(search.best_params_) == set(grid)
    assert search.predict(X).shape == y.shape
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_metadata_routing(labelled, quick):
    """Nothing breaks with it."""
    X, y = labelled
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(untrained(quick), {"min_score": [0.3, 0.5]}, cv=GroupKFold(2))
        search.fit(X, y, groups=y)
        pipeline = make_pipeline(untrained(quick))
        np.testing.assert_array_equal(pipeline.fit_predict(X, y), clone(pipeline).fit(X, y)[-1].labels_)
    assert "min_score" in search.best_params_


class TopicModel:
    """Calls its `hdbscan_model` in the way BERTopic does."""

    def __init__(self, hdbscan_model):
        self.hdbscan_model = hdbscan_model

    def fit_transform(self, embeddings, y=None):
        """Clusters of documents: fit, then labels_."""
        try:
            self.hdbscan_model.fit(embeddings, y=y)
        except TypeError:
            self.hdbscan_model.fit(embeddings)
        self.topics = self.hdbscan_model.labels_
        self.probabilities = getattr(self.hdbscan_model, "probabilities_", None)
        return self.topics

    def transform(self, embeddings):
        """Clusters of new documents."""
        return self.hdbscan_model.predict(embeddings)


def test_as_the_clusterer_of_a_topic_model(new, quick):
    """A trained estimator takes the place of HDBSCAN."""
    X, _ = new
    model = TopicModel(behind(quick))
    np.testing.assert_array_equal(model.fit_transform(X[:100]), quick.predict(X[:100]))
    assert model.probabilities.shape == (100,)
    np.testing.assert_array_equal(model.transform(X[100:150]), quick.predict(X[100:150]))


# Cache


def test_memory_saves_the_work(labelled, quick, tmp_path, monkeypatch):
    """Other parameters of what comes after training: no search, no training, and the same results."""
    X, y = labelled
    untrained(quick, affinity="learned", memory=str(tmp_path)).fit(X, y)
    calls = [
        counted(monkeypatch, f"sklearn_gcncluster.{name}")
        for name in (
            "_graph._affinity.nearest_neighbors",
            "_graph._link_network.train_links",
            "_nn._detection.train_detection",
            "_nn._segmentation.train_segmentation",
        )
    ]
    memory = joblib.Memory(str(tmp_path), verbose=0)
    downstream = [{"segment": False}, {"overlap": "nms", "min_score": 0.6}, {"outliers": "singletons"}]
    cached = [untrained(quick, affinity="learned", memory=memory, **other).fit(X, y) for other in downstream]
    assert calls == [[], [], [], []]
    for estimator in cached:
        fresh = clone(estimator).set_params(memory=None).fit(X, y)
        np.testing.assert_array_equal(estimator.labels_, fresh.labels_)
        np.testing.assert_array_equal(estimator.probabilities_, fresh.probabilities_)
    assert all(calls)


def test_memory_keeps_detection_apart(labelled, quick, tmp_path, monkeypatch):
    """What GCN-S learns from is no reason to train GCN-D again."""
    X, y = labelled
    estimator = untrained(quick, memory=str(tmp_path)).fit(X, y)
    detection = counted(monkeypatch, "sklearn_gcncluster._nn._detection.train_detection")
    segmentation = counted(monkeypatch, "sklearn_gcncluster._nn._segmentation.train_segmentation")
    other = {"iop_range": (0.1, 0.9), "n_training_seeds": 2}
    cached = clone(estimator).set_params(**other).fit(X, y)
    assert len(detection) == 0
    assert len(segmentation) == 1
    fresh = clone(estimator).set_params(**other, memory=None).fit(X, y)
    np.testing.assert_array_equal(cached.labels_, fresh.labels_)


def test_memory_knows_what_matters(labelled, quick, tmp_path, monkeypatch):
    """Parameters of the proposals search no neighbours again; other samples and other graphs do."""
    X, y = labelled
    estimator = untrained(quick, memory=str(tmp_path)).fit(X, y)
    searches = counted(monkeypatch, "sklearn_gcncluster._graph._affinity.nearest_neighbors")
    clone(estimator).set_params(max_supervertex_size=20, n_jobs=2, verbose=False).fit(X, y)
    assert searches == []
    clone(estimator).set_params(n_neighbors=10).fit(X, y)
    assert searches
    searches.clear()
    estimator.predict(X[:100])
    assert searches
    searches.clear()
    estimator.predict(X[:100])
    assert searches == []


def test_grid_search_searches_neighbors_once_a_fold(labelled, quick, tmp_path, monkeypatch):
    """Twelve candidates of proposal parameters make as many graphs as one, in fit and in score."""
    X, y = labelled
    calls = [
        counted(monkeypatch, f"sklearn_gcncluster.{name}")
        for name in ("_graph._affinity.nearest_neighbors", "_graph._link_network.train_links")
    ]
    learning = untrained(quick, affinity="learned", max_epochs=1)

    def number_of_calls(name, **grid):
        for made in calls:
            made.clear()
        estimator = untrained(learning, memory=str(tmp_path / name))
        search = GridSearchCV(estimator, grid, cv=GroupKFold(2), refit=False).fit(X, y, groups=y)
        return len(search.cv_results_["params"]), list(map(len, calls))

    one, of_one = number_of_calls("one", n_levels=[2])
    twelve, of_twelve = number_of_calls(
        "twelve", n_levels=[1, 2], edge_threshold=["auto", 0.2], max_supervertex_size=[10, 20, 100]
    )
    assert (one, twelve) == (1, 12)
    assert all(of_one)
    assert of_twelve == of_one
