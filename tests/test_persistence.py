"""Tests of saving and loading.

Run as a script it writes the example that later versions must read, for a new format number.
"""

import copy
import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops import io as skops

from sklearn_gcncluster import GCNClustering, GCNSegmenter, load
from sklearn_gcncluster._persistence import FORMAT, _checksum
from sklearn_gcncluster.baselines import ApproximateRankOrder, ConsensusPropagation
from sklearn_gcncluster.datasets import make_identities

DATA = Path(__file__).parent / "data"


class Own(BaseEstimator):
    """An estimator of neither scikit-learn nor this package."""


@pytest.fixture
def saved(trained, tmp_path):
    """Path of the trained estimator."""
    path = tmp_path / "trained.safetensors"
    trained.save(path)
    return path


def with_parameters(estimator, **parameters):
    """A copy with other parameters that is as fitted."""
    return copy.deepcopy(estimator).set_params(**parameters)


def rewrite(path, change, sign=True):
    """Change header and arrays of a file; with a checksum that fits, unless told otherwise."""
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["sklearn_gcncluster"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(header, arrays)
    if sign:
        header.pop("sha256")
        header["sha256"] = _checksum(header, arrays)
    save_file(arrays, path, {"sklearn_gcncluster": json.dumps(header)})


def test_loaded_predicts_the_same(trained, saved, unseen):
    """Everything that was learned and found comes back."""
    loaded = load(saved)
    assert type(loaded) is GCNClustering
    assert loaded.get_params() == trained.get_params()
    assert vars(loaded).keys() == vars(trained).keys()
    np.testing.assert_array_equal(loaded.labels_, trained.labels_)
    for name, curve in trained.loss_curve_.items():
        np.testing.assert_array_equal(loaded.loss_curve_[name], curve)
    np.testing.assert_array_equal(loaded.predict(unseen[0]), trained.predict(unseen[0]))


def test_without_labels(trained, tmp_path, unseen):
    """What was found in the samples of fit may be left out; predict does not need it."""
    trained.save(tmp_path / "full")
    trained.save(tmp_path / "small", include_labels=False)
    loaded = load(tmp_path / "small")
    left_out = {"labels_", "probabilities_", "cluster_scores_", "n_clusters_", "exemplars_", "duplicates_"}
    left_out |= {"cluster_affinity_", "cluster_layers_", "cluster_layer_scores_", "constraints_", "recall_"}
    assert vars(trained).keys() - vars(loaded).keys() == left_out
    assert (tmp_path / "small").stat().st_size < (tmp_path / "full").stat().st_size
    np.testing.assert_array_equal(loaded.predict(unseen[0]), trained.predict(unseen[0]))


def test_equal_estimators_make_equal_files(trained, saved, tmp_path):
    """A file depends on the estimator alone, and saving what was loaded makes the same file again."""
    load(saved).save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()


def test_feature_names(trained, tmp_path):
    """Names of columns are kept as scikit-learn keeps them."""
    named = copy.deepcopy(trained)
    named.feature_names_in_ = np.array([f"x{i}" for i in range(32)], dtype=object)
    named.save(tmp_path / "named")
    names = load(tmp_path / "named").feature_names_in_
    assert names.dtype == object
    np.testing.assert_array_equal(names, named.feature_names_in_)


@pytest.mark.parametrize(
    "value",
    [
        (0.1, 0.5),
        [0.1, 0.5],
        np.array([0.1, 0.5]),
        np.float32(0.5),
        np.int64(3),
        None,
        True,
        {"a": (1, [2.5, "b"])},
        slice(0, np.int64(16)),
        float("inf"),
    ],
    ids=str,
)
def test_parameters_of_all_kinds(trained, tmp_path, value):
    """Parameters come back equal, tuples as tuples and lists as lists."""
    with_parameters(trained, proposals=[value]).save(tmp_path / "file")
    found = load(tmp_path / "file").proposals[0]
    np.testing.assert_equal(found, value)
    assert type(found) is (type(value.item()) if isinstance(value, np.generic) else type(value))


@pytest.mark.parametrize(
    "parameters",
    [
        {"edge_threshold": (0.1, 0.5)},
        {"edge_threshold": np.array([0.1, 0.5])},
        {"min_score": np.float32(0.5)},
        {"n_neighbors": np.int64(3)},
        {"max_proposal_size": 10, "hidden_channels": [8, 4], "metric_learning": np.True_},
        {"memory": Path("cache"), "pretrained": Path("networks.safetensors")},
        {"memory": joblib.Memory(None), "random_state": np.random.RandomState(0), "pretrained": None},
    ],
    ids=str,
)
def test_parameters_that_estimators_take(trained, tmp_path, parameters):
    """Whatever is allowed as a parameter can be saved, and comes back allowed."""
    given = with_parameters(trained, **parameters)
    given._validate_params()
    given.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    for name, value in parameters.items():
        expected = None if name in ("memory", "random_state") else value  # of this machine and process
        np.testing.assert_equal(getattr(loaded, name), expected)


def test_random_state_instance(trained, tmp_path, unseen):
    """A RandomState is replaced by None; predictions stay, since the drawn seed is kept."""
    estimator = with_parameters(trained, random_state=np.random.RandomState(0))
    estimator.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    assert loaded.random_state is None
    assert loaded._seed == trained._seed
    np.testing.assert_array_equal(loaded.predict(unseen[0]), trained.predict(unseen[0]))


def test_estimators_among_the_parameters(trained, tmp_path):
    """Estimators of scikit-learn and of this package are built again, nested ones and lists too."""
    given = [
        KMeans(n_clusters=7, random_state=np.random.RandomState(0)),
        make_pipeline(StandardScaler(with_mean=False), DBSCAN(eps=0.25), memory=str(tmp_path)),
        GCNClustering(n_levels=3),
    ]
    with_parameters(trained, proposals=given).save(tmp_path / "file")
    k_means, pipeline, own = load(tmp_path / "file").proposals
    assert type(k_means) is KMeans
    assert (k_means.n_clusters, k_means.random_state) == (7, None)
    assert [type(step) for _, step in pipeline.steps] == [StandardScaler, DBSCAN]
    assert (pipeline[0].with_mean, pipeline[1].eps, pipeline.memory) == (False, 0.25, None)
    assert own.get_params() == GCNClustering(n_levels=3).get_params()


def test_baselines_among_the_proposals(trained, tmp_path, unseen):
    """A committee with a mediator is built again too, and proposes the same clusters."""
    given = [
        ConsensusPropagation(
            committee=[slice(0, 16), PCA(8), "passthrough"], mediator=LogisticRegression(C=2)
        ),
        ApproximateRankOrder(n_neighbors=20),
        "average_link",
    ]
    estimator = with_parameters(trained, proposals=given)
    estimator.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    propagation, rank_order, _ = loaded.proposals
    assert type(propagation) is ConsensusPropagation
    assert propagation.committee[0] == slice(0, 16)
    assert (propagation.committee[1].n_components, propagation.mediator.C) == (8, 2)
    assert rank_order.get_params() == given[1].get_params()
    np.testing.assert_array_equal(loaded.predict(unseen[0]), estimator.predict(unseen[0]))


def test_segmenter(trained, tmp_path, unseen):
    """The clusterer behind a segmenter is built again, and its clusters are refined as before."""
    segmenter = GCNSegmenter(
        KMeans(12, n_init=1, random_state=0), n_networks=1, hidden_channels=(32, 16), random_state=0
    )
    for name in ("learned_", "n_features_in_", "_seed"):
        setattr(segmenter, name, getattr(trained, name))
    segmenter.save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    assert type(loaded) is GCNSegmenter
    assert loaded.estimator.get_params() == segmenter.estimator.get_params()
    np.testing.assert_array_equal(loaded.predict(unseen[0]), segmenter.predict(unseen[0]))


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Own(), "proposals is of class .*Own"),
        ([KMeans(), Own()], "proposals is of class .*Own"),
        (FunctionTransformer(np.log), "proposals__func is of class numpy.ufunc"),
        (make_pipeline(StandardScaler(), Own()), "proposals__steps is of class .*Own"),
        (FrozenEstimator(KMeans()), "proposals is of class .*FrozenEstimator"),
        (print, "proposals is of class builtins.builtin_function_or_method"),
        ({1: 2}, "proposals is of class builtins.dict"),
    ],
    ids=str,
)
def test_what_can_not_be_saved(trained, tmp_path, value, named):
    """The error names the parameter and the remedy, and no file is written."""
    with pytest.raises(ValueError, match=f"(?s)parameter {named}.*joblib.dump"):
        with_parameters(trained, proposals=value).save(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_save_needs_a_fitted_estimator(tmp_path):
    """There is nothing to save before fit."""
    with pytest.raises(NotFittedError, match="not fitted yet"):
        GCNClustering().save(tmp_path / "file")


def test_subclass_of_a_user_can_not_be_saved(trained, tmp_path):
    """A file must not promise a class that loading would not find."""

    class Special(GCNClustering):
        pass

    special = copy.deepcopy(trained)
    special.__class__ = Special
    with pytest.raises(ValueError, match="the estimator is of class .*Special"):
        special.save(tmp_path / "file")


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, -1])
def test_truncated(saved, kept):
    """A file that lost its end is named as such, wherever it was cut."""
    content = saved.read_bytes()
    saved.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ValueError, match=f"{saved.name} is incomplete .*Copy it again"):
        load(saved)


