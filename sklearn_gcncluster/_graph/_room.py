"""How much room samples take in an embedding, in which distances of samples are measured.

Neighbour lists tell how a distance compares with others around it, and nothing of how long it is. In an
embedding the length itself tells: two samples at a tenth of the scatter of all are hardly of two classes,
though a hundred others may be nearer still. How much it tells depends on the number of dimensions: in two of
them, most samples are near to some of another class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._temporary import of_blocks
from ._links import Links

N_LENGTHS = 2
"""Features of links here."""
_LEAST = 1e-3
"""Squared distances below this share of the scatter are all alike."""
_TINY = float(np.finfo(np.float32).tiny)
_LOOKED_AT = 2_000
"""Samples, evenly spread, by which dimensions are counted."""


class Room(NamedTuple):
    """What all samples of an embedding take."""

    mean: np.ndarray
    """float32 of shape (n_features,)"""
    squares: np.ndarray
    """float32 of shape (n_samples,): squared distance of each sample from the mean."""
    scatter: float
    """Mean of these."""
    dimensions: float
    """How many directions the scatter is spread over (participation ratio of the principal components)."""
    common: float
    """Share of the squared mean in the mean square, in [0, 1]: what all samples have in common. Rows for the
    Euclidean distance stand around the origin, so there it tells nothing."""

    def log_share(self, squared: np.ndarray) -> np.ndarray:
        """Logarithm of squared distances of pairs as shares of what they are on average; float32."""
        return np.log(np.maximum(squared, 0) / (2 * self.scatter) + _LEAST).astype(np.float32)


def room_of(rows: np.ndarray) -> Room:
    """Measure the room of all samples.

    Parameters
    ----------
    rows : float ndarray of shape (n_samples, n_features)
        At least one.
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = of_blocks(lambda part: ((part - mean) ** 2).sum(axis=1), rows)
    lengths = of_blocks(lambda part: (part**2).sum(axis=1), rows)
    some = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _LOOKED_AT)).astype(np.int64))]
    centred = (some - some.mean(axis=0)).astype(np.float64)
    products = centred.T @ centred if len(centred) > centred.shape[1] else centred @ centred.T
    return Room(
        mean,
        squares,
        max(float(squares.mean()), _TINY),
        float(np.trace(products) ** 2 / max((products**2).sum(), _TINY)),
        float((rows.mean(axis=0) ** 2).sum() / max(lengths.mean(), _TINY)),
    )


class LengthFeatures:
    """How long links are, and over how many dimensions the samples are spread; zeros without an embedding.

    Parameters
    ----------
    links : Links
    cosine : float32 ndarray of shape (n_links,)
        Of their ends, about the mean of all samples.
    room : Room or None
    """

    def __init__(self, links: Links, cosine: np.ndarray, room: Room | None):
        self._links, self._cosine, self._room = links, cosine, room

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links: float32 of shape (n_part, N_LENGTHS)."""
        room = self._room
        if room is None:
            return np.zeros((len(part), N_LENGTHS), dtype=np.float32)
        one, other = room.squares[self._links.rows[part]], room.squares[self._links.cols[part]]
        squared = one + other - 2 * self._cosine[part] * np.sqrt(one * other)
        dimensions = np.full(len(part), np.log(max(room.dimensions, 1)), dtype=np.float32)
        return np.column_stack([room.log_share(squared), dimensions])
