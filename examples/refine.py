"""
Clusters to mend: what k-means made
===================================

Some clusters have been made already, by k-means, by a colleague, by a service, and they are not quite
right: two characters share a cluster, another is torn in two. :class:`~sklearn_gcncluster.GCNSegmenter`
looks at each given cluster, takes the impure ones apart and puts fragments together. ::

    python examples/refine.py         # a minute or two on two cores
    python examples/refine.py --fast  # seconds: fewer classes, shorter training
"""

import sys

import numpy as np
from sklearn.cluster import HDBSCAN, KMeans

from sklearn_gcncluster import GCNSegmenter
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

fast = "--fast" in sys.argv
glyphs = load_glyphs()
X, y = glyphs.data, glyphs.target
n_classes = 40 if fast else 200
known, new = y < n_classes, y >= 400 - n_classes

# %%
# A clusterer behind which all is refined
# ---------------------------------------
#
# `fit` learns from the labelled half how good clusters look, and how those that k-means makes differ from
# them; `predict` clusters new samples with k-means and refines. The number of clusters is that of the
# labelled classes, which is the best guess there is.

k_means = KMeans(n_classes, n_init=1, random_state=0)
segmenter = GCNSegmenter(k_means, max_epochs=6 if fast else 12, random_state=0).fit(X[known], y[known])
before = k_means.fit_predict(X[new])
after = segmenter.predict(X[new])

# %%
# Labels that come from anywhere
# ------------------------------
#
# Once trained, it refines clusters of clusterers that it has not met, too. Noise stays noise.

dense = HDBSCAN(min_cluster_size=3, copy=True).fit_predict(X[new])
dense_after = segmenter.refine(X[new], dense)

print(f"{'':17} clusters  precision  recall  pairwise F  BCubed F")
for name, labels in {
    "KMeans": before,
    "KMeans, refined": after,
    "HDBSCAN": dense,
    "HDBSCAN, refined": dense_after,
}.items():
    precision, recall, pairwise = pairwise_precision_recall_fscore(y[new], labels)
    bcubed = bcubed_fscore(y[new], labels)
    print(f"{name:17} {labels.max() + 1:8} {precision:10.3f} {recall:7.3f} {pairwise:11.3f} {bcubed:9.3f}")

# %%
# The cluster of k-means that lost most
# -------------------------------------
#
# Above as it was given, below the clusters that its samples are in now.

import matplotlib.pyplot as plt

pieces = [len(np.unique(after[before == cluster])) for cluster in range(n_classes)]
chosen = int(np.argmax(pieces))
inside = before == chosen
now, counts = np.unique(after[inside & (after >= 0)], return_counts=True)
rows = [inside, *(after == cluster for cluster in now[np.argsort(-counts)][:5])]
images = glyphs.images[new]
lines = [np.hstack([*images[row][:28], *np.zeros((28, 20, 20), np.uint8)])[:, : 28 * 20] for row in rows]
figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
axes.imshow(np.vstack([lines[0], np.full((8, 28 * 20), 60, np.uint8), *lines[1:]]), cmap="gray_r")
axes.set_title("A cluster of k-means, and where its samples went", loc="left")
axes.set_axis_off()
figure.savefig("refine.png", dpi=150)