@pytest.mark.parametrize("where", [0.5, 0.99])
def test_a_changed_byte_is_noticed(saved, where):
    """One flipped bit among the arrays is an error, not a worse clustering."""
    content = bytearray(saved.read_bytes())
    content[int(where * len(content))] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ValueError, match=f"{saved.name} is damaged, or was changed"):
        load(saved)


def test_a_changed_parameter_is_noticed(saved):
    """Text is covered by the checksum like the arrays."""
    rewrite(saved, lambda header, _: header["parameters"].update(min_score=0.9), sign=False)
    with pytest.raises(ValueError, match=f"{saved.name} is damaged, or was changed"):
        load(saved)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "1"}', "null", "{"])
def test_a_broken_header(saved, text):
    """A header that says nothing is an error of the file, whatever it is instead."""
    save_file({"a": np.zeros(2)}, saved, {"sklearn_gcncluster": text})
    with pytest.raises(ValueError, match=f"{saved.name} is damaged, or was changed"):
        load(saved)


def test_later_format(saved):
    """A file of the future says which version wrote it and how to get it."""
    rewrite(saved, lambda header, _: header.update(format=FORMAT + 1, version="9.0"), sign=False)
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}, written by .* 9.0.*pip install --upgrade"):
        load(saved)


def test_folder(tmp_path):
    """A folder is no file."""
    with pytest.raises(IsADirectoryError, match="is a folder. Give the path of a file"):
        load(tmp_path)


