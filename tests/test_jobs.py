"""Tests of threads within the package, and of jobs beside each other."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster._jobs import one_thread, side_by_side
from sklearn_gcncluster._nn import _detection


def threads():
    """Number of threads of each OpenMP library that is loaded."""
    return {one["filepath"]: one["num_threads"] for one in threadpool_info() if one["user_api"] == "openmp"}


def others():
    """Number of threads of all other libraries."""
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] != "openmp"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_thread_inside_and_the_same_after(number):
    """OpenMP, torch's too, has one thread inside; after it as many as before, after an exception too."""
    with threadpool_limits(number, user_api="openmp"):
        before, of_torch, of_others = threads(), torch.get_num_threads(), others()
        assert before
        assert set(before.values()) == {number}
        with one_thread():
            assert set(threads().values()) == {1}
            assert torch.get_num_threads() == 1
            assert others() == of_others
            with one_thread():
                pass
            assert set(threads().values()) == {1}
        assert threads() == before
        assert torch.get_num_threads() == of_torch
        with pytest.raises(KeyboardInterrupt), one_thread():
            raise KeyboardInterrupt
        assert threads() == before


def test_the_work_is_done_on_one_thread(blobs, monkeypatch):
    """Stages of fit and predict run on one thread, whatever the process has, and leave it its own."""
    seen = []
    for name in (
        "_graph._affinity.nearest_neighbors",
        "_graph._link_network.train_links",
        "_graph._link_network.link_odds",
        "_nn._detection.train_detection",
        "_nn._segmentation.train_segmentation",
        "_scoring.Judge.score",
        "_clustering.clusters_of",
    ):
        module, _, attribute = f"sklearn_gcncluster.{name}".rpartition(".")
        owner = __import__(module.replace(".Judge", ""), fromlist=["_"])
        owner = owner.Judge if module.endswith("Judge") else owner
        original = getattr(owner, attribute)

        def watched(*args, original=original, name=name, **kwargs):
            seen.append((name, set(threads().values()), torch.get_num_threads()))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, attribute, watched)
    X, y = blobs
    with threadpool_limits(2, user_api="openmp"):
        estimator = GCNClustering(hidden_channels=(8, 4), n_networks=1, max_epochs=1, random_state=0)
        estimator.fit(X, y).predict(X)
        assert set(threads().values()) == {2}
    assert len({name for name, *_ in seen}) == 7
    assert {(frozenset(openmp), of_torch) for _, openmp, of_torch in seen} == {(frozenset({1}), 1)}


@pytest.mark.parametrize(("backend", "n_jobs"), [("loky", None), ("loky", 1), ("loky", 2), ("threading", 3)])
def test_side_by_side(backend, n_jobs):
    """Results come in the order of the tasks, each made on one thread, and the process keeps its own."""
    with threadpool_limits(3, user_api="openmp"), joblib.parallel_config(backend):
        assert side_by_side(max, [], n_jobs) == []
        found = side_by_side(np.linspace, [{"start": 0, "stop": stop, "num": 3} for stop in range(6)], n_jobs)
        np.testing.assert_array_equal(found, np.outer(np.arange(6), [0, 0.5, 1]))
        for libraries in side_by_side(threadpool_info, [{}] * 4, n_jobs):
            openmp = [one["num_threads"] for one in libraries if one["user_api"] == "openmp"]
            assert openmp
            assert set(openmp) == {1}
        if backend == "loky":
            assert set(threads().values()) == {3}


def test_failure_of_a_job():
    """An error in a worker is the error here."""
    for n_jobs in (None, 2):
        with pytest.raises(ValueError, match="Number of samples"):
            side_by_side(np.linspace, [{"start": 0, "stop": 1, "num": -1}] * 3, n_jobs)


@pytest.fixture(scope="module")
def blobs():
    """Ten samples of each of ten classes, far from each other: X, y."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 10)
    return 10 * random.normal(size=(10, 5))[y] + random.normal(size=(100, 5)), y


def test_jobs_do_not_matter(blobs):
    """What is learned is the same to the last bit, whoever trains beside whom."""
    estimator = GCNClustering(hidden_channels=(8, 4), max_epochs=2, random_state=0)
    expected = clone(estimator).fit(*blobs)
    assert len(expected.learned_.detection) == 3
    assert len(expected.learned_.links.first) > 1
    for backend, n_jobs in (("loky", 2), ("threading", 3)):
        with joblib.parallel_config(backend):
            other = clone(estimator).set_params(n_jobs=n_jobs).fit(*blobs)
        assert joblib.hash(other.learned_) == joblib.hash(expected.learned_)
        assert joblib.hash(other.loss_curve_) == joblib.hash(expected.loss_curve_)
        np.testing.assert_array_equal(other.labels_, expected.labels_)
        np.testing.assert_array_equal(other.predict(blobs[0]), expected.predict(blobs[0]))


def test_each_network_leaves_out_other_classes(blobs, monkeypatch):
    """With five networks, each class is left out by one of them, and no two begin alike."""
    left_out, seeds, original = [], [], _detection.train_detection

    def watched(**given):
        left_out.append(given["validation"])
        seeds.append(given["seed"])
        return original(**given)

    monkeypatch.setattr(_detection, "train_detection", watched)
    GCNClustering(hidden_channels=(8, 4), n_networks=5, max_epochs=1, random_state=0).fit(*blobs)
    assert len(set(seeds)) == len(left_out) == 5
    assert (np.sum(left_out, axis=0) == 1).all()
    assert all(one.any() for one in left_out)
