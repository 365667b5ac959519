"""Tests of the models that say how probable links are."""

import copy

import joblib
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sklearn_gcncluster._folds import class_folds
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._link_models import View, context_of, judge_links, learn_links, shortened_links
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster.datasets import make_identities


def views_of(n_links, seed, n_samples=600):
    """Views of identities, in two folds."""
    X, y = make_identities(n_samples, n_features=32, random_state=seed)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = np.unique(y, return_inverse=True)[1]
    neighbors, distances = nearest_neighbors(X, 40)
    folds = class_folds(y, 2, np.random.default_rng(0))
    links = shortened_links(neighbors, dissimilarities_of(distances, "cosine"))
    return [View(X, X, one, y, folds, n_links) for one in links]


def auc(links, probability, y):
    """How well probable links are told from others."""
    return roc_auc_score(y[links.rows] == y[links.cols], probability)


@pytest.fixture(scope="module")
def known():
    """Models that saw many links of other samples."""
    return learn_links(views_of(20_000, seed=1), 0)[1]


def test_links_of_new_samples():
    """Models tell links inside classes from others, on samples and classes never seen."""
    probabilities, models = learn_links(views_of(20_000, seed=0), 0)
    view = views_of(1, seed=2)[0]
    links, probability, unknown = judge_links(view.embedding, view.mapped, view.links, models)
    assert auc(links, probability, view.y) > 0.8
    assert 0 <= unknown < 0.2
    assert (probability >= 0.01).all()
    assert probability.dtype == np.float32
    for view, (links, probability) in zip(views_of(1, seed=0), probabilities, strict=True):
        assert auc(links, probability, view.y) > 0.7


def test_known_models_are_taken_if_better(known):
    """From a few links, others' models win; models that say the opposite of the truth never do."""
    few = views_of(60, seed=0)
    alone, beside = (learn_links(few, 0, start) for start in (None, known))
    for name, number in (("first", 0), ("second", 1)):
        theirs, ours, others = (
            getattr(models, name)[number].weights[0] for models in (beside[1], alone[1], known)
        )
        np.testing.assert_array_equal(theirs, others)
        assert (ours != others).any()
    np.testing.assert_array_equal(beside[1].low, known.low)
    y = few[0].y
    assert auc(*beside[0][0], y) > auc(*alone[0][0], y)
    wrong = copy.deepcopy(known)
    for model in (*wrong.first, *wrong.second):
        model.weights[2][:] *= -1
    refused = learn_links(few, 0, wrong)[1]
    assert joblib.hash(refused) == joblib.hash(alone[1])


def test_context_tells_how_features_are_spread():
    """Mean, deviation, its logarithm and quantiles of each feature; all finite where there are no links."""
    values = np.random.default_rng(0).exponential(2, size=(5000, 3)).astype(np.float32) * [1, 10, 0]
    context = context_of(values)
    np.testing.assert_allclose(context[0], values.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(context[1], values.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(context[2], np.log(values.std(axis=0) + 0.01), rtol=1e-5)
    assert (values[:, 0] < context[0, 0] + context[3, 0] * context[1, 0]).mean() == pytest.approx(
        0.1, abs=0.01
    )
    np.testing.assert_allclose(context[3:, 0], context[3:, 1], atol=0.05)  # of the shape alone, not the scale
    assert np.isfinite(context).all()
    assert np.isfinite(context_of(values[:0])).all()
    assert context_of(values[:0]).shape == context.shape


def test_same_seed_same_models(known):
    """Models depend on the seed alone."""
    again, other = (learn_links(views_of(20_000, seed=1), seed)[1] for seed in (0, 5))
    np.testing.assert_array_equal(again.second[0].weights[1], known.second[0].weights[1])
    assert (other.second[0].weights[1] != known.second[0].weights[1]).any()