def test_foreign_files(tmp_path):
    """Files of other origin are told from damaged ones."""
    path = tmp_path / "file"
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="not written by the method save"):
        load(path)
    path.write_bytes(pickle.dumps(KMeans()))
    with pytest.raises(ValueError, match="is no safetensors file"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "sklearn.show_versions",
        "sklearn.utils.Bunch",
        "sklearn.cluster.k_means",
        "sklearn.cluster._kmeans.KMeans",
        "sklearn.frozen.FrozenEstimator",
        "sklearn.base.BaseEstimator",
        "sklearn_gcncluster.load",
        "sklearn_gcncluster._clustering.GCNClustering",
        "sklearn_gcncluster.baselines._consensus.ConsensusPropagation",
        "sklearn_gcncluster.baselines._base.LinkClusterer",
        "KMeans",
        "",
    ],
)
def test_only_public_estimators_are_built(saved, name):
    """Names in a file reach estimators of scikit-learn and this package, and nothing else."""
    crafted = {"estimator": name, "parameters": {}}
    rewrite(saved, lambda header, _: header["parameters"].update(proposals=crafted))
    with pytest.raises(ValueError, match=f"'{name}' is no public estimator"):
        load(saved)


@pytest.mark.parametrize("name", ["predict", "get_params", "__class__", "_repr_html_", "_validate_params"])
def test_only_learned_attributes_are_set(saved, name):
    """A file can not replace a method."""
    rewrite(saved, lambda header, _: header["attributes"].update({name: 1}))
    with pytest.raises(ValueError, match=f"'{name}' is no attribute that fit sets"):
        load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: header.pop("estimator"),
        lambda header, arrays: header.update(parameters=[1]),
        lambda header, arrays: header["parameters"].update(n_clusters=8),
        lambda header, arrays: header["parameters"].update(proposals={"unknown": 1}),
        lambda header, arrays: header["parameters"].update(proposals={"array": [1], "dtype": "no"}),
        lambda header, arrays: arrays.update({"learned_/links/first/0/mean/more": np.zeros(2)}),
    ],
)
def test_contents_that_this_version_does_not_know(saved, change):
    """Whatever else is wrong with the contents is a ValueError that names version and remedy."""
    rewrite(saved, change)
    with pytest.raises(ValueError, match=r"(?s)does not describe an estimator.*install that version"):
        load(saved)


