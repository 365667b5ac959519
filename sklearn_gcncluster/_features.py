"""What a network sees of a sample inside a proposal, whatever the embedding: its place in the structure.

All inputs are free of the embedding's dimension and scale: similarities are standardised by the mean and
deviation of the data set's own neighbour similarities, everything else is a share or a logarithm. IoU
depends on the members a proposal *misses*; the edges that leave it carry that, so they are among the inputs.
"""

from __future__ import annotations

import numpy as np

from ._graph import Graph
from ._subgraphs import LayerCut

STRUCTURE = (
    "similarity to the proposal's centre",
    "mean similarity of all members to the centre",
    "mean affinity to neighbours inside",
    "mean affinity to neighbours outside",
    "highest affinity inside",
    "highest affinity outside",
    "share of affinity inside",
    "share of neighbours inside",
    "neighbours inside over size",
    "similarity to the nearest neighbour",
    "mean similarity to the nearest ten",
    "mean similarity to all neighbours",
    "log size",
)
"""Names of the structural features, in the order of the columns."""


def structure_features(graph: Graph, cut: LayerCut) -> np.ndarray:
    """Structural features of every row of a layer.

    Parameters
    ----------
    graph : Graph
    cut : LayerCut

    Returns
    -------
    float32 ndarray of shape (n_rows, len(STRUCTURE))
    """
    near, inside = cut.near, cut.inside
    starts, degree = near.indptr[:-1], np.diff(near.indptr)
    sizes = np.repeat(np.diff(cut.offsets), np.diff(cut.offsets))
    data_in, data_out = np.where(inside, near.data, 0), np.where(inside, 0, near.data)
    total_in, total_out = (np.add.reduceat(data, starts) for data in (data_in, data_out))
    best_in, best_out = (np.maximum.reduceat(data, starts) for data in (data_in, data_out))
    n_in = np.add.reduceat(inside.astype(np.int32), starts)
    to_centre = _centre_similarity(graph.rows, cut, total_in)
    cohesion = np.add.reduceat(to_centre, cut.offsets[:-1]) / np.diff(cut.offsets)
    level, spread = graph.similarities.mean(), graph.similarities.std() + 1e-6
    similarities = graph.similarities
    density = np.stack(
        [similarities[:, 0], similarities[:, :10].mean(axis=1), similarities.mean(axis=1)], axis=1
    )[cut.vertices]
    standardised = np.column_stack(
        [
            to_centre,
            np.repeat(cohesion, np.diff(cut.offsets)),
            total_in / np.maximum(n_in, 1),
            total_out / np.maximum(degree - n_in, 1),
            best_in,
            best_out,
        ]
    )
    shares = np.column_stack(
        [
            total_in / np.maximum(total_in + total_out, 1e-12),
            n_in / degree,
            n_in / np.maximum(sizes - 1, 1),
        ]
    )
    features = [
        (standardised - level) / spread,
        shares,
        (density - level) / spread,
        np.log(sizes)[:, None],
    ]
    return np.concatenate(features, axis=1, dtype=np.float32)


def _centre_similarity(rows, cut, total_in):
    """Cosine of each row to the mean of its proposal or, without embeddings, mean affinity to the members."""
    sizes = np.diff(cut.offsets)
    if rows is None:
        return total_in / np.repeat(np.maximum(sizes - 1, 1), sizes)
    members = rows[cut.vertices]
    centres = np.add.reduceat(members, cut.offsets[:-1], axis=0)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    lengths = np.maximum(np.linalg.norm(members, axis=1), 1e-12)
    return np.einsum("ij,ij->i", members, np.repeat(centres, sizes, axis=0)) / lengths
