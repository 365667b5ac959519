"""Tests of the structural features of samples inside proposals."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of, stored
from sklearn_gcncluster._graph._links import Graph, link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._graph._samples import distinct_samples
from sklearn_gcncluster._proposals import _features
from sklearn_gcncluster._proposals._features import (
    N_STRUCTURE,
    PROPOSAL_FEATURES,
    VERTEX_FEATURES,
    StructureFeatures,
)
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._subgraphs import cut_part, layer_parts

SEEDS = [0, 1, 2]
NAMES = VERTEX_FEATURES + PROPOSAL_FEATURES
OF_SIZE = {"one over the size"}
"""Features that tell sizes apart beyond the length of a list."""


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
    part = layer_parts(proposals, 10**9)[layer]
    cut = cut_part(graph.affinity, proposals, part)
    return StructureFeatures(graph)(proposals, part, cut), cut


def iou_of(precision, recall):
    """Intersection over union, where the intersection has those shares of the two sets."""
    intersection = 1
    return intersection / (intersection / precision + intersection / recall - intersection)


def slow_features(graph, number, members, vertex):
    """All features of a member of a proposal by name; `number` is the partition."""
    dissimilarity, affinity = graph.dissimilarity.toarray(), graph.affinity.toarray()
    lists = [
        row[:length].astype(float) for row, length in zip(graph.dissimilarities, graph.lengths, strict=True)
    ]
    everything = np.concatenate(lists)
    level, spread = everything.mean(), everything.std()
    size = len(members)
    holds = np.maximum(graph.lengths, 1)

    def mean(values):
        return np.mean(values) if len(values) else 0

    def standard(unlike):
        return (level - unlike) / spread

    def to_groups(these):
        """Total and mean affinity of some samples to each group but this one, and its size.

        The mean is over the pairs that lists can hold, as many for each of the smaller group as a list has.
        """
        out = []
        for group in {("group", n) if n >= 0 else ("alone", i) for i, n in enumerate(number.tolist())}:
            others = [group[1]] if group[0] == "alone" else np.flatnonzero(number == group[1])
            total = affinity[np.ix_(these, others)].sum()
            if group != ("group", number[members[0]]) and total > 0:
                fewer, more = sorted([len(these), len(others)])
                out.append((total, total / fewer / min(more, holds[these].max()), len(others)))
        return out or [(0, 0, 0)]

    def own(i):
        neighbors = np.flatnonzero(affinity[i])
        inside = np.intersect1d(neighbors, members)
        return neighbors, inside, np.setdiff1d(neighbors, members)

    def held_by(i):
        """Members that the list of a sample could hold."""
        return min(size - 1, holds[i])

    def to_centre(i):
        if graph.rows is None:
            return standard(1 - affinity[i, members].sum() / max(held_by(i), 1))
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
    held = [held_by(i) for i in members]
    cohesion = within / max(sum(held), 1)
    listed = lists[vertex] if len(lists[vertex]) else everything.max(keepdims=True)  # as far as can be
    own_held = held_by(vertex)
    best_sum, best_mean = max(group[0] for group in best), max(group[1] for group in best)
    of_vertex = {
        "similarity to the proposal's centre": to_centre(vertex),
        "mean similarity to neighbours inside": mean(standard(dissimilarity[vertex, inside])),
        "mean similarity to neighbours outside": mean(standard(dissimilarity[vertex, outside])),
        "similarity to the nearest neighbour": standard(listed[0]),
        "mean similarity to the nearest ten": standard(listed[:10].mean()),
        "mean similarity to all neighbours": standard(listed.mean()),
        "mean affinity to the members that a list can hold": a_in / max(own_held, 1),
        "mean affinity to neighbours inside": mean(affinity[vertex, inside]),
        "mean affinity to neighbours outside": mean(affinity[vertex, outside]),
        "highest affinity": affinity[vertex].max(),
        "log affinity in all against members that a list can hold": np.log(
            (1 + a_in + a_out) / (1 + own_held)
        ),
        "log affinity outside against members that a list can hold": np.log((1 + a_out) / (1 + own_held)),
        "share of affinity inside": a_in / (a_in + a_out) if len(neighbors) else 0,
        "share of neighbours inside": len(inside) / max(len(neighbors), 1),
        "share of possible neighbours inside": len(inside) / max(min(size - 1, len(neighbors)), 1),
    }
    of_proposal = {
        "mean similarity to the centre": np.mean([to_centre(i) for i in members]),
        "cohesion: mean affinity of the pairs that lists can hold": cohesion,
        "mean affinity to the nearest other group": nearest_mean,
        "nearest other group against cohesion": nearest_mean / (cohesion + nearest_mean + 1e-3),
        "log size ratio of the nearest other group": np.log(max(nearest_size, 1) / size),
        "share of outside affinity in one other group": max(group[0] for group in nearest) / (away + 1e-3),
    }
    others = {
        "affinity to the best other group against affinity inside": best_sum / (a_in + best_sum + 1e-3),
        "mean affinity to the best other group, less that to the own": best_mean - a_in / max(own_held, 1),
    }
    # Each member is likely as far as links say, and itself for certain; others that lists could hold are not.
    precision = min((1 + a_in) / (1 + own_held), 1)
    recall = (1 + a_in) / (1 + a_in + a_out)
    of_all = min((size + within) / (size + sum(held)), 1), (size + within) / (size + within + away)
    ratio = of_proposal["log size ratio of the nearest other group"]
    return {
        **of_vertex,
        "expected precision as seen from here": precision,
        "expected recall as seen from here": recall,
        "expected IoU as seen from here": iou_of(precision, recall),
        **others,
        "log size, up to the length of a list": np.log(min(size, holds[members].max())),
        "one over the size": 1 / size,
        **of_proposal,
        "log size ratio of the nearest other group": np.clip(ratio, -3, 3),
        "share of affinity inside ": within / (within + away + 1e-3),
        "expected precision": of_all[0],
        "expected recall": of_all[1],
        "expected IoU": iou_of(*of_all),
    }


def assert_equals_slow(graph, proposals, layer):
    """Compare all features of all rows of a layer by name."""
    features, cut = features_of(graph, proposals, layer)
    assert features.dtype == np.float32
    assert features.shape == (len(cut.vertices), N_STRUCTURE)
    number = proposals.layers[layer]
    for row, vertex in enumerate(cut.vertices):
        members = np.flatnonzero(number == number[vertex])
        slow = slow_features(graph, number, members, vertex)
        # Two names are the same, of the sample and of its proposal.
        assert [name.strip() for name in slow] == list(NAMES)
        for column, (name, value) in enumerate(slow.items()):
            assert features[row, column] == pytest.approx(value, rel=2e-3, abs=2e-4), name


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_features_equal_a_slow_reference(seed, gaps):
    """Every feature of every row, in a layer of its own and in one of merged groups."""
    graph, proposals = random_case(seed, n_samples=40, gaps=gaps)
    assert (graph.lengths.min() < 12) == gaps
    for layer in range(2):
        assert_equals_slow(graph, proposals, layer)


@pytest.mark.parametrize("at_once", [16_384, 7])
@pytest.mark.parametrize("gaps", [False, True])
def test_features_of_proposals_longer_than_the_lists(gaps, at_once, monkeypatch):
    """The same where groups have many more members than a list can hold, or are looked at at once."""
    monkeypatch.setattr(_features, "_BLOCK_ROWS", at_once)
    X = np.random.default_rng(0).standard_normal((60, 6)).astype(np.float32)
    lengths = np.random.default_rng(1).integers(0, 5, 60) if gaps else None
    graph = graph_of(X, n_neighbors=4, lengths=lengths)
    proposals = distinct_proposals(np.stack([(X[:, 0] > 0) + 2 * (X[:, 1] > 1), X[:, 0] > -9]))
    assert proposals.sizes.max() == 60
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
    features, parts = StructureFeatures(graph), layer_parts(proposals, 10**9)
    cuts = [cut_part(graph.affinity, proposals, part) for part in parts]
    first = [features(proposals, part, cut) for part, cut in zip(parts, cuts, strict=True)]
    for number in (1, 0):
        np.testing.assert_array_equal(features(proposals, parts[number], cuts[number]), first[number])
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
        ("log affinity outside against members that a list can hold", 1),
        ("share of affinity inside", -1),
        ("share of neighbours inside", -1),
        ("expected recall as seen from here", -1),
        ("expected IoU as seen from here", -1),
        ("affinity to the best other group against affinity inside", 1),
        ("mean affinity to the best other group, less that to the own", 1),
    ]:
        assert (sign * (after - before)[:, column[name]] > 0.03).all(), name
    for name in ("expected recall", "expected IoU"):
        assert (after[:, NAMES.index(name)] < before[:, NAMES.index(name)] - 0.03).all()
    size_ratio = NAMES.index("log size ratio of the nearest other group")
    np.testing.assert_allclose(after[:, size_ratio], np.log(1 / 7), rtol=1e-5)


# Proposals many lists long


def two_classes(size, seed=None, n_inside=16, n_across=4):
    """Two classes of a size, of which each sample has so many of its own and of the other in its list.

    Regular: each sample of a ring has those before and after it, and those around the same place of the other
    ring, each kind at one affinity. With a seed, any samples at any affinity.
    """
    place, number = np.tile(np.arange(size), 2), np.repeat([0, 1], size)
    own, n_neighbors = number[:, None] * size, n_inside + n_across
    if seed is None:
        step = np.arange(n_neighbors) // 2 + 1
        signed = step * np.where(np.arange(n_neighbors) % 2, -1, 1)
        inside, across = ((place[:, None] + signed[:n]) % size for n in (n_inside, n_across))
        unlike = np.concatenate([0.1 + 0.01 * step[:n_inside], 0.3 + 0.01 * step[:n_across]])
        unlike = np.tile(unlike, (2 * size, 1))
    else:
        random = np.random.default_rng(seed)
        drawn = np.argsort(random.random((2 * size, size - 1)), axis=1)[:, :n_neighbors]
        inside, across = (place[:, None] + 1 + drawn[:, :n_inside]) % size, drawn[:, n_inside:]
        unlike = np.sort(random.uniform(0.1, 0.4, (2 * size, n_neighbors)), axis=1)
    neighbors = np.concatenate([inside + own, across + size - own], axis=1).astype(np.int32)
    links = link(neighbors, unlike.astype(np.float32))
    affinity = 1 - links.dissimilarity
    if seed is None:
        affinity = np.where(number[links.rows] == number[links.cols], 0.8, 0.3).astype(np.float32)
    graph = Graph(
        None, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), links.matrix(affinity)
    )
    return graph, distinct_proposals(number[None])


def embedded(graph, seed=0):
    """The graph with an embedding: one that does not tell the samples of a class apart."""
    n_samples = len(graph.lengths)
    random = np.random.default_rng(seed)
    rows = np.repeat(random.standard_normal((2, 200)), n_samples // 2, axis=0)
    rows = rows + random.standard_normal(rows.shape)
    return graph._replace(rows=rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("embedding", [True, False], ids=["embedding", "graph alone"])
@pytest.mark.parametrize("seed", [None, 0, 1], ids=["rings", "random", "other"])
def test_large_proposals_look_like_small_ones(seed, embedding):
    """Of two classes of lists' fivefold and fiftyfold size, members have the same features."""
    means = []
    for size in (100, 1000):
        graph, proposals = two_classes(size, seed)
        features, _ = features_of(embedded(graph) if embedding else graph, proposals)
        means.append(features.mean(axis=0))
    for name, *found in zip(NAMES, *means, strict=True):
        if name in OF_SIZE:
            assert found == pytest.approx([0.01, 0.001], rel=1e-4)
        elif seed is None and not (embedding and "centre" in name):
            assert found[1] == pytest.approx(found[0], rel=1e-4, abs=1e-4), name
        elif embedding or "centre" not in name:  # random lists are a little less mutual in the larger class
            assert found[1] == pytest.approx(found[0], rel=0.1, abs=0.08), name


