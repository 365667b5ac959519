"""Pictures of samples, small and as text, so that a page can hold them."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from .._warning import warn

_LINES_BELOW = 64
"""Pixels under which a picture is kept without loss: it is small anyway, and often made of lines."""
_GAP = 1.1
"""Scale, times the final one, at which JPEGs are decoded at least: less work than all of their pixels."""


def embedded_pictures(pictures: Any, rows: np.ndarray, max_megabytes: float, size: int) -> dict[int, str]:
    """Pictures of the first rows, as far as there is room, as ``data:`` addresses by row.

    Parameters
    ----------
    pictures : sequence or callable
        Picture of each row: a path, an array, an image of Pillow, or None for none.
    rows : int ndarray of shape (n_rows,)
        Rows in the order of their use.
    max_megabytes : float
        Of all addresses, at most.
    size : int
        Larger pictures are made smaller until width and height have so many pixels at most.

    Returns
    -------
    embedded : dict of int to str
    """
    look_up = pictures if callable(pictures) else pictures.__getitem__
    unreadable: list[tuple[object, Exception]] = []
    embedded: dict[int, str] = {}
    room = 1_000_000 * max_megabytes
    for row in rows.tolist():
        address = _address(look_up, row, size, unreadable)
        if address is None:
            continue
        room -= len(address)
        if room < 0:
            break
        embedded[row] = address
    if unreadable:
        first, error = unreadable[0]
        warn(
            f"{len(unreadable)} pictures cannot be read, and their samples are shown without; the first is "
            f"{first}: {error}"
        )
    return embedded


def _address(look_up: Callable[[int], Any], row: int, size: int, unreadable: list) -> str | None:
    """One picture as an address, None if there is none or if its file cannot be read."""
    picture = look_up(row)
    if picture is None:
        return None
    image = _pillow()
    if not isinstance(picture, str | os.PathLike | image.Image):
        return _encode(image.fromarray(_pixels(picture, row)), size)
    try:
        if isinstance(picture, image.Image):
            return _encode(picture.copy(), size)
        with image.open(picture) as opened:
            return _encode(opened, size)
    except Exception as error:  # what is in a file can make its reader stumble over anything
        unreadable.append((picture, error))
        return None


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "ClusterReport needs Pillow to show pictures, which is not installed: "
            "pip install sklearn-gcncluster[report]"
        ) from error
    return Image


def _pixels(picture, row):
    """Array as uint8 of shape (height, width) or (height, width, 3 or 4)."""
    array = np.asarray(picture)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))) or 0 in array.shape:
        raise ValueError(
            f"The picture of row {row} has shape {array.shape}; give (height, width), or (height, width, 3) "
            "for colours."
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "biuf":
        raise ValueError(f"The picture of row {row} must hold numbers, got {array.dtype.name} values.")
    most = 255 if array.dtype.kind in "iu" else 1
    low, high = array.min(), array.max()
    if not 0 <= low <= high <= most:
        raise ValueError(
            f"The picture of row {row} has values from {low} to {high}; give integers from 0 to 255, or "
            "floats from 0 to 1."
        )
    return np.rint(array * (255 // most)).astype(np.uint8)


def _of_eight_bits(image):
    """Grey values of more bits, such as of microscopes, from lowest to highest: Pillow would cut them."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = values.min(), values.max()
    return Image.fromarray(np.rint((values - low) * (255 / max(high - low, 1e-300))).astype(np.uint8))


def _encode(image, size):
    """Address of an image, which is made smaller on the way."""
    from PIL import ImageOps

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _of_eight_bits(image)
    image.thumbnail((size, size), reducing_gap=_GAP)
    image = ImageOps.exif_transpose(image)  # cameras turn a note, not the picture
    transparent = image.has_transparency_data
    if image.mode not in ("L", "RGB") or transparent:
        image = image.convert("RGBA" if transparent else "RGB")
    kind = "PNG" if transparent or max(image.size) < _LINES_BELOW else "JPEG"
    file = BytesIO()
    image.save(file, kind, **({"quality": 80} if kind == "JPEG" else {"compress_level": 3}))
    return f"data:image/{kind.lower()};base64,{b64encode(file.getvalue()).decode()}"
