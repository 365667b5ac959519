"""How much of the room a proposal takes, and how far the next group is.

Bursts of near copies have lists that hold nothing else, and then no link tells whether two of them are of one
class or of two. The distance between them does, as far as it is short or long for the embedding.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .._arrays import ranges
from .._graph._exact import search_exactly
from .._graph._room import Room
from .._jobs import by_ranges, spread
from ._bottleneck import N_WITH_CUTS
from ._layers import Proposals

EXTENT_FEATURES = (
    "log scatter against that of all samples",
    "log distance to the nearest other group against scatter of all samples",
    "the same against scatter inside",
    "log size ratio of the nearest other group",
    "log dimensions of the embedding",
    "what all samples have in common",
)
N_WITH_EXTENT = N_WITH_CUTS + len(EXTENT_FEATURES)
"""Structural features of networks that see these behind the others."""
_SMALLEST = 8
"""Smaller proposals are not asked for the nearest other group: lists of neighbours know all about these."""
_COARSER = 4
"""Groups of less than one in so many of the proposal's samples do not count: all have debris beside them."""
_LARGEST_RATIO = 3.0
_MEMBERS_AT_ONCE = 16_384


def extent_features(
    proposals: Proposals, rows: np.ndarray, room: Room, n_jobs: int | None = None
) -> np.ndarray:
    """Features of all proposals: float32 of shape (n_proposals, n_columns), columns as in EXTENT_FEATURES.

    Parameters
    ----------
    proposals : Proposals
    rows : ndarray of shape (n_samples, n_features)
        The embedding.
    room : Room
        Of these.
    n_jobs : int or None
        Layers that are looked at side by side.
    """
    found = by_ranges(
        _of_layers,
        spread(len(proposals.layers), len(proposals.indices)),
        n_jobs,
        proposals=proposals,
        rows=rows,
        room=room,
    )
    return np.concatenate(found)


def _of_layers(start, stop, proposals, rows, room):
    return np.concatenate([_of_layer(number, proposals, rows, room) for number in range(start, stop)])


def _of_layer(number, proposals, rows, room):
    """Features of the proposals that are new in a layer."""
    first, last = proposals.starts[number], proposals.starts[number + 1]
    within, near = np.zeros(last - first, np.float32), np.full(last - first, 2 * room.scatter, np.float32)
    ratio = np.zeros(last - first, np.float32)
    if first < last:
        groups = np.unique(proposals.layers[number])
        groups = groups[(groups >= 0) & (proposals.sizes[groups] > 1)]  # of single samples nothing is asked
        sizes = proposals.sizes[groups]
        centres, squares = _means(proposals, groups, rows, room)
        new = np.flatnonzero((groups >= first) & (groups < last))
        apart = np.maximum(squares[new] - (centres[new] ** 2).sum(axis=1), 0)
        within[groups[new] - first] = 2 * apart * sizes[new] / (sizes[new] - 1)
        low = _SMALLEST
        while low <= sizes.max(initial=0):
            asked = new[(sizes[new] >= low) & (sizes[new] < _COARSER * low)]
            others = np.flatnonzero(sizes >= low / _COARSER)
            if len(asked) and len(others) > 1:
                itself = np.searchsorted(others, asked)
                nearest, squared = search_exactly(centres[others], centres[asked], itself, 1, "euclidean", 1)
                near[groups[asked] - first] = squared[:, 0]
                ratio[groups[asked] - first] = np.log(sizes[others[nearest[:, 0]]] / sizes[asked])
            low *= _COARSER
    within, near = room.log_share(within), room.log_share(near)
    told = [within, near, near - within, np.clip(ratio, -_LARGEST_RATIO, _LARGEST_RATIO)]
    of_all = [np.full(last - first, value) for value in (np.log(max(room.dimensions, 1)), room.common)]
    return np.column_stack(told + of_all).astype(np.float32)


def _means(proposals, groups, rows, room):
    """Mean of each group, about that of all samples, and mean squared distance of its samples from there."""
    centres = np.empty((len(groups), rows.shape[1]), dtype=np.float32)
    squares = np.empty(len(groups), dtype=np.float32)
    sizes = proposals.sizes[groups]
    ends = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    while start < len(groups):
        stop = max(int(np.searchsorted(ends, ends[start] + _MEMBERS_AT_ONCE, side="right")) - 1, start + 1)
        some = groups[start:stop]
        entries, begin = ranges(proposals.indptr[some], proposals.indptr[some + 1])
        members = proposals.indices[entries]
        share = np.repeat(1 / sizes[start:stop], sizes[start:stop]).astype(np.float32)
        mean = sp.csr_array((share, np.arange(len(members)), begin), (stop - start, len(members)))
        centres[start:stop] = mean @ (rows[members] - room.mean)
        squares[start:stop] = mean @ room.squares[members]
        start = stop
    return centres, squares