@pytest.mark.parametrize(("size", "n_inside"), [(10, 4), (10, 9), (16, 15), (100, 15), (100, 5)])
def test_precision_counts_what_a_list_could_hold(size, n_inside):
    """A member that a list of 20 could hold and does not counts as none; those beyond it do not count."""
    n_across = min(20 - n_inside, size - 1)
    graph, proposals = two_classes(size, n_inside=n_inside, n_across=n_across)
    graph = with_affinity(graph, np.full(graph.affinity.nnz, 0.9, np.float32))
    features, cut = features_of(graph, proposals)
    n_links = np.add.reduceat(cut.inside.astype(int), cut.indptr[:-1])
    could_hold = min(size - 1, n_inside + n_across)
    expected = np.minimum((1 + 0.9 * n_links) / (1 + could_hold), 1)
    for name in ("expected precision as seen from here", "expected precision"):
        np.testing.assert_allclose(features[:, NAMES.index(name)], expected, rtol=1e-5)
    of_list = NAMES.index("mean affinity to the members that a list can hold")
    np.testing.assert_allclose(features[:, of_list], 0.9 * n_links / could_hold, rtol=1e-5)


def test_each_list_holds_what_its_length_allows():
    """Links count against five members where a list holds five, against ten where it holds ten."""
    graph, proposals = two_classes(60, n_inside=10, n_across=0)
    lengths = np.where(np.arange(120) % 2, 5, 10).astype(np.int32)
    apart = graph.dissimilarity.toarray()
    few = sp.csr_array(np.where((apart > 0) & (apart < 0.125), 0.8, 0).astype(np.float32))
    few_apart = sp.csr_array(np.where(few.toarray() > 0, apart, 0).astype(np.float32))
    assert (np.diff(few.indptr) == 4).all()
    column = NAMES.index("mean affinity to the members that a list can hold")
    cohesion = NAMES.index("cohesion: mean affinity of the pairs that lists can hold")
    for one, affinity, held in [
        (graph, 8, np.full(120, 10)),
        (graph._replace(lengths=lengths), 8, lengths),
        (graph._replace(affinity=few, dissimilarity=few_apart), 3.2, np.full(120, 10)),
        (graph._replace(affinity=few, dissimilarity=few_apart, lengths=lengths), 3.2, lengths),
    ]:
        features, _ = features_of(one, proposals)
        np.testing.assert_allclose(features[:, column], affinity / held, rtol=1e-5)
        np.testing.assert_allclose(features[:, cohesion], affinity / held.mean(), rtol=1e-5)
        np.testing.assert_allclose(
            features[:, NAMES.index("log size, up to the length of a list")], np.log(10), rtol=1e-5
        )


