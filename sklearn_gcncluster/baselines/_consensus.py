"""ConsensusPropagation: pairs that a committee agrees on, joined to clusters of limited size."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from .._compat import HasMethods, Interval, StrOptions
from .._graph._links import link
from .._graph._samples import aggregate_labels
from .._proposals._supervertices import supervertices
from ._base import LinkClusterer, linked_samples
from ._committee import View, check_committee, embed, fit_mediator, fit_members, pair_features, votes


class ConsensusPropagation(LinkClusterer):
    """Consensus-driven propagation (CDP) of [1]_: linked pairs, joined to clusters of limited size.

    Each sample is linked to its nearest neighbours, and links weigh an affinity. Links below a threshold are
    cut; what remains joined is a cluster if it has at most `max_size` samples, and is otherwise cut again at
    a raised threshold, until none is too large. The number of clusters is not asked for.

    In the single-model form, the default, the affinity is that of the neighbours. With a committee of several
    embeddings, these vote on each link: trained on labels, a *mediator* turns what they say of it into a
    probability, which then is the affinity; without labels, the links that most of them have are kept.

    Parameters
    ----------
    n_neighbors : int, default=15
        Neighbours of each sample (paper: k), clipped to the number of other samples.
    metric : {"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"}, default="auto"
        Of the neighbours. "auto" is the cosine from 32 features of X on, and Euclidean below. The affinity is
        the cosine, or ``exp(-d^2 / (2 s^2))`` with s^2 the median of the neighbours' squared distances. With
        "precomputed", X is a square matrix of distances, usually the sparse one of
        :class:`~sklearn.neighbors.KNeighborsTransformer`; with "precomputed_affinity", of affinities up to 1.
    algorithm : {"auto", "brute", "cells", "hnsw"}, default="auto"
        How neighbours are searched: exactly ("brute"), exactly within overlapping cells, which misses few
        ("cells"), or approximately by hnswlib ("hnsw"). "auto" is exact up to 50,000 samples, and takes cells
        beyond.
    threshold : "auto" or float below 1, default="auto"
        Affinity below which links are cut. "auto" chooses among up to 61 thresholds, between the affinities
        at which clusters join: with `y`, the one with the highest mean of pairwise and BCubed F; without,
        the one whose clusters agree best with the lists of 80 neighbours (of a third of all samples, if these
        are fewer). The agreement of a sample's cluster and list is the share of the cluster that is in the
        list, times the share of the list that is in the cluster.
    threshold_step : float in (0, 1), default=0.05
        For clusters that are too large, the threshold t becomes ``t + (1 - t) * threshold_step``.
    max_size : int, default=300
        Largest number of samples in a cluster.
    committee : sequence or None, default=None
        Members, of which the first is the base that says which pairs are candidates, and the others vote on
        them. Each gives an embedding of the samples: a transformer, which is cloned and fitted to X; a
        slice, for embeddings that stand side by side in the columns of X; or "passthrough", for X itself. Not
        for precomputed metrics. None is the single-model form.
    mediator : classifier with predict_proba or None, default=None
        Learns from the labels, in a clone, which of the linked pairs have one class, by the votes, affinities
        and neighbourhoods that the committee sees. None is that of the paper, a perceptron with two hidden
        layers of 50. Without a committee there is nothing to mediate.
    memory : str, path or object with the joblib.Memory interface, default=None
        Where neighbours are cached, by what is searched: a search over other parameters searches them once.
    n_jobs : int, default=None
        Number of joblib workers of the neighbour search. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the graph of hnswlib, and of the mediator that is the default. An int makes everything
        reproducible.
    verbose : bool or int, default=False
        1 shows a progress bar, with the stage's name; 2, as for logs, a line for each stage that ends.

    Attributes
    ----------
    labels_ : int64 ndarray of shape (n_samples,)
        Cluster of each sample of the last `fit`: 0 is the largest, -1 are samples left alone.
    n_clusters_ : int
        Number of clusters.
    threshold_ : float
        The threshold that was used, and that :meth:`predict` uses.
    committee_ : list or None
        The members, transformers fitted; None without a committee.
    mediator_ : classifier or None
        The fitted mediator; None without a committee or labels, and if no linked pair with labels is of two
        classes: then there is nothing to learn, and the committee votes.
    recall_ : float
        Share of the nearest neighbours that the search found in `fit`, by exact search for a few hundred
        rows, in the embedding of the committee where it found least; 1.0 where all search is exact.
    n_features_in_ : int
        Number of features of X in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    ApproximateRankOrder : Joins samples whose neighbour lists begin alike.
    sklearn_gcncluster.GCNClustering : Takes the clusters of others, such as these, as proposals.

    Notes
    -----
    Equal rows, and samples linked at an affinity of 1, are never parted, even if they are more than
    `max_size`.

    The clusters of the samples that a mediator was trained on look better than those of others: judge it by
    clusters of classes that it has not seen.

    References
    ----------
    .. [1] Zhan, X., Liu, Z., Yan, J., Lin, D., & Loy, C. C. (2018). "Consensus-Driven Propagation in Massive
           Unlabeled Data for Face Recognition". ECCV 2018. :arxiv:`1809.01407`

    Examples
    --------
    >>> from sklearn_gcncluster.baselines import ConsensusPropagation
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(1000, n_features=32, class_spread=0.3, random_state=0)
    >>> labels = ConsensusPropagation(max_size=100).fit_predict(X)
    >>> bool(np.bincount(labels + 1)[1:].max() <= 100)
    True

    Two embeddings, side by side in X, and a mediator that learns from labels of some classes:

    >>> train = y % 2 == 0
    >>> clusterer = ConsensusPropagation(committee=[slice(0, 16), slice(16, 32)])
    >>> labels = clusterer.fit(X[train], y[train]).predict(X[~train])
    >>> bool(clusterer.score(X[~train], y[~train]) > 0.6)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **LinkClusterer._parameter_constraints,
        "threshold": [StrOptions({"auto"}), Interval(Real, None, 1, closed="neither")],
        "threshold_step": [Interval(Real, 0, 1, closed="neither")],
        "max_size": [Interval(Integral, 1, None, closed="left")],
        "committee": [None, list, tuple],
        "mediator": [None, HasMethods(["fit", "predict_proba"])],
    }

    def __init__(
        self,
        *,
        n_neighbors=15,
        metric="auto",
        algorithm="auto",
        threshold="auto",
        threshold_step=0.05,
        max_size=300,
        committee=None,
        mediator=None,
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.algorithm = algorithm
        self.threshold = threshold
        self.threshold_step = threshold_step
        self.max_size = max_size
        self.committee = committee
        self.mediator = mediator
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self):
        if self.committee is None:
            return
        check_committee(self.committee)
        if self._is_graph():
            raise ValueError(
                f'committee takes its embeddings from the columns of X, and with metric="{self.metric}" X is '
                "a graph that has none. Use committee=None, or give embeddings as X and another metric."
            )

    def _learn(self, samples, codes, list_length):
        self.committee_ = self.mediator_ = None
        if self.committee is None:
            return self._link(samples, list_length)
        self.committee_ = fit_members(self.committee, samples.original_rows())
        views, lists = self._views(samples, list_length)
        if codes is not None:
            with self._stage("mediator"):
                self.mediator_ = self._learn_mediator(views, aggregate_labels(codes, samples))
        return self._joined(views, lists, samples)

    def _learn_mediator(self, views, classes):
        pairs = views[0].links
        pairs = pairs.take(np.flatnonzero((classes[pairs.rows] >= 0) & (classes[pairs.cols] >= 0)))
        features = pair_features(views, pairs, self._metric_of_views())
        return fit_mediator(self.mediator, features, classes[pairs.rows] == classes[pairs.cols], self._seed)

    def _link(self, samples, list_length=0):
        views, lists = self._views(samples, list_length)
        return self._joined(views, lists, samples)

    def _views(self, samples, list_length):
        """The samples as each member sees them, the base first, and lists of its neighbours."""
        metric, embeddings = self._metric_of_views(), [samples.rows]
        with self._stage("neighbors"):
            if self.committee_ is not None:
                rows = samples.original_rows()
                embeddings = [embed(member, rows, metric) for member in self.committee_]
            found = [
                self._neighborhoods(rows, 0 if number else list_length, metric)
                for number, rows in enumerate(embeddings)
            ]
            recall = min(one.recall for one in found)
            views = [
                View(rows, link(one.neighbors, one.dissimilarities)._replace(recall=recall), one.typical)
                for rows, one in zip(embeddings, found, strict=True)
            ]
        return views, found[0].lists

    def _joined(self, views, lists, samples):
        """Candidate pairs, as the committee values them."""
        with self._stage("links"):
            pairs = views[0].links
            unlike = pairs.dissimilarity
            if self.mediator_ is not None:
                features = pair_features(views, pairs, self._metric_of_views())
                unlike = self.mediator_.predict_proba(features)[:, 0]
            elif len(views) > 1:
                pairs = pairs.take(np.flatnonzero(votes(views, pairs).mean(axis=0) > 0.5))
                unlike = pairs.dissimilarity
            return linked_samples(pairs, unlike, samples.counts, lists)

    def _levels(self, tree):
        return 1 - tree.height[np.isfinite(tree.height)], 1.0

    def _partition(self, linked, threshold):
        groups = supervertices(linked.tree, 1 - threshold, self.threshold_step, self.max_size)
        return groups[linked.leaves]

    def _metric_of(self, n_features):
        # Columns of several embeddings are not to be scaled together before members see them.
        return "euclidean" if self.committee is not None else super()._metric_of(n_features)

    def _metric_of_views(self):
        return super()._metric_of(self.n_features_in_)
