"""What the baselines share: X -> samples -> linked pairs -> one tree of merges -> threshold -> labels."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._base import GraphEstimator, one_cluster
from .._compat import fit_context
from .._graph._forest import MergeTree, merge_tree
from .._graph._links import Links
from .._graph._samples import Samples
from .._selection import number_clusters
from ._neighborhoods import Neighborhoods, neighborhoods_of
from ._thresholds import LONGEST_LIST, agreement, best_threshold, candidate_thresholds, mean_fscore


class LinkedSamples(NamedTuple):
    """What a threshold is applied to."""

    tree: MergeTree
    """In which links of small value merge first; its leaves are the rows of X that can be compared."""
    leaves: np.ndarray
    """intp of shape (n_kept,): a leaf for each sample."""
    lists: np.ndarray
    """int32 of shape (n_kept, n_listed): neighbours that clusters should agree with."""
    recall: float = 1.0
    """Share of the nearest neighbours that the search found."""


def linked_samples(links: Links, values: np.ndarray, counts: np.ndarray, lists: np.ndarray) -> LinkedSamples:
    """Put linked samples into one tree that serves every threshold on the values of links.

    Parameters
    ----------
    links : Links
    values : ndarray of shape (n_links,)
        Zero or more; small ones merge first.
    counts : intp ndarray of shape (n_kept,)
        Of :class:`Samples`.
    lists : int32 ndarray of shape (n_kept, n_listed)
    """
    distinct = np.cumsum(counts > 0) - 1
    copies = distinct[links.rows] == distinct[links.cols]
    # The first of several copies stands for those that were left out too, so that sizes count rows of X.
    n_leaves = np.where(counts > 0, counts - np.bincount(distinct)[distinct] + 1, 1)
    tree = merge_tree(links.upper(np.where(copies, 0, values)), np.repeat(np.arange(len(counts)), n_leaves))
    return LinkedSamples(tree, np.cumsum(n_leaves) - n_leaves, lists, links.recall)


class LinkClusterer(GraphEstimator):
    """Base of clusterers that cut links of neighbours at a threshold and take what remains joined.

    A subclass has `_link`, from samples to :class:`LinkedSamples`; `_levels`, what thresholds are compared
    with; and `_partition`, groups at a threshold.
    """

    _parameter_constraints: ClassVar[dict] = GraphEstimator._parameter_constraints

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Cluster X; with labels, choose the threshold by them.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Embeddings; with a precomputed metric, a square matrix that may be sparse.
        y : array-like of shape (n_samples,), default=None
            Class of each sample, -1 for unlabelled ones. With ``threshold="auto"`` the threshold is the one
            whose clusters of X have the highest mean of pairwise and BCubed F on the labelled samples.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` fails or is interrupted, the estimator is as it was before.

        Raises
        ------
        ValueError
            If y names fewer than two classes, or X does not suit the metric.
        """
        with self._fitting("neighbors", "links", "threshold"):
            self._check_parameters()
            X = self._checked(X, reset=True)
            codes = None if y is None else self._class_codes(X, y)
            samples = self._samples_of(X)
            if not samples.n_distinct:
                raise ValueError(f"X has {len(X)} rows, none of which has a direction. Give others.")
            automatic = isinstance(self.threshold, str)
            linked = self._learn(samples, codes, _list_length(samples) if automatic and y is None else 0)
            self.recall_, self.threshold_ = linked.recall, self.threshold
            if automatic:
                with self._stage("threshold"):
                    self.threshold_ = self._best_threshold(linked, samples, codes)
            self.labels_ = self._labels(linked, samples)
            self.n_clusters_ = int(self.labels_.max()) + 1
        return self

    def predict(self, X):
        """Cluster new samples at the threshold that was found; the estimator stays as it is.

        The samples are clustered jointly and without those of `fit`. Numbers are those of this clustering.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            As for :meth:`fit`.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for samples left alone.
        """
        check_is_fitted(self, "threshold_")
        samples = self._samples_of(self._checked(X, reset=False))
        if samples.n_distinct < 2:
            return one_cluster(samples, "noise").labels
        return self._labels(self._link(samples), samples)

    def _check_parameters(self) -> None:
        """What goes beyond one parameter's kind and range."""

    def _learn(self, samples: Samples, codes: np.ndarray | None, list_length: int) -> LinkedSamples:
        """Link the samples of `fit`; what is learned of them besides the threshold is learned here."""
        return self._link(samples, list_length)

    def _link(self, samples: Samples, list_length: int = 0) -> LinkedSamples:
        """Link samples, and list as many neighbours of each as clusters should agree with."""
        raise NotImplementedError

    def _levels(self, tree: MergeTree) -> tuple[np.ndarray, float]:
        """Thresholds at which samples merge, and what is above all that part some of them."""
        raise NotImplementedError

    def _partition(self, linked: LinkedSamples, threshold: float) -> np.ndarray:
        """Group of each sample."""
        raise NotImplementedError

    def _neighborhoods(self, rows, list_length: int, metric: str) -> Neighborhoods:
        found = self._cached(neighborhoods_of)(
            rows,
            self.n_neighbors,
            list_length,
            metric=metric,
            algorithm=self.algorithm,
            seed=self._seed,
            n_jobs=self.n_jobs,
        )
        self._warn_of_recall(found.recall)
        return found

    def _best_threshold(self, linked: LinkedSamples, samples: Samples, codes: np.ndarray | None) -> float:
        """Threshold whose clusters agree best with the labels, or else with the lists."""

        def quality(groups):
            if codes is None:
                return agreement(linked.lists, groups)
            return mean_fscore(codes, np.append(groups, -1)[samples.inverse])

        return best_threshold(
            candidate_thresholds(*self._levels(linked.tree)),
            lambda threshold: self._partition(linked, threshold),
            quality,
        )

    def _labels(self, linked: LinkedSamples, samples: Samples) -> np.ndarray:
        groups = self._partition(linked, self.threshold_)
        return np.append(number_clusters(groups, samples.counts, "noise"), -1)[samples.inverse]

    def _list_length(self, n_distinct):
        # The methods take lists of this length however few samples there are. Of a graph, what clusters
        # should agree with has to be kept besides.
        return max(self.n_neighbors, LONGEST_LIST) if self._is_graph() else self.n_neighbors


def _list_length(samples):
    """Length of the lists that clusters should agree with; more than a third agree best with one cluster."""
    return min(LONGEST_LIST, max(len(samples.counts) // 3, 1))
