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
