"""Scored, overlapping proposals -> one label a sample."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._compat import Interval, StrOptions
from ._proposals._layers import Proposals

SELECTION_CONSTRAINTS = {
    "overlap": [StrOptions({"adaptive", "deoverlap", "nms"})],
    "max_overlap": [Interval(Real, 0, 1, closed="both")],
    "min_score": [Interval(Real, 0, 1, closed="both")],
}
"""What the parameters of an estimator that say how proposals become clusters may be."""
_PRICE, _HIGHEST_PRICE = 0.3, 0.1
"""What a proposal loses of its score by the share of members that would change their cluster, and at most."""


class SelectionSettings(NamedTuple):
    """How scored proposals become clusters."""

    overlap: str
    max_overlap: float
    min_score: float


def select(proposals: Proposals, scores: np.ndarray, settings: SelectionSettings) -> np.ndarray:
    """The proposal that each sample goes to.

    Parameters
    ----------
    proposals : Proposals
    scores : ndarray of shape (n_proposals,)
        Predicted IoU.
    settings : SelectionSettings

    Returns
    -------
    int32 ndarray of shape (n_samples,)
        -1 for none.
    """
    if settings.overlap == "nms":
        return suppress(proposals, scores, settings.max_overlap, settings.min_score)
    if settings.overlap == "adaptive":
        return adaptive_deoverlap(proposals, scores, settings.min_score)
    return deoverlap(proposals, scores, settings.min_score)


def deoverlap(proposals: Proposals, scores: np.ndarray, min_score: float = -np.inf) -> np.ndarray:
    """De-overlap (the paper's Algorithm 3): best proposal first, each takes the members not taken before.

    So every sample goes to the best-ranked proposal that holds it, which is a minimum over layers; no
    list has to be walked.

    Parameters
    ----------
    proposals : Proposals
    scores : ndarray of shape (n_proposals,)
        Predicted IoU. Ties go to the earlier proposal.
    min_score : float
        Proposals of two or more members below it take nothing. A single sample is a proposal too: its
        predicted IoU, one over the size of its class, is the score that a group has to beat.

    Returns
    -------
    int32 ndarray of shape (n_samples,)
        The proposal each sample goes to, -1 for none.
    """
    n_proposals = len(scores)
    rank = np.empty(n_proposals + 1, dtype=np.int64)
    order = np.argsort(-scores, kind="stable")
    kept = (scores >= min_score) | (proposals.sizes == 1)
    rank[order] = np.where(kept[order], np.arange(n_proposals), n_proposals)
    rank[-1] = n_proposals  # reached by -1, "in no proposal"
    best = np.full(proposals.layers.shape[1], n_proposals, dtype=np.int64)
    for layer in proposals.layers:
        np.minimum(best, rank[layer], out=best)
    return np.append(order, -1)[best].astype(np.int32)


def adaptive_deoverlap(
    proposals: Proposals, scores: np.ndarray, min_score: float = -np.inf, power: float = 2
) -> np.ndarray:
    """De-overlap in which a proposal that lost members to better ones is worth less.

    What is left of a proposal is not what was scored: a poor fragment of a good proposal should not keep its
    rank. So a proposal with a share s of its members left counts ``score * s**power``, and the best *now*
    takes its members next. A proposal that is the best for all its free members is taken in the same round as
    others of which this holds: scores only fall, so the outcome is that of the one by one loop.

    Parameters
    ----------
    proposals, scores, min_score
        As for :func:`deoverlap`; scores of zero or more.
    power : float

    Returns
    -------
    int32 ndarray of shape (n_samples,)
        The proposal each sample goes to, -1 for none.
    """
    sizes, n_samples = proposals.sizes, proposals.layers.shape[1]
    allowed = (scores >= min_score) | (sizes == 1)
    proposal = np.repeat(np.arange(len(sizes)), sizes)
    by_member = np.argsort(proposals.indices, kind="stable")
    member, proposal = proposals.indices[by_member], proposal[by_member]
    free = allowed[proposal]
    assigned = np.full(n_samples, -1, dtype=np.int32)
    while free.any():
        member, proposal = member[free], proposal[free]
        left = np.bincount(proposal, minlength=len(sizes))
        alive = np.flatnonzero(left)
        value = scores[alive] * (left[alive] / sizes[alive]) ** power
        rank = np.empty(len(sizes), dtype=np.int64)
        rank[alive[np.argsort(-value, kind="stable")]] = np.arange(len(alive))
        first = np.flatnonzero(np.diff(member, prepend=-1))
        ranks = rank[proposal]
        best = np.repeat(np.minimum.reduceat(ranks, first), np.diff(first, append=len(member)))
        taken = np.bincount(proposal, ranks == best, minlength=len(sizes)) == left
        taken &= left > 0
        takes = taken[proposal]
        assigned[member[takes]] = proposal[takes]
        free = assigned[member] < 0
    return assigned


def in_favour_of(before: np.ndarray, proposals: Proposals, scores: np.ndarray) -> np.ndarray:
    """Scores of proposals, those lower that would change the clusters of samples.

    Parameters
    ----------
    before : int ndarray of shape (n_samples,)
        Cluster of each sample, -1 for none.
    proposals : Proposals
    scores : float32 ndarray of shape (n_proposals,)

    Returns
    -------
    float64 ndarray of shape (n_proposals,)
    """
    return scores * (1 - np.minimum(_PRICE * share_moved(proposals, before), _HIGHEST_PRICE))


def share_moved(proposals: Proposals, before: np.ndarray) -> np.ndarray:
    """How many samples would change their cluster if a proposal became one, as a share of its members.

    A proposal is the same cluster as one before if it holds more than half of it: then those change that
    come from other clusters, and those that are left behind. Else all change that were in any.

    Parameters
    ----------
    proposals : Proposals
    before : int ndarray of shape (n_samples,)
        Cluster of each sample, -1 for none.

    Returns
    -------
    float64 ndarray of shape (n_proposals,)
    """
    inside = np.flatnonzero(before >= 0)
    shape = (len(before), before.max(initial=-1) + 1)
    of_clusters = sp.csr_array((np.ones(len(inside)), (inside, before[inside])), shape=shape)
    shared = (proposals.membership().astype(np.float64) @ of_clusters).tocoo()
    proposal, cluster = shared.coords
    moved = np.bincount(proposal, shared.data, minlength=len(proposals.sizes))
    left_behind = np.bincount(before[inside], minlength=shape[1])[cluster] - shared.data
    saved = np.zeros(len(moved))
    np.maximum.at(saved, proposal, shared.data - left_behind)  # above 0 for more than half
    return (moved - saved) / proposals.sizes


def suppress(
    proposals: Proposals, scores: np.ndarray, max_iou: float, min_score: float = -np.inf
) -> np.ndarray:
    """Non-maximum suppression: drop what overlaps a better kept proposal by more than `max_iou`.

    The kept proposals may still share a few samples; each of those goes to the better one. Proposals are
    kept in rounds, all at once that beat every rival still undecided: the outcome is that of the one by one
    loop.

    Parameters
    ----------
    proposals, scores, min_score
        As for :func:`deoverlap`.
    max_iou : float
        Largest allowed intersection over union of two kept proposals.

    Returns
    -------
    int32 ndarray of shape (n_samples,)
    """
    member = proposals.membership().astype(np.int32)
    shared = (member @ member.T).tocoo()
    left, right = shared.coords
    union = proposals.sizes[left] + proposals.sizes[right] - shared.data
    rivals = (left != right) & (shared.data > max_iou * union)
    left, right = left[rivals], right[rivals]
    rank = np.empty(len(scores), dtype=np.int64)
    rank[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    undecided, kept = scores >= min_score, np.zeros(len(scores), dtype=bool)
    while undecided.any():
        beaten = undecided[left] & undecided[right] & (rank[right] < rank[left])
        winners = undecided.copy()
        winners[left[beaten]] = False
        kept |= winners
        undecided &= ~winners
        undecided[left[winners[right]]] = False
    return deoverlap(proposals, np.where(kept, scores, -np.inf), max(min_score, np.finfo(float).min))


def membership_of(proposals: Proposals, membership: np.ndarray, assigned: np.ndarray) -> np.ndarray:
    """Membership probability of each sample in the proposal it went to, 0 for none.

    Parameters
    ----------
    proposals : Proposals
    membership : float32 ndarray of shape (total size,)
        Of each member, as in ``proposals.indices``.
    assigned : int32 ndarray of shape (n_samples,)
        From :func:`deoverlap` or :func:`suppress`.

    Returns
    -------
    float32 ndarray of shape (n_samples,)
    """
    n_samples = len(assigned)
    keys = np.repeat(np.arange(len(proposals.sizes), dtype=np.int64), proposals.sizes) * n_samples
    keys += proposals.indices
    taken = np.flatnonzero(assigned >= 0)
    out = np.zeros(n_samples, dtype=np.float32)
    out[taken] = membership[np.searchsorted(keys, assigned[taken].astype(np.int64) * n_samples + taken)]
    return out


def number_clusters(assigned: np.ndarray, counts: np.ndarray, outliers: str) -> np.ndarray:
    """Number clusters by falling size; those of one sample are outliers.

    Parameters
    ----------
    assigned : int ndarray of shape (n_distinct,)
        Any number for each group, -1 for samples in none.
    counts : int ndarray of shape (n_distinct,)
        How many samples each speaks for; groups that speak for none get -1.
    outliers : {"noise", "singletons"}
        Whether outliers get -1, or a number each, after the clusters.

    Returns
    -------
    int64 ndarray of shape (n_distinct,)
        Among equal sizes the cluster of the first sample comes first.
    """
    alone = assigned < 0
    group = np.where(alone, assigned.max(initial=-1) + 1 + np.arange(len(assigned)), assigned)
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    sizes = np.bincount(group, weights=counts)
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    number[sizes < (2 if outliers == "noise" else 1)] = -1
    return number[group]
