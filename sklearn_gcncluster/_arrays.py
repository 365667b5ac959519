"""Array operations that NumPy and SciPy lack."""

from __future__ import annotations

import numpy as np


def ranges(starts: np.ndarray, stops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concatenated ``arange(start, stop)`` of all pairs, and where each begins in it."""
    lengths = stops - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths), offsets


def pair_products(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray, cols: np.ndarray, block: int = 256
) -> np.ndarray:
    """Inner products of rows of two matrices, pair by pair, in blocks that stay in the cache."""
    out = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        out[part] = np.einsum("ij,ij->i", left.take(rows[part], axis=0), right.take(cols[part], axis=0))
    return out


def pair_distances(
    left: np.ndarray, right: np.ndarray, rows: np.ndarray, cols: np.ndarray, block: int = 256
) -> np.ndarray:
    """Squared distances of rows of two matrices, pair by pair, from their differences: nothing cancels."""
    out = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), block):
        part = slice(start, start + block)
        apart = left.take(rows[part], axis=0) - right.take(cols[part], axis=0)
        out[part] = np.einsum("ij,ij->i", apart, apart)
    return out
