"""What a network sees of a sample inside a proposal, whatever the embedding: its place in the structure.

All inputs are free of the embedding's dimension and scale: similarities are standardised by the mean and
deviation of the data set's own neighbour similarities, everything else is a share, a difference of affinities
or a logarithm. IoU depends on the members a proposal *misses*; the links that leave it carry that, so they
are among the inputs, and so is the nearest other group of the same layer.

They are free of size, too, where proposals are larger than the lists of neighbours. A list holds 80 of the
thousand members of a large class, so sums of affinities are set against what a list could hold: a member that
it could hold and does not is no likely one, and counts with probability zero. So a class of a thousand looks
like one of a hundred, and networks that never saw such classes judge them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._graph._links import Graph, list_means, spread_of
from .._jobs import ranges_of
from ._layers import Proposals
from ._subgraphs import Part, PartCut

_BLOCK_ROWS = 16_384
"""Members that are compared with their centres at once."""
VERTEX_FEATURES = (
    "similarity to the proposal's centre",
    "mean similarity to neighbours inside",
    "mean similarity to neighbours outside",
    "similarity to the nearest neighbour",
    "mean similarity to the nearest ten",
    "mean similarity to all neighbours",
    "mean affinity to the members that a list can hold",
    "mean affinity to neighbours inside",
    "mean affinity to neighbours outside",
    "highest affinity",
    "log affinity in all against members that a list can hold",
    "log affinity outside against members that a list can hold",
    "share of affinity inside",
    "share of neighbours inside",
    "share of possible neighbours inside",
    "expected precision as seen from here",
    "expected recall as seen from here",
    "expected IoU as seen from here",
    "affinity to the best other group against affinity inside",
    "mean affinity to the best other group, less that to the own",
)
PROPOSAL_FEATURES = (
    "log size, up to the length of a list",
    "one over the size",
    "mean similarity to the centre",
    "cohesion: mean affinity of the pairs that lists can hold",
    "mean affinity to the nearest other group",
    "nearest other group against cohesion",
    "log size ratio of the nearest other group",
    "share of outside affinity in one other group",
    "share of affinity inside",
    "expected precision",
    "expected recall",
    "expected IoU",
)
N_STRUCTURE = len(VERTEX_FEATURES) + len(PROPOSAL_FEATURES)
_MOST_DEVIATIONS = 1e3
"""Similarities are cut here."""
_LARGEST_RATIO = 3.0
"""Logarithms of size ratios are cut here."""


class Sums(NamedTuple):
    """What each row of a part has inside its proposal and in all; float32 of shape (n_rows,)."""

    n_in: np.ndarray
    """Links inside; then affinity and similarity in all, and inside."""
    a_all: np.ndarray
    s_all: np.ndarray
    a_in: np.ndarray
    s_in: np.ndarray
    highest: np.ndarray
    """Highest affinity."""


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

    def __call__(self, proposals: Proposals, part: Part, cut: PartCut) -> np.ndarray:
        """Features of every row of a part: its own and those of its proposal.

        Parameters
        ----------
        proposals : Proposals
        part : Part
        cut : PartCut
            Of that part.

        Returns
        -------
        float32 ndarray of shape (n_rows, N_STRUCTURE)
            Columns as in VERTEX_FEATURES and PROPOSAL_FEATURES.
        """
        if not len(cut.vertices):
            return np.empty((0, N_STRUCTURE), np.float32)
        similarity = self._standard(self._graph.dissimilarity.data[cut.entries])
        affinity = self._graph.affinity.data[cut.entries]

        def total(values):
            return by_row(np.add, values, cut.indptr)

        sums = Sums(
            total(cut.inside.astype(np.float32)),
            total(affinity),
            total(similarity),
            total(affinity * cut.inside),
            total(similarity * cut.inside),
            by_row(np.maximum, affinity, cut.indptr),
        )
        vertex, proposal = self._columns(proposals.layers[part.layer], cut, sums)
        repeated = np.repeat(np.column_stack(proposal), np.diff(cut.offsets), axis=0)
        return np.concatenate([np.column_stack(vertex), repeated], axis=1, dtype=np.float32)

    def _columns(self, number, cut, sums):
        """Columns of the rows and of the proposals; `number` is the proposal of each sample in the layer."""
        graph, degree, sizes = self._graph, np.diff(cut.indptr), cut.sizes
        n_in, a_all, s_all, a_in, s_in, highest = sums
        n_out, a_out = degree - n_in, a_all - a_in
        lengths = np.maximum(graph.lengths, 1).astype(np.float32)
        reach = np.minimum(sizes - 1, lengths[cut.vertices])
        others = affinity_to_groups(graph.affinity, number, cut, lengths)
        best_sum, best_mean = others.best_per_row()
        centre = self._standard(centre_dissimilarity(graph.rows, cut, a_in, reach))
        members = a_in / np.maximum(reach, 1)
        # Links count in either direction, so in large proposals there can be more than the own list holds.
        precision = (1 + a_in) / np.maximum(1 + reach, 1 + a_in)
        recall = (1 + a_in) / (1 + a_all)
        vertex = [
            centre,
            s_in / np.maximum(n_in, 1),
            (s_all - s_in) / np.maximum(n_out, 1),
            *self._density[cut.vertices].T,
            members,
            a_in / np.maximum(n_in, 1),
            a_out / np.maximum(n_out, 1),
            highest,
            np.log((1 + a_all) / (1 + reach)),
            np.log((1 + a_out) / (1 + reach)),
            a_in / (a_all + 1e-6),
            n_in / np.maximum(degree, 1),
            n_in / np.maximum(np.minimum(sizes - 1, degree), 1),
            precision,
            recall,
            _iou_of(precision, recall),
            best_sum / (a_in + best_sum + 1e-3),
            best_mean - members,
        ]
        return vertex, _proposal_features(cut, centre, a_in, a_out, reach, lengths, others)

    def _standard(self, dissimilarity):
        """Similarity in deviations from the mean over all neighbour lists."""
        # Where all neighbours are equally near there is no deviation to measure in.
        return np.clip((self._level - dissimilarity) / self._spread, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)


def _proposal_features(cut, centre, a_in, a_out, reach, lengths, others):
    first, sizes = cut.offsets[:-1], np.diff(cut.offsets).astype(np.float32)
    within, away, held = (np.add.reduceat(values, first) for values in (a_in, a_out, reach))
    longest = np.maximum.reduceat(lengths[cut.vertices], first)
    cohesion = within / np.maximum(held, 1)
    nearest_sum, nearest_mean, nearest_size = others.best_per_proposal(cut.offsets, longest)
    precision = (sizes + within) / np.maximum(sizes + held, sizes + within)
    recall = (sizes + within) / (sizes + within + away)
    ratio = np.log(np.maximum(nearest_size, 1) / sizes)
    return [
        np.log(np.minimum(sizes, longest)),
        1 / sizes,
        np.add.reduceat(centre, first) / sizes,
        cohesion,
        nearest_mean,
        nearest_mean / (cohesion + nearest_mean + 1e-3),
        np.clip(ratio, -_LARGEST_RATIO, _LARGEST_RATIO),
        nearest_sum / (away + 1e-3),
        within / (within + away + 1e-3),
        precision,
        recall,
        _iou_of(precision, recall),
    ]


def _iou_of(precision, recall):
    """Intersection over union of two sets, by the shares that the intersection has of each."""
    return 1 / (1 / precision + 1 / recall - 1)


class _OtherGroups:
    """Total affinity of each row to each other group of the layer."""

    def __init__(self, totals: sp.csr_array, group_sizes: np.ndarray, held: np.ndarray):
        self._totals, self._group_sizes, self._held = totals, group_sizes, held

    def best_per_row(self):
        """Highest total and highest mean, over what a list can hold, of one other group; 0 if none."""
        indptr, group = self._totals.indptr, self._totals.indices
        held = np.minimum(self._group_sizes[group], np.repeat(self._held, np.diff(indptr)))
        return (
            by_row(np.maximum, self._totals.data, indptr),
            by_row(np.maximum, self._totals.data / held, indptr),
        )

    def best_per_proposal(self, offsets, longest):
        """Total and mean affinity to the nearest other group, and its size, for each proposal."""
        n_rows, n_proposals = self._totals.shape[0], len(offsets) - 1
        collect = sp.csr_array(
            (np.ones(n_rows, np.float32), np.arange(n_rows), offsets), (n_proposals, n_rows)
        )
        between = (collect @ self._totals).tocsr()
        proposal = np.repeat(np.arange(n_proposals), np.diff(between.indptr))
        own, other = np.diff(offsets)[proposal], self._group_sizes[between.indices]
        pairs = np.minimum(own, other) * np.minimum(np.maximum(own, other), longest[proposal])
        mean = (between.data / pairs).astype(np.float32)  # as the maximum that it is compared with
        highest = by_row(np.maximum, mean, between.indptr)
        nearest = np.flatnonzero(mean == highest[proposal])
        size = np.zeros(n_proposals, np.float32)
        size[proposal[nearest]] = self._group_sizes[between.indices[nearest]]
        return by_row(np.maximum, between.data, between.indptr), highest, size


def affinity_to_groups(affinity, number, cut, lengths):
    # Samples in no proposal are groups of their own.
    n_proposals = number.max(initial=-1) + 1
    group = np.where(number >= 0, number, n_proposals + np.arange(len(number)))
    outside = np.flatnonzero(~cut.inside)
    indptr = np.concatenate([[0], np.cumsum(~cut.inside)])[cut.indptr]
    leaving = sp.csr_array(
        (affinity.data[cut.entries[outside]], cut.neighbors[outside], indptr),
        (len(cut.vertices), len(group)),
    )
    member = sp.csr_array(
        (np.ones(len(group), np.float32), group, np.arange(len(group) + 1)),
        (len(group), n_proposals + len(group)),
    )
    return _OtherGroups(leaving @ member, np.bincount(group).astype(np.float32), lengths[cut.vertices])


def by_row(reduce, values, indptr):
    """Reduce the values of each row; 0 where there is none."""
    out = np.zeros(len(indptr) - 1, dtype=np.float32)
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        out[filled] = reduce.reduceat(values, indptr[filled])
    return out


def centre_dissimilarity(rows, cut, a_in, held):
    """One less the cosine of each row to its proposal's mean or, without rows, its affinity to those held."""
    if rows is None:
        return 1 - a_in / np.maximum(held, 1)
    offsets = cut.offsets
    proposal = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    blocks = ranges_of(len(proposal), _BLOCK_ROWS)  # most parts have one, but a proposal may hold everyone
    centres = np.zeros((len(offsets) - 1, rows.shape[1]), dtype=rows.dtype)
    for start, stop in blocks:
        first = np.flatnonzero(np.diff(proposal[start:stop], prepend=-1))
        centres[proposal[start:stop][first]] += np.add.reduceat(rows[cut.vertices[start:stop]], first, axis=0)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    apart = np.empty(len(proposal), dtype=rows.dtype)
    for start, stop in blocks:
        members = rows[cut.vertices[start:stop]]
        members /= np.maximum(np.linalg.norm(members, axis=1, keepdims=True), 1e-12)
        members -= centres[proposal[start:stop]]
        apart[start:stop] = np.einsum("ij,ij->i", members, members) / 2
    return apart
