"""Samples as the graph needs them: comparable rows, each once, in an order of their own.

Duplicates by the thousand break approximate neighbour search and fill every neighbour list with copies of
the same sample, so each distinct row is kept once. Sorting the distinct rows by a hash of their content
makes all that follows, random draws included, independent of the order in which the samples were given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_HASH_SEED = 20190402  # any fixed number: the hash only has to be the same in every run
_BLOCK_ROWS = 16_384  # bounds the temporary copies made while rows are hashed


class Samples(NamedTuple):
    """Distinct samples and the way back to the rows they came from."""

    rows: np.ndarray
    """Distinct rows, float32 of shape (n_distinct, n_features), C-contiguous."""
    inverse: np.ndarray
    """For each original row the index of its distinct row, intp of shape (n_samples,)."""
    counts: np.ndarray
    """How many original rows each distinct row stands for, intp of shape (n_distinct,)."""


def distinct_samples(X: np.ndarray, metric: str) -> Samples:
    """Scale rows to unit length (cosine) and keep each distinct row once, in an order set by content.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite values.
    metric : {"cosine", "euclidean"}
        With "cosine", rows are divided by their length; a zero row is an error.

    Returns
    -------
    Samples
    """
    rows = np.array(X, dtype=np.float32, order="C", copy=True)
    if metric == "cosine":
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        zero = np.flatnonzero(lengths == 0)
        if len(zero):
            raise ValueError(
                f"X has {len(zero)} rows of length zero (the first is row {zero[0]}), which have no "
                'direction, so metric="cosine" is undefined for them. Remove these rows or use '
                'metric="euclidean".'
            )
        rows /= lengths[:, None].astype(np.float32)
    rows += 0.0  # -0.0 and 0.0 are equal and must hash alike
    keys = _content_hash(rows)
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    return Samples(rows[first], inverse.reshape(-1), counts)


def aggregate_labels(y: np.ndarray, samples: Samples) -> np.ndarray:
    """Label of each distinct row: the most frequent label among its copies, -1 where none has one.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    samples : Samples

    Returns
    -------
    ndarray of shape (n_distinct,)
    """
    labelled = np.flatnonzero(y >= 0)
    pairs, votes = np.unique(
        np.stack([samples.inverse[labelled], y[labelled]], axis=1), axis=0, return_counts=True
    )
    order = np.lexsort((-pairs[:, 1], votes))  # the winner is written last; ties go to the lower code
    labels = np.full(len(samples.counts), -1, dtype=np.intp)
    labels[pairs[order, 0]] = pairs[order, 1]
    return labels


def _content_hash(rows: np.ndarray) -> np.ndarray:
    """One 64-bit number a row, from the bits of the row alone (multiply, fold, add: all modulo 2^64)."""
    random = np.random.default_rng(_HASH_SEED)
    shifts, multipliers = random.integers(1, 2**63, size=(2, rows.shape[1]), dtype=np.uint64) | np.uint64(1)
    bits = rows.view(np.uint32)
    keys = np.empty(len(rows), dtype=np.uint64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = bits[start : start + _BLOCK_ROWS] + shifts
        block *= block
        block ^= block >> np.uint64(32)  # round numbers differ in their high bits only
        keys[start : start + _BLOCK_ROWS] = block @ multipliers
    return keys
