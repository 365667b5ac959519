"""New samples among old ones: who is near, which cluster holds them, and ids that last.

All on plain arrays: rows as the estimator compares them, in blocks, and ids of the clusters of all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ._graph._neighbors import nearest_neighbors

N_NEAREST = 10
"""Old neighbours of each sample that are looked at."""
_N_MEMBERS = 3
"""Nearest members of a cluster by which a sample is held against it."""


class Near(NamedTuple):
    """Nearest old rows of some samples."""

    rows: np.ndarray
    """intp of shape (n_queries, n_found): nearest first; -1 where there are no more."""
    distances: np.ndarray
    """float32 of shape (n_queries, n_found): squared distances, inf where there are no more."""


def search(
    blocks: list[np.ndarray],
    queries: np.ndarray,
    known: np.ndarray,
    *,
    metric: str,
    n_jobs: int | None,
    itself: np.ndarray | None = None,
) -> Near:
    """Nearest rows of all blocks.

    Parameters
    ----------
    blocks : list of float ndarrays of shape (n_block, n_features)
        Comparable rows, numbered through.
    queries : float ndarray of shape (n_queries, n_features)
    known : bool ndarray of shape (n_rows,)
        Rows that may be found.
    metric : {"cosine", "euclidean"}
    n_jobs : int or None
    itself : int ndarray of shape (n_queries,), optional
        A row that each query must not find.
    """
    n_found = N_NEAREST + (itself is not None)
    rows = np.full((len(queries), n_found), -1)
    distances = np.full((len(queries), n_found), np.inf, dtype=np.float32)
    start = 0
    for block in blocks:
        inside = np.flatnonzero(known[start : start + len(block)])
        if len(inside) and len(queries):
            part = block if len(inside) == len(block) else block[inside]
            found, apart = nearest_neighbors(
                part,
                min(n_found, len(part)),
                queries=queries,
                algorithm="brute",
                metric=metric,
                n_jobs=n_jobs,
            )
            rows = np.concatenate([rows, start + inside[found]], axis=1)
            distances = np.concatenate([distances, apart], axis=1)
            order = np.argsort(distances, axis=1, kind="stable")[:, :n_found]
            rows, distances = (np.take_along_axis(array, order, axis=1) for array in (rows, distances))
        start += len(block)
    if itself is not None:
        own = rows == itself[:, None]
        own[~own.any(axis=1), -1] = True
        shape = (len(queries), N_NEAREST)
        rows, distances = rows[~own].reshape(shape), distances[~own].reshape(shape)
    return Near(rows, distances)


def nearest_cluster(near: Near, ids: np.ndarray) -> np.ndarray:
    """The cluster of most of the nearest rows, weighted by their rank; -1 if these are in none.

    Parameters
    ----------
    near : Near
    ids : int ndarray of shape (n_rows,)
        Cluster of each old row, -1 for none.

    Returns
    -------
    int64 ndarray of shape (n_queries,)
    """
    of = np.append(ids, -1)[near.rows]
    party = np.where(of < 0, -2 - near.rows, of)  # outliers are parties of one
    weight = (near.rows >= 0) / (1.0 + np.arange(near.rows.shape[1]))
    votes = ((party[:, :, None] == party[:, None, :]) * weight[:, None, :]).sum(axis=2)
    return of[np.arange(len(of)), votes.argmax(axis=1)]


def mean_distance(near: Near, ids: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Mean squared distance of each query to the nearest members of a cluster; inf if it is near none."""
    first = _nearest_members(near, ids, cluster)
    total = np.where(first, near.distances, 0).sum(axis=1, dtype=np.float64)
    return np.where(first.any(axis=1), total / np.maximum(first.sum(axis=1), 1), np.inf)


