"""Proposals as one block-diagonal graph: the form in which the networks see them, without padding."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._arrays import ranges
from ._layers import Proposals


class Subgraphs(NamedTuple):
    """Graphs of several proposals, one after the other. A *row* is one sample in one proposal."""

    offsets: np.ndarray
    """intp of shape (n_proposals + 1,): first row of each proposal."""
    vertices: np.ndarray
    """int32 of shape (n_rows,): the sample behind each row."""
    adjacency: sp.csr_array
    """float32 of shape (n_rows, n_rows): affinities inside the proposals, block-diagonal and symmetric."""


class Part(NamedTuple):
    """Some of the proposals that are new in a layer, one after the other; so no two of them overlap."""

    layer: int
    first: int
    stop: int
    """Numbers of the first and, less one, of the last."""


class PartCut(NamedTuple):
    """A graph cut along the borders of the proposals of a part; rows as in the part's subgraphs."""

    offsets: np.ndarray
    """intp of shape (n_proposals + 1,): first row of each proposal."""
    vertices: np.ndarray
    """int32 of shape (n_rows,): the sample behind each row."""
    indptr: np.ndarray
    """intp of shape (n_rows + 1,): first link of each row. A *link* joins a row to any neighbour."""
    neighbors: np.ndarray
    """int32 of shape (n_links,): the sample at the other end."""
    entries: np.ndarray
    """intp of shape (n_links,): where the link stands in the data of the graph's matrices."""
    inside: np.ndarray
    """bool of shape (n_links,): whether the other end belongs to the same proposal."""

    @property
    def sizes(self) -> np.ndarray:
        """Size of the proposal that each row belongs to."""
        sizes = np.diff(self.offsets)
        return np.repeat(sizes, sizes)


def layer_parts(proposals: Proposals, budget: int) -> list[Part]:
    """All proposals in parts of at most `budget` rows, or one proposal; an empty layer is a part too."""
    parts = []
    for layer, (first, stop) in enumerate(pairwise(proposals.starts.tolist())):
        batches = vertex_batches(proposals.indptr[first : stop + 1], np.arange(stop - first), budget)
        ends = [first, *(first + int(batch[-1]) + 1 for batch in batches)]
        parts += [Part(layer, *ends_of) for ends_of in pairwise(ends)] or [Part(layer, first, stop)]
    return parts


def cut_part(pattern: sp.csr_array, proposals: Proposals, part: Part) -> PartCut:
    """Tell the edges inside the proposals of a part from those that leave them.

    Proposals of a layer are disjoint, so an edge lies inside one exactly if both ends have its number.

    Parameters
    ----------
    pattern : csr_array of shape (n_samples, n_samples)
        Any matrix of the graph; its values are not looked at.
    proposals : Proposals
    part : Part
    """
    offsets = proposals.indptr[part.first : part.stop + 1]
    vertices = proposals.indices[offsets[0] : offsets[-1]]
    entries, indptr = ranges(pattern.indptr[vertices], pattern.indptr[vertices + 1])
    neighbors = pattern.indices[entries]
    number = proposals.layers[part.layer]
    inside = number[neighbors] == np.repeat(number[vertices], np.diff(indptr))
    return PartCut(offsets - offsets[0], vertices, indptr, neighbors, entries, inside)


def part_subgraphs(cut: PartCut, affinity: sp.csr_array) -> Subgraphs:
    """Graphs of all proposals of a part, in the order of their numbers."""
    row_of = np.empty(affinity.shape[0], dtype=np.int32)
    row_of[cut.vertices] = np.arange(len(cut.vertices), dtype=np.int32)
    adjacency = sp.csr_array(
        (
            affinity.data[cut.entries[cut.inside]],
            row_of[cut.neighbors[cut.inside]],
            np.concatenate([[0], np.cumsum(cut.inside)])[cut.indptr],
        ),
        (len(cut.vertices), len(cut.vertices)),
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
        np.concatenate(
            [[0]] + [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
        ),
        np.concatenate([part.vertices for part in parts]),
        sp.block_diag([part.adjacency for part in parts], format="csr"),
    )


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
