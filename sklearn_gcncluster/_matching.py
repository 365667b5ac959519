"""Numbers of a new clustering that agree with those of an old one.

labels, reference -> sizes of overlaps -> pairs of clusters with the largest total -> new numbers

The pairs are a matching of maximum weight in a graph of new and old clusters that has one edge for each
overlap. No table of new by old clusters is made, as there may be tens of thousands of each. Edges that are
certain are taken first, which is all of them in most clusterings that resemble each other. The rest is solved
level by level after [1]_, by matchings without weights: its cost grows with the sum of the weights, and here
these are samples.

References
----------
.. [1] Kao, M.-Y., Lam, T.-W., Sung, W.-K., & Ting, H.-F. (2001). "A Decomposition Theorem for Maximum Weight
       Bipartite Matchings". SIAM Journal on Computing 31(1). :arxiv:`cs/0011015`
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_bipartite_matching

from ._labels import integers

_ENOUGH_PROGRESS = 0.9
"""Certain edges are looked for again as long as fewer than this share of the edges stayed."""


def match_labels(labels: ArrayLike, reference: ArrayLike) -> np.ndarray:
    """Number clusters so that they agree with an earlier clustering of the same samples.

    Each cluster of the reference gives its number to one new cluster at most, so that as many samples as
    possible keep their number. New clusters that get none have numbers that the reference does not use.

    Parameters
    ----------
    labels : array-like of int of shape (n_samples,)
        New clusters, of any clusterer. Negative numbers are outliers, and stay as they are.
    reference : array-like of int of shape (n_samples,)
        Earlier clusters of the same samples, in the same order; any negative number is a sample without
        one, be it an outlier or a sample that came later.

    Returns
    -------
    matched : int64 ndarray of shape (n_samples,)
        The clusters of `labels`, with other numbers. Those that match no cluster of the reference count on
        from its largest number, in order of falling size.

    Raises
    ------
    ValueError
        If the lengths differ, if labels are not integers, or if new numbers do not fit into 64 bits.

    Notes
    -----
    The sum of the overlaps is that of :func:`scipy.optimize.linear_sum_assignment` on the table of all
    clusters, but that table is not made: n samples take O(n log n) time for clusterings that resemble each
    other, and O(n) memory for any. Ties are resolved in favour of the cluster with the earlier sample, as
    far as one at a time is looked at; the result does not depend on the numbers in `labels`.

    Examples
    --------
    >>> from sklearn_gcncluster import match_labels
    >>> match_labels([2, 2, 2, 0, 0, 1, -1], reference=[0, 0, 1, 1, 1, 7, 7])
    array([ 0,  0,  0,  1,  1,  7, -1])

    A cluster that fell in two keeps its number in the larger part:

    >>> match_labels([0, 0, 1, 1, 1], reference=[3, 3, 3, 3, 3])
    array([4, 4, 3, 3, 3])

    Samples that came later have no earlier cluster:

    >>> reference = [5, 5, 6]
    >>> labels = [0, 0, 1, 1, 2]
    >>> match_labels(labels, reference + [-1] * (len(labels) - len(reference)))
    array([5, 5, 6, 6, 7])
    """
    matched, earlier = integers(labels, "labels"), integers(reference, "reference")
    if len(matched) != len(earlier):
        raise ValueError(
            f"labels has {len(matched)} samples and reference {len(earlier)}; both must tell of the same "
            "samples in the same order. Give samples that one of them does not know the number -1 there."
        )
    inside, known = matched >= 0, earlier >= 0
    new, old = _by_first_sample(matched[inside]), _by_first_sample(earlier[known])
    numbers = np.full(len(new.values), -1)
    pairs = _best_pairs(_overlaps(new.codes[known[inside]], old.codes[inside[known]]))
    numbers[pairs.rows] = old.values[pairs.columns]
    unmatched = np.flatnonzero(numbers < 0)
    by_size = unmatched[np.argsort(-new.sizes[unmatched], kind="stable")]
    largest = int(earlier[known].max(initial=-1))
    if largest + len(by_size) >= 2**63:
        raise ValueError(
            f"Numbers of {len(by_size)} new clusters count on from the largest of reference, {largest}, and "
            "do not fit into 64 bits. Number it anew, as np.unique(reference, return_inverse=True)[1] does."
        )
    numbers[by_size] = np.arange(len(by_size)) + largest + 1
    matched[inside] = numbers[new.codes]
    return matched


class _Clusters(NamedTuple):
    values: np.ndarray
    """Number of each cluster, in order of their first samples."""
    codes: np.ndarray
    """Cluster of each sample, as a place among the values."""
    sizes: np.ndarray


class _Edges(NamedTuple):
    """Between clusters that overlap."""

    rows: np.ndarray
    """New clusters."""
    columns: np.ndarray
    """Old clusters."""
    weights: np.ndarray
    """Samples in common."""

    def take(self, chosen: np.ndarray) -> _Edges:
        return _Edges(*(part[chosen] for part in self))


def _by_first_sample(labels):
    """Clusters in an order that does not depend on their numbers."""
    values, first, codes, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return _Clusters(values[order], place[codes], sizes[order])


def _overlaps(new, old):
    """Edges between the clusters of samples, in order of new and old clusters."""
    n_old = old.max(initial=-1) + 1
    cells, shared = np.unique(new * n_old + old, return_counts=True)
    return _Edges(*np.divmod(cells, max(n_old, 1)), shared)


def _best_pairs(edges):
    """Edges without a common end and with the largest sum of weights."""
    certain, rest = _certain_pairs(edges)
    if len(rest.rows):
        (rows, row), (columns, column) = (np.unique(ends, return_inverse=True) for ends in rest[:2])
        chosen = _heaviest_matching(row, column, rest.weights, len(rows), len(columns))
        certain.append(rest.take(chosen))
    return _Edges(*map(np.concatenate, zip(*certain, strict=True)))


def _certain_pairs(edges):
    """Pairs that some best solution has, and the edges that are still open without them.

    An edge that weighs as much as the two heaviest others at its ends together is certain: put into any
    solution it drives out at most one edge at each end.
    """
    certain = []
    n_edges = np.inf
    while len(edges.rows) < _ENOUGH_PROGRESS * n_edges:
        n_edges = len(edges.rows)
        rivals = _heaviest_other(edges.rows, edges.weights) + _heaviest_other(edges.columns, edges.weights)
        pairs = edges.take(edges.weights >= rivals)
        for end in ("rows", "columns"):  # the earliest of those that tie
            pairs = pairs.take(np.unique(getattr(pairs, end), return_index=True)[1])
        certain.append(pairs)
        edges = edges.take(~np.isin(edges.rows, pairs.rows) & ~np.isin(edges.columns, pairs.columns))
    return certain, edges


def _heaviest_other(ends, weights):
    """Weight of the heaviest other edge at the same end of each edge, 0 if there is none."""
    best = np.zeros(ends.max(initial=-1) + 1, weights.dtype)
    np.maximum.at(best, ends, weights)
    leads = weights == best[ends]
    second = np.where(np.bincount(ends[leads], minlength=len(best)) > 1, best, 0)
    np.maximum.at(second, ends[~leads], weights[~leads])
    return np.where(leads, second[ends], best[ends])


def _heaviest_matching(rows, columns, weights, n_rows, n_columns):
    """Which edges make a matching of maximum weight.

    Nodes are given prices that pay for each edge: prices of both ends sum up to its weight at least. Where
    the sum of prices is least, it is the weight of the best matching, which has exactly paid edges only and
    leaves no node with a price out. Prices are raised level by level, from the heaviest edges down: by a
    minimum vertex cover of the edges that lack most, as far as no other edge comes to lack as much.
    """
    lacking = weights.copy()
    row_price, column_price = np.zeros(n_rows, np.int64), np.zeros(n_columns, np.int64)
    while (most := lacking.max()) > 0:
        level = lacking == most
        row_raise, column_raise = _vertex_cover(rows[level], columns[level], n_rows, n_columns)
        paid = row_raise[rows] + column_raise[columns]
        step = most - lacking[paid == 0].max(initial=0)
        row_price += step * row_raise
        column_price += step * column_raise
        lacking -= step * paid
    tight = np.flatnonzero(lacking == 0)
    return tight[_matching_of_both(rows[tight], columns[tight], row_price > 0, column_price > 0)]


def _matching(rows, columns, n_rows, n_columns):
    """Column of each row in a matching of as many edges as possible, -1 for none."""
    return maximum_bipartite_matching(_graph(rows, columns, n_rows, n_columns), perm_type="column")


def _graph(sources, targets, n_sources, n_targets):
    """Edges as a sparse matrix, with indices of 32 bits: older versions of csgraph know no others."""
    ends = sources.astype(np.int32), targets.astype(np.int32)
    return csr_array((np.ones(len(sources), np.int8), ends), shape=(n_sources, n_targets))


def _vertex_cover(rows, columns, n_rows, n_columns):
    """Smallest set of rows and columns, as 0 and 1, that has an end of each edge (by König's theorem)."""
    column = _matching(rows, columns, n_rows, n_columns)
    matched = np.flatnonzero(column >= 0)
    present = np.zeros(n_rows, bool)
    present[rows] = True
    single = np.flatnonzero(present & (column < 0))
    # From single rows along edges to columns, and back along edges of the matching.
    start = n_rows + n_columns
    sources = np.concatenate([np.full(len(single), start), rows, n_rows + column[matched]])
    targets = np.concatenate([single, n_rows + columns, matched])
    ways = _graph(sources, targets, start + 1, start + 1)
    reached = np.zeros(start + 1, np.int64)
    reached[breadth_first_order(ways, start, return_predecessors=False)] = 1
    return present * (1 - reached[:n_rows]), reached[n_rows:start]


def _matching_of_both(rows, columns, row_needed, column_needed):
    """Indices of edges that make a matching with all needed rows and columns, if there is one for each.

    One matching has the needed rows and one the needed columns. Together they are paths and circles on which
    they take turns (Mendelsohn and Dulmage). Of each, the one with more edges is right, and of two with as
    many, the one of the side that has more nodes there.
    """
    n_rows, n_columns = len(row_needed), len(column_needed)
    by_row, by_column = row_needed[rows], column_needed[columns]
    for_rows = _matching(rows[by_row], columns[by_row], n_rows, n_columns)
    for_columns = _matching(rows[by_column], columns[by_column], n_rows, n_columns)
    in_rows, in_columns = for_rows[rows] == columns, for_columns[rows] == columns
    either = in_rows | in_columns
    n_nodes = n_rows + n_columns
    edges = _graph(rows[either], n_rows + columns[either], n_nodes, n_nodes)
    n_parts, part = connected_components(edges, directed=False)
    count = np.bincount
    more = count(part[rows[in_rows]], minlength=n_parts) - count(part[rows[in_columns]], minlength=n_parts)
    wider = count(part[:n_rows], minlength=n_parts) - count(part[n_rows:], minlength=n_parts)
    take_rows = np.where(more == 0, wider >= 0, more > 0)[part[rows]]
    return np.flatnonzero(np.where(take_rows, in_rows, in_columns))
