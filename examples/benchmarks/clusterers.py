"""
Clusterers that `peers.py` compares with: each takes samples and parameters, and gives labels.

Those of scikit-learn, those of packages that someone may have installed, and those that have no package,
written after their papers. What several of them ask of the same samples is made once.
"""

from functools import cached_property

import numpy as np
import scipy.sparse as sp
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.neighbors import sort_graph_by_row_values

N_NEIGHBORS = 80  # longest neighbour lists that any method asks for
MOST_IN_A_MATRIX = 20_000  # samples whose distances to each other take 3 GiB

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
