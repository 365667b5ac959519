"""Proposals: groups of samples that may be clusters, at many scales, from one affinity graph.

Proposals are held as *layers*: an int array of shape (n_layers, n_samples) in which each row is a
partition, each number above -1 names one proposal and -1 says "in none". Within a layer proposals are
disjoint, which is what lets all that follows work on whole layers with plain array operations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ._forest import MergeTree, forest_quantile, merge_tree
from ._link_features import pair_products

_HASH_SEED = 1904
_ALL_RAISES = 2**62


class Proposals(NamedTuple):
    """Distinct proposals, numbered layer by layer."""

    layers: np.ndarray
    """int32 of shape (n_layers, n_samples): number of the proposal that holds a sample, -1 for none."""
    starts: np.ndarray
    """intp of shape (n_layers + 1,): first number that is new in each layer; lower ones were seen before."""
    indptr: np.ndarray
    """intp of shape (n_proposals + 1,): where each proposal's members start in `indices`."""
    indices: np.ndarray
    """int32 of shape (total size,): members of each proposal, ascending."""

    @property
    def sizes(self) -> np.ndarray:
        """Number of members of each proposal."""
        return np.diff(self.indptr)

    def membership(self) -> sp.csr_array:
        """Boolean matrix of shape (n_proposals, n_samples)."""
        shape = (len(self.indptr) - 1, self.layers.shape[1])
        return sp.csr_array((np.ones(len(self.indices), bool), self.indices, self.indptr), shape)


def distinct_proposals(layers: np.ndarray, min_size: int = 1, max_size: int | None = None) -> Proposals:
    """Number the proposals of all layers; one that stands in several layers has the same number in all.

    Parameters
    ----------
    layers : int ndarray of shape (n_layers, n_samples)
        Partitions; numbers need not be consecutive, -1 is no proposal.
    min_size, max_size : int
        Proposals of other sizes are left out.

    Returns
    -------
    Proposals
    """
    n_samples = layers.shape[1]
    # Same members, same sum modulo 2^64: two proposals are compared by one number each.
    sample_hash = np.random.default_rng(_HASH_SEED).integers(0, 2**63, (n_samples,), dtype=np.uint64)
    numbered = np.full(layers.shape, -1, dtype=np.int32)
    starts, sizes, members = [0], [], []
    known_content, known_number = np.empty(0, np.uint64), np.empty(0, np.int64)
    for layer, out in zip(layers, numbered, strict=True):
        held = np.argsort(layer, kind="stable")[np.count_nonzero(layer < 0) :]
        first = np.flatnonzero(np.diff(layer[held], prepend=-1))
        size = np.diff(first, append=len(held))
        wanted = (size >= min_size) & (size <= (max_size or n_samples))
        held, size = held[np.repeat(wanted, size)], size[wanted]
        content = (
            np.add.reduceat(sample_hash[held], np.cumsum(size) - size) if len(held) else known_content[:0]
        )
        place = np.minimum(np.searchsorted(known_content, content), max(len(known_content) - 1, 0))
        new = known_content[place] != content if len(known_content) else np.ones(len(content), bool)
        number = np.empty(len(content), np.int64)
        number[new] = starts[-1] + np.arange(new.sum())
        number[~new] = known_number[place[~new]]
        out[held] = np.repeat(number, size)
        starts.append(starts[-1] + int(new.sum()))
        sizes.append(size[new])
        members.append(held[np.repeat(new, size)].astype(np.int32))
        known_content = np.concatenate([known_content, content[new]])
        order = np.argsort(known_content)
        known_content = known_content[order]
        known_number = np.concatenate([known_number, number[new]])[order]
    return Proposals(
        numbered,
        np.array(starts),
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.intp),
        np.concatenate(members),
    )


