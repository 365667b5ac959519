"""GCNSegmenter: refine the clusters of any clusterer, as one line of data flow.

X -> affinity graph; clusters of X -> impure ones segmented -> fragments merged -> labels
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from ._base import Result, rows_of
from ._compat import HasMethods, StrOptions, fit_context
from ._constraints import check_constraints
from ._gcn import BaseGCN
from ._mending import keep_constraints
from ._proposals._layers import distinct_proposals
from ._proposals._sources import DEFAULT_PROPOSALS, propose
from ._refinement import (
    RefinementSettings,
    given_clusters,
    merge_levels,
    one_given_cluster,
    refine_partition,
)
from ._scoring import Judge
from ._selection import number_clusters

_LEARNING = ("learn affinity", "proposals", "train networks", "refine")
"""Stages of a fit with labels."""


class GCNSegmenter(BaseGCN):
    """Refine the clusters of any clusterer by what labelled classes taught.

    This is the second network of the paper, GCN-S, put to work behind another clusterer (section 3.3 and
    Fig. 6 of [1]_). GCN-D judges how pure each given cluster is, and those in `iop_range` are segmented: from
    several seeds, GCN-S tells which members have the class of the seed, and the seed with most members wins.
    What it leaves behind is segmented again, until nothing is left, so a cluster made of two identities
    comes out as two. Then fragments are merged. A cluster is taken apart, or several are merged, only if
    the result has a higher IoU in the eyes of GCN-D, each sample counted once.

    Read more in the :ref:`User Guide <segmenter>`.

    Parameters
    ----------
    estimator : estimator object, default=None
        The clusterer to refine, with ``fit_predict``, or ``fit`` and ``labels_``. It is cloned and fitted
        anew on each X, in :meth:`fit` and in :meth:`predict`, and is given X as it is. One that is fitted
        already, given as :class:`~sklearn.frozen.FrozenEstimator`, is asked for ``predict(X)`` instead.
        Without an estimator, :meth:`refine` takes labels that come from anywhere, and there is no
        :meth:`predict`.
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
    iop_range : tuple of two floats, default=(0.0, 1.0)
        Clusters are segmented if their predicted IoP, the share of the class that most members have, is in
        this range; it is also the range of true IoP that GCN-S learns from. The default leaves no cluster
        out, since other clusterers make clusters of a hundred classes, and small impurities escape GCN-D more
        easily than GCN-S. With (0.3, 0.7), as in the paper, far less is mended.
    n_training_seeds, n_seeds : int, default=3 and 5
        Number of seeds in each impure proposal, in training (only with `y`) and afterwards. The answer with
        most members wins.
    outliers : {"split", "noise", "singletons"}, default="split"
        What becomes of samples that leave a cluster. "split" segments them again until nothing is left;
        "noise" makes them noise (-1), and "singletons" clusters of their own, unless they are merged into
        another cluster.
    merge : bool, default=True
        Whether clusters are also merged where the networks find them to be fragments of one class. Otherwise
        clusters are only taken apart, as in the paper.
    pretrained : "universal", path, FrozenEstimator or None, default="universal"
        Networks that were trained before: those that come with the package, which look at structure only and
        take any embedding; those in a file that :meth:`save` wrote; or those of a fitted estimator, given as
        :class:`~sklearn.frozen.FrozenEstimator`. Without `y`, they judge alone; with it, as in
        :class:`GCNClustering`, beside those of few labels, or in place of those of very few. None leaves
        them out.
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
    initial_labels_ : ndarray of shape (n_samples,)
        Clusters that `estimator` made of the X of the last `fit`, before they were refined; if there is an
        `estimator`.
    labels_ : int64 ndarray of shape (n_samples,)
        Refined clusters of the X of the last `fit`, in order of falling size, -1 for noise; if there is an
        `estimator`.
    n_clusters_ : int
        Number of clusters.
    probabilities_ : float32 ndarray of shape (n_samples,)
        How surely each sample belongs to its cluster: by GCN-S in the parts that it made, else the predicted
        IoP of the cluster; 0 for noise.
    cluster_scores_ : float32 ndarray of shape (n_clusters, 2)
        Predicted IoU and IoP of each cluster. Those with the lowest are worth a look first.
    loss_curve_ : dict of str to ndarray of shape (n_epochs, 2)
        Training and validation loss of each network by epoch, in the order of training; only after a fit with
        `y`.
    learned_ : Learned
        All that was learned, as plain arrays, with the parameters that it belongs to.
    recall_ : float
        Share of the nearest neighbours that the search found in `fit`, by exact search for a few hundred
        rows; 1.0 where all search is exact. Not there if `fit` had neither `y` nor an `estimator`.
    n_features_in_ : int
        Number of features of X in the last `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features of X, if they are all strings.

    See Also
    --------
    GCNClustering : Makes clusters of its own instead of refining given ones.

    Notes
    -----
    The networks learn from clusters at many scales, pure and impure: the proposals of :class:`GCNClustering`
    on the training samples, coarse ones included, and the clusters that `estimator` makes of these samples.

    References
    ----------
    .. [1] Yang, L., Zhan, X., Chen, D., Yan, J., Loy, C. C., & Lin, D. (2019). "Learning to Cluster Faces
           on an Affinity Graph". CVPR 2019. :arxiv:`1904.02749`

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> from sklearn_gcncluster import GCNSegmenter
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> from sklearn_gcncluster.metrics import pairwise_fscore
    >>> X, y = make_identities(1500, n_features=32, random_state=2)
    >>> train = y % 2 == 0

    A clusterer behind which every X is refined:

    >>> segmenter = GCNSegmenter(
    ...     KMeans(40, n_init=1, random_state=0), hidden_channels=(64, 32), max_epochs=8, random_state=0
    ... )
    >>> labels = segmenter.fit(X[train], y[train]).predict(X[~train])
    >>> before = KMeans(40, n_init=1, random_state=0).fit_predict(X[~train])
    >>> bool(pairwise_fscore(y[~train], labels) > pairwise_fscore(y[~train], before) + 0.02)
    True

    Labels that come from elsewhere:

    >>> halves = np.arange(np.count_nonzero(~train)) % 2 + 2 * y[~train]
    >>> refined = segmenter.refine(X[~train], halves)
    >>> bool(pairwise_fscore(y[~train], refined) > pairwise_fscore(y[~train], halves) + 0.02)
    True
    """

    _stages: ClassVar = ("neighbors", "affinity", "refine")

    _parameter_constraints: ClassVar[dict] = {
        **BaseGCN._parameter_constraints,
        "estimator": [None, HasMethods("fit")],
        "outliers": [StrOptions({"split", "noise", "singletons"})],
        "merge": ["boolean"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_neighbors=80,
        metric="auto",
        algorithm="auto",
        affinity="learned",
        metric_learning="auto",
        node_features="structure",
        hidden_channels=(64, 32),
        pooling="max",
        n_networks=3,
        iop_range=(0.0, 1.0),
        n_training_seeds=3,
        n_seeds=5,
        outliers="split",
        merge=True,
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
        self.estimator = estimator
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.algorithm = algorithm
        self.affinity = affinity
        self.metric_learning = metric_learning
        self.node_features = node_features
        self.hidden_channels = hidden_channels
        self.pooling = pooling
        self.n_networks = n_networks
        self.iop_range = iop_range
        self.n_training_seeds = n_training_seeds
        self.n_seeds = n_seeds
        self.outliers = outliers
        self.merge = merge
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

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, *, must_link=None, cannot_link=None, cannot_link_groups=None):
        """Learn from labelled samples how clusters look; with an `estimator`, refine its clusters of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings; or the path of a ``.npy`` file of them, which is mapped and never held whole.
        y : array-like of shape (n_samples,), default=None
            Class of each sample; -1 for unlabelled ones, which teach nothing and are refined with the others.
            Without `y`, nothing is learned: clusters are refined with the networks of `pretrained`.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        self : GCNSegmenter
            The fitted estimator. If `fit` fails or is interrupted, the estimator is as it was before.

        Raises
        ------
        ValueError
            If y names fewer than two classes, `iop_range` is no range within [0, 1], or constraints
            contradict each other; the message names a chain of rows.
        sklearn.exceptions.NotFittedError
            If y is None and `pretrained` is None.
        """
        given_constraints = must_link, cannot_link, cannot_link_groups
        with self._fitting(*(self._stages if y is None else _LEARNING)):
            self._check_parameters()
            if y is None:
                samples, self.learned_ = self._unlabelled_samples(X)
                constraints = check_constraints(*given_constraints, len(samples.inverse))
                if self.estimator is None:
                    return self
                self.initial_labels_ = self._initial_clusters(X)
                return self._keep(self._refined(samples, self.initial_labels_, constraints))
            samples, classes = self._labelled_samples(X, y)
            constraints = check_constraints(*given_constraints, len(samples.inverse))
            taught, classes = self._taught(samples, classes)
            beside = self._beside(classes)
            graph, learned = self._learn_affinity(taught, classes)
            given, partitions = None, []
            if self.estimator is not None:
                self.initial_labels_ = self._initial_clusters(X)
                given = given_clusters(self.initial_labels_, samples)[np.isin(samples.kept, taught.kept)]
                partitions = [given, *merge_levels(graph, given, self._refinement(graph, learned))]
            with self._stage("proposals"):
                proposals = self._cached(propose)(
                    graph,
                    DEFAULT_PROPOSALS._replace(
                        n_neighbors=graph.dissimilarities.shape[1], affinity=learned.affinity
                    ),
                    partitions,
                    self.n_jobs,
                )
            self.learned_, _ = self._learn_networks(graph, proposals, classes, learned, True, beside)
            if given is None:
                return self
            if self._are_judged_already(samples, taught):
                return self._keep(self._refine(graph, given, samples, self.learned_, constraints))
            return self._keep(self._refined(samples, self.initial_labels_, constraints))

    def refine(
        self,
        X,
        labels,
        return_probabilities=False,
        *,
        must_link=None,
        cannot_link=None,
        cannot_link_groups=None,
    ):
        """Refine clusters that come from anywhere.

        Before :meth:`fit`, this uses the networks of `pretrained`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings; or the path of a ``.npy`` file of them, which is mapped and never held whole.
        labels : array-like of shape (n_samples,)
            Cluster of each sample, as integers or strings. Negative numbers are noise and stay noise.
            Samples with equal rows are one sample, in the cluster that most of them have.
        return_probabilities : bool, default=False
            Whether to tell also how surely each sample belongs to its cluster.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows of X that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster, as the faces of one photo; -1 for samples in none.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Refined clusters in order of falling size, -1 for noise.
        probabilities : float32 ndarray of shape (n_samples,)
            As ``probabilities_``; only with `return_probabilities`.

        Raises
        ------
        ValueError
            If there are not as many labels as samples, or constraints contradict each other.
        sklearn.exceptions.NotFittedError
            If the segmenter is not fitted and `pretrained` is None.
        """
        if not hasattr(self, "learned_"):
            alone = clone(self).set_params(estimator=None)
            return alone.fit(X).refine(
                X,
                labels,
                return_probabilities,
                must_link=must_link,
                cannot_link=cannot_link,
                cannot_link_groups=cannot_link_groups,
            )
        with self._progress(*self._stages):
            samples = self._new_samples(X)
            constraints = check_constraints(must_link, cannot_link, cannot_link_groups, len(samples.inverse))
            result = self._refined(samples, labels, constraints)
        return (result.labels, result.probabilities) if return_probabilities else result.labels

    def _clusters_of(self, X, samples, constraints):
        return self._refined(samples, self._initial_clusters(X), constraints)

    def _initial_clusters(self, X):
        """Labels of X by a fresh clone of the estimator."""
        self._check_clusters()
        X, fitted = rows_of(X), clone(self.estimator)
        if isinstance(fitted, FrozenEstimator):
            return fitted.predict(X)
        if hasattr(fitted, "fit_predict"):
            return fitted.fit_predict(X)
        fitted.fit(X)
        if not hasattr(fitted, "labels_"):
            raise TypeError(
                f"estimator ({self.estimator!r}) gives no clusters: it has neither fit_predict nor, once "
                "fitted, labels_. Give a clusterer."
            )
        return fitted.labels_

    def _check_clusters(self):
        if self.estimator is None:
            raise ValueError(
                "This GCNSegmenter has no estimator to cluster X with. Give one, as in "
                "GCNSegmenter(KMeans(100)), or call refine(X, labels) with labels of your own."
            )

    # Clusters -> graph -> clusters

    def _refined(self, samples, labels, constraints):
        given = given_clusters(labels, samples)
        if samples.n_distinct >= 2:
            graph, learned = self._known_graph_of(samples)
            return self._refine(graph, given, samples, learned, constraints)
        result = one_given_cluster(given, samples)
        return keep_constraints(result, constraints, samples, None, "singletons")

    def _refine(self, graph, given, samples, learned, constraints):
        judge = Judge(graph, learned, self.device, self.n_jobs)
        with self._stage("refine"):
            groups, membership = refine_partition(graph, given, judge, self._refinement(graph, learned))
            inside = groups >= 0
            labels = np.full(len(groups), -1)
            labels[inside] = number_clusters(groups[inside], samples.counts[inside], "singletons")
            scores = judge.score(distinct_proposals(labels[None])).quality
        labels, membership = np.append(labels, -1), np.append(membership, 0).astype(np.float32)
        result = Result(labels[samples.inverse], membership[samples.inverse], scores, graph.recall)
        return keep_constraints(result, constraints, samples, judge, "singletons")

    def _refinement(self, graph, learned):
        return RefinementSettings(
            tuple(self.iop_range),
            self.n_seeds,
            self.outliers,
            self.merge,
            learned.affinity,
            graph.dissimilarities.shape[1],
            self._seed,
        )
