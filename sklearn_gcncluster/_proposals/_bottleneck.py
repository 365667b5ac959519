"""Where a proposal comes apart most easily.

Two clusters side by side, each of them whole, are as far from all others as one cluster is. What tells them
from one is inside: a cut that few links cross. The smoothest vector over a graph changes its sign there
(Fiedler, "Algebraic connectivity of graphs", 1973). It is found for all proposals of a layer at once, by a
polynomial of the normalised affinities that keeps smooth vectors and damps others (Zhou, Saad, Tiago and
Chelikowsky, "Self-consistent-field calculations using Chebyshev-filtered subspace iteration", 2006).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._graph._links import Graph, list_means
from ._features import N_STRUCTURE
from ._subgraphs import Subgraphs

CUT_FEATURES = (
    "share of affinity inside that crosses the easiest cut",
    "log conductance of the easiest cut",
    "share of affinity on its smaller side",
)
N_WITH_CUTS = N_STRUCTURE + len(CUT_FEATURES)
"""Structural features of networks that see these behind the others."""
_N_STARTS = 2
"""Vectors that are made smooth; the best cut of them counts."""
_DEGREE = 16
_DAMPED = 0.9
"""Vectors of eigenvalues up to this one are damped; a cluster that hangs together has but one above it."""
_LEAST_CONDUCTANCE = 1e-3
_NEARNESS = (1, 10, None)
"""How many neighbours tell how dense a place is."""


class Cuts(NamedTuple):
    """The easiest cut of each proposal, as far as it was found."""

    conductance: np.ndarray
    """float32 of shape (n_proposals,), in [0, 1]: affinity across the cut against all affinity of the smaller
    side; 0 where a proposal is in parts, 1 where there is nothing to cut."""
    smaller: np.ndarray
    """float32 of shape (n_proposals,), in [0, 0.5]: share of the affinity on the smaller side."""
    crossing: np.ndarray
    """float32 of shape (n_rows,): affinity across the cut."""


class CutFeatures:
    """What a network sees of the easiest cuts of proposals of one graph.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph):
        near = [list_means(graph.dissimilarities, graph.lengths, depth) for depth in _NEARNESS]
        # By density, so that the order in which samples are given does not matter.
        order = np.lexsort([-unlike for unlike in near])
        self._starts = np.empty((len(order), _N_STARTS), dtype=np.float32)
        self._starts[order] = np.random.default_rng(0).standard_normal(self._starts.shape, np.float32)

    def __call__(self, subgraphs: Subgraphs) -> np.ndarray:
        """Features of every row: float32 of shape (n_rows, n_columns), columns as in CUT_FEATURES."""
        if not len(subgraphs.vertices):
            return np.empty((0, len(CUT_FEATURES)), np.float32)
        cuts = easiest_cuts(subgraphs, self._starts[subgraphs.vertices])
        of_proposal = np.column_stack([np.log(cuts.conductance + _LEAST_CONDUCTANCE), cuts.smaller])
        crossing = cuts.crossing / (subgraphs.adjacency.sum(axis=1) + 1e-6)
        repeated = np.repeat(of_proposal, np.diff(subgraphs.offsets), axis=0)
        return np.column_stack([crossing, repeated]).astype(np.float32)


def easiest_cuts(subgraphs: Subgraphs, starts: np.ndarray) -> Cuts:
    """Cut each proposal in two.

    Parameters
    ----------
    subgraphs : Subgraphs
        At least one proposal.
    starts : float32 ndarray of shape (n_rows, n_starts)
        Any vectors.
    """
    adjacency, first = subgraphs.adjacency, subgraphs.offsets[:-1]
    proposal = np.repeat(np.arange(len(first)), np.diff(subgraphs.offsets))
    degree = adjacency.sum(axis=1).astype(np.float32)[:, None]
    volume = np.add.reduceat(degree, first)
    root = np.sqrt(degree)
    inverse = np.divide(1, root, out=np.zeros_like(root), where=root > 0)

    def balanced(vectors):
        """Without the part that is smoothest of all, and cuts nothing."""
        shift = np.add.reduceat(root * vectors, first) / np.maximum(volume, np.finfo(np.float32).tiny)
        return vectors - root * shift[proposal]

    def mapped(vectors):
        smoothed = inverse * (adjacency @ (inverse * vectors))
        return (2 * smoothed - (_DAMPED - 1) * vectors) / (_DAMPED + 1)

    before = balanced(starts)
    smooth = mapped(before)
    for _ in range(_DEGREE - 1):
        before, smooth = smooth, 2 * mapped(smooth) - before
    side = (balanced(smooth) > 0).astype(np.float32)
    # Affinity to the other side: all of it, less what stays on one's own.
    kept = adjacency @ side
    crossing = np.maximum(np.where(side > 0, degree - kept, kept), 0)
    upper = np.add.reduceat(degree * side, first)
    smaller = np.minimum(upper, volume - upper)
    across = np.add.reduceat(crossing, first) / 2
    conductance = np.divide(across, smaller, out=np.ones_like(across), where=smaller > 0)
    best = conductance.argmin(axis=1)
    chosen = np.arange(len(first)), best
    share = np.divide(smaller, volume, out=np.zeros_like(smaller), where=volume > 0)
    return Cuts(
        np.minimum(conductance, 1)[chosen],
        share[chosen],
        crossing[np.arange(len(proposal)), best[proposal]],
    )
