"""
Grid search: folds by class, and work done once
===============================================

:class:`~sklearn_gcncluster.GCNClustering` is an estimator like others, so
:class:`~sklearn.model_selection.GridSearchCV` tunes it. Two things make that worth while: folds must be split
**by class**, and a cache should keep what candidates have in common. ::

    python examples/grid_search.py         # some minutes on two cores
    python examples/grid_search.py --fast  # seconds
"""

import sys
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, KFold, cross_val_score

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs

fast = "--fast" in sys.argv

# %%
# Half of the classes are there to tune with, the other half tells what that was good for.

X, y = load_glyphs(return_X_y=True)
classes = np.random.default_rng(0).permutation(400)[: 60 if fast else 400]
tune, test = (np.isin(y, half) for half in np.array_split(classes, 2))
X_test, y_test, X, y = X[test], y[test], X[tune], y[tune]
print(f"{len(X)} samples of {len(np.unique(y))} classes to tune with, {len(X_test)} to test on")

estimator = GCNClustering(n_networks=1, max_epochs=2 if fast else 12, random_state=0)
if fast:
    estimator.set_params(hidden_channels=(16, 8))

# %%
# The trap: folds must be split by class
# --------------------------------------
#
# Random folds put samples of every class into training and validation alike, so the classes themselves
# leak: the score tells how well classes are found again that the networks have seen. Besides, a fold then
# holds *all* classes, with a third of each one's samples, so it may even look harder than folds by class.
# In either case it is the score of another task. New classes, which is what clustering is for, are met by
# :class:`~sklearn.model_selection.GroupKFold` with ``groups=y`` only.

by_class = cross_val_score(estimator, X, y, groups=y, cv=GroupKFold(3))
at_random = cross_val_score(estimator, X, y, cv=KFold(3, shuffle=True, random_state=0))
on_new = estimator.fit(X, y).score(X_test, y_test)
print(f"BCubed F: {by_class.mean():.3f} in folds by class, {at_random.mean():.3f} in random folds, ")
print(f"          {on_new:.3f} on the test classes")

# %%
# Fold size matters too. A clustering gets harder as classes are added, since each has more neighbours to be
# confused with. So scores compare candidates on the same folds; they do not compare with the score on a set
# of another size, and a few large folds are closer to the real task than many small ones.
#
# What comes after training costs little
# --------------------------------------
#
# With `memory`, the neighbour graph, the proposals and the trained networks are kept, by what they were
# made from. Candidates that differ only in what comes later share them all.

grid = {"segment": [True, False], "overlap": ["adaptive", "deoverlap"], "min_score": [0.15, 0.5, 0.8]}
split = GroupShuffleSplit(1, test_size=1 / 3, random_state=0)
learn, validate = next(split.split(X, y, groups=y))

start = perf_counter()
estimator.fit(X[learn], y[learn]).score(X[validate], y[validate])
one_fit = perf_counter() - start

with TemporaryDirectory() as cache:
    cached = GCNClustering(**estimator.get_params()).set_params(memory=cache)
    start = perf_counter()
    search = GridSearchCV(cached, grid, cv=split, refit=False).fit(X, y, groups=y)
    seconds = perf_counter() - start
n_candidates = len(search.cv_results_["params"])
print(f"{n_candidates} candidates: {seconds:.1f} s, one without cache: {one_fit:.1f} s, ")
print(f"          a ratio of {seconds / one_fit:.2f}, not {n_candidates}")

# %%
# The result is a table like any other of scikit-learn's.

best = np.argsort(-search.cv_results_["mean_test_score"])
for candidate in best[:3]:
    print(f"{search.cv_results_['mean_test_score'][candidate]:.3f}", search.cv_results_["params"][candidate])

# %%
# What was tried, and what it is worth
# ------------------------------------

import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
styles = {"adaptive": ("#0072B2", "o"), "deoverlap": ("#D55E00", "s")}
for overlap, (colour, marker) in styles.items():
    for segment in (True, False):
        chosen = [
            index
            for index, candidate in enumerate(search.cv_results_["params"])
            if candidate["overlap"] == overlap and candidate["segment"] == segment
        ]
        floors = [search.cv_results_["params"][index]["min_score"] for index in chosen]
        axes.plot(
            floors, search.cv_results_["mean_test_score"][chosen], ls="-" if segment else "--", color=colour,
            marker=marker, label=f"{overlap}, {'with' if segment else 'without'} GCN-S",
        )  # fmt: skip
axes.set(xlabel="min_score", ylabel="BCubed F on validation classes", xticks=grid["min_score"])
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, fontsize=8)
figure.savefig("grid_search.png", dpi=150)
