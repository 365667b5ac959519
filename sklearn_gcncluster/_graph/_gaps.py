"""How far apart the parts of a graph lie: what no neighbourhood shows.

Inside a cluster larger than the neighbour lists, every neighbourhood looks like one in noise. What tells
them apart is further away: the cluster ends, and behind a gap another begins. Single linkage on distances
that are at least those to the second neighbour (mutual reachability, as in HDBSCAN) finds such gaps: a group
that formed at one distance and joins others only at several times that one stands for itself.

Where clusters are smaller than the lists, the lists themselves divide: near neighbours, then far ones. How
sharply they do, and on which side of it a link lies, is what Otsu's method tells of each list (A threshold
selection method from gray-level histograms, 1979).
"""

from __future__ import annotations

import numpy as np

from .._arrays import lower_and_higher
from .._jobs import ranges_of
from ._forest import merge_tree
from ._links import Links, spread_of

_CORE = 2
"""Neighbour to which the distance is the least that counts: pairs of copies are no groups."""
_SIZES = (2, 8, 40)
"""Sizes from which on groups count, for each pair of columns."""
_WIDEST = 4.0
"""Logarithms of gaps are cut here, and those between unconnected parts are as wide."""
_BLOCK_ROWS = 8_192
"""Lists that are divided at once: that takes twenty times their room."""
N_GAPS = 2 * len(_SIZES) + 6


class GapFeatures:
    """Features of links from the gaps around the groups that hold both ends, or one of them.

    Parameters
    ----------
    links : Links
    """

    def __init__(self, links: Links):
        self._links = links
        core = links.dissimilarities[:, min(_CORE, links.dissimilarities.shape[1]) - 1]
        reach = np.maximum(links.dissimilarity, np.maximum(core[links.rows], core[links.cols]))
        tree = merge_tree(links.upper(reach))
        least = 1e-3 * spread_of(links.dissimilarities, links.lengths)[0] + np.finfo(np.float32).tiny
        height = np.concatenate([core, tree.height[len(core) :]])
        self._height = np.log(np.maximum(height, least)).astype(np.float32)
        self._length = np.log(np.maximum(links.dissimilarity, least)).astype(np.float32)
        parts = [
            divided(np.log(np.maximum(links.dissimilarities[start:stop], least)), links.lengths[start:stop])
            for start, stop in ranges_of(len(core), _BLOCK_ROWS)
        ]
        self._divide, self._sharpness = (np.concatenate(one) for one in zip(*parts, strict=True))
        # Nodes that only join unconnected parts have no gap of their own, and make the widest around these.
        own = np.where(np.isfinite(height), self._height, 0)
        gap = np.where(np.isfinite(height), np.minimum(self._height[tree.parent] - own, _WIDEST), 0)
        gaps = np.stack([np.where(tree.size >= size, gap, 0) for size in _SIZES], axis=1).astype(np.float32)
        self._paths = _Paths(tree.parent, tree.size, gaps)

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links: float32 of shape (n_part, N_GAPS)."""
        rows, cols = self._links.rows[part], self._links.cols[part]
        joined = self._paths.first_common(rows, cols)
        apart = np.maximum(self._paths.widest_below(rows, joined), self._paths.widest_below(cols, joined))
        height, divide, sharpness = (
            lower_and_higher(values[rows], values[cols])
            for values in (self._height, self._divide, self._sharpness)
        )
        rise = np.minimum(self._height[joined], _WIDEST)[:, None] - height
        beyond = self._length[part][:, None] - divide
        return np.concatenate(
            [
                self._paths.widest_above[joined],
                apart,
                np.minimum(rise, _WIDEST),
                np.clip(beyond, -_WIDEST, _WIDEST),
                sharpness,
            ],
            axis=1,
        )


def divided(lists: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where lists of ascending values divide in two by Otsu's method, and how sharply.

    Parameters
    ----------
    lists : float ndarray of shape (n_samples, n_neighbors)
    lengths : int ndarray of shape (n_samples,)
        Values of each list that count.

    Returns
    -------
    divide : float32 ndarray of shape (n_samples,)
        Between the two parts.
    sharpness : float32 ndarray of shape (n_samples,)
        Share of the variance that is between the parts; 0 where there is none.
    """
    held = np.arange(lists.shape[1]) < lengths[:, None]
    centred = (lists - lists[:, :1]).astype(np.float64) * held
    count, total = np.maximum(lengths, 1)[:, None], centred.sum(axis=1, keepdims=True)
    below = np.cumsum(centred, axis=1)[:, :-1]
    n_below = np.minimum(np.arange(1, lists.shape[1]), count)
    n_above = count - n_below
    apart = below / n_below - (total - below) / np.maximum(n_above, 1)
    between = n_below * n_above * apart**2 / count**2
    variance = (centred**2).sum(axis=1) / count[:, 0] - (total / count)[:, 0] ** 2
    if not between.shape[1]:
        return lists[:, 0].astype(np.float32), np.zeros(len(lists), np.float32)
    last, every = between.argmax(axis=1), np.arange(len(lists))
    sharpness = np.where(variance > 1e-9, between[every, last] / np.maximum(variance, 1e-9), 0)
    after = np.minimum(last + 1, np.maximum(lengths - 1, 0))
    return (
        ((lists[every, last] + lists[every, after]) / 2).astype(np.float32),
        np.clip(sharpness, 0, 1).astype(np.float32),
    )


