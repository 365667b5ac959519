"""ClusterReport: clusters as a page to look at, to search and to correct."""

from __future__ import annotations

import csv
import json
import os
from functools import cached_property
from io import StringIO
from typing import Any

from .._files import replacing
from ._content import picture_order, report_content
from ._html import frame, render
from ._pictures import embedded_pictures

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""First signs by which spreadsheets take a cell for a formula; the wide ones in Japanese versions."""


class ClusterReport:
    """Clusters as one HTML page that needs nothing else.

    The page shows clusters by size or by predicted IoU, exemplars first, and finds samples by name, text and
    cluster. Questions are asked one at a time: two samples, *same*, *different* or *skip*, by button or by
    key. What was decided is downloaded as JSON, and :func:`load_decisions` makes constraints of it.

    It is a file to keep or to send (:meth:`write_html`), and shows in notebooks by itself. It loads nothing
    from elsewhere, and what is given as names and texts is only ever shown. Readers whose browser runs no
    scripts see tables.

    Parameters
    ----------
    labels : array-like of int of shape (n_samples,)
        Cluster of each sample, of any clusterer; negative numbers are outliers.
    probabilities : array-like of float of shape (n_samples,), default=None
        How surely each sample belongs to its cluster, from 0 to 1, such as ``probabilities_``.
    cluster_scores : array-like of float of shape (n_clusters, 2), default=None
        Predicted IoU and IoP of each cluster in the order of their numbers, such as ``cluster_scores_``.
    pictures : sequence of length n_samples or callable, default=None
        Picture of each sample, or a function that gives that of a row. Each is the path of a file, an array
        of shape (height, width) or (height, width, 3), of integers from 0 to 255 or floats from 0 to 1, an
        image of Pillow, or None for none. Needs Pillow: ``pip install sklearn-gcncluster[report]``.
    texts : sequence of str of length n_samples, default=None
        Text of each sample. The page shows 300 characters of it.
    ids : sequence of length n_samples, default=None
        Name of each sample; None takes row numbers.
    exemplars : array-like of int of shape (n_clusters,), default=None
        Row of the most typical member of each cluster, in the order of their numbers. None takes the first
        with the highest probability.
    questions : DataFrame, dict of columns, list of dicts or structured array, default=None
        What to ask, in this order. Columns ``first`` and ``second`` are the rows of two samples; ``kind``
        (such as "merge", "split" or "outlier"), ``gain`` (what an answer is worth) and ``clusters`` (numbers
        of those that it touches) may be missing.
    title : str, default="Clusters"
        Of the page.
    max_megabytes : float, default=5
        Size of all embedded pictures, at most; it makes room for some 1,000 photographs or 10,000 small
        drawings. Half of them are of samples in question. Of the others each cluster has one, then each a
        second one, and so on. Samples that are left are shown by name.
    picture_size : int, default=128
        Width and height of embedded pictures in pixels, at most.

    Attributes
    ----------
    content : dict
        What the page shows but for the pictures, as plain values. :meth:`to_json` writes it.

    Raises
    ------
    ValueError
        If lengths or values do not fit each other, such as an exemplar outside of its cluster.

    See Also
    --------
    load_decisions : Constraints from the decisions that were made on the page.

    Notes
    -----
    Pictures are read when the page is made, and only those that it embeds. Files that cannot be read are left
    out with a warning.

    Inside a notebook, browsers keep no answers from one visit to the next; those in a file they do.

    Examples
    --------
    >>> from sklearn_gcncluster import ClusterReport
    >>> labels = [0, 0, 0, 1, 1, -1]
    >>> texts = ["plum", "plums", "a plum", "pear", "pears", "plane"]
    >>> report = ClusterReport(labels, texts=texts, questions=[{"first": 0, "second": 5}])
    >>> report
    ClusterReport(n_samples=6, n_clusters=2, n_questions=1)
    >>> [cluster["size"] for cluster in report.content["clusters"]]
    [3, 2]
    >>> report.write_html("report.html")  # doctest: +SKIP
    """

    def __init__(
        self,
        labels: Any,
        *,
        probabilities: Any = None,
        cluster_scores: Any = None,
        pictures: Any = None,
        texts: Any = None,
        ids: Any = None,
        exemplars: Any = None,
        questions: Any = None,
        title: str = "Clusters",
        max_megabytes: float = 5,
        picture_size: int = 128,
    ):
        self.content = report_content(
            labels,
            probabilities=probabilities,
            cluster_scores=cluster_scores,
            texts=texts,
            ids=ids,
            exemplars=exemplars,
            questions=questions,
            title=title,
        )
        n_samples = self.content["n_samples"]
        if pictures is not None and not callable(pictures):
            pictures = list(pictures)
            if len(pictures) != n_samples:
                raise ValueError(
                    f"pictures has {len(pictures)} values for {n_samples} samples; give one for each, None "
                    "for none, or a function of the row."
                )
        if max_megabytes < 0:
            raise ValueError(f"max_megabytes ({max_megabytes}) must be at least 0.")
        if picture_size < 1:
            raise ValueError(f"picture_size ({picture_size}) must be at least 1.")
        self._pictures, self._max_megabytes, self._picture_size = pictures, max_megabytes, picture_size

    def __repr__(self) -> str:
        counts = {
            "n_samples": self.content["n_samples"],
            "n_clusters": len(self.content["clusters"]),
            "n_questions": len(self.content["questions"]),
        }
        return f"ClusterReport({', '.join(f'{name}={value}' for name, value in counts.items())})"

    def _repr_html_(self) -> str:
        return frame(self._page, self.content["title"])

    def write_html(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            File to write; one that exists is replaced.
        """
        _write(path, self._page)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Write the clusters as a table with one line for each sample.

        Columns are ``row``, ``id`` and ``text`` if there are any, ``cluster`` (-1 for outliers) and
        ``probability`` if there are any. Names and texts that a spreadsheet would take for a formula, as they
        begin with ``=``, ``+``, ``-`` or ``@``, get an apostrophe in front.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write, whole or not at all; None returns the table.

        Returns
        -------
        table : str or None
            The table if `path` is None.
        """
        clusters = [-1] * self.content["n_samples"]
        for cluster in self.content["clusters"]:
            for row in cluster["rows"]:
                clusters[row] = cluster["number"]
        columns = {
            "row": range(len(clusters)),
            "id": _defused(self.content["ids"]),
            "text": _defused(self.content["texts"]),
            "cluster": clusters,
            "probability": self.content["probabilities"],
        }
        given = {name: column for name, column in columns.items() if column is not None}
        table = StringIO(newline="")
        # With quotes around all texts, no sign in them is a separator, whichever a spreadsheet takes.
        writer = csv.writer(table, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(given)
        writer.writerows(zip(*given.values(), strict=True))
        return _write(path, table.getvalue())

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Write what the page shows, but for the pictures, as JSON.

        Parameters
        ----------
        path : str or path-like, default=None
            File to write, whole or not at all; None returns the text.

        Returns
        -------
        text : str or None
            ``json.loads(text)`` equals ``content``; None if `path` is given.
        """
        return _write(path, json.dumps(self.content, ensure_ascii=False))

    @cached_property
    def _page(self) -> str:
        pictures = {}
        if self._pictures is not None:
            rows = picture_order(self.content)
            pictures = embedded_pictures(self._pictures, rows, self._max_megabytes, self._picture_size)
        return render(self.content, pictures)


def _defused(texts):
    if texts is None:
        return None
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]


def _write(path, text):
    if path is None:
        return text
    with replacing(path) as part:
        part.write_bytes(text.encode())  # as bytes, so that no platform changes the ends of lines
    return None
