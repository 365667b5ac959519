"""Draws -> labelled graphs, as the estimator makes them of embeddings, distances or graphs."""

from __future__ import annotations

import random as shuffling
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from base import SEED
from draws import MIX, as_graph, drawn, synthetic

from sklearn_gcncluster._graph._affinity import GraphSettings, neighbor_lists
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._given import graph_samples
from sklearn_gcncluster._graph._link_models import View
from sklearn_gcncluster._graph._links import Links, link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._graph._samples import aggregate_labels, distinct_samples

N_NEIGHBORS = 80
DEPTHS = (1, 1, 1, 3 / 8, 1 / 8)
"""Shares of the neighbour lists, so that some classes are larger than the lists."""
GRAPHS = 0.1  # share of the sets of which nothing but a graph of affinities is told
AFFINITY = "precomputed_affinity"
DISTANCES = 0.08  # share of the sets of which nothing but distances is told
SHORT = 300  # samples up to which lists are not cut
COPIES = 40  # of equal rows that are kept, as fit does
N_FOLDS = 4
N_LINKS = 2_000  # of a draw that models of links learn from


class Draw(NamedTuple):
    """A training set, told by where it comes from; it is made again whenever it is needed."""

    source: Path | None
    """File of the labelled set, None for a generator."""
    number: int
    fold: int
    """Models of this fold never see the draw."""


def all_draws(folder: Path, n_draws: int, n_synthetic: int) -> list[Draw]:
    """All draws, in an order of chance: they take from no time to minutes."""
    files = sorted(path for path in folder.glob("*.npz") if not path.stem.endswith(".part"))
    real = [
        Draw(path, number, place % N_FOLDS) for place, path in enumerate(files) for number in range(n_draws)
    ]
    made = [Draw(None, number, number // len(MIX) % N_FOLDS) for number in range(n_synthetic)]
    draws = real + made
    shuffling.Random(0).shuffle(draws)
    return draws


def samples_of(draw: Draw, random: np.random.Generator):
    """X and y of a draw, and its metric."""
    if draw.source is None:
        X, y = synthetic(draw.number, random)
        if sp.issparse(X):
            return (X, y), AFFINITY
        return (X, y), "euclidean" if X.shape[1] < 32 else "cosine"  # as metric="auto" has it
    with np.load(draw.source) as stored:
        metric = str(stored["metric"])
        return drawn(stored["X"], stored["y"], metric, random), metric


def view_of(draw: Draw) -> View:
    """The graph of a draw."""
    name = "synthetic" if draw.source is None else draw.source.stem
    random = np.random.default_rng([SEED, crc32(name.encode()), draw.number])
    (X, y), metric = samples_of(draw, random)
    y = np.unique(y, return_inverse=True)[1]
    if metric != AFFINITY:
        samples = distinct_samples(X, metric, COPIES)
        rows, y = samples.rows, aggregate_labels(y, samples)
        longest = list_length(samples.n_distinct, len(rows))
        neighbors, distances = nearest_neighbors(rows, longest, metric=metric)
        unlike = dissimilarities_of(distances, metric)
        told = random.random()
        if told >= GRAPHS:
            share = random.choice(DEPTHS) if len(y) > SHORT else 1
            depth = max(int(longest * share), 1)
            links = link(neighbors[:, :depth], unlike[:, :depth])
            return as_view(rows if told >= GRAPHS + DISTANCES else None, links, y, draw)
        X = as_graph(neighbors, unlike, random)
    longest = list_length(len(y), len(y))
    lists = graph_samples(X, AFFINITY, longest).rows
    settings = GraphSettings(longest, AFFINITY, "auto", "learned", False, SEED)
    neighbors, unlike, _ = neighbor_lists(lists, settings)
    return as_view(None, link(neighbors, unlike), y, draw)


def list_length(n_distinct: int, n_rows: int) -> int:
    """Length of neighbour lists, as the estimator has it."""
    return min(N_NEIGHBORS, max(n_distinct // 8, 10), n_rows - 1)


def as_view(rows: np.ndarray | None, links: Links, y: np.ndarray, draw: Draw) -> View:
    """The graph, and how much may be learned of it."""
    return View(rows, rows, links, y, np.full(len(y), draw.fold), N_LINKS)
