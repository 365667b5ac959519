"""Super-vertices and the levels above them (the paper's Algorithms 1 and 2)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .._arrays import pair_distances
from .._graph._dissimilarity import stored
from .._graph._forest import MergeTree, forest_quantile, merge_tree
from ._layers import last_ancestor

_ALL_CUTS = 2**62
_ZERO = float(np.finfo(np.float32).tiny)
"""How a dissimilarity of zero stands in a sparse matrix."""


def supervertices(tree: MergeTree, cut: float, step: float, max_size: int) -> np.ndarray:
    """Super-vertices of the graph behind a merge tree (the paper's Algorithm 1).

    Links longer than the cut go; components of at most `max_size` samples are super-vertices; the samples of
    larger ones go on with a lower cut, until none is left. In the paper's words, the threshold on
    similarities, ``t = 1 - cut``, is raised to ``t + (1 - t) * step``. No cut is visited: a merge at height h
    survives the first ``log(h / cut) / log(1 - step)`` of them, so one pass over the tree finds each sample's
    component.

    No cut parts samples at dissimilarity zero (or, on a higher level, in one vertex): they stay together,
    even if there are more than `max_size` of them.

    Parameters
    ----------
    tree : MergeTree
    cut : float
        1 - e_tau, above 0.
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
    survived = _cuts_survived(tree.height, cut, step)
    # A component of the cut graph is a run of merges that survive equally many cuts; its top names it.
    same_component = (survived[parent] == survived) & (survived >= 0)
    component = last_ancestor(np.where(same_component, parent, node))
    not_yet_small = (parent == node) | (survived[parent] < 0) | (tree.size[component[parent]] > max_size)
    small = (tree.size <= max_size) | (survived == _ALL_CUTS)
    chosen = (component == node) & (survived >= 0) & small & not_yet_small
    owner = last_ancestor(np.where(chosen, node, parent))[: (len(node) + 1) // 2]
    return np.unique(owner, return_inverse=True)[1].reshape(-1)


def multiscale_layers(
    dissimilarity: sp.csr_array,
    rows: np.ndarray | None,
    tree: MergeTree | None = None,
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
    dissimilarity : csr_array of shape (n_samples, n_samples)
    rows : ndarray of shape (n_samples, n_features) or None
        To take centres of; without them groups are compared by the mean dissimilarity of their links.
    tree : MergeTree, optional
        Of `dissimilarity`, if it is known.
    thresholds : array-like of float, optional
        Edge thresholds e_tau on similarities, the same on every level.
    quantiles : array-like of float
        Used without `thresholds`: each level's cuts are these quantiles of its own forest's edges.
    step, max_supervertex_size, max_size, n_levels
        delta; s_max on the first level and on the others; the paper's I.

    Returns
    -------
    intp ndarray of shape (n_settings * n_levels, n_samples)
        Numbers start at 0 in each layer.
    """
    absolute = thresholds is not None
    tree = merge_tree(dissimilarity) if tree is None else tree
    layers: list[np.ndarray] = []
    for setting in np.asarray(thresholds if absolute else quantiles, dtype=np.float64):
        cut = 1 - setting if absolute else forest_quantile(tree, setting)
        groups = supervertices(tree, cut, step, max_supervertex_size)
        layers.append(groups)
        for _ in range(1, n_levels):
            level_tree = merge_tree(group_dissimilarity(dissimilarity, groups, rows), groups)
            cut = 1 - setting if absolute else forest_quantile(level_tree, setting)
            groups = supervertices(level_tree, cut, step, max_size)
            layers.append(groups)
    return np.stack(layers)


def group_dissimilarity(
    dissimilarity: sp.csr_array, groups: np.ndarray, rows: np.ndarray | None
) -> sp.csr_array:
    """Dissimilarities of groups of samples: groups are linked where their samples are.

    Two linked groups are as unlike as their centres, one less the cosine (the paper's Algorithm 2), or,
    without rows to take centres of, as the links between them are on average.
    """
    n_groups = groups.max() + 1
    member = sp.csr_array(
        (np.ones(len(groups), np.float32), groups, np.arange(len(groups) + 1)),
        (len(groups), n_groups),
    )
    linked = sp.triu(member.T @ dissimilarity @ member, k=1, format="coo")
    if rows is None:
        pattern = sp.csr_array(
            (np.ones_like(dissimilarity.data), dissimilarity.indices, dissimilarity.indptr),
            dissimilarity.shape,
        )
        links = sp.triu(member.T @ pattern @ member, k=1, format="coo")
        values = linked.data / links.data
    else:
        centres = member.T @ rows
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
        values = pair_distances(centres, centres, *linked.coords) / 2
    upper = sp.coo_array((stored(values), linked.coords), linked.shape)
    return (upper + upper.T).tocsr()


def _cuts_survived(height, cut, step):
    """How many lowerings of the cut a merge survives; -1 if it is above the cut to begin with."""
    cuts = np.full(len(height), -1, dtype=np.int64)
    kept = height <= cut
    with np.errstate(divide="ignore"):
        fall = np.log(np.where(height[kept] <= _ZERO, 0, height[kept]) / cut)
    cuts[kept] = np.minimum(fall / np.log1p(-step), _ALL_CUTS)
    return cuts
