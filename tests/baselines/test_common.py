"""What scikit-learn asks of every estimator, asked of the baselines."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import check_param_validation, parametrize_with_checks

from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation

JOINTLY = {"check_methods_subset_invariance": "predict clusters its samples jointly"}
OF_GRAPHS = {
    "check_clustering": "its X is no square matrix",
    "check_methods_sample_order_invariance": "it permutes the rows of a square matrix and not its columns",
    "check_fit_idempotent": "its new X links new samples to those of fit, and not to each other",
}
COMMITTEE = {"committee": ["passthrough", PCA(1)], "mediator": LogisticRegression()}

ESTIMATORS = [
    ApproximateRankOrder(),
    ApproximateRankOrder(n_neighbors=5, threshold=0.8, algorithm="hnsw"),
    ApproximateRankOrder(n_neighbors=2, metric="precomputed", threshold=0.6),
    ConsensusPropagation(),
    ConsensusPropagation(threshold=0.5, max_size=20, algorithm="brute"),
    ConsensusPropagation(metric="precomputed", threshold=0.5, max_size=4),
    ConsensusPropagation(**COMMITTEE),
]


def expected_failures(estimator):
    """Checks that an estimator cannot pass, and why."""
    return JOINTLY | OF_GRAPHS if estimator.metric == "precomputed" else JOINTLY


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures, xfail_strict=True)
def test_contract(estimator, check):
    """The checks of scikit-learn; those that are expected to fail must fail."""
    check(estimator)


@pytest.mark.parametrize("estimator", [ApproximateRankOrder(), ConsensusPropagation()])
def test_parameter_validation(estimator):
    """Parameters of a wrong kind or out of range are errors in the wording of scikit-learn, raised in fit."""
    check_param_validation(type(estimator).__name__, estimator)
    with pytest.raises(ValueError, match="The 'threshold' parameter of .* must be"):
        type(estimator)(threshold="none").fit(np.eye(4))


def test_no_check_is_hidden():
    """Results are deterministic, and no tag says otherwise."""
    for estimator in ESTIMATORS:
        tags = estimator.__sklearn_tags__()
        assert not tags.non_deterministic
        assert not tags.no_validation
        assert not tags._skip_test
        assert not tags.target_tags.required
