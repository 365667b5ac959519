"""The easiest cut of a proposal, beside eigenvectors of each and cuts that are known."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.neighbors import kneighbors_graph

from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._links import Graph, link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._proposals._bottleneck import CUT_FEATURES, CutFeatures, easiest_cuts
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._subgraphs import Subgraphs, cut_part, layer_parts, part_subgraphs


def subgraphs_of(*graphs):
    """Proposals, each with a dense graph."""
    offsets = np.cumsum([0] + [len(graph) for graph in graphs])
    adjacency = sp.block_diag([sp.csr_array(graph.astype(np.float32)) for graph in graphs], format="csr")
    return Subgraphs(offsets, np.arange(offsets[-1], dtype=np.int32), sp.csr_array(adjacency))


def cut(*graphs, seed=0):
    """Easiest cuts of graphs."""
    subgraphs = subgraphs_of(*graphs)
    starts = np.random.default_rng(seed).standard_normal((subgraphs.offsets[-1], 2)).astype(np.float32)
    return easiest_cuts(subgraphs, starts)


def blobs(sizes, distance, seed=0, n_neighbors=10):
    """Neighbour graph of blobs in a row, in three dimensions."""
    random, y = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    X = random.normal(size=(len(y), 3))
    X[:, 0] += distance * y
    graph = kneighbors_graph(X, n_neighbors).toarray()
    return np.maximum(graph, graph.T), y


def conductance_of(graph, side):
    """Weight across a cut against that of the smaller side, link by link."""
    across = graph[side][:, ~side].sum()
    return across / min(graph[side].sum(), graph[~side].sum())


def fiedler_cut(graph):
    """Where the second eigenvector of the normalised graph changes its sign."""
    degree = graph.sum(axis=1)
    vector = np.linalg.eigh(graph / np.sqrt(np.outer(degree, degree)))[1][:, -2] / np.sqrt(degree)
    return vector > 0


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("sizes", [(60, 60), (90, 40), (40, 40, 40)])
def test_clusters_side_by_side_come_apart_where_the_eigenvector_has_it(sizes, seed):
    """No worse than the sign of the second eigenvector, and no better than any cut between clusters."""
    graph, y = blobs(sizes, 5, seed)
    found = cut(graph)
    expected = conductance_of(graph, fiedler_cut(graph))
    known = min(conductance_of(graph, y <= place) for place in range(len(sizes) - 1))
    assert found.conductance[0] <= max(expected, known) + 0.02
    assert found.conductance[0] >= 0.5 * min(expected, known) - 1e-6
    assert found.crossing.sum() / 2 == pytest.approx(
        found.conductance[0] * found.smaller[0] * graph.sum(), rel=1e-4, abs=1e-3
    )


def test_one_cluster_hangs_together_and_two_do_not():
    """What the lists of neighbours of two blobs do not show."""
    whole, _ = blobs((120,), 0)
    pair, _ = blobs((60, 60), 5)
    together = cut(whole, pair)
    assert together.conductance[0] > 0.1
    assert together.conductance[1] < 0.02
    assert together.smaller[1] == pytest.approx(0.5, abs=0.05)


def test_a_proposal_is_cut_as_if_it_were_alone_and_whatever_the_scale():
    """Neither other proposals of the layer nor the unit of affinities matter."""
    graphs = blobs((30, 50), 4)[0], blobs((70,), 0, seed=1)[0], blobs((20, 20), 3, seed=2)[0]
    subgraphs = subgraphs_of(*graphs)
    starts = np.random.default_rng(0).standard_normal((subgraphs.offsets[-1], 2)).astype(np.float32)
    together = easiest_cuts(subgraphs, starts)
    scaled = easiest_cuts(subgraphs._replace(adjacency=1e-3 * subgraphs.adjacency), starts)
    np.testing.assert_allclose(scaled.conductance, together.conductance, rtol=1e-3, atol=1e-5)
    for number, graph in enumerate(graphs):
        rows = slice(*subgraphs.offsets[number : number + 2])
        alone = easiest_cuts(subgraphs_of(graph), starts[rows])
        assert alone.conductance[0] == pytest.approx(together.conductance[number], rel=1e-4, abs=1e-5)
        np.testing.assert_allclose(alone.crossing, together.crossing[rows], atol=1e-4)


def test_parts_singles_and_pairs():
    """Proposals without links, in parts, or with one link."""
    apart = np.kron(np.eye(2), np.ones((5, 5)) - np.eye(5))
    found = cut(apart, np.zeros((1, 1)), np.zeros((3, 3)), np.array([[0, 1.0], [1.0, 0]]))
    assert found.conductance.tolist() == [0, 1, 1, 1]
    assert found.smaller.tolist() == [0.5, 0, 0, 0.5]
    assert np.isfinite(found.crossing).all()


def graph_of(X):
    """Neighbour graph in which links count by their nearness."""
    neighbors, distances = nearest_neighbors(X, 10, metric="euclidean")
    links = link(neighbors, dissimilarities_of(distances, "euclidean"))
    affinity = links.matrix(np.exp(-links.dissimilarity))
    return Graph(X, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), affinity)


def features_of(X, layer):
    """Cut features of each sample in its proposal."""
    graph, proposals = graph_of(X), distinct_proposals(layer[None])
    (part,) = layer_parts(proposals, len(X))
    subgraphs = part_subgraphs(cut_part(graph.affinity, proposals, part), graph.affinity)
    features = np.full((len(X), len(CUT_FEATURES)), np.nan, dtype=np.float32)
    features[subgraphs.vertices] = CutFeatures(graph)(subgraphs)
    return features


def test_features_follow_the_samples():
    """They are the cuts of each proposal, in whatever order samples are given."""
    random, y = np.random.default_rng(0), np.repeat([0, 1, 2], [50, 50, 60])
    X = (random.normal(size=(160, 3)) + 5 * y[:, None] * [1, 0, 0]).astype(np.float32)
    layer = np.array([0, 0, 1])[y]  # the first two blobs as one, and the third
    features = features_of(X, layer)
    crossing, conductance, smaller = features.T
    assert np.exp(conductance[y < 2]).max() < 0.05 < np.exp(conductance[y == 2]).min()
    assert 0.3 < smaller[0] <= 0.5
    assert crossing[y < 2].mean() < 0.05 < crossing[y == 2].mean()
    order = random.permutation(160)
    np.testing.assert_allclose(features_of(X[order], layer[order]), features[order], rtol=1e-3, atol=1e-4)


def test_features_of_an_empty_layer():
    """A layer whose proposals all stand in others has no rows."""
    graph = graph_of(np.random.default_rng(0).normal(size=(40, 3)))
    proposals = distinct_proposals(np.zeros((2, 40), int))
    _, empty = layer_parts(proposals, 40)
    subgraphs = part_subgraphs(cut_part(graph.affinity, proposals, empty), graph.affinity)
    assert CutFeatures(graph)(subgraphs).shape == (0, len(CUT_FEATURES))
