"""Small sets of kinds that users of clusterers have: what is right is plain, and was not found once."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, pairwise_distances
from sklearn.neighbors import KNeighborsTransformer, radius_neighbors_graph

from sklearn_gcncluster import GCNClustering, GCNSegmenter
from sklearn_gcncluster.datasets import load_glyphs, make_identities
from sklearn_gcncluster.metrics import bcubed_fscore


@pytest.fixture(scope="module")
def two_places():
    """Two groups of 15 points, far apart: X, y."""
    y = np.repeat([0, 1], 15)
    return np.random.default_rng(0).normal(size=(30, 2)) * 0.3 + 20 * y[:, None], y


@pytest.mark.parametrize("n_neighbors", [5, 14, 80])
def test_graph_of_few_neighbors(two_places, n_neighbors):
    """A sparse graph of five neighbours each gives the clusters of the rows, however many are asked for."""
    X, y = two_places
    graph = KNeighborsTransformer(n_neighbors=5).fit_transform(X)
    of_graph = GCNClustering(metric="precomputed", n_neighbors=n_neighbors, random_state=0)
    assert adjusted_rand_score(y, of_graph.fit_predict(graph)) == 1
    of_rows = GCNClustering(n_neighbors=5, random_state=0)
    assert adjusted_rand_score(y, of_rows.fit_predict(X)) == 1


def test_graph_of_a_radius(two_places):
    """Lists of all lengths, some of them empty: no cluster holds points of both places."""
    X, y = two_places
    graph = radius_neighbors_graph(X, 0.8, mode="distance")
    assert len(np.unique(np.diff(graph.indptr))) > 5
    labels = GCNClustering(metric="precomputed", random_state=0).fit_predict(graph)
    assert (labels >= 0).mean() > 0.5
    for number in range(labels.max() + 1):
        assert len(set(y[labels == number])) == 1


@pytest.mark.parametrize("n_samples", [3, 10, 25, 40, 60, 81, 82, 200, 500])
def test_album_of_one_person(n_samples):
    """Pictures of a single person are one cluster, whatever their number."""
    random = np.random.default_rng(0)
    X = random.normal(size=64) * 3 + random.normal(size=(n_samples, 64))
    labels = GCNClustering(random_state=0).fit_predict(X)
    assert labels.max() == 0
    assert (labels == 0).mean() > 0.9


@pytest.mark.parametrize("n_neighbors", [8, 80])
def test_graph_of_matches(n_neighbors):
    """Probabilities of matches, half of the true ones and no wrong one: entities."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(5), 20)
    matched = (random.random((100, 100)) < 0.5) & (y[:, None] == y)
    graph = sp.csr_array(np.triu(random.uniform(0.6, 0.99, (100, 100)) * matched, 1))
    assert connected_components(graph, directed=False)[0] == 5
    estimator = GCNClustering(metric="precomputed_affinity", n_neighbors=n_neighbors, random_state=0)
    assert adjusted_rand_score(y, estimator.fit_predict(graph)) > 0.95


@pytest.mark.parametrize("n_features", [2, 16])
@pytest.mark.parametrize("sizes", [[2000, 2000], [10, 30, 100, 300, 1000, 3000]], ids=str)
def test_clusters_larger_than_the_lists(sizes, n_features):
    """Clusters of up to thousands of samples stay whole: behind each is a gap."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    centres = 20.0 * np.stack(np.unravel_index(random.permutation(9)[: len(sizes)], (3, 3)), axis=1)
    centres = np.concatenate([centres, np.zeros((len(sizes), n_features - 2))], axis=1)
    X = centres[y] + random.normal(size=(len(y), n_features))
    assert adjusted_rand_score(y, GCNClustering(random_state=0).fit_predict(X)) > 0.95


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_classes_as_large_as_the_lists(more):
    """Classes of as many samples as a list holds, of one less or one more."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(20), 30 + more)
    X = 3 * random.normal(size=(20, 64))[y] + random.normal(size=(len(y), 64))
    assert adjusted_rand_score(y, GCNClustering(n_neighbors=30, random_state=0).fit_predict(X)) > 0.95


