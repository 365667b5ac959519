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
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.neighbors import sort_graph_by_row_values

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import load_glyphs
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

N_NEIGHBORS = 80  # longest neighbour lists that any method asks for
MOST_IN_A_MATRIX = 20_000  # samples whose distances to each other take 3 GiB
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


class Samples:
    """Samples of one half, and what several methods make of them; each thing is made once."""

    def __init__(self, X, y):
        self.X, self.y = X, y
        self._known = {}

    def once(self, key, make):
        """Return what `make` gave when it was called first with this key."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    @cached_property
    def nearest(self):
        """Numbers and similarities of the nearest neighbours of each sample, nearest first; exact."""
        n_samples, depth = len(self.X), min(N_NEIGHBORS, len(self.X) - 1)
        neighbors = np.empty((n_samples, depth), np.int32)
        similarities = np.empty((n_samples, depth), np.float32)
        for start in range(0, n_samples, 512):
            block = self.X[start : start + 512] @ self.X.T
            lines = np.arange(len(block))
            block[lines, start + lines] = -np.inf  # no sample is its own neighbour
            best = np.argpartition(-block, depth - 1, axis=1)[:, :depth]
            values = np.take_along_axis(block, best, axis=1)
            order = np.argsort(-values, axis=1, kind="stable")
            neighbors[start : start + 512] = np.take_along_axis(best, order, axis=1)
            similarities[start : start + 512] = np.take_along_axis(values, order, axis=1)
        return neighbors, similarities

    def lists(self, n_neighbors):
        """Neighbour lists of a given length."""
        neighbors, similarities = self.nearest
        return neighbors[:, :n_neighbors], np.clip(similarities[:, :n_neighbors], 0, 1)

    def graph(self, n_neighbors, min_similarity=0.0):
        """Symmetric graph: samples are linked if one is near the other and they are similar enough."""
        neighbors, similarities = self.lists(n_neighbors)
        kept = similarities >= min_similarity
        rows = np.repeat(np.arange(len(neighbors)), kept.sum(axis=1))
        return symmetric(rows, neighbors[kept], similarities[kept], len(neighbors))

    @cached_property
    def tree(self):
        """Merges of average linkage, which every threshold cuts."""
        return linkage(self.X, "average", metric="cosine")


def symmetric(rows, cols, values, n_samples):
    """Symmetric matrix with the larger value of both directions."""
    matrix = sp.csr_array((values, (rows, cols)), shape=(n_samples, n_samples))
    return matrix.maximum(matrix.T).tocsr()


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
# Methods: (samples, **parameters) -> labels, -1 for outliers


def k_means(samples, samples_per_cluster):
    """k-means. The number of clusters can not carry over to other classes; their mean size can."""
    n_clusters = max(1, round(len(samples.X) / samples_per_cluster))
    return KMeans(n_clusters, n_init=1, max_iter=50, random_state=0).fit_predict(samples.X)


def dbscan(samples, eps, min_samples):
    """DBSCAN on the neighbour lists, which are longer than any `min_samples` here."""
    similarity = samples.graph(N_NEIGHBORS)
    distances = similarity.copy()
    distances.data = np.maximum(1 - similarity.data, 1e-7)  # exact zeros would mean "not linked"
    distances = sort_graph_by_row_values(distances, warn_when_not_sorted=False)
    return DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(distances)


def hdbscan(samples, **parameters):
    """HDBSCAN on Euclidean distances, which rank as cosine distances do where rows have unit length."""
    # A matrix of all distances is faster than a tree in many dimensions, as long as there is memory.
    algorithm = "brute" if len(samples.X) <= MOST_IN_A_MATRIX else "auto"
    return HDBSCAN(algorithm=algorithm, copy=True, **parameters).fit_predict(samples.X)


def fast_hdbscan(samples, **parameters):
    """HDBSCAN as the package fast_hdbscan has it."""
    from fast_hdbscan import HDBSCAN as FastHDBSCAN

    return FastHDBSCAN(**parameters).fit_predict(samples.X)


def evoc(samples, **parameters):
    """EVoC: its own embedding in a few dimensions, and densities there; the layer that persists longest."""
    from evoc import EVoC

    return EVoC(random_state=0, **parameters).fit_predict(samples.X)


def average_link(samples, max_distance):
    """Agglomerative clustering with average linkage, cut at a cosine distance."""
    return fcluster(samples.tree, max_distance, "distance") - 1


def components(samples, n_neighbors, min_similarity):
    """Connected components of the neighbour graph without its weak links: single linkage."""
    return connected_components(samples.graph(n_neighbors, min_similarity))[1]


def infomap(samples, n_neighbors, min_similarity):
    """Infomap: modules that compress the description of a random walk [1]_."""
    return map_equation(samples.graph(n_neighbors, min_similarity))


def leiden_modularity(samples, n_neighbors, min_similarity, resolution):
    """Leiden [2]_ for modularity."""
    return leiden(samples.graph(n_neighbors, min_similarity), "RBConfigurationVertexPartition", resolution)


def leiden_cpm(samples, n_neighbors, min_similarity, resolution):
    """Leiden [2]_ for the constant Potts model, whose resolution is a density of links."""
    return leiden(samples.graph(n_neighbors, min_similarity), "CPMVertexPartition", resolution)


def finch(samples, level):
    """FINCH [3]_: first neighbours are always linked; then the same with the clusters' means."""
    return samples.once("finch", lambda: finch_levels(samples))[: level + 1][-1]


