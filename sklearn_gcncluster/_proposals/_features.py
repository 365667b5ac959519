"""What a network sees of a sample inside a proposal, whatever the embedding: its place in the structure.

All inputs are free of the embedding's dimension and scale: similarities are standardised by the mean and
deviation of the data set's own neighbour similarities, everything else is a share, a difference of
affinities or a logarithm. IoU depends on the members a proposal *misses*; the links that leave it carry
that, so they are among the inputs, and so is the nearest other group of the same layer.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .._graph._links import Graph, list_means, spread_of
from ._layers import Proposals
from ._subgraphs import LayerCut

VERTEX_FEATURES = (
    "similarity to the proposal's centre",
    "mean similarity to neighbours inside",
    "mean similarity to neighbours outside",
    "similarity to the nearest neighbour",
    "mean similarity to the nearest ten",
    "mean similarity to all neighbours",
    "mean affinity to all members",
    "mean affinity to neighbours inside",
    "mean affinity to neighbours outside",
    "highest affinity",
    "log affinity in all",
    "log affinity outside",
    "share of affinity inside",
    "share of neighbours inside",
    "share of possible neighbours inside",
    "share of size reached by affinity",
    "expected IoU as seen from here",
    "affinity to the best other group against affinity inside",
    "mean affinity to the best other group, less that to the own",
)
PROPOSAL_FEATURES = (
    "log size",
    "mean similarity to the centre",
    "cohesion: mean affinity of all pairs",
    "mean affinity to the nearest other group",
    "nearest other group against cohesion",
    "log size ratio of the nearest other group",
    "share of outside affinity in one other group",
    "expected IoU",
    "share of affinity inside",
)
N_STRUCTURE = len(VERTEX_FEATURES) + len(PROPOSAL_FEATURES)


class StructureFeatures:
    """Structural features of proposals of one graph; what they need of the whole graph is computed once.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph):
        self._graph = graph
        self._level, spread = spread_of(graph.dissimilarities, graph.lengths)
        self._spread = spread + 1e-6 * self._level + np.finfo(np.float32).tiny
        lists = graph.dissimilarities, graph.lengths
        self._density = self._standard(np.stack([list_means(*lists, k) for k in (1, 10, None)], axis=1))

    def __call__(self, proposals: Proposals, layer: int, cut: LayerCut) -> np.ndarray:
        """Features of every row of a layer: its own and those of its proposal.

        Parameters
        ----------
        proposals : Proposals
        layer : int
        cut : LayerCut
            Of that layer.

        Returns
        -------
        float32 ndarray of shape (n_rows, N_STRUCTURE)
            Columns as in VERTEX_FEATURES and PROPOSAL_FEATURES.
        """
        if not len(cut.vertices):
            return np.empty((0, N_STRUCTURE), np.float32)
        graph = self._graph
        degree, sizes = np.diff(cut.indptr), cut.sizes
        similarity = self._standard(graph.dissimilarity.data[cut.entries])
        affinity = graph.affinity.data[cut.entries]

        def total(values):
            return _by_row(np.add, values, cut.indptr)

        n_in, a_all, s_all = total(cut.inside.astype(np.float32)), total(affinity), total(similarity)
        a_in, s_in = total(affinity * cut.inside), total(similarity * cut.inside)
        n_out, a_out = degree - n_in, a_all - a_in
        others = _affinity_to_groups(graph.affinity, proposals.layers[layer], cut)
        best_sum, best_mean = others.best_per_row()
        centre = self._standard(_centre_dissimilarity(graph.rows, cut, a_in))
        members = a_in / np.maximum(sizes - 1, 1)
        vertex = [
            centre,
            s_in / np.maximum(n_in, 1),
            (s_all - s_in) / np.maximum(n_out, 1),
            *self._density[cut.vertices].T,
            members,
            a_in / np.maximum(n_in, 1),
            a_out / np.maximum(n_out, 1),
            _by_row(np.maximum, affinity, cut.indptr),
            np.log1p(a_all),
            np.log1p(a_out),
            a_in / (a_all + 1e-6),
            n_in / np.maximum(degree, 1),
            n_in / np.maximum(np.minimum(sizes - 1, degree), 1),
            (1 + a_in) / sizes,
            (1 + a_in) / (sizes + a_out),
            best_sum / (a_in + best_sum + 1e-3),
            best_mean - members,
        ]
        proposal = _proposal_features(cut, centre, a_in, a_out, others)
        repeated = np.repeat(np.column_stack(proposal), np.diff(cut.offsets), axis=0)
        return np.concatenate([np.column_stack(vertex), repeated], axis=1, dtype=np.float32)

    def _standard(self, dissimilarity):
        """Similarity in deviations from the mean over all neighbour lists."""
        return (self._level - dissimilarity) / self._spread


