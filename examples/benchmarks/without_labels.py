"""
What the networks of the package make of easy data, and of any, without labels.

Easy data first: blobs far apart and less far, clusters larger than the lists of neighbours, a single class,
match probabilities, noise. Then both halves of each FILE.npz (``X``, ``y``, and a boolean ``train`` that
names one half), with the mean of pairwise and BCubed F; and forty classes of the half that `train` names,
with each sample drawn several times, with noise, as pictures in a row are::

    python examples/benchmarks/without_labels.py FILE.npz ...
    python examples/benchmarks/without_labels.py --pretrained OTHER.safetensors FILE.npz ...
    python examples/benchmarks/without_labels.py --fast

Other networks are those of `examples/universal/make.py`, or of another version of the package.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

FAR_BLOBS = ((20, 400, 2), (20, 2000, 3), (200, 4000, 8), (100, 2000, 64), (20, 1000, 512), (5, 60, 16))
"""Classes, samples and features."""

NEAR_BLOBS = (
    *((3, 300, 2, 0.6), (5, 500, 2, 0.5), (8, 2000, 2, 0.4), (15, 1500, 2, 0.3), (8, 300, 3, 0.8)),
    *((4, 2000, 3, 0.7), (3, 200, 4, 1.0), (4, 1000, 5, 1.0), (20, 2000, 5, 1.0), (20, 1000, 8, 1.5)),
    *((5, 4000, 10, 2.0), (10, 1000, 16, 2.0), (30, 900, 16, 2.5), (20, 1000, 32, 3.0), (5, 500, 64, 3.0)),
)
"""The same, and the deviation of each class; centres are those of scikit-learn, within 10 of the origin."""


def far_centres(n_classes, n_features, random):
    """Centres on a grid or, in many dimensions, anywhere."""
    if n_features >= 32:
        return 10 * random.normal(size=(n_classes, n_features))
    side = int(np.ceil(n_classes ** (1 / n_features)))
    cells = random.permutation(side**n_features)[:n_classes]
    return 20.0 * np.stack(np.unravel_index(cells, (side,) * n_features), axis=1)


def far_blobs(sizes, n_features):
    """Blobs of deviation 1, far apart."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    return far_centres(len(sizes), n_features, random)[y] + random.normal(size=(len(y), n_features)), y


