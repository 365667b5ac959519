"""Tests of consensus-driven propagation."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors, kneighbors_graph
from sklearn.preprocessing import FunctionTransformer, normalize

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster._graph._links import Links, link
from sklearn_gcncluster.baselines import ConsensusPropagation
from sklearn_gcncluster.baselines._base import linked_samples
from sklearn_gcncluster.baselines._committee import View, pair_features, votes
from sklearn_gcncluster.baselines._neighborhoods import neighborhoods_of
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

SEEDS = [0, 1, 2]


def links_between(rows, cols, n_samples):
    """Links without the lists that they come from."""
    lists = np.empty((n_samples, 0), dtype=np.int32)
    order = np.lexsort((cols, rows))
    return Links(lists, lists, lists[:, 0:0], rows[order], cols[order], np.empty(0), np.empty((2, 0)))


def slow_propagate(pairs, affinities, counts, threshold, step, max_size):
    """By the letter: components of what is left, the large ones go on with a raised threshold."""
    links = list(zip(*pairs.T.tolist(), affinities.tolist(), strict=True))
    groups, left = np.full(len(counts), -1), set(range(len(counts)))
    while left:
        inside = [(a, b, v) for a, b, v in links if v >= threshold and a in left and b in left]
        large = set()
        for start in sorted(left):
            if groups[start] >= 0 or start in large:
                continue
            group, waiting = {start}, [start]
            while waiting:
                sample = waiting.pop()
                near = {a + b - sample for a, b, _ in inside if sample in (a, b)} - group
                group |= near
                waiting += near
            can_be_cut = any(v < 1 for a, _, v in inside if a in group)
            if sum(counts[one] for one in group) <= max_size or not can_be_cut:
                groups[list(group)] = start
            else:
                large |= group
        left, threshold = large, threshold + (1 - threshold) * step
    return groups


def same_partition(left, right):
    """Whether two arrays of groups differ in the groups' numbers only."""
    pairs = np.unique(np.stack([left, right]), axis=1).shape[1]
    return pairs == len(np.unique(left)) == len(np.unique(right))


@pytest.mark.parametrize("max_size", [1, 4, 12, 1000])
@pytest.mark.parametrize("step", [0.05, 0.5])
@pytest.mark.parametrize("seed", SEEDS)
def test_propagation_equals_the_letter(seed, step, max_size):
    """At any threshold; copies stay together, and those that were left out count too."""
    random = np.random.default_rng(seed)
    n_copies = random.integers(1, 3, 40)
    starts = np.cumsum(n_copies) - n_copies
    counts = np.zeros(n_copies.sum(), dtype=int)
    counts[starts] = n_copies + random.integers(0, 2, 40) * (n_copies == 2)
    rows, cols = np.triu_indices(len(counts), 1)
    distinct = np.repeat(np.arange(40), n_copies)
    copies = distinct[rows] == distinct[cols]
    chosen = copies | (random.random(len(rows)) < 0.07)
    rows, cols, copies = rows[chosen], cols[chosen], copies[chosen]
    unlike = np.where(random.random(len(rows)) < 0.2, 0, random.integers(1, 90, len(rows)) / 128)
    linked = linked_samples(links_between(rows, cols, len(counts)), unlike, counts, np.empty((0, 0)))
    affinities = np.where(copies, 1, 1 - unlike)
    for threshold in (-0.5, 0.2, 0.5, 0.9):
        clusterer = ConsensusPropagation(threshold_step=step, max_size=max_size)
        groups = clusterer._partition(linked, threshold)
        pairs = np.column_stack([rows, cols])
        expected = slow_propagate(pairs, affinities, counts, threshold, step, max_size)
        assert same_partition(groups, expected)


@pytest.mark.parametrize("threshold", [-1, 0.3, 0.7, "auto"])
@pytest.mark.parametrize("max_size", [1, 2, 10, 50])
def test_no_cluster_is_too_large(threshold, max_size):
    """Whatever the threshold, the rows being different."""
    X, _ = make_identities(500, n_features=32, random_state=0)
    labels = ConsensusPropagation(threshold=threshold, max_size=max_size).fit_predict(X)
    assert np.bincount(labels + 1)[1:].max(initial=0) <= max_size


