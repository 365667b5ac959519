"""What a report shows, as plain values: computed here, rendered elsewhere.

The content is what :meth:`ClusterReport.to_json` writes, so it holds dicts, lists, strings and numbers only::

    title, n_samples
    clusters        number, size, predicted_iou, predicted_iop and rows of each, the largest first;
                    of the rows the exemplar comes first, then those with the highest probability
    outliers        their rows
    ids, texts, probabilities    by row, or None
    questions       kind, first, second, gain and clusters of each, as given
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from .._labels import integers

_CONTROL = dict.fromkeys([*range(32), *range(127, 160)], "\N{REPLACEMENT CHARACTER}")
_CONTROL |= {ord(sign): sign for sign in "\t\n"}


def report_content(
    labels: Any,
    *,
    probabilities: Any = None,
    cluster_scores: Any = None,
    texts: Any = None,
    ids: Any = None,
    exemplars: Any = None,
    questions: Any = None,
    title: str = "Clusters",
) -> dict[str, Any]:
    """Check the inputs of a report and arrange what it shows; parameters are those of `ClusterReport`."""
    labels = integers(labels, "labels")
    numbers, codes, sizes = np.unique(labels[labels >= 0], return_inverse=True, return_counts=True)
    shares = _probabilities(probabilities, len(labels))
    scores = _for_json(_cluster_scores(cluster_scores, len(numbers)))
    rows = np.flatnonzero(labels >= 0)
    order = np.lexsort((rows, -np.nan_to_num(shares[rows]), codes))
    members = np.split(rows[order], np.cumsum(sizes)[:-1]) if len(numbers) else []
    if exemplars is not None:
        members = _exemplars_first(members, exemplars, numbers, labels)
    return {
        "title": plain(title),
        "n_samples": len(labels),
        "clusters": [
            {
                "number": int(numbers[cluster]),
                "size": int(sizes[cluster]),
                "predicted_iou": scores[cluster][0],
                "predicted_iop": scores[cluster][1],
                "rows": members[cluster].tolist(),
            }
            for cluster in np.argsort(-sizes, kind="stable")
        ],
        "outliers": np.flatnonzero(labels < 0).tolist(),
        "ids": _strings(ids, "ids", len(labels)),
        "texts": _strings(texts, "texts", len(labels)),
        "probabilities": None if probabilities is None else _for_json(shares),
        "questions": _questions(questions, len(labels)),
    }


def picture_order(content: dict[str, Any]) -> np.ndarray:
    """Rows in the order in which pictures of them are of use.

    First those that questions are about, as half of all, then the exemplars of all clusters, then
    the second of each cluster, and so on.
    """
    groups = [cluster["rows"] for cluster in content["clusters"]] + [content["outliers"]]
    lengths = [len(group) for group in groups]
    rank = np.concatenate([np.arange(length) for length in lengths])
    in_turn = np.concatenate([np.asarray(group, dtype=int) for group in groups])
    in_turn = in_turn[np.argsort(rank, kind="stable")]
    asked = [question[end] for question in content["questions"] for end in ("first", "second")]
    turns = np.concatenate([np.arange(len(asked)), np.arange(len(in_turn))])
    both = np.concatenate([np.asarray(asked, dtype=int), in_turn])[np.argsort(turns, kind="stable")]
    _, first = np.unique(both, return_index=True)
    return both[np.sort(first)]


def plain(value: object) -> str:
    """Value as text that any file can hold: names of files may have bytes that are no characters."""
    text = str(value)
    if text.isprintable():  # as most are
        return text
    return text.encode("utf-8", "replace").decode().translate(_CONTROL)


def _probabilities(probabilities, n_samples):
    if probabilities is None:
        return np.zeros(n_samples)
    shares = column_or_1d(probabilities).astype(float)
    _check_length(shares, "probabilities", n_samples, "samples")
    wrong = shares[(shares < 0) | (shares > 1)]
    if len(wrong):
        raise ValueError(f"probabilities ({wrong[0]}) must be from 0 to 1.")
    return shares


def _cluster_scores(cluster_scores, n_clusters):
    if cluster_scores is None:
        return np.full((n_clusters, 2), np.nan)
    scores = np.asarray(cluster_scores, dtype=float)
    if scores.shape != (n_clusters, 2):
        raise ValueError(
            f"cluster_scores has shape {scores.shape}, but labels have {n_clusters} clusters; give "
            f"predicted IoU and IoP of each, in the order of their numbers: shape ({n_clusters}, 2)."
        )
    return scores


def _exemplars_first(members, exemplars, numbers, labels):
    """Rows of each cluster with its exemplar in front."""
    exemplars = integers(exemplars, "exemplars")
    _check_length(exemplars, "exemplars", len(numbers), "clusters")
    for number, row in zip(numbers, exemplars, strict=True):
        if not 0 <= row < len(labels) or labels[row] != number:
            found = (
                f"in cluster {labels[row]}" if 0 <= row < len(labels) else f"not one of {len(labels)} rows"
            )
            raise ValueError(
                f"The exemplar of cluster {number}, row {row}, is {found}. Give the row of a member of each "
                "cluster, in the order of their numbers."
            )
    return [np.concatenate([[row], rows[rows != row]]) for row, rows in zip(exemplars, members, strict=True)]


def _strings(values, name, n_samples):
    if values is None:
        return None
    values = list(values)
    _check_length(values, name, n_samples, "samples")
    return [plain(value) for value in values]


def _check_length(values, name, expected, of_what):
    if len(values) != expected:
        raise ValueError(f"{name} has {len(values)} values for {expected} {of_what}; give one for each.")


def _questions(questions, n_samples):
    checked = []
    for place, question in enumerate(_records(questions)):
        where = f"Question {place}"
        if not {"first", "second"} <= question.keys():
            raise ValueError(
                f"{where} has {', '.join(map(repr, question)) or 'nothing'}, but must have 'first' and "
                "'second', the rows of two samples."
            )
        first, second = (_row(question[end], f"{where}: {end}", n_samples) for end in ("first", "second"))
        if first == second:
            raise ValueError(f"{where} asks about row {first} twice; first and second must differ.")
        told = {name: value for name, value in question.items() if not _is_missing(value)}
        kind, clusters, gain = (told.get(name) for name in ("kind", "clusters", "gain"))
        checked.append(
            {
                "kind": "" if kind is None else plain(kind),
                "first": first,
                "second": second,
                "gain": None if gain is None else _for_json(float(gain)),
                "clusters": [] if clusters is None else np.ravel(clusters).astype(int).tolist(),
            }
        )
    return checked


def _is_missing(value):
    """Whether a cell of a table is empty: None, or NaN and its kin, which are not equal to themselves."""
    if value is None or np.ndim(value) > 0:
        return value is None
    try:
        return bool(value != value)
    except TypeError:  # of the NA of pandas, which is neither equal nor different
        return True


def _records(table):
    """Rows of a table as dicts; the table is a data frame, a dict of columns, an array, or dicts already."""
    if table is None:
        return []
    if hasattr(table, "to_dicts"):
        return table.to_dicts()
    if isinstance(table, np.ndarray) and table.dtype.names:
        table = {name: table[name] for name in table.dtype.names}
    if not isinstance(table, Mapping) and not hasattr(table, "columns"):
        return [dict(record) for record in table]
    names = list(table)
    return [
        dict(zip(names, record, strict=True)) for record in zip(*(table[name] for name in names), strict=True)
    ]


def _row(value, what, n_samples):
    try:
        row = operator.index(value)
    except TypeError:
        raise ValueError(f"{what} must be the row of a sample, got {value!r}.") from None
    if not 0 <= row < n_samples:
        raise ValueError(f"{what} is row {row}, but there are {n_samples} samples; rows count from 0.")
    return row


def _for_json(numbers: Any) -> Any:
    """A number or (nested) lists of numbers; those that JSON does not know are None, and four digits do."""
    return np.where(np.isfinite(numbers), np.round(numbers, 4), np.array(None)).tolist()
