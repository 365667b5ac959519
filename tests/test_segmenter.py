"""Tests of refining given clusters."""

import copy

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold

from sklearn_gcncluster import GCNSegmenter
from sklearn_gcncluster._graph._samples import aggregate_labels
from sklearn_gcncluster._proposals._average_link import average_link_layers
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._refinement import best_cut, refine_partition
from sklearn_gcncluster._scoring import Judge, Scored
from sklearn_gcncluster.metrics import pairwise_fscore

SMALL = {
    "n_neighbors": 30,
    "metric": "euclidean",
    "affinity": "neighborhood",
    "metric_learning": False,
    "hidden_channels": (64, 32),
    "n_networks": 1,
    "max_epochs": 12,
    "learning_rate": 5e-3,
    "random_state": 0,
}
CLUSTERER = KMeans(20, n_init=1, random_state=0)


@pytest.fixture(scope="module")
def blobs():
    """Two halves without a common class: X_train, y_train, X_new, y_new."""
    X, y = make_blobs(1200, n_features=16, centers=80, cluster_std=3.0, random_state=0)
    train = y % 2 == 0
    return X[train], y[train], X[~train], y[~train]


@pytest.fixture(scope="module")
def fitted(blobs):
    """Trained behind k-means. Tests do not change it: they use `changed`."""
    X, y, *_ = blobs
    return GCNSegmenter(CLUSTERER, **SMALL).fit(X, y)


@pytest.fixture(scope="module")
def segmenter(blobs):
    """Trained without a clusterer, so for labels that come from anywhere."""
    X, y, *_ = blobs
    return GCNSegmenter(**SMALL).fit(X, y)


def changed(segmenter, **parameters):
    """A trained segmenter with other parameters."""
    return copy.deepcopy(segmenter).set_params(**parameters)


def partition(labels):
    """Labels as a set of clusters, whatever their numbers."""
    return {frozenset(np.flatnonzero(labels == label)) for label in np.unique(labels) if label >= 0}


def coarse(y):
    """Two classes to a cluster, of similar size."""
    _, code, sizes = np.unique(y, return_inverse=True, return_counts=True)
    return np.argsort(np.argsort(-sizes, kind="stable"))[code] // 2


def stray(y):
    """The classes as clusters, but every seventh sample is in the next class."""
    _, code = np.unique(y, return_inverse=True)
    moved = np.arange(len(y)) % 7 == 0
    return np.where(moved, (code + 1) % (code.max() + 1), code)


def graph_and_judge(segmenter, X):
    """What refine(X, labels) works with."""
    samples = segmenter._new_samples(X)
    graph = segmenter._graph_of(samples, segmenter.learned_)
    return samples, graph, Judge(graph, segmenter.learned_, "cpu")


def test_gains_behind_kmeans(blobs, fitted):
    """Clusters of new classes are better after than before."""
    *_, X, y = blobs
    before = pairwise_fscore(y, clone(CLUSTERER).fit_predict(X))
    assert pairwise_fscore(y, fitted.predict(X)) > before + 0.05


def test_predict_refines_what_a_fresh_clone_finds(blobs, fitted):
    """predict(X) is refine(X, labels of a clone); the estimator given is never fitted."""
    *_, X, _ = blobs
    labels = clone(CLUSTERER).fit_predict(X)
    np.testing.assert_array_equal(fitted.predict(X), fitted.refine(X, labels))
    assert not hasattr(fitted.estimator, "labels_")


def test_fit_keeps_labels_before_and_after(blobs, fitted):
    """labels_ refine initial_labels_ and are those of fit_predict; scores and probabilities fit them."""
    X, y, *_ = blobs
    np.testing.assert_array_equal(fitted.initial_labels_, clone(CLUSTERER).fit_predict(X))
    np.testing.assert_array_equal(clone(fitted).fit_predict(X, y), fitted.labels_)
    assert fitted.cluster_scores_.shape == (fitted.n_clusters_, 2) == (fitted.labels_.max() + 1, 2)
    assert (np.diff(np.bincount(fitted.labels_)) <= 0).all()
    assert ((fitted.probabilities_ >= 0) & (fitted.probabilities_ <= 1)).all()


