"""Tests of threads within the package."""

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster._jobs import one_thread


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


def test_the_work_is_done_on_one_thread(monkeypatch):
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
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 10)
    X = 10 * random.normal(size=(10, 5))[y] + random.normal(size=(100, 5))
    with threadpool_limits(2, user_api="openmp"):
        estimator = GCNClustering(hidden_channels=(8, 4), n_networks=1, max_epochs=1, random_state=0)
        estimator.fit(X, y).predict(X)
        assert set(threads().values()) == {2}
    assert len({name for name, *_ in seen}) == 7
    assert {(frozenset(openmp), of_torch) for _, openmp, of_torch in seen} == {(frozenset({1}), 1)}
