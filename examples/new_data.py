"""
New data: learn once, cluster what comes
========================================

Networks that were trained on labelled classes are kept in a file, and cluster whatever comes: today's
batch, and tomorrow's with today's. Clusters keep their numbers. ::

    python examples/new_data.py         # a minute on two cores
    python examples/new_data.py --fast  # seconds
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sklearn_gcncluster import GCNClustering, load, match_labels
from sklearn_gcncluster.datasets import load_glyphs

fast = "--fast" in sys.argv
X, y = load_glyphs(return_X_y=True)
n_classes = 40 if fast else 150

# %%
# Learn, and keep it
# ------------------
#
# The file holds arrays and parameters. Loading it executes nothing.

known = y < n_classes
learner = GCNClustering(n_networks=1, max_epochs=4 if fast else 12, random_state=0).fit(X[known], y[known])
with TemporaryDirectory() as folder:
    path = Path(folder) / "characters.safetensors"
    learner.save(path, include_labels=False)
    print(f"{path.stat().st_size / 1e3:.0f} kB")
    clusterer = load(path)

# %%
# Batches
# -------
#
# Of other characters, in five batches. Each time, all that has come so far is clustered together, since
# what belongs together depends on who is there. :func:`~sklearn_gcncluster.match_labels` gives clusters the
# numbers that they had.

rows = np.flatnonzero(y >= 400 - n_classes)
rows = np.random.default_rng(0).permutation(rows)
labels = np.empty(0, dtype=np.int64)
kept, clusters, scores = [], [], []
for batch in np.array_split(np.arange(len(rows)), 5):
    so_far = rows[: batch[-1] + 1]
    found = clusterer.predict(X[so_far])
    before = np.concatenate([labels, np.full(len(found) - len(labels), -1)])  # -1: has not been here
    labels = match_labels(found, reference=before)
    old = before >= 0
    kept.append(np.mean(labels[old] == before[old]) if old.any() else 1.0)
    clusters.append(len(np.unique(labels[labels >= 0])))
    print(f"{len(so_far):5} scans: {clusters[-1]:3} clusters, {kept[-1]:.0%} of samples keep their number")

# %%
# With more samples of each character, clusters get fuller, and numbers change less.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.plot(range(1, 6), clusters, "o-", color="#0072B2")
left.axhline(n_classes, color="#333333", lw=1, ls="--")
left.text(1, n_classes, "characters", va="bottom")
left.set(xlabel="batches", ylabel="clusters")
right.bar(range(2, 6), np.array(kept[1:]) * 100, color="#0072B2")
right.set(xlabel="batches", ylabel="numbers kept (%)", ylim=(0, 100))
for axes in (left, right):
    axes.set_xticks(range(1, 6))
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("new_data.png", dpi=150)