def test_fit_without_labels(blobs, fitted):
    """fit(X) refines clusters of X with the networks of another segmenter as that predicts."""
    *_, X, _ = blobs
    again = GCNSegmenter(CLUSTERER, pretrained=FrozenEstimator(fitted), metric="euclidean", n_neighbors=30)
    again.set_params(random_state=0).fit(X)
    np.testing.assert_array_equal(again.labels_, fitted.predict(X))
    assert again.learned_ is fitted.learned_
    with pytest.raises(NotFittedError, match=r"Call fit\(X, y\) with labels, or take GCNSegmenter"):
        GCNSegmenter(KMeans(3), pretrained=None).fit(X)


def test_segments_as_the_pipeline_does(blobs, segmenter):
    """One implementation: what leaves a cluster here is what leaves it as a proposal of GCNClustering."""
    *_, X, y = blobs
    samples, graph, judge = graph_and_judge(segmenter, X)
    given = distinct_proposals(aggregate_labels(stray(y), samples)[None]).layers[0]
    settings = segmenter._refinement(graph, segmenter.learned_)._replace(outliers="noise", merge=False)
    segmented, _ = judge.segment(
        judge.score(distinct_proposals(given[None])),
        iop_range=segmenter.iop_range,
        n_seeds=segmenter.n_seeds,
        seed=settings.seed + 1,  # that of the first round
    )
    by_pipeline = set(map(frozenset, np.split(segmented.indices, segmented.indptr[1:-1])))
    groups, _ = refine_partition(graph, given, judge, settings)
    unchanged = partition(given)
    assert partition(groups) <= by_pipeline | unchanged
    assert partition(groups) & (by_pipeline - unchanged)


def test_leaves_clusters_outside_the_range_alone(blobs, segmenter):
    """No cluster is touched whose predicted IoP is outside iop_range, even if it holds two classes."""
    *_, X, y = blobs
    alone = changed(segmenter, iop_range=(0, 0), merge=False)
    assert partition(alone.refine(X, coarse(y))) == partition(coarse(y))


def test_leaves_true_clusters_together(blobs, segmenter):
    """Refining the truth hardly changes it."""
    *_, X, y = blobs
    assert pairwise_fscore(y, segmenter.refine(X, y)) > 0.95


def test_two_classes_in_one_cluster_come_out_as_two(blobs, segmenter):
    """Splitting segments what is left until nothing is; most clusters of two classes come out right."""
    *_, X, y = blobs
    labels = changed(segmenter, merge=False).refine(X, coarse(y))
    assert pairwise_fscore(y, coarse(y)) < 0.7
    assert pairwise_fscore(y, labels) > 0.9
    assert (labels >= 0).all()


def test_without_merging_clusters_are_only_taken_apart(blobs, segmenter):
    """Each refined cluster lies within a given one."""
    *_, X, y = blobs
    given = coarse(y)
    labels = changed(segmenter, merge=False).refine(X, given)
    assert all(len(np.unique(given[labels == label])) == 1 for label in np.unique(labels))


def test_merging_joins_fragments(blobs, segmenter):
    """Halves of classes find each other, and no given cluster is cut that is left whole without merging."""
    *_, X, y = blobs
    halves = 2 * y + np.random.default_rng(0).integers(2, size=len(y))
    assert pairwise_fscore(y, segmenter.refine(X, halves)) > pairwise_fscore(y, halves) + 0.2


def test_outliers_become_noise_or_singletons(blobs, segmenter):
    """Mostly those leave that should, the same in both; they are -1, or have a number each."""
    *_, X, y = blobs
    noise = changed(segmenter, outliers="noise", merge=False).refine(X, stray(y))
    alone = changed(segmenter, outliers="singletons", merge=False).refine(X, stray(y))
    moved = np.arange(len(y)) % 7 == 0
    assert np.mean((noise < 0) == moved) > 0.85
    assert (alone >= 0).all()
    assert partition(noise) <= partition(alone)
    assert (np.bincount(alone)[alone[noise < 0]] == 1).all()


def test_samples_in_the_wrong_cluster_find_their_own(blobs, segmenter):
    """What leaves a cluster is merged into the one where it belongs."""
    *_, X, y = blobs
    for outliers in ("split", "noise", "singletons"):
        labels = changed(segmenter, outliers=outliers).refine(X, stray(y))
        assert pairwise_fscore(y, labels) > pairwise_fscore(y, stray(y)) + 0.05


