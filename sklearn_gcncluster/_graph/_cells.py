"""Approximate nearest neighbours by overlapping cells: exact search, each row among those of its region.

Centres come from k-means on a sample. Each row asks in one cell, that of its nearest centre, and is found in
several, those of its nearest centres. So each row's list comes from one cell and nothing is merged, and each
cell is a task of its own: a product of those that ask and those that are found. In how many cells a row is
found is no constant: the exact neighbours of a few rows tell how many cells it takes.
"""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from .._jobs import by_ranges, ranges_of, rows_in_memory
from ._exact import search_exactly
from ._filter import Filter, halves_of

TARGET_RECALL = 0.96
"""Share of the exact neighbours of a few rows that the cells must hold."""
_PER_ROOT = 0.5
"""Cells for each square root of the number of samples: with twice as many there are a tenth fewer products,
and fewer rows ask in each cell for what is gathered there."""
_SAMPLE_PER_CELL, _ROUNDS = 32, 10
"""Of k-means. Cells of equal size, by a bias on the distance to each centre, cost as much: small cells lie
where the data are thin, and rows there are found in more of them."""
_ASKED = 1024
"""Rows whose exact neighbours say in how many cells rows are to be found."""
_LEAST_FOUND = 4
"""Rows found in a cell, for each neighbour asked for, on average."""
_LARGEST_SHARE = 0.5
"""Share of all cells from which exact search takes no longer."""
_TASKS = 128
"""Tasks that all cells are dealt into."""
_BLOCK_ROWS = 8_192
"""Rows that are compared with all centres at once, at most."""


