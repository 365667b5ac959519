"""Structural features as they were until format 2 of saved files, so that networks in these still work.

They grow with the size of a proposal, also where it is larger than a list of neighbours, and judge classes
larger than those of training badly. Nothing new is trained on them.
"""

from __future__ import annotations

import numpy as np

from ._features import StructureFeatures, affinity_to_groups, centre_dissimilarity

N_EARLIER = 28


class EarlierFeatures(StructureFeatures):
    """As :class:`StructureFeatures`, for networks in files of formats 1 and 2.

    Parameters
    ----------
    graph : Graph
    """

    n_columns = N_EARLIER

    def _columns(self, number, cut, sums):
        graph, degree, sizes = self._graph, np.diff(cut.indptr), cut.sizes
        n_in, a_all, s_all, a_in, s_in, highest = sums
        n_out, a_out = degree - n_in, a_all - a_in
        boundless = np.full(len(graph.lengths), np.inf)
        others = affinity_to_groups(graph.affinity, number, cut, boundless)
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
            highest,
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
        return vertex, _proposal_features(cut, centre, a_in, a_out, others)


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
