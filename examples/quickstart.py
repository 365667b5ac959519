"""
Labels: cluster classes that nobody has labelled
================================================

An archive holds scans of printed characters. One half of the characters has been sorted; the others have
never been labelled, and nobody knows how many there are. In what way prints of a character resemble each
other is the same in both halves, so it can be learned from the first and used on the second. ::

    python examples/quickstart.py         # less than a minute on two cores
    python examples/quickstart.py --fast  # seconds: fewer classes, shorter training
"""

import sys

import numpy as np

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs

fast = "--fast" in sys.argv

# %%
# Two halves without a common class
# ---------------------------------
#
# What counts is how well *new* classes are found. So classes are split, not samples.

glyphs = load_glyphs()
X, y, images = glyphs.data, glyphs.target, glyphs.images
classes = np.random.default_rng(0).permutation(400)
n_classes = 40 if fast else 200
known, new = np.isin(y, classes[:n_classes]), np.isin(y, classes[-n_classes:])
print(
    f"learn from {known.sum():,} scans of {n_classes} characters, cluster {new.sum():,} of {n_classes} others"
)

# %%
# Learn, then cluster
# -------------------
#
# `fit` with labels trains the networks; `predict` clusters other samples with them. `verbose` shows how far
# it is.

clusterer = GCNClustering(max_epochs=6 if fast else 12, random_state=0, verbose=1)
clusterer.fit(X[known], y[known])
labels = clusterer.predict(X[new])
print(f"{labels.max() + 1} clusters; {np.count_nonzero(labels < 0)} scans are in none")

# %%
# Beside other clusterers
# -----------------------
#
# k-means is told the true number of clusters. HDBSCAN and average link choose their parameter by the
# labelled half.

from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans

from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore


def best(candidates):
    """The one that agrees best with the labels of the known half."""
    return max(candidates, key=lambda one: bcubed_fscore(y[known], one.fit_predict(X[known])))


others = {
    "KMeans": KMeans(n_classes, random_state=0),
    "HDBSCAN": best([HDBSCAN(min_cluster_size=size, copy=True) for size in (3, 5, 10)]),
    "average link": best(
        [
            AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=distance)
            for distance in np.linspace(0.4, 0.8, 5)
        ]
    ),
}
found = {"GCNClustering": labels} | {name: other.fit_predict(X[new]) for name, other in others.items()}

print(f"\n{'':14} clusters  precision  recall  pairwise F  BCubed F")
for name, one in found.items():
    precision, recall, pairwise = pairwise_precision_recall_fscore(y[new], one)
    bcubed = bcubed_fscore(y[new], one)
    print(f"{name:14} {one.max() + 1:8} {precision:10.3f} {recall:7.3f} {pairwise:11.3f} {bcubed:9.3f}")

# %%
# Look at them
# ------------
#
# A page with all clusters, to open in a browser, and a picture of some: a row is a cluster.

import matplotlib.pyplot as plt

from sklearn_gcncluster import ClusterReport

scans = images[new]
ClusterReport(labels, pictures=list(255 - scans), title="Characters").write_html("quickstart.html")

rows = [np.hstack(scans[labels == cluster][:20]) for cluster in range(10)]
figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
axes.imshow(np.vstack(rows), cmap="gray_r")
axes.set_title("Ten clusters of characters never seen in training", loc="left")
axes.set_axis_off()
figure.savefig("quickstart.png", dpi=150)
print("\nOpen quickstart.html in a browser: all clusters, as pictures. quickstart.png shows ten of them.")
