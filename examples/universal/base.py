"""What the sources of training sets share: recipes, sizes of classes, noise, copies, columns, components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler, normalize

SEED = 20_240_301

Labelled = tuple[np.ndarray, np.ndarray]
"""X (n_samples, n_features) and y (n_samples,)."""


class Recipe(NamedTuple):
    """How a set is made: its metric, and a function that makes it of a random generator."""

    metric: str
    make: Callable[[np.random.Generator], Labelled]


Packaged = tuple[str, Callable[[Path], Labelled]]
"""The metric of a set, and a function that reads it from packages below a folder, nothing left to chance."""


def distinct(make: Callable[[Path], Labelled]) -> Callable[[Path], Labelled]:
    """`make`, whose exact copies of samples are left out, as they say nothing."""

    def once(folder: Path) -> Labelled:
        X, y = make(folder)
        X, first = np.unique(np.asarray(X, dtype=np.float32), axis=0, return_index=True)
        return X, y[first]

    return once


def numbered(y: np.ndarray) -> np.ndarray:
    """Classes as int64 from 0."""
    return np.unique(y, return_inverse=True)[1].astype(np.int64)


def class_sizes(n_samples: int, n_classes: int, exponent: float) -> np.ndarray:
    """Sizes (n_classes,) of at least 1 that fall as a power of the rank; their sum is about `n_samples`."""
    shares = np.arange(1, n_classes + 1) ** -float(exponent)
    return np.maximum(1, np.rint(n_samples * shares / shares.sum())).astype(int)


def places_in_class(y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Place of each sample in a random order of its class: 0, 1, and so on."""
    counts = np.bincount(y)
    place = np.empty(len(y), dtype=np.int64)
    place[np.argsort(y + random.random(len(y)))] = np.arange(len(y)) - np.repeat(
        np.cumsum(counts) - counts, counts
    )
    return place


def thin_out(X: np.ndarray, y: np.ndarray, sizes: np.ndarray, random: np.random.Generator) -> Labelled:
    """One class for each of `sizes`, as far as there are classes, with at most so many samples."""
    y = numbered(y)
    allowed = np.zeros(y.max() + 1, dtype=np.int64)
    order = random.permutation(len(allowed))[: len(sizes)]
    allowed[order] = sizes[: len(order)]
    kept = places_in_class(y, random) < allowed[y]
    return X[kept], y[kept]


def at_most(X: np.ndarray, y: np.ndarray, random: np.random.Generator, n_samples: int) -> Labelled:
    """Whole classes, in random order, until there are `n_samples`."""
    y = numbered(y)
    counts = np.bincount(y)
    order = random.permutation(len(counts))
    kept = np.zeros(len(counts), bool)
    kept[order[np.cumsum(counts[order]) <= n_samples]] = True
    return X[kept[y]], y[kept[y]]


