"""Sets drawn at random: identities, families, blobs, islands, chains, matches, one class alone, and noise.

Each number of a generator gives another set, from overlapping classes to far apart ones, from few large ones
to many of a sample or two, in 2 to 512 dimensions.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from base import Labelled, add_copies, add_noise, add_offset, class_sizes, in_bursts, log_uniform
from scipy.spatial import KDTree
from sklearn.preprocessing import normalize

from sklearn_gcncluster.datasets import make_identities


def identities(random: np.random.Generator) -> Labelled:
    """Embeddings as of faces, from easy to hard, from a few large classes to albums full of strangers."""
    n_samples = round(log_uniform(60, 5_000, random))
    album = random.random() < 0.4
    n_classes = n_samples * random.uniform(0.3, 0.7) if album else log_uniform(2, n_samples / 1.5, random)
    X, y = make_identities(
        n_samples,
        round(n_classes),
        int(random.choice([32, 64, 128, 256, 512])),
        size_exponent=random.uniform(0.6, 1.1) if album else random.uniform(0, 1.2),
        class_similarity=random.uniform(0, 0.6),
        n_modes=int(random.choice([1, 2, 3, 5, 8])),
        mode_spread=random.uniform(0.3, 1.3),
        class_spread=random.uniform(0.25, 1),
        spectrum_decay=random.uniform(0.1, 0.6),
        low_quality=random.choice([0, 0.1, 0.3, 0.5]),
        random_state=int(random.integers(2**31)),
    )
    if random.random() < 0.15:
        X, y = in_bursts(X, y, random)
    if random.random() < 0.2:
        X, y = add_noise(X, y, random.uniform(0.05, 0.5), random)
    if random.random() < 0.2:
        X, y = add_copies(X, y, random.uniform(0.05, 0.3), random)
    if random.random() < 0.3:
        X = add_offset(X, random)
    return normalize(X).astype(np.float32), y


def blobs(random: np.random.Generator) -> Labelled:
    """Gaussian blobs of equal sizes or not, round or long, some with noise between them."""
    n_features, n_samples = round(log_uniform(2, 512, random)), round(log_uniform(8, 5_000, random))
    n_classes = round(log_uniform(2, max(n_samples / 3, 3), random))
    centres = (random.uniform, random.normal)[random.integers(2)](size=(n_classes, n_features))
    if n_features <= 8:
        centres = spread_out(centres)
    apart = np.median(KDTree(centres).query(centres, k=2)[0][:, 1])
    radius = apart / log_uniform(1.2, 4 if random.random() < 0.4 else 15, random) / np.sqrt(n_features)
    radii = radius * np.exp(random.choice([0, 0.3]) * random.normal(size=n_classes))
    shares = random.dirichlet(np.full(n_classes, random.choice([0.7, 3, 1000])))
    y = np.concatenate(
        [np.arange(n_classes), random.choice(n_classes, max(n_samples - n_classes, 0), p=shares)]
    )
    shape = random.normal(size=(len(y), n_features))
    if random.random() < 0.3:
        shape *= np.exp(random.uniform(0.2, 1) * random.normal(size=(n_classes, n_features)))[y]
    X = centres[y] + radii[y, None] * shape
    if random.random() < 0.25:
        n_noise = 1 + int(len(y) * random.uniform(0.05, 0.5))
        X = np.concatenate([X, random.uniform(X.min(axis=0), X.max(axis=0), (n_noise, n_features))])
        y = np.concatenate([y, n_classes + np.arange(n_noise)])
    if random.random() < 0.15:
        X, y = add_copies(X, y, random.uniform(0.02, 0.2), random)
    if random.random() < 0.5:
        X = X - X.mean(axis=0)
    return X.astype(np.float32), y


def scattered(random: np.random.Generator) -> Labelled:
    """Gaussian blobs wherever chance puts them, as in textbooks: some touch, and others are far from all."""
    n_features, n_samples = round(log_uniform(2, 64, random)), log_uniform(40, 5_000, random)
    n_classes = round(log_uniform(2, min(n_samples / 8, 60), random))
    sizes = class_sizes(round(n_samples), n_classes, random.choice([0, 0, 0.5]))
    y = np.repeat(np.arange(n_classes), sizes)
    # Room grows with dimensions, so that classes may be wider.
    width = log_uniform(0.01, 0.12 * n_features**0.25, random)
    widths = width * np.exp(random.choice([0, 0, 0.3]) * random.normal(size=n_classes))
    X = random.uniform(-1, 1, (n_classes, n_features))[y]
    X = X + widths[y, None] * random.normal(size=(len(y), n_features))
    return (log_uniform(0.1, 100, random) * X).astype(np.float32), y


def chains(random: np.random.Generator) -> Labelled:
    """Clusters along smooth curves, as a face that turns, a place filmed from a car."""
    n_features, n_samples = round(log_uniform(2, 64, random)), round(log_uniform(100, 4_000, random))
    n_classes = round(log_uniform(2, max(n_samples / 15, 3), random))
    y = np.repeat(np.arange(n_classes), class_sizes(n_samples, n_classes, random.uniform(0, 0.6)))
    # Uneven steps make some parts of a curve dense and others thin.
    where = random.beta(0.8, 0.8, len(y))[:, None] * np.pi
    waves = random.standard_normal((3, n_classes, n_features)) / np.array([1, 2, 3])[:, None, None]
    room = random.uniform(1, 3) * n_classes ** (1 / n_features)
    centres = room * random.uniform(-1, 1, (n_classes, n_features))
    X = centres[y] + sum(np.cos((k + 1) * where) * wave[y] for k, wave in enumerate(waves))
    width = log_uniform(0.05, 0.8, random)
    return (X + width * random.standard_normal(X.shape) / np.sqrt(n_features)).astype(np.float32), y


def islands(random: np.random.Generator, cities: float = 0.0, tail: bool = False) -> Labelled:
    """Clusters so far apart that nobody would doubt them, from a handful of samples to thousands.

    In a share `cities` of the sets of few dimensions, groups of them are farther from others, as places in
    several cities. In embeddings, groups so near to each other are parts of a class. With a `tail` the
    largest cluster is up to 500 times larger than the smallest.
    """
    n_features = int(random.choice([2, 2, 3, 5, 8, 16, 32, 64, 128, 512]))
    n_classes = round(log_uniform(2, 20 if tail or random.random() < 0.5 else 1_000, random))
    n_samples = round(n_classes * log_uniform(2, min(400, max(5_000 / n_classes, 3)), random))
    if tail:
        n_samples = round(log_uniform(1_000, 12_000, random))
    # Cells of a jittered grid where there is little room, anywhere where there is much.
    side = int(np.ceil((1.5 * n_classes) ** (1 / n_features)))
    if n_features <= 8:
        cells = random.choice(side**n_features, n_classes, replace=False)
        centres = np.stack(np.unravel_index(cells, (side,) * n_features), axis=1).astype(float)
        centres = centres + random.uniform(-0.2, 0.2, (n_classes, n_features))
    else:
        centres = random.normal(size=(n_classes, n_features))
    apart = KDTree(centres).query(centres, k=2)[0][:, 1].min()
    radius = apart / log_uniform(4, 25, random) / np.sqrt(n_features)
    if n_features < 32 and n_classes >= 6 and random.random() < cities:
        city = random.integers(0, random.integers(2, 6), n_classes)
        centres = (
            centres + log_uniform(10, 10_000, random) * apart * random.normal(size=(6, n_features))[city]
        )
    shares = random.dirichlet(np.full(n_classes, random.choice([1, 3, 1000])))
    if tail:
        shares = np.geomspace(1, log_uniform(0.002, 0.1, random), n_classes)
        shares /= shares.sum()
    y = np.repeat(np.arange(n_classes), 2)
    y = np.concatenate([y, random.choice(n_classes, max(n_samples - len(y), 0), p=shares)])
    X = centres[y] + radius * random.normal(size=(len(y), n_features))
    if random.random() < 0.5:
        X = X - X.mean(axis=0)
    return X.astype(np.float32), y


def families(random: np.random.Generator) -> Labelled:
    """Classes of many modes each, from a few samples to thousands: topics of stories, fields of inventions.

    Some modes are bursts, samples that hardly differ, as of one event or one scene.
    """
    n_features = int(random.choice([32, 64, 128, 256]))
    n_classes = round(log_uniform(4, 150, random))
    sizes = np.exp(random.normal(0, random.uniform(0.2, 1.5), n_classes))
    n_samples = log_uniform(400, 8_000, random)
    sizes = np.clip(np.rint(n_samples * sizes / sizes.sum()), 1, 5_000).astype(int)
    y = np.repeat(np.arange(n_classes), sizes)
    mode = y * 1_000 + (random.random(len(y)) ** random.uniform(1, 2) * np.sqrt(sizes[y])).astype(int)
    mode = np.unique(mode, return_inverse=True)[1]
    of_mode = np.zeros(mode.max() + 1, dtype=int)
    of_mode[mode] = y
    rank = round(log_uniform(8, n_features, random))  # directions in which classes and modes differ
    axes = np.linalg.qr(random.standard_normal((n_features, rank)))[0].T
    apart = log_uniform(0.1, 0.9, random)  # modes against classes
    class_centres = random.standard_normal((n_classes, rank))
    mode_centres = class_centres[of_mode] + apart * random.standard_normal((len(of_mode), rank))
    burst = random.random(len(of_mode)) < random.choice([0, 0.3, 1])
    width = np.where(burst, apart * log_uniform(0.02, 0.5, random), random.uniform(0.2, 1))
    X = mode_centres[mode] + width[mode, None] * random.standard_normal((len(y), rank))
    X = X @ axes * np.sqrt(n_features / rank)
    X = X + random.choice([0, 0.3]) * random.standard_normal(X.shape)
    if random.random() < 0.2:
        X, y = add_noise(X, y, random.uniform(0.05, 0.5), random)
    if random.random() < 0.3:
        X = add_offset(X, random)
    return normalize(X).astype(np.float32), y


def alone(random: np.random.Generator) -> Labelled:
    """One class and nothing else: an album of one person, a recording of one speaker.

    Only the cosine tells it from noise, whose samples have little in common.
    """
    shape = round(log_uniform(3, 700, random)), int(random.choice([32, 64, 128, 256, 512]))
    common = random.standard_normal(shape[1])
    X = log_uniform(1.3, 6, random) * common + random.standard_normal(shape)
    if random.random() < 0.2:
        X, _ = add_copies(X, np.zeros(len(X), int), random.uniform(0.05, 0.3), random)
    return normalize(X).astype(np.float32), np.zeros(len(X), dtype=np.int64)


def matches(random: np.random.Generator) -> tuple[sp.csr_array, np.ndarray]:
    """Match probabilities of pairs, as record linkage has them: a graph, and the entity of each record."""
    sizes = random.geometric(1 / log_uniform(1.3, 40, random), round(log_uniform(5, 800, random)))
    sizes = sizes[: max(int(np.searchsorted(np.cumsum(sizes), 4_000)), 2)]
    y = np.repeat(np.arange(len(sizes)), sizes)
    n_samples, starts = len(y), np.repeat(np.cumsum(sizes) - sizes, sizes)
    # A record meets some of its entity, and now and then another's, which looks less alike.
    of, place = np.repeat(np.arange(n_samples), sizes[y]), np.arange((sizes**2).sum())
    with_whom = starts[of] + place - np.repeat(np.cumsum(sizes[y]) - sizes[y], sizes[y])
    met = (of < with_whom) & (random.random(len(of)) < log_uniform(0.15, 1, random))
    true = np.stack([of[met], with_whom[met]])
    false = random.integers(0, n_samples, (2, round(n_samples * random.choice([0, 0, 0.3, 1, 3]))))
    false = np.sort(false[:, y[false[0]] != y[false[1]]], axis=0)
    pairs = np.unique(np.concatenate([true, false], axis=1), axis=1)
    same, least = y[pairs[0]] == y[pairs[1]], random.uniform(0.1, 0.6)
    sure = np.where(same, random.uniform(0.55, 0.9), random.uniform(0.2, 0.5))
    probability = np.clip(random.normal(sure, random.uniform(0.02, 0.2)), least, 0.99)
    kept = same | (random.random(len(same)) < 0.8)
    graph = sp.csr_array((probability[kept], pairs[:, kept]), shape=(n_samples, n_samples))
    return graph, y


def noise(random: np.random.Generator, dimensions: tuple[int, int] | None = None) -> Labelled:
    """Samples of no class: each is one of its own."""
    if dimensions is None:  # in few dimensions chance makes clumps, so most of the sets have few
        dimensions = 2, 8 if random.random() < 0.6 else 512
    n_features = round(log_uniform(*dimensions, random))
    shape = round(log_uniform(5, 4_000, random)), n_features
    draw = (random.normal, random.uniform, random.gumbel, random.exponential)[random.integers(4)]
    X = draw(size=shape)
    X = X - X.mean()  # with an offset in common they would be one class to the cosine
    if random.random() < 0.3:
        X *= np.arange(1, n_features + 1) ** -random.uniform(0, 0.8)
    if random.random() < 0.3:
        X = normalize(X - X.mean(axis=0))
    return X.astype(np.float32), np.arange(shape[0])


def spread_out(centres: np.ndarray) -> np.ndarray:
    """Push apart those centres that lie closest: few dimensions have too little room for chance."""
    for _ in range(30):
        distances, neighbors = (column[:, 1] for column in KDTree(centres).query(centres, k=2))
        step = (centres - centres[neighbors]) / (distances[:, None] + 1e-12)
        near = distances < 1.5 * np.median(distances)
        centres = centres + 0.1 * np.median(distances) * step * near[:, None]
    return centres
