"""Tables 1 and 2 of the paper: seven methods, tuned or trained on one half of the classes, on the other half.

::

    python examples/paper/table_1.py
    python examples/paper/table_1.py --data vectors.npz   # Table 2 is the same on other data
"""

import matplotlib.pyplot as plt
import numpy as np
from experiment import BLUE, GREY, Claim, Experiment, arguments, gcn, measure, run, timed
from matplotlib.ticker import NullFormatter
from peers import Samples, registry, tune

from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation

TUNED = {"K-means": "k-means", "DBSCAN": "DBSCAN", "HAC": "average link"}
"""Rows of the table, by the names that peers.py has for them."""


def rows(train, test, args, seed):
    """Seven rows. Seconds are those of clustering the test half, neighbours included."""
    peers, found = registry(train, args.fast), []
    for name, peer in TUNED.items():
        chosen = tune(peers[peer], train)
        found.append((name, *timed(peers[peer].cluster, Samples(test.X, test.y), **chosen)))
    for name, estimator in {"ARO": ApproximateRankOrder(), "CDP": ConsensusPropagation()}.items():
        estimator.fit(train.X, train.y)
        found.append((name, *timed(estimator.predict, test.X)))
    clusterer = gcn(args, seed).fit(train.X, train.y)
    for name, segment in {"GCN-D": False, "GCN-D + GCN-S": True}.items():
        found.append((name, *timed(clusterer.set_params(segment=segment).predict, test.X)))
    return [
        {"method": name} | measure(test.y, labels) | {"time (s)": seconds} for name, labels, seconds in found
    ]


def draw(results, args):
    """Both F-scores, as bars, and time."""
    groups = list(results)
    names, places = [method for (method,) in groups], np.arange(len(groups))
    figure, (quality, cost) = plt.subplots(
        1, 2, figsize=(7, 2.8), layout="constrained", width_ratios=[2, 1], sharey=True
    )
    for shift, column, colour, hatch in ((-0.2, "pairwise F", BLUE, ""), (0.2, "BCubed F", GREY, "///")):
        curve = results.curve(groups, column)
        quality.barh(
            places + shift, curve["y"], 0.4, xerr=curve["yerr"], color=colour, hatch=hatch,
            edgecolor="white", label=column, error_kw={"lw": 1, "capsize": 2},
        )  # fmt: skip
    quality.set_yticks(places, names)
    quality.invert_yaxis()
    quality.set(xlabel="F-score", xlim=(0, 1))
    quality.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    curve = results.curve(groups, "time (s)")
    cost.errorbar(curve["y"], places, xerr=curve["yerr"], fmt="o", color="#333333", capsize=2)
    cost.set(xscale="log", xlabel="seconds")
    cost.xaxis.set_minor_formatter(NullFormatter())
    cost.grid(axis="x", color="#DDDDDD")
    return figure


def claims(results):
    """What Table 1 says."""
    scores = {method: results.mean((method,), "pairwise F") for (method,) in results}
    others = {name: score for name, score in scores.items() if not name.startswith("GCN")}
    best = max(others, key=others.get)
    detected, segmented = scores["GCN-D"], scores["GCN-D + GCN-S"]
    return [
        Claim(
            "GCN-D + GCN-S has the highest pairwise F, 85.7, and CDP with 75.0 is the best of the others "
            "(584,000 faces).",
            f"GCN-D + GCN-S has {100 * segmented:.1f}; the best of the others is {best} with "
            f"{100 * others[best]:.1f}.",
            segmented > others[best],
        ),
        Claim(
            "GCN-S adds to GCN-D, mostly precision.",
            f"F goes from {100 * detected:.1f} to {100 * segmented:.1f}.",
            segmented > detected + 5e-4,
        ),
    ]


EXPERIMENT = Experiment("table_1", "Table 1: methods", ("method",), rows, draw, claims)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
