"""Tests of the training loop."""

import numpy as np
import pytest
import torch

from sklearn_gcncluster._nn import _training
from sklearn_gcncluster._nn._training import Schedule

CPU = torch.device("cpu")
SHORT = Schedule(max_epochs=3, learning_rate=1e-2, batch_size=200, weight_decay=1e-4, dropout=0.3)


def test_epochs_and_disturbance():
    """Batches keep their budget, long epochs see a random part of the examples, only they are disturbed."""
    sizes = np.random.default_rng(0).integers(1, 9, 60)
    seen, dropped, noisy, kept = [], [], [], []

    def loss_of(network, items, disturbance):
        ones = torch.ones(len(items), 100)
        rows = disturbance.hidden(ones)
        if torch.is_grad_enabled():
            seen.append(items)
            dropped.append(rows)
            noisy.append(disturbance.inputs(ones))
        else:
            kept.extend([rows, disturbance.inputs(ones)])
        return network(rows.mean(dim=1, keepdim=True))[:, 0] ** 2

    schedule = SHORT._replace(max_epochs=5, batch_size=20, learning_rate=1e-3, epoch_rows=90)
    train_items, valid_items = np.arange(40), np.arange(40, 60)
    weights, curve = _training.train(
        torch.nn.Linear(1, 1), loss_of, sizes, train_items, valid_items, schedule, seed=0, device=CPU
    )
    assert curve.shape == (5, 2)
    assert set(weights) == {"weight", "bias"}
    assert all(len(items) == 1 or sizes[items].sum() <= 20 for items in seen)
    everything = np.concatenate(seen)
    assert 5 * (90 - 9) < sizes[everything].sum() <= 5 * 90
    assert len(set(everything)) > 35
    assert set(everything) <= set(train_items)
    dropped, noise = torch.cat(dropped), torch.cat(noisy) - 1
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.005)
    assert float(noise.std()) == pytest.approx(0.1, abs=0.005)
    assert len(np.unique(noise)) > 0.99 * noise.numel()
    assert bool((torch.cat(kept) == 1).all())


def test_no_dropout_draws_nothing():
    """With a share of zero, hidden rows are as they are in training too."""
    rows, seen = torch.ones(3, 4), []

    def loss_of(network, items, disturbance):
        seen.append(disturbance.hidden(rows))
        return network(torch.ones(len(items), 1))[:, 0] ** 2

    schedule = SHORT._replace(dropout=0.0)
    _training.train(
        torch.nn.Linear(1, 1),
        loss_of,
        np.ones(9, int),
        np.arange(9),
        np.arange(0),
        schedule,
        seed=0,
        device=CPU,
    )
    assert all(one is rows for one in seen)


def constant_slope(n_epochs, n_items=24, learning_rate=0.01):
    """Train a weight with a constant gradient, where a step of Adam is the rate: values, result, curve."""
    values = []

    def loss_of(network, items, _):
        if torch.is_grad_enabled():
            values.append(float(network.weight.detach()))
        return network.weight.sum().expand(len(items))

    schedule = SHORT._replace(max_epochs=n_epochs, learning_rate=learning_rate, weight_decay=0.0)
    weights, curve = _training.train(
        torch.nn.Linear(1, 1, bias=False),
        loss_of,
        np.ones(n_items + 5, int),
        np.arange(n_items),
        n_items + np.arange(5),
        schedule,
        seed=0,
        device=CPU,
    )
    return np.array(values), float(weights["weight"][0, 0]), curve


def test_the_learning_rate_goes_up_and_down_once():
    """It begins and ends near nothing, its highest is that of the schedule, over all epochs together."""
    values, last, curve = constant_slope(n_epochs=10)
    rates = -np.diff([*values, last])
    assert len(rates) == 240
    highest = rates.argmax()
    assert rates[highest] == pytest.approx(0.01, rel=1e-2)
    assert 0.1 < highest / 240 < 0.5
    assert (np.diff(rates[: highest + 1]) > -1e-6).all()
    assert (np.diff(rates[highest:]) < 1e-6).all()
    assert rates[0] < 0.001
    assert rates[-1] < 0.0001
    assert len(curve) == 10


def test_the_last_weights_are_returned():
    """All epochs are gone through, and the last validation loss is that of the weights returned."""
    values, last, curve = constant_slope(n_epochs=4)
    assert last < values.min()
    np.testing.assert_allclose(curve[:, 0], values.reshape(4, 24).mean(axis=1), rtol=1e-5)
    assert curve[-1, 1] == pytest.approx(last, rel=1e-5)


def test_loss_curve_without_validation():
    """With nothing left out, the loss told is that of training."""
    schedule = SHORT._replace(max_epochs=2)
    _, curve = _training.train(
        torch.nn.Linear(1, 1),
        lambda network, items, _: network(torch.ones(len(items), 1))[:, 0] ** 2,
        np.ones(9, int),
        np.arange(9),
        np.arange(0),
        schedule,
        seed=0,
        device=CPU,
    )
    assert curve.shape == (2, 2)
    np.testing.assert_array_equal(curve[:, 0], curve[:, 1])


def test_nothing_to_learn_from():
    """With every example left out, weights are finite, and so is the loss of those left out."""
    weights, curve = _training.train(
        torch.nn.Linear(1, 1),
        lambda network, items, _: network(torch.ones(len(items), 1))[:, 0] ** 2,
        np.ones(9, int),
        np.arange(0),
        np.arange(9),
        SHORT,
        seed=0,
        device=CPU,
    )
    assert all(np.isfinite(value).all() for value in weights.values())
    assert np.isfinite(curve[:, 1]).all()
