"""
The baselines of the package: with labels, without, with a committee, as a source of proposals, and at scale.

One half of the classes is there to learn from: each baseline chooses its threshold on it (and its mediator
learns there), and clusters the other half, whose classes nobody has seen. Without labels, it clusters that
half at the threshold that it finds there. The script prints Markdown tables::

    python examples/benchmarks/baselines.py                         # the glyphs in the package
    python examples/benchmarks/baselines.py a.npz b.npz             # X, y and perhaps a boolean train
    python examples/benchmarks/baselines.py a.npz --proposals       # what their clusters bring as proposals
    python examples/benchmarks/baselines.py --sizes 100000          # seconds, on synthetic identities
    python examples/benchmarks/baselines.py --fast
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from peers import load, markdown, mean_fscore
from sklearn.base import clone

from sklearn_gcncluster import GCNClustering, record_stages
from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

SCORES = "clusters", "precision", "recall", "pairwise F", "BCubed F", "mean", "seconds"
OWN = ("supervertices", "average_link")
SOURCES = {
    "defaults": OWN,
    "defaults and CDP": (*OWN, ConsensusPropagation()),
    "defaults, CDP and rank-order": (*OWN, ConsensusPropagation(), ApproximateRankOrder()),
    "super-vertices": OWN[:1],
    "super-vertices and CDP": (*OWN[:1], ConsensusPropagation()),
}


def baselines(n_features):
    """All baselines; the committee is one embedding and its halves, for want of several embeddings."""
    halves = [slice(0, n_features // 2), slice(n_features // 2, n_features)]
    return {
        "rank-order": ApproximateRankOrder(),
        "CDP": ConsensusPropagation(),
        "CDP, committee": ConsensusPropagation(committee=["passthrough", *halves], random_state=0),
    }


def scores(y, labels, seconds):
    """Cells of SCORES."""
    precision, recall, pairwise = pairwise_precision_recall_fscore(y, labels)
    bcubed = bcubed_fscore(y, labels)
    shown = precision, recall, pairwise, bcubed, (pairwise + bcubed) / 2
    return (int(labels.max()) + 1, *(f"{score:.3f}" for score in shown), f"{seconds:.1f}")


def compare(train, test):
    """Each baseline with labels of other classes and without; seconds are those of the test half."""
    rows = []
    for name, baseline in baselines(train.X.shape[1]).items():
        learned = {f"{name}, with labels": clone(baseline).fit(train.X, train.y)}
        if name == "rank-order":
            others = [clone(baseline).set_params(n_neighbors=k).fit(train.X, train.y) for k in (10, 20, 80)]
            longest = max([*learned.values(), *others], key=lambda one: mean_fscore(train.y, one.labels_))
            learned[f"{name}, with labels, n_neighbors={longest.n_neighbors} by them"] = longest
        for shown, clusterer in learned.items():
            start = perf_counter()
            labels = clusterer.predict(test.X)
            found = f"{clusterer.threshold_:.2f}"
            rows.append((shown, found, *scores(test.y, labels, perf_counter() - start)))
        start = perf_counter()
        clusterer = clone(baseline).fit(test.X)
        found = f"{clusterer.threshold_:.2f}"
        rows.append((name, found, *scores(test.y, clusterer.labels_, perf_counter() - start)))
    return markdown(("method", "threshold", *SCORES), rows)


def compare_proposals(test):
    """Upper bound and scores of GCNClustering, without labels, by its sources of proposals."""
    rows = []
    for name, sources in SOURCES.items():
        clusterer = GCNClustering(random_state=0, proposals=sources).fit(test.X[:200])  # takes the networks
        diagnosis = clusterer.diagnose(test.X, test.y)
        shown = [
            found[measure]
            for measure in ("pairwise", "mean")
            for found in (diagnosis.upper_bound, diagnosis.scores)
        ]
        rows.append((name, *(f"{score:.3f}" for score in shown)))
    return markdown(("proposals", "bound, pairwise", "pairwise F", "bound, mean", "mean F"), rows)


def measure(n_samples, n_features, seed):
    """Seconds of each stage on synthetic identities."""
    X, y = make_identities(n_samples, n_features=n_features, random_state=seed)
    rows = []
    for clusterer in (ApproximateRankOrder(), ConsensusPropagation()):
        clone(clusterer).fit(X[:200])  # imports what it needs
        with record_stages() as stages:
            labels = clusterer.fit_predict(X)
        seconds = [f"{stage.seconds:.0f}" for stage in stages.values()]
        name, fscore = type(clusterer).__name__, f"{mean_fscore(y, labels):.3f}"
        rows.append((name, clusterer.n_clusters_, fscore, *seconds))
    return markdown((f"{n_samples:,} samples", "clusters", "mean F", *stages), rows)


def main():
    """Compare the baselines on all files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help=".npz files; without any, the glyphs")
    parser.add_argument("--proposals", action="store_true", help="compare sources of proposals instead")
    parser.add_argument("--sizes", nargs="+", type=int, help="measure times at these sizes instead")
    parser.add_argument("--n-features", type=int, default=64, help="of the samples that --sizes makes")
    parser.add_argument("--seed", type=int, default=0, help="of the halves, where a file has none")
    parser.add_argument("--fast", action="store_true", help="a few classes")
    args = parser.parse_args()
    for size in args.sizes or []:
        print(measure(size, args.n_features, args.seed), end="\n\n", flush=True)
    for path in [] if args.sizes else args.files or [None]:
        train, test = load(path, np.random.default_rng(args.seed), args.fast)
        print(path.stem if path else "glyphs", end="\n\n")
        print(compare_proposals(test) if args.proposals else compare(train, test), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
