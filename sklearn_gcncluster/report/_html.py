"""Content of a report as one HTML page that needs nothing else.

The page is drawn by its script from the content, which it holds as JSON. For readers without scripts, there
are tables in ``<noscript>``. Three things keep what users gave from becoming a part of the page: it is
escaped here, the script makes text nodes of it, and a policy in the page allows no other script or style than
its own, by their hashes, and no connection.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np

from ._decisions import FORMAT

_TEXT_LENGTH = 300
"""Characters of each text in the page."""
_N_CLUSTERS, _N_PICTURES, _N_QUESTIONS = 500, 100, 200
"""Rows and pictures of the tables for readers without scripts."""
_HEIGHT = 720
"""Of the page in a notebook, in pixels."""


def render(content: dict[str, Any], pictures: dict[int, str]) -> str:
    """The page.

    Parameters
    ----------
    content : dict
        As :func:`~sklearn_gcncluster.report._content.report_content` makes it.
    pictures : dict of int to str
        Addresses with ``data:`` of pictures, by row.

    Returns
    -------
    page : str
    """
    style, script = _file("page.css"), _file("page.js")
    data = content | {
        "texts": _cut(content["texts"]),
        "pictures": pictures,
        "format": FORMAT,
        # Answers that a browser keeps belong to these clusters and questions, and to no others.
        "digest": sha256(json.dumps(content).encode()).hexdigest(),
    }
    tables = [_cluster_table(content, pictures), _question_table(content)]
    return Template(_file("page.html")).substitute(
        policy=(
            f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        title=escape(content["title"]),
        css=style,
        summary="\n".join(
            f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in _summary(content).items()
        ),
        tables="\n".join(table for table in tables if table),
        content=_json(data),
        script=script,
    )


def frame(page: str, title: str) -> str:
    """The page inside a frame, so that it and the notebook around it know nothing of each other."""
    return (
        f'<iframe title="{escape(title)}" srcdoc="{escape(page)}" sandbox="allow-scripts allow-downloads" '
        f'style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
    )


def _summary(content):
    """Figures at the top of the page, as text by name."""
    sizes = [cluster["size"] for cluster in content["clusters"]]
    iou = [cluster["predicted_iou"] for cluster in content["clusters"]]
    iou = [value for value in iou if value is not None]
    n_outliers, n_samples = len(content["outliers"]), content["n_samples"]
    share = f" ({n_outliers / n_samples:.0%})" if n_outliers else ""
    summary = {
        "samples": f"{n_samples:,}",
        "clusters": f"{len(sizes):,}",
        "outliers": f"{n_outliers:,}{share}",
    }
    if sizes:
        summary |= {"largest cluster": f"{max(sizes):,}", "median size": f"{np.median(sizes):,.0f}"}
    if iou:
        summary["median predicted IoU"] = f"{np.median(iou):.2f}"
    if content["questions"]:
        summary["questions"] = f"{len(content['questions']):,}"
    return summary


def _cluster_table(content, pictures):
    clusters = content["clusters"]
    first = [cluster["rows"][0] for cluster in clusters]
    shown = {row: pictures[row] for row in first[:_N_PICTURES] if row in pictures}
    rows = [
        [
            cluster["number"],
            cluster["size"],
            cluster["predicted_iou"],
            cluster["predicted_iop"],
            _sample(content, row, shown),
        ]
        for cluster, row in zip(clusters, first, strict=True)
    ]
    head = ["cluster", "samples", "predicted IoU", "predicted IoP", "exemplar"]
    return _table("Clusters", head, rows, _N_CLUSTERS)


def _question_table(content):
    rows = [
        [
            escape(question["kind"]),
            _sample(content, question["first"]),
            _sample(content, question["second"]),
            ", ".join(map(str, question["clusters"])),
            question["gain"],
        ]
        for question in content["questions"]
    ]
    head = ["question", "first sample", "second sample", "clusters", "gain"]
    return _table("Questions: do the two samples belong together?", head, rows, _N_QUESTIONS)


def _sample(content, row, pictures=()):
    """Cell of a sample: picture, name and text, where there are any."""
    name = escape(str(row) if content["ids"] is None else content["ids"][row])
    picture = (
        f'<img src="{pictures[row]}" alt="Picture of {name}" loading="lazy"> ' if row in pictures else ""
    )
    text = f": {escape(_cut(content['texts'][row : row + 1])[0])}" if content["texts"] else ""
    return f'{picture}<span dir="auto">{name}{text}</span>'


def _table(caption, head, rows, limit):
    """Table of rows whose texts are escaped; columns without any value are left out."""
    if not rows:
        return ""
    filled = [place for place in range(len(head)) if any(row[place] not in (None, "") for row in rows)]
    more = f" (the first {limit:,} of {len(rows):,})" if len(rows) > limit else ""
    lines = [f"<table><caption>{caption}{more}</caption>", "<thead><tr>"]
    lines += [f'<th scope="col">{head[place]}</th>' for place in filled]
    lines.append("</tr></thead><tbody>")
    for row in rows[:limit]:
        lines.append(f"<tr>{''.join(_cell(row[place]) for place in filled)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _cell(value):
    if isinstance(value, str):
        return f"<td>{value}</td>"
    return f'<td class="number">{"" if value is None else value}</td>'


def _cut(texts):
    if texts is None:
        return None
    return [text if len(text) <= _TEXT_LENGTH else f"{text[: _TEXT_LENGTH - 1]}…" for text in texts]


def _json(value):
    """JSON that no script element ends early: it has no sign that HTML gives a meaning to."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _hash(source):
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


@cache
def _file(name):
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
