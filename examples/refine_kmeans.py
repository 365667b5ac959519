"""
Refine the clusters of k-means
==============================

Some clusters have been made already, by k-means, by a colleague, by a service, and they are not
quite right: two characters share a cluster, another is torn in two. What labelled classes teach
about clusters can mend that without clustering anew.
:class:`~sklearn_gcncluster.GCNSegmenter` looks at each given cluster, takes the impure ones apart and
puts fragments together.

The script does so for k-means on kanji of classes that were never labelled, counts what was gained,
and draws a cluster before and after. It also takes any other embedding::

    python examples/refine_kmeans.py                     # about four minutes on two cores
    python examples/refine_kmeans.py --fast              # less than one: fewer classes and epochs
    python examples/refine_kmeans.py --data vectors.npz  # X, y and, if there is one, a boolean train
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN, KMeans

from sklearn_gcncluster import GCNSegmenter
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

parser = argparse.ArgumentParser(description="Refine the clusters of k-means.")
parser.add_argument("--data", type=Path, metavar="FILE.npz", help="arrays X and y instead of the glyphs")
parser.add_argument("--output", type=Path, default="refine_kmeans.png", metavar="PNG", help="where to draw")
parser.add_argument("--no-plot", action="store_true", help="draw nothing")
parser.add_argument("--fast", action="store_true", help="fewer classes, shorter training")
parser.add_argument("--seed", type=int, default=0, help="of the split, the networks and k-means")
args = parser.parse_args()

# %%
# Two halves without a common class
# ---------------------------------
#
# Somebody has labelled one half of the classes. The other half is new.


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

# %%
# A clusterer behind which all is refined
# ---------------------------------------
#
# The segmenter takes the clusterer as its first parameter. `fit` learns from the labelled half how
# good clusters look, and how those that k-means makes differ from them; `predict` clusters new
# samples with k-means and refines. The number of clusters is that of the labelled classes, which is
# the best guess there is.

k_means = KMeans(len(np.unique(y_train)), n_init=1, random_state=args.seed)
segmenter = GCNSegmenter(k_means, random_state=args.seed)
if args.data is None:
    segmenter.set_params(pretrained=None)  # the networks of the package know these very glyphs
segmenter.fit(X_train, y_train)
before = k_means.fit_predict(X_new)
after = segmenter.predict(X_new)

# %%
# Labels that come from anywhere
# ------------------------------
#
# Once trained, it refines other clusters too, also those of clusterers it has not met. Noise stays
# noise.

dense = HDBSCAN(min_cluster_size=3, algorithm="brute", copy=True).fit_predict(X_new)
dense_after, probabilities = segmenter.refine(X_new, dense, return_probabilities=True)


def row(labels):
    precision, recall, pairwise = pairwise_precision_recall_fscore(y_new, labels)
    return {
        "clusters": len(np.unique(labels[labels >= 0])),
        "noise": np.count_nonzero(labels < 0),
        "precision": precision,
        "recall": recall,
        "pairwise F": pairwise,
        "BCubed F": bcubed_fscore(y_new, labels),
    }


table = pd.DataFrame(
    {
        "KMeans": row(before),
        "KMeans, refined": row(after),
        "HDBSCAN": row(dense),
        "HDBSCAN, refined": row(dense_after),
    }
).T.astype({"clusters": int, "noise": int})
print(table.to_string(float_format="{:.3f}".format))

# %%
# Clusters before and after
# -------------------------
#
# The given clusters whose samples gained most, and where they are now. Blue frames are samples of the
# class that most members of their cluster have, orange ones are not.

CORRECT, WRONG, GREY = "#56B4E9", "#D55E00", "#BBBBBB"  # told apart by all eyes


def in_majority(labels):
    """Whether each sample has the class that most members of its cluster have."""
    right = np.zeros(len(labels), bool)
    for cluster in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == cluster)
        names, counts = np.unique(y_new[members], return_counts=True)
        right[members] = y_new[members] == names[np.argmax(counts)]
    return right


right_before, right_after = in_majority(before), in_majority(after)
gained = np.bincount(before, weights=right_after.astype(int) - right_before)
chosen = np.argsort(-gained)[:3]


def pieces(cluster, most=4):
    """Refined clusters that hold samples of a given one, by how many they hold."""
    names, counts = np.unique(after[before == cluster], return_counts=True)
    return names[np.argsort(-counts, kind="stable")][:most]


for cluster in chosen:
    print(f"{np.count_nonzero(before == cluster)} samples are now in {len(pieces(cluster, None))} clusters")


def draw_pictures(axes, lines, titles, n_columns=34, cell=26):
    """Framed pictures of some samples, in a row or more for each list."""
    n_rows = [-(-len(line) // n_columns) for line, _ in lines]
    canvas = np.full((sum(n_rows) * cell + 10 * len(lines), n_columns * cell, 3), 255, np.uint8)
    top, ticks, margin = 0, [], (cell - images.shape[1]) // 2
    for (line, right), height in zip(lines, n_rows, strict=True):
        ticks.append(top + height * cell / 2)
        for place, sample in enumerate(line):
            y0, x0 = top + place // n_columns * cell, place % n_columns * cell
            colour = CORRECT if right[sample] else WRONG
            canvas[y0 : y0 + cell - 1, x0 : x0 + cell - 1] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
            inside = slice(y0 + margin, y0 + cell - margin), slice(x0 + margin, x0 + cell - margin)
            canvas[inside] = (255 - images[~train][sample])[..., None]
        top += height * cell + 10
    axes.imshow(canvas, interpolation="antialiased")
    axes.set_yticks(ticks, titles, fontsize=9)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_map(axes, labels, title):
    """The samples of the first cluster and of its pieces, in the plane that shows most of them."""
    shown = np.flatnonzero((before == chosen[0]) | np.isin(after, pieces(chosen[0])))
    centred = X_new[shown] - X_new[shown].mean(axis=0)
    plane = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    colours = plt.get_cmap("tab10")(np.unique(labels[shown], return_inverse=True)[1] % 10)
    axes.scatter(*plane.T, c=colours, s=18, edgecolor="white", lw=0.4)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, loc="left", fontsize=10, weight="bold")


def draw_scores(axes):
    quality = table[["pairwise F", "BCubed F"]].mean(axis=1)[::-1]
    colours = [CORRECT if "refined" in name else GREY for name in quality.index]
    bars = axes.barh(quality.index, quality, color=colours)
    axes.bar_label(bars, fmt=" %.2f", fontsize=9)
    axes.set(xlim=(0, 1.08), xticks=[])
    axes.tick_params(length=0)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.set_title("Mean of pairwise and BCubed F", loc="left", fontsize=10, weight="bold")


if not args.no_plot:
    figure = plt.figure(figsize=(13.5, 5), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=[3, 1])
    draw_scores(figure.add_subplot(grid[1]))
    if images is None:
        maps = grid[0].subgridspec(1, 2)
        draw_map(figure.add_subplot(maps[0]), before, "A cluster of k-means and its surroundings")
        draw_map(figure.add_subplot(maps[1]), after, "The same, refined")
    else:
        lines, titles = [], []
        for cluster in chosen:
            given = np.flatnonzero(before == cluster)
            lines.append((given[np.argsort(~right_before[given], kind="stable")], right_before))
            titles.append("given")
            for piece in pieces(cluster):
                members = np.flatnonzero(after == piece)
                lines.append((members[np.argsort(~right_after[members], kind="stable")], right_after))
                titles.append("refined")
        axes = figure.add_subplot(grid[0])
        draw_pictures(axes, lines, titles)
        axes.set_title("Clusters of k-means, and where their samples went", loc="left", weight="bold")
    figure.savefig(args.output, dpi=150)
    print(f"drawn: {args.output}")
