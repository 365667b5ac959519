"""What users of GCNClustering see."""

import copy
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics.pairwise import cosine_similarity, pairwise_distances
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.neighbors import KNeighborsTransformer, kneighbors_graph
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_gcncluster import GCNClustering, GCNSegmenter
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore


def untrained(estimator, **parameters):
    """An untrained one like it, with other parameters."""
    return clone(estimator).set_params(**parameters)


def changed(estimator, **parameters):
    """The trained estimator with other parameters."""
    return copy.deepcopy(estimator).set_params(**parameters)


def behind(estimator, **parameters):
    """An estimator without training of its own that uses the networks of a trained one."""
    return GCNClustering(
        pretrained=FrozenEstimator(estimator), n_seeds=estimator.n_seeds, random_state=0, **parameters
    )


def assert_same_clusters(labels, others):
    """Same clusters and same noise, whatever the numbers."""
    pairs = np.unique(np.stack([labels, others]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(others))
    np.testing.assert_array_equal(np.asarray(labels) < 0, np.asarray(others) < 0)


# What fit and predict do


def test_fit_predict_with_labels(labelled, quick):
    """fit_predict(X, y) is fit(X, y).labels_."""
    np.testing.assert_array_equal(clone(quick).fit_predict(*labelled), quick.labels_)


def test_without_labels(new, quick):
    """fit(X) clusters X with the networks of another estimator as that predicts; without any, it says so."""
    X, _ = new
    again = behind(quick)
    np.testing.assert_array_equal(again.fit_predict(X), quick.predict(X))
    assert len(again.labels_) == len(again.probabilities_) == len(X)
    assert joblib.hash(again.learned_) == joblib.hash(quick.learned_)
    untrained = GCNClustering(pretrained=None)
    for method in (untrained.fit, untrained.fit_predict):
        with pytest.raises(
            NotFittedError, match=r"it has no networks.*Call fit\(X, y\) with labels, or take"
        ):
            method(X)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        GCNClustering().predict(X)


def test_predict_changes_nothing(new, quick):
    """Neither the estimator nor X nor the outcome of the next call."""
    X, y = new
    before, X_before = joblib.hash(vars(quick)), joblib.hash(X)
    first = quick.predict(X)
    quick.score(X, y)
    assert joblib.hash(vars(quick)) == before
    assert joblib.hash(X) == X_before
    np.testing.assert_array_equal(quick.predict(X), first)


@pytest.mark.parametrize("outliers", ["noise", "singletons"])
def test_attributes(labelled, quick, outliers):
    """Clusters in order of falling size; probabilities and scores of the right shape, and shares."""
    fitted = untrained(quick, outliers=outliers, min_score=0.6).fit(*labelled)
    labels, n_clusters = fitted.labels_, fitted.n_clusters_
    assert labels.dtype == np.int64
    assert np.array_equal(np.unique(labels[labels >= 0]), np.arange(n_clusters))
    sizes = np.bincount(labels[labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    assert (labels.min() == -1) == (outliers == "noise")
    assert (sizes.min() > 1) == (outliers == "noise")
    assert fitted.probabilities_.shape == labels.shape
    assert fitted.cluster_scores_.shape == (n_clusters, 2)
    for shares in (fitted.probabilities_, fitted.cluster_scores_):
        assert shares.dtype == np.float32
        assert ((shares >= 0) & (shares <= 1)).all()
    assert (fitted.probabilities_[labels < 0] == 0).all()
    assert (fitted.probabilities_[labels >= 0] > 0).all()
    assert list(fitted.loss_curve_) == ["GCN-D 0", "GCN-S"]
    for curve in fitted.loss_curve_.values():
        assert curve.shape == (12, 2)
        assert np.isfinite(curve).all()


def test_score_is_bcubed(labelled, quick):
    """The score without a scorer is the BCubed F of predict."""
    X, y = labelled
    assert quick.score(X, y) == pytest.approx(bcubed_fscore(y, quick.predict(X)))


def test_unlabelled_samples(labelled, quick):
    """Samples with -1 are clustered too, and teach nothing: their true class makes no difference."""
    X, y = labelled
    hidden = np.isin(y, np.unique(y)[:3])
    partly = untrained(quick).fit(X, np.where(hidden, -1, y))
    assert partly.labels_.shape == y.shape
    assert (partly.labels_[hidden] >= 0).any()


def test_names_of_classes(labelled, quick):
    """Strings are as good as numbers."""
    X, y = labelled
    names = np.array([f"class {label:04d}" for label in y])
    np.testing.assert_array_equal(untrained(quick).fit(X, names).labels_, quick.labels_)


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
def test_classes_of_one_sample(labelled, quick):
    """Labels by the hundred for few samples are classes all the same: no warning of a regression."""
    X, y = labelled
    one_each = np.where(y < 8, y, 100 + np.arange(len(y)))
    assert len(np.unique(one_each)) > len(y) / 2
    assert untrained(quick).fit(X, one_each).labels_.shape == y.shape


def test_finds_unseen_classes(identities, trained):
    """Better than average linkage with the threshold that is best for the training half."""
    X_train, y_train, X, y = identities

    def mean_score(labels, y):
        return (pairwise_fscore(y, labels) + bcubed_fscore(y, labels)) / 2

    def average_link(X, threshold):
        return AgglomerativeClustering(
            None, distance_threshold=threshold, linkage="average", metric="cosine"
        ).fit_predict(X)

    thresholds = np.linspace(0.1, 0.9, 17)
    best = max(thresholds, key=lambda threshold: mean_score(average_link(X_train, threshold), y_train))
    assert mean_score(trained.predict(X), y) > mean_score(average_link(X, best), y) + 0.1


def test_faces():
    """Real faces, some of those that the accuracy of the package is measured on."""
    folder = os.environ.get("SKLEARN_GCNCLUSTER_DATA")
    if folder is None:
        pytest.skip("SKLEARN_GCNCLUSTER_DATA names no folder with lfw.npz")
    with np.load(Path(folder) / "lfw.npz") as file:
        X, y, train = file["X"].astype(np.float32), file["y"], file["train"].astype(bool)
    some = y % 4 == 0
    train, test = some & train, some & ~train
    estimator = GCNClustering(n_networks=1, random_state=0)
    labels = estimator.fit(X[train], y[train]).predict(X[test])
    assert (pairwise_fscore(y[test], labels) + bcubed_fscore(y[test], labels)) / 2 > 0.94


def test_segmentation_mends_impure_clusters(labelled, quick, new):
    """Clusters of two classes each come apart: a gain on proposals that were made impure on purpose."""
    X, y = new
    small = {"hidden_channels": (16, 8), "n_networks": 1, "n_training_seeds": 1}
    segmenter = GCNSegmenter(affinity="neighborhood", **small, random_state=0).fit(*labelled)
    assert bcubed_fscore(y, segmenter.refine(X, y // 2)) > bcubed_fscore(y, y // 2) + 0.05


# The same result, whatever the circumstances


def test_same_seed_same_labels(new, labelled, quick):
    """With any number of jobs."""
    X, _ = new
    again = untrained(quick, n_jobs=2).fit(*labelled)
    np.testing.assert_array_equal(again.labels_, quick.labels_)
    np.testing.assert_array_equal(again.probabilities_, quick.probabilities_)
    np.testing.assert_array_equal(again.predict(X), quick.predict(X))
    assert joblib.hash(again.learned_) == joblib.hash(quick.learned_)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_row_order(labelled, quick, metric):
    """Shuffled samples, at fit and at predict: the same clusters."""
    X, y = labelled
    order = np.random.default_rng(0).permutation(len(X))
    straight = untrained(quick, metric=metric).fit(X, y)
    shuffled = untrained(quick, metric=metric).fit(X[order], y[order])
    assert_same_clusters(straight.labels_[order], shuffled.labels_)
    assert_same_clusters(straight.predict(X)[order], shuffled.predict(X[order]))
    np.testing.assert_allclose(straight.probabilities_[order], shuffled.probabilities_, rtol=1e-5)


def test_precision_and_layout(labelled, quick, tmp_path):
    """Half, single and double precision, rows or columns first, read-only files, data frames, lists."""
    X, y = labelled
    half = X.astype(np.float16)
    np.save(tmp_path / "X.npy", half.astype(np.float32))
    variants = {
        "single": half.astype(np.float32),
        "double": half.astype(np.float64),
        "columns first": np.asfortranarray(half, dtype=np.float32),
        "strided": np.repeat(half, 2, axis=1)[:, ::2],
        "file": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "frame": pd.DataFrame(half.astype(np.float32)),
        "list": half.astype(float).tolist(),
    }
    reference = untrained(quick).fit(half, y)
    for name, X in variants.items():
        np.testing.assert_array_equal(reference.predict(X), reference.labels_, err_msg=name)
    for name in ("double", "columns first", "file"):
        fitted = untrained(quick).fit(variants[name], y)
        np.testing.assert_array_equal(fitted.labels_, reference.labels_, err_msg=name)


# As long as the lists that were learned from


def list_length(estimator, X):
    """Of the graph that the estimator makes of new samples."""
    return estimator._graph_of(estimator._new_samples(X), estimator.learned_).dissimilarities.shape[1]


@pytest.mark.parametrize("algorithm", ["brute", "hnsw"])
def test_lists_are_not_longer_than_those_learned_from(labelled, quick, algorithm):
    """However many new samples there are and neighbours are asked for; fewer samples have shorter ones."""
    many = np.random.default_rng(0).normal(size=(700, 32))
    learned = quick.learned_.n_neighbors
    assert learned == len(labelled[0]) // 8 < quick.n_neighbors
    for n_neighbors in (80, 500):
        longest = changed(quick, n_neighbors=n_neighbors, algorithm=algorithm)
        assert list_length(longest, many) == learned
        assert list_length(longest, many[:120]) == 15
    shorter = changed(quick, n_neighbors=10, algorithm=algorithm)
    assert list_length(shorter, many) == 10
    elsewhere = behind(quick, n_neighbors=300, algorithm=algorithm).fit(labelled[0])
    assert list_length(elsewhere, many) == learned
    segmenter = GCNSegmenter(pretrained=FrozenEstimator(quick), n_neighbors=300, random_state=0)
    assert list_length(segmenter.fit(many), many) == learned


def test_longer_lists_do_not_matter(labelled, quick, new):
    """With more neighbours than were learned from, clusters are the same."""
    X = np.concatenate([labelled[0], new[0]])
    labels = quick.predict(X)
    np.testing.assert_array_equal(changed(quick, n_neighbors=500).predict(X), labels)
    np.testing.assert_array_equal(changed(quick, n_neighbors=quick.learned_.n_neighbors).predict(X), labels)
    assert (changed(quick, n_neighbors=10).predict(X) != labels).any()


@pytest.mark.parametrize("metric", ["precomputed", "precomputed_affinity"])
def test_given_lists_are_not_longer_than_those_learned_from(labelled, quick, new, metric):
    """A graph of thirty neighbours is cut to the nearest ten if ten were learned from."""

    def links(X, n_neighbors):
        graph = kneighbors_graph(X, n_neighbors, mode="distance")
        if metric == "precomputed_affinity":
            graph.data = 1 / (1 + graph.data)
        return graph

    ten, thirty = (links(new[0], number) for number in (10, 30))
    estimator = untrained(quick, metric=metric).fit(links(labelled[0], 10), labelled[1])
    assert estimator.learned_.n_neighbors == list_length(estimator, thirty) == 10
    np.testing.assert_array_equal(estimator.predict(thirty), estimator.predict(ten))


# Awkward input


@pytest.mark.parametrize("algorithm", ["brute", "hnsw"])
def test_duplicates_by_the_thousand(new, quick, algorithm):
    """Copies have one label, and do not tear apart what is not copied."""
    X, _ = new
    copies = np.concatenate([X, np.repeat(X[:2], [3000, 2000], axis=0)])
    labels = changed(quick, algorithm=algorithm).predict(copies)
    for row, start, stop in ((0, 0, 3000), (1, 3000, 5000)):
        assert (labels[len(X) + start : len(X) + stop] == labels[row]).all()
    assert labels[0] >= 0
    alone, together = quick.predict(X)[2:], labels[2 : len(X)]
    assert bcubed_fscore(alone + 1, together) > 0.6


def test_training_on_duplicates(labelled, quick):
    """Copies among the labelled samples, with contradicting labels too."""
    X, y = labelled
    labels = np.concatenate([y, np.full(500, y[0]), [y[-1]]])
    fitted = untrained(quick).fit(np.concatenate([X, np.repeat(X[:1], 501, axis=0)]), labels)
    assert len(np.unique(fitted.labels_[len(X) :])) == 1


def test_all_equal(quick, labelled):
    """Only copies of one sample: one cluster."""
    X, _ = labelled
    assert quick.predict(np.repeat(X[:1], 50, axis=0)).tolist() == [0] * 50


@pytest.mark.parametrize("algorithm", ["brute", "hnsw"])
def test_fewer_samples_than_neighbors(labelled, quick, algorithm):
    """Neighbour lists are as long as they can be."""
    X, y = labelled
    few = changed(quick, algorithm=algorithm)
    assert few.n_neighbors > 20
    for n_samples in (2, 3, 20):
        assert few.predict(X[:n_samples]).shape == (n_samples,)
    assert untrained(quick, algorithm=algorithm).fit(X[::8], y[::8]).labels_.shape == y[::8].shape


def test_one_row(labelled, quick):
    """An outlier, or a cluster of its own."""
    X, _ = labelled
    assert quick.predict(X[:1]).tolist() == [-1]
    assert changed(quick, outliers="singletons").predict(X[:1]).tolist() == [0]


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "Input X contains NaN"), (np.inf, "Input X contains infinity"), (0, "1 rows of length zero")],
)
def test_impossible_values(labelled, quick, value, message):
    """NaN, infinity, and, where the cosine is asked for, vectors without a direction."""
    X, y = (array.copy() for array in labelled)
    X[3] = value
    cosine = changed(quick, metric="cosine")
    for method, arguments in ((clone(cosine).fit, (X, y)), (cosine.predict, (X,))):
        with pytest.raises(ValueError, match=message):
            method(*arguments)


def test_impossible_input(labelled, quick):
    """Messages that say what is wrong."""
    X, y = labelled
    with pytest.raises(ValueError, match="X has 5 features, but GCNClustering is expecting 32 features"):
        quick.predict(X[:, :5])
    with pytest.raises(ValueError, match="y has one class .*at least 2 classes"):
        clone(quick).fit(X, np.zeros(len(X), int))
    with pytest.raises(ValueError, match=r"y has no labelled sample \(all are -1\)"):
        clone(quick).fit(X, np.full(len(X), -1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(quick).fit(X, y[:-1])
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        quick.predict(X[0])
    with pytest.raises(ValueError, match=r"Found array with 0 sample"):
        quick.predict(X[:0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iop_range": (0.7, 0.3)}, "iop_range must be two shares in ascending order"),
        ({"iop_range": (0.3,)}, "iop_range must be two shares in ascending order"),
        ({"hidden_channels": ()}, "hidden_channels must be one or more positive integers"),
        ({"iop_range": ("low", "high")}, "iop_range must be two shares in ascending order"),
        ({"edge_threshold": [0.2, 2.0]}, "edge_threshold must be 'auto', or one or more numbers below 1"),
        ({"edge_threshold": []}, "edge_threshold must be 'auto', or one or more numbers below 1"),
        ({"edge_threshold": [[0.1, 0.2]]}, "edge_threshold must be 'auto', or one or more numbers below 1"),
        ({"edge_threshold": ["high"]}, "edge_threshold must be 'auto', or one or more numbers below 1"),
        ({"min_proposal_size": 1000}, "No proposal has from 1000 to 219 members.*nothing to learn from"),
        (
            {"min_proposal_size": 5, "max_proposal_size": 4},
            "min_proposal_size=5 is more than max_proposal_size=4",
        ),
        ({"hidden_channels": (True,)}, "hidden_channels must be one or more positive integers"),
        ({"hidden_channels": (8, 0.5)}, "hidden_channels must be one or more positive integers"),
        ({"proposals": ()}, "proposals is empty. Name at least one source: 'supervertices', 'average_link'"),
        ({"proposals": ("supervertices", "kmeans")}, "proposals has 'kmeans'. Name at least one source"),
        ({"proposals": (3,)}, "proposals has 3. Name at least one source"),
        (
            {"proposals": (lambda rows: rows,)},
            "gave labels of shape .* it must give one integer for each row",
        ),
        ({"metric": "precomputed", "node_features": "embedding"}, "asks for embeddings.*X is a graph"),
        ({"metric": "precomputed_affinity", "node_features": "both"}, "asks for embeddings.*X is a graph"),
        ({"metric": "precomputed", "proposals": (KMeans(),)}, "clusters rows.*X is a graph that has none"),
    ],
)
def test_impossible_parameters(labelled, quick, parameters, message):
    """Parameters that a range cannot describe, or that contradict each other."""
    with pytest.raises(ValueError, match=message):
        untrained(quick, **parameters).fit(*labelled)


# Variants


@pytest.mark.parametrize(
    "parameters",
    [
        {"node_features": "embedding", "pooling": "mean", "min_score": 0},
        {"node_features": "both", "pooling": "sum", "max_epochs": 20},
        {"affinity": "cosine", "metric_learning": True},
        {"affinity": "learned", "metric_learning": False, "hidden_channels": [8]},
        {"overlap": "deoverlap", "proposals": ("average_link",)},
        {"overlap": "nms", "max_overlap": 0.2, "proposals": ["supervertices"], "n_levels": 1},
        {"edge_threshold": 0.3, "threshold_step": 0.2, "max_supervertex_size": 30},
        {"edge_threshold": [0.2, 0.5], "min_proposal_size": 2, "max_proposal_size": 50},
        {"segment": False, "min_score": 0.0},
        {"iop_range": (0, 1), "n_networks": 2},
    ],
    ids=str,
)
def test_variants(new, labelled, quick, parameters):
    """Each parameter of the method is taken, in fit and in predict."""
    X, _ = new
    estimator = untrained(quick, **parameters).fit(*labelled)
    assert estimator.predict(X).max() > 1


def halves_of_space(rows):
    """Two clusters and some noise."""
    return np.where(np.abs(rows[:, 0]) < 0.01, -1, rows[:, 0] > 0)


def test_own_sources_of_proposals(new, labelled, quick):
    """A clusterer or a function proposes clusters; the clusterer given is never fitted."""
    X, _ = new
    source, seen = KMeans(8, n_init=1, random_state=0), []

    def halves(rows):
        seen.append(rows)
        return halves_of_space(rows)

    estimator = untrained(quick, proposals=(source, halves), min_score=0, overlap="deoverlap")
    estimator.set_params(segment=False).fit(*labelled)
    assert estimator.predict(X).max() + 1 <= 8 + 2
    assert not hasattr(source, "labels_")
    proposed = estimator.score_proposals(X).membership.toarray()
    assert len(proposed) == len(X) + 8 + 2
    found = {frozenset(np.flatnonzero(row)) for row in proposed}
    unit, rows = X / np.linalg.norm(X, axis=1, keepdims=True), seen[-1]
    place = ((unit[:, None] - rows[None]) ** 2).sum(axis=2).argmin(axis=1)
    for partition in (clone(source).fit(rows).labels_[place], halves_of_space(unit)):
        for number in range(partition.max() + 1):
            assert frozenset(np.flatnonzero(partition == number)) in found


# Graphs as input


def test_distances_in_a_pipeline(labelled, quick):
    """Behind KNeighborsTransformer; new samples need a graph of their own, and the error says so."""
    X, y = labelled
    pipeline = make_pipeline(
        KNeighborsTransformer(mode="distance", n_neighbors=30), untrained(quick, metric="precomputed")
    )
    labels = pipeline.fit_predict(X, y)
    assert bcubed_fscore(y, labels) > bcubed_fscore(y, np.zeros(len(y)))
    graph = KNeighborsTransformer(mode="distance", n_neighbors=30).fit_transform(X[:100])
    assert pipeline[-1].predict(graph).shape == (100,)
    with pytest.raises(ValueError, match=r"square matrix.*KNeighborsTransformer\(\).fit_transform\(X_new\)"):
        pipeline.predict(X[:100])


def test_graph_of_new_samples_in_a_pipeline(labelled, quick, new):
    """A step without memory links new samples to each other: predict and cross-validation work."""
    X, y = labelled
    links = FunctionTransformer(kneighbors_graph, kw_args={"n_neighbors": 30, "mode": "distance"})
    pipeline = make_pipeline(links, untrained(quick, metric="precomputed"))
    grid = {"gcnclustering__min_score": [0.3, 0.5], "functiontransformer__kw_args": [links.kw_args]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(2), error_score="raise").fit(X, y, groups=y)
    np.testing.assert_array_equal(
        search.predict(new[0]),
        search.best_estimator_[-1].predict(kneighbors_graph(new[0], 30, mode="distance")),
    )
    graph = kneighbors_graph(X, 30, mode="distance")
    with pytest.raises(ValueError, match=r"cross-validation.*FunctionTransformer\(kneighbors_graph\)"):
        cross_val_score(pipeline[-1], graph, y, groups=y, cv=GroupKFold(2), error_score="raise")
    train, test = next(GroupKFold(2).split(y, groups=y))
    assert clone(pipeline[-1]).fit(graph[train][:, train], y[train]).score(graph[test][:, test], y[test]) > 0


@pytest.mark.parametrize("with_labels", [False, True])
def test_dense_graph_is_the_sparse_one_of_its_nearest(labelled, quick, with_labels):
    """A full matrix of distances, of whole numbers too, is clustered as the graph of the nearest is."""
    X, y = labelled
    distances = np.round(1000 * pairwise_distances(X)).astype(np.int64)
    np.fill_diagonal(distances, 0)
    dense = untrained(quick) if with_labels else GCNClustering(random_state=0)
    dense.set_params(metric="precomputed", n_neighbors=15)
    sparse, y = clone(dense), y if with_labels else None
    farness = distances + np.diag(np.full(len(X), distances.max() + 1))
    nearest = np.argsort(farness, axis=1, kind="stable")[:, :15]
    values = np.take_along_axis(distances, nearest, axis=1).ravel()
    graph = csr_array((values, nearest.ravel(), np.arange(0, len(values) + 1, 15)), shape=distances.shape)
    np.testing.assert_array_equal(sparse.fit(graph, y).labels_, dense.fit(distances, y).labels_)
    np.testing.assert_array_equal(sparse.predict(distances.astype(float)), dense.predict(graph))
    assert bcubed_fscore(labelled[1], dense.labels_) > 0.9


def test_affinities(labelled, quick):
    """A dense or a sparse matrix of affinities; distances that are none are an error."""
    X, y = labelled
    affinity = np.clip(cosine_similarity(X), 0, 1)
    estimator = untrained(quick, metric="precomputed_affinity").fit(affinity, y)
    assert estimator.__sklearn_tags__().input_tags.pairwise
    np.testing.assert_array_equal(estimator.predict(csr_array(affinity)), estimator.predict(affinity))
    with pytest.raises(ValueError, match="affinity above 1"):
        clone(estimator).fit(3 * affinity, y)
    with pytest.raises(ValueError, match="Negative values in data"):
        untrained(quick, metric="precomputed").fit(-affinity, y)


# Search


def test_recall_of_the_search(labelled, quick):
    """It is 1 where all search is exact, and otherwise the share that was found."""
    X, y = labelled
    assert quick.recall_ == 1
    found = changed(quick, algorithm="cells").fit(X, y).recall_
    assert 0.9 < found <= 1
    assert GCNClustering(random_state=0, algorithm="cells").fit(X).recall_ > 0.9


@pytest.mark.parametrize("learn", [True, False])
def test_little_recall_is_warned_of(labelled, quick, monkeypatch, learn):
    """The warning tells the recall and what to do."""
    monkeypatch.setattr("sklearn_gcncluster._graph._affinity.search_recall", lambda *args, **how: 0.42)
    X, y = labelled
    estimator = changed(quick, algorithm="hnsw")
    with pytest.warns(UserWarning, match='algorithm="hnsw" found 42%.*algorithm="brute"'):
        estimator.fit(X, y) if learn else estimator.predict(X)
    assert estimator.recall_ == (0.42 if learn else 1)


def test_device_that_is_not_there():
    """A device is asked for before the work that needs it."""
    X, y = make_blobs(60, random_state=0)
    with pytest.raises(ValueError, match='device="abacus" cannot be used here: .*Use "auto", "cpu"'):
        GCNClustering(device="abacus").fit(X, y)
