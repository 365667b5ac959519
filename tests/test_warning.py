"""Tests that warnings name the line of whoever called into the package."""

import numpy as np
import pytest
from joblib import Memory
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore

X, Y = make_identities(200, 10, n_features=32, class_spread=0.2, random_state=0)
WITH_ZEROS = np.vstack([X, np.zeros((2, 32))])
CALLS = {
    "rows of length zero": lambda _: GCNClustering(random_state=0).fit(WITH_ZEROS),
    "the same by fit_predict": lambda _: GCNClustering(random_state=0).fit_predict(WITH_ZEROS),
    "the same in a pipeline": lambda _: make_pipeline(
        FunctionTransformer(), GCNClustering(random_state=0)
    ).fit(WITH_ZEROS),
    "a parameter that needs labels": lambda _: GCNClustering(max_epochs=3, random_state=0).fit(X),
    "a column of labels": lambda _: bcubed_fscore(Y[:, None], Y),
    "links without lengths, behind a cache": lambda folder: GCNClustering(
        metric="precomputed_affinity", memory=Memory(folder, verbose=0), random_state=0
    ).fit(np.ones((30, 30)) - np.eye(30)),
    "nothing but outliers": lambda _: GCNClustering(random_state=0).fit(
        np.random.default_rng(0).normal(size=(300, 2))
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_line_of_the_caller(call, tmp_path):
    """What is warned of is told of a line of this file, however many packages stand between."""
    with pytest.warns(Warning, match=".") as caught:
        CALLS[call](tmp_path)
    assert {warning.filename for warning in caught} == {__file__}
