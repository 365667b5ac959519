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
    """A small estimator, trained on half of the classes. Tests do not change it: they deepcopy it first."""
    X_train, y_train, *_ = identities
    estimator = GCNClustering(n_networks=1, hidden_channels=(32, 16), random_state=0)
    return estimator.fit(X_train, y_train)
