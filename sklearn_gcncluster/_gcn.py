"""What the estimators with networks share: learning them, taking them from elsewhere, asking them."""

from __future__ import annotations

from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ._base import GraphEstimator, Result
from ._compat import Interval, StrOptions
from ._constraints import check_constraints
from ._doubts import doubt_distances, doubt_graph
from ._graph._affinity import GraphSettings, affinity_graph, learn_affinity, neighbor_lists
from ._graph._linear_map import apply_map
from ._graph._links import Graph
from ._graph._samples import Samples, aggregate_labels
from ._learning import TrainingSettings, learn_detection, learn_segmentation
from ._model import Frame, Learned
from ._persistence import save
from ._pretrained import UNIVERSAL, load_pretrained
from ._proposals._features import N_STRUCTURE
from ._proposals._layers import Proposals
from ._scoring import Inputs, PartInputs
from ._warning import warn

_FEW_LABELS, _FEW_CLASSES = 500, 20
"""Labelled samples up to which, and classes of several of them below which, networks trained before know as
much as labels tell."""
_LEAST_CLASSES = 6
"""Labelled classes of several samples below which they tell nothing of others."""
_LEAST_LENGTH, _USUAL_LENGTH = 0.4, 80
"""Share of the usual neighbour lists below which those learned from were too short to say anything."""
_MAX_FOREIGN = 0.05
"""Share of what networks are asked, outside the range known from labels, above which these say nothing."""
_SCHEDULE = (
    "max_epochs",
    "learning_rate",
    "batch_size",
    "dropout",
    "weight_decay",
)
"""Parameters that say how networks learn."""
_ONLY_WITH_LABELS = (
    "affinity",
    "metric_learning",
    "node_features",
    "hidden_channels",
    "pooling",
    "n_networks",
    "n_training_seeds",
    *_SCHEDULE,
)
"""Parameters that do nothing in a fit without labels."""


