"""Array operations that NumPy and SciPy lack."""

from __future__ import annotations

import numpy as np


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
