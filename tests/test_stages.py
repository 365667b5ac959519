"""Tests of the record of stages."""

import math
import threading
import time

import numpy as np
import pytest
from sklearn.cluster import KMeans

from sklearn_gcncluster import GCNClustering, GCNSegmenter, record_stages
from sklearn_gcncluster._stages import stage

IN_PREDICT = ["neighbors", "affinity", "proposals", "GCN-D", "GCN-S", "de-overlap"]
IN_FIT = ["learn affinity", "proposals", "train networks", "GCN-D", "GCN-S", "de-overlap"]
QUICK = {"hidden_channels": (8, 4), "n_networks": 1, "max_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def blobs():
    """Ten samples of each of ten classes, far from each other: X, y."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(10), 10)
    return 10 * random.normal(size=(10, 5))[y] + random.normal(size=(100, 5)), y


def test_stages_of_clustering(blobs):
    """Each stage of fit and of predict once, in their order, with its time and the memory held so far."""
    X, y = blobs
    estimator = GCNClustering(**QUICK)
    with record_stages() as of_fit:
        assert of_fit == {}
        estimator.fit(X, y)
    assert list(of_fit) == IN_FIT
    start = time.perf_counter()
    with record_stages() as of_predict:
        estimator.predict(X)
    assert list(of_predict) == IN_PREDICT
    seconds = [one.seconds for one in of_predict.values()]
    assert 0 < min(seconds) < sum(seconds) < time.perf_counter() - start
    peaks = [one.peak for one in of_predict.values()]
    assert peaks == sorted(peaks) or all(map(math.isnan, peaks))
    assert list(of_fit) == IN_FIT  # predict was not recorded there


def test_stages_of_a_segmenter(blobs):
    """The same for clusters of others."""
    X, _ = blobs
    segmenter = GCNSegmenter(KMeans(5, n_init=1, random_state=0), random_state=0)
    with record_stages() as stages:
        segmenter.fit(X).refine(X, segmenter.labels_)
    assert list(stages) == ["neighbors", "affinity", "refine"]


def test_nested_records():
    """Each record holds what happened inside it, whatever others do; times of a repeated stage add up."""
    with record_stages() as outer:
        with stage("first"):
            time.sleep(0.01)
        with record_stages() as inner, stage("second"):
            pass
        once = outer["first"]
        with stage("first"):
            time.sleep(0.01)
    with stage("third"):
        pass
    assert list(outer) == ["first", "second"]
    assert list(inner) == ["second"]
    assert inner["second"] == outer["second"]
    assert outer["first"].seconds >= once.seconds + 0.01


def test_record_after_an_exception():
    """What ended before an exception is kept, what did not is left out, and nothing is recorded later."""

    def failing():
        with stage("done"):
            pass
        with stage("failed"):
            raise ZeroDivisionError

    with record_stages() as outer:
        with pytest.raises(ZeroDivisionError), record_stages() as inner:
            failing()
        with stage("after"):
            pass
    with stage("outside"):
        pass
    assert list(inner) == ["done"]
    assert list(outer) == ["done", "after"]


def test_records_of_other_threads():
    """A record is of its own thread."""

    def work():
        with stage("elsewhere"):
            pass

    with record_stages() as stages:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        with stage("here"):
            pass
    assert list(stages) == ["here"]


@pytest.mark.parametrize("verbose", [False, True])
def test_verbose_prints_stages(blobs, verbose, capsys):
    """One line a stage on request, and not a word otherwise."""
    GCNClustering(random_state=0, verbose=verbose).fit(blobs[0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(":")[0] for line in lines] == (
        [f"[GCNClustering] {name}" for name in IN_PREDICT] if verbose else []
    )
    assert all(line.endswith(" s") for line in lines)
