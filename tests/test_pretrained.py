"""Tests of networks that were trained before: those of the package, of a file, of another estimator."""

import copy

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score

from sklearn_gcncluster import GCNClustering, GCNSegmenter, load
from sklearn_gcncluster._proposals._extent import N_WITH_EXTENT
from sklearn_gcncluster._proposals._features import N_STRUCTURE
from sklearn_gcncluster.datasets import load_glyphs, make_identities
from sklearn_gcncluster.metrics import bcubed_fscore

QUICK = {"hidden_channels": (16, 8), "n_networks": 1, "max_epochs": 3, "n_training_seeds": 1, "n_seeds": 2}


def spread_blobs(n_classes, n_samples, n_features, seed=0):
    """Blobs so far apart that anyone would tell them: on a grid or, in many dimensions, anywhere."""
    random = np.random.default_rng(seed)
    centres = 10 * random.normal(size=(n_classes, n_features))
    if n_features < 32:
        side = int(np.ceil(n_classes ** (1 / n_features)))
        cells = random.permutation(side**n_features)[:n_classes]
        centres = 20.0 * np.stack(np.unravel_index(cells, (side,) * n_features), axis=1)
    y = np.concatenate([np.arange(n_classes), random.integers(0, n_classes, n_samples - n_classes)])
    return centres[y] + random.normal(size=(n_samples, n_features)), y


@pytest.fixture(scope="module")
def identities():
    """Labelled samples, and others of other classes: X, y, X, y."""
    X, y = make_identities(800, n_features=32, random_state=3)
    return X[y % 2 == 0], y[y % 2 == 0], X[y % 2 == 1], y[y % 2 == 1]


@pytest.fixture(scope="module")
def trained(identities):
    """A clusterer with networks of its own."""
    X, y, *_ = identities
    return GCNClustering(**QUICK, metric_learning=True, pretrained=None, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    ("n_classes", "n_samples", "n_features"),
    [
        *[(20, 400, 2), (20, 2000, 3), (200, 4000, 8), (100, 2000, 64), (20, 1000, 512), (2, 30, 2)],
        *[(3, 60, 3), (3, 300, 2), (20, 2000, 8), (5, 60, 16), (2, 45, 5)],
    ],
)
def test_easy_blobs_without_labels(n_classes, n_samples, n_features):
    """Well separated blobs are found with defaults and no labels."""
    X, y = spread_blobs(n_classes, n_samples, n_features)
    labels = GCNClustering(random_state=0).fit_predict(X)
    assert adjusted_rand_score(y, labels) > 0.95


@pytest.mark.parametrize(
    ("n_classes", "n_samples", "n_features", "width"), [(3, 200, 4, 1), (5, 500, 2, 0.5), (4, 1000, 5, 1)]
)
def test_blobs_side_by_side_stay_two(n_classes, n_samples, n_features, width):
    """Blobs wherever chance puts them, larger than the neighbour lists, some of which touch."""
    scores = []
    for seed in range(3):
        X, y = make_blobs(n_samples, n_features, centers=n_classes, cluster_std=width, random_state=seed)
        scores.append(adjusted_rand_score(y, GCNClustering(random_state=0).fit_predict(X)))
    assert min(scores) > 0.9


@pytest.mark.filterwarnings("ignore:Only .* of the links between neighbours look likely")
@pytest.mark.parametrize(("n_samples", "n_features"), [(1000, 16), (3000, 128)])
def test_noise_is_left_alone(n_samples, n_features):
    """Where there are no clusters, most samples are outliers."""
    X = np.random.default_rng(0).normal(size=(n_samples, n_features))
    with pytest.warns(UserWarning, match="of the samples are outliers.*If you expect clusters, try"):
        labels = GCNClustering(random_state=0).fit_predict(X)
    assert (labels == -1).mean() > 0.8


