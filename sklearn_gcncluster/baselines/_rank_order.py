"""ApproximateRankOrder: samples are joined if their neighbour lists begin alike."""

from __future__ import annotations

from numbers import Real
from typing import ClassVar

import numpy as np

from .._compat import Interval, StrOptions
from .._graph._links import link
from .._proposals._layers import last_ancestor
from ._base import LinkClusterer, linked_samples

_TABLE_ROWS, _BLOCK_CELLS = 64, 2**19
"""Lists in one dense table, and neighbours of neighbours that are looked up in it at once, at most."""


class ApproximateRankOrder(LinkClusterer):
    r"""Approximate rank-order clustering of [1]_: one merge pass over the lists of nearest neighbours.

    With :math:`O_a(b)` the rank of b among the neighbours of a (1 is the nearest), :math:`f_a(i)` the
    neighbour of rank i, and lists of k neighbours, samples are compared by

    .. math::

        D(a, b) = \frac{d(a, b) + d(b, a)}{\min(O_a(b), O_b(a))}, \qquad
        d(a, b) = \#\{i \le \min(O_a(b), k) : f_a(i) \text{ is not in the list of } b\},

    so all that counts is which of the nearer neighbours of one are missing in the list of the other. Samples
    of which one is in the other's list are joined if their distance is below the threshold, and what is
    joined by a chain of such pairs is a cluster. The number of clusters is not asked for.

    Parameters
    ----------
    n_neighbors : int, default=40
        Length of the lists (paper: k), clipped to the number of other samples. It should not be far above the
        size of the classes, since neighbours of other classes than one's own are shared by chance.
    metric : {"auto", "cosine", "euclidean", "precomputed", "precomputed_affinity"}, default="auto"
        By which neighbours are ranked. "auto" is the cosine from 32 features on, and Euclidean below. With
        "precomputed", X is a square matrix of distances, usually the sparse one of
        :class:`~sklearn.neighbors.KNeighborsTransformer`; with "precomputed_affinity", of affinities up to 1.
    algorithm : {"auto", "brute", "cells", "hnsw"}, default="auto"
        How neighbours are searched: exactly ("brute"), exactly within overlapping cells, which misses few
        ("cells"), or approximately by hnswlib ("hnsw"). "auto" is exact up to 50,000 samples, and takes cells
        beyond.
    threshold : "auto" or float >= 0, default="auto"
        Distance below which samples are joined. "auto" chooses among up to 61 thresholds, between the
        distances at which clusters join: with `y`, the one with the highest mean of pairwise and BCubed F;
        without, the one whose clusters agree best with the lists of 80 neighbours (of a third of all samples,
        if these are fewer). The agreement of a sample's cluster and list is the share of the cluster that is
        in the list, times the share of the list that is in the cluster.
    memory : str, path or object with the joblib.Memory interface, default=None
        Where neighbours are cached, by what is searched: a search over other parameters searches them once.
    n_jobs : int, default=None
        Number of joblib workers of the neighbour search. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the graph of hnswlib. An int makes everything reproducible.
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
    recall_ : float
        Share of the nearest neighbours that the search found in `fit`, by exact search for a few hundred
        rows; 1.0 where all search is exact.
    n_features_in_ : int
        Number of features of X in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    ConsensusPropagation : Joins samples by affinity, up to a largest size of clusters.
    sklearn_gcncluster.GCNClustering : Learns how clusters look.

    Notes
    -----
    Equal rows are never parted, and fill at most half of a list. In a graph, lists may be shorter than k.

    After the search for neighbours this takes O(n k^2) time and O(n k) memory.

    References
    ----------
    .. [1] Otto, C., Wang, D., & Jain, A. K. (2018). "Clustering Millions of Faces by Identity". IEEE
           Transactions on Pattern Analysis and Machine Intelligence, 40(2), 289-303. :arxiv:`1604.00989`

    Examples
    --------
    >>> from sklearn_gcncluster.baselines import ApproximateRankOrder
    >>> from sklearn_gcncluster.datasets import make_identities
    >>> X, y = make_identities(1000, n_features=32, class_spread=0.3, random_state=0)
    >>> clusterer = ApproximateRankOrder(n_neighbors=20).fit(X)
    >>> clusterer.labels_.shape
    (1000,)

    Labels of some classes choose the threshold for others:

    >>> train = y % 2 == 0
    >>> labels = clusterer.fit(X[train], y[train]).predict(X[~train])
    >>> bool(clusterer.score(X[~train], y[~train]) > 0.6)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **LinkClusterer._parameter_constraints,
        "threshold": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_neighbors=40,
        metric="auto",
        algorithm="auto",
        threshold="auto",
        memory=None,
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.algorithm = algorithm
        self.threshold = threshold
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _link(self, samples, list_length=0):
        with self._stage("neighbors"):
            found = self._neighborhoods(samples.rows, list_length, self._metric_of(samples.rows.shape[1]))
        with self._stage("links"):
            links = link(found.neighbors, rank_order_distances(found.neighbors))._replace(recall=found.recall)
            return linked_samples(links, links.dissimilarity, samples.counts, found.lists)

    def _levels(self, tree):
        merged = tree.height[np.isfinite(tree.height)]
        return merged, float(merged.max(initial=0)) + 1

    def _partition(self, linked, threshold):
        parent, height = linked.tree.parent, linked.tree.height
        joined = np.where(height[parent] < threshold, parent, np.arange(len(parent)))
        return last_ancestor(joined)[linked.leaves]


def rank_order_distances(neighbors: np.ndarray) -> np.ndarray:
    """Approximate rank-order distance of each sample and each of its neighbours.

    Parameters
    ----------
    neighbors : int32 ndarray of shape (n_samples, n_neighbors)
        Nearest first. The sample itself fills a list that is short.

    Returns
    -------
    float32 ndarray of shape (n_samples, n_neighbors)
        Below ``2 * n_neighbors``; the same for two samples that are in each other's lists. Of no meaning
        where a list is filled up.
    """
    n_samples, n_neighbors = neighbors.shape
    places = np.arange(n_neighbors, dtype=np.int16)  # a place is a rank less one
    distances = np.empty(neighbors.shape, dtype=np.float32)
    block_rows = min(_TABLE_ROWS, max(1, _BLOCK_CELLS // max(n_neighbors, 1) ** 2))
    # Lists of a few samples are written out as dense rows, in which the other lists are looked up.
    place = np.full((block_rows, n_samples), n_neighbors, dtype=np.int16)
    for start in range(0, n_samples, block_rows):
        own = neighbors[start : start + block_rows]
        row = np.arange(len(own))[:, None]
        place[row, own] = places
        theirs = neighbors[own]  # [i, j, p]: neighbour at place p of our neighbour j
        ours = place[row[..., None], theirs]  # its place in our own list
        is_sample = theirs == (start + row)[..., None]
        back = np.where(is_sample, places, n_neighbors).min(axis=2, initial=n_neighbors)
        missing_there = places - (ours < places[:, None]).sum(axis=2)
        missing_here = ((ours == n_neighbors) & (places < back[..., None])).sum(axis=2)
        nearer_rank = np.minimum(places, back) + 1
        distances[start : start + block_rows] = (missing_there + missing_here) / nearer_rank
        place[row, own] = n_neighbors
    return distances