def sized(y: np.ndarray, low: int, high: int) -> np.ndarray:
    """Which samples are of classes of `low` to `high` samples."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return ((counts >= low) & (counts <= high))[inverse]


def capped(y: np.ndarray, low: int, most: int) -> Labelled:
    """Rows of classes of at least `low` samples, at most so many of each, and their classes."""
    y = numbered(y)
    rows = np.flatnonzero(sized(y, low, len(y)))
    return thin_out(rows, y[rows], np.full(y.max() + 1, most), np.random.default_rng(SEED))


def limited(X: np.ndarray, y: np.ndarray, low: int, most: int) -> Labelled:
    """Samples of classes of at least `low`, at most so many of each, in the order of `X`.

    `capped` takes others; the sets that the shipped networks learned from hang on which.
    """
    random = np.random.default_rng(SEED)
    chosen = [
        random.permutation(np.flatnonzero(y == label))[:most]
        for label, count in zip(*np.unique(y, return_counts=True), strict=True)
        if count >= low
    ]
    rows = np.sort(np.concatenate(chosen))
    return X[rows], y[rows]


def add_noise(X: np.ndarray, y: np.ndarray, share: float, random: np.random.Generator) -> Labelled:
    """Samples that belong to nothing, each a class of its own, spread as all of `X` is."""
    n_noise = round(share * len(X))
    _, lengths, axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    noise = random.standard_normal((n_noise, len(lengths))) * lengths / np.sqrt(len(X))
    return np.vstack([X, X.mean(axis=0) + noise @ axes]), np.append(y, y.max() + 1 + np.arange(n_noise))


def add_copies(X: np.ndarray, y: np.ndarray, share: float, random: np.random.Generator) -> Labelled:
    """Copies of some samples, half of them exact; a few samples have dozens of copies."""
    n_copies = round(share * len(X))
    rows = (len(X) * random.random(n_copies) ** 3).astype(int)
    rows = random.permutation(len(X))[rows]
    nudge = random.standard_normal((n_copies, X.shape[1])) * (0.05 * X.std(axis=0))
    nudge[::2] = 0
    return np.vstack([X, X[rows] + nudge]), np.append(y, y[rows])


def in_bursts(X: np.ndarray, y: np.ndarray, random: np.random.Generator) -> Labelled:
    """Some of the samples, each with others that differ from it by little, as pictures taken in a row do."""
    mean = log_uniform(2, 40, random)
    chosen = random.permutation(len(X))[: max(round(min(len(X), log_uniform(300, 5_000, random) / mean)), 20)]
    lengths = random.geometric(1 / mean, len(chosen))
    if random.random() < 0.5:  # a few are far longer than others
        lengths = np.ceil(np.minimum(mean * random.pareto(1.2, len(chosen)), 20 * mean)).astype(int)
    rows = np.repeat(chosen, np.maximum(lengths, 1))
    width = log_uniform(0.02, 0.4, random) * np.exp(0.5 * random.standard_normal(len(X)))[rows, None]
    return X[rows] + width * X.std(axis=0) * random.standard_normal((len(rows), X.shape[1])), y[rows]


def add_offset(X: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The same, away from the origin: in many embeddings all samples have something in common."""
    direction = random.standard_normal(X.shape[1])
    length = log_uniform(0.3, 3, random) * np.sqrt((X**2).sum(axis=1).mean())
    return X + length * direction / np.linalg.norm(direction)


def standard(X: Any) -> np.ndarray:
    """Columns with mean 0 and deviation 1, without those that are constant; what is missing is the mean."""
    X = np.asarray(X, dtype=float)
    X = np.where(np.isfinite(X), X, np.nanmean(np.where(np.isfinite(X), X, np.nan), axis=0))
    return StandardScaler().fit_transform(X[:, X.std(axis=0) > 1e-12])


def one_hot(table: np.ndarray) -> np.ndarray:
    """A column for each value of each column."""
    parts = [np.unique(column, return_inverse=True) for column in table.astype(str).T]
    return np.concatenate([np.eye(len(values))[places] for values, places in parts], axis=1)


def reduced(X: Any, n_components: int) -> np.ndarray:
    """The leading principal components, as far as there are so many."""
    X = np.asarray(X, dtype=float)
    return PCA(min(n_components, *X.shape), random_state=0).fit_transform(X)


def principal(X: np.ndarray, n_components: int) -> np.ndarray:
    """The leading principal components, rows of length 1."""
    return normalize(PCA(n_components, random_state=0).fit_transform(X))


def embed_texts(texts: list[str], y: np.ndarray, n_components: int, **settings: Any) -> Labelled:
    """TF-IDF reduced by a truncated SVD; texts without any known word are left out."""
    settings = {"min_df": 2, "sublinear_tf": True} | settings
    words = TfidfVectorizer(**settings).fit_transform(texts)
    X = TruncatedSVD(n_components, random_state=0).fit_transform(words)
    known = np.linalg.norm(X, axis=1) > 1e-3
    return normalize(X[known]), np.asarray(y)[known]


def log_uniform(low: float, high: float, random: np.random.Generator) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