class _Paths:
    """Paths from the leaves of a merge tree to its root, in steps of powers of two.

    Parameters
    ----------
    parent, size : int ndarrays of shape (n_nodes,)
        As in :class:`MergeTree`; parents come after their children, the root last.
    gaps : float32 ndarray of shape (n_nodes, n_sizes)
        Gap above each node.
    """

    def __init__(self, parent: np.ndarray, size: np.ndarray, gaps: np.ndarray):
        n_nodes, n_samples = len(parent), (len(parent) + 1) // 2
        root, ups, widest = n_nodes - 1, [parent.astype(np.int32)], [gaps]
        # Of two children, the one of the higher number stands behind the other in the order of the leaves.
        children = np.argsort(parent[:root], kind="stable").reshape(-1, 2)
        place = np.zeros(n_nodes, dtype=np.int64)
        place[children[:, 1]] = size[children[:, 0]]
        above = gaps.copy()
        while True:
            up = ups[-1]
            place += np.where(up == root, 0, place[up])
            above = np.maximum(above, above[up])
            if (up == root).all():
                break
            ups.append(up[up])
            widest.append(np.maximum(widest[-1], widest[-1][up]))
        self.widest_above = above
        """Of each node's own gap and those above all that hold it."""
        self._ups, self._widest = ups, widest
        self._place = place[:n_samples]
        # Two leaves meet in the last of the merges between them in that order.
        between = np.zeros(max(n_samples - 1, 0), dtype=np.int32)
        merges = np.arange(n_samples, n_nodes)
        between[place[children[:, 1]] - 1] = merges
        self._latest = [between]
        while len(between) > (step := 1 << len(self._latest) - 1):
            between = np.maximum(between[:-step], between[step:])
            self._latest.append(between)

    def first_common(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """The smallest node that holds both of two different leaves, for each pair."""
        low, high = np.sort([self._place[left], self._place[right]], axis=0)
        level = np.frexp((high - low).astype(float))[1] - 1
        found = np.zeros(len(left), dtype=np.int32)
        for number, latest in enumerate(self._latest):
            of = np.flatnonzero(level == number)
            found[of] = np.maximum(latest[low[of]], latest[high[of] - (1 << number)])
        return found

    def widest_below(self, leaves: np.ndarray, nodes: np.ndarray) -> np.ndarray:
        """Widest gaps above what lies on the way from leaves to nodes, these left out."""
        current, out = leaves.astype(np.int32), np.zeros((len(leaves), self._widest[0].shape[1]), np.float32)
        for up, widest in zip(self._ups[::-1], self._widest[::-1], strict=True):
            jumped = up[current]
            # A step takes along the gap above where it starts, so one is left to take at the end.
            goes = np.flatnonzero(jumped < nodes)
            out[goes] = np.maximum(out[goes], widest[current[goes]])
            current[goes] = jumped[goes]
        return np.maximum(out, self._widest[0][current])
