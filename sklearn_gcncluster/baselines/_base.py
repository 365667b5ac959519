"""What the baselines share: X -> samples -> neighbour lists -> forest of links -> threshold -> labels."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import Interval, StrOptions, fit_context
from .._graph._samples import Samples
from ..metrics import bcubed_fscore
from ._links import ValuedLinks, number_by_size
from ._neighborhoods import GRAPH_METRICS, samples_of
from ._thresholds import LONGEST_LIST, agreement, best_threshold, candidate_thresholds, mean_fscore

_COSINE_FROM = 32  # features from which on the automatic metric is the cosine
_APPROXIMATE_FROM = 100_000  # samples from which on the search may be approximate
_FEW_COPIES = 4  # copies of a sample that approximate search may meet; among hundreds it gets lost


class LinkedSamples(NamedTuple):
    """What a threshold is applied to."""

    neighbors: np.ndarray
    """int32 of shape (n_samples, n_neighbors): lists that clusters should agree with."""
    forest: ValuedLinks
    """Links that matter; an estimator's threshold is one on their values."""
    counts: np.ndarray
    """intp of shape (n_samples,): how many rows of X each sample speaks for."""


class LinkClusterer(ClusterMixin, BaseEstimator):
    """Base of clusterers that cut links of neighbours at a threshold and take what remains joined.

    A subclass has `_link`, from samples to :class:`LinkedSamples`, and `_partition`, from these to groups.
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"auto", "cosine", "euclidean", *GRAPH_METRICS})],
        "algorithm": [StrOptions({"auto", "brute", "hnsw"})],
        "n_jobs": [Integral, None],
    }

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Cluster X; with labels, choose the threshold by them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Embeddings; with a precomputed metric, a square matrix that may be sparse.
        y : array-like of shape (n_samples,), default=None
            Class of each sample, -1 for unlabelled ones. With ``threshold="auto"`` the threshold is the one
            whose clusters of X have the highest mean of pairwise and BCubed F on the labelled samples.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If y names fewer than two classes, or X does not suit the metric.
        """
        self._check_parameters()
        X, y = self._validated(X, y)
        samples = self._samples(X)
        automatic = isinstance(self.threshold, str)
        linked = self._learn(samples, y, _list_length(samples) if automatic and y is None else 0)
        self.threshold_ = self.threshold
        if automatic:
            self.threshold_ = best_threshold(
                candidate_thresholds(linked.forest.value, self._ceiling(linked)),
                lambda threshold: self._partition(linked, threshold),
                lambda groups: (
                    agreement(linked.neighbors, groups)
                    if y is None
                    else mean_fscore(y, groups[samples.inverse])
                ),
            )
        self.labels_ = self._labels(linked, samples)
        self.n_clusters_ = int(self.labels_.max()) + 1
        return self

    def fit_predict(self, X, y=None):
        """Fit, and return the labels of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            As for :meth:`fit`.
        y : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            ``labels_``.
        """
        return self.fit(X, y).labels_

    def predict(self, X):
        """Cluster new samples at the threshold that was found; the estimator stays as it is.

        The samples are clustered jointly and without those of `fit`. Numbers are those of this clustering.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            As for :meth:`fit`.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for samples left alone.
        """
        check_is_fitted(self, "threshold_")
        # A graph has as many columns as samples, however many there were in fit.
        accepted = self._accepted()
        X = (
            check_array(X, **accepted)
            if self._is_graph()
            else validate_data(self, X, reset=False, **accepted)
        )
        samples = self._samples(X)
        return self._labels(self._link(samples), samples)

    def score(self, X, y):
        """BCubed F of the clusters of new samples.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            As for :meth:`fit`.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are left out.

        Returns
        -------
        score : float
            Between 0 and 1, higher is better. Samples left alone count as clusters of their own.
        """
        return bcubed_fscore(y, self.predict(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._is_graph()
        tags.input_tags.sparse = self._is_graph()
        tags.input_tags.positive_only = self.metric == "precomputed"
        return tags

    def _check_parameters(self) -> None:
        """What goes beyond one parameter's kind and range."""

    def _learn(self, samples: Samples, y: np.ndarray | None, list_length: int) -> LinkedSamples:
        """Link the samples of `fit`; what is learned of them besides the threshold is learned here."""
        return self._link(samples, list_length)

    def _link(self, samples: Samples, list_length: int = 0) -> LinkedSamples:
        """Link samples, and list as many neighbours of each as clusters should agree with."""
        raise NotImplementedError

    def _partition(self, linked: LinkedSamples, threshold: float) -> np.ndarray:
        raise NotImplementedError

    def _ceiling(self, linked: LinkedSamples) -> float:
        """Above all values of links that a threshold can part."""
        raise NotImplementedError

    def _validated(self, X, y):
        if y is None:
            return validate_data(self, X, **self._accepted()), None
        X, y = validate_data(self, X, y, **self._accepted())
        # Twice, since scikit-learn warns of regression where most classes have a single sample.
        check_classification_targets(np.repeat(y, 2))
        classes = np.unique(y[y != -1])
        if len(classes) < 2:
            found = "no labelled sample (all are -1)" if not len(classes) else f"one class ({classes[0]!r})"
            raise ValueError(
                f"y has {found} among {len(y)} samples; what belongs apart is learned from at least 2 "
                "classes. Give labels of more classes, or call fit(X) without y."
            )
        return X, y

    def _samples(self, X) -> Samples:
        if self._is_graph() and X.shape[0] != X.shape[1]:
            rows, cols = X.shape
            raise ValueError(
                f"X has {cols} features, but {type(self).__name__} is expecting {rows} features as input: "
                f'with metric="{self.metric}" X is a square matrix, one row and one column for each sample. '
                "For new samples, make a graph of them alone."
            )
        few = self.algorithm == "hnsw" or (self.algorithm == "auto" and X.shape[0] >= _APPROXIMATE_FROM)
        max_copies = _FEW_COPIES if few else max(self.n_neighbors // 2, 1)
        return samples_of(X, self._metric_of_copies(), max_copies, max(self.n_neighbors, LONGEST_LIST))

    def _labels(self, linked, samples):
        groups = self._partition(linked, self.threshold_)
        return number_by_size(groups, linked.counts)[samples.inverse]

    def _resolved_metric(self) -> str:
        if self.metric != "auto":
            return self.metric
        return "cosine" if self.n_features_in_ >= _COSINE_FROM else "euclidean"

    def _metric_of_copies(self) -> str:
        """By which rows are copies of each other: of the same direction, or equal."""
        return self._resolved_metric()

    def _is_graph(self) -> bool:
        return self.metric in GRAPH_METRICS

    def _accepted(self) -> dict[str, Any]:
        return {"dtype": np.float32, "order": "C", "accept_sparse": "csr" if self._is_graph() else False}


def _list_length(samples):
    """Length of the lists that clusters should agree with; more than a third agree best with one cluster."""
    return min(LONGEST_LIST, max(len(samples.counts) // 3, 1))
