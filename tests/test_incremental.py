"""Clusters that grow: ids, constraints, and a folder that is old or new whenever it is interrupted."""

import os
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from sklearn_gcncluster import GCNClustering, IncrementalGCNClustering, _incremental, match_labels
from sklearn_gcncluster._growth import (
    Near,
    attach,
    lasting_ids,
    most_asked,
    nearest_cluster,
    search,
    what_became,
)
from sklearn_gcncluster.metrics import bcubed_fscore


@pytest.fixture(scope="module")
def samples(identities):
    """Samples of new classes in random order: X, y."""
    _, _, X, y = identities
    order = np.random.default_rng(0).permutation(len(X))
    return X[order], y[order]


@pytest.fixture(scope="module")
def clusterer(trained):
    """Not fitted, with the networks of another."""
    return GCNClustering(pretrained=FrozenEstimator(trained), random_state=0)


@pytest.fixture(scope="module")
def half(clusterer, samples):
    """Half of the samples. Tests do not change it."""
    X, _ = samples
    return IncrementalGCNClustering(clusterer).fit(X[: len(X) // 2])


@pytest.fixture(scope="module")
def grown(half, samples):
    """All samples, in five batches, and the labels after each. Tests do not change it."""
    X, _ = samples
    album, labels = deepcopy(half), [half.labels_]
    for batch in np.array_split(X[len(X) // 2 :], 5):
        labels.append(album.partial_fit(batch).labels_)
    return album, labels


def test_fit_is_that_of_the_estimator(half, clusterer, samples):
    """The same clusters."""
    X, _ = samples
    labels = clone(clusterer).fit_predict(X[: len(X) // 2])
    pairs = np.unique(np.stack([labels, half.labels_]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == half.n_clusters_ + 1
    np.testing.assert_array_equal(IncrementalGCNClustering(clusterer).partial_fit(X[:40]).labels_.shape, 40)


def test_growth_is_nearly_as_good_as_all_at_once(grown, half, clusterer, samples):
    """And a clean pass is exactly that, whatever the order."""
    X, y = samples
    album = deepcopy(grown[0])
    at_once = clone(clusterer).fit_predict(X)
    first = half.labels_
    alone = np.append(first, np.full(len(X) - len(first), -1))
    assert bcubed_fscore(y, album.labels_) > bcubed_fscore(y, at_once) - 0.03
    assert bcubed_fscore(y, album.labels_) > bcubed_fscore(y, alone) + 0.2
    before = album.labels_
    again = album.recluster().labels_
    pairs = np.unique(np.stack([at_once, again]), axis=1)
    assert pairs.shape[1] == len(np.unique(at_once)) == len(np.unique(again))
    np.testing.assert_array_equal(again >= 0, match_labels(at_once, before) >= 0)
    assert (again == before).mean() > 0.5


def test_growth_of_many_looks_at_a_part(half, clusterer, samples, monkeypatch):
    """Clusters near to new samples alone are looked at, and growth still helps."""
    monkeypatch.setattr(_incremental, "_ALL", 0)
    monkeypatch.setattr(_incremental, "_ALL_OF_EACH", 0)
    monkeypatch.setattr(_incremental, "_REACH", 20)
    seen, predict_after = [], GCNClustering._predict_after
    monkeypatch.setattr(
        GCNClustering,
        "_predict_after",
        lambda self, X, *rest: (seen.append(len(X)), predict_after(self, X, *rest))[1],
    )
    X, y = samples
    album, first = deepcopy(half), half.labels_
    for batch in np.array_split(X[len(X) // 2 :], 5):
        album.partial_fit(batch)
    assert 0 < min(seen) < len(X) / 3
    assert max(seen) < len(X) * 2 / 3
    at_once = clone(clusterer).fit_predict(X)
    alone = np.append(first, np.full(len(X) - len(first), -1))
    assert bcubed_fscore(y, album.labels_) > bcubed_fscore(y, at_once) - 0.15
    assert bcubed_fscore(y, album.labels_) > bcubed_fscore(y, alone) + 0.1


def test_ids_last(grown):
    """A cluster keeps its id as long as most members stay, and only then; none is used again."""
    album, labels = grown
    used: set[int] = set()
    for before, after in zip([labels[0][:0], *labels], labels, strict=False):
        old = np.append(before, np.full(len(after) - len(before), -1))
        ids, sizes = np.unique(old[old >= 0], return_counts=True)
        for number, size in zip(ids, sizes, strict=True):
            stayed = np.count_nonzero(after[old == number] == number)
            assert stayed == 0 or 2 * stayed > size
            mates = np.bincount(after[(old == number) & (after >= 0)], minlength=1)
            if stayed == 0 and 2 * mates.max() > size:  # most went elsewhere together: to an older cluster
                assert np.count_nonzero(old == mates.argmax()) >= 1 or mates.argmax() not in used
        new = set(after[after >= 0].tolist()) - set(ids.tolist())
        assert not new & used
        used |= new | set(ids.tolist())
        assert min(np.bincount(after[after >= 0])[np.unique(after[after >= 0])]) > 1
    assert album.n_clusters_ == len(np.unique(labels[-1][labels[-1] >= 0]))


def test_history_tells_all(grown):
    """By its events, the ids of one update follow from those of the update before."""
    album, labels = grown
    alive: set[int] = set()
    for update, after in enumerate(labels):
        for event in album.history_:
            if event["update"] == update:
                if event["event"] == "created":
                    assert event["cluster"] not in alive
                    alive.add(event["cluster"])
                else:
                    alive.remove(event["cluster"])
                    assert set(event["into"]) <= set(after.tolist())
        assert alive == set(after[after >= 0].tolist())


def test_predict_does_not_remember(grown, samples):
    """Samples near a cluster get its id, one at a time too; strangers get none."""
    album, X = grown[0], samples[0]
    before = album.labels_
    told = album.predict(X)
    inside = before >= 0
    assert (told == before)[inside].mean() > 0.8
    alone = [album.predict(X[[row]])[0] for row in range(20)]
    np.testing.assert_array_equal(alone, told[:20])
    strangers = np.random.default_rng(0).normal(size=(50, X.shape[1])).astype(np.float32)
    assert (album.predict(strangers) == -1).mean() > 0.8
    np.testing.assert_array_equal(album.labels_, before)


def test_constraints_stay_in_force(clusterer, samples):
    """Of old and new samples, through growth, a clean pass and forgetting; contradictions change nothing."""
    X, y = samples
    n = len(X) // 2
    random = np.random.default_rng(1)
    cannot = random.integers(0, n, (40, 2))
    cannot = cannot[y[cannot[:, 0]] != y[cannot[:, 1]]]
    photos = random.integers(0, 60, len(X))
    album = IncrementalGCNClustering(clusterer)
    album.fit(X[:n], cannot_link=cannot, cannot_link_groups=photos[:n])
    must = []

    def check():
        labels = album.labels_
        for left, right in must:
            assert labels[left] == labels[right] >= 0
        for left, right in cannot:
            assert labels[left] < 0 or labels[left] != labels[right]
        seen = [pair for pair in zip(photos, labels, strict=False) if pair[1] >= 0]
        assert len(seen) == len(set(seen))

    check()
    for start in range(n, n + 90, 30):
        pair = [start, start // 2]
        while photos[pair[0]] == photos[pair[1]] or pair[1] in cannot:
            pair[1] += 1
        must.append(pair)
        new = slice(start, start + 30)
        album.partial_fit(X[new], must_link=[pair], cannot_link_groups=photos[new])
        check()
    album.recluster()
    check()
    before = album.labels_
    with pytest.raises(ValueError, match="Constraints contradict each other"):
        album.partial_fit(X[:3], cannot_link=[must[0]])
    with pytest.raises(ValueError, match="must_link has row"):
        album.partial_fit(X[:3], must_link=[[0, 10_000]])
    np.testing.assert_array_equal(album.labels_, before)
    apart = np.flatnonzero(before == before[must[0][0]])[:2]
    if sorted(apart) != sorted(must[0]):
        album.partial_fit(X[:0], cannot_link=[apart])  # an answer, and no sample
        cannot = np.concatenate([cannot, [apart]])
        check()
    album.forget([cannot[0][0]])
    check()


def test_forget(half, samples):
    """Forgotten samples belong nowhere, are found by nobody, and leave no number of theirs behind."""
    X, _ = samples
    album = deepcopy(half)
    cluster = album.labels_[album.labels_ >= 0][0]
    members = np.flatnonzero(album.labels_ == cluster)
    album.forget(members[:-1])
    assert (album.labels_[members] == -1).all()  # one alone is no cluster
    assert {"update": 1, "event": "retired", "cluster": cluster, "into": []} in album.history_
    assert (album.predict(X[members]) != cluster).all()
    others = np.setdiff1d(np.arange(len(half.labels_)), members)
    np.testing.assert_array_equal(album.labels_[others], half.labels_[others])
    assert album.partial_fit(X[members]).recluster().labels_[members[0]] == -1
    for wrong in ([-1], [len(X)], [0.5]):
        with pytest.raises(ValueError, match=r"There is no row|rows must hold integers"):
            album.forget(wrong)


def test_mistakes(clusterer, samples):
    """One message each."""
    X, _ = samples
    album = IncrementalGCNClustering(clusterer)
    for method in (album.predict, album.forget):
        with pytest.raises(NotFittedError):
            method(X[:1])
    with pytest.raises(ValueError, match="a graph of old samples has no links to new"):
        IncrementalGCNClustering(GCNClustering(metric="precomputed")).fit(np.eye(4))
    album.fit(X[:50])
    with pytest.raises(ValueError, match="features"):
        album.partial_fit(X[:3, :5])
    with pytest.raises(ValueError, match="'estimator' parameter"):
        IncrementalGCNClustering(estimator=3).fit(X)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_metrics_and_equal_rows(metric):
    """Few features, rows of length zero, and rows that come again."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 3)) * 20
    X = np.repeat(centres, 25, axis=0) + random.normal(size=(200, 3)) * 0.3
    album = IncrementalGCNClustering(GCNClustering(metric=metric, random_state=0)).fit(X)
    before = album.labels_
    album.partial_fit(X[::20])
    np.testing.assert_array_equal(album.labels_[:200], before)
    assert (album.labels_[200:] == before[::20])[before[::20] >= 0].all()


@pytest.mark.parametrize(("offset", "unit"), [(0, 1), (1e9, 1), (0, 1e-25), (0, 1e20)])
def test_far_from_the_origin_and_in_any_unit(offset, unit):
    """What tells the time in seconds since 1970 is told apart as well as what tells it since today."""
    random = np.random.default_rng(1)
    X = (20 * random.normal(size=(8, 2))).repeat(40, axis=0) + 0.3 * random.normal(size=(320, 2))
    album = IncrementalGCNClustering(GCNClustering(random_state=0)).fit(offset + unit * X[::2])
    inside = album.labels_ >= 0
    assert inside.mean() > 0.9
    assert (album.predict(offset + unit * X[::2]) == album.labels_)[inside].mean() > 0.95
    album.partial_fit(offset + unit * X[1::2])
    old, new = album.labels_[:160], album.labels_[160:]
    assert (old == new)[inside].mean() > 0.95  # each new one is beside an old one of its cluster


def test_nothing_changes_if_fit_fails(half):
    """An album is as it was before, and takes samples of as many features as before."""
    album = deepcopy(half)
    X, before = half._state.blocks[0], half.labels_
    wider = np.concatenate([X, X], axis=1)
    with pytest.raises(ValueError, match="64 features"):
        album.fit(wider)
    np.testing.assert_array_equal(album.labels_, before)
    np.testing.assert_array_equal(album.predict(X[:20]), half.predict(X[:20]))


# The folder


def files(folder):
    """Names of the files in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


def assert_same(one, other, X):
    """Labels, history and predictions are those of the other."""
    np.testing.assert_array_equal(one.labels_, other.labels_)
    assert one.history_ == other.history_
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.fixture(scope="module")
def standalone(samples):
    """One that a file can hold: with the networks of the package."""
    X, _ = samples
    return IncrementalGCNClustering(GCNClustering(random_state=0)).fit(X[:200], cannot_link=[[0, 1]])


def test_saved_and_loaded(standalone, samples, tmp_path):
    """It goes on from where it was; rows stay on the disk; old files are not written again."""
    X, _ = samples
    album = deepcopy(standalone)
    album.save(tmp_path)
    loaded = IncrementalGCNClustering.load(tmp_path)
    assert_same(album, loaded, X[200:240])
    assert isinstance(loaded._state.blocks[0], np.memmap)
    rows = [name for name in files(tmp_path) if name.startswith("rows")]
    written = (tmp_path / rows[0]).stat().st_mtime_ns
    for one in (album, loaded):
        one.partial_fit(X[200:260], must_link=[[3, 210]])
    loaded.save(tmp_path)
    again = IncrementalGCNClustering.load(tmp_path)
    assert_same(album, again, X[260:300])
    assert (tmp_path / rows[0]).stat().st_mtime_ns == written
    assert len(files(tmp_path)) == 5  # two of rows; estimator, state, current
    again.forget([5])
    again.save(tmp_path)
    secret = X[5].tobytes()
    assert not any(secret in file.read_bytes() for file in tmp_path.iterdir())
    assert_same(again, IncrementalGCNClustering.load(tmp_path), X[260:300])


def test_other_files_in_the_folder_stay(standalone, tmp_path):
    """Only what was written there before goes, whatever others are called."""
    others = [
        "rows-2024.npy",
        "state-of-europe.npz",
        ".download.part",
        "estimator-mine.safetensors",
        "notes.txt",
    ]
    for name in others:
        (tmp_path / name).write_text("mine")
    standalone.save(tmp_path)
    old = set(files(tmp_path)) - set(others)
    left = f".rows-{'0' * 32}.npy.{'1' * 32}.part"  # of a process that was ended
    (tmp_path / left).write_text("half")
    grown = deepcopy(standalone)
    grown.partial_fit(np.asarray(standalone._state.blocks[0])[:3])
    grown.save(tmp_path)
    now = set(files(tmp_path))
    assert now >= set(others)
    assert left not in now
    assert {name for name in old - now if name.startswith("state-")}


def test_networks_of_another_are_kept(half, samples, tmp_path):
    """A folder holds them, for growth and for another fit."""
    X, _ = samples
    half.save(tmp_path)
    loaded = IncrementalGCNClustering.load(tmp_path)
    assert_same(half, loaded, X[-40:])
    np.testing.assert_array_equal(loaded.fit(X[: len(half.labels_)]).labels_, half.labels_)


class Killed(BaseException):
    """The process ends here."""


def test_killed_between_any_two_writes(standalone, samples, tmp_path, monkeypatch):
    """The folder loads with the old state or with the new one, and can be saved again."""
    X, _ = samples
    old, new = deepcopy(standalone), deepcopy(standalone).partial_fit(X[200:230])
    states = [old.labels_.tolist(), new.labels_.tolist()]
    seen, survived = set(), 0
    for step in range(100):
        folder = tmp_path / str(step)
        old.save(folder)
        calls = iter(range(step))

        def dying(original, calls=calls):
            def call(*args, **kwargs):
                if next(calls, None) is None:
                    raise Killed
                return original(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", dying(os.replace))
            patch.setattr(os, "fsync", dying(os.fsync))
            for name in ("open", "unlink"):
                patch.setattr(Path, name, dying(getattr(Path, name)))
            try:
                new.save(folder)
                survived += 1
            except Killed:
                pass
        loaded = IncrementalGCNClustering.load(folder)
        seen.add(states.index(loaded.labels_.tolist()))
        if step % 5 == 0:
            new.save(folder)
            assert IncrementalGCNClustering.load(folder).labels_.tolist() == states[1]
            assert len(files(folder)) == 5
        if survived:
            break
    assert survived
    assert step > 8
    assert seen == {0, 1}


def test_damaged_folder(standalone, tmp_path):
    """A message that names the folder."""
    with pytest.raises(FileNotFoundError, match=r"has no current\.json"):
        IncrementalGCNClustering.load(tmp_path)
    standalone.save(tmp_path)
    rows = next(tmp_path.glob("rows-*.npy"))
    rows.write_bytes(rows.read_bytes()[:-1000])
    with pytest.raises(ValueError, match="does not hold a clustering that this version can read"):
        IncrementalGCNClustering.load(tmp_path)


# Parts, against slow references


def test_search_over_blocks():
    """The nearest of all blocks, known rows only, each query without itself."""
    random = np.random.default_rng(0)
    X = random.normal(size=(120, 6)).astype(np.float32)
    known = random.random(120) < 0.8
    near = search(np.array_split(X, 4), X[:30], known, metric="euclidean", n_jobs=1, itself=np.arange(30))
    for row in range(30):
        distance = ((X - X[row]) ** 2).sum(axis=1)
        distance[~known], distance[row] = np.inf, np.inf
        np.testing.assert_array_equal(near.rows[row], np.argsort(distance)[:10])
    few = search([X[:3]], X[5:7], np.ones(3, bool), metric="euclidean", n_jobs=1)
    assert (np.sort(few.rows)[:, :7] == -1).all()


def test_attach():
    """A sample beside a tight cluster joins it, one far from it does not; -1 where outliers are nearest."""
    X = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [9.0], [9.4], [9.8]])
    ids = np.array([4, 4, 4, 4, -1, 7, 7, 7])
    queries = np.array([[0.15], [1.5], [5.0], [9.2]])
    near = search([X], queries, np.ones(8, bool), metric="euclidean", n_jobs=1)
    assert nearest_cluster(near, ids)[[0, 1, 3]].tolist() == [4, 4, 7]
    usual = {4: 0.02, 7: 0.25}
    cluster, certain = attach(near, ids, lambda rows: np.array([usual[number] for number in ids[rows]]), 1.5)
    assert certain.tolist() == [True, False, False, True]
    assert cluster[certain].tolist() == [4, 7]


def test_lasting_ids():
    """More than half must stay; parts and unions that do not qualify are new."""
    before = np.array([3, 3, 3, 3, 5, 5, 5, -1, -1, 8, 8])
    after = np.array([0, 0, 1, 1, 2, 2, 2, 2, 4, 2, 2])
    ids = lasting_ids(after, before, 10)
    assert ids[4:8].tolist() == [5] * 4  # the larger of two that merged
    assert ids[9:].tolist() == [5, 5]
    assert sorted({ids[0], ids[2], ids[8]}) == [10, 11, 12]  # two halves, and one that is new
    events = what_became(before, ids)
    assert {"event": "retired", "cluster": 8, "into": [5]} in events
    assert {"event": "retired", "cluster": 3, "into": [10, 11]} in events


def test_an_id_stays_with_its_cluster_among_parts_of_larger_ones():
    """Six of six members are there, and ten of twenty of another: the id is that of the six."""
    after, before = np.repeat([0, 1, 2, 3], [16, 3, 3, 4]), np.repeat([0, 1], [6, 20])
    assert lasting_ids(after, before, 2).tolist() == [0] * 16 + [2] * 3 + [3] * 3 + [4] * 4


def test_most_asked_takes_whole_clusters():
    """Those of which the largest share is near, as long as they fit; outliers are clusters of one."""
    ids = np.array([0, 0, 0, 0, 2, 2, -1, -1, 3, 3, 3])
    near = Near(np.array([[0, 4, 6], [5, 0, -1], [8, 1, 5]]), np.zeros((3, 3), np.float32))
    assert most_asked(near, ids, 100).tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]
    assert most_asked(near, ids, 7).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert most_asked(near, ids, 3).tolist() == [4, 5, 6]
    assert most_asked(near, ids, 0).tolist() == []
    assert most_asked(near, np.full(11, -1), 2).tolist() == [0, 5]


@pytest.mark.filterwarnings("ignore:.* of the samples are outliers")
def test_clusters_of_before_are_proposals():
    """What the sources of an estimator would never propose stays, where it was a cluster before."""
    random, y = np.random.default_rng(0), np.repeat(np.arange(5), 20)
    X = 10 * random.normal(size=(5, 40))[y] + random.normal(size=(100, 40))
    pairs = GCNClustering(proposals=[lambda rows: np.arange(len(rows)) // 2], random_state=0)
    album = IncrementalGCNClustering(pairs).fit(X)
    assert bcubed_fscore(y, album.labels_) < 0.5
    np.testing.assert_array_equal(match_labels(album.estimator_._predict_after(X, [y], None), y), y)
