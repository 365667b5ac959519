"""What tests share: a small estimator, trained once a session."""

import numpy as np
import pytest

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities


@pytest.fixture(scope="session")
def identities():
    """Embeddings of two halves without a common class: X_train, y_train, X_new, y_new."""
    X, y = make_identities(1500, n_features=32, class_spread=0.4, random_state=0)
    train = np.isin(y, np.unique(y)[::2])
    return X[train], y[train], X[~train], y[~train]


@pytest.fixture(scope="session")
def unseen(identities):
    """Some 200 samples of ten classes that `trained` has not seen: X, y."""
    _, _, X, y = identities
    few = np.isin(y, np.unique(y)[:10])
    return X[few], y[few]


@pytest.fixture(scope="session")
def trained(identities):
    """A small estimator, trained on half of the classes. Tests do not change it: they deepcopy it first.

    On the processor: a GPU draws other random numbers, and what so small a network learned depends on them.
    """
    X_train, y_train, *_ = identities
    estimator = GCNClustering(n_networks=1, hidden_channels=(32, 16), device="cpu", random_state=2)
    return estimator.fit(X_train, y_train)


def some_identities(seed):
    """Some 200 samples of 16 classes, well apart: X, y."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(16), random.integers(4, 24, 16)))
    X = random.normal(size=(16, 32))[y] + 0.9 * random.normal(size=(len(y), 32))
    return X.astype(np.float32), y


@pytest.fixture(scope="session")
def labelled():
    """Samples to learn from: X, y."""
    return some_identities(0)


@pytest.fixture(scope="session")
def new():
    """Samples of other classes: X, y."""
    return some_identities(1)


@pytest.fixture(scope="session")
def quick(labelled):
    """Trained in a second. Tests do not change it."""
    X, y = labelled
    estimator = GCNClustering(
        affinity="neighborhood",
        hidden_channels=(16, 8),
        n_networks=1,
        learning_rate=0.01,
        n_training_seeds=1,
        n_seeds=2,
        device="cpu",
        random_state=0,
    )
    return estimator.fit(X, y)