@pytest.mark.parametrize("outliers", ["split", "noise", "singletons"])
@pytest.mark.parametrize("merge", [False, True])
def test_noise_stays_noise(blobs, segmenter, outliers, merge):
    """Samples given as -1 are in no cluster, and have probability 0."""
    *_, X, y = blobs
    given = coarse(y)
    given[::5] = -1
    refined = changed(segmenter, outliers=outliers, merge=merge)
    labels, probabilities = refined.refine(X, given, return_probabilities=True)
    assert (labels[::5] == -1).all()
    assert (probabilities[labels < 0] == 0).all()
    assert (probabilities[labels >= 0] > 0).all()
    if outliers != "noise":
        assert (np.delete(labels, np.s_[::5]) >= 0).all()


def test_all_noise_and_one_sample(blobs, segmenter):
    """Nothing to refine is no error."""
    *_, X, _ = blobs
    assert (segmenter.refine(X, np.full(len(X), -1)) == -1).all()
    np.testing.assert_array_equal(segmenter.refine(X[:1], [7]), [0])
    np.testing.assert_array_equal(segmenter.refine(X[[0, 0]], [-1, -1]), [-1, -1])
    assert len(segmenter.refine(X[:2], [0, 0])) == 2


def test_names_and_order_of_clusters_do_not_matter(blobs, segmenter):
    """Other names of clusters, strings among them, and another order of samples give the same clusters."""
    *_, X, y = blobs
    given = coarse(y)
    labels = segmenter.refine(X, given)
    np.testing.assert_array_equal(labels, segmenter.refine(X, given.max() - given))
    np.testing.assert_array_equal(labels, segmenter.refine(X, [f"cluster {name}" for name in given]))
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(labels[order], segmenter.refine(X[order], given[order]))


def test_equal_samples_are_one_sample(blobs, segmenter):
    """Copies are in the cluster that most of them were given."""
    *_, X, y = blobs
    given = coarse(y)
    stray = (given + 1) % (given.max() + 1)
    many, labels = np.concatenate([X, X, X]), np.concatenate([given, stray, given])
    refined = segmenter.refine(many, labels)
    np.testing.assert_array_equal(refined.reshape(3, -1), np.tile(refined[: len(X)], (3, 1)))
    untouched = changed(segmenter, iop_range=(0, 0), merge=False).refine(many, labels)
    assert partition(untouched[: len(X)]) == partition(given)


def test_grid_search_over_nested_parameters(blobs):
    """Parameters of the estimator and of the segmenter are searched together, folds split by class."""
    X, y, *_ = blobs
    search = GridSearchCV(
        GCNSegmenter(CLUSTERER, **{**SMALL, "max_epochs": 1}),
        {"estimator__n_clusters": [10, 30]},
        cv=GroupKFold(2),
    ).fit(X, y, groups=y)
    assert search.best_params_["estimator__n_clusters"] in {10, 30}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_noise_of_an_estimator_in_training(blobs):
    """A clusterer that says noise, also in training, and also nothing else."""
    X, y, *_ = blobs
    for estimator in (DBSCAN(eps=9.0, min_samples=3), DBSCAN(eps=1e-6)):
        trained = GCNSegmenter(estimator, **{**SMALL, "max_epochs": 1}).fit(X, y)
        assert (trained.labels_[trained.initial_labels_ < 0] == -1).all()


class _Labels(BaseEstimator):
    """The least that a clusterer can be."""

    def fit(self, X, y=None):
        self.labels_ = np.arange(len(X)) % 7
        return self


class _NoLabels(BaseEstimator):
    def fit(self, X, y=None):
        return self


def test_estimator_with_labels_only(blobs, segmenter):
    """Methods fit and labels_ are enough; neither labels_ nor fit_predict is an error that says so."""
    *_, X, _ = blobs
    labels = changed(segmenter, estimator=_Labels()).predict(X)
    np.testing.assert_array_equal(labels, segmenter.refine(X, np.arange(len(X)) % 7))
    with pytest.raises(TypeError, match=r"estimator \(_NoLabels\(\)\) gives no clusters"):
        changed(segmenter, estimator=_NoLabels()).predict(X)


def test_frozen_estimator_predicts(blobs, segmenter):
    """A clusterer that is fitted already keeps what it learned, and says where samples belong."""
    _, _, X, _ = blobs
    frozen = FrozenEstimator(KMeans(20, n_init=1, random_state=0).fit(X))
    behind = changed(segmenter, estimator=frozen)
    labels = behind.predict(X[:300])
    np.testing.assert_array_equal(labels, segmenter.refine(X[:300], frozen.predict(X[:300])))


