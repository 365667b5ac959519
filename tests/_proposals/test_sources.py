"""Tests of the way from a graph to its proposals."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import DBSCAN, KMeans

from sklearn_gcncluster._graph._links import Graph, link
from sklearn_gcncluster._proposals._average_link import average_link_layers
from sklearn_gcncluster._proposals._sources import (
    DEFAULT_PROPOSALS,
    check_sources,
    link_thresholds,
    partition_by,
    propose,
)
from sklearn_gcncluster._proposals._supervertices import multiscale_layers


def random_graph(seed=0, n_samples=60, n_neighbors=6):
    """Points in the plane, their neighbours, and an affinity that falls with the distance."""
    points = np.random.default_rng(seed).standard_normal((n_samples, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    neighbors = np.argsort(distances, axis=1)[:, :n_neighbors].astype(np.int32)
    unlike = 1 - np.exp(-np.take_along_axis(distances, neighbors, axis=1))
    links = link(neighbors, unlike.astype(np.float32))
    apart, affinity = links.matrix(links.dissimilarity), links.matrix(1 - links.dissimilarity)
    return Graph(points, links.dissimilarities, links.lengths, apart, affinity)


def groups_of(layers):
    """All groups of all layers, as a set of sets."""
    return {
        frozenset(np.flatnonzero(layer == number).tolist())
        for layer in layers
        for number in np.unique(layer[layer >= 0])
    }


def proposed(proposals):
    """Members of all proposals, as a set of sets."""
    return {frozenset(part.tolist()) for part in np.split(proposals.indices, proposals.indptr[1:-1])}


@pytest.mark.parametrize("affinity", ["learned", "neighborhood", "cosine"])
@pytest.mark.parametrize(
    "sources", [("supervertices",), ("average_link",), ("average_link", "supervertices")]
)
def test_all_sources_and_every_sample_alone(sources, affinity):
    """Proposals are those of the sources asked for, of the partitions given, and single samples."""
    graph, own = random_graph(), np.arange(60) % 7 - 1
    settings = DEFAULT_PROPOSALS._replace(
        sources=sources, n_neighbors=6, affinity=affinity, edge_threshold=[0.3, 0.6], max_supervertex_size=9
    )
    expected = [np.arange(60)[None], own[None]]
    if "supervertices" in sources:
        expected.append(
            multiscale_layers(
                graph.dissimilarity,
                graph.rows,
                thresholds=[0.3, 0.6],
                max_supervertex_size=9,
                max_size=60,
            )
        )
    if "average_link" in sources:
        falling = link_thresholds(graph, affinity)
        expected.append(average_link_layers(graph.affinity, falling, "zero", 6))
        expected.append(average_link_layers(graph.affinity, falling[::2], "ignore", 6))
    found = propose(graph, settings, [own])
    assert proposed(found) == groups_of(np.concatenate(expected))
    assert len(found.sizes) == len(proposed(found))
    large = propose(graph, settings._replace(min_proposal_size=3, max_proposal_size=8), [own])
    assert 3 <= large.sizes.min() <= large.sizes.max() <= 8


@pytest.mark.parametrize("affinity", ["neighborhood", "cosine"])
def test_thresholds_that_the_data_say(affinity):
    """They fall from high affinities of the forest to a tenth of a low one; without links they are 0."""
    graph = random_graph()
    found = link_thresholds(graph, affinity)
    forest = sp.csgraph.minimum_spanning_tree(-graph.affinity.toarray().astype(np.float64))
    np.testing.assert_allclose(found[:10], np.quantile(-forest.data, np.linspace(0.95, 0.05, 10)), rtol=1e-5)
    np.testing.assert_allclose(found[10:], found[9] * np.array([0.8, 0.6, 0.4, 0.2, 0.1]))
    assert (np.diff(found) <= 0).all()
    empty = graph._replace(affinity=sp.csr_array((60, 60), dtype=np.float32))
    assert (link_thresholds(empty, affinity) == 0).all()


def test_thresholds_on_probabilities():
    """What a probability says does not depend on the data."""
    graph = random_graph()
    first, second = (
        link_thresholds(graph._replace(affinity=one), "learned") for one in (graph.affinity, None)
    )
    np.testing.assert_array_equal(first, second)
    assert (np.diff(first) < 0).all()


def test_own_sources():
    """A clusterer is cloned, a function is called; negative numbers are noise."""
    rows = random_graph().rows
    source = KMeans(5, n_init=1, random_state=0)
    labels = partition_by(source, rows)
    assert not hasattr(source, "labels_")
    assert len(np.unique(labels)) == 5
    np.testing.assert_array_equal(partition_by(source.fit_predict, rows), labels)
    assert (partition_by(DBSCAN(eps=1e-6), rows) == -1).all()
    assert partition_by(lambda rows: np.full(len(rows), -3), rows).tolist() == [-1] * 60
    assert partition_by(lambda rows: [7] * len(rows), rows).tolist() == [7] * 60


@pytest.mark.parametrize(
    "source", [lambda rows: rows, lambda rows: rows[:, 0], lambda rows: [0], lambda rows: ["a"] * len(rows)]
)
def test_own_sources_that_give_no_labels(source):
    """The error says what came, and what should have come."""
    with pytest.raises(
        ValueError, match="gave labels of shape .* one integer for each row, negative for noise"
    ):
        partition_by(source, random_graph().rows)


@pytest.mark.parametrize(
    ("sources", "edge_threshold", "metric", "message"),
    [
        ((), "auto", None, "proposals is empty. Name at least one source: 'supervertices', 'average_link'"),
        (("kmeans",), "auto", None, "proposals has 'kmeans'. Name"),
        ((3,), "auto", None, "proposals has 3. Name"),
        ((KMeans(),), "auto", "precomputed", 'clusters rows, and with metric="precomputed" X is a graph'),
        (
            ("average_link",),
            1.0,
            None,
            "edge_threshold must be 'auto', or one or more numbers below 1, but is 1.0",
        ),
        (("average_link",), [0.3, 2], None, "numbers below 1, but is [0.3, 2]"),
        (("average_link",), [], None, "numbers below 1, but is []"),
        (("average_link",), [[0.1]], None, "numbers below 1, but is [[0.1]]"),
        (("average_link",), ["high"], None, "numbers below 1, but is ['high']"),
        (("average_link",), [np.nan], None, "numbers below 1, but is [nan]"),
    ],
    ids=str,
)
def test_impossible_sources(sources, edge_threshold, metric, message):
    """What is no source, or no threshold, is named."""
    with pytest.raises(ValueError, match=re.escape(message)):
        check_sources(sources, edge_threshold, metric)


@pytest.mark.parametrize("sources", [("supervertices",), ["average_link", KMeans()], (np.arange,)])
@pytest.mark.parametrize("edge_threshold", ["auto", 0.3, -2, [0.1, 0.9], np.array([0.5])])
def test_possible_sources(sources, edge_threshold):
    """Names, clusterers and functions; one threshold or several."""
    check_sources(sources, edge_threshold, None)
