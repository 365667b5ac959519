"""A given partition, taken apart where the networks find it impure and put together where they find it torn.

The groups of all steps form a tree: the given clusters in its middle, their segmented parts below them,
unions of clusters above. At each branch a group stays whole if its predicted IoU is at least that of its
parts, each sample counted once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ._base import Result
from ._graph._links import Graph
from ._graph._samples import Samples, aggregate_labels
from ._labels import cluster_codes
from ._proposals._average_link import average_link_layers
from ._proposals._layers import distinct_proposals
from ._proposals._sources import link_thresholds
from ._scoring import Judge, Scored

_LOOSEST = 3
"""Thresholds of average linkage, the last ones, that are not used: they join most of what there is, which
training needs to see, but of which there is only one example."""
_MAX_REJECTED = 0.1
"""Share of a union that may lie in smaller unions which were not worth making; else errors pile up."""


class RefinementSettings(NamedTuple):
    """How a partition is refined."""

    iop_range: tuple[float, float]
    n_seeds: int
    outliers: str
    merge: bool
    affinity: str
    n_neighbors: int
    seed: int


class Refined(NamedTuple):
    """A refined partition of distinct samples."""

    groups: np.ndarray
    """int64 of shape (n_samples,): any number for each cluster, -1 for noise."""
    membership: np.ndarray
    """float32 of shape (n_samples,): probability that a sample belongs to its cluster, 0 for noise."""


def refine_partition(graph: Graph, given: np.ndarray, judge: Judge, settings: RefinementSettings) -> Refined:
    """Segment the impure clusters of a partition, then merge what belongs together.

    Parameters
    ----------
    graph : Graph
    given : int ndarray of shape (n_samples,)
        Cluster of each sample, -1 for noise, which stays noise.
    judge : Judge
        Of the same graph. If it cannot segment, clusters are merged only.
    settings : RefinementSettings
    """
    if not (given >= 0).any():
        return Refined(np.full(len(given), -1), np.zeros(len(given), np.float32))
    rounds, removed, belongs = _segment(given, judge, settings)
    groups = best_cut(rounds, judge)
    if settings.merge:
        unions = merge_levels(graph, groups, settings)
        groups = best_cut([*unions[::-1], groups], judge, _MAX_REJECTED)
    if settings.outliers == "noise":
        inside = groups >= 0
        alone = inside & (np.bincount(groups[inside])[groups] == 1)
        groups = np.where(removed & alone, -1, groups)
    # Of a part that was kept as it is GCN-S has judged each member, of other clusters GCN-D the whole.
    clusters = distinct_proposals(np.stack([groups, rounds[-1]]))
    iop = judge.score(clusters).quality[:, 1]
    segmented = (clusters.layers[0] == clusters.layers[1]) & (belongs > 0)
    membership = np.where(groups < 0, 0, np.where(segmented, belongs, iop[clusters.layers[0]]))
    return Refined(groups, membership.astype(np.float32))


def merge_levels(graph: Graph, groups: np.ndarray, settings: RefinementSettings) -> list[np.ndarray]:
    """Ever larger unions of groups, by average linkage; samples in no group (-1) take no part."""
    thresholds = link_thresholds(graph, settings.affinity)[:-_LOOSEST]
    return list(average_link_layers(graph.affinity, thresholds, "zero", settings.n_neighbors, groups))


def best_cut(levels: list[np.ndarray], judge: Judge, max_rejected: float = 1.0) -> np.ndarray:
    """The partition of highest predicted IoU, on average over samples, among those that a tree holds.

    Parameters
    ----------
    levels : list of int ndarrays of shape (n_samples,)
        Partitions, each finer than the one before; -1 in no group, in all of them.
    judge : Judge
    max_rejected : float
        A group is not taken if more than this share of it lies in groups, one level finer, that were not.

    Returns
    -------
    int64 ndarray of shape (n_samples,)
        Numbers of groups, -1 where the levels have it.
    """
    proposals = distinct_proposals(np.stack(levels))
    iou = judge.score(proposals).quality[:, 0]
    inside = np.flatnonzero(proposals.layers[0] >= 0)
    *coarser, groups = proposals.layers[:, inside].astype(np.int64)
    best, whole = iou[groups], np.ones(len(groups), dtype=bool)
    for level in coarser[::-1]:
        size = np.bincount(level, minlength=len(iou))
        of_parts = np.bincount(level, weights=best, minlength=len(iou)) / np.maximum(size, 1)
        rejected = np.bincount(level, weights=~whole, minlength=len(iou))
        whole = ((iou >= of_parts) & (rejected <= max_rejected * size))[level]
        groups, best = np.where(whole, level, groups), np.where(whole, iou[level], of_parts[level])
    cut = np.full(len(levels[0]), -1)
    cut[inside] = groups
    return cut


def _segment(given, judge, settings):
    """Partitions, each finer than the one before; who left a cluster; the last verdict of GCN-S on others.

    What leaves a cluster is a group of its own and is segmented in the next round, as what is left of the
    cluster is; unless leaving is final, then each is alone and there is one round.
    """
    rounds = [np.asarray(given, dtype=np.int64)]
    removed, belongs = np.zeros(len(given), bool), np.zeros(len(given), np.float32)
    undecided = np.asarray(given) >= 0
    while judge.can_segment:
        partition = distinct_proposals(rounds[-1][None])
        number, n_groups = partition.layers[0].astype(np.int64), len(partition.sizes)
        scored = judge.score(partition)
        asked = np.bincount(number[undecided], minlength=n_groups) > 0
        quality = np.where(asked[:, None], scored.quality, np.nan)
        segmented, probability = judge.segment(
            Scored(partition, quality, scored.membership),
            iop_range=settings.iop_range,
            n_seeds=settings.n_seeds,
            seed=settings.seed + len(rounds),
        )
        kept = segmented.indices
        touched = np.bincount(number[kept], minlength=n_groups) > 0
        belongs[kept] = probability
        leaving = (number >= 0) & touched[number]
        leaving[kept] = False
        if not leaving.any():
            break
        removed |= leaving
        belongs[leaving] = 0
        outside = n_groups + (number if settings.outliers == "split" else np.arange(len(number)))
        rounds.append(np.where(leaving, outside, number))
        if settings.outliers != "split":
            break
        undecided = (number >= 0) & (np.bincount(number[leaving], minlength=n_groups) > 0)[number]
    return rounds, removed, belongs


def given_clusters(labels: Any, samples: Samples) -> np.ndarray:
    """Cluster of each distinct sample, -1 for noise; numbers do not depend on how clusters were named.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Of all rows of X; negative numbers are noise.
    samples : Samples

    Returns
    -------
    intp ndarray of shape (n_kept,)
    """
    codes = cluster_codes(labels)
    if len(codes) != len(samples.inverse):
        raise ValueError(
            f"There are {len(codes)} labels for {len(samples.inverse)} samples; give one for each sample."
        )
    given = aggregate_labels(codes, samples)
    inside = given >= 0
    _, first, number = np.unique(given[inside], return_index=True, return_inverse=True)
    given[inside] = np.argsort(np.argsort(first))[number.reshape(-1)]
    return given


def one_given_cluster(given: np.ndarray, samples: Samples) -> Result:
    """The clusters of samples of which no two differ: as they were given."""
    inside = np.append(given, -1)[samples.inverse] >= 0
    scores = np.full((int(inside.any()), 2), np.nan, dtype=np.float32)
    return Result(np.where(inside, 0, -1), inside.astype(np.float32), scores)
