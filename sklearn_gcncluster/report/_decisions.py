"""Answers that were given on the page, as constraints.

The page writes them as JSON::

    must_link     pairs of row numbers that were called the same
    cannot_link   pairs that were called different
    skipped       pairs without an answer
    n_samples     of the report, so that they are not taken for rows of other samples
    format        number of this format

A file written by hand needs must_link or cannot_link only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FORMAT = 1
_MOST = 2**63
"""Rows that an array of int64 can hold."""


class Decisions(NamedTuple):
    """Which samples belong together and which do not, as returned by :func:`load_decisions`.

    Attributes
    ----------
    must_link : int64 ndarray of shape (n_same, 2)
        Pairs of row numbers of samples that belong together.
    cannot_link : int64 ndarray of shape (n_different, 2)
        Pairs of samples that do not.
    """

    must_link: np.ndarray
    cannot_link: np.ndarray


def load_decisions(
    decisions: str | os.PathLike[str] | Mapping[str, Any], *, n_samples: int | None = None
) -> Decisions:
    """Read the decisions that were made in a :class:`ClusterReport`.

    Parameters
    ----------
    decisions : str, path-like or dict
        Path of the file that was downloaded from the report, its text, or what :func:`json.loads` makes of
        it. Text begins with a brace. A file of one's own needs ``must_link`` or ``cannot_link`` only, lists
        of pairs of row numbers.
    n_samples : int, default=None
        Number of samples that the rows are of. Decisions about another number of samples are an error; None
        takes the number of the report.

    Returns
    -------
    decisions : Decisions
        Two arrays of row numbers, ``must_link`` and ``cannot_link``, of shape (n_pairs, 2). Skipped
        questions are in neither.

    Raises
    ------
    ValueError
        If it is no such JSON, if a pair is not two different rows of the samples, or if a pair was called
        both the same and different.
    OSError
        If the file cannot be read.

    See Also
    --------
    ClusterReport : Where the decisions are made.

    Examples
    --------
    >>> from sklearn_gcncluster import load_decisions
    >>> must_link, cannot_link = load_decisions('{"must_link": [[0, 4], [2, 3]], "cannot_link": [[1, 4]]}')
    >>> must_link
    array([[0, 4],
           [2, 3]])
    >>> cannot_link
    array([[1, 4]])
    """
    content, name = _parse(decisions)
    if not isinstance(content, Mapping) or not ({"must_link", "cannot_link"} & content.keys()):
        raise ValueError(
            f"{name} holds no decisions: it must be a JSON object with the pairs must_link or cannot_link. "
            "Give the file that was downloaded from a ClusterReport."
        )
    written = content.get("format", FORMAT)
    if written != FORMAT:
        raise ValueError(
            f"{name} has format {written!r}, and this version reads format {FORMAT}. Install a later "
            "version: pip install --upgrade sklearn-gcncluster"
        )
    of_report = content.get("n_samples")
    if of_report is not None and (isinstance(of_report, bool) or not isinstance(of_report, int)):
        raise ValueError(f"n_samples of {name} must be an integer, got {of_report!r}.")
    if None not in (n_samples, of_report) and n_samples != of_report:
        raise ValueError(
            f"{name} was made of {of_report} samples, but there are {n_samples}, so its rows may be others. "
            "Give the samples of the report, in the same order."
        )
    limit = of_report if n_samples is None else n_samples
    must_link, cannot_link = (_pairs(content, part, limit, name) for part in Decisions._fields)
    both = {tuple(sorted(pair)) for pair in must_link.tolist()} & {
        tuple(sorted(pair)) for pair in cannot_link.tolist()
    }
    if both:
        raise ValueError(
            f"Samples {min(both)} of {name} are called the same and different. Take the pair out of "
            "must_link or of cannot_link."
        )
    return Decisions(must_link, cannot_link)


def _parse(decisions):
    """What the JSON holds, and what to call it in errors."""
    if isinstance(decisions, Mapping):
        return decisions, "The dict"
    if isinstance(decisions, str) and decisions.lstrip()[:1] in ("{", "["):
        text, name = decisions, "The text"
    else:
        name = os.fspath(decisions)
        try:
            text = Path(name).read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{name} is no JSON: {error}.") from error
    try:
        return json.loads(text), name
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is no JSON: {error}. Download it again from the report.") from error


def _pairs(content, part, limit, name):
    """Pairs of rows under a key of the JSON, as an array."""
    pairs = content.get(part, [])
    if not isinstance(pairs, list | tuple | np.ndarray):
        raise ValueError(f"{part} of {name} must be a list of pairs of rows, got {pairs!r}.")
    for place, pair in enumerate(pairs):
        where = f"{part}[{place}] of {name}"
        rows = pair.tolist() if isinstance(pair, np.ndarray) else pair
        whole = isinstance(rows, list | tuple) and all(type(row) is int for row in rows)
        if not whole or len(rows) != 2:
            raise ValueError(f"{where} must be two row numbers, got {pair!r}.")
        if rows[0] == rows[1]:
            raise ValueError(f"{where} must be two different rows, got {rows[0]} twice.")
        for row in rows:
            if row < 0 or row >= (_MOST if limit is None else limit):
                most = "what an int64 holds" if limit is None else f"{limit}, the number of samples"
                raise ValueError(f"{where} has row {row}; rows are at least 0 and less than {most}.")
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
