"""What the estimators share: parameters every stage has in common, checks of the input, settings."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ._compat import Interval, StrOptions
from ._samples import Samples, aggregate_labels, distinct_samples
from ._stages import Stages
from .metrics import bcubed_fscore

_LARGEST_SEED = 2**31 - 1024  # stages count up from the seed


class Result(NamedTuple):
    """Clusters of the samples of X."""

    labels: np.ndarray
    """int64 of shape (n_samples,), -1 for outliers."""
    probabilities: np.ndarray
    """float32 of shape (n_samples,)."""
    scores: np.ndarray
    """float32 of shape (n_clusters, 2): predicted IoU and IoP."""


class BaseGCN(ClusterMixin, BaseEstimator):
    """Base of the estimators; see :class:`GCNClustering` for the parameters."""

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"cosine", "euclidean"})],
        "algorithm": [StrOptions({"auto", "brute", "hnsw"})],
        "affinity": [StrOptions({"cosine", "neighborhood", "learned"})],
        "metric_learning": ["boolean", StrOptions({"auto"})],
        "node_features": [StrOptions({"structure", "embedding", "both"})],
        "hidden_channels": [tuple, list],
        "pooling": [StrOptions({"max", "mean", "sum"})],
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "iop_range": [tuple, list],
        "n_training_seeds": [Interval(Integral, 1, None, closed="left")],
        "n_seeds": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def fit_predict(self, X, y=None, **kwargs):
        """Fit, and return the labels of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.
        **kwargs : dict
            Passed to :meth:`fit`; there for the interface of scikit-learn.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            ``labels_``.
        """
        return self.fit(X, y, **kwargs).labels_

    def predict(self, X):
        """Cluster new samples with what was learned; the estimator stays as it is.

        The samples are clustered jointly: what belongs together depends on all of them. Numbers are those
        of this clustering, not of ``labels_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for outliers.
        """
        return self._cluster_new(X).labels

    def score(self, X, y):
        """BCubed F of the clusters of new samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are left out.

        Returns
        -------
        score : float
            Between 0 and 1, higher is better. Outliers count as clusters of their own.
        """
        return bcubed_fscore(y, self.predict(X))

    def _learning_samples(self, X, y) -> tuple[Samples, np.ndarray]:
        """Distinct samples and the class code of each, -1 for unlabelled."""
        X, y = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(y)
        labelled = y != -1
        classes = np.unique(y[labelled])
        if len(classes) < 2:
            found = "no labelled sample (all are -1)" if not len(classes) else f"one class ({classes[0]!r})"
            raise ValueError(
                f"y has {found} among {len(y)} samples; how clusters look is learned from at least 2 "
                "classes. Give labels of more classes, or call fit(X) without y to cluster with networks "
                "learned before."
            )
        codes = np.full(len(y), -1)
        codes[labelled] = np.searchsorted(classes, y[labelled])
        samples = distinct_samples(X, self.metric)
        return samples, aggregate_labels(codes, samples)

    def _new_samples(self, X) -> Samples:
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        return distinct_samples(X, self.metric)

    def _settings(self, kind, seed: int):
        """The parameters that one part of the pipeline asks for."""
        given = self.get_params(deep=False)
        schedule = {
            name: given[name]
            for name in (
                "max_epochs",
                "learning_rate",
                "batch_size",
                "weight_decay",
                "dropout",
                "n_iter_no_change",
            )
        }
        given |= {"seed": seed, "schedule": schedule}
        return kind(**{field: given[field] for field in kind._fields})

    def _draw_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    def _stages(self) -> Stages:
        return Stages(type(self).__name__, self.verbose)

    def _keep(self, result: Result):
        self.labels_, self.probabilities_, self.cluster_scores_ = result
        self.n_clusters_ = len(result.scores)
        return self
