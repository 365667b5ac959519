"""
Grid search: folds by class, and work done once
===============================================

:class:`~sklearn_gcncluster.GCNClustering` is an estimator like others, so
:class:`~sklearn.model_selection.GridSearchCV` tunes it. Two things make that worth while: folds must be
split **by class**, and a cache should keep what candidates have in common. ::

    python examples/grid_search.py         # some minutes on two cores
    python examples/grid_search.py --fast  # a minute or two
"""

import argparse
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, KFold, cross_val_score

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import pairwise_scorer

parser = argparse.ArgumentParser(description="Tune a clustering by grid search.")
parser.add_argument("--fast", action="store_true", help="fewer classes, shorter training")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

# %%
# Half of the classes are there to tune with, the other half tells what that was good for.

X, y = load_glyphs(return_X_y=True)
classes = np.random.default_rng(args.seed).permutation(np.unique(y))[: 60 if args.fast else 400]
tune, test = (np.isin(y, half) for half in np.array_split(classes, 2))
X_test, y_test, X, y = X[test], y[test], X[tune], y[tune]
print(f"{len(X)} samples of {len(np.unique(y))} classes to tune with, {len(X_test)} to test on")

estimator = GCNClustering(n_networks=1, max_epochs=3 if args.fast else 12, random_state=args.seed)

# %%
# The trap: folds must be split by class
# --------------------------------------
#
# Random folds put samples of every class into training and validation alike, so the classes themselves leak:
# the score tells how well classes are found again that the networks have seen. Besides, a fold then holds
# *all* classes, with a third of each one's samples, so it may even look harder than folds by class. In
# either case it is the score of another task. New classes, which is what clustering is for, are met by
# :class:`~sklearn.model_selection.GroupKFold` with ``groups=y`` only.

by_class = cross_val_score(estimator, X, y, groups=y, cv=GroupKFold(3))
at_random = cross_val_score(estimator, X, y, cv=KFold(3, shuffle=True, random_state=args.seed))
on_new = estimator.fit(X, y).score(X_test, y_test)
print(f"BCubed F: {by_class.mean():.3f} in folds by class, {at_random.mean():.3f} in random folds, ")
print(f"          {on_new:.3f} on the test classes")

# %%
# Fold size matters too. A clustering gets harder as classes are added, since each has more neighbours to
# be confused with. So scores compare candidates on the same folds; they do not compare with the score
# on a set of another size, and a few large folds are closer to the real task than many small ones.

for n_folds in (2, 5):
    scores = cross_val_score(estimator, X, y, groups=y, cv=GroupKFold(n_folds))
    print(f"BCubed F in {n_folds} folds by class: {scores.mean():.3f}, {len(X) // n_folds} samples in each")

# %%
# What comes after training costs little
# --------------------------------------
#
# With `memory`, the neighbour graph, the proposals and the trained networks are kept, by what they were made
# from. Candidates that differ only in what comes later share them all.

downstream = {"segment": [True, False], "overlap": ["adaptive", "deoverlap"], "min_score": [0.3, 0.4, 0.5]}
split = GroupShuffleSplit(1, test_size=1 / 3, random_state=args.seed)
learn, validate = next(split.split(X, y, groups=y))

start = perf_counter()
estimator.fit(X[learn], y[learn]).score(X[validate], y[validate])
one_fit = perf_counter() - start

with TemporaryDirectory() as cache:
    cached = GCNClustering(**estimator.get_params()).set_params(memory=cache)
    start = perf_counter()
    search = GridSearchCV(cached, downstream, cv=split, refit=False).fit(X, y, groups=y)
    grid = perf_counter() - start
    n_candidates = len(search.cv_results_["params"])
    print(f"{n_candidates} candidates: {grid:.1f} s, one without cache: {one_fit:.1f} s, ")
    print(f"          a ratio of {grid / one_fit:.2f}, not {n_candidates}")

# %%
# Parameters of the proposals
# ---------------------------
#
# Here networks are trained for each candidate, but neighbours are searched, and the affinity is learned,
# only once for each fold. After the search, `best_estimator_` is fitted on all classes. Without
# `scoring`, candidates are compared by BCubed F; pairwise F gives large classes more weight.

proposals = {"proposals": [("supervertices",), ("average_link",)], "max_supervertex_size": [50, 300]}
with TemporaryDirectory() as cache:
    search = GridSearchCV(
        cached.set_params(memory=cache), proposals, cv=GroupKFold(3), scoring=pairwise_scorer
    )
    search.fit(X, y, groups=y)
    table = pd.DataFrame(search.cv_results_)[["params", "mean_test_score", "std_test_score", "mean_fit_time"]]
    print(table.sort_values("mean_test_score", ascending=False).to_string(index=False, max_colwidth=80))
    print(f"pairwise F of the best on the test classes: {search.score(X_test, y_test):.3f}")
