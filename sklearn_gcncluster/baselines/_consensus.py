"""ConsensusPropagation: pairs that a committee agrees on, joined to clusters of limited size."""

from __future__ import annotations

from numbers import Integral, Real
from typing import ClassVar

import numpy as np

from .._compat import HasMethods, Interval, StrOptions
from ._base import LinkClusterer, LinkedSamples
from ._committee import View, check_committee, embed, fit_mediator, fit_members, pair_features, votes
from ._links import links_of, spanning_forest
from ._neighborhoods import neighborhoods_of
from ._propagation import propagate


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
    algorithm : {"auto", "brute", "hnsw"}, default="auto"
        How neighbours are searched: exactly, or approximately by hnswlib. "auto" is exact as long as that
        is not slower.
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
    n_jobs : int, default=None
        Joblib workers of the neighbour search. The result does not depend on it.

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
        n_jobs=None,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.algorithm = algorithm
        self.threshold = threshold
        self.threshold_step = threshold_step
        self.max_size = max_size
        self.committee = committee
        self.mediator = mediator
        self.n_jobs = n_jobs

    def _check_parameters(self):
        if self.committee is None:
            return
        check_committee(self.committee)
        if self._is_graph():
            raise ValueError(
                f'committee takes its embeddings from the columns of X, and with metric="{self.metric}" X is '
                "a graph that has none. Use committee=None, or give embeddings as X and another metric."
            )

    def _learn(self, samples, y, list_length):
        self.committee_ = self.mediator_ = None
        if self.committee is None:
            return self._link(samples, list_length)
        self.committee_ = fit_members(self.committee, samples.rows)
        views = self._views(samples, list_length)
        if y is not None:
            pairs = links_of(views[0].found.neighbors, views[0].found.affinities)
            codes = _codes_of(y, samples)
            known = pairs.take((codes[pairs.low] >= 0) & (codes[pairs.high] >= 0))
            features = pair_features(views, known, self._resolved_metric())
            self.mediator_ = fit_mediator(self.mediator, features, codes[known.low] == codes[known.high])
        return self._joined(views, samples)

    def _link(self, samples, list_length=0):
        return self._joined(self._views(samples, list_length), samples)

    def _views(self, samples, list_length):
        """The samples as each member sees them, the base first."""
        metric, embeddings = self._resolved_metric(), [samples.rows]
        if self.committee_ is not None:
            embeddings = [embed(member, samples.rows, metric) for member in self.committee_]
        views: list[View] = []
        for rows in embeddings:
            found = neighborhoods_of(
                rows,
                self.n_neighbors,
                0 if views else list_length,
                metric=metric,
                algorithm=self.algorithm,
                n_jobs=self.n_jobs,
            )
            views.append(View(rows, found))
        return views

    def _joined(self, views, samples):
        """Candidate pairs, as the committee values them."""
        base = views[0].found
        pairs = links_of(base.neighbors, base.affinities)
        if self.mediator_ is not None:
            features = pair_features(views, pairs, self._resolved_metric())
            pairs = pairs._replace(value=self.mediator_.predict_proba(features)[:, 1])
        elif len(views) > 1:
            pairs = pairs.take(votes(views, pairs).mean(axis=0) > 0.5)
        forest = spanning_forest(pairs, len(samples.counts), largest_first=True)
        return LinkedSamples(base.lists, forest, samples.counts)

    def _partition(self, linked, threshold):
        return propagate(linked.forest, linked.counts, threshold, self.threshold_step, self.max_size)

    def _ceiling(self, linked):
        return 1.0

    def _metric_of_copies(self):
        # Columns of several embeddings are not scaled together.
        return self._resolved_metric() if self.committee is None else "euclidean"


def _codes_of(y, samples):
    """Class number of each sample, -1 for unknown; of equal rows of several classes, the highest."""
    codes = np.full(len(y), -1, dtype=np.int64)
    known = y != -1
    codes[known] = np.unique(y[known], return_inverse=True)[1]
    of_samples = np.full(len(samples.counts), -1, dtype=np.int64)
    np.maximum.at(of_samples, samples.inverse, codes)
    return of_samples