def chinese_whispers(samples, n_neighbors, min_similarity):
    """Chinese whispers [4]_: each sample takes the label that most of its links vote for."""
    return whisper(samples.graph(n_neighbors, min_similarity))


def rank_order(samples, n_neighbors, max_distance):
    """Approximate rank-order [5]_: samples are linked if their neighbour lists begin alike."""
    rows, cols, distance = samples.once(
        ("rank-order", n_neighbors), lambda: rank_order_distances(samples.lists(n_neighbors)[0])
    )
    near = distance < max_distance
    return connected_components(
        sp.coo_array((near[near], (rows[near], cols[near])), shape=(len(samples.X),) * 2), directed=False
    )[1]


def fc_es(samples, n_neighbors, min_probability, partition):
    """FC-ES [6]_: links scored by shared neighbours, taken in order until the first weak one."""
    score = samples.once(("fc-es", n_neighbors), lambda: edge_scores(*samples.lists(n_neighbors)))
    # "Early stopping": what comes after a weak link is not trusted, however strong it is.
    kept = np.logical_and.accumulate(score >= min_probability, axis=1)
    rows, places = np.nonzero(kept)
    neighbors = samples.lists(n_neighbors)[0]
    graph = symmetric(rows, neighbors[rows, places], score[rows, places], len(score))
    return PARTITIONS[partition](graph)


# --------------------------------------------------------------------------------------------------
# The algorithms behind them
#
# .. [1] Rosvall, M., & Bergstrom, C. T. (2008). "Maps of random walks on complex networks reveal
#        community structure". PNAS 105(4).
# .. [2] Traag, V. A., Waltman, L., & van Eck, N. J. (2019). "From Louvain to Leiden: guaranteeing
#        well-connected communities". Scientific Reports 9.
# .. [3] Sarfraz, M. S., Sharma, V., & Stiefelhagen, R. (2019). "Efficient parameter-free clustering
#        using first neighbor relations". CVPR.
# .. [4] Biemann, C. (2006). "Chinese whispers: an efficient graph clustering algorithm and its
#        application to natural language processing problems". TextGraphs.
# .. [5] Otto, C., Wang, D., & Jain, A. K. (2018). "Clustering millions of faces by identity". IEEE
#        TPAMI 40(2).
# .. [6] Liu, J. (2024). "Face clustering via early stopping and edge recall". arXiv:2408.13431.


def map_equation(graph):
    """Two-level Infomap partition of a weighted graph."""
    from infomap import Infomap

    links = sp.triu(graph, k=1, format="coo")
    labels = np.full(graph.shape[0], -1)  # samples without links are in no module
    if not links.nnz:
        return labels
    network = Infomap(silent=True, two_level=True, seed=1)
    network.add_links(np.column_stack([*links.coords, np.maximum(links.data, 1e-6)]))
    for sample, module in network.run().modules().items():
        labels[sample] = module
    return labels


def leiden(graph, objective, resolution):
    """Leiden partition of a weighted graph."""
    import igraph
    import leidenalg

    links = sp.triu(graph, k=1, format="coo")
    network = igraph.Graph(graph.shape[0], np.column_stack(links.coords))
    return np.array(
        leidenalg.find_partition(
            network,
            getattr(leidenalg, objective),
            weights=links.data.astype(float),
            resolution_parameter=resolution,
            seed=0,
        ).membership
    )


