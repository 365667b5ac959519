"""
Cluster classes that nobody has labelled
========================================

An archive holds scans of printed kanji. Somebody has sorted one half of the characters; the other
half are characters that have never been labelled, and nobody knows how many there are. In what way
prints of the same character resemble each other is the same in both halves, so it can be learned
from the first and used on the second. That is what :class:`~sklearn_gcncluster.GCNClustering` does.

The script trains on half of the classes, clusters the other half, sets the result beside four
clusterers of scikit-learn, each tuned on the same labelled half, and draws what was found. It also
takes any other embedding::

    python examples/quickstart.py                     # a few minutes on two cores
    python examples/quickstart.py --fast              # less than one: fewer classes and epochs
    python examples/quickstart.py --data vectors.npz  # X, y and, if there is one, a boolean train
"""

import argparse
import itertools
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, pairwise_distances
from sklearn.neighbors import NearestNeighbors

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore, pairwise_precision_recall_fscore

parser = argparse.ArgumentParser(description="Train on half of the classes, cluster the other half.")
parser.add_argument("--data", type=Path, metavar="FILE.npz", help="arrays X and y instead of the glyphs")
parser.add_argument("--output", type=Path, default="quickstart.png", metavar="PNG", help="where to draw")
parser.add_argument("--no-plot", action="store_true", help="draw nothing")
parser.add_argument("--fast", action="store_true", help="fewer classes, shorter training, smaller grids")
parser.add_argument("--seed", type=int, default=0, help="of the split, the networks and k-means")
args = parser.parse_args()

# %%
# Two halves without a common class
# ---------------------------------
#
# What counts is how well *new* classes are found. So classes are split, not samples: no class has
# samples in both halves.


def load(path):
    """Samples of unit length, classes, which samples to learn from (None: not said), and pictures."""
    if path is None:
        glyphs = load_glyphs()
        return glyphs.data, glyphs.target, None, glyphs.images
    with np.load(path) as file:
        X, y = file["X"].astype(np.float32), file["y"]
        train = file["train"].astype(bool) if "train" in file else None
    # Half precision loses the unit length: a cosine is a product only once that is restored.
    X /= np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)
    return X, y, train, None


X, y, train, images = load(args.data)
random = np.random.default_rng(args.seed)
classes = random.permutation(np.unique(y[y != -1]))
if train is None:
    train = np.isin(y, classes[::2])
if args.fast:
    # Whole classes, until there are about 3,000 samples: parts of classes would be another problem.
    position = np.argsort(classes)[np.searchsorted(np.sort(classes), y)]
    kept = position < np.searchsorted(np.cumsum(np.bincount(position)), 3000)
    X, y, train = X[kept], y[kept], train[kept]
    images = None if images is None else images[kept]

X_train, y_train, X_new, y_new = X[train], y[train], X[~train], y[~train]
pictures = None if images is None else images[~train]
print(
    f"learn from {len(y_train):,} samples of {len(np.unique(y_train)):,} classes, "
    f"cluster {len(y_new):,} of {len(np.unique(y_new)):,} others"
)

# %%
# Learn, then cluster
# -------------------
#
# `fit` with labels trains the networks; `predict` clusters other samples with them. Where more than
# labels are wanted, such as the IoU that the network predicts for each cluster, the trained estimator
# is the `pretrained` of another, which is then fit without labels.

start = perf_counter()
learner = GCNClustering(random_state=args.seed)
if args.data is None:
    learner.set_params(pretrained=None)  # the networks of the package know these very glyphs
learner.fit(X_train, y_train)
trained = perf_counter()
clusterer = GCNClustering(pretrained=FrozenEstimator(learner), random_state=args.seed).fit(X_new)
gcn_labels, gcn_scores = clusterer.labels_, clusterer.cluster_scores_
gcn_seconds = trained - start, perf_counter() - trained

# %%
# Four others, each with the best that its parameters can do
# ----------------------------------------------------------
#
# A comparison with default parameters would show little. Each method gets a grid, its distances
# taken from the training half, and uses the labels of that half to choose: by the mean of pairwise
# F, in which large classes count most, and BCubed F, in which every sample counts the same.


def k_means(X, samples_per_cluster):
    # The number of clusters can not carry over to another set; their mean size can.
    n_clusters = max(1, round(len(X) / samples_per_cluster))
    return KMeans(n_clusters, n_init=1, max_iter=50, random_state=args.seed).fit_predict(X)


def dbscan(X, **parameters):
    return DBSCAN(metric="cosine", **parameters).fit_predict(X)


def hdbscan(X, **parameters):
    # Rows have unit length, so Euclidean distances rank as cosine distances do. Below some thousand
    # samples all distances at once are faster than a tree, which does not help in 128 dimensions.
    algorithm = "brute" if len(X) < 8000 else "auto"
    return HDBSCAN(algorithm=algorithm, copy=True, **parameters).fit_predict(X)


