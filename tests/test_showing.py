"""What clusters show is what references in the tests make of the same graph."""

from copy import deepcopy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sklearn_gcncluster import GCNClustering, load


@pytest.fixture(scope="module")
def rows(unseen):
    """Samples with equal rows, a row of length zero, and strangers."""
    random = np.random.default_rng(0)
    X = np.concatenate([unseen[0], unseen[0][:9], random.normal(size=(20, unseen[0].shape[1]))])
    X[5] = 0
    return X


@pytest.fixture(scope="module")
def fitted(trained, rows):
    """Without labels, by the networks of `trained`. Tests do not change it."""
    with pytest.warns(UserWarning, match="rows of length zero"):
        return GCNClustering(pretrained=FrozenEstimator(trained), random_state=0).fit(rows)


def test_exemplars(fitted):
    """One member of each cluster, with the highest membership of all members."""
    labels, ties = fitted.labels_, fitted.memberships(top=1000).toarray()
    assert labels[fitted.exemplars_].tolist() == list(range(fitted.n_clusters_))
    for cluster, row in enumerate(fitted.exemplars_):
        members = np.flatnonzero(labels == cluster)
        assert row == members[ties[members, cluster].argmax()]


def test_memberships(fitted, rows):
    """In [0, 1]; equal rows have the same; own clusters are tied most; `top` keeps the highest."""
    ties = fitted.memberships(top=1000)
    assert ties.shape == (len(rows), fitted.n_clusters_)
    assert ties.data.min() > 0
    assert ties.data.max() <= 1
    dense = ties.toarray()
    np.testing.assert_array_equal(dense, dense[fitted.duplicates_])
    assert not dense[5].any()  # a row of length zero
    inside = fitted.labels_ >= 0
    assert (dense.argmax(axis=1) == fitted.labels_)[inside].mean() > 0.9
    few = fitted.memberships(top=2)
    assert np.diff(few.indptr).max() == 2
    for row in range(0, len(rows), 7):
        np.testing.assert_array_equal(
            np.sort(few[[row]].data)[::-1], np.sort(dense[row])[::-1][: few[[row]].nnz]
        )
    with pytest.raises(ValueError, match=r"'top' parameter of GCNClustering\.memberships"):
        fitted.memberships(top=0)
    with pytest.raises(ValueError, match=r"'min_probability' parameter of GCNClustering\.assign_outliers"):
        fitted.assign_outliers(min_probability=2)
    with pytest.raises(NotFittedError):
        GCNClustering().memberships()


def test_duplicates(fitted, rows):
    """The first row that is equal."""
    for row, first in enumerate(fitted.duplicates_):
        same = np.flatnonzero((rows == rows[row]).all(axis=1))
        assert first == same[0]


def test_assign_outliers(fitted, rows):
    """Outliers with a cluster go to the closest; with constraints, not to where they must not be."""
    labels = fitted.labels_
    ties = fitted.memberships(top=1000).toarray()
    for least in (0.0, 0.1, 1.0):
        assigned = fitted.assign_outliers(least)
        moved = np.flatnonzero(assigned != labels)
        asked = np.flatnonzero((labels < 0) & (ties.max(axis=1) >= least) & ties.any(axis=1))
        np.testing.assert_array_equal(moved, asked)
        np.testing.assert_array_equal(assigned[moved], ties[moved].argmax(axis=1))
    np.testing.assert_array_equal(fitted.labels_, labels)
    moved = np.flatnonzero(fitted.assign_outliers(0) != labels)
    target = fitted.assign_outliers(0)[moved]
    assert len(moved) > 2
    groups = np.full(len(rows), -1)
    groups[moved] = 3
    cannot = [[moved[0], np.flatnonzero(labels == target[0])[0]]]
    with pytest.warns(UserWarning, match="rows of length zero"):
        bound = deepcopy(fitted).fit(rows, cannot_link=cannot, cannot_link_groups=groups)
    np.testing.assert_array_equal(bound.labels_, labels)  # they hold already
    assigned = bound.assign_outliers(0)
    assert assigned[cannot[0][0]] < 0
    placed = assigned[moved][assigned[moved] >= 0]
    assert len(set(placed)) == len(placed) == len(set(target[1:]))


@pytest.mark.parametrize("outliers", ["noise", "singletons"])
def test_layers(trained, unseen, outliers):
    """Finer answers have more clusters, coarser ones fewer; constraints hold in all; the tree tells it."""
    X, _ = unseen
    apart = {"cannot_link": [[0, row] for row in range(1, 40)], "must_link": [[50, 60]]}
    networks = FrozenEstimator(trained)
    clusterer = GCNClustering(pretrained=networks, random_state=0, outliers=outliers).fit(X, **apart)
    layers, tree = clusterer.cluster_layers_, clusterer.cluster_tree_
    np.testing.assert_array_equal(layers[2], clusterer.labels_)
    n_clusters = [np.count_nonzero(np.bincount(layer[layer >= 0]) > 1) for layer in layers]
    assert n_clusters[0] >= n_clusters[2] >= n_clusters[-1]
    assert n_clusters[0] > n_clusters[-1]
    for layer in layers:
        assert layer[50] == layer[60] >= 0
        assert layer[0] < 0 or (layer[1:40] != layer[0]).all()
    assert len(clusterer.cluster_layer_scores_) == len(tree.size) == sum(layer.max() + 1 for layer in layers)
    table = tree.to_pandas()
    for _, node in table.iterrows():
        members = layers[int(node.layer)] == node.cluster
        assert members.sum() == node["size"]
        if node.layer == len(layers) - 1 or not (layers[int(node.layer) + 1][members] >= 0).any():
            assert (node.parent, node.share) == (-1, 0)
            continue
        counts = np.bincount(layers[int(node.layer) + 1][members & (layers[int(node.layer) + 1] >= 0)])
        assert counts[int(node.parent)] == counts.max()
        assert node.share == counts.max() / node["size"]
    own = table[table.layer == 2]
    np.testing.assert_array_equal(own.predicted_iou, clusterer.cluster_scores_[:, 0])


def test_saved(fitted, tmp_path, rows):
    """All of it is in the file, constraints too."""
    with pytest.warns(UserWarning, match="rows of length zero"):
        bound = deepcopy(fitted).fit(rows, must_link=[[0, 1]], cannot_link_groups=np.arange(len(rows)) % 50)
    for estimator in (fitted, bound):
        estimator.set_params(pretrained="universal").save(tmp_path / "file")
        loaded = load(tmp_path / "file")
        for name in ("exemplars_", "duplicates_", "cluster_layers_", "cluster_layer_scores_"):
            np.testing.assert_array_equal(getattr(loaded, name), getattr(estimator, name))
        assert (loaded.memberships() != estimator.memberships()).nnz == 0
        np.testing.assert_array_equal(loaded.assign_outliers(0), estimator.assign_outliers(0))
        np.testing.assert_array_equal(loaded.cluster_tree_.parent, estimator.cluster_tree_.parent)


def test_one_sample_many_times(trained):
    """Where no two samples differ there is one cluster, and nothing finer or coarser."""
    clusterer = GCNClustering(pretrained=FrozenEstimator(trained), random_state=0).fit(np.ones((5, 32)))
    assert clusterer.exemplars_.tolist() == [0]
    assert clusterer.duplicates_.tolist() == [0] * 5
    assert clusterer.cluster_layers_.tolist() == [[0] * 5]
    assert clusterer.memberships().toarray().tolist() == [[1]] * 5
