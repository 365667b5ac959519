"""What scikit-learn asks of every estimator, and what it does not ask but users expect."""

import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import check_param_validation, parametrize_with_checks

from sklearn_gcncluster import GCNClustering, GCNSegmenter, IncrementalGCNClustering
from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation

TINY = {"hidden_channels": (16, 8), "n_networks": 1, "max_epochs": 1, "n_training_seeds": 1, "n_seeds": 1}
QUICK = {**TINY, "metric": "euclidean", "affinity": "neighborhood"}

JOINTLY = {"check_methods_subset_invariance": "predict clusters its samples jointly"}
OF_GRAPHS = {
    "check_clustering": "its X is no square matrix",
    "check_methods_sample_order_invariance": "it permutes the rows of a square matrix and not its columns",
    "check_fit_idempotent": "its new X links new samples to those of fit, and not to each other",
}


ESTIMATORS = [
    GCNClustering(**TINY),
    GCNClustering(**QUICK, algorithm="brute", outliers="singletons"),
    GCNClustering(**QUICK, algorithm="hnsw", segment=False, overlap="nms", node_features="both"),
    GCNClustering(**{**QUICK, "metric": "precomputed"}),
    GCNSegmenter(AgglomerativeClustering(3), **QUICK),  # the order of rows does not matter to it
    IncrementalGCNClustering(GCNClustering(**QUICK, random_state=0)),  # its seed is that of its estimator
    ApproximateRankOrder(),
    ApproximateRankOrder(n_neighbors=5, threshold=0.8, algorithm="hnsw"),
    ApproximateRankOrder(n_neighbors=2, metric="precomputed", threshold=0.6),
    ConsensusPropagation(),
    ConsensusPropagation(threshold=0.5, max_size=20, algorithm="brute"),
    ConsensusPropagation(metric="precomputed", threshold=0.5, max_size=4),
    ConsensusPropagation(committee=["passthrough", PCA(1)], mediator=LogisticRegression()),
]


def expected_failures(estimator):
    """Checks that an estimator cannot pass, and why."""
    if isinstance(estimator, IncrementalGCNClustering):  # predict holds each sample against those of fit
        return {}
    return JOINTLY | OF_GRAPHS if estimator.metric == "precomputed" else JOINTLY


# Networks of one epoch find hardly anything, and some checks fit without y.
@pytest.mark.filterwarnings("ignore:.*of the samples are outliers")
@pytest.mark.filterwarnings("ignore:Only .* of the links between neighbours look likely")
@pytest.mark.filterwarnings("ignore:.*lies outside the range they were trained on")
@pytest.mark.filterwarnings("ignore:.*only matter where y is given")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_contract(estimator, check):
    """The checks of scikit-learn; those that are expected to fail must fail (xfail_strict is on)."""
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [GCNClustering(), GCNSegmenter(KMeans(3)), ApproximateRankOrder(), ConsensusPropagation()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_parameter_validation(estimator):
    """Parameters of a wrong kind or out of range are errors in the wording of scikit-learn, raised in fit."""
    check_param_validation(type(estimator).__name__, estimator)
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    with pytest.raises(ValueError, match="The 'n_neighbors' parameter of .* must be an int in the range"):
        type(estimator)(n_neighbors=0).fit(X, y)


def test_no_check_is_hidden():
    """Results are deterministic, and no tag says otherwise."""
    for estimator in ESTIMATORS:
        tags = estimator.__sklearn_tags__()
        assert not tags.non_deterministic
        assert not tags.no_validation
        assert not tags._skip_test
        assert not tags.target_tags.required


def test_labels_are_required_without_networks():
    """So tools of scikit-learn know it before fit says so."""
    for estimator in (GCNClustering(pretrained=None), GCNSegmenter(pretrained=None)):
        assert estimator.__sklearn_tags__().target_tags.required


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_names_of_columns(library):
    """Names are kept by fit, and others at predict are an error; the labels are those of the array."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(6, 4)) * 10
    y = np.repeat(np.arange(6), 10)
    X = centres[y] + random.normal(size=(60, 4))
    frame = library(X, **{"columns" if library is pd.DataFrame else "schema": list("abcd")})
    estimator = GCNClustering(**QUICK, random_state=0).fit(frame, y)
    assert estimator.feature_names_in_.tolist() == list("abcd")
    reference = GCNClustering(**QUICK, random_state=0).fit(X, y)
    assert not hasattr(reference, "feature_names_in_")
    np.testing.assert_array_equal(estimator.labels_, reference.labels_)
    np.testing.assert_array_equal(estimator.predict(frame), reference.predict(X))
    renamed = library(X, **{"columns" if library is pd.DataFrame else "schema": list("abce")})
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(renamed)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.predict(X)


ARRAY_API = """
import numpy as np
from sklearn import set_config
set_config(array_api_dispatch=True)
from sklearn_gcncluster import GCNClustering
random = np.random.default_rng(0)
y = np.repeat(np.arange(4), 10)
X = 10 * random.normal(size=(4, 3))[y] + random.normal(size=(40, 3))
estimator = GCNClustering(n_networks=1, hidden_channels=(8, 4), max_epochs=1, affinity="neighborhood")
assert estimator.fit(X, y).predict(X).shape == (40,)
print("fine")
"""


@pytest.mark.skipif(
    not (find_spec("array_api_compat") or find_spec("sklearn.externals.array_api_compat")),
    reason="scikit-learn before 1.7 dispatches with a package of its own, array_api_compat",
)
def test_array_api_switched_on():
    """NumPy arrays work where SciPy and scikit-learn dispatch by the array API."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    command = [sys.executable, "-c", ARRAY_API]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "fine\n", done.stderr
