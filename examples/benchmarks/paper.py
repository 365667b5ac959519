"""
The experiments of the paper, on data that can be had.

"Learning to Cluster Faces on an Affinity Graph" (CVPR 2019) asks what each of its parts is worth. The
same questions, asked of `GCNClustering` and answered by one Markdown table each:

design
    Its Table 3: pooling, node features and channels of GCN-D.
proposals
    Its Figure 4: the number of proposals (edge thresholds) and of levels.
pseudo_labels
    Its Figure 5: what an embedding gains that learns from clusters as if they were classes.
segmentation
    Its Figure 6: GCN-S alone, fed with the clusters of other methods.
overlap
    Its Figure 7: de-overlap and non-maximum suppression at several largest overlaps.

Run all on the glyphs in the package, or some of them on a file with X, y and perhaps train::

    python examples/benchmarks/paper.py
    python examples/benchmarks/paper.py --experiments overlap --data vectors.npz
    python examples/benchmarks/paper.py --paper    # as near to the paper's pipeline as parameters go
    python examples/benchmarks/paper.py --fast

The comparison of methods, its Table 1, is `peers.py`; times are in `stages.py`.
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from peers import FAST_EPOCHS, Samples, load, markdown, registry, tune
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import normalize

from sklearn_gcncluster import GCNClustering, GCNSegmenter
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

# What the paper has: no learned affinity, and single-link super-vertices as the only proposals.
PAPER = {"affinity": "cosine", "metric_learning": False, "proposals": ("supervertices",)}

HEADER = ("precision", "recall", "pairwise F", "BCubed F", "clusters", "fit (s)", "predict (s)")


def fit(train, args, **parameters):
    """A clusterer trained on one half of the classes; also the seconds that took."""
    start = perf_counter()
    common = {"random_state": args.seed, "pretrained": None} | (PAPER if args.paper else {})
    common |= {"max_epochs": FAST_EPOCHS // 2} if args.fast else {}
    clusterer = GCNClustering(**common | parameters).fit(train.X, train.y)
    return clusterer, perf_counter() - start


def row(clusterer, fitted, test):
    """Cells of HEADER for the other half."""
    start = perf_counter()
    labels = clusterer.predict(test.X)
    seconds = perf_counter() - start
    return (*scores(test.y, labels), f"{fitted:.1f}", f"{seconds:.1f}")


def scores(y, labels):
    """Cells of HEADER but for the times."""
    measured = (*pairwise_precision_recall_fscore(y, labels), bcubed_fscore(y, labels))
    n_clusters = np.count_nonzero(np.unique(labels[labels >= 0], return_counts=True)[1] > 1)
    return (*(f"{score:.3f}" for score in measured), n_clusters)


def design(train, test, args):
    """Table 3: one thing changed at a time, from max pooling and two convolutions."""
    # Single network, no GCN-S: the question is how well GCN-D judges proposals.
    plain = {"segment": False, "n_networks": 1, "pooling": "max", "node_features": "structure"}
    variants = [
        {},
        {"pooling": "mean"},
        {"pooling": "sum"},
        {"node_features": "embedding"},
        {"node_features": "both"},
        {"hidden_channels": (128, 32)},
        {"hidden_channels": (256, 64)},
        {"hidden_channels": (256, 128, 64)},
    ]
    if args.fast:
        variants = variants[:5:2]
    rows = []
    for variant in variants:
        clusterer = fit(train, args, **plain | variant)
        shown = {
            name: getattr(clusterer[0], name) for name in ("pooling", "node_features", "hidden_channels")
        }
        rows.append((*shown.values(), *row(*clusterer, test)))
    return markdown(("pooling", "node features", "channels", *HEADER), rows)


def proposals(train, test, args):
    """Figure 4: more levels and more thresholds give more proposals, up to a point."""
    # Average linkage is left out: it gives many levels of its own, and would hide what these add.
    rows = []
    for n_levels in (1, 2) if args.fast else (1, 2, 3):
        for n_thresholds in (1, 4) if args.fast else (1, 2, 4, 8):
            clusterer, fitted = fit(
                train,
                args,
                proposals=("supervertices",),
                n_levels=n_levels,
                edge_threshold=thresholds(train, args, n_thresholds),
            )
            found = clusterer.score_proposals(test.X)
            # The F of the best choice among these proposals: no network could choose better.
            bound = clusterer.diagnose(test.X, test.y).upper_bound["mean"]
            sizes = np.diff(found.membership.indptr)[~found.segmented]
            shown = np.count_nonzero(sizes > 1), f"{bound:.3f}"
            rows.append((n_levels, n_thresholds, *shown, *row(clusterer, fitted, test)))
    return markdown(("levels", "thresholds", "proposals", "bound (mean F)", *HEADER), rows)


def thresholds(train, args, n_thresholds):
    """Edge thresholds evenly over what is high: probabilities, or similarities of the training half."""
    places = np.linspace(0, 1, n_thresholds + 2)[1:-1].tolist()
    if args.paper:
        return np.quantile(train.nearest[1][:, :20], places).tolist()
    return places


def pseudo_labels(train, test, args):
    """Figure 5: an embedding learned from a few classes and, as if they were more, from clusters."""
    part = np.unique(train.y, return_inverse=True)[1] % 4  # by class: labelled, and three unlabelled parts
    known = Samples(train.X[part == 0], train.y[part == 0])
    clusterer, _ = fit(known, args)
    peers = registry(known, args.fast)
    chosen = {name: tune(peers[name], known) for name in ("k-means", "average link")}
    rows = [(0, "labelled only", f"{retrieval(known.X, known.y, test):.3f}", "", "")]
    for ratio in (1, 3) if args.fast else (1, 2, 3):
        others = Samples(train.X[(part > 0) & (part <= ratio)], train.y[(part > 0) & (part <= ratio)])
        found = {name: peers[name].cluster(others, **best) for name, best in chosen.items()}
        found |= {"GCNClustering": clusterer.predict(others.X), "true labels": others.y}
        for name, labels in found.items():
            gained = retrieval(*with_clusters(known, others, labels), test)
            _, _, fscore = pairwise_precision_recall_fscore(others.y, labels)
            rows.append((ratio, name, f"{gained:.3f}", f"{fscore:.3f}", len(np.unique(labels[labels >= 0]))))
    return markdown(("unlabelled : labelled", "labels by", "retrieval", "pairwise F", "clusters"), rows)


def with_clusters(known, others, labels):
    """Labelled samples, and clusters of others as further classes."""
    inside = labels >= 0
    y = np.concatenate([known.y, known.y.max() + 1 + labels[inside]])
    return np.concatenate([known.X, others.X[inside]]), y


def retrieval(X, y, test):
    """Share of the own class among as many neighbours as it has others, in an embedding learned from X, y."""
    _, numbers, counts = np.unique(y, return_inverse=True, return_counts=True)
    teaching = counts[numbers] > 1
    model = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1)
    learned = model.fit(X[teaching].astype(np.float64), y[teaching])
    rows = normalize(learned.transform(test.X.astype(np.float64))).astype(np.float32)
    neighbors, _ = Samples(rows, test.y).nearest
    _, numbers, counts = np.unique(test.y, return_inverse=True, return_counts=True)
    depth = np.minimum(counts[numbers] - 1, neighbors.shape[1])
    found = (test.y[neighbors] == test.y[:, None]) & (np.arange(neighbors.shape[1]) < depth[:, None])
    return (found.sum(axis=1)[depth > 0] / depth[depth > 0]).mean()


def segmentation(train, test, args):
    """Figure 6: clusters of other methods, tuned on the training half, before and after GCN-S."""
    peers = registry(train, args.fast)
    epochs = {"max_epochs": FAST_EPOCHS // 2} if args.fast else {}
    segmenter = GCNSegmenter(pretrained=None, random_state=args.seed, **epochs)
    if args.paper:
        segmenter.set_params(affinity="cosine", metric_learning=False)
    segmenter.fit(train.X, train.y)
    rows = []
    for name in ("k-means", "average link", "Chinese whispers"):
        chosen = tune(peers[name], train)
        before = peers[name].cluster(test, **chosen)
        after = segmenter.refine(test.X, before)
        rows += [(name, "", *scores(test.y, before)), (name, "GCN-S", *scores(test.y, after))]
    return markdown(("clusters of", "refined by", *HEADER[:-2]), rows)


def overlap(train, test, args):
    """Figure 7: the same scored proposals, resolved by de-overlap or by non-maximum suppression."""
    clusterer, fitted = fit(train, args)
    rows = [("de-overlap", "", *row(clusterer, fitted, test))]
    for max_overlap in (0.1, 0.5, 0.9) if args.fast else (0, 0.1, 0.3, 0.5, 0.7, 0.9):
        # Both are parameters of the last stage, so the trained networks stay as they are.
        clusterer.set_params(overlap="nms", max_overlap=max_overlap)
        rows.append(("NMS", max_overlap, *row(clusterer, fitted, test)))
    return markdown(("overlap", "largest IoU kept", *HEADER), rows)


EXPERIMENTS = {
    function.__name__: function for function in (design, proposals, pseudo_labels, segmentation, overlap)
}


def main():
    """Run the experiments and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FILE.npz", help="instead of the glyphs")
    parser.add_argument("--experiments", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--paper", action="store_true", help="no learned affinity, no average linkage")
    parser.add_argument("--seed", type=int, default=0, help="of the halves and of the networks")
    parser.add_argument("--fast", action="store_true", help="a few classes, short training, fewer variants")
    args = parser.parse_args()

    train, test = load(args.data, np.random.default_rng(args.seed), args.fast)
    if args.fast:
        args.paper = True  # learning the affinity would take most of the time
    print(f"learn from {len(train.y):,} samples, cluster {len(test.y):,} of other classes")
    for name in args.experiments:
        experiment = EXPERIMENTS[name]
        print(f"\n{experiment.__doc__}\n\n{experiment(train, test, args)}", flush=True)


if __name__ == "__main__":
    main()
