"""
Does what was learned carry over? Splits to choose by, and the judgement of proposals by their size.

Defaults that are chosen on the classes they are reported on look better than they are. So whoever changes
the package compares on splits of the *training half* of a file, seed by seed, and looks at the other half
once, at the end::

    python examples/benchmarks/transfer.py a.npz b.npz --seeds 3         # to choose by
    python examples/benchmarks/transfer.py a.npz b.npz --final           # to report: both halves, exchanged
    python examples/benchmarks/transfer.py --fast                        # the glyphs in the package

The splits, each of classes:

fold 0, fold 1
    Learn on one half of the training half's classes, cluster the other.
small to large
    Learn on the smallest classes, which hold two fifths of the samples, and cluster the others.
20, 40, 80 classes
    Learn on so few, cluster the others.

Without labels, the half is clustered as it is. Beside the F-scores, a table and a picture say which IoU
networks predict of proposals of each size, and which these have: on the files, and on synthetic classes of 10
to 5,000 samples, learned from classes of up to 90.
"""

import argparse
import itertools
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
from peers import FAST_EPOCHS, load, markdown, mean_fscore

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities

FEW = (20, 40, 80)
SIZES = (2, 5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_121)  # bounds of the bins
AT_LEAST = 20  # proposals in a bin that is shown
LARGE_SIZES = (10, 5_000)  # of the synthetic classes


class Split(NamedTuple):
    """Samples to learn from, and samples of other classes to cluster."""

    X: np.ndarray
    y: np.ndarray
    X_new: np.ndarray
    y_new: np.ndarray


def by_class(X, y, learned):
    """The split in which these classes are learned from."""
    known = np.isin(y, learned)
    return Split(X[known], y[known], X[~known], y[~known])


def splits_of(X, y):
    """All splits of a labelled set, by name."""
    classes, counts = np.unique(y, return_counts=True)
    random = np.random.default_rng(0)
    order = random.permutation(len(classes))
    by_size = order[np.argsort(-counts[order], kind="stable")]
    reached = np.cumsum(counts[by_size[::-1]])
    found = {
        "fold 0": by_class(X, y, classes[by_size[::2]]),
        "fold 1": by_class(X, y, classes[by_size[1::2]]),
        "small to large": by_class(X, y, classes[by_size[::-1][reached <= 0.4 * counts.sum()]]),
    }
    # Of classes of one sample nothing is learned, so those that are learned from have two or more.
    several = order[counts[order] > 1]
    for n_classes in FEW:
        if n_classes < len(several) / 2:
            found[f"{n_classes} classes"] = by_class(X, y, classes[several[:n_classes]])
    return found


def measure(split, seed, **parameters):
    """Mean F with labels, and the CPU seconds of fit."""
    start = process_time()
    clusterer = GCNClustering(random_state=seed, **parameters).fit(split.X, split.y)
    seconds = process_time() - start
    return mean_fscore(split.y_new, clusterer.predict(split.X_new)), seconds, clusterer


def calibration(proposals, y, sizes=SIZES):
    """Mean predicted and true IoU of good proposals, by size.

    Proposals of a true IoU above .5 decide what becomes of a sample; nearly all others are far below, and
    tell nothing of it.

    Returns
    -------
    list of (lowest size, number, predicted, true)
    """
    true = proposals.true_scores(y)[:, 0]
    predicted, n_members = proposals.scores[:, 0], proposals.membership.sum(axis=1)
    good = true > 0.5
    rows = []
    for low, high in itertools.pairwise(sizes):
        chosen = good & (n_members >= low) & (n_members < high)
        if chosen.sum() >= AT_LEAST:
            rows.append((low, int(chosen.sum()), float(predicted[chosen].mean()), float(true[chosen].mean())))
    return rows


def synthetic(fast):
    """Identities to learn from, of up to 90 samples, and others of 10 to 5,000, side by side."""
    n_classes, largest = (30, 300) if fast else (60, LARGE_SIZES[1])
    sizes = np.geomspace(LARGE_SIZES[0], largest, 12 if fast else 20).astype(int)
    X, y = make_identities(30 * n_classes, n_classes, 64, size_exponent=0.3, random_state=0)
    X_new, y_new = make_identities(sizes.max() * len(sizes), len(sizes), 64, size_exponent=0, random_state=1)
    place = np.zeros(len(y_new), int)
    for number, size in enumerate(sizes):
        members = np.flatnonzero(y_new == number)
        place[members[:size]] = 1
    return Split(X, y, X_new[place > 0], y_new[place > 0])


def draw(tables, path):
    """One line a set: true less predicted IoU, by size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, rows in tables.items():
        axes.plot([row[0] for row in rows], [row[2] - row[3] for row in rows], "o-", label=name)
    axes.axhspan(-0.1, 0.1, color="0.93")
    axes.set(xscale="log", xlabel="samples in a proposal", ylabel="predicted less true IoU", ylim=(-0.6, 0.6))
    axes.legend(frameon=False, ncols=2)
    figure.savefig(path, dpi=150)
    print(f"drawn: {path}")


def main():
    """Print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help=".npz files; without any, the glyphs")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--final", action="store_true", help="the other half, and the halves exchanged")
    parser.add_argument("--out", type=Path, default=Path("calibration.png"))
    parser.add_argument("--fast", action="store_true", help="a few classes, short training")
    args = parser.parse_args()

    parameters = {"max_epochs": FAST_EPOCHS} if args.fast else {}
    rows, tables = [], {}
    for path in args.files or [None]:
        name = path.stem if path else "glyphs"
        train, test = load(path, np.random.default_rng(0), args.fast)
        if args.final:
            found = {
                "to the other half": Split(train.X, train.y, test.X, test.y),
                "exchanged": Split(test.X, test.y, train.X, train.y),
            }
        else:
            found = splits_of(train.X, train.y)
        for title, split in found.items():
            runs = [measure(split, seed, **parameters) for seed in range(args.seeds)]
            scores = np.array([score for score, _, _ in runs])
            rows.append(
                (
                    *(name, title, len(np.unique(split.y)), len(split.y)),
                    *(f"{scores.mean():.3f}", f"{np.ptp(scores):.3f}", f"{runs[0][1]:.1f}"),
                )
            )
            print(*rows[-1], flush=True)
            if title in ("to the other half", "fold 0"):
                tables[name] = calibration(runs[0][2].score_proposals(split.X_new), split.y_new)
        if path:  # the networks of the package know the glyphs
            for title, half in (
                {"": train, ", the other half": test}.items() if args.final else {"": train}.items()
            ):
                labels = GCNClustering(random_state=0).fit_predict(half.X)
                rows.append(
                    (name, f"without labels{title}", "", "", f"{mean_fscore(half.y, labels):.3f}", "", "")
                )
                print(*rows[-1], flush=True)
    split = synthetic(args.fast)
    tables["identities"] = calibration(
        measure(split, 0, **parameters)[2].score_proposals(split.X_new), split.y_new
    )
    print()
    print(markdown(("set", "split", "classes", "samples", "mean F", "spread", "fit (CPU s)"), rows))
    print()
    print(
        markdown(
            ("set", "sizes from", "proposals", "predicted IoU", "true IoU"),
            [
                (name, low, number, f"{predicted:.2f}", f"{true:.2f}")
                for name, found in tables.items()
                for low, number, predicted, true in found
            ],
        )
    )
    draw(tables, args.out)


if __name__ == "__main__":
    main()
