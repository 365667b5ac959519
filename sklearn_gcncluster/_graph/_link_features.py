"""What tells a link inside a class from a link between classes, whatever the embedding.

Later work on the 2019 benchmark has one thread: clean the links first, by looking at the neighbourhoods
of both ends. All features are symmetric in the two ends and free of the embedding's dimension and scale.
They come in blocks of links, since at 100,000 samples all of them together would take gigabytes.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .._arrays import lower_and_higher, pair_products
from .._jobs import ranges_of
from .._temporary import empty_array
from ._links import Links, spread_of, strongest

_DEPTHS = (5, 10, 20, 40, 80)
"""Lengths of neighbour list at which overlaps are counted; cut to the lists' own length."""
_NEAREST, _STRONGEST = (1, 3, 5, 10, 20, 40, 80), (1, 3, 10, 30, 80)
"""Places in the lists of both ends with which a link is compared; cut to the lists' own length."""
_TABLE_CELLS, _TABLE_ROWS = 2**20, (4, 32)
"""Cells of a table in which neighbours of some samples are looked up, so that it stays in the cache; and the
least and the most rows that it has for all that."""
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
        # Ratios of distances tell a gap that differences of similarities do not show.
        self._least = 1e-3 * self._level + np.finfo(np.float32).tiny
        listed = _columns(links.dissimilarities, _NEAREST)
        kth = np.stack([self._similarity(listed), self._apart(listed)], axis=2)
        self._kth = kth.reshape(len(listed), 2 * len(_NEAREST))
        standard = self._similarity(links.dissimilarities)
        neighbors, gap = _marked_gaps(links.neighbors)
        self._overlaps = _Overlaps(
            neighbors, links.lengths, np.where(gap, 0, np.exp(standard - standard[:, :1]))
        )

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links, given by ascending numbers: float32 of shape (n_part, n_features)."""
        links = self._links
        rows, cols, ranks = links.rows[part], links.cols[part], links.ranks[:, part]
        dissimilarity = links.dissimilarity[part, None]
        similarity = self._similarity(dissimilarity)
        values = np.tile(np.concatenate([similarity, self._apart(dissimilarity)], axis=1), len(_NEAREST))
        return _side_by_side(
            similarity,
            self._cosine[part],
            lower_and_higher(self._quality[rows], self._quality[cols]),
            lower_and_higher(values - self._kth[rows], values - self._kth[cols]),
            lower_and_higher(*np.log1p(ranks)),
            (ranks < [links.lengths[rows], links.lengths[cols]]).all(axis=0),
            *self._overlaps(rows, cols)[:-1],
        )

    def _similarity(self, dissimilarity):
        return (self._level - dissimilarity) / self._spread

    def _apart(self, dissimilarity):
        return np.log(np.maximum(dissimilarity, self._least))


class ProbabilityFeatures:
    """Features of links from neighbourhoods weighted by a first estimate of each link's probability.

    Parameters
    ----------
    links : Links
    probability : float32 ndarray of shape (n_links,)
    matrix : csr_array of shape (n_samples, n_samples)
        Of the probabilities.
    smoothness : float32 ndarray of shape (n_links,)
        From :func:`smoothed_similarity`; zeros without an embedding.
    """

    def __init__(
        self, links: Links, probability: np.ndarray, matrix: sp.csr_array, smoothness: np.ndarray
    ) -> None:
        self._links, self._probability, self._smooth = links, probability, smoothness
        neighbors, weights = strongest(matrix, links.neighbors.shape[1])
        self._overlaps = _Overlaps(_marked_gaps(neighbors)[0], links.lengths, weights)
        self._kth = _columns(weights, _STRONGEST)
        self._degree = weights.sum(axis=1)

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links, given by ascending numbers: float32 of shape (n_part, n_features)."""
        rows, cols = self._links.rows[part], self._links.cols[part]
        probability, degree = self._probability[part], self._degree
        *overlap, shared = self._overlaps(rows, cols)
        values = probability[:, None]
        return _side_by_side(
            log_odds(probability),
            lower_and_higher(np.log1p(degree[rows]), np.log1p(degree[cols])),
            *overlap,
            np.log1p(shared),
            lower_and_higher(
                shared / np.maximum(degree[rows] - probability, 0.05),
                shared / np.maximum(degree[cols] - probability, 0.05),
            ),
            lower_and_higher(values - self._kth[rows], values - self._kth[cols]),
            self._smooth[part],
        )


