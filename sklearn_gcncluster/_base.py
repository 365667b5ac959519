"""What the estimators share: parameters every stage has in common, checks of the input, settings."""

from __future__ import annotations

import warnings
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_memory, validate_data

from ._compat import HasMethods, Interval, StrOptions
from ._graph._affinity import PARTS, GraphSettings, affinity_graph, learn_affinity, neighbor_links
from ._graph._link_models import Weights
from ._graph._neighbors import EXACT_UP_TO
from ._graph._samples import Samples, aggregate_labels, class_codes, distinct_samples, graph_samples
from ._learning import NetworkSettings, SegmentationSettings, learn_detection, learn_segmentation
from ._persistence import save
from ._pretrained import UNIVERSAL, load_pretrained, shaping
from ._stages import Stages
from .metrics import bcubed_fscore

_GRAPH_METRICS = ("precomputed", "precomputed_affinity")
_COSINE_FROM = 32
"""Features from which on the automatic metric is the cosine: embeddings have more, coordinates fewer."""
_MAX_UNKNOWN = 0.15
"""Share of inputs outside the range of training above which pretrained networks are not trusted."""
_HNSW_COPIES = 4
"""Copies of a sample that approximate search may meet; among hundreds it gets lost."""
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
        "metric": [StrOptions({"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"})],
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
        "pretrained": [None, str, Path, FrozenEstimator],
        "memory": [None, str, HasMethods(["cache"])],
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

    _fixed: ClassVar[dict] = {}
    """Settings of stages that are no parameters of an estimator."""
    _borrowed: dict[str, Any] = {}  # noqa: RUF012
    """Parameters that came with the networks, if they were trained elsewhere."""

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

    def save(self, path, *, include_labels=True):
        """Write the estimator to a file that :func:`sklearn_gcncluster.load` reads.

        The file is in the safetensors format: arrays, and a JSON header with the parameters. Unlike a pickle
        it executes nothing when it is loaded, and later versions of this package still read it.

        Parameters
        ----------
        path : str or path-like
            File to write; one that exists is replaced. Its usual suffix is ``.safetensors``.
        include_labels : bool, default=True
            Whether the clusters of the samples of `fit` are kept too: ``labels_``, ``probabilities_`` and
            so on. :meth:`predict` does not need them.

        Raises
        ------
        ValueError
            If a parameter is an object that the format does not hold, such as an estimator of a package
            other than scikit-learn; the message names it.

        Notes
        -----
        Estimators among the parameters are kept as their class and parameters, without what they learned. A
        ``RandomState`` as `random_state`, and a cache as `memory`, are replaced by None: they are of use
        only where they were made. The seed that `fit` drew is kept, so predictions stay the same.
        """
        save(self, path, include_labels=include_labels)

    def _check_parameters(self):
        """What goes beyond one parameter's kind and range."""
        from ._nn._training import resolve_device

        resolve_device(self.device)  # before hours of work that need it at their end
        numbers = all(isinstance(share, Real) for share in self.iop_range)
        if len(self.iop_range) != 2 or not numbers or not 0 <= self.iop_range[0] <= self.iop_range[1] <= 1:
            raise ValueError(
                f"iop_range must be two shares in ascending order, within [0, 1], but is {self.iop_range!r}."
            )
        if not self.hidden_channels or not all(
            isinstance(width, Integral) and not isinstance(width, bool) and int(width) >= 1
            for width in self.hidden_channels
        ):
            raise ValueError(
                f"hidden_channels must be one or more positive integers, but is {self.hidden_channels!r}."
            )
        if self._is_graph() and self.node_features != "structure":
            raise ValueError(
                f'node_features="{self.node_features}" asks for embeddings, and with metric="{self.metric}" '
                'X is a graph that has none. Use node_features="structure", or give embeddings as X and '
                "another metric."
            )

    def _learning_samples(self, X, y) -> tuple[Samples, np.ndarray]:
        """Samples of the graph and the class code of each, -1 for unlabelled."""
        X, y = validate_data(self, X, y, **self._accepted())
        # Twice, since scikit-learn warns of regression where most classes have a single sample.
        check_classification_targets(np.repeat(y, 2))
        classes, codes = class_codes(y)
        if len(classes) < 2:
            found = "no labelled sample (all are -1)" if not len(classes) else f"one class ({classes[0]!r})"
            raise ValueError(
                f"y has {found} among {len(y)} samples; how clusters look is learned from at least 2 "
                "classes. Give labels of more classes, or call fit(X) without y to cluster with networks "
                "learned before."
            )
        samples = self._samples(X)
        return samples, aggregate_labels(codes, samples)

    def _start(self) -> Weights:
        """Networks that training may start from: pretrained ones, if they look at the same and are alike."""
        self._borrowed: dict[str, Any] = {}
        if self.pretrained is None:
            return {}
        weights, parameters = load_pretrained(self.pretrained)
        return weights if parameters == shaping(self.get_params(deep=False)) else {}

    def _use_pretrained(self) -> bool:
        """Take the networks that were trained elsewhere, if there are none of our own."""
        if hasattr(self, "weights_") and not self._borrowed:
            return False
        if self.pretrained is None:
            name = type(self).__name__
            raise NotFittedError(
                f"This {name} requires y to be passed, but the target y is None, and with pretrained=None it "
                "has no networks yet: how clusters look is learned from labelled samples. Call fit(X, y) "
                f'with labels first, or take {name}(pretrained="{UNIVERSAL}"), whose networks need none.'
            )
        self.weights_, self._borrowed = load_pretrained(self.pretrained)
        self._seed = self._draw_seed()
        return True

    def _new_samples(self, X, first: bool = False) -> Samples:
        check_is_fitted(self, "weights_")
        given = self._accepted()
        if self._is_graph() and not first:  # as many columns as samples, however many there were in fit
            return self._samples(check_array(X, **given))
        X = validate_data(self, X, **given, reset=first)
        known = len(self.weights_["map"]["mean"]) if "map" in self.weights_ else X.shape[1]
        if X.shape[1] != known:
            raise ValueError(
                f"X has {X.shape[1]} features, but the pretrained networks know embeddings of {known}. Give "
                f'such embeddings, or use pretrained="{UNIVERSAL}", which knows any.'
            )
        return self._samples(X)

    def _samples(self, X) -> Samples:
        if not self._is_graph():
            copies = (
                self.n_neighbors // 2 if self.algorithm == "brute" or len(X) <= EXACT_UP_TO else _HNSW_COPIES
            )
            return distinct_samples(X, self._resolved_metric(), max(copies, 1))
        if X.shape[0] != X.shape[1]:
            rows, cols = X.shape
            raise ValueError(
                f"X has {cols} features, but {type(self).__name__} is expecting {rows} features as input: "
                f'with metric="{self.metric}" X is a square matrix, one row and one column for each sample. '
                "Samples are clustered jointly, so a graph from new samples to those of fit, as predict of a "
                "pipeline and cross-validation make it, does not tell enough; make one of the new samples "
                "alone, as KNeighborsTransformer().fit_transform(X_new) does, and in a pipeline "
                "FunctionTransformer(kneighbors_graph)."
            )
        return graph_samples(X, self.metric)

    def _resolved_metric(self) -> str:
        if self.metric != "auto":
            return self.metric
        return "cosine" if self.n_features_in_ >= _COSINE_FROM else "euclidean"

    def _is_graph(self) -> bool:
        return self.metric in _GRAPH_METRICS

    def _accepted(self) -> dict:
        return {"dtype": np.float32, "order": "C", "accept_sparse": "csr" if self._is_graph() else False}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self._is_graph()
        tags.input_tags.sparse = self._is_graph()
        tags.input_tags.positive_only = self.metric == "precomputed"
        tags.target_tags.required = self.pretrained is None
        return tags

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
        given |= {"seed": seed, "schedule": schedule, **self._fixed, **self._borrowed}
        given["metric"] = self._resolved_metric()
        return kind(**{field: given[field] for field in kind._fields})

    def _learn_affinity(self, samples, classes, start):
        settings = self._settings(GraphSettings, self._seed)
        return self._cached(learn_affinity)(samples.rows, classes, settings, start, self.n_jobs, self.verbose)

    def _affinity_graph(self, samples, stages):
        settings = self._settings(GraphSettings, self._seed)
        weights = {name: value for name, value in self.weights_.items() if name.startswith(PARTS)}
        with stages("neighbors"):
            links = self._cached(neighbor_links)(samples.rows, weights, settings, self.n_jobs)
        with stages("affinity"):
            graph = self._cached(affinity_graph)(samples.rows, links, weights, settings)
        if self._borrowed and graph.unknown > _MAX_UNKNOWN:
            warnings.warn(
                f"{graph.unknown:.0%} of what the pretrained networks are asked about X lies outside the "
                f"range they were trained on, more than {_MAX_UNKNOWN:.0%}; clusters may be poor. Train on "
                "labelled samples of the same embedding by fit(X, y), or compare with another clusterer.",
                UserWarning,
                stacklevel=3,
            )
        return graph

    def _learn_networks(self, graph, proposals, classes, segment, start):
        settings = self._settings(NetworkSettings, self._seed)
        given = graph, proposals, classes, settings
        weights, curves = self._cached(learn_detection)(*given, start, verbose=self.verbose)
        if not segment:
            return weights, curves
        impure = self._settings(SegmentationSettings, self._seed)
        learned = self._cached(learn_segmentation)(*given, impure, start, verbose=self.verbose)
        return weights | learned[0], curves | learned[1]

    def _cached(self, function):
        """The function, or one that looks into the cache first; how it runs is no part of the key."""
        names = [name for name in ("n_jobs", "verbose") if name in signature(function).parameters]
        return check_memory(self.memory).cache(function, ignore=names)

    def _draw_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(_LARGEST_SEED))

    def _stages(self) -> Stages:
        return Stages(type(self).__name__, self.verbose)

    def _keep(self, result: Result):
        self.labels_, self.probabilities_, self.cluster_scores_ = result
        self.n_clusters_ = len(result.scores)
        return self
