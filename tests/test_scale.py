"""Tests of what large data need: files in place of memory, work by ranges, workers elsewhere."""

import errno
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone

from sklearn_gcncluster import GCNClustering, GCNSegmenter, _jobs, _scoring, _temporary
from sklearn_gcncluster._graph import _link_models, _neighbors
from sklearn_gcncluster._jobs import by_ranges, ranges_of, rows_in_memory, spread
from sklearn_gcncluster._temporary import empty_array, temporary_folder
from sklearn_gcncluster.datasets import make_identities


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def samples():
    """A few hundred identities: X."""
    return make_identities(400, n_features=32, class_spread=0.3, random_state=0)[0].astype(np.float32)


def many_small_tasks(monkeypatch):
    """Treat a few samples as many are: blocks of links, parts that are worth a worker, and cells."""
    monkeypatch.setattr(_link_models, "_BLOCK_LINKS", 4000)
    monkeypatch.setattr(_jobs, "_WORTH_A_WORKER", 0)
    monkeypatch.setattr(_scoring, "_PART_ROWS", 100)
    monkeypatch.setattr(_neighbors, "EXACT_UP_TO", 100)


def between(start, stop, values, factor):
    """Part of an array, times a factor; whether it is a memory map; and the process."""
    return (values[start:stop] * factor).tolist(), isinstance(values, np.memmap)


def process(start, stop, values):
    """Where a task runs."""
    return os.getpid()


def files_mapped():
    """What is in the memory of this process, and in which files it stands."""
    return Path("/proc/self/maps").read_text()


# Ranges


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_ranges_share_what_they_read(n_jobs, temporary):
    """Results come in order; processes map what they share from a file, which is gone afterwards."""
    values = np.arange(10.0)
    found = by_ranges(between, ranges_of(10, 4), n_jobs, values=values, factor=2)
    assert [part for part, _ in found] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]
    assert {mapped for _, mapped in found} == {n_jobs == 2}
    assert list(temporary.iterdir()) == []


def test_a_file_is_read_where_it_is(temporary, tmp_path, monkeypatch):
    """Processes read a memory map of the user's from its own file: no copy is written."""
    path = tmp_path / "values"
    np.arange(100_000.0).tofile(path)
    sizes, dump = [], joblib.dump
    monkeypatch.setattr(
        joblib, "dump", lambda value, to: sizes.append(Path(dump(value, to)[0]).stat().st_size)
    )
    values = np.memmap(path, np.float64, "r", offset=80, shape=(99_990,))
    found = by_ranges(between, [(0, 2), (99_989, 99_990)], 2, values=values, factor=1)
    assert found == [([10, 11], True), ([99_999], True)]
    by_ranges(between, [(0, 1), (1, 2)], 2, values=values[5:], factor=1)  # a part is no file of its own
    assert sizes[0] < 10_000 < sizes[1]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is mapped")
def test_workers_keep_nothing_mapped(temporary):
    """Workers that wait hold no file: joblib would take a large one for a leak, and replace the worker."""
    by_ranges(between, ranges_of(8, 1), 2, values=np.arange(1e6), factor=1)
    for mapped in joblib.Parallel(2)(joblib.delayed(files_mapped)() for _ in range(8)):
        assert str(temporary) not in mapped