def test_many_outliers_are_told():
    """Networks that saw no labels of such data warn where most samples are outliers, not where some are."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(5), 20)
    X = np.concatenate(
        [
            8 * random.normal(size=(5, 16))[y] + random.normal(size=(100, 16)),
            8 * random.normal(size=(250, 16)),
        ]
    )
    with pytest.warns(UserWarning, match="of the samples are outliers, more than 60%"):
        labels = GCNClustering(random_state=0).fit_predict(X)
    assert adjusted_rand_score(y, labels[:100]) > 0.9
    GCNClustering(random_state=0).fit(X[:130])  # a warning would be an error


def test_without_labels_on_glyphs():
    """Real clusters are found with no labels and no parameters, better than by k-means with their number."""
    X, y = load_glyphs(return_X_y=True)
    X, y = X[y % 4 == 0], y[y % 4 == 0]
    found = GCNClustering(random_state=0).fit(X)
    given = KMeans(100, n_init=1, random_state=0).fit_predict(X)
    assert bcubed_fscore(y, found.labels_) > bcubed_fscore(y, given)
    np.testing.assert_array_equal(found.predict(X), found.labels_)
    assert not hasattr(found, "loss_curve_")


def test_other_widths_after_each_other():
    """Networks that look at structure know any embedding, also one after the other."""
    clusterer = GCNClustering(random_state=0)
    for n_features in (3, 40):
        X, y = spread_blobs(10, 300, n_features)
        assert adjusted_rand_score(y, clusterer.fit_predict(X)) > 0.9
        assert clusterer.n_features_in_ == n_features


@pytest.mark.filterwarnings("ignore:.*outside the range they were trained on")
@pytest.mark.parametrize("how", ["frozen", "file"])
def test_networks_of_another_estimator(identities, trained, tmp_path, how):
    """A frozen estimator or its file cluster as the estimator itself does."""
    *_, X, _ = identities
    trained.save(tmp_path / "networks.safetensors")
    source = FrozenEstimator(trained) if how == "frozen" else tmp_path / "networks.safetensors"
    other = clone(GCNClustering(pretrained=source, random_state=0)).fit(X)
    other._seed = trained._seed
    np.testing.assert_array_equal(other.predict(X), trained.predict(X))
    with pytest.raises(ValueError, match="has 5 features, but the networks of pretrained expect 32"):
        other.fit(X[:, :5])


def test_networks_without_labels_are_saved(tmp_path):
    """An estimator that took its networks from elsewhere is saved with them."""
    X, _ = spread_blobs(10, 300, 40)
    clusterer = GCNClustering(random_state=0).fit(X)
    clusterer.save(tmp_path / "all.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "all.safetensors").predict(X), clusterer.labels_)


def test_pretrained_networks_of_another_build_play_no_part(identities, trained):
    """Networks that are built otherwise than those that are learned do not judge beside them."""
    X, y, *_ = identities
    few = np.isin(y, np.unique(y)[:8])
    one = {**QUICK, "max_epochs": 1, "metric_learning": True, "random_state": 0, "pooling": "mean"}
    alone, *others = (
        GCNClustering(**one, pretrained=source).fit(X[few], y[few])
        for source in (None, "universal", FrozenEstimator(trained))
    )
    for other in others:
        assert joblib.hash(other.learned_) == joblib.hash(alone.learned_)
        np.testing.assert_array_equal(other.labels_, alone.labels_)


def test_scores_are_means_over_learned_and_pretrained_networks():
    """Networks of one build judge side by side: the mean of their scores, each network counted once."""
    X, y = make_identities(400, 40, 32, class_spread=0.4, random_state=0)
    settings = {"n_networks": 2, "max_epochs": 1, "segment": False, "random_state": 0}
    both = GCNClustering(**settings).fit(X, y)
    alone = GCNClustering(**settings, pretrained=None).fit(X, y)
    universal = GCNClustering(segment=False, random_state=0).fit(X)
    learned, n_universal = both.learned_, len(universal.learned_.detection)
    assert len(learned.detection) == 2 + n_universal
    assert [len(one.mean) for one in learned.detection] == [N_STRUCTURE] * 2 + [N_WITH_EXTENT] * n_universal
    found = []
    for networks in (learned.detection, alone.learned_.detection, universal.learned_.detection):
        both.learned_ = learned._replace(detection=networks)
        found.append(both.score_proposals(X).scores)
    expected = (2 * found[1] + n_universal * found[2]) / (2 + n_universal)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.05


def test_networks_that_learned_from_many_samples_judge_alone():
    """From more than 500 samples in classes of several, those of the package bring nothing."""
    X, y = make_identities(540, 90, 32, size_exponent=0, class_spread=0.4, random_state=0)
    sizes = np.bincount(y)
    few = np.where(np.cumsum(sizes)[y] <= 500, y, -1)
    more = np.where(few < 0, y.max() + 1 + np.arange(len(y)), few)  # each of the others a class of its own
    settings = {"n_networks": 1, "max_epochs": 1, "segment": False, "random_state": 0}
    of_many, of_few, of_more = (GCNClustering(**settings).fit(X, labels) for labels in (y, few, more))
    assert len(of_many.learned_.detection) == 1
    assert len(of_few.learned_.detection) == len(of_more.learned_.detection) > 1


@pytest.mark.parametrize(("near", "apart", "n_bursts", "length"), [(0.05, 0.7, 10, 10), (0.1, 0.5, 6, 20)])
def test_bursts_of_near_copies_are_parts_of_classes(near, apart, n_bursts, length):
    """Pictures in a row hardly differ; two rows of one class do, and differ much more from other classes."""
    random = np.random.default_rng(0)
    classes = random.normal(size=(20, 1, 1, 64))
    bursts = classes + apart * random.normal(size=(20, n_bursts, 1, 64))
    X = bursts + near * random.normal(size=(20, n_bursts, length, 64))
    labels = GCNClustering(random_state=0).fit_predict(X.reshape(-1, 64))
    assert adjusted_rand_score(np.repeat(np.arange(20), n_bursts * length), labels) > 0.95


def test_small_labelled_classes_do_not_break_up_large_ones():
    """Classes of three samples tell nothing of classes of a hundred; pretrained networks know those."""
    small, y_small = make_identities(300, 100, 64, size_exponent=0, class_spread=0.5, random_state=0)
    large, y_large = make_identities(1_000, 10, 64, size_exponent=0, class_spread=0.5, random_state=1)
    clusterer = GCNClustering(random_state=0).fit(small, y_small)
    with pytest.warns(UserWarning, match="outside the range that the labels showed.*judge alone"):
        labels = clusterer.predict(large)
    np.testing.assert_array_equal(labels, GCNClustering(random_state=0).fit_predict(large))
    alone = GCNClustering(random_state=0, pretrained=None).fit(small, y_small).predict(large)
    assert bcubed_fscore(y_large, labels) > bcubed_fscore(y_large, alone) + 0.3


@pytest.mark.parametrize(("n_neighbors", "alone"), [(80, True), (25, False)])
def test_a_handful_of_labels_is_not_learned_from(n_neighbors, alone):
    """Lists of ten neighbours say nothing of lists of eighty, but of lists of 25."""
    X, y = make_identities(1_000, 50, 32, size_exponent=0, class_spread=0.4, random_state=0)
    handful = np.isin(np.arange(len(y)), [np.flatnonzero(y == label)[:12] for label in range(6)])
    settings = {"n_neighbors": n_neighbors, "max_epochs": 1, "random_state": 0}
    clusterer = GCNClustering(**settings).fit(X[handful], y[handful])
    assert clusterer.learned_.n_neighbors == 10
    if alone:
        with pytest.warns(
            UserWarning, match="Lists of 10 neighbours were all that .* tells little of lists of 80"
        ):
            labels = clusterer.predict(X[~handful])
        expected = GCNClustering(n_neighbors=n_neighbors, random_state=0).fit_predict(X[~handful])
        np.testing.assert_array_equal(labels, expected)
    else:
        assert clusterer._known_graph_of(clusterer._new_samples(X[~handful]))[1] is clusterer.learned_


@pytest.mark.parametrize(("n_classes", "judges"), [(5, "package"), (6, "both"), (19, "both"), (20, "labels")])
def test_few_classes_tell_little(n_classes, judges):
    """However many samples they have, few classes do not tell what classes are like."""
    X, y = make_identities(2_200, 22, 32, size_exponent=0, class_spread=0.4, random_state=0)
    settings = {"n_neighbors": 20, "n_networks": 1, "max_epochs": 1, "random_state": 0}
    learner = GCNClustering(**settings)
    if judges == "package":
        told = f"Only {n_classes} classes of several samples were labelled, fewer than 6.*judge alone"
        with pytest.warns(UserWarning, match=told):
            learner.fit(X[y < n_classes], y[y < n_classes])
        with pytest.warns(UserWarning, match=told):
            labels = learner.predict(X[y >= n_classes])
        expected = GCNClustering(n_neighbors=20, random_state=0).fit_predict(X[y >= n_classes])
        np.testing.assert_array_equal(labels, expected)
        alone = GCNClustering(**settings, pretrained=None).fit(X[y < n_classes], y[y < n_classes])
        assert len(alone.learned_.detection) == 1
        with pytest.warns(UserWarning, match=f"Only {n_classes} classes.*tell little of other classes"):
            GCNClustering(pretrained=FrozenEstimator(alone), random_state=0).fit(X[y >= n_classes])
    else:
        assert (y < n_classes).sum() > 500
        learner.fit(X[y < n_classes], y[y < n_classes])
        n_others = len(GCNClustering().fit(X[:300]).learned_.detection)
        assert len(learner.learned_.detection) == 1 + n_others * (judges == "both")
    assert learner.learned_.n_classes == n_classes


def test_other_networks_are_opened_before_anything_is_learned(identities, monkeypatch):
    """A wrong path is told at once, and not after the training."""
    X, y, *_ = identities
    monkeypatch.setattr("sklearn_gcncluster._gcn.learn_affinity", lambda *_: pytest.fail("learned first"))
    clusterer = GCNClustering(pretrained="nowhere.safetensors")
    with pytest.raises(ValueError, match="pretrained='nowhere.safetensors' is no file"):
        clusterer.fit(X, y)


def test_what_was_learned_clusters_without_the_file_of_pretrained(tmp_path):
    """Networks from elsewhere are part of what is saved, also for samples unlike those learned from."""
    small, y_small = make_identities(240, 80, 64, size_exponent=0, class_spread=0.5, random_state=0)
    large, _ = make_identities(500, 5, 64, size_exponent=0, class_spread=0.5, random_state=1)
    GCNClustering(random_state=0).fit(large).save(tmp_path / "other.safetensors")
    clusterer = GCNClustering(pretrained=tmp_path / "other.safetensors", max_epochs=1, random_state=0)
    labels = clusterer.fit(small, y_small).predict(large)
    clusterer.save(tmp_path / "learned.safetensors")
    (tmp_path / "other.safetensors").unlink()
    np.testing.assert_array_equal(load(tmp_path / "learned.safetensors").predict(large), labels)


def test_segmenter_without_labels():
    """Clusters of another clusterer are refined with the networks of the package."""
    X, y = spread_blobs(30, 900, 40)
    given = y // 2
    segmenter = GCNSegmenter(random_state=0).fit(X)
    refined = segmenter.refine(X, given)
    assert bcubed_fscore(y, refined) > bcubed_fscore(y, given) + 0.1
    behind = GCNSegmenter(KMeans(15, n_init=1, random_state=0), random_state=0).fit(X)
    assert bcubed_fscore(y, behind.labels_) > bcubed_fscore(y, behind.initial_labels_) + 0.1


def test_data_unlike_any_seen_warns(identities, trained):
    """The share of inputs outside the range of training is told, if it is large."""
    *_, X, _ = identities
    links = trained.learned_.links
    unknown = {"low": links.high, "high": links.low}
    everything = {"low": np.full_like(links.low, -np.inf), "high": np.full_like(links.high, np.inf)}
    narrow, wide = copy.deepcopy(trained), copy.deepcopy(trained)
    narrow.learned_ = trained.learned_._replace(links=links._replace(**unknown))
    wide.learned_ = trained.learned_._replace(links=links._replace(**everything))
    with pytest.warns(UserWarning, match="[0-9]+% of what .* lies outside the range they were trained on"):
        GCNClustering(pretrained=FrozenEstimator(narrow), random_state=0).fit(X)
    GCNClustering(pretrained=FrozenEstimator(wide), random_state=0).fit(X)  # warnings are errors here


def test_wrong_sources(trained, tmp_path):
    """What is no source of networks says what would be one."""
    X, _ = spread_blobs(5, 60, 8)
    with pytest.raises(ValueError, match='is no file. Give "universal", the path of a file'):
        GCNClustering(pretrained=str(tmp_path / "no.safetensors")).fit(X)
    with pytest.raises(ValueError, match="The 'pretrained' parameter"):
        GCNClustering(pretrained=trained).fit(X)
    with pytest.raises(ValueError, match="given as pretrained, has no networks"):
        GCNClustering(pretrained=FrozenEstimator(KMeans())).fit(X)
    with pytest.raises(NotFittedError, match=r'take GCNClustering\(pretrained="universal"\)'):
        GCNClustering(pretrained=None).fit(X)
