"""Proposals as one block-diagonal graph: the form in which the networks see them, without padding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._proposals import Proposals


class Subgraphs(NamedTuple):
    """Graphs of several proposals, one after the other. A *row* is one sample in one proposal."""

    offsets: np.ndarray
    """intp of shape (n_proposals + 1,): first row of each proposal."""
    vertices: np.ndarray
    """int32 of shape (n_rows,): the sample behind each row."""
    adjacency: sp.csr_array
    """float32 of shape (n_rows, n_rows): affinities inside the proposals, block-diagonal and symmetric."""


class LayerCut(NamedTuple):
    """A graph cut along the borders of one layer's proposals; rows as in the layer's subgraphs."""

    offsets: np.ndarray
    """intp of shape (n_proposals + 1,): first row of each proposal."""
    vertices: np.ndarray
    """int32 of shape (n_rows,): the sample behind each row."""
    near: sp.csr_array
    """Affinities of shape (n_rows, n_samples): all neighbours of each row's sample."""
    inside: np.ndarray
    """bool of shape (near.nnz,): whether the neighbour belongs to the same proposal."""


def cut_layer(affinity: sp.csr_array, proposals: Proposals, layer: np.ndarray) -> LayerCut:
    """Tell the edges inside the proposals of a layer from those that leave them.

    Proposals of a layer are disjoint, so an edge lies inside one exactly if both ends have its number.

    Parameters
    ----------
    affinity : csr_array of shape (n_samples, n_samples)
    proposals : Proposals
    layer : int ndarray of shape (n_samples,)
        One of ``proposals.layers``.
    """
    held = layer[layer >= 0]
    first, last = (held.min(), held.max()) if len(held) else (0, -1)
    offsets = proposals.indptr[first : last + 2]
    vertices = proposals.indices[offsets[0] : offsets[-1]]
    near = affinity[vertices]
    inside = layer[near.indices] == np.repeat(layer[vertices], np.diff(near.indptr))
    return LayerCut(offsets - offsets[0], vertices, near, inside)


def layer_subgraphs(cut: LayerCut) -> Subgraphs:
    """Graphs of all proposals of one layer, in the order of their numbers."""
    near, inside = cut.near, cut.inside
    row_of = np.empty(near.shape[1], dtype=np.int32)
    row_of[cut.vertices] = np.arange(len(cut.vertices), dtype=np.int32)
    indptr = np.concatenate([[0], np.cumsum(inside)])[near.indptr]
    adjacency = sp.csr_array(
        (near.data[inside], row_of[near.indices[inside]], indptr), (len(cut.vertices),) * 2
    )
    return Subgraphs(cut.offsets, cut.vertices, adjacency)


def take(subgraphs: Subgraphs, chosen: np.ndarray) -> Subgraphs:
    """Graphs of some of the proposals, in the order asked for."""
    rows, offsets = ranges(subgraphs.offsets[chosen], subgraphs.offsets[chosen + 1])
    indptr = subgraphs.adjacency.indptr
    entries, ends = ranges(indptr[rows], indptr[rows + 1])
    shift = np.repeat(offsets[:-1] - subgraphs.offsets[chosen], np.diff(ends[offsets]))
    adjacency = sp.csr_array(
        (subgraphs.adjacency.data[entries], subgraphs.adjacency.indices[entries] + shift, ends),
        (len(rows), len(rows)),
    )
    return Subgraphs(offsets, subgraphs.vertices[rows], adjacency)


def concatenate(parts: list[Subgraphs]) -> Subgraphs:
    """All proposals of several parts, one after the other."""
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    return Subgraphs(
        np.concatenate([[0]] + [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]),
        np.concatenate([part.vertices for part in parts]),
        sp.block_diag([part.adjacency for part in parts], format="csr"),
    )


def ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenated ``arange(start, stop)`` of all pairs, and where each begins in it."""
    lengths = stops - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths), offsets


def vertex_batches(offsets: np.ndarray, order: np.ndarray, budget: int) -> list[np.ndarray]:
    """Split proposals, in the given order, into batches of at most `budget` rows (at least one each)."""
    filled = np.cumsum(np.diff(offsets)[order])
    batches, start = [], 0
    while start < len(order):
        done = filled[start - 1] if start else 0
        stop = max(int(np.searchsorted(filled, done + budget, side="right")), start + 1)
        batches.append(order[start:stop])
        start = stop
    return batches