def drop(name):
    """A change that takes an array away."""
    return lambda header, arrays: arrays.pop(name)


def put(name, value):
    """A change that puts a value into an array."""

    def change(header, arrays):
        arrays[name] = arrays[name].copy()
        arrays[name].flat[0] = value

    return change


def cut(name):
    """A change that takes the last row of an array away."""
    return lambda header, arrays: arrays.update({name: arrays[name][:-1]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header, _: header["parameters"].update(n_seeds="five"), "'n_seeds' parameter"),
        (lambda header, _: header["parameters"].update(min_score=7.0), "'min_score' parameter"),
        (lambda header, _: header["attributes"]["learned_"]["dict"].update(pooling="median"), "pooling"),
        (
            lambda header, _: header["attributes"]["learned_"]["dict"].update(hidden_channels=[32, 17]),
            "should have",
        ),
        (lambda header, _: header["attributes"].pop("learned_"), "learned_"),
        (drop("learned_/detection/0/parameters/head.bias"), "head.bias"),
        (drop("learned_/links/first/0/mean"), "mean"),
        (drop("learned_/links/second/0/weights/1"), "weights|'1'"),
        (cut("learned_/links/low"), "links/low has the shape"),
        (cut("learned_/detection/0/parameters/input.row.weight"), "input.row.weight has the shape"),
        (cut("learned_/segmentation/mean"), "has the shape"),
        (put("learned_/detection/0/parameters/head.weight", np.nan), "finite numbers"),
        (put("learned_/links/first/0/std", np.inf), "finite numbers"),
    ],
)
def test_tampered_with_a_checksum_that_fits(saved, change, message):
    """Parameters and shapes are checked when a file is read: an error there, and not of torch in predict."""
    rewrite(saved, change)
    with pytest.raises(ValueError, match=rf"(?s)does not describe an estimator.*({message})"):
        load(saved)


CHOICES = {
    "affinity": ["cosine", "none", 3],
    "node_features": ["embedding", "both", "none", None],
    "pooling": ["median", None],
    "hidden_channels": [[], [32], [16, 32], [32, 16, 8], ["a", "b"], 3, None],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values], ids=str
)
def test_wrong_choices(saved, name, value):
    """What the networks belong to has to be known, and to fit their arrays."""
    rewrite(saved, lambda header, _: header["attributes"]["learned_"]["dict"].update({name: value}))
    with pytest.raises(ValueError, match="(?s)does not describe an estimator.*install that version"):
        load(saved)


@pytest.mark.parametrize("name", CHOICES)
def test_each_choice_is_needed(saved, name):
    """Nothing is taken for granted."""
    rewrite(saved, lambda header, _: header["attributes"]["learned_"]["dict"].pop(name))
    with pytest.raises(ValueError, match="(?s)does not describe an estimator.*install that version"):
        load(saved)


