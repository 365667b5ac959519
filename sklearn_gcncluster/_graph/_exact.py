"""Exact nearest neighbours, by blocks of matrix products, on the processor or on a GPU."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from .._arrays import largest, pair_distances
from .._jobs import by_ranges, ranges_of, rows_in_memory
from ._filter import NO_HALVES, Filter, halves_of, is_worth_a_filter

_BLOCK_ROWS = 512
"""Rows searched at once, or fewer: a block of 512 x 100,000 similarities is 200 MB."""
_BLOCKS_OF_A_TASK = 4
"""Where a filter comes first, which keeps the room for its products from block to block."""
_DEVICE_BLOCK = 2**30
"""Bytes of similarities that a GPU makes at once."""
_WORTH_A_WORKER = 500_000_000
"""Pairs of rows that take about as long as it takes to start a worker."""
_BLURRED = 64
"""Roundings of the largest square below which a squared distance, as a difference of squares, is blurred."""


def search_exactly(
    rows: np.ndarray,
    asked: np.ndarray,
    itself: np.ndarray | None,
    n_neighbors: int,
    metric: str,
    n_jobs: int | None = None,
    device: str | None = None,
    filtered: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest rows of each that is asked for; where products are too coarse, by differences.

    Parameters
    ----------
    rows : float32 or float64 ndarray of shape (n_samples, n_features)
        Of unit length for "cosine".
    asked : ndarray of shape (n_asked, n_features)
        Of the same kind.
    itself : int ndarray of shape (n_asked,) or None
        For each the row that it must not find.
    n_neighbors : int
        At most ``n_samples``, less one with `itself`.
    metric : {"cosine", "euclidean"}
    n_jobs : int or None
    device : str or None
        Where torch makes the products, all rows at a time; None is here, by blocks that jobs share.
    filtered : bool
        Whether half the digits may be compared first, where that is faster.

    Returns
    -------
    indices : int32 ndarray of shape (n_asked, n_neighbors)
        Nearest first.
    distances : float32 ndarray of shape (n_asked, n_neighbors)
        Squared.
    """
    squares = None
    if metric == "euclidean":
        centre = rows.mean(axis=0)  # far from the origin, differences of squares drown in rounding
        same, rows = asked is rows, rows - centre
        asked = rows if same else asked - centre
        squares = np.einsum("ij,ij->i", rows, rows)
    indices, distances = _search_blocks(rows, squares, asked, itself, n_neighbors, n_jobs, device, filtered)
    if not n_neighbors:
        return indices, distances
    rounding = _BLURRED * np.finfo(rows.dtype).eps * (1.0 if squares is None else float(squares.max()))
    blurred = np.flatnonzero(distances[:, -1] < rounding)
    own = None if itself is None else itself[blurred]
    if len(blurred) and rows.dtype == np.float64:  # few features: a tree compares differences
        indices[blurred], distances[blurred] = _search_tree(rows, asked[blurred], own, n_neighbors)
    elif len(blurred):
        precise = rows.astype(np.float64)
        indices[blurred], distances[blurred] = _search_blocks(
            precise,
            np.einsum("ij,ij->i", precise, precise),
            asked[blurred].astype(np.float64),
            own,
            n_neighbors,
            n_jobs,
            device,
            filtered=False,
        )
    close = np.nonzero(distances < rounding)
    distances[close] = pair_distances(asked, rows, close[0], indices[close])
    unsorted = np.flatnonzero((np.diff(distances, axis=1) < 0).any(axis=1))
    order = np.argsort(distances[unsorted], axis=1, kind="stable")
    for array in (indices, distances):
        array[unsorted] = np.take_along_axis(array[unsorted], order, axis=1)
    return indices, distances


def without(itself: np.ndarray, distances: np.ndarray, indices: np.ndarray):
    """Lists without the sample itself, wherever it stands; where it is not, without the last.

    Returns
    -------
    distances, indices : ndarrays of shape (n_samples, n_listed - 1)
    found : bool ndarray of shape (n_samples,)
        Whether the sample was in its list.
    """
    own = indices == itself[:, None]
    found = own.any(axis=1)
    own[~found, -1] = True
    shape = (len(indices), indices.shape[1] - 1)
    return distances[~own].reshape(shape), indices[~own].reshape(shape), found


