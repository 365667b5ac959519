"""Figure 8 of the paper: clusters of complex shape that were found, as graphs and as pictures.

The clusters whose members are the furthest apart, by ways from neighbour to neighbour: long ones, which no
sphere would hold.
"""

import matplotlib.pyplot as plt
import numpy as np
from experiment import BLUE, GREY, ORANGE, Claim, Experiment, arguments, gcn, measure, run
from matplotlib.collections import LineCollection
from pictures import picture_rows
from scipy.sparse.csgraph import shortest_path
from sklearn.decomposition import PCA

from sklearn_gcncluster.datasets import load_glyphs

N_SHOWN, N_COLUMNS = 3, 11
DRAWN = {}
"""Of the first seed: samples, classes and the clusters to draw."""


def rows(train, test, args, seed):
    """How far the members of each cluster are spread, and how pure it is: round and complex ones apart."""
    labels = gcn(args, seed).fit(train.X, train.y).predict(test.X)
    clusters = [np.flatnonzero(labels == cluster) for cluster in range(labels.max() + 1)]
    clusters = [members for members in clusters if len(members) >= 8]
    spread = np.array([spread_of(test.X[members]) for members in clusters])
    purity = np.array(
        [np.unique(test.y[members], return_counts=True)[1].max() / len(members) for members in clusters]
    )
    order = np.argsort(-spread)
    if seed == 0:
        pure = [place for place in order if purity[place] > 0.8]
        DRAWN["clusters"] = [clusters[place] for place in pure[:N_SHOWN]]
        DRAWN["samples"] = test
    found = []
    for name, half in zip(("complex half", "round half"), np.array_split(order, 2), strict=True):
        numbers = {"clusters": len(half), "spread": spread[half].mean(), "purity": purity[half].mean()}
        found.append({"clusters of": name} | numbers)
    measured = measure(test.y, labels)
    found.append(
        {"clusters of": "all", "clusters": measured["clusters"]}
        | {"spread": spread.mean(), "purity": purity.mean()}
    )
    return found


def spread_of(X):
    """Longest way from member to member over near ones, for the median distance of neighbours."""
    distances = np.sqrt(np.maximum(2 - 2 * X @ X.T, 0))
    nearest = np.sort(distances, axis=1)[:, 1:4]
    links = np.where(distances <= np.maximum(nearest[:, -1:], nearest[:, -1:].T), distances, 0)
    ways = shortest_path(links, directed=False)
    return ways[np.isfinite(ways)].max() / np.median(nearest[:, 0])


def draw(results, args):
    """Each cluster as a graph in its plane, and its members below."""
    clusters, samples = DRAWN["clusters"], DRAWN["samples"]
    images = load_glyphs().images if args.data is None else None
    figure, axes = plt.subplots(
        1 + (images is not None), len(clusters), figsize=(7, 4.2 if images is not None else 2.4),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for column, members in enumerate(clusters):
        X, y = samples.X[members], samples.y[members]
        names, counts = np.unique(y, return_counts=True)
        colours = np.where(y == names[counts.argmax()], BLUE, ORANGE)
        plane, near = PCA(2).fit_transform(X), np.argsort(-X @ X.T, axis=1)[:, 1:4]
        ends = np.stack([np.repeat(plane, 3, axis=0), plane[near.ravel()]], axis=1)
        axes[0, column].add_collection(LineCollection(ends, colors=GREY, linewidths=0.8))
        axes[0, column].scatter(*plane.T, c=colours, s=22, zorder=3, edgecolor="white", lw=0.5)
        axes[0, column].set_title(f"{len(members)} samples", fontsize=9)
        if images is not None:
            rows_of = source_rows(samples.X[members])
            picture = picture_rows(images, [rows_of], [list(colours)], N_COLUMNS, scale=1)
            axes[1, column].imshow(picture)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return figure


def source_rows(X):
    """Where samples stand among the glyphs."""
    return (load_glyphs().data @ X.T).argmax(axis=0)


def claims(results):
    """What Figure 8 shows."""
    spread, purity = (
        [results.mean((half,), column) for half in ("complex half", "round half")]
        for column in ("spread", "purity")
    )
    return [
        Claim(
            "Clusters of complex shape are found, as pure as others.",
            f"the half that spreads over {spread[0]:.1f} neighbour distances is pure to "
            f"{100 * purity[0]:.1f} %, the half over {spread[1]:.1f} to {100 * purity[1]:.1f} %.",
            purity[0] > purity[1] - 0.1,
        )
    ]


EXPERIMENT = Experiment(
    "figure_8", "Figure 8: clusters of complex shape", ("clusters of",), rows, draw, claims
)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
