"""
GCNClustering beside other clusterers, each tuned on the same labelled classes.

One half of the classes is there to learn from: GCNClustering trains on it, with its defaults, and
every other method chooses its parameters on it, by the mean of pairwise and BCubed F. Then each
runs once on the other half, whose classes nobody has seen. Methods "without labels" run there with their
own defaults and see no labels at all. The script prints a Markdown table::

    python examples/benchmarks/peers.py                         # the glyphs in the package
    python examples/benchmarks/peers.py a.npz b.npz             # X, y and perhaps a boolean train
    python examples/benchmarks/peers.py --methods HDBSCAN FINCH --fast

Some peers are packages of their own, of which Infomap and Leiden are under the GPL; this project depends on
none of them. They take part if someone has installed them::

    pip install "infomap>=2.16" igraph leidenalg "fast_hdbscan[nndescent]" evoc

``--csv FILE`` keeps the results, and ``docs/figures/comparison.py`` draws them. Seconds are those of the
processor, summed over cores, so that they are the same on a busy machine.
"""

import argparse
import csv
import itertools
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
from clusterers import (
    PARTITIONS,
    Samples,
    average_link,
    chinese_whispers,
    components,
    dbscan,
    evoc,
    fast_hdbscan,
    fc_es,
    finch,
    hdbscan,
    infomap,
    k_means,
    leiden_cpm,
    leiden_modularity,
    rank_order,
)
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

FAST_SAMPLES, FAST_EPOCHS = 2400, 8
OURS = "GCNClustering"
WITHOUT_LABELS = {
    f"{OURS}, without labels": lambda: GCNClustering(random_state=0),
    "HDBSCAN, without labels": lambda: HDBSCAN(copy=True),
    "DBSCAN, without labels": DBSCAN,
    "Ward, without labels": AgglomerativeClustering,
}

# --------------------------------------------------------------------------------------------------
# Data


def load(path, random, fast=False):
    """Read the two halves of a data set: samples to learn from, and samples of other classes.

    Parameters
    ----------
    path : Path or None
        An .npz file with X and y and, if it says which samples to learn from, train. None is the glyphs.
    random : Generator
        Deals classes into halves where the file does not.
    fast : bool
        Whether to keep only as many classes as have about FAST_SAMPLES samples.
    """
    if path is None:
        X, y = load_glyphs(return_X_y=True)
        train = None
    else:
        with np.load(path) as file:
            X, y = file["X"].astype(np.float32), file["y"]
            train = file["train"].astype(bool) if "train" in file else None
    # Files in half precision lose the unit length, without which a product is no cosine.
    X /= np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)
    classes = random.permutation(np.unique(y[y != -1]))
    if train is None:
        train = np.isin(y, classes[::2])
    if fast:
        place = np.argsort(classes)[np.searchsorted(np.sort(classes), y)]
        kept = place < np.searchsorted(np.cumsum(np.bincount(place)), FAST_SAMPLES)
        X, y, train = X[kept], y[kept], train[kept]
    return Samples(X[train], y[train]), Samples(X[~train], y[~train])


# --------------------------------------------------------------------------------------------------
# Grids


class Peer(NamedTuple):
    """A method and the parameters to choose from."""

    cluster: Callable
    grid: dict
    needs: tuple = ()


