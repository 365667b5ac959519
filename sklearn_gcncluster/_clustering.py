"""GCNClustering: the estimator, as one line of data flow.

X -> distinct samples -> affinity graph -> proposals -> scores -> refined proposals -> labels
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from ._base import BaseGCN, Result
from ._compat import Interval, StrOptions, fit_context
from ._diagnosis import diagnose
from ._learning import NetworkSettings
from ._pipeline import SOURCES, ProposalSettings, SelectionSettings, cluster_graph, propose, score_proposals


class GCNClustering(BaseGCN):
    """Clustering that learns from labelled classes how clusters look.

    Proposals of clusters, made at many scales from a graph of nearest neighbours, are judged by a graph
    convolutional network (GCN-D of [1]_); a second one (GCN-S) takes the outliers out of impure proposals,
    and each sample goes to the best proposal that holds it. What is learned on some classes serves to cluster
    samples of others, as long as they are embedded in the same way. The number of clusters is not asked for.

    By default the graph itself is learned too: neighbours are searched under a linear map that brings
    samples of a class closer together, and links weigh the probability that both ends have one class.

    Read more in the :ref:`User Guide <user_guide>`.

    Parameters
    ----------
    n_neighbors : int, default=80
        Neighbours of each sample in the affinity graph (paper: K). Clipped to the number of other samples.
    metric : {"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"}, default="auto"
        Of the neighbours. "auto" is the cosine from 32 features on, as embeddings have, and Euclidean below.
        With "precomputed", X is a square matrix of distances, usually the sparse one of
        :class:`~sklearn.neighbors.KNeighborsTransformer`; with "precomputed_affinity", of affinities up to 1.
    algorithm : {"auto", "brute", "hnsw"}, default="auto"
        How neighbours are searched: exactly, or approximately by hnswlib. "auto" is exact as long as that
        is not slower.
    affinity : {"learned", "neighborhood", "cosine"}, default="learned"
        What links weigh: the learned probability that both ends have one class, the share of their
        neighbourhoods that they have in common, or their similarity, as in the paper.
    metric_learning : {"auto"} or bool, default="auto"
        Whether neighbours are searched under a linear map that is learned from the labels. "auto" does so if
        classes that the map has not seen gain from it.
    proposals : sequence, default=("supervertices", "average_link")
        Where proposals come from: "supervertices" are Algorithms 1 and 2 of the paper, "average_link" merges
        groups by the mean affinity of their members at many thresholds. A clusterer with ``fit_predict`` is
        cloned and proposes its clusters, and a function proposes those whose labels it returns; both are
        given the distinct rows of X (of unit length for "cosine").
    edge_threshold : {"auto"}, float or sequence of floats below 1, default="auto"
        Affinities below which Algorithm 1 cuts links (paper: e_tau). "auto" takes five quantiles of the
        affinities in the graph's spanning forest, since absolute values do not travel between embeddings.
    threshold_step : float in (0, 1), default=0.05
        By ``t + (1 - t) * threshold_step`` the threshold t is raised for groups that are too large (paper:
        delta).
    max_supervertex_size : int, default=300
        Size above which a group is cut at a higher threshold (paper: s_max).
    n_levels : int, default=2
        Levels of Algorithm 2 (paper: I), the super-vertices being the first.
    min_proposal_size, max_proposal_size : int, default=1 and None
        Proposals of other sizes are left out. A single sample is a proposal too: the score that a group has
        to beat.
    node_features : {"structure", "embedding", "both"}, default="structure"
        What the networks see of a sample: its place in the structure of the proposal, which carries over to
        new classes, its embedding, as in the paper, or both.
    hidden_channels : tuple of int, default=(512, 64)
        Width of each graph convolution.
    pooling : {"max", "mean", "sum"}, default="max"
        How GCN-D pools the samples of a proposal.
    n_networks : int, default=3
        GCN-Ds whose scores are averaged. Each stops by another fifth of the classes.
    segment : bool, default=True
        Whether GCN-S refines impure proposals. What is left of a proposal is scored again and competes with
        the original.
    iop_range : tuple of two floats, default=(0.3, 0.7)
        Proposals are impure if their IoP, the share of the class that most members have, is in this range:
        the true IoP in training, the predicted one afterwards.
    n_training_seeds, n_seeds : int, default=3 and 5
        Seeds in each impure proposal, in training and afterwards. The hypothesis with most members wins.
    overlap : {"adaptive", "deoverlap", "nms"}, default="adaptive"
        How each sample gets to one of the proposals that hold it. "deoverlap" is the paper's Algorithm 3: the
        best proposal takes its members first. "adaptive" does so too, but counts a proposal less that lost
        members. "nms" drops proposals that overlap a better one.
    max_overlap : float in [0, 1], default=0.5
        IoU of two proposals above which "nms" drops the worse.
    min_score : float in [0, 1], default=0.4
        Proposals of two or more samples with a lower predicted IoU are dropped.
    outliers : {"noise", "singletons"}, default="noise"
        Whether samples in no cluster get the label -1, or a number each.
    pretrained : "universal", path, FrozenEstimator or None, default="universal"
        Networks that were trained before: those that come with the package, which look at structure only and
        so know any embedding; those in a file that :meth:`save` wrote; or those of a fitted estimator, given
        as :class:`~sklearn.frozen.FrozenEstimator`. Without `y`, `fit` uses them as they are. With `y` it
        trains, and takes or goes on from them where they are better at classes held out; for this they must
        have the same `affinity`, `node_features`, `hidden_channels` and `pooling` as the estimator.
    memory : str or object with the joblib.Memory interface, default=None
        Where to keep the graph, the proposals and what training gives, by their inputs: searches over
        parameters further down the line then neither search neighbours nor train again. Of use with an int
        as `random_state`.
    max_epochs : int, default=40
        Epochs at most, for each network.
    learning_rate : float, default=0.002
        Of AdamW.
    batch_size : int, default=8192
        Samples of proposals in a batch, at most. Small data are cut into two dozen batches.
    dropout : float in [0, 1), default=0.3
        Share of each layer's outputs that training drops.
    weight_decay : float, default=0.1
        Of AdamW.
    n_iter_no_change : int, default=10
        Training stops after so many epochs without gain on classes that it does not learn from.
    device : str, default="auto"
        Where networks run, such as "cpu" or "cuda:0"; "auto" takes CUDA if there is any.
    n_jobs : int, default=None
        Joblib workers of the neighbour search. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        An int makes everything reproducible. The global states of NumPy and torch are not touched.
    verbose : bool or int, default=False
        Whether to show progress bars and the time of each stage.

    Attributes
    ----------
    labels_ : int64 ndarray of shape (n_samples,)
        Cluster of each sample of the last `fit`: 0 is the largest, -1 are outliers.
    n_clusters_ : int
        Number of clusters.
    probabilities_ : float32 ndarray of shape (n_samples,)
        How surely each sample belongs to its cluster: by GCN-S in a refined one, else the predicted IoP of
        the proposal; 0 for outliers.
    cluster_scores_ : float32 ndarray of shape (n_clusters, 2)
        Predicted IoU and IoP of each cluster. Those with the lowest are worth a look first.
    loss_curve_ : dict of str to ndarray of shape (n_epochs, 2)
        Training and validation loss of each network by epoch.
    weights_ : dict of str to dict of str to ndarray
        All that was learned.
    n_features_in_ : int
        Number of features of X in ``fit(X, y)``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    GCNSegmenter : Refine the clusters of another clusterer.
    sklearn.cluster.HDBSCAN : Density-based clustering without labels.

    Notes
    -----
    The paper's pipeline is ``GCNClustering(affinity="cosine", metric_learning=False,
    proposals=["supervertices"], node_features="embedding", n_networks=1, overlap="deoverlap", min_score=0)``,
    but for the refined proposals, which here compete with the originals instead of replacing them.

    Few labelled classes teach little: with fewer than a dozen, expect less than the documented accuracy.

    References
    ----------
    .. [1] Yang, L., Zhan, X., Chen, D., Yan, J., Loy, C. C., & Lin, D. (2019). "Learning to Cluster Faces
           on an Affinity Graph". CVPR 2019. :arxiv:`1904.02749`

    Examples
    --------
    >>> from sklearn_gcncluster import GCNClustering
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(1000, n_features=32, class_spread=0.3, random_state=0)
    >>> train = y % 2 == 0
    >>> clusterer = GCNClustering(hidden_channels=(32, 16), n_networks=1, max_epochs=8, random_state=0)
    >>> labels = clusterer.fit(X[train], y[train]).predict(X[~train])
    >>> labels.shape == y[~train].shape
    True
    >>> bool(clusterer.score(X[~train], y[~train]) > 0.6)
    True
    """

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
        metric="auto",
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
        pretrained="universal",
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
        self.pretrained = pretrained
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
            Without `y`, X is clustered with the networks of an earlier ``fit(X, y)``, else with those of
            `pretrained`.

        Returns
        -------
        self : GCNClustering
            The fitted estimator.

        Raises
        ------
        ValueError
            If y names fewer than two classes, or parameters do not fit each other.
        sklearn.exceptions.NotFittedError
            If y is None, no networks were trained before and `pretrained` is None.
        """
        self._check_parameters()
        if y is None:
            return self._fit_unlabelled(X)
        samples, classes = self._learning_samples(X, y)
        self._seed, stages, start = self._draw_seed(), self._stages(), self._start()
        with stages("learn affinity"):
            graph, affinity = self._learn_affinity(samples, classes, start)
        with stages("proposals"):
            proposals = self._propose(graph)
        if not len(proposals.sizes):
            largest = self.max_proposal_size or len(samples.inverse)
            raise ValueError(
                f"No proposal has from {self.min_proposal_size} to {largest} members, so there is nothing to "
                "learn from. Choose a smaller min_proposal_size or a larger max_proposal_size."
            )
        with stages("train networks"):
            networks, self.loss_curve_ = self._learn_networks(graph, proposals, classes, self.segment, start)
        self.weights_ = affinity | networks
        return self._keep(self._cluster(graph, proposals, samples, stages))

    def _check_parameters(self):
        super()._check_parameters()
        if not isinstance(self.edge_threshold, str):
            thresholds = np.atleast_1d(self.edge_threshold)
            numbers = thresholds.ndim == 1 and thresholds.dtype.kind in "iuf"
            if not numbers or not len(thresholds) or not (thresholds < 1).all():
                raise ValueError(
                    "edge_threshold must be 'auto', or one or more numbers below 1, but is "
                    f"{self.edge_threshold!r}."
                )
        own = [source for source in self.proposals if not isinstance(source, str)]
        unknown = [name for name in self.proposals if isinstance(name, str) and name not in SOURCES]
        unknown += [source for source in own if not (hasattr(source, "fit_predict") or callable(source))]
        if unknown or not self.proposals:
            found = f"has {unknown[0]!r}" if unknown else "is empty"
            raise ValueError(
                f"proposals {found}. Name at least one source: {', '.join(map(repr, SOURCES))}, a clusterer "
                "with fit_predict, or a function that takes rows and returns a label for each."
            )
        if own and self._is_graph():
            raise ValueError(
                f'{own[0]!r} among the proposals clusters rows, and with metric="{self.metric}" X is a graph '
                f"that has none. Use {' or '.join(map(repr, SOURCES))}, or give embeddings as X and another "
                "metric."
            )

    def _fit_unlabelled(self, X):
        samples = self._new_samples(X, first=self._use_pretrained())
        return self._keep(self._cluster_samples(samples))

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
        return self._cluster_samples(self._new_samples(X))

    def _cluster_samples(self, samples):
        stages = self._stages()
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
        graph = self._affinity_graph(samples, stages)
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