def _search_blocks(rows, squares, asked, itself, n_neighbors, n_jobs, device, filtered):
    if device is not None:
        return _search_on_device(rows, squares, asked, itself, n_neighbors, device)
    n_rows = rows_in_memory(rows.itemsize * len(rows), _BLOCK_ROWS)
    worth = filtered and squares is None and len(asked) > 1 and is_worth_a_filter(len(rows), n_neighbors)
    bits, lost = halves_of(rows, "cosine") if worth else NO_HALVES
    blocks = by_ranges(
        _search_block,
        ranges_of(len(asked), n_rows * (1 if bits is None else _BLOCKS_OF_A_TASK)),
        n_jobs if len(rows) * len(asked) > _WORTH_A_WORKER else 1,
        rows=rows,
        squares=squares,
        bits=bits,
        lost=lost,
        asked=None if asked is rows else asked,
        itself=itself,
        n_neighbors=n_neighbors,
    )
    indices, distances = zip(*blocks, strict=True)
    return np.concatenate(indices), np.concatenate(distances)


def _search_block(start, stop, rows, squares, bits, lost, asked, itself, n_neighbors):
    """Neighbours of one block of those asked for; None are the rows themselves."""
    block = (rows if asked is None else asked)[start:stop]
    own = None if itself is None else itself[start:stop]
    if bits is None:
        return _by_products(block, own, rows, squares, n_neighbors)
    indices, distances, sure = Filter(rows, bits, lost, n_neighbors, len(rows)).search(block, own)
    unsure = np.flatnonzero(~sure)
    for first, last in ranges_of(len(unsure), rows_in_memory(rows.itemsize * len(rows), _BLOCK_ROWS)):
        left = unsure[first:last]
        hidden = None if own is None else own[left]
        indices[left], distances[left] = _by_products(block[left], hidden, rows, squares, n_neighbors)
    return indices, distances


def _by_products(block, itself, rows, squares, n_neighbors):
    nearness = block @ rows.T
    if squares is not None:  # x.z - |z|^2 / 2 orders by distance as x.z does for unit rows
        nearness -= squares / 2
    if itself is not None:
        nearness[np.arange(len(block)), itself] = -np.inf
    indices = largest(nearness, n_neighbors)
    values = np.take_along_axis(nearness, indices, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    own = 2 if squares is None else np.einsum("ij,ij->i", block, block)[:, None]
    distances = np.maximum(own - 2 * np.take_along_axis(values, order, axis=1), 0)
    return np.take_along_axis(indices, order, axis=1).astype(np.int32), distances.astype(np.float32)


def _search_on_device(rows, squares, asked, itself, n_neighbors, device):
    """The same as of blocks, where torch has the rows on a device of its own."""
    import torch

    indices = np.empty((len(asked), n_neighbors), dtype=np.int32)
    distances = np.empty((len(asked), n_neighbors), dtype=np.float32)
    n_rows = max(_DEVICE_BLOCK // (rows.itemsize * len(rows)), 16)
    try:
        there = torch.tensor(rows, device=device)
        halves = None if squares is None else torch.tensor(squares / 2, device=device)
        for start, stop in ranges_of(len(asked), n_rows):
            block = there[start:stop] if asked is rows else torch.tensor(asked[start:stop], device=device)
            nearness = block @ there.T
            if halves is not None:
                nearness -= halves
            if itself is not None:
                own = torch.tensor(itself[start:stop], device=device, dtype=torch.int64)[:, None]
                nearness.scatter_(1, own, -torch.inf)
            values, nearest = torch.topk(nearness, n_neighbors, dim=1)
            length = 2 if halves is None else (block * block).sum(dim=1, keepdim=True)
            indices[start:stop] = nearest.cpu().numpy()
            distances[start:stop] = (length - 2 * values).clamp(min=0).cpu().numpy()
            del nearness  # or two would be held while the next is made
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(
            f'device="{device}" has no room to compare {len(asked)} samples with {len(rows)} of '
            f'{rows.shape[1]} features. Use algorithm="cells", which searches on the processor, or '
            'device="cpu".'
        ) from error
    return indices, distances


def _search_tree(rows, asked, itself, n_neighbors):
    n_found = n_neighbors + (itself is not None)
    distances, indices = (array.reshape(-1, n_found) for array in KDTree(rows).query(asked, n_found))
    if itself is not None:
        distances, indices, _ = without(itself, distances, indices)
    return indices.astype(np.int32), (distances**2).astype(np.float32)