def test_ranges_cover_everything():
    """Each item once, in order; small tasks stay together."""
    assert ranges_of(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert ranges_of(0, 4) == [(0, 0)]
    assert spread(3, 10) == [(0, 3)]
    assert spread(3, 10**9) == [(0, 1), (1, 2), (2, 3)]
    with sklearn.config_context(working_memory=4):
        assert rows_in_memory(2**10, most=10_000) == 2**10
        assert rows_in_memory(2**10, most=500) == 500
        assert rows_in_memory(2**30, most=500) == 16


# Files


def test_large_arrays_are_files(temporary):
    """Beyond working_memory an array is in a file, deleted once neither it nor a view of it is in use."""
    assert not isinstance(empty_array((100, 10), np.float32), np.memmap)
    assert list(temporary.iterdir()) == []
    with sklearn.config_context(working_memory=1):
        array = empty_array((2**9, 2**10), np.float32)
    array[:] = 3
    part = array[100:]
    del array
    assert len(list(temporary.iterdir())) == 1
    assert (part == 3).all()
    del part
    assert list(temporary.iterdir()) == []


def test_nothing_is_left_of_a_folder(temporary):
    """Not after an exception either."""

    def interrupted():
        with temporary_folder() as folder:
            (folder / "file").write_text("something")
            assert folder.parent == temporary
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(temporary.iterdir()) == []


def test_full_disk(temporary, samples, monkeypatch):
    """The error says what is full and where other space can be named; nothing is left behind."""
    many_small_tasks(monkeypatch)

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    estimator = GCNClustering(random_state=0)
    monkeypatch.setattr(_link_models.np, "save", fail)
    with pytest.raises(OSError, match=r"No space left on device.*JOBLIB_TEMP_FOLDER") as caught:
        estimator.fit(samples)
    assert caught.value.errno == errno.ENOSPC
    assert not hasattr(estimator, "labels_")
    with sklearn.config_context(working_memory=0), monkeypatch.context() as patch:
        patch.setattr(_temporary.np, "memmap", fail)
        with pytest.raises(OSError, match="JOBLIB_TEMP_FOLDER"):
            empty_array((10, 10), float)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("kind", ["path", "map"])
def test_samples_in_a_file(kind, samples, tmp_path):
    """A path, and a memory map of float16, give the clusters of the same values in memory; files stay."""
    half = samples.astype(np.float16)
    path = tmp_path / "X.npy"
    np.save(path, half)
    X = path if kind == "path" else np.load(path, mmap_mode="r")
    estimator = GCNClustering(random_state=0)
    expected = clone(estimator).fit(half.astype(np.float64))
    with sklearn.config_context(working_memory=0):  # scaled rows are in a file, too
        estimator.fit(X)
        np.testing.assert_array_equal(estimator.labels_, expected.labels_)
        assert estimator.n_features_in_ == 32
        np.testing.assert_array_equal(estimator.predict(str(path)), expected.labels_)
    np.testing.assert_array_equal(np.load(path), half)
    segmenter = GCNSegmenter(expected, random_state=0)
    np.testing.assert_array_equal(
        segmenter.fit(X).labels_, clone(segmenter).fit(half.astype(np.float32)).labels_
    )


def test_other_files_are_refused(tmp_path):
    """The error names the file, or what can be given."""
    with pytest.raises(ValueError, match=r"'X.csv'; of files, only .npy"):
        GCNClustering().fit("X.csv")
    with pytest.raises(FileNotFoundError, match=r"X.npy"):
        GCNClustering().fit(tmp_path / "X.npy")
    (tmp_path / "X.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00{")
    with pytest.raises(ValueError, match=r"X.npy cannot be read"):
        GCNClustering().fit(tmp_path / "X.npy")
    np.save(tmp_path / "X.npy", np.array([{}, []], dtype=object))
    with pytest.raises(ValueError, match=r"X.npy holds Python objects"):
        GCNClustering().fit(tmp_path / "X.npy")


# Workers


def test_labels_by_blocks_are_the_same(samples, temporary, monkeypatch):
    """Blocks of links in files, and one block in memory, give the same probabilities of links and labels."""
    expected = GCNClustering(random_state=0).fit(samples)
    monkeypatch.setattr(_link_models, "_BLOCK_LINKS", 1000)
    found = GCNClustering(random_state=0).fit(samples)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_allclose(found.probabilities_, expected.probabilities_, atol=1e-4)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_all_stages_on_two_workers(samples, temporary, monkeypatch, backend):
    """Search, links, proposals and scores are spread, with results to the last bit as on one."""
    many_small_tasks(monkeypatch)
    expected = GCNClustering(random_state=0).fit(samples)
    with joblib.parallel_config(backend):
        found = GCNClustering(random_state=0, n_jobs=2).fit(samples)
    assert expected.n_clusters_ > 5
    assert expected.recall_ == found.recall_
    for name in ("labels_", "probabilities_", "cluster_scores_"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert list(temporary.iterdir()) == []


def test_dask_cluster(samples, temporary, monkeypatch):
    """Two workers of a Dask cluster, which see the temporary folder, find the same clusters."""
    distributed = pytest.importorskip("distributed")
    many_small_tasks(monkeypatch)
    expected = GCNClustering(random_state=0).fit(samples)
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        assert os.getpid() not in by_ranges(process, ranges_of(8, 1), None, values=samples)
        found = GCNClustering(random_state=0).fit(samples)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_array_equal(found.probabilities_, expected.probabilities_)