def search_cells(
    rows: np.ndarray,
    queries: np.ndarray | None,
    n_neighbors: int,
    metric: str,
    n_jobs: int | None = None,
    random_state: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Most of the nearest neighbours; arguments and results as of `nearest_neighbors`."""
    asked = rows if queries is None else queries
    if not (n_neighbors and len(asked)):
        return search_exactly(rows, asked, None, n_neighbors, metric, n_jobs)
    random = np.random.default_rng(random_state)
    centres = _centres(rows, random)
    n_cells = _cells_needed(rows, queries, centres, n_neighbors, metric, n_jobs, random)
    if n_cells > _LARGEST_SHARE * len(centres):
        itself = None if queries is not None else np.arange(len(rows))
        return search_exactly(rows, asked, itself, n_neighbors, metric, n_jobs)
    nearest = _nearest_cells(rows, centres, n_cells, n_jobs)
    home = nearest[:, :1] if queries is None else _nearest_cells(queries, centres, 1, n_jobs)
    asking, found = (_members(cells, len(centres)) for cells in (home, nearest))
    del nearest, home
    bits, lost = halves_of(rows, metric)
    parts = by_ranges(
        _search_range,
        _equal_ranges(np.diff(asking.indptr).astype(np.int64) * np.diff(found.indptr)),
        n_jobs,
        rows=rows,
        bits=bits,
        lost=lost,
        queries=queries,
        asking=asking,
        found=found,
        n_neighbors=n_neighbors,
        metric=metric,
    )
    indices = np.empty((len(asked), n_neighbors), dtype=np.int32)
    distances = np.empty((len(asked), n_neighbors), dtype=np.float32)
    for numbers, *lists in parts:
        indices[numbers], distances[numbers] = lists
    short = np.flatnonzero(indices[:, 0] < 0)
    if len(short):
        itself = short if queries is None else None
        indices[short], distances[short] = search_exactly(
            rows, asked[short], itself, n_neighbors, metric, n_jobs
        )
    return indices, distances


def _centres(rows, random):
    """Centres of the cells, and half the square of each, by which the nearest is told."""
    n_centres = min(max(int(_PER_ROOT * len(rows) ** 0.5), 1), len(rows))
    chosen = np.sort(random.permutation(len(rows))[: _SAMPLE_PER_CELL * n_centres])
    means = KMeans(
        n_centres, init="random", n_init=1, max_iter=_ROUNDS, random_state=int(random.integers(2**31))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # copies: some cells stay empty
        return means.fit(rows[chosen]).cluster_centers_.astype(rows.dtype)


def _cells_needed(rows, queries, centres, n_neighbors, metric, n_jobs, random):
    """In how many of its nearest cells each row is to be found."""
    asked = rows if queries is None else queries
    chosen = np.sort(random.permutation(len(asked))[:_ASKED])
    itself = chosen if queries is None else None
    exact, _ = search_exactly(rows, asked[chosen], itself, n_neighbors, metric, n_jobs)
    ranks = []
    for query, neighbors in zip(asked[chosen], exact, strict=True):
        home = _nearness(query[None], centres).argmax()
        nearness = _nearness(rows[neighbors], centres)
        ranks.append((nearness > nearness[:, [home]]).sum(axis=1))
    needed = int(np.quantile(ranks, TARGET_RECALL, method="inverted_cdf")) + 1
    return max(needed, -(-_LEAST_FOUND * n_neighbors * len(centres) // len(rows)))


def _nearest_cells(rows, centres, n_cells, n_jobs):
    """Cells of the nearest centres of each row, nearest first: int32 of shape (n_rows, n_cells)."""
    n_rows = rows_in_memory(rows.itemsize * len(centres), _BLOCK_ROWS)
    parts = by_ranges(
        _nearest_in_range, ranges_of(len(rows), n_rows), n_jobs, rows=rows, centres=centres, n_cells=n_cells
    )
    return np.concatenate(parts)


def _nearest_in_range(start, stop, rows, centres, n_cells):
    import torch

    nearness = torch.from_numpy(_nearness(rows[start:stop], centres))
    return torch.topk(nearness, n_cells, dim=1)[1].numpy().astype(np.int32)


def _nearness(rows, centres):
    return rows @ centres.T - np.einsum("ij,ij->i", centres, centres) / 2


def _members(cells, n_centres):
    """For each cell the numbers of its rows, ascending: the rows of a sparse matrix."""
    n_rows, n_each = cells.shape
    indptr = np.arange(0, cells.size + 1, n_each, dtype=np.int32 if cells.size < 2**31 else np.int64)
    held = sp.csr_array((np.ones(cells.size, np.int8), cells.ravel(), indptr), (n_rows, n_centres))
    return held.tocsc().T


def _equal_ranges(costs):
    """Ranges of cells of about the same cost; the last cells of a range are those that fill it."""
    filled = np.cumsum(costs)
    bounds = np.searchsorted(filled, np.linspace(0, filled[-1], _TASKS + 1)[1:-1], side="right")
    bounds = np.unique([0, *bounds, len(costs)])
    return [(int(start), int(stop)) for start, stop in pairwise(bounds)]


def _search_range(start, stop, rows, bits, lost, queries, asking, found, n_neighbors, metric):
    """Lists of those that ask in a range of cells: their numbers, indices (-1 if too few) and distances."""
    numbers = asking.indices[asking.indptr[start] : asking.indptr[stop]]
    indices = np.full((len(numbers), n_neighbors), -1, dtype=np.int32)
    distances = np.zeros((len(numbers), n_neighbors), dtype=np.float32)
    first = asking.indptr[start]
    largest = int(np.diff(found.indptr).max(initial=1))  # of all cells, whatever the range
    coarse = None if bits is None else Filter(rows, bits, lost, n_neighbors, largest)
    for cell in range(start, stop):
        part = slice(asking.indptr[cell] - first, asking.indptr[cell + 1] - first)
        there = found.indices[found.indptr[cell] : found.indptr[cell + 1]]
        if part.start == part.stop or len(there) < n_neighbors + (queries is None):
            continue
        itself = np.searchsorted(there, numbers[part]) if queries is None else None
        asked = (rows if queries is None else queries)[numbers[part]]
        lists = _search_cell(asked, itself, there, rows, coarse, n_neighbors, metric)
        indices[part], distances[part] = lists
    return numbers, indices, distances


def _search_cell(asked, itself, there, rows, coarse, n_neighbors, metric):
    if coarse is not None:
        indices, distances, sure = coarse.search(asked, itself, there)
    else:
        indices = np.empty((len(asked), n_neighbors), dtype=np.int32)
        distances = np.empty((len(asked), n_neighbors), dtype=np.float32)
        sure = np.zeros(len(asked), dtype=bool)
    left = np.flatnonzero(~sure)
    if len(left):
        own = None if itself is None else itself[left]
        nearest, distances[left] = search_exactly(
            rows[there], asked[left], own, n_neighbors, metric, n_jobs=1, filtered=False
        )
        indices[left] = there[nearest]
    return indices, distances