def registry(samples, fast):
    """All peers; similarities to choose from are quantiles of those of the samples to tune on."""
    similar = np.quantile(samples.nearest[1][:, :20], np.linspace(0.05, 0.95, 10))
    random_pairs = samples.X[:500] @ samples.X[-500:].T
    heights = np.linspace(1 - similar[-1], 1 - np.median(random_pairs), 20)
    depths, uncut = [5, 10, 20, 40], [0.0]
    whole = {"n_neighbors": depths, "min_similarity": uncut}
    cut = {"n_neighbors": [10, 80], "min_similarity": similar[1::2]}
    installed = [name for name in PARTITIONS if name != "infomap" or find_spec("infomap")]
    modularity, density = [1, 4, 8, 16, 32], np.geomspace(0.003, 0.3, 7)
    peers = {
        "k-means": Peer(k_means, {"samples_per_cluster": np.geomspace(1.5, 200, 14)}),
        "DBSCAN": Peer(dbscan, {"eps": 1 - similar, "min_samples": [1, 2, 4, 8, 16]}),
        "HDBSCAN": Peer(
            hdbscan,
            {
                "min_cluster_size": [2, 3, 4, 6, 10, 20],
                "min_samples": [1, 2, 5],
                "cluster_selection_method": ["eom", "leaf"],
            },
        ),
        "fast_hdbscan": Peer(
            fast_hdbscan,
            {
                "min_cluster_size": [2, 4, 10, 20],
                "min_samples": [1, 5],
                "cluster_selection_method": ["eom", "leaf"],
            },
            ("fast_hdbscan", "pynndescent"),
        ),
        "EVoC": Peer(evoc, {"base_min_cluster_size": [3, 5, 10, 20], "n_neighbors": [5, 15]}, ("evoc",)),
        "average link": Peer(average_link, {"max_distance": heights}),
        "components": Peer(components, {"n_neighbors": [1, 2, 3, 5, 80], "min_similarity": similar}),
        "Infomap": Peer(
            infomap, {"n_neighbors": depths, "min_similarity": [0.0, *similar[::3]]}, ("infomap",)
        ),
        "Leiden modularity": Peer(
            leiden_modularity, whole | {"resolution": modularity}, ("igraph", "leidenalg")
        ),
        "Leiden modularity, cut": Peer(
            leiden_modularity, cut | {"resolution": modularity[::2]}, ("igraph", "leidenalg")
        ),
        "Leiden CPM": Peer(leiden_cpm, whole | {"resolution": density}, ("igraph", "leidenalg")),
        "Leiden CPM, cut": Peer(leiden_cpm, cut | {"resolution": density[1::2]}, ("igraph", "leidenalg")),
        "FINCH": Peer(finch, {"level": [0, 1, 2, 3, 4]}),
        "Chinese whispers": Peer(
            chinese_whispers, {"n_neighbors": [10, 20, 80], "min_similarity": similar[::2]}
        ),
        "rank-order": Peer(
            rank_order, {"n_neighbors": [10, 20, 30], "max_distance": np.linspace(0.2, 3, 15)}
        ),
        "FC-ES": Peer(
            fc_es,
            {
                "n_neighbors": [10, 20, 40, 80],
                "min_probability": [0.1, 0.16, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
                "partition": installed,
            },
        ),
    }
    if fast:
        # About three values of each parameter, from the middle outwards.
        def thin(values):
            return list(values)[len(values) // 6 :: max(len(values) // 3, 1)]

        peers = {
            name: peer._replace(grid={key: thin(values) for key, values in peer.grid.items()})
            for name, peer in peers.items()
        }
    return peers


# --------------------------------------------------------------------------------------------------
# The comparison


class Outcome(NamedTuple):
    """One line of the table."""

    method: str
    parameters: str
    pairwise: float
    bcubed: float
    clusters: int
    tuning: float
    seconds: float

    @property
    def mean(self):
        """Mean of both F-scores."""
        return (self.pairwise + self.bcubed) / 2


def mean_fscore(y, labels):
    """What all methods are tuned by."""
    return (pairwise_fscore(y, labels) + bcubed_fscore(y, labels)) / 2


def tune(peer, samples):
    """Best parameters of the grid on the samples to learn from."""
    choices = [dict(zip(peer.grid, values, strict=True)) for values in itertools.product(*peer.grid.values())]
    return max(choices, key=lambda chosen: mean_fscore(samples.y, peer.cluster(samples, **chosen)))


def shown(chosen):
    """Parameters as the tables have them."""
    return ", ".join(f"{key}={v if isinstance(v, (int, str)) else f'{v:.3g}'}" for key, v in chosen.items())


def run_peer(name, peer, train, test):
    """Tune on one half, run once on the other. Seconds are those of that run, neighbours included."""
    start = process_time()
    chosen = tune(peer, train)
    tuned = process_time()
    labels = peer.cluster(Samples(test.X, test.y), **chosen)
    return outcome(name, shown(chosen), test.y, labels, tuned - start, process_time() - tuned)


def run_gcn(train, test, **parameters):
    """Train GCNClustering on one half, cluster the other."""
    start = process_time()
    clusterer = GCNClustering(random_state=0, **parameters).fit(train.X, train.y)
    trained = process_time()
    labels = clusterer.predict(test.X)
    return outcome(OURS, "defaults", test.y, labels, trained - start, process_time() - trained)


def run_unlabelled(name, test):
    """Cluster one half with the defaults of a method, and no labels."""
    start = process_time()
    labels = WITHOUT_LABELS[name]().fit_predict(test.X)
    return outcome(name, "defaults", test.y, labels, 0, process_time() - start)


def outcome(method, parameters, y, labels, tuning, seconds):
    """Score labels."""
    n_clusters = np.count_nonzero(np.unique(labels[labels >= 0], return_counts=True)[1] > 1)
    scores = pairwise_fscore(y, labels), bcubed_fscore(y, labels)
    return Outcome(method, parameters, *scores, n_clusters, tuning, seconds)


def markdown(header, rows):
    """Table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def write(path, by_set):
    """The results as a file: what they are, as they are."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("set", *Outcome._fields))
        for name, outcomes in by_set.items():
            for found in outcomes:
                rounded = (f"{value:.4g}" if isinstance(value, float) else value for value in found)
                lines.writerow((name, *rounded))


def is_missing(name, peer):
    """Whether a method needs a package that is not installed; if so, print how to get it."""
    missing = [package for package in peer.needs if find_spec(package) is None]
    if missing:
        print(f"{name} is left out: pip install {' '.join(missing)}", flush=True)
    return bool(missing)


def compare(path, args):
    """All methods on one data set."""
    train, test = load(path, np.random.default_rng(args.seed), args.fast)
    peers = registry(train, args.fast)
    chosen = args.methods or [OURS, *WITHOUT_LABELS, *peers]
    parameters = {"max_epochs": FAST_EPOCHS} if args.fast else {}
    if path is None:
        parameters["pretrained"] = None  # the networks of the package know these very glyphs
    outcomes = [run_gcn(train, test, **parameters)] if OURS in chosen else []
    unlabelled = [name for name in WITHOUT_LABELS if name in chosen and (path or not name.startswith(OURS))]
    outcomes += [run_unlabelled(name, test) for name in unlabelled]
    for name in filter(chosen.__contains__, peers):
        if is_missing(name, peers[name]):
            continue
        outcomes.append(run_peer(name, peers[name], train, test))
        print(f"{name}: {outcomes[-1].mean:.3f} after {outcomes[-1].tuning:.0f} s of tuning", flush=True)
    return outcomes


def main():
    """Compare all methods on all files, and say which is best on average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help=".npz files; without any, the glyphs")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="only these methods")
    parser.add_argument("--seed", type=int, default=0, help="of the halves, where a file has none")
    parser.add_argument("--fast", action="store_true", help="a few classes, tiny grids, short training")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where to write the results too")
    args = parser.parse_args()

    by_set = {path.stem if path else "glyphs": compare(path, args) for path in args.files or [None]}
    rows = [
        (
            name,
            o.method,
            o.parameters,
            f"{o.pairwise:.3f}",
            f"{o.bcubed:.3f}",
            f"{o.mean:.3f}",
            o.clusters,
            f"{o.tuning:.1f}",
            f"{o.seconds:.1f}",
        )
        for name, outcomes in by_set.items()
        for o in sorted(outcomes, key=lambda o: -o.mean)
    ]
    header = (
        "set",
        "method",
        "parameters",
        "pairwise F",
        "BCubed F",
        "mean",
        "clusters",
        "learn (s)",
        "run (s)",
    )
    if args.csv:
        write(args.csv, by_set)
    print("\n" + markdown(header, rows))
    print('\n"learn" is training, or tuning on the whole grid; "clusters" have two or more members.')
    averages = {}
    for o in itertools.chain(*by_set.values()):
        averages.setdefault(o.method, []).append(o.mean)
    averages = {method: np.mean(means) for method, means in averages.items()}
    peers = {method: mean for method, mean in averages.items() if not method.startswith(OURS)}
    if peers:
        best = max(peers, key=peers.get)
        print(f"best single peer on average: {best}, {peers[best]:.3f}")
    for method in filter(averages.__contains__, (OURS, f"{OURS}, without labels")):
        print(f"{method} on average: {averages[method]:.3f}")


if __name__ == "__main__":
    main()
