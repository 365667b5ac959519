"""What all estimators on graphs share: checks of the input, samples of X, seeds, caching."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_consistent_length, check_memory, validate_data

from ._compat import HasMethods, Interval, StrOptions
from ._foreign import reading
from ._graph._given import graph_samples, is_of_two_sets
from ._graph._neighbors import ALGORITHMS
from ._graph._samples import Samples, distinct_samples
from ._jobs import one_thread
from ._labels import class_codes
from ._model import Frame
from ._stages import show_progress, stage
from ._warning import warn
from .metrics import bcubed_fscore

_GRAPH_METRICS = ("precomputed", "precomputed_affinity")
_COSINE_FROM = 32
"""With at least so many features, metric="auto" is the cosine: embeddings have more, coordinates fewer."""
_HNSW_COPIES = 4
"""Copies of a sample that hnswlib may meet; among hundreds it gets lost."""
_MIN_RECALL = 0.9
"""Share of the neighbours found below which a search is warned of."""
_SAMPLES_PER_NEIGHBOR, _FEW_NEIGHBORS = 8, 10
"""Lists hold at most one in so many samples, but so many neighbours in any case."""
_NOT_IN_KEYS = ("n_jobs", "inputs")
"""Arguments that do not tell results apart: how a function runs, and what follows from other arguments."""
_LARGEST_SEED = 2**31 - 1024  # stages count up from the seed


class Result(NamedTuple):
    """Clusters of the samples of X."""

    labels: np.ndarray
    """int64 of shape (n_samples,), -1 for outliers."""
    probabilities: np.ndarray
    """float32 of shape (n_samples,)."""
    scores: np.ndarray
    """float32 of shape (n_clusters, 2): predicted IoU and IoP."""
    recall: float = 1.0
    """Share of the nearest neighbours that the search found."""


def one_cluster(samples: Samples, outliers: str) -> Result:
    """All that can be compared, where no two samples differ: a cluster, if it is more than one."""
    inside = samples.inverse >= 0
    labels = np.where(inside & (inside.sum() > 1), 0, -1)
    if outliers == "singletons":
        alone = np.flatnonzero(labels < 0)
        labels[alone] = labels.max() + 1 + np.arange(len(alone))
    n_clusters = int(labels.max()) + 1
    return Result(
        labels.astype(np.int64),
        (labels >= 0).astype(np.float32),
        np.full((n_clusters, 2), np.nan, dtype=np.float32),
    )


def rows_of(X):
    """X itself or, where it is the path of a ``.npy`` file, the array in it, mapped and not read."""
    if not isinstance(X, (str, PathLike)):
        return X
    if Path(X).suffix != ".npy":
        raise ValueError(
            f"X is the path {str(X)!r}; of files, only .npy can be given. Read others first, or use the "
            "command line, which takes .npz, .csv and .parquet too."
        )
    with reading(X):
        return np.load(X, mmap_mode="r", allow_pickle=False)


def is_learned(name: str) -> bool:
    """Whether an attribute of that name is one that fit sets."""
    return (name.endswith("_") and not name.startswith("_")) or name == "_seed"


class GraphEstimator(ClusterMixin, BaseEstimator):
    """Base of estimators that begin with a graph of nearest neighbours."""

    _parameter_constraints: ClassVar[dict] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"})],
        "algorithm": [StrOptions(set(ALGORITHMS))],
        "memory": [None, str, Path, HasMethods(["cache"])],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def fit_predict(self, X, y=None, **kwargs):
        """Fit, and return the labels of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As for :meth:`fit`.
        y : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.
        **kwargs : dict
            Passed to :meth:`fit`; there for the interface of scikit-learn.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            ``labels_``.
        """
        self._check_clusters()
        return self.fit(X, y, **kwargs).labels_

    def score(self, X, y):
        """BCubed F of the clusters of new samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples to cluster.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are left out.

        Returns
        -------
        score : float
            Between 0 and 1, higher is better. Outliers count as clusters of their own.
        """
        return bcubed_fscore(y, self.predict(X))

    def _check_clusters(self):
        """Raise an error if this estimator, with its parameters, gives no labels of X."""

    @contextmanager
    def _fitting(self, *stages: str) -> Iterator[None]:
        """Fit anew inside. If that fails or is interrupted, the estimator is as it was before."""
        before = self.__dict__.copy()
        for name in filter(is_learned, before):
            delattr(self, name)
        try:
            self._seed = int(check_random_state(self.random_state).randint(_LARGEST_SEED))
            with self._progress(*stages):
                yield
        except BaseException:
            self.__dict__ = before
            raise

    def _progress(self, *stages: str):
        """Show how far the stages are, if the user asked for it."""
        return show_progress(type(self).__name__, stages, int(self.verbose))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """A part of the work, whose time is taken."""
        with stage(name), one_thread():
            yield

    def _checked(self, X, *, reset: bool):
        """X as an array, or as a sparse matrix if it is a graph; `reset` in fit, which sets the features."""
        X = rows_of(X)
        accepted = {"dtype": "numeric", "accept_sparse": "csr" if self._is_graph() else False}
        if not reset and self._is_graph():  # as many columns as samples, however many there were in fit
            return check_array(X, estimator=self, input_name="X", **accepted)
        return validate_data(self, X, reset=reset, **accepted)

    def _class_codes(self, X, y) -> np.ndarray:
        """Code of each sample's class, -1 for unlabelled; there are at least two classes."""
        classes, codes = class_codes(y)
        check_consistent_length(X, codes)
        if len(classes) < 2:
            found = f"one class ({classes[0]})" if len(classes) else "no labelled sample (all are -1)"
            raise ValueError(
                f"y has {found} among {len(codes)} samples; how clusters look is learned from at least 2 "
                "classes. Give labels of more classes, or call fit(X) without y."
            )
        return codes

    def _samples_of(self, X, frame: Frame | None = None, longest: int | None = None) -> Samples:
        """Samples of the graph, of an X that was checked; lists of a given graph are cut to the longest."""
        if self._is_graph():
            _check_square(X.shape, self)
            if is_of_two_sets(X, self.metric):
                raise ValueError(
                    "X is a square matrix, but its diagonal varies and it is not symmetric, as where its "
                    "rows are some samples and its columns others. Give distances or affinities of the "
                    "samples among themselves, as X[test][:, test] of those of all."
                )
            n_neighbors = self._list_length(X.shape[0])
            return graph_samples(X, self.metric, min(n_neighbors, longest or n_neighbors))
        samples = distinct_samples(
            X,
            self._metric_of(X.shape[1]),
            _HNSW_COPIES
            if self.algorithm == "hnsw"
            else lambda n_distinct: max(self._list_length(n_distinct) // 2, 1),
            drop_zeros=self.metric == "auto",
            frame=frame,
        )
        n_lost = np.count_nonzero(samples.inverse < 0)
        if n_lost:
            warn(
                f"X has {n_lost} rows of length zero, which have no direction; they are outliers. Remove "
                'them, or use metric="euclidean".'
            )
        return samples

    def _warn_of_recall(self, recall: float):
        """Say so where the search missed many neighbours."""
        if recall < _MIN_RECALL:
            warn(
                f'The search for neighbours by algorithm="{self.algorithm}" found {recall:.0%} of those '
                f"nearest, by exact search for a few rows; below {_MIN_RECALL:.0%} clusters may fall apart. "
                'Use algorithm="brute", which finds all, or "cells", which looks as far as the data need.'
            )

    def _list_length(self, n_distinct: int) -> int:
        """Number of neighbours: a list that holds most of the samples does not tell who is near."""
        return min(self.n_neighbors, max(n_distinct // _SAMPLES_PER_NEIGHBOR, _FEW_NEIGHBORS))

    def _metric_of(self, n_features: int) -> str:
        if self.metric != "auto":
            return self.metric
        return "cosine" if n_features >= _COSINE_FROM else "euclidean"

    def _is_graph(self) -> bool:
        return self.metric in _GRAPH_METRICS

    def _cached(self, function):
        """The function, or one that looks into the cache first; see _NOT_IN_KEYS."""
        names = [name for name in _NOT_IN_KEYS if name in signature(function).parameters]
        memory = str(self.memory) if isinstance(self.memory, Path) else self.memory
        return check_memory(memory).cache(function, ignore=names)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._is_graph()
        tags.input_tags.sparse = self._is_graph()
        tags.input_tags.positive_only = self.metric == "precomputed"
        return tags


def _check_square(shape, estimator):
    n_rows, n_cols = shape
    if n_rows != n_cols:
        raise ValueError(
            f"X has {n_cols} features, but {type(estimator).__name__} is expecting {n_rows} features as "
            f'input: with metric="{estimator.metric}" X is a square matrix, one row and one column a sample. '
            "Samples are clustered jointly, so a graph from new samples to those of fit, as predict of a "
            "pipeline and cross-validation make it, does not tell enough; make one of the new samples "
            "alone, as KNeighborsTransformer().fit_transform(X_new) does, and in a pipeline "
            "FunctionTransformer(kneighbors_graph)."
        )
