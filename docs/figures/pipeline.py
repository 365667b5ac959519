"""Draw docs/figures/pipeline.svg: the way of the data through the package, on samples in a plane.

What is drawn is computed: proposals, predicted scores and labels are those of `GCNClustering`. A little
more than by default is refined (`iop_range`), so that there is something to show.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse as sp
from matplotlib.collections import LineCollection
from scipy.spatial import ConvexHull
from sklearn.datasets import make_blobs
from sklearn.neighbors import kneighbors_graph

from sklearn_gcncluster import GCNClustering

INK, GREY, BLUE, ORANGE = "#333333", "#BBBBBB", "#0072B2", "#D55E00"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933"]

plt.rcParams |= {"svg.hashsalt": "sklearn_gcncluster", "font.size": 13, "svg.fonttype": "none"}


def samples():
    """Six classes, two of them near each other, one long, and some samples of none."""
    random = np.random.default_rng(10)
    X, _ = make_blobs(
        [22, 20, 18, 14, 12], centers=[[0, 0], [2.4, 0.6], [6, 4.5], [0.5, 5], [6.5, -0.5]], random_state=3,
        cluster_std=[0.55, 0.5, 0.6, 0.45, 0.4],
    )  # fmt: skip
    long = np.column_stack([np.linspace(2.5, 5, 16), np.linspace(7, 2.2, 16)]) + random.normal(
        0, 0.22, (16, 2)
    )
    return np.vstack([X, long, random.uniform([-1.5, -1.5], [7.5, 7.5], (6, 2))])


def hull(points, pad=0.32):
    """Outline of some points, with a margin."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    around = (points[:, None] + pad * np.column_stack([np.cos(angle), np.sin(angle)])).reshape(-1, 2)
    return around[ConvexHull(around).vertices]


def main():
    """Draw six panels, in two columns, so that they can be read on a telephone."""
    X = samples()
    clusterer = GCNClustering(iop_range=(0.3, 0.9), random_state=0).fit(X)
    found = clusterer.score_proposals(X)
    members = [found.membership[[row]].indices for row in range(len(found.scores))]
    sizes = np.array([len(rows) for rows in members])
    quality = found.scores[:, 0]

    figure, axes = plt.subplots(3, 2, figsize=(7.2, 10), layout="constrained")
    titles = ("1  samples", "2  graph", "3  proposals", "4  scores", "5  segmented", "6  labels")
    for ax, title in zip(axes.flat, titles, strict=True):
        ax.set_title(title, loc="left", weight="bold", color=INK)
        ax.set(xticks=[], yticks=[], aspect="equal", xlim=(-2.3, 8.9), ylim=(-2.3, 8.6))
        ax.spines[:].set_color(GREY)
        ax.scatter(*X.T, s=16, color=INK, zorder=3)
    _, graph, proposed, scored, segmented, labelled = axes.flat

    nearest = kneighbors_graph(X, 5)
    links = sp.triu(nearest + nearest.T).tocoo()
    ends = np.stack([X[links.row], X[links.col]], axis=1)
    near = np.exp(-np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1))
    graph.add_collection(LineCollection(ends, linewidths=2.4 * near, colors=BLUE, alpha=0.7))
    # Some of many: of each size about as many, from small to large.
    whole = np.flatnonzero((sizes >= 3) & (sizes < 60) & ~found.segmented)
    shown = whole[np.argsort(sizes[whole])][:: max(1, len(whole) // 14)]
    for row in shown:
        proposed.add_patch(plt.Polygon(hull(X[members[row]]), fill=False, ec=INK, lw=1, alpha=0.7))
    distinct = []
    for row in whole[
        np.argsort(-quality[whole])
    ]:  # good ones that do not repeat each other, and two that are worse
        if all(len(np.intersect1d(members[row], members[other])) == 0 for other in distinct):
            distinct.append(row)
    poor = [row for row in whole if quality[row] < 0.45 and sizes[row] > 20][:1]
    for row in [*distinct[:6], *poor]:
        good = row not in poor
        outline = hull(X[members[row]], 0.36 if good else 0.5)
        scored.add_patch(
            plt.Polygon(outline, fill=False, ec=BLUE if good else ORANGE, lw=2, ls="-" if good else "--")
        )
        x, top = outline[np.argmax(outline[:, 1])]
        scored.text(
            x, top + 0.05, f"{quality[row]:.2f}", color=BLUE if good else ORANGE, ha="center", va="bottom"
        )
    draw_segmented(segmented, X, members, found)
    for label in range(clusterer.n_clusters_):
        rows = clusterer.labels_ == label
        labelled.scatter(*X[rows].T, s=34, color=COLOURS[label % len(COLOURS)], zorder=4)
        labelled.add_patch(plt.Polygon(hull(X[rows]), color=COLOURS[label % len(COLOURS)], alpha=0.15, lw=0))
    labelled.scatter(*X[clusterer.labels_ < 0].T, s=34, marker="x", color=INK, zorder=4)
    labelled.text(-2, -2, "x: in no cluster", fontsize=11, color=INK)
    figure.savefig(Path(__file__).with_suffix(".svg"), metadata={"Date": None})
    print(f"{clusterer.n_clusters_} clusters, {len(whole)} proposals, {found.segmented.sum()} segmented")


def draw_segmented(ax, X, members, found):
    """A proposal, and what GCN-S left of it: the one of most members among those that lost some."""
    pairs = []
    for row in np.flatnonzero(found.segmented):
        kept = members[row]
        for other in np.flatnonzero(~found.segmented):
            if len(kept) < len(members[other]) < 2.2 * len(kept) and np.isin(kept, members[other]).all():
                pairs.append((found.scores[row, 0] - found.scores[other, 0], row, other))
    if not pairs:
        ax.text(0.5, 0.5, "nothing to refine", transform=ax.transAxes, ha="center")
        return
    _, row, other = max(pairs)
    lost = np.setdiff1d(members[other], members[row])
    ax.add_patch(plt.Polygon(hull(X[members[other]], 0.5), fill=False, ec=ORANGE, lw=2, ls="--"))
    ax.add_patch(plt.Polygon(hull(X[members[row]]), fill=False, ec=BLUE, lw=2))
    ax.scatter(*X[lost].T, s=60, facecolor="white", edgecolor=ORANGE, lw=2, zorder=4)
    ax.text(-2, -2, "orange: taken out by GCN-S", fontsize=11, color=INK)


if __name__ == "__main__":
    main()