def matches(n_entities, n_records):
    """Probabilities of matches of half of all pairs of one entity, and of no other."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(n_entities), n_records)
    matched = (random.random((len(y), len(y))) < 0.5) & (y[:, None] == y)
    return sp.csr_array(np.triu(random.uniform(0.6, 0.99, matched.shape) * matched, 1)), y


def numbered(labels):
    """Labels in which each outlier is a cluster of its own."""
    return np.where(labels < 0, len(labels) + np.arange(len(labels)), labels)


def easy_data(cluster, fast):
    """Names of sets, and what was found."""
    for n_classes, n_samples, n_features in FAR_BLOBS[: 2 if fast else None]:
        X, y = far_blobs(np.full(n_classes, n_samples // n_classes), n_features)
        score = adjusted_rand_score(y, numbered(cluster(X)))
        yield f"{n_classes} far blobs of {n_samples} samples, {n_features} features", f"ARI {score:.2f}"
    means = []
    for n_classes, n_samples, n_features, width in NEAR_BLOBS[: 2 if fast else None]:
        scores = []
        for seed in range(1 if fast else 4):
            X, y = make_blobs(n_samples, n_features, centers=n_classes, cluster_std=width, random_state=seed)
            found = cluster(X), HDBSCAN(copy=True).fit_predict(X)
            scores.append([adjusted_rand_score(y, numbered(labels)) for labels in found])
        means.append(np.mean(scores, axis=0))
        name = f"{n_classes} blobs of {n_samples} samples, {n_features} features, width {width}"
        yield name, "ARI {:.2f}, HDBSCAN {:.2f}".format(*means[-1])
    yield "mean of these", "ARI {:.3f}, HDBSCAN {:.3f}".format(*np.mean(means, axis=0))
    long_tail = np.round(np.geomspace(10, 300 if fast else 4000, 12)).astype(int)
    for n_features in (2, 16, 64):
        for name, sizes in (("two of 2,000", [2000, 2000]), ("twelve of 10 to 4,000", long_tail)):
            X, y = far_blobs(sizes, n_features)
            score = adjusted_rand_score(y, numbered(cluster(X)))
            yield f"clusters: {name}, {n_features} features", f"ARI {score:.3f}"
    for n_samples in (3, 10, 81, 500):
        random = np.random.default_rng(0)
        labels = cluster(random.normal(size=64) * 3 + random.normal(size=(n_samples, 64)))
        yield f"one class of {n_samples} samples", f"{np.mean(labels == 0):.0%} in the largest cluster"
    for n_entities, n_records in ((5, 20), (12, 8)):
        graph, y = matches(n_entities, n_records)
        score = adjusted_rand_score(y, numbered(cluster(graph, metric="precomputed_affinity")))
        yield f"matches of {n_entities} entities, {n_records} records each", f"ARI {score:.2f}"
    for n_samples, n_features in ((1000, 2), (1000, 16), (100, 8), (3000, 128))[: 2 if fast else None]:
        labels = cluster(np.random.default_rng(0).normal(size=(n_samples, n_features)))
        yield f"noise of {n_samples} samples, {n_features} features", f"{np.mean(labels < 0):.0%} outliers"


BURSTS = ((8, 0.1), (25, 0.3))
"""Mean number of samples in a burst, and deviation of the noise in deviations of all."""


def bursts_of(X, y, length, noise):
    """About 5,000 samples of forty classes, in bursts that hardly differ, of unit length."""
    random = np.random.default_rng(0)
    classes = random.permutation(np.flatnonzero(np.bincount(y) >= 5))[:40]
    chosen = random.permutation(np.flatnonzero(np.isin(y, classes)))[: 5000 // length]
    rows = np.repeat(chosen, np.minimum(random.geometric(1 / length, len(chosen)), 4 * length))
    X = X[rows] + noise * X.std(axis=0) * random.normal(size=(len(rows), X.shape[1]))
    return normalize(X).astype(np.float32), y[rows]


def fscores(cluster, file):
    """Mean of pairwise and BCubed F on the half not named by `train`, on the other, and on bursts of that."""
    with np.load(file) as stored:
        X, y, train = normalize(stored["X"].astype(np.float32)), stored["y"], stored["train"]
    y = np.unique(y, return_inverse=True)[1]
    half = X[train], y[train]
    sets = [(X[~train], y[~train]), half, *(bursts_of(*half, *shape) for shape in BURSTS)]
    scores = []
    for rows, classes in sets:
        labels = cluster(rows)
        scores.append((pairwise_fscore(classes, labels) + bcubed_fscore(classes, labels)) / 2)
    return scores


def main():
    """Print a table of easy data and, with files, one of these."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pretrained", default="universal", help="a file of other networks")
    parser.add_argument("--fast", action="store_true", help="a few small sets")
    args = parser.parse_args()

    def cluster(X, **parameters):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of outliers, for one: here they are counted
            return GCNClustering(pretrained=args.pretrained, random_state=0, **parameters).fit_predict(X)

    print("| easy data | found |\n| --- | --- |")
    for name, found in easy_data(cluster, args.fast):
        print(f"| {name} | {found} |", flush=True)
    if args.files:
        names = "one half", "the other", *(f"in bursts of {length}" for length, _ in BURSTS)
        print("\n| set |", *(f"{name} |" for name in names))
        print("| --- |", *("--- |" for _ in names))
        scores = []
        for file in args.files:
            scores.append(fscores(cluster, file))
            print(f"| {file.stem} |", *(f"{score:.3f} |" for score in scores[-1]), flush=True)
        print("| mean |", *(f"{score:.3f} |" for score in np.mean(scores, axis=0)))


if __name__ == "__main__":
    main()
