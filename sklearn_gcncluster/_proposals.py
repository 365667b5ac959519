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

_HASH_SEED = 1904


class Proposals(NamedTuple):
    """Distinct proposals, numbered layer by layer."""

    layers: np.ndarray
    """int32 of shape (n_layers, n_samples): number of the proposal that holds a sample, -1 for none."""
    indptr: np.ndarray
    """intp of shape (n_proposals + 1,): where each proposal's members start in `indices`."""
    indices: np.ndarray
    """int32 of shape (total size,): members of each proposal, ascending."""

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.indptr)

    def membership(self) -> sp.csr_array:
        """Boolean matrix of shape (n_proposals, n_samples)."""
        shape = (len(self.indptr) - 1, self.layers.shape[1])
        return sp.csr_array((np.ones(len(self.indices), bool), self.indices, self.indptr), shape)


def distinct_proposals(layers: np.ndarray, min_size: int = 2, max_size: int | None = None) -> Proposals:
    """Number the proposals of all layers, without those seen in an earlier layer or of unwanted size.

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
    sample_hash = np.random.default_rng(_HASH_SEED).integers(0, 2**63, n_samples, dtype=np.uint64)
    numbered = np.full(layers.shape, -1, dtype=np.int32)
    indptr, indices, seen = [np.zeros(1, np.intp)], [], np.empty(0, np.uint64)
    n_proposals = 0
    for layer, out in zip(layers, numbered, strict=True):
        members = np.argsort(layer, kind="stable")[np.count_nonzero(layer < 0) :]
        if not len(members):
            continue
        starts = np.flatnonzero(np.diff(layer[members], prepend=-1))
        sizes = np.diff(starts, append=len(members))
        content = np.add.reduceat(sample_hash[members], starts)  # same members, same sum modulo 2^64
        keep = (sizes >= min_size) & (sizes <= (max_size or n_samples)) & ~np.isin(content, seen)
        kept_members = members[np.repeat(keep, sizes)]
        out[kept_members] = n_proposals + np.repeat(np.arange(keep.sum()), sizes[keep])
        seen = np.concatenate([seen, content[keep]])
        n_proposals += keep.sum()
        indptr.append(indptr[-1][-1] + np.cumsum(sizes[keep]))
        indices.append(kept_members.astype(np.int32))
    return Proposals(numbered, np.concatenate(indptr), np.concatenate(indices or [np.empty(0, np.int32)]))


def supervertices(tree: MergeTree, threshold: float, step: float, max_size: int) -> np.ndarray:
    """Super-vertices of the graph behind a merge tree (the paper's Algorithm 1).

    Edges below the threshold are cut; components of at most `max_size` samples are super-vertices; the
    samples of larger ones go on with a threshold raised by ``t <- t + (1 - t) * step``, until none is left.
    No threshold is visited: a merge at affinity a survives the first ``log((1-a) / (1-t)) / log(1-step)``
    raises, so one pass over the tree finds each sample's component.

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
    chosen = (component == node) & (survived >= 0) & (tree.size <= max_size) & not_yet_small
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
    n_settings = len(quantiles if thresholds is None else thresholds)
    layers = []
    for setting in range(n_settings):
        level_tree, groups = tree, None
        for level in range(n_levels):
            if level:
                level_tree = merge_tree(group_affinity(affinity, groups, rows), groups)
            if thresholds is None:
                threshold = forest_quantile(level_tree, quantiles[setting])
            else:
                threshold = thresholds[setting]
            groups = supervertices(level_tree, threshold, step, max_size if level else max_supervertex_size)
            layers.append(groups)
    return np.stack(layers)


def group_affinity(affinity: sp.csr_array, groups: np.ndarray, rows: np.ndarray | None) -> sp.csr_array:
    """Affinity graph of groups of samples: groups are linked where their samples are.

    The affinity of two linked groups is the cosine of their centres (the paper's Algorithm 2) or, without
    rows to take centres of, the mean affinity of the links between them.
    """
    n_groups = groups.max() + 1
    member = sp.csr_array(
        (np.ones(len(groups), np.float32), groups, np.arange(len(groups) + 1)), (len(groups), n_groups)
    )
    linked = sp.triu(member.T @ affinity @ member, k=1, format="coo")
    if rows is None:
        pattern = sp.csr_array((np.ones_like(affinity.data), affinity.indices, affinity.indptr), affinity.shape)
        links = sp.triu(member.T @ pattern @ member, k=1, format="coo")
        values = linked.data / links.data
    else:
        centres = member.T @ rows
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
        values = _pair_products(centres, *linked.coords)
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
    raises[kept] = np.minimum(gap[kept] / np.log1p(-step), np.iinfo(np.int32).max)
    return raises


def _pair_products(vectors, left, right, block=65_536):
    """Inner products of given pairs of rows, in blocks that bound the memory."""
    values = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), block):
        part = slice(start, start + block)
        values[part] = np.einsum("ij,ij->i", vectors[left[part]], vectors[right[part]])
    return values
