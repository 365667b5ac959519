"""GCNClustering: the estimator, as one line of data flow.

X -> distinct samples -> affinity graph -> proposals -> scores -> refined proposals -> labels
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ._affinity import GraphSettings, affinity_graph, learn_affinity
from ._compat import Interval, StrOptions, fit_context
from ._learning import NetworkSettings, learn_networks
from ._pipeline import ProposalSettings, SelectionSettings, cluster_graph, propose
from ._samples import Samples, aggregate_labels, distinct_samples
from ._selection import number_clusters
from ._stages import Stages
from .metrics import bcubed_fscore


class GCNClustering(ClusterMixin, BaseEstimator):
    """Clustering that learns from labelled classes how clusters look.

    TODO docstring
    """

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "metric": [StrOptions({"cosine", "euclidean"})],
        "algorithm": [StrOptions({"auto", "brute", "hnsw"})],
        "affinity": [StrOptions({"cosine", "neighborhood", "learned"})],
        "metric_learning": ["boolean", StrOptions({"auto"})],
        "proposals": [tuple, list],
        "edge_threshold": [
            StrOptions({"auto"}),
            Interval(Real, None, 1, closed="left"),
            "array-like",
        ],
        "threshold_step": [Interval(Real, 0, 1, closed="neither")],
        "max_supervertex_size": [Interval(Integral, 1, None, closed="left")],
        "n_levels": [Interval(Integral, 1, None, closed="left")],
        "min_proposal_size": [Interval(Integral, 1, None, closed="left")],
        "max_proposal_size": [None, Interval(Integral, 1, None, closed="left")],
        "node_features": [StrOptions({"structure", "embedding", "both"})],
        "hidden_channels": [tuple, list],
        "pooling": [StrOptions({"max", "mean", "sum"})],
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "segment": ["boolean"],
        "iop_range": [tuple, list],
        "n_training_seeds": [Interval(Integral, 1, None, closed="left")],
        "n_seeds": [Interval(Integral, 1, None, closed="left")],
        "overlap": [StrOptions({"deoverlap", "nms"})],
        "max_overlap": [Interval(Real, 0, 1, closed="both")],
        "min_score": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "outliers": [StrOptions({"noise", "singletons"})],
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

    def __init__(
        self,
        *,
        n_neighbors=80,
        metric="cosine",
        algorithm="auto",
        affinity="learned",
        metric_learning="auto",
        proposals=("supervertices", "average_link"),
        edge_threshold="auto",
        threshold_step=0.05,
        max_supervertex_size=300,
        n_levels=2,
        min_proposal_size=1,
        max_proposal_size=None,
        node_features="structure",
        hidden_channels=(512, 64),
        pooling="max",
        n_networks=3,
        segment=True,
        iop_range=(0.3, 0.7),
        n_training_seeds=3,
        n_seeds=5,
        overlap="deoverlap",
        max_overlap=0.5,
        min_score="auto",
        outliers="noise",
        max_epochs=40,
        learning_rate=2e-3,
        batch_size=8192,
        dropout=0.3,
        weight_decay=1e-4,
        n_iter_no_change=6,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.algorithm = algorithm
        self.affinity = affinity
        self.metric_learning = metric_learning
        self.proposals = proposals
        self.edge_threshold = edge_threshold
        self.threshold_step = threshold_step
        self.max_supervertex_size = max_supervertex_size
        self.n_levels = n_levels
        self.min_proposal_size = min_proposal_size
        self.max_proposal_size = max_proposal_size
        self.node_features = node_features
        self.hidden_channels = hidden_channels
        self.pooling = pooling
        self.n_networks = n_networks
        self.segment = segment
        self.iop_range = iop_range
        self.n_training_seeds = n_training_seeds
        self.n_seeds = n_seeds
        self.overlap = overlap
        self.max_overlap = max_overlap
        self.min_score = min_score
        self.outliers = outliers
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn from labelled samples how clusters look, then cluster them."""
        if y is None:
            return self._fit_clusters(X)
        X, codes = self._validate_labelled(X, y)
        samples = distinct_samples(X, self.metric)
        labels = aggregate_labels(codes, samples)
        stages, seed = Stages(self.verbose), self._draw_seed()
        with stages("affinity graph"):
            graph, weights = learn_affinity(samples.rows, labels, self._settings(GraphSettings, seed))
        with stages("proposals"):
            proposals = propose(graph, self._settings(ProposalSettings, seed))
        with stages("training"):
            learned = learn_networks(graph, proposals, labels, self._settings(NetworkSettings, seed))
        self.weights_ = weights | learned.weights
        self.min_score_ = learned.min_score if self.min_score == "auto" else self.min_score
        self.loss_curve_ = learned.loss_curves
        self._seed = seed
        return self._keep(self._cluster(samples, graph, proposals, stages))

    def fit_predict(self, X, y=None, **kwargs):
        """Fit and return ``labels_``."""
        return self.fit(X, y).labels_

    def predict(self, X):
        """Cluster new samples jointly, by the trained networks."""
        return self._cluster_new(X).labels

    def score(self, X, y):
        """BCubed F of the clusters of X against the classes y."""
        return bcubed_fscore(y, self.predict(X))

    def _fit_clusters(self, X):
        if not hasattr(self, "weights_"):
            raise ValueError("no networks")
        return self._keep(self._cluster_new(X))

    def _cluster_new(self, X):
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        stages = Stages(self.verbose)
        samples = distinct_samples(X, self.metric)
        if len(samples.rows) == 1:
            return _single(samples, self.outliers)
        with stages("affinity graph"):
            graph = affinity_graph(samples.rows, self.weights_, self._settings(GraphSettings, self._seed))
        with stages("proposals"):
            proposals = propose(graph, self._settings(ProposalSettings, self._seed))
        return self._cluster(samples, graph, proposals, stages)

    def _cluster(self, samples, graph, proposals, stages):
        networks = self._settings(NetworkSettings, self._seed)
        selection = self._settings(SelectionSettings, self._seed)._replace(min_score=self.min_score_)
        clustered = cluster_graph(graph, proposals, self.weights_, networks, selection, stages)
        labels = number_clusters(clustered.assigned, samples.counts, self.outliers)
        return Result(labels[samples.inverse], clustered.membership[samples.inverse])

    def _keep(self, result):
        self.labels_ = result.labels
        self.probabilities_ = result.probabilities
        self.n_clusters_ = int(result.labels.max(initial=-1)) + 1
        return self

    def _settings(self, kind, seed):
        values = {"seed": seed, "schedule": self._schedule()} | self.get_params(deep=False)
        return kind(**{field: values[field] for field in kind._fields})

    def _schedule(self):
        return (self.max_epochs, self.learning_rate, self.batch_size, self.weight_decay, self.dropout, self.n_iter_no_change)

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1 - 100))

    def _validate_labelled(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(y)
        labelled = y != -1
        classes = np.unique(y[labelled])
        if len(classes) < 2:
            raise ValueError(f"y has {len(classes)} class(es)")
        codes = np.where(labelled, np.searchsorted(classes, y), -1)
        return X, codes


class Result(NamedTuple):
    labels: np.ndarray
    probabilities: np.ndarray
