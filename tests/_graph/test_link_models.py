"""Tests of the models that say how probable links are."""

import joblib
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sklearn_gcncluster._folds import class_folds
from sklearn_gcncluster._graph import _link_models
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._link_models import (
    N_MANY_SETS,
    N_ONE_SET,
    View,
    all_features,
    context_of,
    first_inputs,
    judge_links,
    learn_links,
    second_inputs,
    shortened_links,
)
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._pretrained import load_pretrained
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


def test_links_of_new_samples():
    """Models tell links inside classes from others, on samples and classes never seen."""
    probabilities, models = learn_links(views_of(20_000, seed=0), 0)
    view = views_of(1, seed=2)[0]
    links, probability, unknown, _ = judge_links(view.embedding, view.mapped, view.links, models)
    assert auc(links, probability, view.y) > 0.8
    assert 0 <= unknown < 0.2
    assert (probability >= 0.01).all()
    assert probability.dtype == np.float32
    for view, (links, probability) in zip(views_of(1, seed=0), probabilities, strict=True):
        assert auc(links, probability, view.y) > 0.7


def test_models_of_one_set_count_as_much_as_those_of_many():
    """Mean log-odds over both kinds, each the mean over its models, however many these are."""
    learned = learn_links(views_of(2_000, seed=0), 0)[1].first
    universal = load_pretrained("universal").links.first[:1]
    view = views_of(1, seed=2)[0]
    inputs = first_inputs(view.embedding, view.mapped, view.links, N_MANY_SETS)
    part = np.arange(500)
    of_one, of_many = inputs.odds(part, learned), inputs.odds(part, universal)
    assert len(learned) == 2 != len(universal)
    np.testing.assert_allclose(inputs.odds(part, learned + universal), (of_one + of_many) / 2, rtol=1e-5)
    np.testing.assert_allclose(
        of_one, np.mean([inputs.odds(part, [model]) for model in learned], axis=0), rtol=1e-5
    )


def test_models_of_one_set_do_not_see_lengths():
    """Whether models of many sets judge beside them or not, they see the same features, in both rounds."""
    models = learn_links(views_of(2_000, seed=0), 0)[1]
    view = views_of(1, seed=2)[0]
    part, found = np.arange(len(view.links.rows)), []
    for n_known in (N_ONE_SET, N_MANY_SETS):
        first = first_inputs(view.embedding, view.mapped, view.links, n_known)
        probability = 1 / (1 + np.exp(-first.odds(part, models.first)))
        second = second_inputs(first.features(part), view.embedding, view.links, probability)
        assert first.features(part).shape[1] == n_known
        assert second.features(part[:3]).shape[1] - n_known == models.second[0].n_features - N_ONE_SET
        found.append((probability, second.odds(part, models.second)))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


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


def test_same_seed_same_models():
    """Models depend on the seed alone, and not on how many are trained side by side."""
    views = views_of(500, seed=1, n_samples=250)
    (found, models), again, other = (learn_links(views, seed) for seed in (0, 0, 5))
    with joblib.parallel_config("threading"):
        beside = learn_links(views, 0, n_jobs=2)
    assert joblib.hash(again) == joblib.hash(beside) == joblib.hash((found, models))
    for name in ("first", "second"):
        ours, others = (getattr(one, name) for one in (models, other[1]))
        assert len(ours) == 2  # one for each fold
        assert (ours[0].weights[1] != ours[1].weights[1]).any()
        assert (ours[0].weights[1] != others[0].weights[1]).any()


def test_known_range_is_of_all_links():
    """What counts as known are the middle 99.8 % of each feature, of all links of all views."""
    views = views_of(50, seed=1)
    models = learn_links(views, 0)[1]
    values = [all_features(first_inputs(view.embedding, view.mapped, view.links)) for view in views]
    low, high = np.quantile(np.concatenate(values), [0.001, 0.999], axis=0)
    np.testing.assert_allclose(models.low, low, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(models.high, high, rtol=1e-4, atol=1e-4)


def test_features_of_all_links_are_those_of_each(monkeypatch):
    """Made block by block, they are what they are for any links alone."""
    view = views_of(1, seed=1, n_samples=200)[0]
    inputs = first_inputs(view.embedding, view.mapped, view.links)
    monkeypatch.setattr(_link_models, "_BLOCK_LINKS", 300)
    assert inputs.n_links > 900
    everything = all_features(inputs)
    some = np.sort(np.random.default_rng(0).permutation(inputs.n_links)[:50])
    np.testing.assert_allclose(everything[some], inputs.features(some), atol=1e-6)
    np.testing.assert_allclose(everything, inputs.features(np.arange(inputs.n_links)), atol=1e-6)


def test_likely_links_are_judged_by_other_folds():
    """Odds of a link are the mean over the models that saw neither end; of unlabelled ends, over all."""
    view = views_of(300, seed=0, n_samples=200)[0]
    view = view._replace(folds=np.where(np.arange(200) % 5, view.folds, -1))
    inputs = first_inputs(view.embedding, view.mapped, view.links)
    values = all_features(inputs)
    models = _link_models._cross_fit([inputs], [values], [view], 0, None)
    found = _link_models._held_out_odds(inputs, values, view, models)
    of_each = np.stack([inputs.odds_of(values, [model]) for model in models])
    for link, (row, col) in enumerate(zip(view.links.rows, view.links.cols, strict=True)):
        ends = {int(view.folds[row]), int(view.folds[col])} - {-1}
        expected = of_each[sorted(ends) or slice(None), link].mean()
        assert found[link] == pytest.approx(expected, rel=1e-4, abs=1e-5)
