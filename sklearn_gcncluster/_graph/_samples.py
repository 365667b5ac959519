"""Samples as the graph needs them: comparable rows, few copies of each, in an order of their own.

Duplicates by the thousand break approximate neighbour search and fill every neighbour list with copies of
the same sample; a few of them tell how dense a place is. So some copies of each distinct row are kept, and
all copies get one label. Where nearly all rows have copies, that says nothing, and fewer are kept. Rows are
ordered by their projection on a fixed direction, so that all that follows, random draws included, depends
neither on the order in which samples were given nor on their unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._model import Frame
from .._temporary import empty_array

_SEED = 20190402  # any fixed number: hash and direction only have to be the same in every run
_BLOCK_ROWS = 16_384  # bounds the temporary copies made while rows are scaled and hashed
_USUAL = 0.25
"""Quantile of the numbers of copies that tells how many a row has anyway, as where a file was stacked."""
_DOUBLE_BELOW = 32
"""Euclidean rows of fewer features are kept in double precision: coordinates may lie close together and far
from all others. Embeddings, of one length or nearly so, do with single precision."""


class Samples(NamedTuple):
    """Samples of the graph and the way back to the rows they came from."""

    rows: np.ndarray | sp.csr_array
    """Rows that are kept, of shape (n_kept, n_features), C-contiguous, copies side by side; or the
    dissimilarities of linked samples, float32 of shape (n_samples, n_samples), where X was a graph."""
    kept: np.ndarray
    """Number of each kept row in X, intp of shape (n_kept,)."""
    inverse: np.ndarray
    """For each row of X the index of its first kept copy, intp of shape (n_samples,); -1 for rows that cannot
    be compared with any other."""
    counts: np.ndarray
    """How many rows of X each kept row speaks for, intp of shape (n_kept,): all of a distinct row's for its
    first copy, none for the others."""
    frame: Frame | None = None
    """Of Euclidean rows."""

    @property
    def n_distinct(self) -> int:
        """Number of different samples."""
        return int(np.count_nonzero(self.counts))

    def take(self, chosen: np.ndarray) -> Samples:
        """Some of the kept rows, by ascending numbers, with all copies of each; not those of a graph."""
        rows = empty_array((len(chosen), self.rows.shape[1]), self.rows.dtype)
        for start in range(0, len(chosen), _BLOCK_ROWS):
            part = slice(start, start + _BLOCK_ROWS)
            rows[part] = self.rows[chosen[part]]
        place = np.full(len(self.counts) + 1, -1, dtype=np.intp)
        place[chosen] = np.arange(len(chosen))
        return Samples(rows, self.kept[chosen], place[self.inverse], self.counts[chosen], self.frame)

    def original_rows(self) -> np.ndarray:
        """The kept rows in the unit of X; for "cosine", of unit length."""
        if self.frame is None:
            return self.rows
        return self.rows.astype(np.float64) * self.frame.unit + self.frame.origin


def distinct_samples(
    X: np.ndarray,
    metric: str,
    max_copies: int | Callable[[int], int] = 1,
    *,
    drop_zeros: bool = False,
    frame: Frame | None = None,
) -> Samples:
    """Bring rows to a common scale and keep few copies of each, in an order set by content.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite values.
    metric : {"cosine", "euclidean"}
        With "cosine", rows are divided by their length. With "euclidean", their mean is subtracted and the
        rest is divided by its typical size, in double precision: what lies far from the origin, or is
        measured in tiny or huge units, loses nothing.
    max_copies : int or callable
        So many copies of a row are kept at most. A function is given the number of different rows. Where
        three quarters of the rows have several copies each, all have so many fewer.
    drop_zeros : bool
        Whether rows of length zero, which have no direction, are left out with "cosine"; else they are an
        error.
    frame : Frame, optional
        Of earlier Euclidean rows to which these are to be comparable.

    Returns
    -------
    Samples
    """
    compared = _rows_with_direction(X, drop_zeros) if metric == "cosine" else np.arange(len(X))
    scale, precision, frame = _scaling(X, metric, frame)
    keys, places = np.empty(len(compared), dtype=np.uint64), np.empty(len(compared))
    for start in range(0, len(compared), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        block = _scaled(X, compared[part], scale, precision)
        keys[part], places[part] = _content_hash(block), _projections(block)
    _, first, group, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(places[first], kind="stable")
    usual = np.quantile(counts, _USUAL, method="lower") if len(counts) else 1
    most = max_copies(len(order)) if callable(max_copies) else max_copies
    kept = np.minimum(-(-counts[order] // usual), most)
    starts = np.cumsum(kept) - kept
    spoken_for = np.zeros(kept.sum(), dtype=np.intp)
    spoken_for[starts] = counts[order]
    place = np.empty(len(order), dtype=np.intp)
    place[order] = starts
    inverse = np.full(len(X), -1, dtype=np.intp)
    inverse[compared] = place[group.reshape(-1)]
    chosen = compared[np.repeat(first[order], kept)]
    return Samples(_by_blocks(X, chosen, scale, precision), chosen, inverse, spoken_for, frame)


def comparable_rows(
    X: np.ndarray, metric: str, chosen: np.ndarray | None = None, frame: Frame | None = None
) -> tuple[np.ndarray, Frame | None]:
    """Bring rows to a common scale, as :func:`distinct_samples` does.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite values; with "cosine", no row that is chosen is of length zero.
    metric : {"cosine", "euclidean"}
    chosen : int ndarray of shape (n_chosen,), optional
        Numbers of the rows that are asked for; by default all.
    frame : Frame, optional
        Of earlier Euclidean rows to which these are to be comparable.

    Returns
    -------
    rows : float32 or float64 ndarray of shape (n_chosen, n_features)
        C-contiguous.
    frame : Frame or None
        Of Euclidean rows.
    """
    chosen = np.arange(len(X)) if chosen is None else chosen
    scale, precision, frame = _scaling(X, metric, frame)
    return _by_blocks(X, chosen, scale, precision), frame


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
    labelled = np.flatnonzero((y >= 0) & (samples.inverse >= 0))
    pairs, votes = np.unique(
        np.stack([samples.inverse[labelled], y[labelled]], axis=1), axis=0, return_counts=True
    )
    order = np.lexsort((-pairs[:, 1], votes))  # the winner is written last; ties go to the lower code
    labels = np.full(len(samples.counts), -1, dtype=np.intp)
    labels[pairs[order, 0]] = pairs[order, 1]
    first_copy = np.maximum.accumulate(np.where(samples.counts > 0, np.arange(len(labels)), 0))
    return labels[first_copy]


def _rows_with_direction(X, drop_zeros):
    """Numbers of the rows that are not of length zero, if there may be such rows."""
    zero = ~X.any(axis=1)
    if zero.any() and not drop_zeros:
        raise ValueError(
            f"X has {np.count_nonzero(zero)} rows of length zero (the first is row {np.argmax(zero)}), which "
            'have no direction, so metric="cosine" is undefined for them. Remove these rows, use '
            'metric="euclidean", or metric="auto", which makes them outliers.'
        )
    return np.flatnonzero(~zero)


def _of_unit_length(block):
    block = block / np.abs(block).max(axis=1, keepdims=True)  # squares of very large numbers overflow
    return block / np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]


def _frame_of(X):
    """Mean and typical size of all rows, rounded: they are not to depend on the order of summation."""
    largest = float(max((np.abs(block).max(initial=0) for block in _blocks(X)), default=0)) or 1.0
    mean = sum((block / largest).sum(axis=0) for block in _blocks(X)) / max(len(X), 1)
    square = sum(((block / largest - mean) ** 2).sum() for block in _blocks(X)) / max(len(X), 1)
    unit = 2.0 ** np.round(np.log2(np.sqrt(square))) if square > 0 else 1.0
    return Frame(np.round(mean / unit, 6) * unit * largest, float(unit * largest))


def _scaling(X, metric, frame):
    """How a block of rows in double precision is scaled, the precision it is kept in, and the frame."""
    if metric == "cosine":
        return _of_unit_length, np.float32, None
    origin, unit = frame = frame or _frame_of(X)
    precision = np.float64 if X.shape[1] < _DOUBLE_BELOW else np.float32
    return lambda block: (block - origin) / unit, precision, frame


def _scaled(X, chosen, scale, precision):
    rows = scale(X[chosen].astype(np.float64)).astype(precision)
    rows += 0.0  # -0.0 and 0.0 are equal and must hash alike
    return rows


def _by_blocks(X, chosen, scale, precision):
    """Some rows of X, scaled block by block; X may be a file, and so are they if they are many."""
    rows = empty_array((len(chosen), X.shape[1]), precision)
    for start in range(0, len(chosen), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        rows[part] = _scaled(X, chosen[part], scale, precision)
    return rows


def _blocks(X) -> Iterator[np.ndarray]:
    for start in range(0, len(X), _BLOCK_ROWS):
        yield X[start : start + _BLOCK_ROWS].astype(np.float64)


def _projections(rows):
    """Place of each row along a fixed direction, by its content alone."""
    direction = np.random.default_rng(_SEED).standard_normal(rows.shape[1])
    return np.einsum("ij,j->i", rows.astype(np.float64), direction)


def _content_hash(rows: np.ndarray) -> np.ndarray:
    """One 64-bit number a row, from the bits of the row alone (multiply, fold, add: all modulo 2^64)."""
    bits = rows.view(np.uint32)
    random = np.random.default_rng(_SEED)
    shifts, multipliers = random.integers(1, 2**63, size=(2, bits.shape[1]), dtype=np.uint64) | np.uint64(1)
    block = bits + shifts
    block *= block
    block ^= block >> np.uint64(32)  # round numbers differ in their high bits only
    return block @ multipliers
