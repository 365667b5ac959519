"""What answers are worth: F-scores after 50, 100 and 200 of them, by how the pairs to ask about are chosen.

Usage: ``python examples/benchmarks/review.py FILE.npz ... [--learn] [--rounds N]``. Each file holds `X`, `y`
and a boolean `train`. The other half is clustered, without labels unless ``--learn`` is given; `y` answers.
The queue is that of `review`; "random" takes random pairs of samples; "uncertain" takes pairs of neighbours
whose membership in a common proposal is least clear, that is nearest to one half.
"""

import argparse

import numpy as np
from sklearn.neighbors import NearestNeighbors

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

COUNTS = (50, 100, 200)


def mean_f(y, labels):
    """Mean of pairwise and BCubed F, in percent."""
    return 50 * (pairwise_fscore(y, labels) + bcubed_fscore(y, labels))


def answered(y, pairs):
    """Constraints that the truth makes of pairs of rows."""
    pairs = np.asarray(pairs, dtype=int).reshape(-1, 2)
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    return {"must_link": pairs[same], "cannot_link": pairs[~same]}


def from_the_queue(proposals, y, n_rounds):
    """Pairs of the queue, which is made anew after each round of answers."""
    pairs = []
    for count in np.linspace(0, max(COUNTS), n_rounds + 1, dtype=int)[1:]:
        asked = proposals.review(int(count) - len(pairs), **answered(y, pairs))
        pairs += [(question["first"], question["second"]) for question in asked]
    return np.array(pairs)


def at_random(n_samples):
    """Random pairs of different samples."""
    pairs = np.random.default_rng(0).integers(0, n_samples, (2 * max(COUNTS), 2))
    return pairs[pairs[:, 0] != pairs[:, 1]][: max(COUNTS)]


def uncertain(proposals, X):
    """Pairs of near samples that are together in half of the mass of their best proposals."""
    near = NearestNeighbors(n_neighbors=11).fit(X).kneighbors(X, return_distance=False)[:, 1:]
    pairs = np.unique(np.sort(np.stack([np.repeat(np.arange(len(X)), 10), near.ravel()], axis=1)), axis=0)
    weighted = proposals.membership.T.tocsr().astype(np.float64)
    weighted.data = proposals.scores[weighted.indices, 0].astype(np.float64)
    held = proposals.membership.T.tocsr().astype(np.float64)
    total = np.asarray(weighted.sum(axis=1)).ravel()
    share = np.empty(len(pairs))
    for start in range(0, len(pairs), 4096):
        left, right = pairs[start : start + 4096].T
        both = np.asarray(weighted[left].multiply(held[right]).sum(axis=1)).ravel()
        share[start : start + 4096] = both / np.minimum(total[left], total[right])
    return pairs[np.argsort(np.abs(share - 0.5), kind="stable")[: max(COUNTS)]]


def halves(path):
    """X and y of the half to learn from, and of the other."""
    with np.load(path) as file:
        X, y, train = file["X"].astype(np.float32), file["y"], file["train"]
    return X[train], y[train], X[~train], y[~train]


def measure(name, X_train, y_train, X, y, learn, n_rounds):
    """Print a table for one data set."""
    clusterer = GCNClustering(random_state=0)
    clusterer = clusterer.fit(X_train, y_train) if learn else clusterer.fit(X)
    proposals = clusterer.score_proposals(X)
    print(f"\n{name}: {len(X)} samples, F {mean_f(y, proposals.cluster()):.2f} without answers")
    ways = {
        "queue": from_the_queue(proposals, y, n_rounds),
        "random pairs": at_random(len(X)),
        "uncertain pairs": uncertain(proposals, X),
    }
    print(f"{'answers':16}" + "".join(f"{count:>8}" for count in COUNTS) + "   said to be the same")
    for way, pairs in ways.items():
        scores = [mean_f(y, proposals.cluster(**answered(y, pairs[:count]))) for count in COUNTS]
        same = np.mean(y[pairs[:, 0]] == y[pairs[:, 1]]) if len(pairs) else 0
        print(f"{way:16}" + "".join(f"{score:8.2f}" for score in scores) + f"{same:>10.0%}", flush=True)


def main():
    """Measure on files, or on a small set that is made here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*")
    parser.add_argument("--learn", action="store_true", help="learn from the training half")
    parser.add_argument("--rounds", type=int, default=8, help="how often the queue is made anew")
    parser.add_argument("--fast", action="store_true", help="a small set, to see that it works")
    arguments = parser.parse_args()
    sets = {path: halves(path) for path in arguments.files}
    if not sets:
        X, y = make_identities(600 if arguments.fast else 3000, class_spread=0.5, random_state=0)
        train = y % 2 == 0
        sets = {"identities": (X[train], y[train], X[~train], y[~train])}
    for name, data in sets.items():
        measure(name, *data, arguments.learn, 2 if arguments.fast else arguments.rounds)


if __name__ == "__main__":
    main()
