"""Tests of the network behind link models."""

import joblib
import numpy as np
import pytest
import torch

from sklearn_gcncluster._graph._link_models import context_of
from sklearn_gcncluster._graph._link_network import MANY_SETS, ONE_SET, LinkSample, link_odds, train_links


def test_link_network_learns():
    """Probability of links from features that no linear rule would do for, on links never seen."""
    random = np.random.default_rng(0)
    features = random.standard_normal((4000, 5)).astype(np.float32)
    same = features[:, 0] * features[:, 1] > 0
    scaled = 1000 * features - 7  # of any scale
    state = torch.get_rng_state()
    context = context_of(scaled)
    sample = LinkSample(scaled[:3000], same[:3000], context)
    weights = train_links([sample], ONE_SET, seed=0)
    odds = link_odds(weights, scaled[3000:], context)
    assert torch.equal(torch.get_rng_state(), state)
    assert odds.dtype == np.float32
    assert ((odds > 0) == same[3000:]).mean() > 0.85
    # Inputs are cut far out, where another embedding may lie.
    np.testing.assert_array_equal(
        link_odds(weights, 1e6 * scaled, context), link_odds(weights, 1e7 * scaled, context)
    )
    again, other = (train_links([sample], ONE_SET, seed=seed) for seed in (0, 1))
    assert joblib.hash(again) == joblib.hash(weights)
    assert (other.weights[0] != weights.weights[0]).any()


def test_link_network_tells_sets_apart():
    """A model of many sets uses what they are like: here, where in its set a link lies."""
    random = np.random.default_rng(0)

    def links_of_a_set():
        level, spread = random.normal(size=2), random.uniform(0.5, 2, size=2)
        features = (level + spread * random.normal(size=(200, 2))).astype(np.float32)
        return LinkSample(features, features[:, 0] > level[0], context_of(features))

    train, test = ([links_of_a_set() for _ in range(100)] for _ in range(2))
    apart = train_links(train, MANY_SETS._replace(epochs=20), seed=0)
    blind = train_links(train, ONE_SET, seed=0)
    right = [
        np.mean([((link_odds(model, one.features, one.context) > 0) == one.same).mean() for one in test])
        for model in (apart, blind)
    ]
    assert right[0] > 0.9 > right[1]


@pytest.mark.parametrize("training", [ONE_SET, MANY_SETS], ids=["one set", "many sets"])
def test_odds_are_those_of_the_network(training):
    """Features are standardised, cut and passed through the layers, those beyond the cuts like the others."""
    random = np.random.default_rng(0)
    samples = []
    for number in range(3):
        features = (10.0 ** np.arange(-2, 4) * random.normal(number, 1, size=(400, 6))).astype(np.float32)
        features[:, 3] = 1e5 + 0.01 * features[:, 3]  # far away for what it varies
        features[:, 4] = number  # the same in all of a set
        samples.append(LinkSample(features, features[:, 0] > 0, context_of(features)))
    model = train_links(samples, training, seed=0)
    context = samples[1].context.astype(np.float64)
    features = np.concatenate([samples[1].features * scale for scale in (1, 5, 100)])[:-5]
    features[3, 0], features[7] = np.inf, 0

    seen = features.astype(np.float64)
    if training is MANY_SETS:
        seen = np.concatenate([seen, (seen - context[0]) / (context[1] + 1e-3)], axis=1)
    rows = np.clip((seen - model.mean) / model.std, -6, 6)
    if training is MANY_SETS:
        around = np.clip((context.ravel() - model.context_mean) / model.context_std, -6, 6)
        rows = np.concatenate([rows, np.tile(around, (len(rows), 1))], axis=1)
    for weight, bias in zip(model.weights, model.biases, strict=True):
        rows = np.maximum(rows, 0) @ weight + bias if weight is not model.weights[0] else rows @ weight + bias
    odds = link_odds(model, features, samples[1].context)
    assert ((np.abs(seen - model.mean) > 6 * model.std).any(axis=1)).mean() > 0.3
    np.testing.assert_allclose(odds, rows[:, 0], rtol=1e-3, atol=2e-4)


def test_what_a_set_does_not_vary_decides_nothing():
    """A feature that has one value in training, and another in new samples, changes hardly any odds."""
    random = np.random.default_rng(0)
    features = random.normal(size=(2000, 4)).astype(np.float32)
    features[:, 3] = 0.3
    sample = LinkSample(features, features[:, 0] > 0, context_of(features))
    model = train_links([sample], ONE_SET, seed=0)
    other = features.copy()
    other[:, 3] = 0.32
    odds = link_odds(model, features, sample.context)
    np.testing.assert_allclose(link_odds(model, other, sample.context), odds, atol=0.2)
    assert np.ptp(odds) > 4
