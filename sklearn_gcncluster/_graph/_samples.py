"""Samples as the graph needs them: comparable rows, few copies of each, in an order of their own.

Duplicates by the thousand break approximate neighbour search and fill every neighbour list with copies of
the same sample; a few of them tell how dense a place is. So some copies of each distinct row are kept, and
all copies get one label. Sorting the rows by a hash of their content makes all that follows, random draws
included, independent of the order in which the samples were given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

_HASH_SEED = 20190402  # any fixed number: the hash only has to be the same in every run
_BLOCK_ROWS = 16_384  # bounds the temporary copies made while rows are hashed


class Samples(NamedTuple):
    """Samples of the graph and the way back to the rows they came from."""

    rows: np.ndarray | sp.csr_array
    """Rows that are kept, float32 of shape (n_kept, n_features), C-contiguous, copies side by side; or the
    similarities of linked samples, float32 of shape (n_samples, n_samples), where X was a graph."""
    inverse: np.ndarray
    """For each original row the index of its first kept copy, intp of shape (n_samples,)."""
    counts: np.ndarray
    """How many original rows each kept row speaks for, intp of shape (n_kept,): all of a distinct row's for
    its first copy, none for the others."""


def distinct_samples(X: np.ndarray, metric: str, max_copies: int = 1) -> Samples:
    """Scale rows to unit length (cosine) and keep few copies of each, in an order set by content.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite values.
    metric : {"cosine", "euclidean"}
        With "cosine", rows are divided by their length; a zero row is an error.
    max_copies : int
        Rows that are equal to so many others before them are left out.

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
    kept = np.minimum(counts, max_copies)
    starts = np.cumsum(kept) - kept
    spoken_for = np.zeros(kept.sum(), dtype=np.intp)
    spoken_for[starts] = counts
    return Samples(rows[np.repeat(first, kept)], starts[inverse.reshape(-1)], spoken_for)


def graph_samples(X: np.ndarray | sp.csr_array, metric: str) -> Samples:
    """Samples that are given by a graph; each is distinct, in the order given.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n_samples, n_samples)
        Explicit entries are links, of a dense X all, but no affinities of zero or less; the diagonal is not
        looked at. A link in one direction is one in both.
    metric : {"precomputed", "precomputed_affinity"}
        Whether entries are distances, which become ``exp(-d^2 / (2 s^2))`` with s^2 the median of d^2, or
        affinities of at most 1.
    """
    n_samples = X.shape[0]
    if isinstance(X, np.ndarray):
        (rows, cols), values = np.divmod(np.arange(X.size), n_samples), X.ravel()
    else:
        graph = X.tocoo()
        rows, cols, values = graph.row, graph.col, graph.data
    linked = rows != cols
    if metric == "precomputed_affinity":
        linked &= values > 0
    rows, cols, values = rows[linked], cols[linked], values[linked].astype(np.float64)
    if metric == "precomputed":
        if (values < 0).any():
            raise ValueError(
                'Negative values in data passed with metric="precomputed", which takes distances (the least '
                f"is {values.min():g}). For affinities, higher being closer, use "
                'metric="precomputed_affinity".'
            )
        squared = values**2
        values = np.exp(-squared / max(2 * float(np.median(squared)) if len(squared) else 1.0, 1e-12))
    elif len(values) and values.max() > 1 + 1e-6:
        raise ValueError(
            f"X has an affinity above 1 ({values.max():g}). Scale affinities to at most 1, or use "
            'metric="precomputed" for distances.'
        )
    values = np.maximum(values, np.finfo(np.float32).tiny).astype(np.float32)
    one_way = sp.csr_array((values, (rows, cols)), shape=(n_samples, n_samples))
    symmetric = one_way.maximum(one_way.T).tocsr()
    everyone = np.arange(n_samples)
    return Samples(symmetric, everyone, np.ones(n_samples, dtype=np.intp))


def class_codes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes in `y`, sorted, and for each sample the index of its class, -1 for unlabelled (-1)."""
    labelled = y != -1
    codes = np.full(len(y), -1, dtype=np.intp)
    classes, codes[labelled] = np.unique(y[labelled], return_inverse=True)
    return classes, codes


def aggregate_labels(y: np.ndarray, samples: Samples) -> np.ndarray:
    """Label of each kept row: the most frequent among all its copies, -1 where none has one.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    samples : Samples

    Returns
    -------
    ndarray of shape (n_kept,)
    """
    labelled = np.flatnonzero(y >= 0)
    pairs, votes = np.unique(
        np.stack([samples.inverse[labelled], y[labelled]], axis=1), axis=0, return_counts=True
    )
    order = np.lexsort((-pairs[:, 1], votes))  # the winner is written last; ties go to the lower code
    labels = np.full(len(samples.counts), -1, dtype=np.intp)
    labels[pairs[order, 0]] = pairs[order, 1]
    first_copy = np.maximum.accumulate(np.where(samples.counts > 0, np.arange(len(labels)), 0))
    return labels[first_copy]


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
