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
4, 8, 12 large classes
    The same of the classes that hold the larger three fifths of the samples.

With ``--together``, `fit` is given all samples, others as unlabelled ones, and its ``labels_`` count.
Without labels, the half is clustered as it is. Beside the F-scores, a table and a picture say which IoU
networks predict of proposals of each size, and which these have: on the files, and on synthetic classes of 10
to 5,000 samples side by side, by networks that learned from such, from smaller ones, and by those of the
package. The picture in the documentation::

    python examples/benchmarks/transfer.py --by-size --out docs/figures/calibration.svg
"""

import argparse
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
from peers import FAST_EPOCHS, load, markdown, mean_fscore

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.plotting import ProposalSizeDisplay

FEW = (20, 40, 80)
FEWEST = (4, 8, 12)
LIST = 20
"""Neighbours of each synthetic sample: the largest classes are 250 lists long."""
PROMISING = 0.3
"""Predicted IoU from which proposals are compared with what they are."""
LITTLE = 300
"""Samples that networks of the package are taken with: they learn nothing of them."""


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
    large = order[counts[order] >= np.quantile(np.repeat(counts, counts), 0.4)]
    for n_classes in FEWEST:
        if n_classes <= len(large) / 2:
            found[f"{n_classes} large classes"] = by_class(X, y, classes[large[:n_classes]])
    return found


def measure(split, seed, together=False, **parameters):
    """Mean F of the new samples, and the CPU seconds of fit, which sees them too if they are `together`."""
    X, y = split.X, split.y
    if together:
        X, y = np.concatenate([X, split.X_new]), np.concatenate([y, np.full(len(split.X_new), -1)])
    start = process_time()
    clusterer = GCNClustering(random_state=seed, **parameters).fit(X, y)
    seconds = process_time() - start
    labels = clusterer.labels_[len(split.X) :] if together else clusterer.predict(split.X_new)
    return mean_fscore(split.y_new, labels), seconds, clusterer


class Judged(NamedTuple):
    """Proposals that could become clusters: true and predicted IoU, and the number of samples."""

    true: np.ndarray
    predicted: np.ndarray
    sizes: np.ndarray


def judged(clusterer, X, y):
    """Proposals of these samples that look as if they could become clusters.

    They are chosen by what is predicted. Of those with a high *true* IoU, a fair judge would predict too
    little on average, since it can not know which of several that look alike are the right ones.
    """
    proposals = clusterer.score_proposals(X)
    predicted, sizes = proposals.scores[:, 0], proposals.membership.sum(axis=1)
    chosen = (predicted >= PROMISING) & (sizes > 1)
    return Judged(proposals.true_scores(y)[chosen, 0], predicted[chosen], sizes[chosen])


def identities(sizes, seed):
    """Classes of these sizes that are as hard as those of faces."""
    X, y = make_identities(max(sizes) * len(sizes), len(sizes), 64, size_exponent=0, random_state=seed)
    place = np.concatenate([np.flatnonzero(y == number)[:size] for number, size in enumerate(sizes)])
    return X[np.sort(place)], y[np.sort(place)]


def blobs(sizes, seed):
    """Classes of these sizes that are round, and touch."""
    random = np.random.default_rng(seed)
    centres = 3.5 * random.normal(size=(len(sizes), 8))
    y = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return centres[y] + random.normal(size=(len(y), 8)), y


def synthetic(fast, **parameters):
    """Classes of 10 to 5,000 samples side by side, as three kinds of networks judge them, by title."""
    largest, largest_learned = (300, 60) if fast else (5_000, 500)
    sizes, smaller = (
        np.geomspace(10, most, number).astype(int) for most, number in ((largest, 16), (largest_learned, 24))
    )
    found = {}
    for make in (blobs, identities):
        sets = [make(sizes, seed) for seed in (1, 2)]
        for title, learned in (
            ("learned from as large ones", make(sizes, 3)),
            (f"learned from up to {largest_learned}", make(smaller, 0)),
            ("without labels", (sets[0][0][:LITTLE],)),
        ):
            training = parameters if len(learned) == 2 else {}
            clusterer = GCNClustering(n_neighbors=LIST, random_state=0, **training).fit(*learned)
            parts = zip(*(judged(clusterer, X, y) for X, y in sets), strict=True)
            found[f"{make.__name__}, {title}"] = Judged(*map(np.concatenate, parts))
    return found


def draw(found, path):
    """A panel for each set; returns a row of the table for each bin in them."""
    import matplotlib.pyplot as plt

    n_rows = -(-len(found) // 3)
    figure, axes = plt.subplots(
        n_rows, 3, figsize=(10, 3 * n_rows), layout="constrained", sharex=True, sharey=True, squeeze=False
    )
    rows = []
    for (name, one), ax in zip(found.items(), axes.flat, strict=False):
        display = ProposalSizeDisplay.from_predictions(*one, ax=ax, markersize=4)
        ax.set_title(name, fontsize="medium")
        ax.label_outer()
        if rows:
            ax.get_legend().remove()
        bins = zip(display.sizes, display.n_proposals, display.y_pred, display.y_true, strict=True)
        rows += [(name, low, number, f"{said:.2f}", f"{true:.2f}") for low, number, said, true in bins]
    for ax in axes.flat[len(found) :]:
        ax.set_axis_off()
    figure.savefig(path, **({"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 150}))
    print(f"drawn: {path}")
    return rows


def main():
    """Print the tables, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help=".npz files; without any, the glyphs")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--final", action="store_true", help="the other half, and the halves exchanged")
    parser.add_argument("--alone", action="store_true", help="networks of the package play no part")
    parser.add_argument("--together", action="store_true", help="fit sees the others too, as unlabelled")
    parser.add_argument("--by-size", action="store_true", help="only the judgement by size, no F-scores")
    parser.add_argument("--out", type=Path, default=Path("calibration.png"))
    parser.add_argument("--fast", action="store_true", help="a few classes, short training")
    args = parser.parse_args()

    parameters = {"max_epochs": FAST_EPOCHS} if args.fast else {}
    if args.alone:
        parameters["pretrained"] = None
    rows, found = [], {}
    for path in [] if args.by_size and not args.files else args.files or [None]:
        name = path.stem if path else "glyphs"
        train, test = load(path, np.random.default_rng(0), args.fast)
        if args.final:
            splits = {
                "to the other half": Split(train.X, train.y, test.X, test.y),
                "exchanged": Split(test.X, test.y, train.X, train.y),
            }
        else:
            splits = splits_of(train.X, train.y)
        first = next(iter(splits))
        for title, split in {first: splits[first]}.items() if args.by_size else splits.items():
            n_seeds = 1 if args.by_size else args.seeds
            runs = [measure(split, seed, args.together, **parameters) for seed in range(n_seeds)]
            scores = np.array([score for score, _, _ in runs])
            rows.append(
                (
                    *(name, title, len(np.unique(split.y)), len(split.y)),
                    *(f"{scores.mean():.3f}", f"{np.ptp(scores):.3f}", f"{runs[0][1]:.1f}"),
                )
            )
            print(*rows[-1], flush=True)
            if title == first:
                found[f"{name}, {title}"] = judged(runs[0][2], split.X_new, split.y_new)
        if path:  # the networks of the package know the glyphs
            for title, half in (
                {"": train, ", the other half": test}.items() if args.final else {"": train}.items()
            ):
                clusterer = GCNClustering(random_state=0).fit(half.X)
                score = mean_fscore(half.y, clusterer.labels_)
                rows.append((name, f"without labels{title}", "", "", f"{score:.3f}", "", ""))
                print(*rows[-1], flush=True)
                found[f"{name}, without labels{title}"] = judged(clusterer, half.X, half.y)
    found |= synthetic(args.fast, **parameters)
    if rows:
        print()
        print(markdown(("set", "split", "classes", "samples", "mean F", "spread", "fit (CPU s)"), rows))
    print()
    by_size = draw(found, args.out)
    print(markdown(("set", "sizes from", "proposals", "predicted IoU", "true IoU"), by_size))


if __name__ == "__main__":
    main()