def test_errors_name_the_remedy(blobs, segmenter):
    """Wrong input is refused, with what to do instead."""
    *_, X, y = blobs
    with pytest.raises(ValueError, match=r"no estimator .* call refine\(X, labels\)"):
        segmenter.predict(X)
    with pytest.raises(ValueError, match=f"There are 3 labels for {len(X)} samples"):
        segmenter.refine(X, [0, 1, 2])
    with pytest.raises(ValueError, match="labels must be one-dimensional"):
        segmenter.refine(X, np.stack([y, y], axis=1))
    with pytest.raises(NotFittedError, match="with pretrained=None it has no networks"):
        GCNSegmenter(pretrained=None).refine(X, y)
    for ask in (GCNSegmenter().fit_predict, GCNSegmenter().predict, segmenter.fit_predict):
        with pytest.raises(ValueError, match=r"no estimator .* call refine\(X, labels\)"):
            ask(X)
    with pytest.raises(
        ValueError, match="The 'estimator' parameter of GCNSegmenter must be None or an object"
    ):
        GCNSegmenter("kmeans").fit(X, y)
    with pytest.raises(ValueError, match="iop_range"):
        GCNSegmenter(iop_range=(0.7, 0.3)).fit(X, y)


def test_refines_without_fit(blobs):
    """Before fit the networks of `pretrained` are used, and the segmenter stays unfitted."""
    *_, X_new, y_new = blobs
    given = coarse(y_new)
    segmenter = GCNSegmenter(random_state=0)
    refined, probabilities = segmenter.refine(X_new, given, return_probabilities=True)
    assert vars(segmenter).keys() == segmenter.get_params().keys()
    fitted = GCNSegmenter(random_state=0).fit(X_new)
    np.testing.assert_array_equal(refined, fitted.refine(X_new, given))
    np.testing.assert_array_equal(probabilities, fitted.refine(X_new, given, return_probabilities=True)[1])
    np.testing.assert_array_equal(refined, GCNSegmenter(KMeans(5), random_state=0).refine(X_new, given))


class _TableOfScores:
    """Scores each group by a random number that depends on its members only."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, members):
        return np.random.default_rng([self.seed, *sorted(members)]).random()

    def score(self, proposals):
        groups = np.split(proposals.indices, proposals.indptr[1:-1])
        quality = np.array([[self(group.tolist()), 0.5] for group in groups], dtype=np.float32)
        return Scored(proposals, quality, np.repeat(quality[:, 1], proposals.sizes))


@pytest.mark.parametrize("seed", range(20))
def test_best_cut_is_the_best_of_all(seed):
    """The cut has the highest mean score a sample among all cuts of the tree, by recursion."""
    random = np.random.default_rng(seed)
    levels = [random.integers(3, size=40)]
    for _ in range(2):
        levels.append(3 * levels[-1] + random.integers(3, size=40))
    outside = random.random(40) < 0.2
    levels = [np.where(outside, -1, level) for level in levels]
    scores = _TableOfScores(seed)

    def best(members, depth):
        whole = len(members) * scores(members)
        if depth == len(levels) - 1:
            return whole
        below = levels[depth + 1][members]
        return max(
            whole, sum(best(np.array(members)[below == one].tolist(), depth + 1) for one in set(below))
        )

    expected = sum(best(list(members), 0) for members in partition(levels[0]))
    cut = best_cut(levels, scores)
    np.testing.assert_array_equal(cut < 0, outside)
    found = sum(len(members) * scores(members) for members in partition(cut))
    assert found == pytest.approx(expected, rel=1e-5)


def test_average_link_from_a_partition(blobs, segmenter):
    """Layers are ever coarser unions of the groups they start from; -1 takes no part."""
    *_, X, y = blobs
    _, graph, _ = graph_and_judge(segmenter, X)
    thresholds = np.array([0.5, 0.2, 0.05])
    groups = np.arange(len(y)) // 3
    groups[::10] = -1
    previous = groups
    for layer in average_link_layers(graph.affinity, thresholds, "zero", 30, groups):
        np.testing.assert_array_equal(layer < 0, groups < 0)
        assert all(len(np.unique(layer[list(members)])) == 1 for members in partition(previous))
        previous = layer
    assert len(partition(previous)) < len(partition(groups))
    np.testing.assert_array_equal(
        average_link_layers(graph.affinity, thresholds, "ignore", 30, np.arange(len(y))),
        average_link_layers(graph.affinity, thresholds, "ignore", 30),
    )