def smoothed_similarity(links: Links, matrix: sp.csr_array, rows: np.ndarray) -> np.ndarray:
    """How similar the ends of links are when rows are smoothed over weighted neighbourhoods.

    Parameters
    ----------
    links : Links
    matrix : csr_array of shape (n_samples, n_samples)
        Weights of the neighbours.
    rows : float32 ndarray of shape (n_samples, n_features)

    Returns
    -------
    float32 ndarray of shape (n_links,)
        Cosines, less their mean and divided by their deviation.
    """
    smoothed = _smoothed(matrix, rows)
    del rows  # as large
    return _standardised(pair_products(smoothed, smoothed, links.rows, links.cols))


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


class _Overlaps:
    """What the neighbour lists of both ends of links have in common, at several depths and weighted."""

    def __init__(self, neighbors, lengths, weights):
        self._neighbors, self._lengths, self._weights = neighbors, lengths, weights
        self._total = weights.sum(axis=1) + _TINY
        self._norm = np.sqrt((weights**2).sum(axis=1)) + _TINY

    def __call__(self, rows, cols):
        """Columns of the links; the last is the sum of products."""
        counts, sums = _overlaps(self._neighbors, self._weights, rows, cols, _DEPTHS)
        longer = np.maximum(np.maximum(self._lengths[rows], self._lengths[cols]), 1)
        total, other_total = self._total[rows], self._total[cols]
        products, minima, mass_rows, mass_cols = sums.T
        return [
            counts / np.minimum(longer[:, None], _DEPTHS),
            minima / (total + other_total - minima),
            lower_and_higher(mass_rows / total, mass_cols / other_total),
            products / (self._norm[rows] * self._norm[cols]),
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
    # Places in the lists of a few samples are written out as dense rows, in which the other ends' neighbours
    # are looked up; behind the last place is that of all who are not listed, of weight zero.
    n_rows = int(np.clip(_TABLE_CELLS // (n_samples + 1), *_TABLE_ROWS))
    places = np.arange(n_neighbors, dtype=np.min_scalar_type(n_neighbors))
    table = np.full((n_rows, n_samples + 1), n_neighbors, dtype=places.dtype)
    weight = np.zeros((n_rows, n_neighbors + 1), dtype=np.float32)
    ones = np.ones(n_neighbors, dtype=np.float32)
    linked, place_of_row = np.unique(rows, return_inverse=True)
    for start, stop in ranges_of(len(linked), n_rows):
        part = slice(*np.searchsorted(place_of_row, (start, stop)))
        listed = neighbors[linked[start:stop]]
        table_rows = np.arange(len(listed))[:, None]
        table[table_rows, listed] = places
        table[:, n_samples] = n_neighbors  # what is behind the last sample is a gap, shared with nobody
        weight[: len(listed), :n_neighbors] = weights[linked[start:stop]]
        table_row, other = (place_of_row[part] - start)[:, None], cols[part]
        cells = neighbors.take(other, axis=0).astype(np.intp)
        cells += table_row * (n_samples + 1)
        place = table.take(cells)
        deepest = np.maximum(place, places)
        for column, depth in enumerate(depths):
            inside = (deepest[:, :depth] < depth).view(np.uint8)
            counts[part, column] = inside.sum(axis=1, dtype=places.dtype)
        np.add(place, table_row * (n_neighbors + 1), out=cells)
        ours, theirs = weight.take(cells), weights.take(other, axis=0)
        sums[part, 0] = np.einsum("ij,ij->i", ours, theirs)
        sums[part, 1] = np.minimum(ours, theirs) @ ones
        sums[part, 2] = ours @ ones
        theirs *= ours > 0
        sums[part, 3] = theirs @ ones
        table[table_rows, listed] = n_neighbors
    return counts, sums


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


def _columns(lists, places):
    """What stands in the lists at these places."""
    return lists.take([min(place, lists.shape[1]) - 1 for place in places], axis=1)


def _side_by_side(*parts):
    """Parts of one or several columns as one array, of float32."""
    columns = [part[:, None] if part.ndim == 1 else part for part in parts]
    return np.concatenate(columns, axis=1, dtype=np.float32)
