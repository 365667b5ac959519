"""fit starts anew and is all or nothing; what it says of parameters and samples that it can not use."""

import copy
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sklearn_gcncluster import GCNClustering, GCNSegmenter
from sklearn_gcncluster._nn import _training

QUICK = {
    "affinity": "neighborhood",
    "hidden_channels": (16, 8),
    "n_networks": 1,
    "max_epochs": 1,
    "n_training_seeds": 1,
    "device": "cpu",  # on which the same comes out again, to the last digit
    "random_state": 0,
}
ESTIMATORS = {
    "clustering": GCNClustering(**QUICK),
    "segmenter": GCNSegmenter(KMeans(6, n_init=1, random_state=0), **QUICK),
}
ignore_unused = pytest.mark.filterwarnings("ignore:.* only matter where y is given")


def blobs(n_features, seed=0, n_classes=12):
    """Ten samples of each class, far from the others: X, y."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), 10)
    return 10 * random.normal(size=(n_classes, n_features))[y] + random.normal(size=(len(y), n_features)), y


@pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS.keys())
def estimator(request):
    """An estimator that trains in no time."""
    return clone(request.param)


# Fit starts anew


@ignore_unused
def test_earlier_fits_leave_no_trace(estimator):
    """After any other fit, fit(X) and fit(X, y) do what they do first; there are no attributes left over."""
    X, y = blobs(4)
    X_wide, y_wide = blobs(40, seed=1)
    frame = pd.DataFrame(X_wide, columns=[f"x{number}" for number in range(40)])
    fits = [(X, y), (X, None), (frame, y_wide), (X_wide, None)]
    first = [joblib.hash(vars(clone(estimator).fit(*one))) for one in fits]
    again = [joblib.hash(vars(estimator.fit(*fits[number]))) for number in (0, 1, 2, 1, 0, 3)]
    assert again == [first[number] for number in (0, 1, 2, 1, 0, 3)]


@ignore_unused
def test_attributes_of_an_earlier_fit_vanish():
    """What a fit does not set is not there after it."""
    X, y = blobs(4)
    segmenter = clone(ESTIMATORS["segmenter"]).fit(pd.DataFrame(X, columns=list("abcd")), y)
    set_by_all = {
        "feature_names_in_",
        "loss_curve_",
        "initial_labels_",
        "labels_",
        "learned_",
        "n_features_in_",
    }
    assert set_by_all <= vars(segmenter).keys()
    assert not {"feature_names_in_", "loss_curve_"} & vars(segmenter.fit(X)).keys()
    assert vars(segmenter.set_params(estimator=None).fit(X)).keys() - segmenter.get_params().keys() == {
        "_seed",
        "learned_",
        "n_features_in_",
    }


@ignore_unused
def test_fit_without_labels_uses_pretrained(estimator):
    """Networks in hand are forgotten by fit(X); those of `pretrained` are used."""
    X, y = blobs(4)
    trained = copy.deepcopy(estimator).fit(X, y)
    own = trained.learned_
    expected = clone(estimator).fit(X)
    assert joblib.hash(trained.fit(X).learned_) == joblib.hash(expected.learned_) != joblib.hash(own)
    trained = clone(estimator).fit(X, y)
    frozen = clone(estimator).set_params(pretrained=FrozenEstimator(copy.deepcopy(trained)))
    np.testing.assert_array_equal(frozen.fit(X).labels_, trained.predict(X))
    assert joblib.hash(frozen.learned_) == joblib.hash(trained.learned_)
    with pytest.raises(NotFittedError, match="with pretrained=None it has no networks"):
        trained.set_params(pretrained=None).fit(X)


# Fit is all or nothing


def interrupt(*args, **kwargs):
    """What Ctrl-C does in the middle of training."""
    raise KeyboardInterrupt


FAULTS = {
    "NaN": (ValueError, lambda one, X, y, patch: one.fit(np.full_like(X, np.nan), y)),
    "NaN, no labels": (ValueError, lambda one, X, y, patch: one.fit(np.full_like(X, np.nan))),
    "other width, one class": (ValueError, lambda one, X, y, patch: one.fit(X[:, :2], np.zeros(len(X)))),
    "labels of others": (ValueError, lambda one, X, y, patch: one.fit(X, y[:-1])),
    "parameters": (ValueError, lambda one, X, y, patch: one.set_params(iop_range=(0.7, 0.3)).fit(X, y)),
    "kind of parameter": (ValueError, lambda one, X, y, patch: one.set_params(n_seeds="many").fit(X, y)),
    "seed": (ValueError, lambda one, X, y, patch: one.set_params(random_state=-1).fit(X, y)),
    "no networks": (NotFittedError, lambda one, X, y, patch: one.set_params(pretrained=None).fit(X)),
    "interrupted GCN-D": (
        KeyboardInterrupt,
        lambda one, X, y, patch: patch("_nn._detection.train_detection") or one.fit(X, y),
    ),
    "interrupted GCN-S": (
        KeyboardInterrupt,
        lambda one, X, y, patch: patch("_nn._segmentation.train_segmentation") or one.fit(X, y),
    ),
    "interrupted clustering": (
        KeyboardInterrupt,
        lambda one, X, y, patch: patch("_scoring.Judge.score") or one.fit(X),
    ),
    "interrupted at the end": (
        KeyboardInterrupt,
        lambda one, X, y, patch: patch("_gcn.BaseGCN._keep") or one.fit(X, y),
    ),
}


@ignore_unused
@pytest.mark.parametrize(("error", "fault"), FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("before", ["nothing", "labels", "no labels"])
def test_failed_fit_changes_nothing(estimator, before, error, fault, monkeypatch):
    """After a fit that fails or is interrupted, the estimator is what it was before."""
    X, y = blobs(4)
    if before != "nothing":
        expected = estimator.fit(X, y if before == "labels" else None).predict(X)
    parameters = estimator.get_params()
    attributes = {name: value for name, value in vars(estimator).items() if name not in parameters}
    state = joblib.hash(attributes)
    with monkeypatch.context() as patches, pytest.raises(error):
        fault(estimator, X, y, lambda name: patches.setattr(f"sklearn_gcncluster.{name}", interrupt))
    left = {name: value for name, value in vars(estimator).items() if name not in parameters}
    assert left.keys() == attributes.keys()
    assert all(left[name] is value for name, value in attributes.items())
    assert joblib.hash(left) == state
    estimator.set_params(**parameters)
    if before == "nothing":
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            estimator.predict(X)
    else:
        np.testing.assert_array_equal(estimator.predict(X), expected)


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
@ignore_unused
@pytest.mark.parametrize(
    "parameters",
    [
        {"metric": "cosine", "node_features": "both"},
        {"metric": "euclidean", "node_features": "both"},
        {"metric": "cosine", "metric_learning": True},
        {"metric": "euclidean", "metric_learning": True},
    ],
    ids=str,
)
def test_rejected_width(tmp_path, parameters):
    """What was learned of embeddings refuses others, and the estimator stays as it was."""
    X, y = blobs(40)
    known = GCNClustering(**QUICK, **parameters).fit(X, y)
    known.save(tmp_path / "known.safetensors")
    for source in (FrozenEstimator(known), str(tmp_path / "known.safetensors")):
        other = GCNClustering(pretrained=source, metric=parameters["metric"], random_state=0).fit(X)
        before = joblib.hash(vars(other))
        with pytest.raises(
            ValueError, match="X has 5 features, but the networks of pretrained expect 40 features"
        ):
            other.fit(X[:, :5])
        assert joblib.hash(vars(other)) == before
        assert other.n_features_in_ == 40
        np.testing.assert_array_equal(other.predict(X), other.labels_)
        # With labels, networks are learned anew; those of another width are of no use, and no obstacle.
        assert clone(other).set_params(**QUICK, **parameters).fit(X[:, :5], y).n_features_in_ == 5


# What fit can not use


OTHER_VALUES = {
    "metric_learning": True,
    "node_features": "both",
    "hidden_channels": (8,),
    "pooling": "mean",
    "n_networks": 2,
    "n_training_seeds": 1,
    "max_epochs": 3,
    "learning_rate": 0.1,
    "batch_size": 100,
    "dropout": 0.1,
    "weight_decay": 0.0,
}


@pytest.mark.parametrize("kind", [GCNClustering, GCNSegmenter])
def test_parameters_that_need_labels(kind):
    """Without labels, parameters of the training are named in a warning if they are set, and do nothing."""
    X, y = blobs(4, n_classes=4)
    expected = kind(random_state=0).fit(X)  # warnings are errors here
    for name, value in OTHER_VALUES.items():
        one = kind(**{name: value}, random_state=0)
        with pytest.warns(UserWarning, match=rf"^{name} only matter where y is given: .*or call fit\(X, y\)"):
            one.fit(X)
        assert joblib.hash(one.learned_) == joblib.hash(expected.learned_)
    with pytest.warns(UserWarning, match="^hidden_channels, n_networks, max_epochs only matter"):
        kind(max_epochs=1, hidden_channels=(8, 4), n_networks=1).fit(X)
    kind(**{**OTHER_VALUES, "n_networks": 1, "max_epochs": 1}).fit(X, y)


def test_parameters_that_need_no_labels():
    """All other parameters are of use without labels."""
    X, _ = blobs(4)
    named = set(OTHER_VALUES)
    others = {
        "n_neighbors": 7,
        "metric": "euclidean",
        "algorithm": "brute",
        "proposals": ("supervertices",),
        "n_levels": 1,
        "segment": False,
        "iop_range": (0.2, 0.8),
        "n_seeds": 2,
        "overlap": "nms",
        "min_score": 0.2,
        "outliers": "singletons",
        "n_jobs": 1,
        "random_state": 0,
    }
    assert not named & others.keys()
    GCNClustering(**others).fit(X)


def with_zeros(seed=0, n_zeros=3):
    """Embeddings, some of them without a direction: X, y, and which are zero."""
    X, y = blobs(40, seed)
    zero = np.zeros(len(X) + n_zeros, dtype=bool)
    zero[np.random.default_rng(seed).permutation(len(zero))[:n_zeros]] = True
    wide, labels = np.zeros((len(zero), 40)), np.zeros(len(zero), dtype=int)
    wide[~zero], labels[~zero] = X, y
    return wide, labels, zero


@ignore_unused
@pytest.mark.parametrize("outliers", ["noise", "singletons"])
@pytest.mark.parametrize("labelled", [False, True])
def test_rows_without_a_direction_are_outliers(labelled, outliers):
    """With metric="auto" zero rows of embeddings are outliers, with a warning, and change nothing else."""
    X, y, zero = with_zeros()
    estimator = GCNClustering(**QUICK, outliers=outliers)
    expected = clone(estimator).fit(X[~zero], y[~zero] if labelled else None)
    with pytest.warns(
        UserWarning, match="X has 3 rows of length zero, which have no direction; they are outliers"
    ):
        estimator.fit(X, y if labelled else None)
    with pytest.warns(UserWarning, match="X has 3 rows of length zero"):
        np.testing.assert_array_equal(estimator.predict(X), estimator.labels_)
    np.testing.assert_array_equal(estimator.labels_[~zero], expected.labels_)
    np.testing.assert_array_equal(estimator.probabilities_[~zero], expected.probabilities_)
    assert len(estimator.cluster_scores_) == estimator.n_clusters_ == estimator.labels_.max() + 1
    if outliers == "noise":
        assert (estimator.labels_[zero] == -1).all()
        assert (estimator.probabilities_[zero] == 0).all()
    else:
        assert (np.bincount(estimator.labels_)[estimator.labels_[zero]] == 1).all()
    with pytest.warns(UserWarning, match="X has 3 rows of length zero"):
        proposals = estimator.score_proposals(X)
    assert proposals.membership[:, zero].nnz == 0
    assert proposals.cluster(outliers=outliers).tolist() == estimator.labels_.tolist()


def test_rows_without_a_direction_of_a_segmenter():
    """They are noise, whatever cluster they were given."""
    X, y, zero = with_zeros()
    segmenter = GCNSegmenter(random_state=0)
    with pytest.warns(UserWarning, match="X has 3 rows of length zero"):
        labels, probabilities = segmenter.refine(X, y, return_probabilities=True)
    np.testing.assert_array_equal(labels[~zero], segmenter.refine(X[~zero], y[~zero]))
    assert (labels[zero] == -1).all()
    assert (probabilities[zero] == 0).all()


def test_rows_without_a_direction_elsewhere():
    """Where rows have a place, zero is one; where the cosine is asked for, it is an error."""
    X, _, zero = with_zeros()
    euclidean = GCNClustering(metric="euclidean", random_state=0).fit(X)
    assert (np.bincount(euclidean.labels_[zero] + 1).max()) == 3  # copies
    few = X[:, :3]
    GCNClustering(random_state=0).fit(few)
    with pytest.raises(ValueError, match=r'3 rows of length zero.*metric="auto", which makes them outliers'):
        GCNClustering(metric="cosine", random_state=0).fit(X)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([0, 0, 0], [-1, -1, -1]), ([0, 1, 0], [-1, -1, -1]), ([1, 0, 1], [0, -1, 0])],
    ids=["none", "one", "two alike"],
)
def test_hardly_a_row_with_a_direction(rows, expected):
    """Where no two samples can be told apart, those that are alike are a cluster."""
    X = np.array(rows)[:, None] * np.ones((3, 40))
    with pytest.warns(UserWarning, match="rows of length zero"):
        fitted = GCNClustering(random_state=0).fit(X)
    assert fitted.labels_.tolist() == expected
    assert len(fitted.cluster_scores_) == fitted.n_clusters_ == max(expected) + 1
    with pytest.warns(UserWarning, match="rows of length zero"):
        alone = GCNClustering(outliers="singletons", random_state=0).fit_predict(X)
    assert len(np.unique(alone)) == 3 - (max(expected) + 1 > 0)
    assert alone.min() == 0
    with (
        pytest.warns(UserWarning, match="rows of length zero"),
        pytest.raises(ValueError, match="nothing to propose"),
    ):
        fitted.score_proposals(X)


# What comes out is judged too


@pytest.mark.parametrize("overlap", ["adaptive", "deoverlap", "nms"])
def test_floor_holds_for_what_comes_out(trained, unseen, overlap):
    """Each cluster of two different samples or more has a predicted IoU of at least min_score."""
    X, _ = unseen
    X = np.concatenate([X, X[:30]])
    left = []
    for min_score in (0.0, 0.5, 0.9, 0.98):
        estimator = GCNClustering(
            pretrained=FrozenEstimator(trained), overlap=overlap, min_score=min_score, random_state=0
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* of the samples are outliers")
            labels = estimator.fit_predict(X)
        for number, (iou, _) in enumerate(estimator.cluster_scores_):
            members = np.unique(X[labels == number], axis=0)
            assert len(members) == 1 or iou >= min_score
        left.append((labels >= 0).mean())
    assert left[0] > left[-1]


@pytest.mark.filterwarnings("ignore:Only .* of the links between neighbours look likely")
@pytest.mark.parametrize("n_features", [8, 64])
def test_nothing_but_outliers_is_told(n_features):
    """Where nearly all samples are outliers, a warning says what could be done."""
    X = np.random.default_rng(0).normal(size=(300, n_features))
    for outliers in ("noise", "singletons"):
        estimator = GCNClustering(min_score=1.0, outliers=outliers, random_state=0)
        with pytest.warns(UserWarning, match="100% of the samples are outliers.*try n_neighbors.*by fit"):
            estimator.fit(X)
        with pytest.warns(UserWarning, match="100% of the samples are outliers"):
            estimator.predict(X)


def test_few_samples_may_all_be_outliers():
    """One or two samples that are no cluster are nothing to worry about."""
    X = 100 * np.eye(3)
    for n_samples in (1, 2):
        assert (GCNClustering(random_state=0, min_score=1.0).fit_predict(X[:n_samples]) == -1).all()


def test_links_that_all_look_unlikely_are_told(trained, unseen):
    """Where the networks drop nearly all links, a warning says so, and nothing breaks."""
    deaf = copy.deepcopy(trained)
    for model in deaf.learned_.links.first:
        model.biases[-1][:] = -100
    estimator = GCNClustering(pretrained=FrozenEstimator(deaf), random_state=0)
    with (
        pytest.warns(UserWarning, match="100% of the samples are outliers"),
        pytest.warns(UserWarning, match=r"Only 0\.0% of the links between neighbours look likely"),
    ):
        estimator.fit(unseen[0])
    assert (estimator.labels_ == -1).all()


@pytest.mark.filterwarnings("ignore:.*of the samples are outliers")
def test_search_on_the_device(monkeypatch):
    """With a GPU neighbours are searched there, by the same rules: here torch does it on the processor."""
    X, y = blobs(40)
    expected = GCNClustering(**QUICK).fit(X, y).score_proposals(X[::2])
    asked = []
    monkeypatch.setattr(_training, "search_device", lambda device: asked.append(device) or "cpu")
    found = GCNClustering(**QUICK).fit(X, y).score_proposals(X[::2])
    assert (found.membership != expected.membership).nnz == 0
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-3)
    assert set(asked) == {"cpu"}


def test_only_a_gpu_searches():
    """On the processor blocks of the search are tasks of workers instead."""
    assert _training.search_device("cpu") is None


@pytest.mark.parametrize(("precision", "expected"), [("highest", "cuda:0"), ("high", None)])
def test_a_gpu_of_few_digits_does_not_search(precision, expected, monkeypatch):
    """Where torch makes coarser products than float32 has digits, they would not find the nearest."""
    monkeypatch.setattr(_training, "resolve_device", torch.device)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: precision)
    assert _training.search_device("cuda:0") == expected
