"""
A graph as input: any distance
==============================

Sometimes there is no embedding, but something that compares two samples: an edit distance, a match score, a
count of common friends. A sparse matrix of the nearest by that measure is enough. Here pictures are
compared by the sum of the differences of their pixels. ::

    python examples/precomputed_graph.py         # half a minute on two cores
    python examples/precomputed_graph.py --fast  # seconds
"""

import sys

import numpy as np
from sklearn.neighbors import kneighbors_graph

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import pairwise_fscore

fast = "--fast" in sys.argv
glyphs = load_glyphs()
n_classes = 40 if fast else 150


def graph_of(samples):
    """Distances of each picture to its 80 nearest: a sparse matrix, the samples with each other."""
    pixels = glyphs.images[samples].reshape(-1, 400).astype(float)
    return kneighbors_graph(pixels, 80, mode="distance", metric="manhattan")


# %%
# One graph for each set
# ----------------------
#
# Samples are clustered together, so a graph holds the links that samples of one set have *with each other*.

known, new = glyphs.target < n_classes, glyphs.target >= 400 - n_classes
graph_known, graph_new = graph_of(known), graph_of(new)
print(f"{graph_new.shape[0]} samples, {graph_new.nnz / graph_new.shape[0]:.0f} links each")

# %%
# Everything else is as with embeddings
# -------------------------------------

clusterer = GCNClustering(metric="precomputed", n_networks=1, max_epochs=6 if fast else 12, random_state=0)
labels = clusterer.fit(graph_known, glyphs.target[known]).predict(graph_new)
unlabelled = GCNClustering(metric="precomputed", random_state=0).fit_predict(graph_new)

# %%
# For comparison: DBSCAN takes such graphs too. Its radius is the best of ten on the labelled half.

from sklearn.cluster import DBSCAN

radii = np.quantile(graph_known.data, np.linspace(0.001, 0.1, 10))
candidates = [DBSCAN(eps=radius, min_samples=2, metric="precomputed") for radius in radii]
best = max(candidates, key=lambda one: pairwise_fscore(glyphs.target[known], one.fit_predict(graph_known)))

found = {
    "learned from labels": labels,
    "without labels": unlabelled,
    "DBSCAN, tuned": best.fit_predict(graph_new),
}
scores = {name: pairwise_fscore(glyphs.target[new], one) for name, one in found.items()}
for name, score in scores.items():
    print(f"{name:20} pairwise F {score:.3f}")

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 2), layout="constrained")
bars = axes.barh(list(scores)[::-1], list(scores.values())[::-1], color=["#BBBBBB", "#0072B2", "#0072B2"])
axes.bar_label(bars, fmt=" %.2f")
axes.set(xlabel="pairwise F", xlim=(0, 1))
axes.spines[["top", "right"]].set_visible(False)
figure.savefig("precomputed_graph.png", dpi=150)
