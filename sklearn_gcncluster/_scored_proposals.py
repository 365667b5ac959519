"""Scored proposals of one data set, and the clusters that come of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from ._base import Result
from ._compat import StrOptions, validate_params
from ._constraints import check_constraints
from ._expectation import expected_quality
from ._graph._samples import Samples, aggregate_labels
from ._labels import class_codes
from ._mending import keep_constraints
from ._proposals._layers import distinct_proposals
from ._proposals._targets import proposal_targets
from ._review import questions
from ._scoring import Judge, Scored
from ._selection import SELECTION_CONSTRAINTS, SelectionSettings, membership_of, number_clusters, select


class Expected(NamedTuple):
    """Clusters, and how good they should be."""

    labels: np.ndarray
    """int64 of shape (n_samples,), -1 for outliers."""
    precision: np.ndarray
    """float64 of shape (n_samples,): BCubed precision of each sample, and its recall."""
    recall: np.ndarray


class ScoredProposals:
    """Proposals of clusters and what the networks say of them; see :meth:`GCNClustering.score_proposals`.

    Attributes
    ----------
    membership : csr_array of shape (n_proposals, n_samples)
        Boolean: which samples each proposal holds. Where X has copies of a sample, proposals of such copies
        alone hold none.
    scores : float32 ndarray of shape (n_proposals, 2)
        Predicted IoU and IoP of each.
    segmented : bool ndarray of shape (n_proposals,)
        Whether a proposal is what GCN-S left of another. Such proposals come last.

    See Also
    --------
    GCNClustering.diagnose : What wrong scores cost.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_gcncluster import GCNClustering
    >>> X, y = make_blobs(200, n_features=8, centers=10, random_state=0)
    >>> proposals = GCNClustering(random_state=0).fit(X).score_proposals(X)
    >>> best = proposals.scores[:, 0].argmax()
    >>> len(set(y[proposals.membership[[best]].indices]))
    1
    """

    def __init__(self, scored: Scored, n_first: int, samples: Samples, judge: Judge):
        self._scored, self._samples, self._judge = scored, samples, judge
        self.scores = scored.quality
        self.segmented = np.arange(len(self.scores)) >= n_first

    @property
    def membership(self) -> sp.csr_array:
        # Columns of distinct samples, repeated for each row of X that they speak for.
        distinct = self._scored.proposals.membership().tocsc()
        everyone = sp.hstack([distinct, sp.csc_array((distinct.shape[0], 1), dtype=bool)], format="csc")
        return everyone[:, self._samples.inverse].tocsr()

    def true_scores(self, y: ArrayLike) -> np.ndarray:
        """True IoU and IoP of each proposal with the class that most of its members have.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            True classes; samples with -1 count neither as members nor as part of a class.

        Returns
        -------
        scores : float32 ndarray of shape (n_proposals, 2)
            In [0, 1]; NaN for proposals without a labelled member.
        """
        _, codes = class_codes(y)
        check_consistent_length(self._samples.inverse, codes)
        classes = aggregate_labels(codes, self._samples)
        targets = proposal_targets(self._scored.proposals, classes)
        return np.column_stack([targets.iou, targets.iop])

    @validate_params(
        {
            "scores": ["array-like", None],
            **SELECTION_CONSTRAINTS,
            "outliers": [StrOptions({"noise", "singletons"})],
            "must_link": ["array-like", None],
            "cannot_link": ["array-like", None],
            "cannot_link_groups": ["array-like", None],
        },
        prefer_skip_nested_validation=True,
    )
    def cluster(
        self,
        *,
        scores: ArrayLike | None = None,
        overlap: str = "adaptive",
        max_overlap: float = 0.5,
        min_score: float = 0.15,
        outliers: str = "noise",
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
        cannot_link_groups: ArrayLike | None = None,
    ) -> np.ndarray:
        """Let each sample go to one of the proposals that hold it.

        Parameters
        ----------
        scores : array-like of shape (n_proposals,), default=None
            By which proposals are ranked, in place of their predicted IoU; negative ones come last.
        overlap : {"adaptive", "deoverlap", "nms"}, default="adaptive"
            As the parameter of :class:`GCNClustering`, like those that follow.
        max_overlap : float in [0, 1], default=0.5
            IoU of two proposals above which "nms" drops the worse one.
        min_score : float in [0, 1], default=0.15
            Clusters of two or more samples with a lower predicted IoU are dropped.
        outliers : {"noise", "singletons"}, default="noise"
            Whether samples in no cluster get the label -1, or a number each.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster; -1 for samples in none.

        Returns
        -------
        labels : int64 ndarray of shape (n_samples,)
            Clusters in order of falling size, -1 for outliers.
        """
        settings = SelectionSettings(overlap, max_overlap, min_score)
        given = must_link, cannot_link, cannot_link_groups
        return self._obeying(self._clusters(settings, outliers, scores), given, outliers)[0].labels

    def review(
        self,
        n_questions: int = 200,
        *,
        overlap: str = "adaptive",
        max_overlap: float = 0.5,
        min_score: float = 0.15,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
        cannot_link_groups: ArrayLike | None = None,
    ) -> list[dict[str, Any]]:
        """Ask about the clusters that :meth:`cluster` gives, the most valuable questions first.

        Parameters
        ----------
        n_questions : int, default=200
            How many, at most.
        overlap : {"adaptive", "deoverlap", "nms"}, default="adaptive"
            As for :meth:`cluster`, like those that follow.
        max_overlap : float in [0, 1], default=0.5
            Only for "nms".
        min_score : float in [0, 1], default=0.15
            Least predicted IoU of a cluster.
        must_link, cannot_link : array-like of int of shape (n_pairs, 2), default=None
            Pairs of rows that must share a cluster, and pairs that must not.
        cannot_link_groups : array-like of int of shape (n_samples,), default=None
            No two samples of one group share a cluster; -1 for samples in none.

        Returns
        -------
        questions : list of dict
            As for :meth:`GCNClustering.review`.
        """
        result = self._clusters(SelectionSettings(overlap, max_overlap, min_score), "noise")
        result, known = self._obeying(result, (must_link, cannot_link, cannot_link_groups), "noise")
        return questions(result, self._samples, self._judge, known, n_questions)

    def _obeying(self, result, given, outliers):
        """Clusters under constraints, and these."""
        must, cannot, groups = given
        known = check_constraints(must, cannot, groups, len(result.labels))
        return keep_constraints(result, known, self._samples, self._judge, outliers), known

    def _clusters(self, settings, outliers, scores=None):
        if scores is not None and np.shape(scores) != self.scores.shape[:1]:
            raise ValueError(
                f"scores must hold one value for each of the {len(self.scores)} proposals, but has the "
                f"shape {np.shape(scores)}."
            )
        return clusters_of(self._scored, self._judge, self._samples, settings, outliers, scores)

    def expected(
        self,
        *,
        scores: ArrayLike | None = None,
        overlap: str = "adaptive",
        max_overlap: float = 0.5,
        min_score: float = 0.15,
    ) -> Expected:
        """Make clusters, and tell by the predicted IoU and IoP how good they should be.

        Parameters
        ----------
        scores : array-like of shape (n_proposals,), default=None
            As for :meth:`cluster`, like those that follow.
        overlap : {"adaptive", "deoverlap", "nms"}, default="adaptive"
            How samples go to proposals.
        max_overlap : float in [0, 1], default=0.5
            Only for "nms".
        min_score : float in [0, 1], default=0.15
            Least predicted IoU of a cluster.

        Returns
        -------
        expected : Expected
            A tuple of labels, and BCubed precision and recall of each sample.
        """
        result = self._clusters(SelectionSettings(overlap, max_overlap, min_score), "noise", scores)
        return Expected(result.labels, *expected_quality(result, self._scored, self._samples))


def clusters_of(
    scored: Scored,
    judge: Judge,
    samples: Samples,
    settings: SelectionSettings,
    outliers: str,
    scores: ArrayLike | None = None,
) -> Result:
    """Let each sample go to one of the proposals that hold it, and drop clusters below the floor.

    Parameters
    ----------
    scored : Scored
    judge : Judge
        Of the same graph.
    samples : Samples
    settings : SelectionSettings
    outliers : {"noise", "singletons"}
    scores : array-like of shape (n_proposals,), optional
        By which proposals are ranked, in place of their predicted IoU.

    Returns
    -------
    Result
        For all rows of X.
    """
    iou = scored.quality[:, 0] if scores is None else np.asarray(scores, dtype=np.float64)
    assigned = select(scored.proposals, iou, settings)
    while True:
        labels = number_clusters(assigned, samples.counts, outliers)
        clusters = distinct_proposals(labels[None])
        quality = judge.score(clusters).quality
        # What is left of a proposal is another one, so the floor is held to what comes out.
        poor = (quality[:, 0] < settings.min_score) & (clusters.sizes > 1)
        if not poor.any():
            break
        assigned[np.append(poor, False)[clusters.layers[0]]] = -1
    belongs = membership_of(scored.proposals, scored.membership, assigned)
    result = _of_all_rows(labels, np.where(labels < 0, 0, belongs), quality, samples.inverse, outliers)
    return result._replace(recall=judge.graph.recall)


def _of_all_rows(labels, probabilities, quality, inverse, outliers):
    """The same for all rows of X; those that could not be compared belong to nothing."""
    labels, probabilities = np.append(labels, -1)[inverse], np.append(probabilities, 0)[inverse]
    alone = np.flatnonzero(inverse < 0)
    if outliers == "singletons" and len(alone):
        labels[alone] = len(quality) + np.arange(len(alone))
        quality = np.concatenate([quality, np.full((len(alone), 2), np.nan, dtype=np.float32)])
    return Result(labels.astype(np.int64), probabilities.astype(np.float32), quality)