class BaseGCN(GraphEstimator):
    """Base of the estimators with networks; see :class:`GCNClustering` for the parameters."""

    _stages: ClassVar[tuple[str, ...]]
    """Stages of a fit without labels, and of predict."""

    _parameter_constraints: ClassVar[dict] = {
        **GraphEstimator._parameter_constraints,
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
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "device": [str],
    }

    def predict(self, X, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Cluster new samples with what was learned; the estimator stays as it is.

        The samples are clustered jointly: what belongs together depends on all of them. Numbers are those
        of this clustering, not of ``labels_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings; or the path of a ``.npy`` file of them, which is mapped and never held whole.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for outliers.

        Raises
        ------
        ValueError
            If constraints contradict each other; the message names a chain of rows.
        """
        self._check_clusters()
        with self._progress(*self._stages):
            samples = self._new_samples(X)
            constraints = check_constraints(must_link, cannot_link, cannot_link_groups, len(samples.inverse))
            return self._clusters_of(X, samples, constraints).labels

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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.pretrained is None
        return tags

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

    # Samples, and the networks that they are shown to

    def _labelled_samples(self, X, y) -> tuple[Samples, np.ndarray]:
        """Samples of the graph and the class code of each, -1 for unlabelled."""
        X = self._checked(X, reset=True)
        codes = self._class_codes(X, y)
        samples = self._samples_for(X, None)
        if samples.n_distinct < 2:
            raise ValueError(
                f"X has {len(codes)} samples, but no two that differ and can be compared; there is nothing "
                "to learn from. Give others."
            )
        classes = aggregate_labels(codes, samples)
        if np.bincount(classes[(classes >= 0) & (samples.counts > 0)], minlength=1).max() < 2:
            raise ValueError(
                f"None of the {len(np.unique(codes[codes >= 0]))} classes in y has two samples that differ; "
                "how clusters look is learned from samples that belong together. Give labels of more samples "
                "of each class, or call fit(X) without y."
            )
        return samples, classes

    def _taught(self, samples: Samples, classes: np.ndarray) -> tuple[Samples, np.ndarray]:
        """The labelled samples and their classes, to learn from; of a graph all, or it would lose its links.

        Among samples without a label, proposals hold few that teach anything.
        """
        labelled = np.flatnonzero(classes >= 0)
        if self._is_graph() or len(labelled) == len(classes):
            return samples, classes
        return samples.take(labelled), classes[labelled]

    def _unlabelled_samples(self, X) -> tuple[Samples, Learned]:
        """Samples of the graph in a fit without labels, and the networks of `pretrained`."""
        X = self._checked(X, reset=True)
        given = signature(type(self)).parameters
        ignored = [
            name for name in _ONLY_WITH_LABELS if _plain(getattr(self, name)) != _plain(given[name].default)
        ]
        if ignored:
            warn(
                f"{', '.join(ignored)} only matter where y is given: without it, the networks of pretrained "
                "are used as they are. Leave these parameters at their defaults, or call fit(X, y)."
            )
        learned = self._pretrained()
        if few := classes_are_few(learned):
            warn(
                f"{few}, when the networks of pretrained were trained; they tell little of other classes. "
                f'Take pretrained="{UNIVERSAL}", or train with more classes.'
            )
        return self._samples_for(X, learned), learned

    def _new_samples(self, X) -> Samples:
        check_is_fitted(self, "learned_")
        return self._samples_for(self._checked(X, reset=False), self.learned_)

    def _samples_for(self, X, learned: Learned | None) -> Samples:
        """Samples of X, comparable to those that were learned from."""
        frame = longest = None
        if learned is not None:
            frame, longest, known = learned.frame, learned.n_neighbors, learned.n_features
            if known is not None and X.shape[1] != known:
                raise ValueError(
                    f"X has {X.shape[1]} features, but the networks of pretrained expect {known} features. "
                    f'Give such embeddings, or use pretrained="{UNIVERSAL}", which takes any.'
                )
        return self._samples_of(X, frame, longest)

    def _pretrained(self) -> Learned:
        if self.pretrained is None:
            name = type(self).__name__
            raise NotFittedError(
                f"This {name} requires y to be passed, but the target y is None, and with pretrained=None it "
                "has no networks: how clusters look is learned from labelled samples. Call fit(X, y) "
                f'with labels, or take {name}(pretrained="{UNIVERSAL}"), whose networks need none.'
            )
        return load_pretrained(self.pretrained)

    # Learning

    def _beside(self, classes: np.ndarray) -> Learned | None:
        """Networks of `pretrained`, where labels are few, or of few classes, and tell less than they know."""
        other = None if self.pretrained is None else self._pretrained()
        sizes = np.bincount(classes[classes >= 0])
        several = sizes[sizes > 1]
        return other if several.sum() <= _FEW_LABELS or len(several) < _FEW_CLASSES else None

    def _are_judged_already(self, samples: Samples, taught: Samples) -> bool:
        """Whether all samples were learned from, with no other networks beside those that learned."""
        return taught is samples and len(self.learned_.detection) == self.n_networks

    def _replacement(self) -> Learned | None:
        """The networks of the package, where they can judge in place of those that were learned."""
        other = self._pretrained() if self.pretrained == UNIVERSAL else self.learned_
        replaceable = self.learned_.is_built_as(other) and not self.learned_.begins_with(other)
        return other if replaceable else None

    def _learn_affinity(self, samples: Samples, classes: np.ndarray) -> tuple[Graph, Learned]:
        """Graph of labelled samples, and what was learned to make it."""
        learned = Learned(self.affinity, self.node_features, tuple(self.hidden_channels), self.pooling)
        with self._stage("learn affinity"):
            graph, linear_map, links = self._cached(learn_affinity)(
                samples.rows,
                classes,
                self._graph_settings(learned, samples),
                self.n_jobs,
            )
        self.recall_ = graph.recall
        self._warn_of_recall(graph.recall)
        doubt_distances(graph)
        frame = None
        if linear_map is not None or self.node_features != "structure":
            frame = samples.frame or Frame(np.zeros(samples.rows.shape[1]), 1.0)
        return graph, learned._replace(
            n_neighbors=graph.dissimilarities.shape[1],
            n_classes=int(np.count_nonzero(np.bincount(classes[classes >= 0]) > 1)),
            frame=frame,
            map=linear_map,
            links=links,
        )

    def _learn_networks(
        self,
        graph: Graph,
        proposals: Proposals,
        classes: np.ndarray,
        learned: Learned,
        segment: bool,
        beside: Learned | None = None,
    ) -> tuple[Learned, list[PartInputs]]:
        """The networks, beside what was learned before and other networks, and what all see of proposals."""
        settings = TrainingSettings(
            learned.node_features,
            learned.hidden_channels,
            learned.pooling,
            self.n_networks,
            {name: getattr(self, name) for name in _SCHEDULE},
            self.device,
            self._seed,
        )
        with self._stage("train networks"):
            n_structure = max(N_STRUCTURE, 0 if beside is None else beside.n_structure)
            inputs = Inputs(graph, n_structure).of_all(proposals)
            given = graph, proposals, inputs, classes, settings
            detection, curves = self._cached(learn_detection)(*given, n_jobs=self.n_jobs)
            self.loss_curve_ = {f"GCN-D {number}": curve for number, curve in enumerate(curves)}
            if segment:
                segmentation, curve = self._cached(learn_segmentation)(
                    *given, tuple(self.iop_range), self.n_training_seeds
                )
                learned = learned._replace(segmentation=segmentation)
                if curve is not None:
                    self.loss_curve_["GCN-S"] = curve
        learned = learned._replace(detection=detection)
        return learned if beside is None else learned.beside(beside), inputs

    # Inference

    def _known_graph_of(self, samples: Samples) -> tuple[Graph, Learned]:
        """Graph of new samples, and who judges it: the package where labels told nothing like it."""
        learned, other = self.learned_, self._replacement()
        missed = None if other is None else classes_are_few(learned) or self._lists_are_short(samples)
        if missed is None:
            graph = self._graph_of(samples, learned)
            if other is not None and graph.unknown > _MAX_FOREIGN:
                missed = (
                    f"{graph.unknown:.0%} of what the networks are asked about X lies outside the range that "
                    f"the labels showed, more than {_MAX_FOREIGN:.0%}, as where classes are far larger than "
                    "the labelled ones, or where the embedding is another"
                )
        if other is not None and missed is not None:
            warn(
                f"{missed}, so the networks of the package judge alone. Label more samples, of classes like "
                "those to be found, or set pretrained=None."
            )
            learned, graph = other, self._graph_of(samples, other)
        doubt_graph(graph)
        return graph, learned

    def _lists_are_short(self, samples: Samples) -> str | None:
        """That so few samples were labelled that their lists tell little of those of others; None if not."""
        usual, known = self._list_length(samples.n_distinct), self.learned_.n_neighbors
        if known is None or known >= _LEAST_LENGTH * min(usual, _USUAL_LENGTH):
            return None
        return (
            f"Lists of {known} neighbours were all that the few labelled samples had, which tells little of "
            f"lists of {usual}, as X has them"
        )

    def _graph_of(self, samples: Samples, learned: Learned) -> Graph:
        """Affinity graph of samples that were not learned from."""
        rows, settings = samples.rows, self._graph_settings(learned, samples)
        embedding = None if self._is_graph() else rows
        with self._stage("neighbors"):
            mapped = rows if learned.map is None else apply_map(rows, learned.map)
            *lists, recall = self._cached(neighbor_lists)(mapped, settings, self.n_jobs)
        with self._stage("affinity"):
            graph = self._cached(affinity_graph)(
                embedding,
                None if self._is_graph() else mapped,
                *lists,
                learned.links,
                learned.affinity,
                self.n_jobs,
            )
        self._warn_of_recall(recall)
        return graph._replace(recall=recall)

    def _graph_settings(self, learned: Learned, samples: Samples) -> GraphSettings:
        from ._nn._training import search_device

        metric = self.metric if self._is_graph() else self._metric_of(samples.rows.shape[1])
        n_neighbors = self._list_length(samples.n_distinct)
        return GraphSettings(
            min(n_neighbors, learned.n_neighbors or n_neighbors),
            metric,
            self.algorithm,
            learned.affinity,
            self.metric_learning,
            self._seed,
            search_device(self.device),
        )

    def _keep(self, result: Result):
        self.labels_, self.probabilities_, self.cluster_scores_, self.recall_ = result
        self.n_clusters_ = len(result.scores)
        return self


def classes_are_few(learned: Learned) -> str | None:
    """That what was learned is of a few classes, and not of what classes are like; None if not."""
    known = learned.n_classes
    if known is None or known >= _LEAST_CLASSES:
        return None
    return f"Only {known} classes of several samples were labelled, fewer than {_LEAST_CLASSES}"


def _plain(value):
    """A list is as good as a tuple."""
    return tuple(value) if isinstance(value, list) else value