def supervertices(tree: MergeTree, threshold: float, step: float, max_size: int) -> np.ndarray:
    """Super-vertices of the graph behind a merge tree (the paper's Algorithm 1).

    Edges below the threshold are cut; components of at most `max_size` samples are super-vertices; the
    samples of larger ones go on with a threshold raised by ``t <- t + (1 - t) * step``, until none is left.
    No threshold is visited: a merge at affinity a survives the first ``log((1-a) / (1-t)) / log(1-step)``
    raises, so one pass over the tree finds each sample's component.

    No threshold below 1 parts samples that are linked at 1 (or, on a higher level, are one vertex): they stay
    together, even if there are more than `max_size` of them.

    Parameters
    ----------
    tree : MergeTree
    threshold : float
        e_tau, below 1.
    step : float
        delta, in (0, 1).
    max_size : int
        s_max, at least 1.

    Returns
    -------
    intp ndarray of shape (n_samples,)
        Super-vertex of each sample, numbered from 0.
    """
    node, parent = np.arange(len(tree.parent)), tree.parent
    survived = _raises_survived(tree.affinity, threshold, step)
    # A component of the cut graph is a run of merges that survive equally many raises; its top names it.
    same_component = (survived[parent] == survived) & (survived >= 0)
    component = last_ancestor(np.where(same_component, parent, node))
    not_yet_small = (parent == node) | (survived[parent] < 0) | (tree.size[component[parent]] > max_size)
    small = (tree.size <= max_size) | (survived == _ALL_RAISES)
    chosen = (component == node) & (survived >= 0) & small & not_yet_small
    owner = last_ancestor(np.where(chosen, node, parent))[: (len(node) + 1) // 2]
    return np.unique(owner, return_inverse=True)[1].reshape(-1)


def multiscale_layers(
    affinity: sp.csr_array,
    rows: np.ndarray | None,
    *,
    thresholds: np.ndarray | None = None,
    quantiles: np.ndarray | None = None,
    step: float = 0.05,
    max_supervertex_size: int = 300,
    max_size: int = 1000,
    n_levels: int = 2,
) -> np.ndarray:
    """Multi-scale proposals (the paper's Algorithm 2), one layer for each threshold and level.

    Level one is the super-vertices. On each further level the groups of the level below are the vertices
    of a new graph, and Algorithm 1 on it merges them.

    Parameters
    ----------
    affinity : csr_array of shape (n_samples, n_samples)
    rows : ndarray of shape (n_samples, n_features) or None
        To take centres of; without them groups are compared by the mean affinity of their links.
    thresholds : array-like of float, optional
        Edge thresholds e_tau, the same on every level.
    quantiles : array-like of float
        Used without `thresholds`: each level's thresholds are these quantiles of its own forest's edges.
    step, max_supervertex_size, max_size, n_levels
        delta; s_max on the first level and on the others; the paper's I.

    Returns
    -------
    intp ndarray of shape (n_settings * n_levels, n_samples)
        Numbers start at 0 in each layer.
    """
    tree = merge_tree(affinity)
    absolute = thresholds is not None
    layers: list[np.ndarray] = []
    for setting in np.asarray(thresholds if absolute else quantiles, dtype=np.float64):
        threshold = setting if absolute else forest_quantile(tree, setting)
        groups = supervertices(tree, threshold, step, max_supervertex_size)
        layers.append(groups)
        for _ in range(1, n_levels):
            level_tree = merge_tree(group_affinity(affinity, groups, rows), groups)
            threshold = setting if absolute else forest_quantile(level_tree, setting)
            groups = supervertices(level_tree, threshold, step, max_size)
            layers.append(groups)
    return np.stack(layers)


def group_affinity(affinity: sp.csr_array, groups: np.ndarray, rows: np.ndarray | None) -> sp.csr_array:
    """Affinity graph of groups of samples: groups are linked where their samples are.

    The affinity of two linked groups is the cosine of their centres (the paper's Algorithm 2) or, without
    rows to take centres of, the mean affinity of the links between them.
    """
    n_groups = groups.max() + 1
    member = sp.csr_array(
        (np.ones(len(groups), np.float32), groups, np.arange(len(groups) + 1)),
        (len(groups), n_groups),
    )
    linked = sp.triu(member.T @ affinity @ member, k=1, format="coo")
    if rows is None:
        pattern = sp.csr_array(
            (np.ones_like(affinity.data), affinity.indices, affinity.indptr), affinity.shape
        )
        links = sp.triu(member.T @ pattern @ member, k=1, format="coo")
        values = linked.data / links.data
    else:
        centres = member.T @ rows
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
        values = pair_products(centres, centres, *linked.coords)
    values = np.maximum(values, np.finfo(np.float32).tiny)
    upper = sp.coo_array((values, linked.coords), linked.shape)
    return (upper + upper.T).tocsr()


def last_ancestor(pointer: np.ndarray) -> np.ndarray:
    """Where each node ends up when pointers are followed until they stay (pointer doubling)."""
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further


def _raises_survived(affinity, threshold, step):
    """How many raises of the threshold an edge survives; -1 if it is below the threshold to begin with."""
    raises = np.full(len(affinity), -1, dtype=np.int64)
    with np.errstate(divide="ignore"):
        gap = np.log(np.maximum(1 - affinity, 0) / (1 - threshold))
    kept = affinity >= threshold
    raises[kept] = np.minimum(gap[kept] / np.log1p(-step), _ALL_RAISES)
    return raises


def average_link_layers(
    affinity: sp.csr_array,
    thresholds: np.ndarray,
    missing: str,
    n_neighbors: int,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Partitions by average linkage, one at each of several falling thresholds.

    This is Algorithm 2 with many levels and the mean in place of the single link: mutually nearest groups
    merge while the affinity of their members is at least the threshold on average. All such pairs merge at
    once, by one sparse matrix product, until there is none; then the threshold falls.

    Parameters
    ----------
    affinity : csr_array of shape (n_samples, n_samples)
        Symmetric, in [0, 1].
    thresholds : ndarray of shape (n_layers,)
        Falling.
    missing : {"zero", "ignore"}
        What pairs of samples without a link count. "zero": nothing, as far as the lists of the smaller group
        could have held them; "ignore": they are left out, and the mean is over links.
    n_neighbors : int
        Length of the neighbour lists behind the graph.
    groups : int ndarray of shape (n_samples,), optional
        The partition to start from; samples with -1 are left out. By default each sample is alone.

    Returns
    -------
    int32 ndarray of shape (n_layers, n_samples)
    """
    n_samples = affinity.shape[0]
    labels, sizes = np.arange(n_samples, dtype=np.int32), np.ones(n_samples)
    total = affinity.astype(np.float64)
    count = sp.csr_array((np.ones_like(total.data), total.indices, total.indptr), total.shape)
    if groups is not None:
        inside = np.flatnonzero(groups >= 0)
        labels[:] = -1
        labels[inside] = np.unique(groups[inside], return_inverse=True)[1].reshape(-1)
        shape = (n_samples, labels.max() + 1)
        member = sp.csr_array((np.ones(len(inside)), (inside, labels[inside])), shape)
        total, count, sizes = _between(total, member), _between(count, member), member.T @ sizes
    layers = np.empty((len(thresholds), n_samples), dtype=np.int32)
    for layer, threshold in zip(layers, thresholds, strict=True):
        while True:
            rows = np.repeat(np.arange(len(sizes)), np.diff(total.indptr))
            if missing == "zero":
                smaller = np.minimum(sizes[rows], sizes[total.indices])
                larger = np.maximum(sizes[rows], sizes[total.indices])
                pairs = smaller * np.minimum(larger, n_neighbors)
            else:
                pairs = count.data
            merged = _merge_mutual_nearest(rows, total.indices, total.data / pairs, threshold, len(sizes))
            if merged is None:
                break
            member = sp.csr_array((np.ones(len(merged)), (np.arange(len(merged)), merged)))
            total, count, sizes = _between(total, member), _between(count, member), member.T @ sizes
            labels = np.where(labels < 0, -1, merged[labels])
        layer[:] = labels
    return layers


def _merge_mutual_nearest(rows, cols, values, threshold, n_groups):
    """New number of each group after all mutually nearest pairs merged; None if no pair is left."""
    near = values >= threshold
    rows, cols, values = rows[near], cols[near], np.round(values[near], 9)
    # Nearest of each group; among equals the pair of lowest numbers, the same seen from both sides.
    order = np.lexsort((np.maximum(rows, cols), np.minimum(rows, cols), -values, rows))
    first = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
    nearest = np.full(n_groups, -1)
    nearest[rows[first]] = cols[first]
    lower = np.flatnonzero(nearest >= 0)
    lower = lower[(nearest[nearest[lower]] == lower) & (lower < nearest[lower])]
    if not len(lower):
        return None
    groups = np.arange(n_groups)
    groups[nearest[lower]] = lower
    return np.unique(groups, return_inverse=True)[1].reshape(-1).astype(np.int32)


def _between(matrix, member):
    """Sum of the entries between each two groups."""
    matrix = (member.T @ matrix @ member).tocoo()
    off = matrix.coords[0] != matrix.coords[1]
    rows, cols = (coordinate[off] for coordinate in matrix.coords)
    return sp.coo_array((matrix.data[off], (rows, cols)), matrix.shape).tocsr()
