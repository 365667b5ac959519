"""Tests of the record of stages."""

import math
import threading
import time

import numpy as np
import pytest
from sklearn.cluster import KMeans
from tqdm.auto import tqdm

from sklearn_gcncluster import GCNClustering, GCNSegmenter, _stages, record_stages
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


# What is shown


@pytest.fixture
def bars(monkeypatch):
    """All bars that are shown, with the state of each after every change."""
    made = []

    class Recorded(tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.history = []
            made.append(self)

        def update(self, n=1):
            super().update(n)
            self.history.append((getattr(self, "desc", ""), self.n))  # a disabled bar has none

        def set_description(self, *args, **kwargs):
            super().set_description(*args, **kwargs)
            self.history.append((getattr(self, "desc", ""), self.n))  # a disabled bar has none

    monkeypatch.setattr(_stages, "tqdm", Recorded)
    return made


@pytest.mark.parametrize("verbose", [False, 0, True, 1, 2, 3])
def test_verbose(blobs, verbose, capsys):
    """A bar on the screen, a line for each stage, or not a word."""
    GCNClustering(random_state=0, verbose=verbose).fit(blobs[0])
    shown = capsys.readouterr()
    assert ("GCNClustering: " in shown.err) == (int(verbose) == 1)
    lines = shown.out.splitlines()
    assert [line.rpartition(":")[0] for line in lines] == (
        [f"[GCNClustering] {name}" for name in IN_PREDICT] if verbose >= 2 else []
    )
    assert all(line.endswith(" s") for line in lines)


@pytest.mark.parametrize("n_networks", [1, 3, 6])
@pytest.mark.parametrize("affinity", ["learned", "neighborhood"])
def test_one_bar_for_all_stages(blobs, bars, n_networks, affinity):
    """It names the stages in their order, never goes back, and is full in the end, whatever is trained."""
    X, y = blobs
    estimator = GCNClustering(**{**QUICK, "n_networks": n_networks, "affinity": affinity}, verbose=1)
    for stages, do in ((IN_FIT, lambda: estimator.fit(X, y)), (IN_PREDICT, lambda: estimator.predict(X))):
        bars.clear()
        do()
        (bar,) = bars
        places = [n for _, n in bar.history]
        assert places == sorted(places)
        assert places[-1] == bar.total
        said = [desc.removeprefix("GCNClustering").strip(": ") for desc, _ in bar.history]
        assert [one for one in dict.fromkeys(said) if one] == stages
        assert said[-1] == ""
        assert bar.disable  # as tqdm leaves a bar that is closed


def test_bar_moves_within_a_stage(blobs, bars):
    """Each model that is trained is a step."""
    GCNClustering(**{**QUICK, "n_networks": 3}, verbose=1).fit(*blobs)
    (bar,) = bars
    of_networks = {n for desc, n in bar.history if "train networks" in desc}
    assert len(of_networks) >= 3
    assert len({n for desc, n in bar.history if "learn affinity" in desc}) >= 3


@pytest.mark.parametrize("verbose", [0, 1])
def test_bar_of_a_fit_that_fails(blobs, bars, verbose, monkeypatch):
    """It is closed, and nothing is shown in its place by what comes after."""
    X, _ = blobs

    def fail(*args, **kwargs):
        raise ZeroDivisionError

    estimator = GCNClustering(random_state=0, verbose=verbose)
    with monkeypatch.context() as patches:
        patches.setattr("sklearn_gcncluster._scoring.Judge.score", fail)
        with pytest.raises(ZeroDivisionError):
            estimator.fit(X)
    (failed,) = bars
    assert failed.disable
    assert failed.n < failed.total or not verbose
    before = list(failed.history)
    estimator.fit(X)
    assert failed.history == before
    with stage("outside"):
        pass
    assert len(bars) == 2


def test_estimators_within_each_other(blobs, bars, capsys):
    """A clusterer inside a segmenter shows what it was asked to, and does not move the bar around it."""
    X, _ = blobs
    inner = GCNClustering(random_state=0, verbose=2)
    segmenter = GCNSegmenter(inner, random_state=0, verbose=1).fit(X)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"[GCNClustering] {name}" for name in IN_PREDICT
    ]
    outer, of_inner = bars
    assert outer.total == 3
    assert of_inner.total == 6
    said = {desc.removeprefix("GCNSegmenter").strip(": ") for desc, _ in outer.history}
    assert said <= {"", "neighbors", "affinity", "refine"}
    bars.clear()
    segmenter.refine(X, segmenter.labels_)
    (bar,) = bars
    assert bar.n == bar.total
