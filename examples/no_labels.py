"""
No labels: a clusterer without parameters
=========================================

Without labels, :class:`~sklearn_gcncluster.GCNClustering` uses networks that come with the package. They
look at nothing but the structure of the neighbour graph, so they take any embedding. Here: the handwritten
digits of scikit-learn, as they are. ::

    python examples/no_labels.py         # seconds
    python examples/no_labels.py --fast  # the same
"""

from sklearn.datasets import load_digits

from sklearn_gcncluster import GCNClustering

digits = load_digits()
clusterer = GCNClustering(random_state=0).fit(digits.data)
print(
    f"{clusterer.n_clusters_} clusters, {(clusterer.labels_ < 0).sum()} of {len(digits.data)} digits in none"
)

# %%
# There are ten digits, and more ways than ten to write them: a seven with a bar is a cluster of its own.
# Each cluster has a predicted IoU with a class, so the doubtful ones are known without a label.

order = clusterer.cluster_scores_[:, 0].argsort()[::-1]
for cluster in order[:3]:
    print(f"cluster {cluster}: predicted IoU {clusterer.cluster_scores_[cluster, 0]:.2f}")

# %%
# Since the truth is known here, hold it against others, all at their defaults; k-means is told that there
# are ten.

from sklearn.cluster import HDBSCAN, KMeans

from sklearn_gcncluster.metrics import pairwise_fscore

found = {
    "GCNClustering": clusterer.labels_,
    "KMeans(10)": KMeans(10, random_state=0).fit_predict(digits.data),
    "HDBSCAN": HDBSCAN(copy=True).fit_predict(digits.data),
}
for name, labels in found.items():
    print(f"{name:14} pairwise F {pairwise_fscore(digits.target, labels):.3f}")

# %%
# A row for each cluster, the surest first.

import matplotlib.pyplot as plt
import numpy as np

rows = [np.hstack(digits.images[clusterer.labels_ == cluster][:24]) for cluster in order[:10]]
rows = [np.pad(row, [(0, 2), (0, 24 * 8 - row.shape[1])]) for row in rows]
figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
axes.imshow(np.vstack(rows), cmap="gray_r")
axes.set_yticks(
    10 * np.arange(len(rows)) + 4, [f"{clusterer.cluster_scores_[one, 0]:.2f}" for one in order[:10]]
)
axes.set_xticks([])
axes.set(ylabel="predicted IoU")
axes.spines[:].set_visible(False)
figure.savefig("no_labels.png", dpi=150)