def average_link(X, **parameters):
    return AgglomerativeClustering(None, metric="cosine", linkage="average", **parameters).fit_predict(X)


n_steps = 6 if args.fast else 12
to_neighbors = NearestNeighbors(n_neighbors=5, metric="cosine").fit(X_train).kneighbors()[0]
to_anyone = pairwise_distances(X_train[:500], X_train[-500:], metric="cosine")
mean_size = np.geomspace(2, 150, n_steps)
radius = np.quantile(to_neighbors, np.linspace(0.05, 0.95, n_steps))
height = np.linspace(np.quantile(to_neighbors, 0.05), np.median(to_anyone), n_steps)
PEERS = {
    "KMeans": (k_means, {"samples_per_cluster": mean_size}),
    "DBSCAN": (dbscan, {"eps": radius, "min_samples": [2, 4, 8]}),
    "HDBSCAN": (
        hdbscan,
        {
            "min_cluster_size": [2, 3, 5, 10, 20],
            "min_samples": [1, 5],
            "cluster_selection_method": ["eom", "leaf"],
        },
    ),
    "average link": (average_link, {"distance_threshold": height}),
}


def mean_f(y, labels):
    return (pairwise_fscore(y, labels) + bcubed_fscore(y, labels)) / 2


def tune(method, grid):
    choices = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return max(choices, key=lambda chosen: mean_f(y_train, method(X_train, **chosen)))


found = {"GCNClustering": (gcn_labels, *gcn_seconds)}
for name, (method, grid) in PEERS.items():
    start = perf_counter()
    chosen = tune(method, grid)
    tuned = perf_counter()
    found[name] = method(X_new, **chosen), tuned - start, perf_counter() - tuned
    print(f"{name}:", ", ".join(f"{key}={value:.3g}" if key != "cluster_selection_method" else value
                                for key, value in chosen.items()))  # fmt: skip

# %%
# The result
# ----------
#
# Outliers (-1) count as clusters of their own in every column. scikit-learn's NMI and ARI would
# take them for one large cluster, so they are given numbers first.


def singletons(labels):
    outlier = labels < 0
    return np.where(outlier, labels.max() + np.cumsum(outlier), labels)


def row(labels, learning, clustering):
    known = y_new != -1
    precision, recall, pairwise = pairwise_precision_recall_fscore(y_new, labels)
    truth, alone = y_new[known], singletons(labels)[known]
    return {
        "clusters": labels.max() + 1,
        "outliers": np.count_nonzero(labels < 0),
        "precision": precision,
        "recall": recall,
        "pairwise F": pairwise,
        "BCubed F": bcubed_fscore(y_new, labels),
        "NMI": normalized_mutual_info_score(truth, alone),
        "ARI": adjusted_rand_score(truth, alone),
        "learn or tune (s)": learning,
        "cluster (s)": clustering,
    }


table = pd.DataFrame({name: row(*result) for name, result in found.items()}).T
table = table.astype({"clusters": int, "outliers": int})
seconds = dict.fromkeys(["learn or tune (s)", "cluster (s)"], "{:.1f}".format)
print(table.to_string(float_format="{:.3f}".format, formatters=seconds))

# %%
# What the clusters look like
# ---------------------------
#
# A cluster is right to the degree of its IoU with the class of most of its members: the samples they
# share, as a share of the samples in either. The network predicts this number for clusters without
# labels, so it also tells which of them can be relied on. The upper rows go down in even steps from
# the cluster that it trusts most; the lower ones are those of five or more that it trusts least.

CORRECT, WRONG, MISSED, INK = "#56B4E9", "#D55E00", "#D9D9D9", "#333333"  # told apart by all eyes


def majority(labels, cluster):
    """Class of most members of a cluster."""
    names, counts = np.unique(y_new[labels == cluster], return_counts=True)
    return names[np.argmax(counts)]


def true_iou(labels, cluster):
    members, of_class = labels == cluster, y_new == majority(labels, cluster)
    return np.count_nonzero(members & of_class) / np.count_nonzero(members | of_class)


