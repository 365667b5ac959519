"""Array operations that NumPy and SciPy lack."""

from __future__ import annotations

import numpy as np

_STRIDE, _ROWS = 8, 16
"""Values of which `largest` looks at the largest first, and rows that it looks at together."""


def ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenated ``arange(start, stop)`` of all pairs, and where each begins in it."""
    lengths = stops - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths), offsets


def lower_and_higher(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The lower and the higher of each two values, column by column; of vectors, two columns."""
    both = np.stack([np.minimum(left, right), np.maximum(left, right)], axis=-1)
    return both if left.ndim == 1 else both.reshape(len(left), 2 * left.shape[1])


def pair_products(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray, cols: np.ndarray, block: int = 256
) -> np.ndarray:
    """Inner products of rows of two matrices of floats, pair by pair, in blocks that stay in the cache."""
    left, right = (np.ascontiguousarray(matrix) for matrix in (left, right))  # or each block copies all of it
    out = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        out[part] = np.einsum("ij,ij->i", left.take(rows[part], axis=0), right.take(cols[part], axis=0))
    return out


def pair_distances(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray, cols: np.ndarray, block: int = 256
) -> np.ndarray:
    """Squared distances in the same way, from differences of the rows: nothing cancels."""
    left, right = (np.ascontiguousarray(matrix) for matrix in (left, right))
    out = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        apart = left.take(rows[part], axis=0) - right.take(cols[part], axis=0)
        out[part] = np.einsum("ij,ij->i", apart, apart)
    return out


def largest(values: np.ndarray, n_largest: int) -> np.ndarray:
    """Places of the largest values of each row, in no order.

    They are where the largest of each eight values is largest, so few have to be compared with each other.

    Parameters
    ----------
    values : float or integer ndarray of shape (n_rows, n_values)
    n_largest : int
        At most ``n_values``.

    Returns
    -------
    places : int64 ndarray of shape (n_rows, n_largest)
    """
    n_heads = values.shape[1] // _STRIDE
    if not n_largest:
        return np.empty((len(values), 0), dtype=np.int64)
    if n_heads <= n_largest:
        return _largest(values, n_largest)
    in_order = n_heads * _STRIDE
    steps, rest = n_heads * np.arange(_STRIDE), np.arange(in_order, values.shape[1])
    places = np.empty((len(values), n_largest), dtype=np.int64)
    for start in range(0, len(values), _ROWS):
        few = values[start : start + _ROWS]
        heads = few[:, :in_order].reshape(len(few), _STRIDE, n_heads).max(axis=1)
        near = _largest(heads, n_largest)[:, :, None] + steps
        near = np.hstack([near.reshape(len(few), -1), np.broadcast_to(rest, (len(few), len(rest)))])
        chosen = _largest(np.take_along_axis(few, near, axis=1), n_largest)
        places[start : start + _ROWS] = np.take_along_axis(near, chosen, axis=1)
    return places


def _largest(values, n_largest):
    if values.dtype == np.int16:
        values = values.astype(np.int32)  # of which places are found three times as fast
    return np.argpartition(values, values.shape[1] - n_largest, axis=1)[:, values.shape[1] - n_largest :]