def test_precision_is_never_more_than_all():
    """A sample that stands in many lists has more links than its own holds, and no more than everything."""
    random = np.random.default_rng(0)
    neighbors = np.stack([random.permutation(59)[:6] for _ in range(60)])
    neighbors += neighbors >= np.arange(60)[:, None]
    neighbors[1:, 0] = 0  # a hub
    links = link(neighbors.astype(np.int32), np.full((60, 6), 0.2, np.float32))
    ones = links.matrix(np.ones(len(links.rows), np.float32))
    graph = Graph(None, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), ones)
    features, _ = features_of(graph, distinct_proposals(np.zeros((1, 60), int)))
    for name in NAMES:
        if name.startswith("expected"):
            found = features[:, NAMES.index(name)]
            assert ((found > 0) & (found <= 1)).all()
            assert found[0] == pytest.approx(1)


def test_neighbors_that_are_all_equally_near():
    """Without any deviation to measure in, inputs stay within what networks can be shown."""
    y = np.repeat(np.arange(4), 5)
    neighbors = np.stack([np.flatnonzero((y == y[i]) & (np.arange(20) != i)) for i in range(20)])
    links = link(neighbors.astype(np.int32), np.zeros((20, 4), np.float32))
    matrix = links.matrix(np.ones(len(links.rows), np.float32))
    graph = Graph(None, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), matrix)
    proposals = distinct_proposals(np.stack([np.zeros(20, int), y, np.arange(20) % 4]))
    for layer in range(3):
        features, _ = features_of(graph, proposals, layer)
        assert np.abs(features).max(initial=0) <= 1000
