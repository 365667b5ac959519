"""Tests of the training loop."""

import numpy as np
import pytest
import torch

from sklearn_gcncluster._nn import _training
from sklearn_gcncluster._nn._training import Schedule

CPU = torch.device("cpu")
SHORT = Schedule(
    max_epochs=3, learning_rate=1e-2, batch_size=200, weight_decay=1e-4, dropout=0.3, n_iter_no_change=2
)


def test_epochs_and_dropout():
    """Batches keep their budget, long epochs see a random part of the examples, validation has no dropout."""
    sizes = np.random.default_rng(0).integers(1, 9, 60)
    seen, dropped, kept = [], [], []

    def loss_of(network, items, dropout):
        rows = dropout(torch.ones(len(items), 100))
        if torch.is_grad_enabled():
            seen.append(items)
            dropped.append(rows)
        else:
            kept.append(rows)
        return network(rows.mean(dim=1, keepdim=True))[:, 0] ** 2

    schedule = SHORT._replace(
        max_epochs=5, batch_size=20, n_iter_no_change=5, learning_rate=1e-3, epoch_rows=90
    )
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
    dropped = torch.cat(dropped)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert bool((torch.cat(kept) == 1).all())
