"""Training sets drawn at random: of the labelled sets of `sets.py`, and of the generators of `synthetic.py`.

What a graph looks like depends on much besides its domain: on the sizes of classes, on how many there are,
on whether the embedding was made for telling such classes apart. Each draw varies all of these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from base import (
    Labelled,
    add_copies,
    add_noise,
    add_offset,
    in_bursts,
    log_uniform,
    numbered,
    places_in_class,
)
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize
from synthetic import alone, blobs, chains, families, identities, islands, matches, noise, scattered

Generator: TypeAlias = Callable[[np.random.Generator], tuple[Any, np.ndarray]]
MIN_CLASSES = 20  # with two or more samples, for an embedding to be learned from half of them
MIN_SAMPLES = 600  # of a set from which an embedding is learned
FEWEST = 30  # samples of a draw


places = partial(islands, cities=0.25)
MIX: tuple[Generator, ...] = (
    *(blobs, identities, places, identities, noise, matches, blobs, scattered, chains),
    *(places, blobs, families, identities, noise, blobs, scattered, places, alone),
    *(identities, families, blobs, noise, identities, scattered, noise, matches, chains),
    *(families, families, families, identities, families, scattered, families),
    *(blobs, blobs, families, places, scattered, partial(islands, tail=True)),
    *(partial(noise, dimensions=(8, 64)),) * 2,
)
"""Generators, taken in turn."""


def drawn(X: np.ndarray, y: np.ndarray, metric: str, random: np.random.Generator) -> Labelled:
    """Some classes in some of their samples, in this or another embedding, perhaps with noise or copies."""
    embedding = random.random()
    if embedding < 0.45 and (np.bincount(y) > 1).sum() >= MIN_CLASSES and len(y) >= MIN_SAMPLES:
        X, y = learned_embedding(X, y, random)
    elif embedding < 0.6 and X.shape[1] > 16:
        n_components = min(round(log_uniform(12, X.shape[1], random)), len(X) - 1)
        X = PCA(n_components, random_state=0).fit_transform(X)
    rows = some_classes(y, random)
    X, y = X[rows], numbered(y[rows])
    if random.random() < 0.2:
        X, y = in_bursts(X, y, random)
    if random.random() < 0.12 and X.shape[1] < len(X):
        X, y = add_noise(X, y, random.uniform(0.02, 0.4), random)
    if random.random() < 0.12:
        X, y = add_copies(X, y, random.uniform(0.02, 0.3), random)
    if metric == "cosine" and random.random() < 0.3:
        X = add_offset(X, random)
    return (normalize(X) if metric == "cosine" else X).astype(np.float32), numbered(y)


def some_classes(y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows of some classes: as they are in half of all cases, else of one size, or of sizes that fall off."""
    counts = np.bincount(y)
    n_classes, largest = len(counts), counts.max()
    mean = log_uniform(1.3, 1.2 * max(largest, 2), random)
    sizes = counts
    kind = random.integers(8)
    if kind == 0:
        sizes = np.full(n_classes, round(mean))
    elif kind == 1:
        sizes = random.geometric(1 / mean, n_classes)
    elif kind == 2:
        sizes = np.ceil(largest * (1 + random.permutation(n_classes)) ** -random.uniform(0.5, 1.5))
    elif kind == 3:  # an album: many are seen once
        seen_once = random.random(n_classes) < random.uniform(0.2, 0.8)
        sizes = np.where(seen_once, 1, random.geometric(1 / mean, n_classes))
    order = random.permutation(n_classes)
    reached = np.cumsum(np.minimum(counts, sizes)[order])
    kept = order[: max(np.searchsorted(reached, log_uniform(300, 6_000, random)) + 1, 2)]
    rows = np.flatnonzero(np.isin(y, kept) & (places_in_class(y, random) < sizes[y]))
    return rows if len(rows) >= FEWEST else random.permutation(len(y))[:FEWEST]


def learned_embedding(X: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Labelled:
    """Half of the classes, as linear discriminants learned from the other half show them.

    Most embeddings that people have were trained on other classes, to tell those apart.
    """
    seen = np.isin(y, random.permutation(y.max() + 1)[: (y.max() + 1) // 2])
    teaching = seen & (np.bincount(y)[y] > 1)
    widest = min(X.shape[1], len(np.unique(y[teaching])) - 1)
    discriminants = LinearDiscriminantAnalysis(
        solver="eigen",
        shrinkage=random.uniform(0.02, 0.5),
        n_components=min(widest, round(log_uniform(16, 128, random))),
    ).fit(X[teaching].astype(np.float64), y[teaching])
    return discriminants.transform(X[~seen].astype(np.float64)), numbered(y[~seen])


def as_graph(neighbors: np.ndarray, unlike: np.ndarray, random: np.random.Generator) -> sp.csr_array:
    """A graph as people give them: affinities of links within a radius, or of some, on a scale of its own."""
    rows, cols = np.repeat(np.arange(len(neighbors)), neighbors.shape[1]), neighbors.ravel()
    near = 1 - unlike.ravel() / max(np.quantile(unlike, random.choice([0.5, 0.9, 1.0])), 1e-12)
    kept = (near > 0) & (random.random(len(near)) < random.choice([0.5, 0.8, 1.0]))
    affinity = near[kept] ** log_uniform(0.3, 2, random)
    if random.random() < 0.5:  # from neighbours to probabilities
        affinity = 1 / (1 + np.exp((random.uniform(0.2, 0.6) - affinity) * log_uniform(5, 30, random)))
    affinity = np.clip(affinity, 1e-6, 1)
    return sp.csr_array((affinity, (rows[kept], cols[kept])), shape=(len(neighbors),) * 2)


def synthetic(number: int, random: np.random.Generator) -> tuple[np.ndarray | sp.csr_array, np.ndarray]:
    """A set of one of the generators; of some, a graph."""
    return MIX[number % len(MIX)](random)