def draw_pictures(axes, n_rows=12, n_doubtful=6, cell=26, gap=6):
    """A row of framed pictures for each of some clusters; what the row should also hold is pale."""
    large = np.flatnonzero(np.bincount(gcn_labels[gcn_labels >= 0]) >= 5)
    ranked = large[np.argsort(-gcn_scores[large, 0])]
    steps = np.linspace(0, len(ranked) - 1 - n_doubtful, n_rows).round()
    shown = ranked[np.unique(np.append(steps, np.arange(-n_doubtful, 0) + len(ranked)).clip(0).astype(int))]
    rows = []
    for cluster in shown:
        members, of_class = gcn_labels == cluster, y_new == majority(gcn_labels, cluster)
        groups = (members & of_class, CORRECT), (members & ~of_class, WRONG), (of_class & ~members, MISSED)
        rows.append([(sample, colour) for group, colour in groups for sample in np.flatnonzero(group)])

    # All pictures go into one: cells of the colour of the frame, the picture in the middle of each.
    side, pitch = pictures.shape[1], cell + gap
    margin = (cell - 1 - side) // 2
    canvas = np.full((len(rows) * pitch, max(map(len, rows)) * cell, 3), 255, np.uint8)
    for line, cells in enumerate(rows):
        for column, (sample, colour) in enumerate(cells):
            top, left = line * pitch, column * cell
            canvas[top : top + cell - 1, left : left + cell - 1] = to_rgb(colour)
            top, left = top + margin, left + margin
            ink = pictures[sample][..., None] * (0.4 if colour == MISSED else 1)
            canvas[top : top + side, left : left + side] = 255 - ink
    axes.imshow(canvas)

    scores = [f"{gcn_scores[c, 0]:.2f}   {true_iou(gcn_labels, c):.2f}" for c in shown]
    axes.set_yticks(np.arange(len(rows)) * pitch + cell / 2, scores, family="monospace", fontsize=9)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.text(-0.01, 1.008, "IoU\npredicted  true", transform=axes.transAxes, ha="right", fontsize=8)
    labels = ("member, of the class of most", "member, of another class", "of that class, not found")
    handles = [
        plt.Line2D([], [], marker="s", ls="", ms=9, color=colour, label=label)
        for colour, label in zip((CORRECT, WRONG, MISSED), labels, strict=True)
    ]
    where = {"loc": "lower left", "bbox_to_anchor": (-0.01, 0.99), "ncols": 3, "handletextpad": 0.1}
    axes.legend(handles=handles, frameon=False, fontsize=9, **where)
    axes.set_title("Clusters of characters never seen in training", loc="left", pad=26, weight="bold")


def to_rgb(colour):
    """The three bytes of a colour such as "#56B4E9"."""
    return list(bytes.fromhex(colour[1:]))


def draw_sizes(axes):
    """Sizes of clusters by rank, beside those of the classes."""
    by_rank = {"classes": y_new} | {name: singletons(labels) for name, (labels, *_) in found.items()}
    styles = {"classes": {"color": "black", "lw": 4}, "GCNClustering": {"color": CORRECT, "lw": 2.5}}
    for index, (name, labels) in enumerate(by_rank.items()):
        sizes = -np.sort(-np.unique(labels, return_counts=True)[1])
        faint = {"color": f"{0.2 + 0.12 * index:.2f}", "lw": 1, "ls": "--"}
        axes.plot(np.arange(len(sizes)) + 1, sizes, label=name, **styles.get(name, faint))
    axes.set(xscale="log", yscale="log", xlabel="rank", ylabel="samples")
    axes.set_title("Sizes of the clusters, the largest first", loc="left", weight="bold")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def draw_methods(axes):
    quality = table[["pairwise F", "BCubed F"]].mean(axis=1).sort_values()
    colours = [CORRECT if name == "GCNClustering" else "#BBBBBB" for name in quality.index]
    bars = axes.barh(quality.index, quality, color=colours)
    axes.bar_label(bars, fmt=" %.2f", color=INK, fontsize=9)
    axes.set(xlim=(0, 1.08), xticks=[])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.set_title("Mean of pairwise and BCubed F", loc="left", fontsize=10, weight="bold")


def draw_trust(axes):
    true = [true_iou(gcn_labels, cluster) for cluster in range(len(gcn_scores))]
    sizes = np.bincount(gcn_labels[gcn_labels >= 0])
    axes.plot([0, 1], [0, 1], color="#BBBBBB", lw=1, zorder=0)
    axes.scatter(gcn_scores[:, 0], true, s=4 + sizes, color=CORRECT, alpha=0.6, edgecolor="white", lw=0.4)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03), xlabel="predicted IoU", ylabel="true IoU", aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Predicted and true IoU", loc="left", fontsize=10, weight="bold")


if not args.no_plot:
    figure = plt.figure(figsize=(13.5, 6.3), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[3, 1], height_ratios=[2, 3])
    if pictures is None:
        draw_sizes(figure.add_subplot(grid[:, 0]))
    else:
        draw_pictures(figure.add_subplot(grid[:, 0]))
    draw_methods(figure.add_subplot(grid[0, 1]))
    draw_trust(figure.add_subplot(grid[1, 1]))
    figure.savefig(args.output, dpi=150)
    print(f"drawn: {args.output}")
