"""Figure 6 of the paper: GCN-S behind other clusterers, each tuned on the training half, before and after."""

import matplotlib.pyplot as plt
import numpy as np
from experiment import BLUE, FAST, GREY, Claim, Experiment, arguments, measure, run
from peers import registry, tune

from sklearn_gcncluster import GCNSegmenter
from sklearn_gcncluster.baselines import ConsensusPropagation

AS_IN_THE_PAPER = {"affinity": "cosine", "metric_learning": False, "merge": False}


def rows(train, test, args, seed):
    """Clusters of three methods, and what one segmenter makes of them."""
    peers = registry(train, args.fast)
    given = {
        name: peers[peer].cluster(test, **tune(peers[peer], train))
        for name, peer in {"K-means": "k-means", "HAC": "average link"}.items()
    }
    given["CDP"] = ConsensusPropagation().fit(train.X, train.y).predict(test.X)
    segmenter = GCNSegmenter(pretrained=None, random_state=seed)
    segmenter.set_params(**(AS_IN_THE_PAPER if args.paper else {}), **(FAST if args.fast else {}))
    segmenter.fit(train.X, train.y)
    found = []
    for name, before in given.items():
        found.append({"clusters of": name, "": "before"} | measure(test.y, before))
        after = segmenter.refine(test.X, before)
        found.append({"clusters of": name, "": "GCN-S"} | measure(test.y, after))
    return found


def draw(results, args):
    """Bars in pairs."""
    names = list(dict.fromkeys(group[0] for group in results))
    figure, axes = plt.subplots(figsize=(4, 2.6), layout="constrained")
    for shift, step, colour, hatch in ((-0.2, "before", GREY, "///"), (0.2, "GCN-S", BLUE, "")):
        curve = results.curve([(name, step) for name in names], "pairwise F")
        bars = axes.bar(
            np.arange(len(names)) + shift, curve["y"], 0.4, yerr=curve["yerr"], color=colour, hatch=hatch,
            edgecolor="white", label=step, error_kw={"lw": 1, "capsize": 2},
        )  # fmt: skip
        axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="pairwise F", ylim=(0, 1))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return figure


def claims(results):
    """What Figure 6 says."""
    gains = {
        name: results.mean((name, "GCN-S"), "pairwise F") - results.mean((name, "before"), "pairwise F")
        for name in dict.fromkeys(group[0] for group in results)
    }
    return [
        Claim(
            "GCN-S adds two to five points of F behind K-means, HAC and CDP.",
            ", ".join(f"{100 * gain:+.1f} behind {name}" for name, gain in gains.items()) + ".",
            min(gains.values()) > 0,
        )
    ]


EXPERIMENT = Experiment("figure_6", "Figure 6: GCN-S behind others", ("clusters of", ""), rows, draw, claims)

if __name__ == "__main__":
    run(EXPERIMENT, arguments(__doc__))
