"""GCNClustering: the estimator, as one line of data flow.

X -> distinct samples -> affinity graph -> proposals -> scores -> segmented proposals -> labels
"""

from __future__ import annotations

from typing import ClassVar

from ._base import one_cluster
from ._compat import StrOptions, fit_context
from ._constraints import check_constraints
from ._diagnosis import DiagnosisMixin
from ._doubts import doubt_outliers, doubt_scores
from ._gcn import BaseGCN
from ._graph._samples import aggregate_labels
from ._mending import keep_constraints
from ._proposals._layers import distinct_proposals
from ._proposals._sources import PROPOSAL_CONSTRAINTS, ProposalSettings, check_sources, partition_by, propose
from ._scored_proposals import ScoredProposals, clusters_of
from ._scoring import Judge, join
from ._selection import SELECTION_CONSTRAINTS, SelectionSettings, in_favour_of, select
from ._showing import ShowingMixin, shown

_LEARNING = ("learn affinity", "proposals", "train networks", "GCN-D", "GCN-S", "de-overlap")
"""Stages of a fit with labels."""


class GCNClustering(DiagnosisMixin, ShowingMixin, BaseGCN):
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
        Number of neighbours of each sample in the affinity graph (paper: K). Clipped to an eighth of the
        samples, but not below 10: in longer lists nobody stands out.
    metric : {"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"}, default="auto"
        How neighbours are compared. With at least 32 features, as embeddings have, "auto" is the cosine; with
        fewer it is the Euclidean distance. With "precomputed", X is a square matrix of distances, usually the
        sparse one of :class:`~sklearn.neighbors.KNeighborsTransformer`; with "precomputed_affinity", it is
        one of affinities up to 1.
    algorithm : {"auto", "brute", "cells", "hnsw"}, default="auto"
        How neighbours are searched: exactly ("brute"), exactly within overlapping cells, which misses few
        ("cells"), or approximately by hnswlib ("hnsw"). "auto" is exact up to 50,000 samples
        (two million where `device` is a GPU, which then searches), and takes cells beyond.
    affinity : {"learned", "neighborhood", "cosine"}, default="learned"
        The weight of a link: the learned probability that both ends belong to one class, the share of their
        neighbourhoods that they have in common, or their similarity, as in the paper. Without `y` it is that
        of the networks in `pretrained`.
    metric_learning : {"auto"} or bool, default="auto"
        Whether neighbours are searched under a linear map that is learned from the labels. "auto" uses the
        map if classes that it has not seen gain from it. Only with `y`.
    proposals : sequence, default=("supervertices", "average_link")
        Where proposals come from. "supervertices" are Algorithms 1 and 2 of the paper; "average_link" merges
        groups by the mean affinity of their members at many thresholds. A clusterer with ``fit_predict`` is
        cloned and proposes its clusters, and a function proposes those whose labels it returns; both are
        given the distinct rows of X (of unit length for "cosine").
    edge_threshold : {"auto"}, float or sequence of floats below 1, default="auto"
        Similarities below which Algorithm 1 cuts links (paper: e_tau). "auto" takes five quantiles of the
        similarities in the graph's spanning forest, since absolute values are not comparable across
        embeddings.
    threshold_step : float in (0, 1), default=0.05
        For groups that are too large, the threshold t is raised by ``(1 - t) * threshold_step`` (paper:
        delta).
    max_supervertex_size : int, default=300
        Size above which a group is cut at a higher threshold (paper: s_max).
    n_levels : int, default=2
        Levels of Algorithm 2 (paper: I). The super-vertices are the first.
    min_proposal_size, max_proposal_size : int, default=1 and None
        Proposals of other sizes are left out. A single sample is a proposal too: its score is the one that a
        group has to beat.
    node_features : {"structure", "embedding", "both"}, default="structure"
        What the networks see of a sample: its place in the structure of the proposal, which carries over to
        new classes; its embedding, as in the paper; or both. Only with `y`.
    hidden_channels : tuple of int, default=(64, 32)
        Width of each graph convolution. Only with `y`.
    pooling : {"max", "mean", "sum"}, default="max"
        How GCN-D pools the samples of a proposal. Only with `y`.
    n_networks : int, default=3
        Number of GCN-Ds whose scores are averaged. Each leaves out another fifth of the classes, at
        which its loss is told. Only with `y`.
    segment : bool, default=True
        Whether GCN-S refines impure proposals. What is left of a proposal is scored again and competes with
        the original.
    iop_range : tuple of two floats, default=(0.3, 0.7)
        Proposals are impure if their IoP, the share of the class that most members have, is in this range:
        the true IoP in training, the predicted one afterwards.
    n_training_seeds, n_seeds : int, default=3 and 5
        Number of seeds in each impure proposal, in training (only with `y`) and afterwards. The answer with
        most members wins.
    overlap : {"adaptive", "deoverlap", "nms"}, default="adaptive"
        How each sample gets to one of the proposals that hold it. "deoverlap" is Algorithm 3 of the paper:
        the best proposal takes its members first. "adaptive" does so too, but counts a proposal less that
        lost members. "nms" drops proposals that overlap a better one.
    max_overlap : float in [0, 1], default=0.5
        IoU of two proposals above which "nms" drops the worse one.
    min_score : float in [0, 1], default=0.15
        Clusters of two or more samples with a lower predicted IoU are dropped.
    outliers : {"noise", "singletons"}, default="noise"
        Whether samples in no cluster get the label -1, or a number each.
    pretrained : "universal", path, FrozenEstimator or None, default="universal"
        Networks that were trained before: those that come with the package, which look at structure only and
        take any embedding; those in a file that :meth:`save` wrote; or those of a fitted estimator, given as
        :class:`~sklearn.frozen.FrozenEstimator`. Without `y`, they judge alone. If classes of several samples
        have at most 500 in `y`, or are fewer than 20, they judge beside those that are learned, and scores
        are means over all. Those of the package judge alone, too, where such classes are fewer than 6,
        where neighbour lists learned from are less than 0.4 times as long as those of new samples, or where
        more than 5 % of what is asked about these lies outside the range that the labels showed. With `y`,
        both takes networks of the same `affinity`, `node_features`, `hidden_channels` and `pooling`; others
        play no part, nor do any with None.
    memory : str, path or object with the joblib.Memory interface, default=None
        Where the graph, the proposals and the results of training are cached, by their inputs: a search over
        later parameters then neither searches neighbours nor trains again. Useful with an int as
        `random_state`.
    max_epochs : int, default=12
        Number of epochs of each network. Only with `y`.
    learning_rate, weight_decay : float, default=0.004 and 0.1
        Of AdamW; the learning rate is the highest of one cycle. Only with `y`.
    batch_size : int, default=8192
        Largest number of samples of proposals in a batch. Small data are cut into two dozen batches. Only
        with `y`.
    dropout : float in [0, 1), default=0.0
        Share of each layer's outputs that are dropped in training. Only with `y`.
    device : str, default="auto"
        Where networks run, and neighbours are searched exactly, such as "cpu" or "cuda:0". "auto" is CUDA if
        there is any. Where there are several jobs, these judge proposals on the processor.
    n_jobs : int, default=None
        Number of joblib workers: of the search, of blocks of links, of layers of proposals and of training.
        The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        An int makes everything reproducible. The global states of NumPy and torch are not touched.
    verbose : bool or int, default=False
        1 shows a progress bar, with the stage's name; 2, as for logs, a line for each stage that ends.

    Attributes
    ----------
    labels_ : int64 ndarray of shape (n_samples,)
        Cluster of each sample of the last `fit`: 0 is the largest, -1 are outliers.
    n_clusters_ : int
        Number of clusters.
    probabilities_ : float32 ndarray of shape (n_samples,)
        How surely each sample belongs to its cluster: by GCN-S in a segmented one, else the predicted IoP of
        the proposal; 0 for outliers.
    cluster_scores_ : float32 ndarray of shape (n_clusters, 2)
        Predicted IoU and IoP of each cluster. Those with the lowest are worth a look first.
    exemplars_ : intp ndarray of shape (n_clusters,)
        Row of the most typical member of each cluster: the one with the highest mean affinity to the others.
    cluster_affinity_ : csr_array of shape (n_samples, n_clusters)
        Mean affinity of samples to clusters; :meth:`memberships` gives the highest.
    cluster_layers_ : int64 ndarray of shape (n_layers, n_samples)
        Finer and coarser answers around ``labels_``, from fine to coarse, by proposals that are favoured for
        their size.
    cluster_layer_scores_ : float32 ndarray of shape (n_layer_clusters, 2)
        Predicted IoU and IoP of all clusters in ``cluster_layers_``, layer by layer.
    cluster_tree_ : ClusterTree
        The same clusters as a table, each with the one of the next layer that holds most of it.
    duplicates_ : intp ndarray of shape (n_samples,)
        For each sample the first one that is equal to it, be it itself.
    constraints_ : Constraints or None
        Constraints of the last `fit`, of components of samples that must share a cluster.
    loss_curve_ : dict of str to ndarray of shape (n_epochs, 2)
        Training and validation loss of each network by epoch, in the order of training; only after a fit with
        `y`.
    learned_ : Learned
        All that was learned, as plain arrays, with the parameters that it belongs to.
    recall_ : float
        Share of the nearest neighbours that the search found in `fit`, by exact search for a few hundred
        rows; 1.0 where all search is exact.
    n_features_in_ : int
        Number of features of X in the last `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features of X, if they are all strings.

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

    _stages: ClassVar = ("neighbors", "affinity", "proposals", "GCN-D", "GCN-S", "de-overlap")

    _parameter_constraints: ClassVar[dict] = {
        **BaseGCN._parameter_constraints,
        **PROPOSAL_CONSTRAINTS,
        **SELECTION_CONSTRAINTS,
        "segment": ["boolean"],
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
        hidden_channels=(64, 32),
        pooling="max",
        n_networks=3,
        segment=True,
        iop_range=(0.3, 0.7),
        n_training_seeds=3,
        n_seeds=5,
        overlap="adaptive",
        max_overlap=0.5,
        min_score=0.15,
        outliers="noise",
        pretrained="universal",
        memory=None,
        max_epochs=12,
        learning_rate=4e-3,
        batch_size=8192,
        dropout=0.0,
        weight_decay=0.1,
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
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Learn from labelled samples how clusters look, and cluster them.

        As everywhere in scikit-learn, this starts anew. To cluster other samples with what was learned, use
        :meth:`predict`, or give the trained estimator to another: ``pretrained=FrozenEstimator(trained)``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings; or the path of a ``.npy`` file of them, which is mapped and never held whole.
        y : array-like of shape (n_samples,), default=None
            Class of each sample; -1 for unlabelled ones, which teach nothing and are clustered with others.
            Without `y`, nothing is learned: X is clustered with the networks of `pretrained`.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        self : GCNClustering
            The fitted estimator. If `fit` fails or is interrupted, the estimator is as it was before.

        Raises
        ------
        ValueError
            If y names fewer than two classes, parameters do not fit each other, or constraints contradict
            each other; the message names a chain of rows.
        sklearn.exceptions.NotFittedError
            If y is None and `pretrained` is None.
        """
        given = must_link, cannot_link, cannot_link_groups
        with self._fitting(*(self._stages if y is None else _LEARNING)):
            self._check_parameters()
            if y is None:
                samples, self.learned_ = self._unlabelled_samples(X)
                constraints = check_constraints(*given, len(samples.inverse))
                scored, judge = self._judged(samples)
            else:
                samples, classes = self._labelled_samples(X, y)
                constraints = check_constraints(*given, len(samples.inverse))
                taught, classes = self._taught(samples, classes)
                beside = self._beside(classes)
                graph, learned = self._learn_affinity(taught, classes)
                proposals = self._propose(graph, taught, learned)
                proposals.check_any(self.min_proposal_size, self.max_proposal_size)
                self.learned_, inputs = self._learn_networks(
                    graph, proposals, classes, learned, self.segment, beside
                )
                if self._are_judged_already(samples, taught):
                    scored, judge = self._scored(graph, proposals, self.learned_, inputs)
                else:
                    scored, judge = self._judged(samples)
            result = self._keep_all(samples, scored, judge, constraints)
            if y is None:
                doubt_scores(result, scored, samples)
            return self

    def score_proposals(self, X):
        """Make proposals of clusters of new samples, and score them.

        This is :meth:`predict` up to its last step, in which each sample goes to one of the proposals that
        hold it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings; or the path of a ``.npy`` file of them, which is mapped and never held whole.

        Returns
        -------
        proposals : ScoredProposals
            Of all sources and sizes; those that GCN-S left of others come last.

        Raises
        ------
        ValueError
            If all samples are equal.
        """
        samples = self._new_samples(X)
        if samples.n_distinct < 2:
            raise ValueError(
                f"X has {len(samples.inverse)} samples, but no two that differ and can be compared; there is "
                "nothing to propose. Give others."
            )
        with self._progress(*self._stages[:-1]):
            graph, learned = self._known_graph_of(samples)
            proposals = self._propose(graph, samples, learned)
            scored, judge = self._scored(graph, proposals, learned)
        return ScoredProposals(scored, len(proposals.sizes), samples, judge)

    def review(self, X, n_questions=200, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Ask about the clusters that :meth:`predict` gives, the most valuable questions first.

        Each question is about two samples that belong together or not. Answers are constraints: pairs that
        do belong together are `must_link`, others `cannot_link`. Questions that constraints answer already
        are not asked again.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples whose clusters are asked about.
        n_questions : int, default=200
            How many questions, at most.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not: answers so far.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        questions : list of dict
            The ``"kind"`` of each question, the rows of its samples, ``"first"`` and ``"second"``, its
            ``"gain"``, an estimate of the BCubed recall or precision that an answer wins, and the
            ``"clusters"`` of both samples. "merge" asks if two clusters are one, "outlier" if a sample in
            none belongs to one, and "split" if a cluster is two. :class:`ClusterReport` takes it as its
            `questions`, and pandas makes a data frame of it.
        """
        settings = {name: getattr(self, name) for name in ("overlap", "max_overlap", "min_score")}
        return self.score_proposals(X).review(
            n_questions,
            must_link=must_link,
            cannot_link=cannot_link,
            cannot_link_groups=cannot_link_groups,
            **settings,
        )

    def _check_parameters(self):
        super()._check_parameters()
        check_sources(self.proposals, self.edge_threshold, self.metric if self._is_graph() else None)
        if self.max_proposal_size is not None and self.max_proposal_size < self.min_proposal_size:
            raise ValueError(
                f"min_proposal_size={self.min_proposal_size} is more than "
                f"max_proposal_size={self.max_proposal_size}, so there are no proposals. Give a range."
            )

    # X -> graph -> proposals -> scores -> labels

    def _clusters_of(self, X, samples, constraints):
        scored, judge = self._judged(samples)
        with self._stage("de-overlap"):
            return self._chosen(samples, scored, judge, constraints)

    def _predict_after(self, X, earlier, constraints):
        """Labels as of `predict`, in favour of earlier ones.

        All earlier partitions are proposals too. Others are worth less by the share of their members that
        would change their cluster of the first.
        """
        with self._progress(*self._stages):
            samples, scores = self._new_samples(X), None
            partitions = [aggregate_labels(labels, samples) for labels in earlier]
            scored, judge = self._judged(samples, partitions)
            if partitions and judge is not None:
                scores = in_favour_of(partitions[0], scored.proposals, scored.quality[:, 0])
            with self._stage("de-overlap"):
                return self._chosen(samples, scored, judge, constraints, scores).labels

    def _judged(self, samples, partitions=()):
        """Scored proposals and their judge, or None for both where no two samples differ."""
        if samples.n_distinct < 2:
            return None, None
        graph, learned = self._known_graph_of(samples)
        return self._scored(graph, self._propose(graph, samples, learned, partitions), learned)

    def _propose(self, graph, samples, learned, partitions=()):
        settings = ProposalSettings(
            tuple(source for source in self.proposals if isinstance(source, str)),
            self.edge_threshold,
            self.threshold_step,
            self.max_supervertex_size,
            self.n_levels,
            self.min_proposal_size,
            self.max_proposal_size,
            graph.dissimilarities.shape[1],
            learned.affinity,
        )
        own = [source for source in self.proposals if not isinstance(source, str)]
        with self._stage("proposals"):
            rows = samples.original_rows() if own else None
            partitions = [*partitions, *(self._cached(partition_by)(source, rows) for source in own)]
            return self._cached(propose)(graph, settings, partitions, self.n_jobs)

    def _scored(self, graph, proposals, learned, inputs=None):
        """Proposals with their scores, behind them what GCN-S leaves of those that would become clusters."""
        judge = Judge(graph, learned, self.device, self.n_jobs)
        with self._stage("GCN-D"):
            scored = judge.score(proposals, inputs)
        if not (self.segment and judge.can_segment):
            return scored, judge
        with self._stage("GCN-S"):
            # Of all that could be segmented, some would look better than it is.
            chosen = select(proposals, scored.quality[:, 0], self._selection())
            clusters = judge.score(distinct_proposals(chosen[None]))
            segmented, membership = judge.segment(
                clusters, iop_range=self.iop_range, n_seeds=self.n_seeds, seed=self._seed
            )
            return join(scored, judge.score(segmented)._replace(membership=membership)), judge

    def _chosen(self, samples, scored, judge, constraints, scores=None):
        """Each sample in one of the proposals that hold it, as far as constraints let it."""
        if judge is None:
            return keep_constraints(
                one_cluster(samples, self.outliers), constraints, samples, None, self.outliers
            )
        result = clusters_of(scored, judge, samples, self._selection(), self.outliers, scores)
        result = keep_constraints(result, constraints, samples, judge, self.outliers)
        doubt_outliers(result)
        return result

    def _keep_all(self, samples, scored, judge, constraints):
        """Keep clusters, and what they show."""
        with self._stage("de-overlap"):
            result = self._chosen(samples, scored, judge, constraints)
            attributes = shown(result, samples, scored, judge, self._selection(), self.outliers, constraints)
        for name, value in attributes.items():
            setattr(self, name, value)
        self._keep(result)
        return result

    def _selection(self):
        return SelectionSettings(self.overlap, self.max_overlap, self.min_score)
