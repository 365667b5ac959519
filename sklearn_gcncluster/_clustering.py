"""GCNClustering: the estimator, as one line of data flow.

X -> distinct samples -> affinity graph -> proposals -> scores -> refined proposals -> labels
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.exceptions import NotFittedError

from ._base import BaseGCN, Result
from ._compat import Interval, StrOptions, fit_context
from ._diagnosis import diagnose
from ._learning import NetworkSettings
from ._pipeline import ProposalSettings, SelectionSettings, cluster_graph, propose, score_proposals


class GCNClustering(BaseGCN):
    """DOC"""

    _parameter_constraints: ClassVar[dict] = {
        **BaseGCN._parameter_constraints,
        "proposals": [tuple, list],
        "edge_threshold": [StrOptions({"auto"}), Interval(Real, None, 1, closed="neither"), "array-like"],
        "threshold_step": [Interval(Real, 0, 1, closed="neither")],
        "max_supervertex_size": [Interval(Integral, 1, None, closed="left")],
        "n_levels": [Interval(Integral, 1, None, closed="left")],
        "min_proposal_size": [Interval(Integral, 1, None, closed="left")],
        "max_proposal_size": [None, Interval(Integral, 1, None, closed="left")],
        "segment": ["boolean"],
        "overlap": [StrOptions({"adaptive", "deoverlap", "nms"})],
        "max_overlap": [Interval(Real, 0, 1, closed="both")],
        "min_score": [Interval(Real, 0, 1, closed="both")],
        "outliers": [StrOptions({"noise", "singletons"})],
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
        overlap="adaptive",
        max_overlap=0.5,
        min_score=0.4,
        outliers="noise",
        memory=None,
        max_epochs=40,
        learning_rate=2e-3,
        batch_size=8192,
        dropout=0.3,
        weight_decay=0.1,
        n_iter_no_change=10,
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
        self.memory = memory
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
        """Learn from labelled samples how clusters look, and cluster them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,), default=None
            Class of each sample; -1 for unlabelled ones, which are part of the graph and teach nothing.
            Without `y`, X is clustered with the networks of an earlier ``fit(X, y)``.

        Returns
        -------
        self : GCNClustering

        Raises
        ------
        ValueError
            If y names fewer than two classes.
        sklearn.exceptions.NotFittedError
            If y is None and no networks were trained before.
        """
        if y is None:
            return self._fit_unlabelled(X)
        samples, classes = self._learning_samples(X, y)
        self._seed, stages = self._draw_seed(), self._stages()
        with stages("learn affinity"):
            graph, affinity = self._learn_affinity(samples, classes)
        with stages("proposals"):
            proposals = self._propose(graph)
        with stages("train networks"):
            networks, self.loss_curve_ = self._learn_networks(graph, proposals, classes, self.segment)
        self.weights_ = affinity | networks
        return self._keep(self._cluster(graph, proposals, samples, stages))

    def _fit_unlabelled(self, X):
        if not hasattr(self, "weights_"):
            raise NotFittedError(
                "This GCNClustering has no networks yet: how clusters look is learned from labelled "
                "samples. Call fit(X, y) with labels first; then fit(X), fit_predict(X) and predict(X) "
                "cluster any X of the same embedding."
            )
        return self._keep(self._cluster_new(X))

    def diagnose(self, X, y):
        """Tell what limits the clusters of labelled samples, step by step.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples of classes that `fit` has not seen; on those it learned from, errors look too small.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are clustered and left out of the scores.

        Returns
        -------
        diagnosis : Diagnosis
            The error of ``predict(X)``, split by cause; print or plot it.
        """
        return diagnose(self, X, y)

    def _cluster_new(self, X):
        samples, stages = self._new_samples(X), self._stages()
        if np.count_nonzero(samples.counts) == 1:
            return self._only_one(samples)
        graph, proposals = self._graph_and_proposals(samples, stages)
        return self._cluster(graph, proposals, samples, stages)

    def _score_proposals(self, X):
        """Samples of X, their proposals, and these again with refined ones and scores."""
        samples, stages = self._new_samples(X), self._stages()
        if np.count_nonzero(samples.counts) == 1:
            n_samples = len(samples.inverse)
            raise ValueError(
                f"X has {n_samples} samples, all equal; there is nothing to propose. Give others."
            )
        graph, proposals = self._graph_and_proposals(samples, stages)
        networks = self._settings(NetworkSettings, self._seed)
        selection = self._settings(SelectionSettings, self._seed)
        scored = score_proposals(graph, proposals, self.weights_, networks, selection, stages)
        return samples, proposals, scored

    def _graph_and_proposals(self, samples, stages):
        with stages("affinity graph"):
            graph = self._affinity_graph(samples)
        with stages("proposals"):
            return graph, self._propose(graph)

    def _propose(self, graph):
        return self._cached(propose)(graph, self._settings(ProposalSettings, self._seed))

    def _cluster(self, graph, proposals, samples, stages):
        labels, probabilities, scores = cluster_graph(
            graph,
            samples.counts,
            proposals,
            self.weights_,
            self._settings(NetworkSettings, self._seed),
            self._settings(SelectionSettings, self._seed),
            stages,
        )
        return Result(labels[samples.inverse], probabilities[samples.inverse], scores)

    def _only_one(self, samples):
        """One distinct sample: a cluster if it occurs more than once, else an outlier."""
        clustered = len(samples.inverse) > 1 or self.outliers == "singletons"
        return Result(
            np.full(len(samples.inverse), 0 if clustered else -1),
            np.full(len(samples.inverse), float(clustered), dtype=np.float32),
            np.full((int(clustered), 2), np.nan, dtype=np.float32),
        )