def _proposal_features(cut, centre, a_in, a_out, others):
    size, first = np.diff(cut.offsets).astype(np.float32), cut.offsets[:-1]
    within, away = np.add.reduceat(a_in, first), np.add.reduceat(a_out, first)
    cohesion = within / np.maximum(size * (size - 1), 1)
    nearest_sum, nearest_mean, nearest_size = others.best_per_proposal(cut.offsets)
    return [
        np.log(size),
        np.add.reduceat(centre, first) / size,
        cohesion,
        nearest_mean,
        nearest_mean / (cohesion + nearest_mean + 1e-3),
        np.log(np.maximum(nearest_size, 1) / size),
        nearest_sum / (away + 1e-3),
        (size + within) / (size * size + away),
        within / (within + away + 1e-3),
    ]


class _OtherGroups:
    """Total affinity of each row to each other group of the layer."""

    def __init__(self, totals: sp.csr_array, group_sizes: np.ndarray):
        self._totals, self._group_sizes = totals, group_sizes

    def best_per_row(self):
        """Highest total and highest mean affinity to one other group, 0 where there is none."""
        return (
            _by_row(np.maximum, self._totals.data, self._totals.indptr),
            _by_row(
                np.maximum, self._totals.data / self._group_sizes[self._totals.indices], self._totals.indptr
            ),
        )

    def best_per_proposal(self, offsets):
        """Total and mean affinity to the nearest other group, and its size, for each proposal."""
        n_rows, n_proposals = self._totals.shape[0], len(offsets) - 1
        collect = sp.csr_array(
            (np.ones(n_rows, np.float32), np.arange(n_rows), offsets), (n_proposals, n_rows)
        )
        between = (collect @ self._totals).tocsr()
        proposal = np.repeat(np.arange(n_proposals), np.diff(between.indptr))
        mean = between.data / (np.diff(offsets)[proposal] * self._group_sizes[between.indices])
        mean = mean.astype(np.float32)  # as the maximum that it is compared with
        highest = _by_row(np.maximum, mean, between.indptr)
        nearest = np.flatnonzero(mean == highest[proposal])
        size = np.zeros(n_proposals, np.float32)
        size[proposal[nearest]] = self._group_sizes[between.indices[nearest]]
        return _by_row(np.maximum, between.data, between.indptr), highest, size


def _affinity_to_groups(affinity, number, cut):
    # Samples in no proposal are groups of their own.
    group = np.where(number >= 0, number, number.max(initial=-1) + 1 + np.arange(len(number)))
    present, group = np.unique(group, return_inverse=True)
    outside = np.flatnonzero(~cut.inside)
    indptr = np.concatenate([[0], np.cumsum(~cut.inside)])[cut.indptr]
    totals = sp.csr_array(
        (affinity.data[cut.entries[outside]], group[cut.neighbors[outside]], indptr),
        (len(cut.vertices), len(present)),
    )
    totals.sum_duplicates()
    return _OtherGroups(totals, np.bincount(group).astype(np.float32))


def _by_row(reduce, values, indptr):
    """Reduce the values of each row; 0 where there is none."""
    out = np.zeros(len(indptr) - 1, dtype=np.float32)
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        out[filled] = reduce.reduceat(values, indptr[filled])
    return out


def _centre_dissimilarity(rows, cut, a_in):
    """One less the cosine of each row to its proposal's mean or, without rows, its mean affinity."""
    if rows is None:
        return 1 - a_in / np.maximum(cut.sizes - 1, 1)
    members = rows[cut.vertices]
    centres = np.add.reduceat(members, cut.offsets[:-1], axis=0)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    members = members / np.maximum(np.linalg.norm(members, axis=1, keepdims=True), 1e-12)
    members -= np.repeat(centres, np.diff(cut.offsets), axis=0)
    return np.einsum("ij,ij->i", members, members) / 2
