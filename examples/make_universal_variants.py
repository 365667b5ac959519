"""Other sets made of a labelled set, for `make_universal.py`, and sets of blobs and noise drawn at random.

What a graph looks like depends on much besides its domain: on the sizes of classes, on how many there are,
on whether the embedding was made for telling such classes apart. Each of these is varied here.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize

Labelled = tuple[np.ndarray, np.ndarray]
"""X (n_samples, n_features) and y (n_samples,)."""

MIN_CLASSES = 20  # with two or more samples, for an embedding to be learned from half of them
MIN_SAMPLES = 300  # of a set of other sizes


def few_classes(y: np.ndarray, largest: bool, random: np.random.Generator) -> np.ndarray:
    """Rows of some 12 to 400 samples of 1 to 12 classes: a graph in which all are everybody's neighbours."""
    n_samples = round(log_uniform(12, 400, random))
    n_classes = random.integers(1, max(2, min(12, n_samples // 4)) + 1)
    order = random.permutation(y.max() + 1)
    if largest:
        order = order[np.argsort(-np.bincount(y)[order], kind="stable")]
    rows = np.flatnonzero(np.isin(y, order[:n_classes]))
    if len(rows) < 8:
        rows = np.union1d(rows, random.permutation(len(y))[:12])
    return random.permutation(rows)[:n_samples]


def other_sizes(y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rows of some of the classes, cut to one size, or to sizes that fall as a power of the rank."""
    sizes = np.bincount(y)
    n_classes, largest = len(sizes), sizes.max()
    kept = random.permutation(n_classes)[: max(4, round(n_classes * log_uniform(0.3, 1, random)))]
    if random.random() < 0.5:
        most = np.full(n_classes, round(log_uniform(2, max(largest, 3), random)))
    else:
        most = np.ceil(largest * (1 + random.permutation(n_classes)) ** -random.uniform(0.5, 1.5))
    by_class = np.argsort(y + random.random(len(y)))
    place = np.empty(len(y), dtype=np.int64)
    place[by_class] = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.flatnonzero(np.isin(y, kept) & (place < most[y]))
    return rows if len(rows) >= MIN_SAMPLES else random.permutation(len(y))[: max(600, len(y) // 3)]


def learned_embedding(X: np.ndarray, y: np.ndarray, metric: str, random: np.random.Generator) -> Labelled:
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
    X = discriminants.transform(X[~seen].astype(np.float64))
    return (normalize(X) if metric == "cosine" else X).astype(np.float32), y[~seen]


def variant(number: int, X: np.ndarray, y: np.ndarray, metric: str, random: np.random.Generator) -> Labelled:
    """The same set with other sizes (number 0) or in another embedding (1 and 2; 2 has other sizes too)."""
    learnable = (np.bincount(y) > 1).sum() >= MIN_CLASSES and len(y) >= 2 * MIN_SAMPLES
    if number and learnable:
        X, y = learned_embedding(X, y, metric, random)
        y = np.unique(y, return_inverse=True)[1]
    if number == 2 or not (number and learnable):
        rows = other_sizes(y, random)
        X, y = X[rows], y[rows]
    return X, y


def noise(random: np.random.Generator) -> Labelled:
    """Samples of no class: each is one of its own."""
    # In few dimensions chance makes clumps, so half of the sets have few.
    n_features = round(log_uniform(2, 8 if random.random() < 0.5 else 400, random))
    shape = round(log_uniform(12, 5000, random)), n_features
    draw = (random.normal, random.uniform, random.gumbel, random.exponential)[random.integers(4)]
    return draw(size=shape).astype(np.float32), np.arange(shape[0])


def blobs(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian blobs, from overlapping to far apart, of equal sizes or not, some with noise between them."""
    n_features, n_samples = round(log_uniform(2, 400, random)), round(log_uniform(12, 4000, random))
    n_classes = round(log_uniform(2, max(n_samples / 3, 3), random))
    centres = (random.uniform, random.normal)[random.integers(2)](size=(n_classes, n_features))
    if n_features <= 8:
        centres = spread_out(centres)
    apart = np.median(KDTree(centres).query(centres, k=2)[0][:, 1])
    radius = apart / log_uniform(1.2, 12, random) / np.sqrt(n_features)
    radii = radius * np.exp(random.choice([0, 0.3]) * random.normal(size=n_classes))
    shares = random.dirichlet(np.full(n_classes, random.choice([0.7, 3, 1000])))
    y = np.concatenate(
        [np.arange(n_classes), random.choice(n_classes, max(n_samples - n_classes, 0), p=shares)]
    )
    X = centres[y] + radii[y, None] * random.normal(size=(len(y), n_features))
    if random.random() < 0.25:
        n_noise = 1 + int(len(y) * random.uniform(0.05, 0.5))
        X = np.concatenate([X, random.uniform(X.min(axis=0), X.max(axis=0), (n_noise, n_features))])
        y = np.concatenate([y, n_classes + np.arange(n_noise)])
    if random.random() < 0.5:
        X = X - X.mean(axis=0)
    return X.astype(np.float32), y


def spread_out(centres: np.ndarray) -> np.ndarray:
    """Push apart those centres that lie closest: few dimensions have too little room for chance."""
    for _ in range(30):
        distances, neighbors = (column[:, 1] for column in KDTree(centres).query(centres, k=2))
        step = (centres - centres[neighbors]) / (distances[:, None] + 1e-12)
        near = distances < 1.5 * np.median(distances)
        centres = centres + 0.1 * np.median(distances) * step * near[:, None]
    return centres


def log_uniform(low: float, high: float, random: np.random.Generator) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))