@pytest.mark.parametrize("algorithm", ["auto", "brute", "hnsw"])
def test_places_in_two_cities(algorithm):
    """Sites some hundred metres apart, in cities five thousand kilometres apart: each site is a cluster."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(20), 15)
    cell = random.permutation(100)[:20]
    site = np.stack([cell % 10, cell // 10], axis=1) * 300.0
    site[10:, 0] += 5e6
    X = site[y] + 5 * random.normal(size=(300, 2))
    assert bcubed_fscore(y, GCNClustering(algorithm=algorithm, random_state=0).fit_predict(X)) > 0.9


@pytest.mark.parametrize(
    "parameters", [{}, {"algorithm": "hnsw"}, {"metric": "euclidean"}, {"metric": "cosine"}], ids=str
)
def test_readings_far_from_the_origin(parameters):
    """Readings around 300 that differ in the second digit behind the point: each state is a cluster."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(20), 15)
    X = 300 + 0.1 * random.normal(size=(20, 32))[y] + 0.01 * random.normal(size=(300, 32))
    labels = GCNClustering(random_state=0, **parameters).fit_predict(X)
    assert bcubed_fscore(y, labels) > 0.9
    assert labels.max() + 1 == 20


def test_bursts_of_pictures():
    """Times in seconds since 1970: forty bursts, as of the same times since the first."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(40), 12)
    seconds = (1.7e9 + np.cumsum(random.uniform(60, 120, 40)))[y] + random.uniform(0, 3, 480)
    for times in (seconds, seconds - seconds[0], (seconds - seconds[0]) / 3600):
        labels = GCNClustering(random_state=0).fit_predict(times[:, None])
        assert labels.max() + 1 == 40
        assert adjusted_rand_score(y, labels) > 0.99


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
def test_names_beside_unlabelled():
    """Names as classes and -1 for unlabelled, in an array of objects or a list, are what numbers are."""
    X, y = make_identities(200, n_features=16, random_state=0)
    partly = np.where(np.arange(len(y)) % 4, y, -1)
    names = np.array([f"p{label:03}" for label in y], dtype=object)
    names[::4] = -1
    estimator = GCNClustering(n_networks=1, hidden_channels=(16,), max_epochs=1, random_state=0)
    expected = estimator.fit(X, partly).labels_
    for labels in (names, list(names), partly.astype(object)):
        np.testing.assert_array_equal(estimator.fit(X, labels).labels_, expected)
    for labels in (names, list(names)):
        assert bcubed_fscore(labels, y) == bcubed_fscore(partly, y) == 1


def test_segmenter_without_a_clusterer():
    """Nothing to refine is an error that says what to give, of fit_predict as of predict."""
    X, _ = make_blobs(60, n_features=16, random_state=0)
    for ask in (GCNSegmenter().fit_predict, GCNSegmenter(random_state=0).fit(X).predict):
        with pytest.raises(
            ValueError, match=r"no estimator to cluster X with.*GCNSegmenter\(KMeans\(100\)\)"
        ):
            ask(X)
    assert len(GCNSegmenter(KMeans(3, n_init=1), random_state=0).fit_predict(X)) == 60


@pytest.mark.parametrize("n_neighbors", [10, 20, 80])
def test_groups_smaller_than_the_lists(n_neighbors):
    """Ten groups of thirty that a density clusterer tells apart, with lists longer than a group too."""
    X, y = make_blobs(300, n_features=3, centers=10, cluster_std=0.2, random_state=7)
    assert bcubed_fscore(y, HDBSCAN(copy=True).fit_predict(X)) > 0.9
    labels = GCNClustering(n_neighbors=n_neighbors, random_state=0).fit_predict(X)
    assert bcubed_fscore(y, labels) > 0.9


@pytest.mark.parametrize("factor", [2, 4, 1024, 0.125, 3.7, 1e-24, 1e30])
def test_unit_of_the_data(factor):
    """Twenty groups are twenty in any unit: the same clusters, to the last sample."""
    X, y = make_blobs(600, n_features=8, centers=20, cluster_std=0.5, random_state=0)
    expected = GCNClustering(random_state=0).fit_predict(X)
    assert adjusted_rand_score(y, expected) > 0.99
    np.testing.assert_array_equal(GCNClustering(random_state=0).fit_predict(factor * X), expected)


def test_memory_of_a_dense_graph():
    """A dense matrix of distances takes no more than a few times its size."""
    X, y = make_blobs(2000, n_features=16, centers=50, random_state=0)
    distances = pairwise_distances(X).astype(np.float32)
    estimator = GCNClustering(metric="precomputed", random_state=0)
    estimator.fit(distances[:100, :100])  # modules and networks are loaded
    tracemalloc.start()
    try:
        labels = estimator.fit_predict(distances)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert adjusted_rand_score(y, labels) > 0.95
    assert peak < 6 * distances.nbytes


@pytest.mark.parametrize("n_copies", [2, 3, 10])
def test_a_file_stacked_on_itself(n_copies):
    """Where all rows have as many copies, these say nothing: clusters are those of the rows."""
    X, y = make_blobs(300, n_features=32, centers=12, random_state=0)
    labels = GCNClustering(random_state=0).fit_predict(X)
    assert adjusted_rand_score(y, labels) == 1
    stacked = GCNClustering(random_state=0).fit_predict(np.tile(X, (n_copies, 1)))
    np.testing.assert_array_equal(stacked, np.tile(labels, n_copies))


@pytest.mark.filterwarnings("ignore:All neighbours are equally far")
@pytest.mark.parametrize("sparse", [False, True])
def test_distances_to_other_samples(sparse):
    """A square block of distances between two sets is an error; a filled diagonal or one triangle is none."""
    X, _ = make_blobs(120, n_features=4, centers=4, random_state=0)
    D = pairwise_distances(X)
    clusterer = GCNClustering(metric="precomputed", random_state=0)
    expected = clusterer.fit_predict(D)
    between = D[:60, 60:]
    with pytest.raises(ValueError, match=r"its diagonal varies.*X\[test\]\[:, test\]"):
        clusterer.fit(sp.csr_array(between) if sparse else between)
    filled = D + np.eye(len(D))
    np.testing.assert_array_equal(clusterer.fit_predict(sp.csr_array(filled) if sparse else filled), expected)
    walk = np.exp(-D)  # its rows sum up to 1, so it is not symmetric, and its diagonal varies
    walk /= walk.sum(axis=1, keepdims=True)
    of_affinities = clone(clusterer).set_params(metric="precomputed_affinity")
    of_affinities.fit(sp.csr_array(walk) if sparse else walk)
    near = D < 3
    of_affinities.fit_predict(sp.csr_array(near) if sparse else near)
    with pytest.raises(ValueError, match="its diagonal varies"):
        of_affinities.fit(sp.csr_array(np.exp(-between)) if sparse else np.exp(-between))
    triangle = sp.csr_array(np.triu(D, 1) + np.diag(np.arange(len(D))))
    assert adjusted_rand_score(clusterer.fit_predict(triangle), expected) > 0.9


def test_equal_distances_are_told():
    """A graph of links without lengths says nothing of who belongs together."""
    X, _ = make_blobs(120, n_features=4, centers=4, random_state=0)
    graph = radius_neighbors_graph(X, 3, mode="connectivity")
    with pytest.warns(UserWarning, match="All neighbours are equally far from each other"):
        GCNClustering(metric="precomputed", random_state=0).fit(graph)


def test_clusterer_in_a_segmenter_that_loses_samples():
    """Too few labels of an estimator are told, also where some samples have no class."""
    X, y = make_blobs(120, n_features=32, centers=6, random_state=0)
    segmenter = GCNSegmenter(KMeans(6, n_init=1), random_state=0)
    segmenter._initial_clusters = lambda X: np.zeros(len(X) - 1, dtype=int)
    with pytest.raises(ValueError, match="There are 119 labels for 120 samples"):
        segmenter.fit(X, np.where(y < 4, y, -1))


def test_zero_row_without_a_class_is_told_at_once(monkeypatch):
    """What cannot be clustered is an error before anything is learned, by its number in X."""
    X, y = make_blobs(120, n_features=32, centers=6, random_state=0)
    X[7], y[7] = 0, -1
    monkeypatch.setattr("sklearn_gcncluster._gcn.learn_affinity", lambda *_: pytest.fail("learned first"))
    with pytest.raises(ValueError, match="the first is row 7"):
        GCNClustering(metric="cosine").fit(X, y)


def glyphs_of_few_labels(n_labels):
    """Pictures, their classes, and labels of two classes only."""
    X, y = load_glyphs(return_X_y=True)
    X, y = X[y >= 360], y[y >= 360]
    known = np.full(len(y), -1)
    for one in (360, 361):
        known[np.flatnonzero(y == one)[:n_labels]] = one
    return X, y, known


judged_by_the_package = pytest.mark.filterwarnings("ignore:.* judge alone")


@judged_by_the_package
@pytest.mark.parametrize("n_labels", [2, 10])
def test_few_labels_among_others(n_labels):
    """A few labels do not spoil clusters: labels_ are those of predict, hardly worse than without labels."""
    X, y, known = glyphs_of_few_labels(n_labels)
    clusterer = GCNClustering(random_state=0).fit(X, known)
    np.testing.assert_array_equal(clusterer.labels_, clusterer.predict(X))
    without = bcubed_fscore(y, GCNClustering(random_state=0).fit_predict(X))
    assert bcubed_fscore(y, clusterer.labels_) > without - 0.03


def test_few_labels_of_all_samples():
    """Where networks of the package judge beside those of few labels, they do so for labels_, too."""
    X, y = make_identities(400, 40, 32, class_spread=0.4, random_state=0)
    clusterer = GCNClustering(max_epochs=1, n_networks=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(clusterer.labels_, clusterer.predict(X))


@pytest.mark.parametrize("estimator", [GCNClustering(), GCNSegmenter(KMeans(40, n_init=1, random_state=0))])
def test_unlabelled_samples_teach_nothing(estimator):
    """What is learned is what the labelled samples alone teach; all samples are clustered."""
    X, y = load_glyphs(return_X_y=True)
    X, y = X[y >= 330], y[y >= 330]
    some = y < 360
    quick = {"max_epochs": 1, "n_networks": 1, "random_state": 0, "pretrained": None}
    among = clone(estimator).set_params(**quick).fit(X, np.where(some, y, -1))
    alone = clone(estimator).set_params(**quick).fit(X[some], y[some])
    assert among.labels_.shape == y.shape
    np.testing.assert_array_equal(among.labels_, among.predict(X))
    if isinstance(estimator, GCNClustering):
        np.testing.assert_array_equal(among.labels_, alone.predict(X))


@judged_by_the_package
def test_segmenter_of_few_labels():
    """With few labels the GCN-Ds of the package judge beside those learned, in fit as in refine."""
    X, _, known = glyphs_of_few_labels(10)
    segmenter = GCNSegmenter(KMeans(40, n_init=1, random_state=0), random_state=0).fit(X, known)
    alone = GCNSegmenter(random_state=0, pretrained=None).fit(X, known)
    assert len(segmenter.learned_.detection) > len(alone.learned_.detection)
    refined = segmenter.refine(X, segmenter.initial_labels_)
    np.testing.assert_array_equal(segmenter.labels_, refined)
    # Of so few, the package alone judges.
    by_the_package = GCNSegmenter(random_state=0).refine(X, segmenter.initial_labels_)
    np.testing.assert_array_equal(refined, by_the_package)


def test_diagonal_stored_late(monkeypatch):
    """A graph whose first rows have no diagonal is looked at without a complaint of NumPy."""
    X, _ = make_blobs(120, n_features=4, centers=4, random_state=0)
    graph = KNeighborsTransformer(n_neighbors=10).fit_transform(X).tolil()
    graph.setdiag(0)
    graph[100, 100], graph[101, 101] = 3.0, 9.0
    graph = sp.csr_array(graph)
    graph.eliminate_zeros()
    monkeypatch.setattr("sklearn_gcncluster._graph._given._LOOKED_AT", 50)
    assert GCNClustering(metric="precomputed", random_state=0).fit(graph).n_clusters_ > 1


@pytest.mark.parametrize("estimator", [GCNClustering(), GCNSegmenter()])
def test_labels_that_teach_nothing(estimator):
    """No class of two, or hardly two neighbours of one class: one message, and what to do."""
    X, _ = make_blobs(200, n_features=32, centers=8, random_state=0)
    with pytest.raises(ValueError, match="None of the 200 classes in y has two samples that differ"):
        estimator.fit(X, np.arange(200))
    with pytest.raises(ValueError, match="hardly two neighbours in X are of one class.*fit.X. without y"):
        estimator.fit(X, np.r_[1, np.arange(1, 200)])
