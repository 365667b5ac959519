"""
Do clusters grow as well as they would form all at once, do they keep their ids, and what does it cost?

A first half of the samples is clustered, in random order, and the rest comes in batches::

    python examples/benchmarks/growth.py a.npz b.npz --seeds 3             # to choose by
    python examples/benchmarks/growth.py a.npz b.npz --half test           # to report
    python examples/benchmarks/growth.py --cost 50000                      # one more thousand
    python examples/benchmarks/growth.py --fast                            # the glyphs in the package

Files hold `X`, `y` and perhaps a boolean `train`. With ``--half test`` networks learn from the training half,
and the other half grows. With ``--half train`` half of the classes of the training half teach, and the other
half of them grows: so nothing is chosen by the classes that are reported. With ``--universal`` the networks
of the package serve, and all of the half grows.

Of the samples that had an id before a batch, "changed" is the share of all old ones that have another one
after it, or none. "Not by merging" leaves out clusters that went into another as a whole, but for less than
half of them. Seconds are those of the processor, of all batches together.
"""

import argparse
from pathlib import Path
from time import process_time

import numpy as np
from peers import FAST_EPOCHS, load, markdown, mean_fscore
from sklearn.frozen import FrozenEstimator
from transfer import splits_of

from sklearn_gcncluster import GCNClustering, IncrementalGCNClustering
from sklearn_gcncluster.datasets import make_identities

N_BATCHES, FAST_BATCHES = 20, 3
N_ADDED = 1_000


def growing(path, half, universal, fast):
    """X and y of the samples that grow, and a clusterer for them that is not fitted."""
    train, test = load(path, np.random.default_rng(0), fast)
    grown, learned = (train, test) if half == "train" else (test, train)
    if universal:
        return grown.X, grown.y, GCNClustering(random_state=0)
    X, y, X_learned, y_learned = grown.X, grown.y, learned.X, learned.y
    if half == "train":
        X_learned, y_learned, X, y = splits_of(train.X, train.y)["fold 0"]
    parameters = {"max_epochs": FAST_EPOCHS, "n_networks": 1} if fast else {}
    teacher = GCNClustering(random_state=0, **parameters).fit(X_learned, y_learned)
    return X, y, GCNClustering(pretrained=FrozenEstimator(teacher), random_state=0)


def changed(before, after):
    """Share of old samples that changed their id, and the share that did so otherwise than by a merge."""
    after = after[: len(before)]
    moved = (before >= 0) & (after != before)
    merged = np.zeros(len(before), bool)
    for number in np.unique(before[moved]):
        members = before == number
        places, counts = np.unique(after[members & (after >= 0)], return_counts=True)
        if len(counts) and 2 * counts.max() > members.sum() and places[counts.argmax()] != number:
            merged |= members & (after == places[counts.argmax()])
    return moved.mean(), (moved & ~merged).mean()


def grow(X, y, clusterer, seed, n_batches):
    """One line of the table: F-scores, changes and seconds."""
    order = np.random.default_rng(seed).permutation(len(X))
    X, y = X[order], y[order]
    start = process_time()
    at_once = mean_fscore(y, clusterer.fit(X).labels_)
    seconds_at_once = process_time() - start
    album = IncrementalGCNClustering(clusterer).fit(X[: len(X) // 2])
    first = mean_fscore(y[: len(X) // 2], album.labels_)
    start, changes = process_time(), []
    for batch in np.array_split(X[len(X) // 2 :], n_batches):
        before = album.labels_
        changes.append(changed(before, album.partial_fit(batch).labels_))
    seconds = process_time() - start
    grown, before = mean_fscore(y, album.labels_), album.labels_
    again = mean_fscore(y, album.recluster().labels_)
    scores = [f"{100 * score:.2f}" for score in (first, at_once, grown, again)]
    moved = np.array([*changes, changed(before, album.labels_)]).T * 100
    shares = [f"{value:.2f}" for row in moved for value in (row[:-1].mean(), row[:-1].max())]
    return len(X), *scores, *shares, f"{moved[0, -1]:.1f}", f"{seconds_at_once:.1f}", f"{seconds:.1f}"


def cost(n_samples, n_added):
    """Seconds of adding samples to others, and of clustering all anew, with the networks of the package."""
    X, _ = make_identities(n_samples + n_added, random_state=0)
    X = X[np.random.default_rng(0).permutation(len(X))]
    album = IncrementalGCNClustering(GCNClustering(random_state=0)).fit(X[:n_samples])
    start = process_time()
    album.partial_fit(X[n_samples:])
    added, start = process_time() - start, process_time()
    album.recluster()
    anew = process_time() - start
    return n_samples, n_added, f"{added:.1f}", f"{anew:.1f}", f"{added / anew:.1%}"


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help=".npz files; without any, the glyphs")
    parser.add_argument("--half", choices=("train", "test"), default="train", help="the half that grows")
    parser.add_argument("--universal", action="store_true", help="the networks of the package")
    parser.add_argument("--seeds", type=int, default=1, help="orders in which samples come")
    parser.add_argument("--cost", type=int, metavar="N", help=f"only time: add {N_ADDED} to so many")
    parser.add_argument("--fast", action="store_true", help="a few classes, short training, few batches")
    args = parser.parse_args()

    if not args.cost:
        rows = []
        for path in args.files or [None]:
            name = path.stem if path else "glyphs"
            X, y, clusterer = growing(path, args.half, args.universal, args.fast)
            for seed in range(args.seeds):
                n_batches = FAST_BATCHES if args.fast else N_BATCHES
                rows.append((name, seed, *grow(X, y, clusterer, seed, n_batches)))
                print(*rows[-1], flush=True)
        header = (
            *("set", "seed", "samples", "F first half", "F at once", "F grown", "F reclustered"),
            *("changed (%, mean)", "max", "not by merging (%, mean)", "max", "by recluster (%)"),
            *("at once (CPU s)", "all batches (CPU s)"),
        )
        print("\n" + markdown(header, rows))
    if args.cost or args.fast:
        row = cost(*((600, 30) if args.fast else (args.cost, N_ADDED)))
        print("\n" + markdown(("samples", "added", "added in (CPU s)", "anew in (CPU s)", "ratio"), [row]))


if __name__ == "__main__":
    main()