def attach(
    near: Near, ids: np.ndarray, usual: Callable[[np.ndarray], np.ndarray], max_factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """The cluster that each sample is nearest to, and whether it certainly belongs there.

    It does if it is about as near to the nearest members as these are to each other.

    Parameters
    ----------
    near : Near
    ids : int ndarray of shape (n_rows,)
    usual : callable
        Gives for old rows in clusters their mean squared distance to the nearest others of their cluster.
    max_factor : float
        How much farther a sample may be.

    Returns
    -------
    cluster : int64 ndarray of shape (n_queries,)
        -1 for none.
    certain : bool ndarray of shape (n_queries,)
    """
    cluster = nearest_cluster(near, ids)
    first = _nearest_members(near, ids, cluster)
    asked, place = np.unique(near.rows[first], return_inverse=True)
    of_members = np.zeros(near.rows.shape)
    of_members[first] = usual(asked)[place.reshape(-1)]
    limit = max_factor**2 * of_members.sum(axis=1) / np.maximum(first.sum(axis=1), 1)
    return cluster, (cluster >= 0) & (mean_distance(near, ids, cluster) <= limit)


def _nearest_members(near, ids, cluster):
    """Which of the found rows are the nearest members of a cluster, if it is one."""
    member = (np.append(ids, -1)[near.rows] == cluster[:, None]) & (cluster[:, None] >= 0)
    return member & (np.cumsum(member, axis=1) <= _N_MEMBERS)


def most_asked(near: Near, ids: np.ndarray, n_rows: int) -> np.ndarray:
    """Whole clusters, and rows in none, of which most members in proportion are neighbours of the queries.

    Parameters
    ----------
    near : Near
    ids : int ndarray of shape (n_rows,)
        Cluster of each row, -1 for none.
    n_rows : int
        How many rows there may be in all.

    Returns
    -------
    intp ndarray of shape (n_found,)
        Sorted.
    """
    n_ids = ids.max(initial=-1) + 1
    party = np.where(ids < 0, n_ids + np.arange(len(ids)), ids)  # outliers are parties of one
    sizes = np.bincount(party, minlength=1)
    asked = np.bincount(party[near.rows[near.rows >= 0]], minlength=len(sizes))
    share = asked / np.maximum(sizes, 1)
    order = np.argsort(-share, kind="stable")[: np.count_nonzero(asked)]
    taken = order[np.cumsum(sizes[order]) <= n_rows]
    return np.flatnonzero(np.isin(party, taken))


def lasting_ids(clusters: np.ndarray, before: np.ndarray, next_id: int) -> np.ndarray:
    """Ids of new clusters: that of the largest old one of which most members are there, else ids never used.

    Parameters
    ----------
    clusters : int ndarray of shape (n_samples,)
        New clusters of some samples, -1 for none.
    before : int ndarray of shape (n_samples,)
        Their ids so far, -1 for none. Of each old cluster, all members are among the samples.
    next_id : int
        The first id that was never used.

    Returns
    -------
    int64 ndarray of shape (n_samples,)
    """
    inside = np.flatnonzero(clusters >= 0)
    numbers, first, place = np.unique(clusters[inside], return_index=True, return_inverse=True)
    both = before[inside] >= 0
    pairs = np.stack([place[both], before[inside][both]])
    (cluster, old), shared = np.unique(pairs, axis=1, return_counts=True)
    size = np.bincount(before[before >= 0], minlength=next_id)
    stays = np.flatnonzero(2 * shared > size[old])
    order = stays[np.lexsort((-old[stays], shared[stays]))]  # the one with most members here is written last
    lasting = np.full(len(numbers), -1)
    lasting[cluster[order]] = old[order]
    new = np.flatnonzero(lasting < 0)
    lasting[new[np.argsort(first[new])]] = next_id + np.arange(len(new))
    ids = np.full(len(clusters), -1)
    ids[inside] = lasting[place]
    return ids


def what_became(before: np.ndarray, after: np.ndarray) -> list[dict[str, Any]]:
    """Ids that are new or no more, with the clusters that members came from or went to, largest first."""
    events = []
    for gone, one, other in (("created", after, before), ("retired", before, after)):
        ids = np.setdiff1d(one[one >= 0], other)
        asked = np.flatnonzero(np.isin(one, ids) & (other >= 0))
        pairs, count = np.unique(np.stack([one[asked], other[asked]]), axis=1, return_counts=True)
        order = np.lexsort((pairs[1], -count, pairs[0]))
        partners: dict[int, list[int]] = {number: [] for number in ids.tolist()}
        for number, partner in pairs[:, order].T.tolist():
            partners[number].append(partner)
        key = "from" if gone == "created" else "into"
        events += [{"event": gone, "cluster": number, key: found} for number, found in partners.items()]
    return events
