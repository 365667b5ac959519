"""
Other clusterers before and after GCNSegmenter refines them.

One half of the classes is there to learn from: each clusterer chooses its parameters on it, by the mean
of pairwise and BCubed F, and one GCNSegmenter trains on it, with its defaults. Then each clusters
the other half, whose classes nobody has seen, and its clusters are refined. This is the experiment
behind Fig. 6 of the paper. The script prints a Markdown table::

    python examples/benchmarks/segmenter.py                 # the glyphs in the package
    python examples/benchmarks/segmenter.py a.npz b.npz     # X, y and perhaps a boolean train
    python examples/benchmarks/segmenter.py --own           # train one behind each clusterer
    python examples/benchmarks/segmenter.py --set merge=False "iop_range=(0.3, 0.7)"  # as in the paper
    python examples/benchmarks/segmenter.py --fast
"""

import argparse
import ast
from pathlib import Path
from time import perf_counter

import numpy as np
from clusterers import Samples, average_link, dbscan, k_means
from peers import FAST_EPOCHS, Peer, load, tune
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import HDBSCAN

from sklearn_gcncluster import GCNSegmenter
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

COLUMNS = "data", "clusterer", "", "clusters", "noise", "precision", "recall", "pairwise F", "BCubed F"


def hdbscan(samples, **parameters):
    """HDBSCAN on all Euclidean distances at once: 1 GB for 11,000 samples, and faster than a tree."""
    return HDBSCAN(algorithm="brute", copy=True, **parameters).fit_predict(samples.X)


def clusterers(samples, fast):
    """The four clusterers; distances to choose from are those of the samples to tune on."""
    n_steps = 5 if fast else 10
    near = 1 - samples.nearest[1][:, :5]
    heights = np.linspace(np.quantile(near, 0.05), 1, 3 * n_steps)
    return {
        "KMeans": Peer(k_means, {"samples_per_cluster": np.geomspace(2, 150, n_steps)}),
        "average link": Peer(average_link, {"max_distance": heights}),
        "DBSCAN": Peer(
            dbscan, {"eps": np.quantile(near, np.linspace(0.05, 0.95, n_steps)), "min_samples": [2, 4, 8]}
        ),
        "HDBSCAN": Peer(
            hdbscan,
            {"min_cluster_size": [2, 3, 5, 8, 12, 20], "cluster_selection_method": ["eom", "leaf"]},
        ),
    }


class Tuned(ClusterMixin, BaseEstimator):
    """A method and its parameters as an estimator."""

    def __init__(self, method, parameters):
        self.method = method
        self.parameters = parameters

    def fit(self, X, y=None):
        self.labels_ = self.method(Samples(X, y), **self.parameters)
        return self


def line(*cells):
    """A row of the table."""
    return "| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"


def scores(y, labels):
    """What the table tells of some clusters; outliers count as clusters of their own."""
    precision, recall, pairwise = pairwise_precision_recall_fscore(y, labels)
    n_clusters = len(np.unique(labels[labels >= 0]))
    return n_clusters, int((labels < 0).sum()), precision, recall, pairwise, bcubed_fscore(y, labels)


def compare(path, arguments):
    """Refine what each clusterer finds on one data set."""
    name = "glyphs" if path is None else path.stem
    train, test = load(path, np.random.default_rng(arguments.seed), arguments.fast)
    parameters = {"random_state": arguments.seed} | ({"max_epochs": FAST_EPOCHS} if arguments.fast else {})
    if path is None:
        parameters["pretrained"] = None  # the networks of the package know these very glyphs
    segmenter = GCNSegmenter(**(parameters | arguments.set))
    if not arguments.own:
        start = perf_counter()
        segmenter.fit(train.X, train.y)
        print(f"<!-- {name}: learned in {perf_counter() - start:.0f} s -->", flush=True)
    for method, peer in clusterers(train, arguments.fast).items():
        chosen = tune(peer, train)
        if arguments.own:
            segmenter.set_params(estimator=Tuned(peer.cluster, chosen)).fit(train.X, train.y)
        before = peer.cluster(test, **chosen)
        after = segmenter.refine(test.X, before)
        print(line(name, method, "before", *scores(test.y, before)))
        print(line(name, method, "after", *scores(test.y, after)), flush=True)


def setting(text):
    """A parameter and its value, from ``name=value``."""
    name, value = text.split("=", 1)
    return name, ast.literal_eval(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Clusterers before and after GCNSegmenter.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.npz", default=[None])
    parser.add_argument("--own", action="store_true", help="train one segmenter behind each clusterer")
    parser.add_argument("--set", nargs="*", type=setting, default=[], metavar="NAME=VALUE")
    parser.add_argument("--fast", action="store_true", help="few classes and epochs, smaller grids")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.set = dict(arguments.set)
    print(line(*COLUMNS), line(*["---"] * len(COLUMNS)), sep="\n")
    for path in arguments.files:
        compare(path, arguments)
