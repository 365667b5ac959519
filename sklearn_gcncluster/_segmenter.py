"""GCNSegmenter: refine the clusters of any clusterer, as one line of data flow.

X -> affinity graph; clusters of X -> impure ones segmented -> fragments merged -> labels
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_array

from ._base import BaseGCN, Result
from ._compat import HasMethods, StrOptions, fit_context
from ._graph._samples import aggregate_labels
from ._learning import NetworkSettings
from ._pipeline import ProposalSettings, detection_of, propose, segmentation_of
from ._proposals._layers import distinct_proposals
from ._refinement import RefinementSettings, merge_levels, refine_partition
from ._scoring import judge
from ._selection import number_clusters


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
        The clusterer to refine, with ``fit_predict`` or ``fit`` and ``labels_``. It is cloned and fitted anew
        on each X, in :meth:`fit` and in :meth:`predict`; one that is fitted already, given as
        :class:`~sklearn.frozen.FrozenEstimator`, is asked for its ``predict(X)`` instead. Without it,
        :meth:`refine` takes labels that come from anywhere, and there is no :meth:`predict`.
    n_neighbors : int, default=80
        Neighbours of each sample in the affinity graph.
    metric : {"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"}, default="auto"
        Of the neighbours. "auto" is the cosine from 32 features on, as embeddings have, and Euclidean below.
        With "precomputed", X is a square matrix of distances, usually the sparse one of
        :class:`~sklearn.neighbors.KNeighborsTransformer`; with "precomputed_affinity", of affinities up to 1.
        `estimator` has a metric of its own, and is given the same X.
    algorithm : {"auto", "brute", "hnsw"}, default="auto"
        How neighbours are searched: exactly, or by hnswlib; "auto" takes hnswlib for large data.
    affinity : {"learned", "neighborhood", "cosine"}, default="learned"
        What the graph's edges weigh: the learned probability that both ends have one class, the
        neighbours they share, or their similarity.
    metric_learning : {"auto", True, False}, default="auto"
        Whether neighbours are searched under a linear map that is learned from the labels; "auto" does so if
        classes that the map has not seen gain from it.
    node_features : {"structure", "embedding", "both"}, default="structure"
        What the networks see of a sample: its place in the structure of the cluster, which carries over to
        new classes, its embedding, as in the paper, or both.
    hidden_channels : tuple of int, default=(512, 64)
        Widths of the graph convolutions.
    pooling : {"max", "mean", "sum"}, default="max"
        How GCN-D pools the vertices of a cluster.
    n_networks : int, default=3
        GCN-Ds that are trained; their predictions are averaged.
    iop_range : tuple of two floats, default=(0.0, 1.0)
        Clusters are segmented whose IoP, the share of the class that most members have, is predicted to be in
        this range; others are left as they are, unless they are merged. It is also the range of true IoP
        that GCN-S learns from. The default leaves no cluster out, as other clusterers also make clusters
        of a hundred classes, and small impurities escape GCN-D more easily than GCN-S. With (0.3, 0.7), as
        in the paper, far less is mended.
    n_training_seeds : int, default=3
        Seeds in each training cluster of GCN-S.
    n_seeds : int, default=5
        Seeds tried in each cluster that is segmented.
    outliers : {"split", "noise", "singletons"}, default="split"
        What becomes of samples that leave a cluster: "split" segments them again until nothing is left;
        "noise" makes them noise (-1), and "singletons" clusters of their own, unless they are merged into
        another cluster.
    merge : bool, default=True
        Whether clusters are also merged where the networks find them to be fragments of one class. Otherwise
        clusters are only taken apart, as in the paper.
    pretrained : "universal", path, FrozenEstimator or None, default="universal"
        Networks that were trained before: those that come with the package, which look at structure only and
        so know any embedding; those in a file that :meth:`save` wrote; or those of a fitted estimator, given
        as :class:`~sklearn.frozen.FrozenEstimator`. Without `y`, `fit` uses them as they are. With `y` it
        trains, and takes or goes on from them where they are better at classes held out; for this they must
        have the same `affinity`, `node_features`, `hidden_channels` and `pooling` as the estimator.
    memory : None, str or joblib.Memory, default=None
        Where the affinity graph, the proposals and what training gives are cached; see
        :class:`GCNClustering`.
    max_epochs : int, default=40
        Epochs of training at most, for each network.
    learning_rate : float, default=0.002
        Of AdamW.
    batch_size : int, default=8192
        Vertices in a batch.
    dropout : float, default=0.3
        Share of each layer's outputs that training drops, in [0, 1).
    weight_decay : float, default=0.1
        Of AdamW.
    n_iter_no_change : int, default=10
        Training stops after so many epochs without gain on classes held out.
    device : str, default="auto"
        Where networks run, such as "cpu" or "cuda:1"; "auto" takes a GPU if there is one.
    n_jobs : int, default=None
        Joblib workers of the neighbour search.
    random_state : int, RandomState instance or None, default=None
        Seed of networks and seeds. `estimator` has a random state of its own.
    verbose : bool or int, default=False
        Whether to report progress.

    Attributes
    ----------
    weights_ : dict of str to dict of str to ndarray
        What was learned.
    loss_curve_ : dict of str to ndarray of shape (n_epochs, 2)
        Training and validation loss by epoch, of each network.
    initial_labels_ : ndarray of shape (n_samples,)
        Clusters that `estimator` made of the X of the last :meth:`fit`, before they were refined; if there
        is an `estimator`.
    labels_ : int64 ndarray of shape (n_samples,)
        Refined labels of the X of the last :meth:`fit`, in order of falling size, -1 for noise; if there is
        an `estimator`.
    probabilities_ : float32 ndarray of shape (n_samples,)
        For each sample the predicted probability that it belongs to its cluster, 0 for noise: by GCN-S in
        the parts that it made, else the predicted IoP of the cluster.
    cluster_scores_ : float32 ndarray of shape (n_clusters, 2)
        Predicted IoU and IoP of each refined cluster.
    n_clusters_ : int
        Number of refined clusters.
    n_features_in_ : int
        Number of features of X in :meth:`fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of features, if X had names that are all strings.

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
    >>> X, y = make_identities(1000, n_features=32, random_state=0)
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

    _parameter_constraints: ClassVar[dict] = {
        **BaseGCN._parameter_constraints,
        "estimator": [None, HasMethods("fit")],
        "outliers": [StrOptions({"split", "noise", "singletons"})],
        "merge": ["boolean"],
    }

    # What GCNClustering proposes by default: here proposals are there to learn from only.
    _fixed: ClassVar[dict[str, Any]] = {
        "proposals": ("supervertices", "average_link"),
        "edge_threshold": "auto",
        "threshold_step": 0.05,
        "max_supervertex_size": 300,
        "n_levels": 2,
        "min_proposal_size": 1,
        "max_proposal_size": None,
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
        hidden_channels=(512, 64),
        pooling="max",
        n_networks=3,
        iop_range=(0.0, 1.0),
        n_training_seeds=3,
        n_seeds=5,
        outliers="split",
        merge=True,
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
        self.n_iter_no_change = n_iter_no_change
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn from labelled samples how clusters look; with an `estimator`, refine its clusters of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        y : array-like of shape (n_samples,), default=None
            Class of each sample; -1 for unlabelled ones, which are part of the graph and teach nothing.
            Without `y`, the clusters of X are refined with the networks of an earlier ``fit(X, y)``, else
            with those of `pretrained`.

        Returns
        -------
        self : GCNSegmenter
            The fitted estimator.

        Raises
        ------
        ValueError
            If y names fewer than two classes, or `iop_range` is no range within [0, 1].
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
        given, others = None, []
        if self.estimator is not None:
            with stages("estimator"):
                self.initial_labels_ = self._clusters_of(X)
            given = _given_clusters(self.initial_labels_, samples)
            others = [given, *merge_levels(graph, given, self._settings(RefinementSettings, self._seed))]
        with stages("proposals"):
            proposals = self._cached(propose)(graph, self._settings(ProposalSettings, self._seed), others)
        with stages("train networks"):
            networks, self.loss_curve_ = self._learn_networks(graph, proposals, classes, True, start)
        self.weights_ = affinity | networks
        return self if given is None else self._keep(self._refine(graph, given, samples, stages))

    def predict(self, X):
        """Cluster new samples with a fresh clone of `estimator`, and refine the clusters.

        The samples are clustered jointly: what belongs together depends on all of them. Numbers are those
        of this clustering, not of ``labels_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for noise.

        Raises
        ------
        ValueError
            If there is no `estimator`.
        """
        samples = self._new_samples(X)
        return self._refine_new(samples, self._clusters_of(X)).labels

    def refine(self, X, labels, return_probabilities=False):
        """Refine clusters that come from anywhere.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Embeddings.
        labels : array-like of shape (n_samples,)
            Cluster of each sample, as integers or strings. Negative numbers are noise and stay noise.
            Samples with equal rows are one sample, in the cluster that most of them have.
        return_probabilities : bool, default=False
            Whether to tell also how surely each sample belongs to its cluster.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Refined clusters in order of falling size, -1 for noise.
        probabilities : float32 ndarray of shape (n_samples,)
            As ``probabilities_``; only with `return_probabilities`.

        Raises
        ------
        ValueError
            If there are not as many labels as samples.
        sklearn.exceptions.NotFittedError
            If no networks were trained.
        """
        result = self._refine_new(self._new_samples(X), labels)
        return (result.labels, result.probabilities) if return_probabilities else result.labels

    def _fit_unlabelled(self, X):
        samples = self._new_samples(X, first=self._use_pretrained())
        if self.estimator is None:
            return self
        self.initial_labels_ = self._clusters_of(X)
        return self._keep(self._refine_new(samples, self.initial_labels_))

    def _clusters_of(self, X):
        """Labels of X by a fresh clone of the estimator."""
        if self.estimator is None:
            raise ValueError(
                "This GCNSegmenter has no estimator to cluster X with. Give one, as in "
                "GCNSegmenter(KMeans(100)), or call refine(X, labels) with labels of your own."
            )
        fitted = clone(self.estimator)
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

    def _refine_new(self, samples, labels):
        given, stages = _given_clusters(labels, samples), self._stages()
        if np.count_nonzero(samples.counts) == 1:
            inside = np.repeat(given[:1] >= 0, len(samples.inverse))
            scores = np.full((int(given[0] >= 0), 2), np.nan, dtype=np.float32)
            return Result(np.where(inside, 0, -1), inside.astype(np.float32), scores)
        return self._refine(self._affinity_graph(samples, stages), given, samples, stages)

    def _refine(self, graph, given, samples, stages):
        networks = self._settings(NetworkSettings, self._seed)
        detection, segmentation = detection_of(graph, self.weights_, networks), None
        if "segmentation" in self.weights_:
            segmentation = segmentation_of(graph, self.weights_, networks)
        with stages("refine"):
            settings = self._settings(RefinementSettings, self._seed)
            groups, membership = refine_partition(graph, given, detection, segmentation, settings)
            inside = groups >= 0
            labels = np.full(len(groups), -1)
            labels[inside] = number_clusters(groups[inside], samples.counts[inside], "singletons")
            scores = judge(graph, distinct_proposals(labels[None]), detection).quality
        return Result(labels[samples.inverse], membership[samples.inverse], scores)


def _given_clusters(labels, samples):
    """Cluster of each distinct sample, -1 for noise; numbers do not depend on how clusters were named."""
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name="labels")
    if labels.ndim != 1:
        raise ValueError(
            f"labels must be one-dimensional, one for each sample, but has shape {labels.shape}."
        )
    if len(labels) != len(samples.inverse):
        raise ValueError(
            f"There are {len(labels)} labels for {len(samples.inverse)} samples; give one for each sample."
        )
    noise = labels < 0 if labels.dtype.kind in "if" else np.zeros(len(labels), bool)
    codes = np.full(len(labels), -1, dtype=np.intp)
    codes[~noise] = np.unique(labels[~noise], return_inverse=True)[1].reshape(-1)
    given = aggregate_labels(codes, samples)
    inside = given >= 0
    _, first, number = np.unique(given[inside], return_index=True, return_inverse=True)
    given[inside] = np.argsort(np.argsort(first))[number.reshape(-1)]
    return given
