"""What tells a link inside a class from a link between classes, whatever the embedding.

Later work on the 2019 benchmark has one thread: clean the links first, by looking at the neighbourhoods
of both ends. All features are symmetric in the two ends and free of the embedding's dimension and scale.
They come in blocks of links, since at 100,000 samples all of them together would take gigabytes.
"""

from __future__ import annotations

import numpy as np

from .._arrays import pair_products
from .._jobs import ranges_of
from .._temporary import empty_array
from ._links import Links, spread_of, strongest

_DEPTHS = (5, 10, 20, 40, 80)
"""Lengths of neighbour list at which overlaps are counted; cut to the lists' own length."""
_TABLE_ROWS = 64  # samples whose neighbour lists stand in one dense table: stays in the cache
_SMOOTHED_ROWS = 16_384
_TINY = 1e-9
N_NEIGHBORHOOD, N_PROBABILITY = 44, 26
"""Number of features of each kind."""


class NeighborhoodFeatures:
    """Features of links from the neighbour lists: similarity against each end's own, ranks, overlap.

    Densities and popularity of single samples are left out on purpose: a sample recurs in dozens of links,
    and a model that knows it by its density learns its class by heart.

    Parameters
    ----------
    links : Links
    cosine : float32 ndarray of shape (n_links,)
        A second similarity of the same links, by the embedding as given.
    quality : float32 ndarray of shape (n_samples,)
        Distance of each sample from the mean of all, in units of the root mean square: samples near it are
        often of poor quality.
    """

    def __init__(self, links: Links, cosine: np.ndarray, quality: np.ndarray):
        self._links, self._quality, self._cosine = links, quality, _standardised(cosine)
        self._level, spread = spread_of(links.dissimilarities, links.lengths)
        self._spread = spread + _TINY * self._level + np.finfo(np.float32).tiny
        self._standard = (self._level - links.dissimilarities) / self._spread
        # Ratios of distances tell a gap that differences of similarities do not show.
        self._least = 1e-3 * self._level + np.finfo(np.float32).tiny
        self._apart = np.log(np.maximum(links.dissimilarities, self._least))
        self._neighbors, gap = _marked_gaps(links.neighbors)
        self._weights = np.where(gap, 0, np.exp(self._standard - self._standard[:, :1]))

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links, given by ascending numbers: float32 of shape (n_part, n_features)."""
        links, standard = self._links, self._standard
        rows, cols, n_neighbors = links.rows[part], links.cols[part], standard.shape[1]
        dissimilarity, ranks = links.dissimilarity[part], links.ranks[:, part]
        similarity = (self._level - dissimilarity) / self._spread
        apart = np.log(np.maximum(dissimilarity, self._least))
        columns = [similarity, self._cosine[part], *_both(self._quality[rows], self._quality[cols])]
        for k in (1, 3, 5, 10, 20, 40, 80):
            for values, listed in ((similarity, standard), (apart, self._apart)):
                kth = listed[:, min(k, n_neighbors) - 1]
                columns += _both(values - kth[rows], values - kth[cols])
        columns += _both(*np.log1p(ranks))
        columns.append((ranks < [links.lengths[rows], links.lengths[cols]]).all(axis=0))
        columns += _overlap_features(self._neighbors, links.lengths, self._weights, rows, cols)[:-1]
        return np.column_stack(columns).astype(np.float32)


class ProbabilityFeatures:
    """Features of links from neighbourhoods weighted by a first estimate of each link's probability.

    Parameters
    ----------
    links : Links
    probability : float32 ndarray of shape (n_links,)
    rows : float32 ndarray of shape (n_samples, n_features) or None
        Embedding, to be smoothed over the weighted neighbourhoods; without it the last feature is its mean.
    """

    def __init__(self, links: Links, probability: np.ndarray, rows: np.ndarray | None):
        self._links, self._probability = links, probability
        matrix = links.matrix(probability)
        neighbors, self._weights = strongest(matrix, links.neighbors.shape[1])
        self._neighbors, _ = _marked_gaps(neighbors)
        self._degree = self._weights.sum(axis=1)
        self._smooth = np.zeros(len(links.rows), dtype=np.float32)
        if rows is not None:
            smoothed = _smoothed(matrix, rows)
            self._smooth = _standardised(pair_products(smoothed, smoothed, links.rows, links.cols))

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links, given by ascending numbers: float32 of shape (n_part, n_features)."""
        rows, cols = self._links.rows[part], self._links.cols[part]
        probability, degree, weights = self._probability[part], self._degree, self._weights
        columns = [log_odds(probability), *_both(np.log1p(degree[rows]), np.log1p(degree[cols]))]
        overlap = _overlap_features(self._neighbors, self._links.lengths, weights, rows, cols)
        shared = overlap[-1]
        columns += [*overlap[:-1], np.log1p(shared)]
        columns += _both(
            shared / np.maximum(degree[rows] - probability, 0.05),
            shared / np.maximum(degree[cols] - probability, 0.05),
        )
        for k in (1, 3, 10, 30, 80):
            kth = weights[:, min(k, weights.shape[1]) - 1]
            columns += _both(probability - kth[rows], probability - kth[cols])
        columns.append(self._smooth[part])
        return np.column_stack(columns).astype(np.float32)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Logarithm of p / (1 - p), for p held within 1e-4 of the ends."""
    clipped = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(clipped / (1 - clipped))


def shared_mass(links: Links) -> np.ndarray:
    """Share of both ends' neighbourhoods that they have in common, without any labels.

    Each sample spreads ``exp(-d^2 / 0.5)``, d being the distance of unit vectors, over itself and its
    neighbours, to a total of one; the score is the mean of the two ends' mass on the samples they share
    (the edge score of FC-ES; see "what later work shows" in docs/experiments.rst).

    Returns
    -------
    float32 ndarray of shape (n_links,)
        In [0, 1].
    """
    n_samples, n_neighbors = links.neighbors.shape
    itself = np.arange(n_samples, dtype=np.int32)[:, None]
    others, gap = _marked_gaps(links.neighbors[:, : n_neighbors - 1])
    listed = np.concatenate([itself, others], axis=1)
    apart = np.concatenate([np.zeros_like(itself), links.dissimilarities[:, : n_neighbors - 1]], axis=1)
    mass = np.exp(-2 * apart / 0.5)
    mass[:, 1:][gap] = 0
    mass = (mass / mass.sum(axis=1, keepdims=True)).astype(np.float32)
    _, sums = _overlaps(listed, mass, links.rows, links.cols, depths=())
    return (sums[:, 2] + sums[:, 3]) / 2


def _overlap_features(neighbors, lengths, weights, rows, cols):
    """Share of common neighbours at all depths and weighted overlaps; the last is the sum of products."""
    counts, sums = _overlaps(neighbors, weights, rows, cols, _DEPTHS)
    longer = np.maximum(np.maximum(lengths[rows], lengths[cols]), 1)
    shares = counts / np.minimum(longer[:, None], _DEPTHS)
    total = weights.sum(axis=1) + _TINY
    length = np.sqrt((weights**2).sum(axis=1)) + _TINY
    products, minima, mass_rows, mass_cols = sums.T
    return [
        *shares.T,
        minima / (total[rows] + total[cols] - minima),
        *_both(mass_rows / total[rows], mass_cols / total[cols]),
        products / (length[rows] * length[cols]),
        products,
    ]


def _overlaps(neighbors, weights, rows, cols, depths):
    """Common neighbours of both ends of links that ascend by row.

    Returns the number of common neighbours at each depth, and four sums over the common neighbours: of
    products and of minima of both weights, of the weights of `rows`, and of those of `cols`.
    """
    n_samples, n_neighbors = neighbors.shape
    depths = [min(depth, n_neighbors) for depth in depths]
    counts = np.empty((len(rows), len(depths)), dtype=np.float32)
    sums = np.empty((len(rows), 4), dtype=np.float32)
    # Lists of a few samples are written out as dense rows, in which the other ends' lists are looked up.
    place = np.full((_TABLE_ROWS, n_samples + 1), n_neighbors, dtype=np.int16)
    weight = np.zeros((_TABLE_ROWS, n_samples + 1), dtype=np.float32)
    ones = np.ones(n_neighbors, dtype=np.float32)
    bounds = np.searchsorted(rows, np.arange(0, n_samples + _TABLE_ROWS, _TABLE_ROWS))
    for block in np.flatnonzero(np.diff(bounds)):
        start, part = block * _TABLE_ROWS, slice(bounds[block], bounds[block + 1])
        listed = neighbors[start : start + _TABLE_ROWS]
        table_rows = np.arange(len(listed))[:, None]
        place[table_rows, listed] = np.arange(n_neighbors, dtype=np.int16)
        weight[table_rows, listed] = weights[start : start + _TABLE_ROWS]
        place[:, n_samples] = n_neighbors  # what is behind the last sample is a gap, shared with nobody
        cells = neighbors[cols[part]] + ((rows[part] - start) * np.intp(n_samples + 1))[:, None]
        if depths:
            found = _lookup(place, cells)
            for column, depth in enumerate(depths):
                counts[part, column] = (found[:, :depth] < depth) @ ones[:depth]
        ours, theirs = _lookup(weight, cells), weights[cols[part]]
        sums[part, 0] = np.einsum("ij,ij->i", ours, theirs)
        sums[part, 1] = np.minimum(ours, theirs) @ ones
        sums[part, 2] = ours @ ones
        sums[part, 3] = np.einsum("ij,ij->i", ours > 0, theirs)
        place[table_rows, listed] = n_neighbors
        weight[table_rows, listed] = 0
    return counts, sums


def _lookup(table, cells):
    return table.ravel().take(
        cells, mode="clip"
    )  # all cells are inside: "clip" saves the check, "raise" copies


def _marked_gaps(neighbors):
    """Neighbour lists with one more than the last sample where a list is filled up with the sample itself."""
    gap = neighbors == np.arange(len(neighbors))[:, None]
    return np.where(gap, np.int32(len(neighbors)), neighbors), gap


def _smoothed(matrix, rows):
    """Rows to which their neighbours' are added, of unit length."""
    out = empty_array(rows.shape, rows.dtype)
    for start, stop in ranges_of(len(rows), _SMOOTHED_ROWS):
        part = rows[start:stop] + matrix[start:stop] @ rows
        out[start:stop] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
    return out


def _standardised(values):
    if not len(values):
        return values
    return (values - values.mean()) / (values.std() + _TINY)


def _both(left, right):
    return [np.minimum(left, right), np.maximum(left, right)]
