"""Structural features as they were until format 2 of saved files, so that networks in these still work.

They grow with the size of a proposal, also where it is larger than a list of neighbours, and judge classes
larger than those of training badly. Nothing new is trained on them.
"""

from __future__ import annotations

import numpy as np

from ._features import StructureFeatures, affinity_to_groups, by_row, centre_dissimilarity
from ._layers import Proposals
from ._subgraphs import LayerCut

N_EARLIER = 28


class EarlierFeatures(StructureFeatures):
    """As :class:`StructureFeatures`, for networks in files of formats 1 and 2.

    Parameters
    ----------
    graph : Graph
    """

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
        float32 ndarray of shape (n_rows, N_EARLIER)
            In the order in which those networks learned them.
        """
        if not len(cut.vertices):
            return np.empty((0, N_EARLIER), np.float32)
        graph = self._graph
        degree, sizes = np.diff(cut.indptr), cut.sizes
        similarity = self._standard(graph.dissimilarity.data[cut.entries])
        affinity = graph.affinity.data[cut.entries]

        def total(values):
            return by_row(np.add, values, cut.indptr)

        n_in, a_all, s_all = total(cut.inside.astype(np.float32)), total(affinity), total(similarity)
        a_in, s_in = total(affinity * cut.inside), total(similarity * cut.inside)
        n_out, a_out = degree - n_in, a_all - a_in
        boundless = np.full(len(graph.lengths), np.inf)
        others = affinity_to_groups(graph.affinity, proposals.layers[layer], cut, boundless)
        best_sum, best_mean = others.best_per_row()
        centre = self._standard(centre_dissimilarity(graph.rows, cut, a_in, cut.sizes - 1))
        members = a_in / np.maximum(sizes - 1, 1)
        vertex = [
            centre,
            s_in / np.maximum(n_in, 1),
            (s_all - s_in) / np.maximum(n_out, 1),
            *self._density[cut.vertices].T,
            members,
            a_in / np.maximum(n_in, 1),
            a_out / np.maximum(n_out, 1),
            by_row(np.maximum, affinity, cut.indptr),
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


def _proposal_features(cut, centre, a_in, a_out, others):
    size, first = np.diff(cut.offsets).astype(np.float32), cut.offsets[:-1]
    within, away = np.add.reduceat(a_in, first), np.add.reduceat(a_out, first)
    cohesion = within / np.maximum(size * (size - 1), 1)
    nearest_sum, nearest_mean, nearest_size = others.best_per_proposal(
        cut.offsets, np.full(len(size), np.inf)
    )
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