def test_clusters_grow_as_the_threshold_falls():
    """Whoever is together stays together, as long as no cluster is too large."""
    X, _ = make_identities(500, n_features=32, random_state=0)
    labels = [
        ConsensusPropagation(threshold=threshold, max_size=500).fit_predict(X)
        for threshold in np.linspace(0.999, -0.5, 12)
    ]
    assert (labels[0] == -1).all()
    for finer, coarser in pairwise(labels):
        together = np.unique(np.stack([finer, coarser])[:, finer >= 0], axis=1)
        assert len(together[0]) == len(np.unique(together[0]))
        assert (coarser[finer >= 0] >= 0).all()


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.9])
def test_single_model_equals_the_letter(metric, threshold):
    """Neighbours, affinities, threshold, propagation."""
    X = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    rows = normalize(X) if metric == "cosine" else X
    distances, neighbors = NearestNeighbors(n_neighbors=6).fit(rows).kneighbors()
    squared = distances**2
    if metric == "cosine":
        affinities = 1 - squared / 2
    else:
        affinities = np.exp(-squared / (2 * np.median(squared)))
    pairs = np.column_stack([np.repeat(np.arange(80), 6), neighbors.ravel()])
    expected = slow_propagate(pairs, affinities.ravel(), np.ones(80), threshold, 0.05, 12)
    labels = ConsensusPropagation(n_neighbors=6, metric=metric, threshold=threshold, max_size=12).fit_predict(
        X
    )
    sizes = np.bincount(expected, minlength=80)[expected]
    assert (labels == -1).tolist() == (sizes == 1).tolist()
    assert same_partition(labels[sizes > 1], expected[sizes > 1])


def test_threshold_by_labels_is_the_best():
    """No other threshold gives a higher mean of both F on the labelled samples."""
    X, y = make_identities(600, n_features=32, random_state=0)
    y = np.where(y % 3 == 0, -1, y)
    clusterer = ConsensusPropagation().fit(X, y)

    def quality(labels):
        return pairwise_fscore(y, labels) + bcubed_fscore(y, labels)

    others = [
        ConsensusPropagation(threshold=threshold).fit_predict(X) for threshold in np.linspace(0, 0.99, 20)
    ]
    assert quality(clusterer.labels_) >= max(map(quality, others)) - 0.02
    expected = ConsensusPropagation(threshold=clusterer.threshold_).fit_predict(X)
    np.testing.assert_array_equal(clusterer.labels_, expected)
    np.testing.assert_array_equal(clusterer.predict(X), expected)


@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_graph_of_neighbours(metric):
    """A sparse graph of as many neighbours as are linked gives the clusters of the rows."""
    X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    graph = kneighbors_graph(X, 6, mode="distance")
    affinities = np.exp(-(graph.data**2) / (2 * np.median(graph.data**2)))
    if metric == "precomputed_affinity":
        graph.data = affinities
    threshold = float(np.quantile(affinities, 0.4))
    by_rows = ConsensusPropagation(n_neighbors=6, threshold=threshold).fit_predict(X)
    # Lists are symmetric in a graph, and so may be longer than those it was made of.
    by_graph = ConsensusPropagation(n_neighbors=99, metric=metric, threshold=threshold).fit_predict(graph)
    assert same_partition(by_rows[by_rows >= 0], by_graph[by_rows >= 0])
    assert (by_rows < 0).tolist() == (by_graph < 0).tolist()


