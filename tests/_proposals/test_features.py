"""Tests of the structural features of samples inside proposals."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of, stored
from sklearn_gcncluster._graph._links import Graph, link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._graph._samples import distinct_samples
from sklearn_gcncluster._proposals._features import (
    N_STRUCTURE,
    PROPOSAL_FEATURES,
    VERTEX_FEATURES,
    StructureFeatures,
)
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._subgraphs import cut_layer

SEEDS = [0, 1, 2]
NAMES = VERTEX_FEATURES + PROPOSAL_FEATURES


def graph_of(X, n_neighbors=12, seed=0, lengths=None):
    """Graph with one less the cosine as dissimilarity and, of the same links, an affinity in (0, 1).

    With lengths, each list ends there, and is filled up with the sample itself.
    """
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    neighbors, distances = nearest_neighbors(rows, n_neighbors)
    if lengths is not None:
        gap = np.arange(n_neighbors) >= lengths[:, None]
        neighbors = np.where(gap, np.arange(len(X))[:, None], neighbors).astype(np.int32)
    links = link(neighbors, dissimilarities_of(distances, "cosine"))
    affinity = np.clip(1 - links.dissimilarity, 0, 1) ** 2
    affinity *= np.random.default_rng(seed).uniform(0.5, 1, len(affinity)).astype(np.float32)
    return Graph(
        rows, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), links.matrix(affinity)
    )


def with_affinity(graph, values):
    """The graph with other affinities of the same links."""
    pattern = graph.affinity
    return graph._replace(affinity=sp.csr_array((values, pattern.indices, pattern.indptr), pattern.shape))


def random_case(seed, n_samples=80, gaps=False):
    """A graph of noisy classes and a layer with proposals of all kinds, some samples in none.

    With gaps, neighbour lists are of all lengths down to none at all.
    """
    random = np.random.default_rng(seed)
    centres = random.standard_normal((8, 6))
    X = centres[random.integers(0, 8, n_samples)] + 0.5 * random.standard_normal((n_samples, 6))
    lengths = np.minimum(random.integers(0, 16, n_samples), 12) if gaps else None
    graph = graph_of(X.astype(np.float32), seed=seed, lengths=lengths)
    layer = np.argmax(X @ centres.T, axis=1)
    layer[random.random(n_samples) < 0.15] = -1
    layer[:4] = [20, 21, 22, 22]  # single samples and a pair
    return graph, distinct_proposals(np.stack([layer, layer // 2]))


def features_of(graph, proposals, layer=0):
    """Features and cut of a layer."""
    cut = cut_layer(graph.affinity, proposals, layer)
    return StructureFeatures(graph)(proposals, layer, cut), cut


def slow_features(graph, number, members, vertex):
    """All features of a member of a proposal by name; `number` is the partition."""
    dissimilarity, affinity = graph.dissimilarity.toarray(), graph.affinity.toarray()
    lists = [
        row[:length].astype(float) for row, length in zip(graph.dissimilarities, graph.lengths, strict=True)
    ]
    everything = np.concatenate(lists)
    level, spread = everything.mean(), everything.std()
    size = len(members)

    def mean(values):
        return np.mean(values) if len(values) else 0

    def standard(unlike):
        return (level - unlike) / spread

    def to_groups(these):
        """Total and mean affinity of some samples to each group but this one, and its size."""
        out = []
        for group in {("group", n) if n >= 0 else ("alone", i) for i, n in enumerate(number.tolist())}:
            others = [group[1]] if group[0] == "alone" else np.flatnonzero(number == group[1])
            total = affinity[np.ix_(these, others)].sum()
            if group != ("group", number[members[0]]) and total > 0:
                out.append((total, total / len(these) / len(others), len(others)))
        return out or [(0, 0, 0)]

    def own(i):
        neighbors = np.flatnonzero(affinity[i])
        inside = np.intersect1d(neighbors, members)
        return neighbors, inside, np.setdiff1d(neighbors, members)

    def to_centre(i):
        if graph.rows is None:
            return standard(1 - affinity[i, members].sum() / max(size - 1, 1))
        centre = graph.rows[members].astype(float).mean(axis=0)
        cosine = graph.rows[i] @ centre / np.linalg.norm(centre) / np.linalg.norm(graph.rows[i])
        return standard(1 - cosine)

    neighbors, inside, outside = own(vertex)
    a_in, a_out = affinity[vertex, inside].sum(), affinity[vertex, outside].sum()
    best = to_groups([vertex])
    within = affinity[np.ix_(members, members)].sum()
    away = affinity[members].sum() - within
    nearest = to_groups(members)
    nearest_mean = max(group[1] for group in nearest)
    nearest_size = next(group[2] for group in nearest if group[1] == nearest_mean)
    cohesion = within / max(size * (size - 1), 1)
    listed = lists[vertex] if len(lists[vertex]) else everything.max(keepdims=True)  # as far as can be
    return {
        "similarity to the proposal's centre": to_centre(vertex),
        "mean similarity to neighbours inside": mean(standard(dissimilarity[vertex, inside])),
        "mean similarity to neighbours outside": mean(standard(dissimilarity[vertex, outside])),
        "similarity to the nearest neighbour": standard(listed[0]),
        "mean similarity to the nearest ten": standard(listed[:10].mean()),
        "mean similarity to all neighbours": standard(listed.mean()),
        "mean affinity to all members": a_in / max(size - 1, 1),
        "mean affinity to neighbours inside": mean(affinity[vertex, inside]),
        "mean affinity to neighbours outside": mean(affinity[vertex, outside]),
        "highest affinity": affinity[vertex].max(),
        "log affinity in all": np.log(1 + a_in + a_out),
        "log affinity outside": np.log(1 + a_out),
        "share of affinity inside": a_in / (a_in + a_out) if len(neighbors) else 0,
        "share of neighbours inside": len(inside) / max(len(neighbors), 1),
        "share of possible neighbours inside": len(inside) / max(min(size - 1, len(neighbors)), 1),
        "share of size reached by affinity": (1 + a_in) / size,
        "expected IoU as seen from here": (1 + a_in) / (size + a_out),
        "affinity to the best other group against affinity inside": max(b[0] for b in best)
        / (a_in + max(b[0] for b in best) + 1e-3),
        "mean affinity to the best other group, less that to the own": max(b[1] for b in best)
        - a_in / max(size - 1, 1),
        "log size": np.log(size),
        "mean similarity to the centre": np.mean([to_centre(i) for i in members]),
        "cohesion: mean affinity of all pairs": cohesion,
        "mean affinity to the nearest other group": nearest_mean,
        "nearest other group against cohesion": nearest_mean / (cohesion + nearest_mean + 1e-3),
        "log size ratio of the nearest other group": np.log(max(nearest_size, 1) / size),
        "share of outside affinity in one other group": max(group[0] for group in nearest) / (away + 1e-3),
        "expected IoU": (size + within) / (size**2 + away),
        "share of affinity inside ": within / (within + away + 1e-3),
    }


def assert_equals_slow(graph, proposals, layer):
    """Compare all features of all rows of a layer by name."""
    features, cut = features_of(graph, proposals, layer)
    assert features.dtype == np.float32
    assert features.shape == (len(cut.vertices), len(NAMES)) == (len(cut.vertices), N_STRUCTURE)
    number = proposals.layers[layer]
    for row, vertex in enumerate(cut.vertices):
        slow = slow_features(graph, number, np.flatnonzero(number == number[vertex]), vertex)
        # Two names are the same, of the sample and of its proposal.
        assert [name.strip() for name in slow] == list(NAMES)
        for column, (name, value) in enumerate(slow.items()):
            assert features[row, column] == pytest.approx(value, rel=2e-3, abs=2e-4), name


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_a_slow_reference(seed, gaps):
    """Every feature of every row, in a layer of its own and in one of merged groups."""
    graph, proposals = random_case(seed, n_samples=50, gaps=gaps)
    assert (graph.lengths.min() < 12) == gaps
    for layer in range(2):
        assert_equals_slow(graph, proposals, layer)


def test_short_lists_are_lists_of_that_length():
    """Lists that all end at the same place give the features of a graph with so many neighbours."""
    X = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
    proposals = distinct_proposals(np.argmax(X, axis=1)[None])
    short, cut = graph_of(X, n_neighbors=5), graph_of(X, lengths=np.full(40, 5))
    assert cut.dissimilarities.shape == (40, 12)
    for expected, found in zip(features_of(short, proposals)[0], features_of(cut, proposals)[0], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_one_object_serves_all_layers():
    """Features of a layer do not depend on which were asked for before."""
    graph, proposals = random_case(0)
    features, cuts = StructureFeatures(graph), [cut_layer(graph.affinity, proposals, n) for n in range(2)]
    first = [features(proposals, number, cut) for number, cut in enumerate(cuts)]
    for number in (1, 0):
        np.testing.assert_array_equal(features(proposals, number, cuts[number]), first[number])
        np.testing.assert_array_equal(features_of(graph, proposals, number)[0], first[number])


@pytest.mark.parametrize("scale", [1e-3, 1e-6])
def test_close_neighbors_are_told_apart(scale):
    """Where all cosines are 1 in single precision, similarities still are as spread as they are."""
    random = np.random.default_rng(0)
    centre, apart = random.standard_normal(6), random.standard_normal((60, 6))
    proposals = distinct_proposals(np.argmax(apart, axis=1)[None])
    rows = centre + scale * apart
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    unlike = ((rows[:, None] - rows[None]) ** 2).sum(axis=2) / 2
    neighbors = np.argsort(unlike + 9 * np.eye(60), axis=1)[:, :12].astype(np.int32)
    links = link(neighbors, np.take_along_axis(unlike, neighbors, axis=1).astype(np.float32))
    everywhere = links.matrix(links.dissimilarity)
    graph = Graph(rows, links.dissimilarities, links.lengths, everywhere, everywhere)
    graph = with_affinity(graph, np.full(everywhere.nnz, 0.5, np.float32))
    assert_equals_slow(graph, proposals, 0)
    similar = features_of(graph, proposals)[0][:, NAMES.index("similarity to the nearest neighbour")]
    assert similar.std() > 0.3


def test_equal_samples_are_finite():
    """Lists of nothing but copies, at a dissimilarity of zero, have finite features."""
    neighbors = (np.arange(20)[:, None] + np.arange(1, 4)).astype(np.int32) % 20
    links = link(neighbors, np.zeros((20, 3), np.float32))
    apart = links.matrix(links.dissimilarity)
    assert (apart.data == stored(np.zeros(1))).all()
    graph = Graph(
        np.ones((20, 2)), links.dissimilarities, links.lengths, apart, links.matrix(np.ones(60, np.float32))
    )
    for layer in (np.zeros(20, int), np.arange(20) // 5, np.arange(20)):
        assert np.isfinite(features_of(graph, distinct_proposals(layer[None]))[0]).all()


def test_features_without_an_embedding():
    """For a graph alone, the mean affinity to the members stands for the similarity to the centre."""
    graph, proposals = random_case(0, n_samples=40)
    assert_equals_slow(graph._replace(rows=None), proposals, 0)


def test_isolated_vertices_are_finite():
    """Vertices without a link, at the end, in the middle, alone or with others, have finite features."""
    graph, proposals = random_case(0, n_samples=40)
    cut_off = np.array([0, 2, 17, 18, 38, 39])

    def without(matrix):
        dense = matrix.toarray()
        dense[cut_off] = dense[:, cut_off] = 0
        return sp.csr_array(dense)

    graph = graph._replace(dissimilarity=without(graph.dissimilarity), affinity=without(graph.affinity))
    assert (np.diff(graph.affinity.indptr)[cut_off] == 0).all()
    for layer in range(2):
        assert np.isfinite(features_of(graph, proposals, layer)[0]).all()
        assert_equals_slow(graph, proposals, layer)


@pytest.mark.parametrize("affinity", [0.0, 1.0])
def test_extreme_affinities_are_finite(affinity):
    """All links at the lowest or highest affinity, single samples and the whole set: no division by zero."""
    graph, _ = random_case(0, n_samples=40)
    graph = with_affinity(graph, np.full(graph.affinity.nnz, affinity, np.float32))
    layers = np.stack([np.arange(40), np.zeros(40, int), np.arange(40) // 2])
    proposals = distinct_proposals(layers)
    for layer in range(3):
        features, _ = features_of(graph, proposals, layer)
        assert features.shape == (40, N_STRUCTURE)
        assert np.isfinite(features).all()


def test_layer_without_new_proposals():
    """A layer that repeats another has no rows."""
    graph, _ = random_case(0, n_samples=40)
    proposals = distinct_proposals(np.stack([np.arange(40) // 4] * 2))
    assert features_of(graph, proposals, 1)[0].shape == (0, N_STRUCTURE)


@pytest.mark.parametrize("seed", SEEDS)
def test_scale_and_rotation_do_not_matter(seed):
    """A scaled, rotated embedding with additional zero columns has the same features."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((60, 5)).astype(np.float32)
    rotation = np.linalg.qr(random.standard_normal((8, 8)))[0]
    moved = 7.3 * np.concatenate([X, np.zeros((60, 3))], axis=1) @ rotation
    layer = np.argmax(X, axis=1)
    found = []
    for embedding in (X, moved.astype(np.float32)):
        samples = distinct_samples(embedding, "cosine")
        original = np.argsort(samples.inverse)  # the row of X behind each sample
        graph = graph_of(samples.rows)
        graph = with_affinity(graph, np.clip(1 - graph.dissimilarity.data, 0, 1))
        features, cut = features_of(graph, distinct_proposals(layer[original][None]))
        by_row = np.empty_like(features)
        by_row[original[cut.vertices]] = features
        found.append(by_row)
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)