def with_first(value):
    """A change of the first number of an array."""

    def change(array):
        array = array.copy()
        array.flat[0] = value
        return array

    return change


SPOILED = {
    "dropped": lambda array: None,
    "shorter": lambda array: array[:-1],
    "longer": lambda array: np.concatenate([array, array[:1]]),
    "transposed or nested": lambda array: array.T if len(set(array.shape)) > 1 else array[None],
    "empty": lambda array: array[:0],
    "NaN": with_first(np.nan),
    "infinite": with_first(-np.inf),
    "integers": lambda array: array.astype(np.int32),
    "Booleans": lambda array: array > 0,
}


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory):
    """Files of estimators with and without a map, a frame and models of links."""
    path, files = tmp_path_factory.mktemp("kinds") / "file", []
    X, y = make_identities(200, 14, n_features=6, class_spread=0.2, random_state=0)
    quick = {"n_networks": 2, "hidden_channels": (8, 4), "max_epochs": 1, "min_score": 0, "random_state": 0}
    for parameters in (
        {"metric": "euclidean", "node_features": "both", "metric_learning": True},
        {"metric": "euclidean", "affinity": "neighborhood", "node_features": "embedding"},
        {"metric": "cosine", "metric_learning": True},
        {"metric": "cosine", "affinity": "cosine", "node_features": "both", "metric_learning": False},
    ):
        GCNClustering(**quick, **parameters).fit(X, y).save(path)
        load(path)
        files.append(path.read_bytes())
    return files


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_arrays(all_kinds, tmp_path, how):
    """Arrays that are missing, of another shape or kind, or no numbers, are an error when a file is read."""
    path, kinds = tmp_path / "file", set()
    for content in all_kinds:
        path.write_bytes(content)
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        names = [name for name, array in arrays.items() if name.startswith("learned_/") and array.size]
        one_of_each = {name.replace("/1/", "/0/").replace("/1.", "/0."): name for name in names}
        kinds |= one_of_each.keys()
        for name in one_of_each.values():
            path.write_bytes(content)

            def spoil(header, arrays, name=name):
                array = SPOILED[how](arrays.pop(name))
                if array is not None:
                    arrays[name] = np.ascontiguousarray(array)

            rewrite(path, spoil)
            with pytest.raises(ValueError, match="(?s)does not describe an estimator.*install that version"):
                load(path)
    assert {name.split("/")[1] for name in kinds} == {"detection", "frame", "links", "map", "segmentation"}


def test_half_precision(saved):
    """Parameters in half precision, which take half the room, are read as single precision."""

    def halve(header, arrays):
        for name in arrays:
            if "/parameters/" in name:
                arrays[name] = arrays[name].astype(np.float16)

    rewrite(saved, halve)
    learned = load(saved).learned_
    for network in (*learned.detection, learned.segmentation):
        assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}


def test_impossible_format(saved):
    """Formats count from 1."""
    rewrite(saved, lambda header, _: header.update(format=-1))
    with pytest.raises(ValueError, match="is damaged, or was changed"):
        load(saved)