def views_of(X, members, metric, n_neighbors=5):
    """Views of the columns that each member has."""
    rows = [np.ascontiguousarray(X[:, member]) for member in members]
    rows = [normalize(one) for one in rows] if metric == "cosine" else rows
    found = [neighborhoods_of(one, n_neighbors, metric=metric) for one in rows]
    return [
        View(one, link(lists.neighbors, lists.dissimilarities), lists.typical)
        for one, lists in zip(rows, found, strict=True)
    ]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_what_the_committee_says_equals_loops(metric):
    """Votes, affinities, and mean and deviation of both ends' neighbourhoods, pair by pair."""
    X = np.random.default_rng(0).normal(size=(50, 9)).astype(np.float32)
    views = views_of(X, [slice(0, 3), slice(3, 6), slice(6, 9)], metric)
    pairs = views[0].links
    features = pair_features(views, pairs, metric)
    assert features.shape == (len(pairs.rows), 6 * 3 - 1)
    for number, (a, b) in enumerate(zip(pairs.rows.tolist(), pairs.cols.tolist(), strict=True)):
        expected = [float(a in links.neighbors[b] or b in links.neighbors[a]) for _, links, _ in views[1:]]
        for rows, links, _ in views:
            squared = float(((rows[a] - rows[b]) ** 2).sum())
            scale = np.median(((rows[:, None] - rows[links.neighbors]) ** 2).sum(axis=2))
            expected.append(1 - squared / 2 if metric == "cosine" else np.exp(-squared / (2 * scale)))
            for summary in (np.mean, np.std):
                expected += sorted(summary(1 - links.dissimilarities[end]) for end in (a, b))
        np.testing.assert_allclose(features[number], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(votes(views, pairs), features[:, :2].T)


def test_committee_votes_without_labels():
    """Links that at most half of the others have are no candidates."""
    X = np.random.default_rng(0).normal(size=(80, 9)).astype(np.float32)
    members = [slice(0, 3), slice(3, 6), slice(0, 4)]
    clusterer = ConsensusPropagation(n_neighbors=6, threshold=-1, committee=members, metric="cosine").fit(X)
    views = views_of(X, members, "cosine", 6)
    pairs = views[0].links
    agreed = pairs.take(np.flatnonzero(votes(views, pairs).all(axis=0)))
    assert 0 < len(agreed.rows) < len(pairs.rows)
    ends = np.column_stack([agreed.rows, agreed.cols])
    expected = slow_propagate(ends, 1 - agreed.dissimilarity, np.ones(80), -1, 0.05, 300)
    sizes = np.bincount(expected, minlength=80)[expected]
    assert (clusterer.labels_ < 0).tolist() == (sizes == 1).tolist()
    assert same_partition(clusterer.labels_[sizes > 1], expected[sizes > 1])
    assert clusterer.mediator_ is None


def test_equal_members_change_nothing():
    """A committee that sees what the base sees links what it links."""
    X, _ = make_identities(400, n_features=32, random_state=0)
    alone = ConsensusPropagation().fit(X)
    agreed = ConsensusPropagation(committee=["passthrough", slice(None)]).fit(X)
    assert same_partition(alone.labels_, agreed.labels_)


class Oracle(LogisticRegression):
    """Says that pairs have one class as far as the base's affinity says so; remembers what it was taught."""

    def fit(self, X, y):
        """Keep what was given."""
        self.taught_ = X, y
        return self

    def predict_proba(self, X):
        """Probability of False and True."""
        return np.column_stack([1 - X[:, 1], X[:, 1]])


def test_mediator_learns_from_labelled_pairs():
    """It sees linked pairs of which both are labelled, and its probability is the affinity that counts."""
    X, y = make_identities(400, n_features=32, random_state=0)
    y = np.where(y % 4 == 0, -1, y)
    committee = ["passthrough", slice(0, 16)]
    clusterer = ConsensusPropagation(committee=committee, mediator=Oracle(), threshold=0.6).fit(X, y)
    features, same = clusterer.mediator_.taught_
    alone = ConsensusPropagation(threshold=0.6).fit(X)
    assert same_partition(clusterer.labels_, alone.labels_)
    np.testing.assert_array_equal(clusterer.predict(X), clusterer.labels_)
    neighbors = NearestNeighbors(n_neighbors=15).fit(X).kneighbors(return_distance=False)
    pairs = link(neighbors.astype(np.int32), neighbors.astype(np.float32))
    known = (y[pairs.rows] >= 0) & (y[pairs.cols] >= 0)
    assert len(features) == len(same) == known.sum()
    assert same.sum() == (y[pairs.rows] == y[pairs.cols])[known].sum()
    assert features.shape[1] == 11


def test_mediator_helps():
    """Two noisy embeddings of the same samples, and labels, are better than one without."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(40), 20)
    centres = random.normal(size=(40, 2, 24))
    X = (centres[y] + 0.9 * random.normal(size=(800, 2, 24))).reshape(800, 48)
    train = y < 20
    single = ConsensusPropagation().fit(X[train, :24], y[train])
    committee = ConsensusPropagation(committee=[slice(0, 24), slice(24, 48)]).fit(X[train], y[train])
    better = bcubed_fscore(y[~train], committee.predict(X[~train]))
    assert better > bcubed_fscore(y[~train], single.predict(X[~train, :24])) + 0.05


def test_transformers_are_cloned_and_fitted():
    """Those that were passed stay as they are; predict uses what fit learned."""
    X, y = make_identities(400, n_features=32, random_state=0)
    committee = ["passthrough", PCA(8, random_state=0)]
    clusterer = ConsensusPropagation(committee=committee, mediator=LogisticRegression()).fit(X, y)
    assert not hasattr(committee[1], "components_")
    assert clusterer.committee_[1].components_.shape == (8, 32)
    before = clusterer.committee_[1].components_.copy()
    assert clusterer.predict(X[:100]).shape == (100,)
    np.testing.assert_array_equal(clusterer.committee_[1].components_, before)
    np.testing.assert_array_equal(clusterer.predict(X), clusterer.labels_)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_members_see_rows_as_they_were_given(metric):
    """In the unit of X, in fit and in predict."""
    X = 1000 + 50 * np.random.default_rng(0).normal(size=(100, 6))
    seen = []

    def remember(rows):
        seen.append(rows)
        return rows

    committee = [FunctionTransformer(remember), slice(0, 3)]
    clusterer = ConsensusPropagation(committee=committee, metric=metric).fit(X)
    clusterer.predict(X[:50])
    for rows, given in zip(seen, (X, X[:50]), strict=True):
        np.testing.assert_allclose(np.sort(rows, axis=0), np.sort(given, axis=0), rtol=1e-9)


@pytest.mark.parametrize("offset", [0, 1e6])
@pytest.mark.parametrize("unit", [1e-20, 1, 1e20])
def test_members_may_have_any_unit(unit, offset):
    """Neither it nor the origin changes the clusters."""
    X, _ = make_identities(200, n_features=8, random_state=0)
    X = np.round(X.astype(np.float64) * 2**20)
    clusterer = ConsensusPropagation(committee=["passthrough", slice(0, 4)])
    assert same_partition(clusterer.fit_predict(unit * (X + offset)), clusterer.fit_predict(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"committee": ["passthrough"]}, "committee has 1 members; it takes at least 2"),
        ({"committee": ["passthrough", 3]}, "committee has 3. Its members are transformers, slices"),
        ({"committee": ["passthrough", "x"]}, "committee has 'x'"),
        ({"committee": ["passthrough"] * 2, "metric": "precomputed"}, "a graph that has none. Use committee"),
    ],
)
def test_committees_that_cannot_be(parameters, message):
    """Errors give the value, the limit and a remedy."""
    with pytest.raises(ValueError, match=message):
        ConsensusPropagation(**parameters).fit(np.eye(5))


def test_embeddings_without_direction():
    """Rows of zeros have no cosine, whichever member sees them."""
    X = np.ones((5, 4)) + np.eye(5, 4)
    X[2, :2] = 0
    clusterer = ConsensusPropagation(committee=["passthrough", slice(0, 2)], metric="cosine")
    with pytest.raises(ValueError, match=r"slice\(0, 2, None\) of the committee gives 1 samples"):
        clusterer.fit(X)


def test_labels_without_pairs_to_learn_from():
    """The mediator has to see pairs of one class; if it sees no others, it is not needed."""
    X = np.random.default_rng(0).normal(size=(60, 4))
    clusterer = ConsensusPropagation(committee=["passthrough", slice(0, 2)])
    with pytest.raises(ValueError, match="of these 0 have one class and [1-9].* have two. Give more labels"):
        clusterer.fit(X, np.arange(60))
    far = np.where(np.isin(np.arange(60), [0, 59]), np.arange(60), -1)
    with pytest.raises(ValueError, match="0 have one class and 0 have two"):
        clusterer.fit(np.linspace(1, 9, 60)[:, None] * np.ones(4), far)
    apart = np.repeat([0, 100], 30)[:, None] + X
    assert clusterer.fit(apart, np.repeat([0, 1], 30)).mediator_ is None
    assert clusterer.n_clusters_ == 2


def test_source_of_proposals(unseen):
    """GCNClustering takes it like any clusterer."""
    X, _ = unseen
    sources = ("supervertices", ConsensusPropagation())
    labels = GCNClustering(proposals=sources, random_state=0).fit_predict(X)
    assert labels.shape == (len(X),)
