"""Clusters that obey constraints, and make the most of what these tell.

The networks choose clusters first, as they would without constraints. So an answer changes the clusters that
it is about, and no others.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ._base import Result
from ._constraints import Constraints
from ._graph._samples import Samples
from ._obeying import joined, obeying_rows, taken_apart, ties_within, without_rivals
from ._proposals._layers import distinct_proposals
from ._scoring import Judge
from ._selection import number_clusters

_WORTH = 0.1
"""Predicted IoU that parts around samples which must stay apart may lack, and still be preferred to all but
one of these leaving."""


def keep_constraints(
    result: Result, constraints: Constraints | None, samples: Samples, judge: Judge | None, outliers: str
) -> Result:
    """Clusters that obey, of all rows of X.

    Parameters
    ----------
    result : Result
    constraints : Constraints or None
        Of all rows; without any, the result is as it was.
    samples : Samples
    judge : Judge or None
        None if no two samples differ.
    outliers : {"noise", "singletons"}
        Whether a sample that leaves a cluster is noise, or a cluster of its own.
    """
    if constraints is None:
        return result
    n_kept = len(samples.counts)
    affinity = sp.csr_array((n_kept, n_kept), dtype=np.float32) if judge is None else judge.graph.affinity
    n_neighbors = 1 if judge is None else judge.graph.dissimilarities.shape[1]
    labels = result.labels
    if judge is not None:
        of_kept = mended(labels[samples.kept], constraints.of(samples), judge)
        # Zero rows, and rows that share a distinct sample with one that was told something else.
        labels = np.where(samples.inverse < 0, labels, of_kept[samples.inverse])
    obeyed = obeying_rows(labels, constraints, samples, affinity, n_neighbors)
    if np.array_equal(obeyed, result.labels):
        return result
    if outliers == "singletons":
        left = np.flatnonzero((obeyed < 0) & (result.labels >= 0))
        obeyed[left] = obeyed.max(initial=-1) + 1 + np.arange(len(left))
    labels, inside = np.full(len(obeyed), -1), obeyed >= 0
    labels[inside] = number_clusters(obeyed[inside], np.ones(inside.sum(), int), outliers)
    quality = np.full((labels.max(initial=-1) + 1, 2), np.nan, dtype=np.float32)
    of_kept = labels[samples.kept]
    if judge is not None and (of_kept >= 0).any():
        clusters = distinct_proposals(of_kept[None])
        quality[np.unique(of_kept[of_kept >= 0])] = judge.score(clusters).quality
    # Clusters that stayed keep what was known of them.
    both = np.flatnonzero((labels >= 0) & (result.labels >= 0))
    pairs, shared = np.unique(np.stack([labels[both], result.labels[both]]), axis=1, return_counts=True)
    size = np.bincount(labels[labels >= 0], minlength=1)
    size_before = np.bincount(result.labels[result.labels >= 0], minlength=1)
    same = (shared == size[pairs[0]]) & (shared == size_before[pairs[1]])
    quality[pairs[0, same]] = result.scores[pairs[1, same]]
    stayed = np.zeros(len(labels), bool)
    stayed[both] = np.isin(labels[both], pairs[0, same])
    iop = np.append(np.nan_to_num(quality[:, 1], nan=1), 0)[labels]
    return Result(
        labels, np.where(stayed, result.probabilities, iop).astype(np.float32), quality, result.recall
    )


def mended(labels: np.ndarray, constraints: Constraints, judge: Judge) -> np.ndarray:
    """A partition of distinct samples that obeys; groups to which nothing is said stay.

    Groups that share a component become one, if the samples that they share it by are typical of them; else
    these move. A group that holds what must stay apart falls into parts around each, if they are typical of
    it and the networks find the parts about as good; else all but the most typical leave it.

    Parameters
    ----------
    labels : int ndarray of shape (n_samples,)
        -1 for noise.
    constraints : Constraints
    judge : Judge

    Returns
    -------
    int64 ndarray of shape (n_samples,)
        Numbers are others.
    """
    affinity, n_neighbors = judge.graph.affinity, judge.graph.dissimilarities.shape[1]
    labels = joined(labels, constraints, affinity, _typical(labels, affinity))
    without = without_rivals(labels, constraints, affinity)
    asked = np.isin(labels, labels[(without != labels) & _typical(labels, affinity)])
    if not asked.any():
        return without
    parts = taken_apart(np.where(asked, labels, -1), constraints, affinity, n_neighbors)
    proposals = distinct_proposals(np.stack([parts, np.where(asked, without, -1)]))
    iou = np.append(judge.score(proposals).quality[:, 0], 0)
    gain = iou[proposals.layers[0]] - iou[proposals.layers[1]]
    total = np.bincount(labels[asked], weights=gain[asked] + _WORTH)
    falls = asked.copy()
    falls[asked] = total[labels[asked]] > 0
    return np.where(falls, labels.max() + 1 + parts, without)


def _typical(labels, affinity):
    """Whether each sample has as much affinity to the others of its group as half of them have."""
    ties = ties_within(labels, affinity)
    order = np.lexsort((ties, labels))[np.count_nonzero(labels < 0) :]
    number, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    median = np.full(labels.max(initial=-1) + 2, np.inf)  # the last is reached by -1
    median[number] = ties[order[first + (size - 1) // 2]]
    return ties >= median[labels]