def test_missing_member_shows_at_the_boundary():
    """Leave a member of a tight class out: the others see affinity that leaves, and a good other group."""
    random = np.random.default_rng(0)
    X = np.repeat(np.eye(6), 8, axis=0) + 0.02 * random.standard_normal((48, 6))
    graph = graph_of(X.astype(np.float32), n_neighbors=7)
    full = np.repeat(np.arange(6), 8)
    without = full.copy()
    without[7] = 6
    before, after = (features_of(graph, distinct_proposals(layer[None]))[0][:7] for layer in (full, without))
    column = {name: number for number, name in enumerate(NAMES[: len(VERTEX_FEATURES)])}
    for name, sign in [
        ("log affinity outside", 1),
        ("share of affinity inside", -1),
        ("share of neighbours inside", -1),
        ("expected IoU as seen from here", -1),
        ("affinity to the best other group against affinity inside", 1),
        ("mean affinity to the best other group, less that to the own", 1),
    ]:
        assert (sign * (after - before)[:, column[name]] > 0.03).all(), name
    expected_iou = NAMES.index("expected IoU")
    assert (after[:, expected_iou] < before[:, expected_iou] - 0.03).all()
    size_ratio = NAMES.index("log size ratio of the nearest other group")
    np.testing.assert_allclose(after[:, size_ratio], np.log(1 / 7), rtol=1e-5)