@pytest.mark.filterwarnings("ignore:.*of the samples are outliers")
@pytest.mark.parametrize("node_features", ["embedding", "both"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_networks_of_embeddings(identities, tmp_path, node_features, metric):
    """What looks at rows is saved with the frame in which it knows them."""
    X, y, X_new, _ = identities
    parameters = {"hidden_channels": (8, 4), "n_networks": 1, "max_epochs": 1, "affinity": "neighborhood"}
    estimator = GCNClustering(node_features=node_features, metric=metric, random_state=0, **parameters)
    estimator.fit(100 + X[:300], y[:300]).save(tmp_path / "file")
    np.testing.assert_array_equal(
        load(tmp_path / "file").predict(100 + X_new), estimator.predict(100 + X_new)
    )


def test_paths_among_the_parameters(trained, tmp_path):
    """A path is kept; a cache is not."""
    with_parameters(trained, pretrained=tmp_path / "other", memory=tmp_path).save(tmp_path / "file")
    loaded = load(tmp_path / "file")
    assert loaded.pretrained == tmp_path / "other"
    assert loaded.memory is None


def test_pickle_joblib_and_skops(trained, tmp_path, unseen):
    """The usual ways work too, and skops has to trust nothing but the estimator and its records."""
    joblib.dump(trained, tmp_path / "joblib")
    dumped = skops.dumps(trained)
    own = "sklearn_gcncluster._clustering.GCNClustering"
    kinds = ("Frame", "Learned", "LinearMap", "LinkModels", "LinkNetwork", "Network")
    records = [f"sklearn_gcncluster._model.{kind}" for kind in kinds] + ["scipy.sparse._csr.csr_array"]
    assert set(skops.get_untrusted_types(data=dumped)) <= {own, *records}
    expected = trained.predict(unseen[0])
    for loaded in (
        pickle.loads(pickle.dumps(trained)),
        joblib.load(tmp_path / "joblib"),
        skops.loads(dumped, trusted=[own, *records]),
    ):
        np.testing.assert_array_equal(loaded.predict(unseen[0]), expected)


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_files_of_earlier_versions(number):
    """A file of each format so far is still read, and predicts what it did."""
    loaded = load(DATA / f"format_{number}.safetensors")
    with np.load(DATA / f"format_{number}.npz") as expected:
        np.testing.assert_array_equal(loaded.labels_, expected["labels"])
        np.testing.assert_array_equal(loaded.predict(expected["X_new"]), expected["labels_new"])


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_files_of_earlier_versions_are_written_anew(number, tmp_path):
    """What was read from an old file is written in today's format, with nothing lost."""
    loaded = load(DATA / f"format_{number}.safetensors")
    loaded.save(tmp_path / "again")
    again = load(tmp_path / "again")
    assert vars(again).keys() == vars(loaded).keys()
    for name, value in vars(loaded).items():
        assert joblib.hash(getattr(again, name)) == joblib.hash(value), name
    with safe_open(tmp_path / "again", framework="numpy") as file:
        assert json.loads(file.metadata()["sklearn_gcncluster"])["format"] == FORMAT


@pytest.mark.parametrize("value", [1, 7, None])
def test_length_of_lists_is_kept(trained, saved, unseen, value):
    """How long the lists were comes back; what is not known is no limit."""
    assert load(saved).learned_.n_neighbors == trained.learned_.n_neighbors > 10
    rewrite(saved, lambda header, _: header["attributes"]["learned_"]["dict"].update(n_neighbors=value))
    loaded = load(saved)
    assert loaded.learned_.n_neighbors == value
    graph = loaded._graph_of(loaded._new_samples(unseen[0]), loaded.learned_)
    assert graph.dissimilarities.shape[1] == value or value is None


@pytest.mark.parametrize("name", ["n_neighbors", "n_classes"])
@pytest.mark.parametrize("value", ["five", 0, -3, 2.5, True, [7]], ids=str)
def test_impossible_numbers(saved, name, value):
    """How long lists were, and how many classes, are numbers, or unknown."""
    rewrite(saved, lambda header, _: header["attributes"]["learned_"]["dict"].update({name: value}))
    with pytest.raises(ValueError, match="(?s)does not describe an estimator.*install that version"):
        load(saved)


def write_example():
    """Save a small estimator, new samples, and the clusters it finds."""
    X, y = make_identities(
        300,
        20,
        n_features=12,
        class_similarity=0,
        mode_spread=0.3,
        class_spread=0.3,
        low_quality=0,
        random_state=0,
    )
    train = y % 2 == 0
    estimator = GCNClustering(n_networks=1, hidden_channels=(16, 8), max_epochs=40, random_state=0)
    estimator.fit(X[train], y[train]).save(DATA / f"format_{FORMAT}.safetensors")
    X_new = X[~train]
    labels_new = estimator.predict(X_new)
    print(f"score {estimator.score(X_new, y[~train]):.3f}")
    np.savez(DATA / f"format_{FORMAT}.npz", labels=estimator.labels_, X_new=X_new, labels_new=labels_new)


if __name__ == "__main__":
    write_example()
