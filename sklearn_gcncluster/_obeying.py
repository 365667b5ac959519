"""Partitions that obey constraints: what must be together is joined, what must not is taken apart.

A partition obeys after two steps: groups that share a component are joined (or its members move to one of
them), and groups that hold what must stay apart are taken apart by average linkage, which merges no two such
groups.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ._constraints import Constraints, components
from ._graph._samples import Samples
from ._proposals._average_link import average_link_layers

_TOUCHING = np.array([np.finfo(np.float32).tiny])
"""Threshold of average linkage at which all that is linked merges, as far as it may."""


def joined(
    labels: np.ndarray, constraints: Constraints, affinity: sp.csr_array, leading: np.ndarray | None = None
) -> np.ndarray:
    """A partition in which each component is in one group, or in none.

    Parameters
    ----------
    labels : int ndarray of shape (n_samples,)
        Any number for each group, -1 for samples in none.
    constraints : Constraints
        Of the same samples.
    affinity : csr_array of shape (n_samples, n_samples)
    leading : bool ndarray of shape (n_samples,), optional
        Samples that bring their group along: all groups of those in one component become one, and the other
        members of the component move there. Where there are none, members move to the group to which the
        component has most affinity. By default there are none.

    Returns
    -------
    int64 ndarray of shape (n_samples,)
    """
    labels = np.array(labels, dtype=np.int64)
    bound = constraints.bound
    held = bound[labels[bound] >= 0]
    if not len(held):
        return labels
    component, n_components = constraints.component, constraints.component.max() + 1
    numbers, code = np.unique(labels[labels >= 0], return_inverse=True)
    group = np.full(len(labels), -1)
    group[labels >= 0] = code.reshape(-1)
    pairs, pair = np.unique(component[held] * len(numbers) + group[held], return_inverse=True)
    total = np.bincount(pair.reshape(-1), weights=ties_within(labels, affinity)[held])
    closest = np.full(n_components, -1)
    order = np.argsort(total, kind="stable")
    closest[pairs[order] // len(numbers)] = pairs[order] % len(numbers)  # the last is written over others
    leaders = held[:0] if leading is None else held[leading[held]]
    led = np.zeros(n_components, bool)
    led[component[leaders]] = True
    alone = np.flatnonzero((closest >= 0) & ~led)
    ends = (
        np.concatenate([component[leaders], alone]),
        n_components + np.concatenate([group[leaders], closest[alone]]),
    )
    merged = components(np.column_stack(ends), n_components + len(numbers))
    group[group >= 0] = merged[n_components + group[group >= 0]]
    told = closest[component[bound]] >= 0
    group[bound[told]] = merged[component[bound[told]]]
    return group


def without_rivals(labels: np.ndarray, constraints: Constraints, affinity: sp.csr_array) -> np.ndarray:
    """A partition in which of those that must stay apart only the one with most ties is left in its group.

    Parameters are those of :func:`joined`. No component may lie in two groups.
    """
    labels = labels.copy()
    while len(broken := broken_groups(labels, constraints)):
        asked = np.flatnonzero(np.isin(labels, broken))
        component = constraints.component[asked]
        ties = np.bincount(component, weights=ties_within(labels, affinity)[asked], minlength=len(labels))
        group = np.full(len(labels), -1)
        group[component] = labels[asked]
        rank = np.empty(len(ties), dtype=np.intp)
        rank[np.argsort(ties, kind="stable")] = np.arange(len(ties))
        loses = np.zeros(len(labels), bool)
        pairs = constraints.pairs[(group[constraints.pairs[:, 0]] == group[constraints.pairs[:, 1]])]
        pairs = pairs[group[pairs[:, 0]] >= 0]
        loses[np.where(rank[pairs[:, 0]] < rank[pairs[:, 1]], *pairs.T)] = True
        cells = constraints.cells[group[constraints.cells[:, 0]] >= 0]
        key = cells[:, 1] * len(labels) + group[cells[:, 0]]
        order = np.lexsort((rank[cells[:, 0]], key))
        loses[cells[order[:-1][np.diff(key[order]) == 0], 0]] = True
        labels[asked[loses[component]]] = -1
    return labels


def taken_apart(
    labels: np.ndarray, constraints: Constraints, affinity: sp.csr_array, n_neighbors: int
) -> np.ndarray:
    """A partition whose groups hold nothing that must stay apart; they are parts of the groups given.

    Parameters are those of :func:`joined`, and the length of the neighbour lists behind the affinity. No
    component may lie in two groups.
    """
    torn = np.flatnonzero(np.isin(labels, broken_groups(labels, constraints)) & (labels >= 0))
    if not len(torn):
        return labels
    part = affinity[torn][:, torn].tocoo()
    low, high = part.coords
    inside = labels[torn[low]] == labels[torn[high]]
    part = sp.csr_array((part.data[inside], (low[inside], high[inside])), shape=part.shape)
    within = constraints.among(torn)
    layer = average_link_layers(part, _TOUCHING, "zero", n_neighbors, within.component, within.apart())[0]
    apart = labels.copy()
    apart[torn] = labels.max() + 1 + layer
    return apart


def broken_groups(labels: np.ndarray, constraints: Constraints) -> np.ndarray:
    """Numbers of the groups that hold what must stay apart; components that lie in several count in each."""
    pairs, cells = constraints.pairs, constraints.cells
    concerned = np.zeros(len(labels) + 1, bool)
    concerned[pairs], concerned[cells[:, 0]] = True, True
    item = np.flatnonzero((labels >= 0) & concerned[constraints.component])
    n_groups = labels.max(initial=-1) + 1
    held = np.unique(constraints.component[item].astype(np.int64) * n_groups + labels[item])
    component, group = np.divmod(held, max(n_groups, 1))
    first = np.searchsorted(component, np.arange(len(labels) + 1))

    def repeated(of_component, value):
        """Groups that hold two of the components that have one value."""
        n_held = first[of_component + 1] - first[of_component]
        start = np.repeat(first[of_component] - (np.cumsum(n_held) - n_held), n_held)
        of = group[start + np.arange(n_held.sum())]
        both, count = np.unique(np.repeat(value, n_held) * n_groups + of, return_counts=True)
        return both[count > 1] % max(n_groups, 1)

    numbers = np.tile(np.arange(len(pairs)), 2)
    return np.union1d(repeated(pairs.T.ravel(), numbers), repeated(cells[:, 0], cells[:, 1]))


def torn_groups(labels: np.ndarray, constraints: Constraints) -> np.ndarray:
    """Numbers of the groups that hold some but not all of a component."""
    bound = constraints.bound
    component = constraints.component[bound]
    pairs, count = np.unique(np.column_stack([component, labels[bound]]), axis=0, return_counts=True)
    size = np.bincount(constraints.component)
    torn = (count < size[pairs[:, 0]]) & (pairs[:, 1] >= 0)
    return np.unique(pairs[torn, 1])


def obeys(labels: np.ndarray, constraints: Constraints) -> bool:
    """Whether a partition has each component in one group, and no group with what must stay apart."""
    together = not len(torn_groups(labels, constraints)) and bool((labels[constraints.bound] >= 0).all())
    return together and not len(broken_groups(labels, constraints))


def housed(labels: np.ndarray, constraints: Constraints) -> np.ndarray:
    """The same array, in which components that are in no group become groups of their own."""
    alone = constraints.bound[labels[constraints.bound] < 0]
    labels[alone] = labels.max(initial=-1) + 1 + constraints.component[alone]
    return labels


def obeying_rows(
    labels: np.ndarray,
    constraints: Constraints,
    samples: Samples,
    affinity: sp.csr_array,
    n_neighbors: int,
) -> np.ndarray:
    """Labels of all rows of X that obey, and resemble those that are given; the last word on constraints.

    Parameters
    ----------
    labels : int64 ndarray of shape (n_rows,)
        -1 for noise.
    constraints : Constraints
        Of all rows.
    samples : Samples
    affinity : csr_array of shape (n_kept, n_kept)
        Of distinct samples.
    n_neighbors : int

    Returns
    -------
    int64 ndarray of shape (n_rows,)
        The same array if it obeys.
    """
    if obeys(labels, constraints):
        return labels
    of_rows = _row_affinity(affinity, samples)
    obeyed = joined(labels, constraints, of_rows)
    obeyed = taken_apart(obeyed, constraints, of_rows, n_neighbors)
    return housed(obeyed, constraints)


def may_join(
    labels: np.ndarray, rows: np.ndarray, clusters: np.ndarray, constraints: Constraints
) -> np.ndarray:
    """Which samples may join a cluster, one after another.

    Parameters
    ----------
    labels : int ndarray of shape (n_samples,)
        A partition that obeys; -1 for samples in no cluster.
    rows : int ndarray of shape (n_asked,)
        Samples in no cluster.
    clusters : int ndarray of shape (n_asked,)
        To which each would go.
    constraints : Constraints

    Returns
    -------
    bool ndarray of shape (n_asked,)
    """
    component = constraints.component
    cells_of: dict[int, list[int]] = {}
    for owner, cell in constraints.cells.tolist():
        cells_of.setdefault(owner, []).append(cell)
    rivals: dict[int, list[int]] = {}
    for left, right in constraints.pairs.tolist():
        rivals.setdefault(left, []).append(right)
        rivals.setdefault(right, []).append(left)
    cluster_of = dict(zip(component.tolist(), labels.tolist(), strict=True))
    taken = {(cell, cluster_of[owner]) for owner, cells in cells_of.items() for cell in cells}
    may = np.zeros(len(rows), bool)
    for place, (owner, cluster) in enumerate(zip(component[rows].tolist(), clusters.tolist(), strict=True)):
        keys = {(cell, cluster) for cell in cells_of.get(owner, ())}
        may[place] = cluster_of[owner] == cluster or (
            not (keys & taken) and all(cluster_of[rival] != cluster for rival in rivals.get(owner, ()))
        )
        if may[place]:
            taken |= keys
            cluster_of[owner] = cluster
    return may


def _row_affinity(affinity, samples):
    """Affinity of rows: that of distinct samples between their first rows, to which equal rows are tied."""
    links = affinity.tocoo()
    low, high = links.coords
    row = np.flatnonzero(samples.inverse >= 0)
    first = samples.kept[samples.inverse[row]]
    row, first = row[row != first], first[row != first]
    n_rows = len(samples.inverse)
    ends = (
        np.concatenate([samples.kept[low], row, first]),
        np.concatenate([samples.kept[high], first, row]),
    )
    values = np.concatenate([links.data, np.ones(2 * len(row), links.data.dtype)])
    return sp.csr_array((values, ends), shape=(n_rows, n_rows))


def ties_within(labels: np.ndarray, affinity: sp.csr_array) -> np.ndarray:
    """Affinity of each sample to the others of its group, in total."""
    links = affinity.tocoo()
    low, high = links.coords
    inside = labels[low] == labels[high]
    return np.bincount(low[inside], weights=links.data[inside], minlength=len(labels))