def whisper(graph, n_rounds=20):
    """Labels after rounds in which each vertex, in random order, takes the label of most weight."""
    random, labels = np.random.default_rng(0), np.arange(graph.shape[0])
    for _ in range(n_rounds):
        before = labels.copy()
        for vertex in random.permutation(len(labels)):
            links = slice(*graph.indptr[vertex : vertex + 2])
            if links.start < links.stop:
                names, votes = np.unique(labels[graph.indices[links]], return_inverse=True)
                labels[vertex] = names[np.argmax(np.bincount(votes, graph.data[links]))]
        if np.array_equal(before, labels):
            break
    return labels


def finch_levels(samples):
    """Partitions of FINCH, from fine to coarse."""
    levels, nearest = [], samples.nearest[0][:, 0]
    while True:
        links = sp.coo_array((np.ones(len(nearest)), (np.arange(len(nearest)), nearest)))
        links.resize(len(nearest), len(nearest))
        n_groups, groups = connected_components(links, directed=False)
        levels.append(groups[levels[-1]] if levels else groups)
        if n_groups <= 2:
            return levels
        member = sp.coo_array((np.ones(len(samples.X)), (levels[-1], np.arange(len(samples.X)))))
        means = member.tocsr() @ samples.X
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        similarity = means @ means.T
        np.fill_diagonal(similarity, -np.inf)
        nearest = similarity.argmax(axis=1)


def rank_order_distances(neighbors):
    """Both ends and the rank-order distance of each link of the neighbour lists.

    d(a, b) is the number of a's neighbours down to b that b's list lacks. The distance is
    (d(a, b) + d(b, a)) over the smaller of the ranks that a and b have with each other.
    """
    n_samples, depth = neighbors.shape
    rank = sp.csr_array(
        (np.tile(np.arange(1, depth + 1), n_samples), neighbors.ravel(), np.arange(n_samples + 1) * depth),
        shape=(n_samples, n_samples),
    )
    rank.sort_indices()
    keys = np.repeat(np.arange(n_samples), depth) * n_samples + rank.indices

    def place(owner, sample):
        """Rank of a sample in the owner's list, 0 if it is not there."""
        wanted = owner.astype(np.int64) * n_samples + sample
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[found] == wanted, rank.data[found], 0)

    def lacking(a, b, down_to):
        """How many of a's first neighbours are not in b's list; b itself counts as there."""
        missing = np.zeros(len(a), np.int32)
        for position in range(depth):
            counted = np.flatnonzero(position < down_to)
            theirs = neighbors[a[counted], position]
            absent = (place(b[counted], theirs) == 0) & (theirs != b[counted])
            missing[counted] += absent
        return missing

    a, b = np.repeat(np.arange(n_samples), depth), neighbors.ravel()
    forth, back = np.tile(np.arange(1, depth + 1), n_samples), place(b, a)
    back = np.where(back == 0, depth, back)
    distance = (lacking(a, b, forth) + lacking(b, a, back)) / np.minimum(forth, back)
    return a, b, distance


def edge_scores(neighbors, similarities):
    """Probability of each link: half the probability mass that each end gives to common neighbours."""
    n_samples, depth = neighbors.shape
    mass = np.exp(-(2 - 2 * similarities) / 0.5)
    mass /= mass.sum(axis=1, keepdims=True)
    indptr = np.arange(n_samples + 1) * depth
    P = sp.csr_array((mass.ravel(), neighbors.ravel(), indptr), shape=(n_samples, n_samples))
    B = sp.csr_array((np.ones_like(P.data), neighbors.ravel(), indptr), shape=P.shape)
    score = np.empty(neighbors.shape, np.float32)
    for start in range(0, n_samples, 1000):  # the products are not sparse enough to be made at once
        rows = slice(start, start + 1000)
        shared = ((P[rows] @ B.T + B[rows] @ P.T) / 2).tocsr()
        lines = np.repeat(np.arange(shared.shape[0]), depth)
        score[rows] = np.asarray(shared[lines, neighbors[rows].ravel()]).reshape(-1, depth)
    return score


PARTITIONS = {
    "components": lambda graph: connected_components(graph)[1],
    "whispers": whisper,
    "infomap": map_equation,
}

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
