"""
An album that grows for thirty days
===================================

Photos come every day. Clusters must not be numbered anew each morning, what somebody corrected must stay
corrected, and a day of twenty photos must not cost as much as the whole album.
:class:`~sklearn_gcncluster.IncrementalGCNClustering` is made for that. Here characters in many typefaces are
the faces, and a correction is made every third day. ::

    python examples/growing_album.py         # some minutes on two cores
    python examples/growing_album.py --fast  # less than one
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from sklearn_gcncluster import GCNClustering, IncrementalGCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore

fast = "--fast" in sys.argv

# %%
# The album of the first day has two thirds of the photos; the rest comes in thirty days.

X, y = load_glyphs(return_X_y=True)
random = np.random.default_rng(0)
people = random.permutation(np.unique(y))[: 30 if fast else 150]
rows = random.permutation(np.flatnonzero(np.isin(y, people)))
X, y = X[rows], y[rows]
n_first = 2 * len(X) // 3
days = np.array_split(np.arange(n_first, len(X)), 30)

album = IncrementalGCNClustering(GCNClustering(random_state=0))
start = perf_counter()
album.fit(X[:n_first])
seconds = perf_counter() - start
score = bcubed_fscore(y[:n_first], album.labels_)
print(f"first day: {n_first} photos, {album.n_clusters_} clusters, BCubed F {score:.3f}, {seconds:.1f} s")

# %%
# Thirty days
# -----------
#
# Each day's photos are added. Every third day somebody looks at a photo that is with a stranger, and says
# that these two are different people. The answer is a constraint: it stays in force, whatever comes.


def a_mistake(labels):
    """Two photos of different people that share a cluster, or None."""
    for cluster in random.permutation(np.unique(labels[labels >= 0])):
        members = np.flatnonzero(labels == cluster)
        others = members[y[members] != y[members[0]]]
        if len(others):
            return members[0], others[0]
    return None


corrections, times, changed, clusters = [], [], [], []
for day, new in enumerate(days):
    before, start = album.labels_, perf_counter()
    album.partial_fit(X[new])
    mistake = a_mistake(album.labels_) if day % 3 == 0 else None
    if mistake is not None:
        corrections.append(mistake)
        album.partial_fit(X[:0], cannot_link=[mistake])
    times.append(perf_counter() - start)
    clusters.append(album.n_clusters_)
    changed.append(np.mean((album.labels_[: len(before)] != before) & (before >= 0)))

labels = album.labels_
print(f"thirty days: {album.n_clusters_} clusters, BCubed F {bcubed_fscore(y, labels):.3f}")
print(f"a day took {np.mean(times):.2f} s, and {np.mean(changed):.2%} of the photos changed their cluster")
together = sum(labels[left] == labels[right] >= 0 for left, right in corrections)
print(f"{len(corrections)} corrections, of which {together} are undone")

# %%
# What became of clusters
# -----------------------
#
# The history tells which ids are new, and where members of those went that are no more.

for event in album.history_[-5:]:
    print(event)

# %%
# A photo can be looked up without keeping it, and a stranger is no one's.

strangers = random.normal(size=(100, X.shape[1])).astype(np.float32)
print(
    f"a known photo: {album.predict(X[:1])[0]}; noise: {np.mean(album.predict(strangers) < 0):.0%} strangers"
)

# %%
# The album on disk: what is there already is not written again, and whenever the process is killed, the
# folder holds the album before or after the update.

with TemporaryDirectory() as folder:
    album.save(folder)
    print(f"{len(list(Path(folder).iterdir()))} files")
    print("the same labels:", bool((IncrementalGCNClustering.load(folder).labels_ == labels).all()))

# %%
# A clean pass
# ------------
#
# Once in a while there is time to cluster everything. The result is that of a clustering of all photos at
# once, under the same corrections, and ids stay where most members do.

album.recluster()
stayed = np.mean(album.labels_[labels >= 0] == labels[labels >= 0])
print(f"clean pass: BCubed F {bcubed_fscore(y, album.labels_):.3f}, {stayed:.0%} of the photos kept their id")

# %%
# Day by day: clusters settle, and few photos change theirs.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
left.plot(range(1, 31), clusters, color="#0072B2")
left.axhline(len(people), color="#333333", lw=1, ls="--")
left.text(1, len(people), "people", va="bottom")
left.set(xlabel="day", ylabel="clusters")
right.bar(range(1, 31), np.array(changed) * 100, color="#0072B2")
right.set(xlabel="day", ylabel="photos that changed (%)")
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig("growing_album.png", dpi=150)
