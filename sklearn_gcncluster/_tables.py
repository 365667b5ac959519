"""Samples and labels from files: .npy, .npz, .csv and .parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._foreign import reading
from ._warning import warn

_SAMPLES = ("X",)
_INDEX = ("", "Unnamed: 0")
"""Names of the column that counts rows, in tables that pandas wrote."""
_LABELS = ("y", "label", "labels", "class", "target", "cluster")
"""Names of what is asked for, among several arrays or columns; the first that is there is taken."""


def read_samples(path: str | os.PathLike[str]) -> np.ndarray:
    """Samples of a file.

    Parameters
    ----------
    path : str or path-like
        An array, the array ``X`` or the only one of an archive, a table of numbers with or without a header
        (0, 1, 2 and so on is one, too), or a Parquet file of columns of numbers, or with one column of lists.

    Returns
    -------
    samples : ndarray of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If the file has another form, or holds something else than numbers.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == ".csv":
        return _csv_numbers(path)
    if kind == ".parquet":
        return _parquet_numbers(path)
    samples = _array(path, _SAMPLES)
    if samples.ndim != 2 or samples.dtype.kind not in "biuf":
        raise ValueError(
            f"{path} holds an array of shape {samples.shape} with {samples.dtype.name} values; samples are "
            "numbers, and the array has the shape (n_samples, n_features)."
        )
    return samples


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """Classes or clusters of a file, one for each sample.

    Parameters
    ----------
    path : str or path-like
        An array, or a table of one column, with or without a header. Of several arrays or columns the one
        that is called y, label, labels, class, target or cluster is taken.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Names are numbered in the order of the alphabet, with -1 for "-1".

    Raises
    ------
    ValueError
        If the file has another form, or if a label is missing.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == ".csv":
        return _numbered(_csv_column(path), path)
    if kind == ".parquet":
        table = _parquet(path)
        labels = table.column(_choose(table.column_names, _LABELS, "columns", path)).to_pylist()
        return _numbered(["" if label is None else str(label) for label in labels], path)
    labels = _array(path, _LABELS)
    if labels.ndim != 1:
        raise ValueError(
            f"{path} holds an array of shape {labels.shape}; labels are one-dimensional, one for each sample."
        )
    return labels if labels.dtype.kind in "biuf" else _numbered(labels.astype(str).tolist(), path)


def _kind(path):
    kind = path.suffix.lower()
    if kind not in (".npy", ".npz", ".csv", ".parquet"):
        raise ValueError(f"{path} has the suffix {kind!r}; give a file .npy, .npz, .csv or .parquet.")
    return kind


def _array(path, names):
    """Array of a file .npy, or the one of a file .npz that has one of the names."""
    with path.open("rb") as file:  # by ourselves, since NumPy leaves files open that it cannot read
        with reading(path):
            loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return loaded
        name = _choose(loaded.files, names, "arrays", path)
        with reading(path):
            return loaded[name]


def _choose(found: Sequence[str], names: Sequence[str], what: str, path: Path) -> str:
    """The only name, or the first of those that are looked for."""
    if len(found) == 1:
        return found[0]
    for name in names:
        if name in found:
            return name
    listed = ", ".join(found[:10]) + (", ..." if len(found) > 10 else "")
    raise ValueError(
        f"{path} has {len(found)} {what} ({listed}), and none is called {' or '.join(names)}. Name one so."
    )


def _csv_numbers(path):
    with path.open(encoding="utf-8-sig", newline="") as file, reading(path):
        first = next(csv.reader(file), [])
    if not first:
        raise ValueError(f"{path} is empty; give a table with a row of numbers for each sample.")
    unnamed = [str(number) for number in range(len(first))]  # so pandas calls columns without a name
    header = not all(map(_is_number, first)) or (len(first) > 1 and first == unnamed)
    try:
        table = np.loadtxt(
            path,
            delimiter=",",
            skiprows=int(header),
            ndmin=2,
            comments=None,
            encoding="utf-8-sig",
            quotechar='"',
        )
    except ValueError as error:
        raise ValueError(
            f"{path} is no table of numbers: {str(error).rstrip('.')}; rows are counted from 0 below the "
            "header, columns from 1. Leave out columns of other things."
        ) from error
    # So pandas writes the index, unless told otherwise; as a feature it would drown the others.
    nameless = header and first[0] in _INDEX and len(first) > 1
    if nameless and len(table) and np.array_equal(table[:, 0], np.arange(len(table))):
        warn(
            f"The first column of {path} has no name and counts the rows, so it is taken for an index and "
            "left out. Give it a name if it is a feature."
        )
        return table[:, 1:]
    return table


def _csv_column(path: Path) -> list[str]:
    """Column of a table, without its header."""
    with path.open(encoding="utf-8-sig", newline="") as file, reading(path):
        rows = [row for row in csv.reader(file) if row]
    if not rows:
        raise ValueError(f"{path} is empty; give a table with a label for each sample.")
    first = rows[0]
    if len(first) > 1:
        place = first.index(_choose(first, _LABELS, "columns", path))
    else:
        place = 0
    for line, row in enumerate(rows, start=1):
        if len(row) != len(first):
            raise ValueError(f"{path} has {len(row)} cells in row {line}, and {len(first)} in the first row.")
    labels = [row[place].strip() for row in rows]
    # A single column may go without a header. Of labels that are strings it is one if it is called so.
    others_are_numbers = len(labels) > 1 and all(map(_is_integer, labels[1:])) and not _is_integer(labels[0])
    return labels[1:] if labels[0] in _LABELS or others_are_numbers else labels


def _numbered(labels: list[str], path: Path) -> np.ndarray:
    """Labels as integers: what they are called makes no difference, but for -1."""
    if "" in labels:
        raise ValueError(f"{path} has no label for sample {labels.index('')}. Unlabelled samples have -1.")
    if all(map(_is_integer, labels)):
        integers = list(map(int, labels))
        if max(map(abs, integers), default=0) < 2**63:
            return np.array(integers, dtype=np.int64)  # larger ones, such as hashes, are names
    elif all(map(_is_number, labels)):
        numbers = np.array(labels, dtype=float)  # as tables have them that had gaps
        exact = np.abs(numbers) < 2**53
        wrong = np.flatnonzero(~exact | (numbers != np.round(numbers)))
        if len(wrong):
            raise ValueError(
                f"{path} has the label {labels[wrong[0]]} for sample {wrong[0]}; give integers or names."
            )
        return numbers.astype(np.int64)
    named = np.array(labels)
    codes = np.unique(named, return_inverse=True)[1]
    return np.where(named == "-1", -1, codes)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_integer(text):
    try:
        int(text)
    except ValueError:
        return False
    return True


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"{path} is a Parquet file, which pyarrow reads, and that is not installed: pip install pyarrow"
        ) from error
    with reading(path):
        return parquet.read_table(path)


def _parquet_numbers(path):
    table = _parquet(path)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    if len(columns) == 1:
        ((name, column),) = columns.items()
        if column.dtype == object and len(column) and all(np.ndim(row) == 1 for row in column):
            if len({len(row) for row in column}) > 1:
                raise ValueError(f"Column {name!r} of {path} has lists of several lengths; give one length.")
            return np.stack(list(column))
    for name, column in columns.items():
        if column.dtype.kind not in "biuf":
            raise ValueError(
                f"Column {name!r} of {path} has {column.dtype.name} values; give columns of numbers only, or "
                "one column of lists of numbers."
            )
    return np.column_stack(list(columns.values()))
