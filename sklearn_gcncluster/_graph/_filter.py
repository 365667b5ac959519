"""Nearest rows by products of half the digits, where a bound shows that no digit more would find others.

Some processors multiply bfloat16 several times as fast as float32. Such products do not tell which of two
rows is nearer where both are almost as near. So they only name candidates, half as many again as are asked
for, and true distances decide among these. What any other row can reach is bounded by the length of what the
digits left out, so it is known which lists are complete.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .._arrays import largest, pair_distances
from .._jobs import ranges_of, rows_in_memory
from .._temporary import empty_array

_NAMED = 1.5
"""Rows named by the filter, for each that is asked for."""
_LEAST_SEARCHED = 200
"""Rows to search, for each that is asked for, from which it is faster: to look again at those named takes as
long as products of so many."""
_ROUNDING = 2.0**-8
"""Of a bfloat16: the most that is lost of a number, as a share of it."""
_SLACK = 1e-5
"""More than sums of float32 lose."""
_AT_ONCE = 8_192
"""Rows whose digits are halved at once."""
_BLOCK_ROWS, _PART = 512, 4_096
"""Rows that are asked for and that are searched at once: a product that stays in the cache."""
_ROWS = 128
"""Rows that are asked for are filled up to a multiple of so many, by zeros: for each shape of a product, and
each width of what it is part of, code is made, which takes as long as the product does, and is kept."""


NO_HALVES = (None, 0.0)
"""What `halves_of` gives where nothing is gained."""


def halves_of(rows: np.ndarray, metric: str) -> tuple[np.ndarray | None, float]:
    """Rows with half their digits, where this machine and these rows gain from it.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Of unit length for "cosine", float32 for a gain.
    metric : {"cosine", "euclidean"}

    Returns
    -------
    bits : int16 ndarray of shape (n_rows, n_features) or None
        Of bfloat16, which NumPy does not have.
    lost : float
        Length of what the digits left out are at most.
    """
    if metric != "cosine" or rows.dtype != np.float32 or not _is_faster():
        return NO_HALVES
    bits, lost = empty_array(rows.shape, np.int16), 0.0
    for start, stop in ranges_of(len(rows), _AT_ONCE):
        few, left_out = _halved(rows[start:stop])
        bits[start:stop] = _bits(few)
        lost = max(lost, float(left_out.max()))
    return bits, lost


def is_worth_a_filter(n_searched: int, n_neighbors: int) -> bool:
    """Whether among so many rows the filter finds so many sooner than products do."""
    has_room = rows_in_memory(2 * n_searched, _BLOCK_ROWS) >= _ROWS
    return n_neighbors > 0 and has_room and n_searched >= _LEAST_SEARCHED * n_neighbors


class Filter:
    """Search among rows by products of half the digits; it keeps the room for them from block to block.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_rows, n_features)
        Of unit length.
    bits, lost
        From :func:`halves_of`.
    n_neighbors : int
        At least one.
    most : int
        Rows that are searched at once, at most.
    """

    def __init__(self, rows: np.ndarray, bits: np.ndarray, lost: float, n_neighbors: int, most: int) -> None:
        import torch

        self.rows, self.bits, self.lost, self.n_neighbors = rows, bits, lost, n_neighbors
        width = -(-most // _PART) * _PART
        self._at_once = rows_in_memory(2 * width, _BLOCK_ROWS)
        shape = (-(-self._at_once // _ROWS) * _ROWS, width)
        self._products = torch.empty(shape, dtype=torch.bfloat16, device="cpu")
        self._searched: np.ndarray | None = None

    def search(
        self, asked: np.ndarray, itself: np.ndarray | None, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nearest rows of each that is asked for, and which lists are certain.

        Parameters
        ----------
        asked : float32 ndarray of shape (n_asked, n_features)
            Of unit length.
        itself : int ndarray of shape (n_asked,) or None
            For each the place, in what is searched, of the row that it must not find.
        among : int ndarray of shape (n_searched,), optional
            Numbers of the rows to search. By default all.

        Returns
        -------
        indices : int32 ndarray of shape (n_asked, n_neighbors)
            Numbers of rows, nearest first.
        distances : float32 ndarray of shape (n_asked, n_neighbors)
            Squared, by differences.
        sure : bool ndarray of shape (n_asked,)
            Other lists are to be searched by products, and hold nothing. Where most are, no more are tried.
        """
        searched, lost = self._halves_of(among), self.lost
        n_named = min(int(_NAMED * self.n_neighbors) + 1, len(searched))
        indices = np.empty((len(asked), self.n_neighbors), dtype=np.int32)
        distances = np.empty((len(asked), self.n_neighbors), dtype=np.float32)
        sure = np.zeros(len(asked), dtype=bool)
        for start, stop in ranges_of(len(asked), self._at_once):
            part = slice(start, stop)
            few, left_out = _halved(asked[part])
            products = self._multiply(few, searched, None if itself is None else itself[part])
            named = largest(products, n_named)
            least = _floats(np.take_along_axis(products, named, axis=1).min(axis=1)).float().numpy()
            if among is not None:
                named = among[np.minimum(named, len(among) - 1)]  # zeros are named where nothing is certain
            named.sort(axis=1)  # the first, of rows as near
            owners = np.repeat(np.arange(stop - start), named.shape[1])
            apart = pair_distances(asked[part], self.rows, owners, named.ravel()).reshape(named.shape)
            order = np.argsort(apart, axis=1, kind="stable")[:, : self.n_neighbors]
            indices[part] = np.take_along_axis(named, order, axis=1)
            distances[part] = np.take_along_axis(apart, order, axis=1)
            others = least * (1 + _ROUNDING) + lost + left_out * (1 + lost) + _SLACK
            sure[part] = (least > 0) & (distances[part, -1] <= 2 - 2 * others)
            if 2 * np.count_nonzero(sure[part]) < stop - start:
                break
        return indices, distances, sure

    def _halves_of(self, among):
        """Bits of the rows; behind those of some rows zeros, up to a whole number of parts."""
        if among is None or len(among) == len(self.rows):
            return self.bits
        if self._searched is None:
            self._searched = np.empty((self._products.shape[1], self.rows.shape[1]), dtype=np.int16)
        size = -(-len(among) // _PART) * _PART
        np.take(self.bits, among, axis=0, out=self._searched[: len(among)], mode="clip")
        self._searched[len(among) : size] = 0
        return self._searched[:size]

    def _multiply(self, few, searched, itself):
        """Bits of the products. As integers they are in order, and below all positive are all others."""
        import torch

        n_asked = len(few)
        few = torch.nn.functional.pad(few, (0, 0, 0, -n_asked % _ROWS))
        products = self._products[: len(few), : len(searched)]
        for start, stop in ranges_of(len(searched), _PART):
            torch.mm(few, _floats(searched[start:stop]).T, out=products[:, start:stop])
        if itself is not None:
            products[torch.arange(n_asked, device="cpu"), torch.from_numpy(itself)] = -1.0
        return _bits(products[:n_asked])


def _halved(rows):
    """Rows with half their digits, and the length of what each has lost."""
    import torch

    whole = torch.from_numpy(np.array(rows))  # torch takes no array that is only to be read
    few = whole.bfloat16()
    return few, torch.linalg.vector_norm(whole - few.float(), dim=1).numpy()


def _bits(few):
    import torch

    return few.view(torch.int16).numpy()


def _floats(bits):
    import torch

    return torch.from_numpy(bits if bits.flags.writeable else bits.copy()).view(torch.bfloat16)


@cache
def _is_faster():
    """Whether this processor has AMX: others multiply bfloat16 no faster. Old torch does not tell."""
    import torch

    tell = getattr(torch.cpu, "get_capabilities", None)
    return tell is not None and bool(tell().get("amx_bf16", False))
