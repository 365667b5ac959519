"""Tests of the command line."""

import csv
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

import sklearn_gcncluster
from sklearn_gcncluster import GCNClustering, load
from sklearn_gcncluster._cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch, unseen, trained):
    """The current folder, with samples, their classes and a trained model."""
    X, y = unseen
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", X)
    np.savetxt("y.csv", y, fmt="%d")
    trained.save("model.safetensors")
    return tmp_path


@pytest.fixture
def run(capsys):
    """A function that runs a command and returns its exit code, stdout and stderr."""

    def run_command(*arguments):
        code = main(arguments)
        return code, *capsys.readouterr()

    return run_command


def test_cluster(folder, run, trained, unseen):
    """Labels and probabilities of all samples, the same to a file and to stdout; progress on stderr only."""
    code, out, err = run("cluster", "X.npy", "--model", "model.safetensors")
    assert code == 0
    rows = list(csv.DictReader(out.splitlines()))
    assert [int(row["row"]) for row in rows] == list(range(len(unseen[0])))
    np.testing.assert_array_equal([int(row["cluster"]) for row in rows], trained.predict(unseen[0]))
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    assert "GCNClustering: neighbors" in err
    code, nothing, err = run("cluster", "X.npy", "--model", "model.safetensors", "--out", "l.csv", "--quiet")
    assert (code, nothing, err) == (0, "", "")
    assert (folder / "l.csv").read_text() == out


def test_report(folder, run):
    """A page of the clusters beside the labels."""
    code, _, _ = run("cluster", "X.npy", "--model", "model.safetensors", "--report", "r.html", "--quiet")
    assert code == 0
    page = (folder / "r.html").read_text("utf-8")
    assert "Clusters of X.npy" in page
    assert "predicted IoU" in page


def test_universal(folder, run, unseen):
    """Without a model, the networks of the package cluster."""
    code, out, _ = run("cluster", "X.npy", "--quiet")
    assert code == 0
    labels = [int(row["cluster"]) for row in csv.DictReader(out.splitlines())]
    np.testing.assert_array_equal(labels, GCNClustering(random_state=0).fit_predict(unseen[0]))


def test_graph(folder, run, unseen):
    """A model of distances takes those of another number of samples."""
    distances = pairwise_distances(unseen[0])
    model = GCNClustering(metric="precomputed", random_state=0).fit(distances[:100, :100])
    model.save("graphs.safetensors")
    np.save("distances.npy", distances)
    code, out, _ = run("cluster", "distances.npy", "--model", "graphs.safetensors", "--quiet")
    assert code == 0
    labels = [int(row["cluster"]) for row in csv.DictReader(out.splitlines())]
    np.testing.assert_array_equal(labels, model.predict(distances))


@pytest.fixture
def small(monkeypatch):
    """What is trained is small, and starts from nothing."""
    settings = {"n_networks": 1, "hidden_channels": (16,), "max_epochs": 1, "pretrained": None}
    for name, value in settings.items():
        monkeypatch.setitem(GCNClustering.__init__.__kwdefaults__, name, value)


def test_train(folder, run, small, unseen):
    """A model that later clusters, and that does not remember to show progress."""
    X, y = (part[:120] for part in unseen)
    np.savez("both.npz", X=X, y=y)
    code, out, err = run("train", "both.npz", "both.npz", "--out", "new.safetensors", "--random-state", "3")
    assert (code, out) == (0, "")
    assert "train networks" in err
    model = load("new.safetensors")
    assert model.random_state == 3
    assert model.verbose is False
    expected = GCNClustering(random_state=3).fit(X, y).predict(X)
    np.testing.assert_array_equal(model.predict(X), expected)


def test_score(folder, run, unseen):
    """Clusters of a file against classes of another."""
    X, y = unseen
    np.save("perfect.npy", y + 5)
    code, out, _ = run("score", "perfect.npy", "y.csv")
    assert code == 0
    assert out.splitlines() == [
        "measure,precision,recall,fscore",
        "pairwise,1.0000,1.0000,1.0000",
        "bcubed,1.0000,1.0000,1.0000",
    ]
    run("cluster", "X.npy", "--model", "model.safetensors", "--out", "labels.csv", "--quiet")
    _, out, _ = run("score", "labels.csv", "y.csv")
    assert float(out.splitlines()[2].split(",")[3]) == pytest.approx(
        load("model.safetensors").score(X, y), abs=1e-4
    )


def test_inspect(folder, run):
    """What a model is."""
    code, out, _ = run("inspect", "model.safetensors")
    assert code == 0
    assert "estimator: GCNClustering(device='cpu', hidden_channels=(32, 16)" in out
    assert "features: 32" in out


def test_constraints(folder, run):
    """Decisions of a report hold in the clusters; those that contradict each other are a mistake."""
    command = ["cluster", "X.npy", "--model", "model.safetensors", "--quiet"]
    _, out, _ = run(*command)
    clusters = [int(line.split(",")[1]) for line in out.splitlines()[1:]]
    apart = next(row for row in range(1, len(clusters)) if clusters[row] != clusters[0])
    mates = next(row for row in range(1, len(clusters)) if clusters[row] == clusters[0])
    decisions = {"must_link": [[0, apart]], "cannot_link": [[0, mates]]}
    (folder / "c.json").write_text(json.dumps(decisions))
    code, out, _ = run(*command, "--constraints", "c.json")
    clusters = [int(line.split(",")[1]) for line in out.splitlines()[1:]]
    assert code == 0
    assert clusters[0] == clusters[apart] != clusters[mates]
    decisions["must_link"].append([apart, mates])
    (folder / "c.json").write_text(json.dumps(decisions))
    code, out, err = run(*command, "--constraints", "c.json")
    assert (code, out) == (1, "")
    assert f"rows 0 - {apart} - {mates} belong together" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cluster", "missing.npy"], "missing.npy: No such file"),
        (["cluster", "y.csv", "--model", "missing"], "missing"),
        (["cluster", "X.npy", "--model", "y.csv"], "y.csv is incomplete or is no safetensors file"),
        (["cluster", "X.txt"], "X.txt has the suffix '.txt'; give a file .npy, .npz, .csv or .parquet"),
        (["cluster", "few.csv", "--model", "model.safetensors"], "2 features, but model.safetensors was"),
        (["cluster", "X.npy", "--out", "no/where.csv"], "no/where.csv is in a folder that does not exist"),
        (["cluster", "X.npy", "--report", "."], ". is a folder"),
        (["cluster", "X.npy", "--constraints", "y.csv"], "y.csv is no JSON"),
        (["cluster", "X.npy", "--constraints", "other.json"], "of 3 samples, but there are"),
        (["train", "X.npy", "few.csv", "--out", "m"], "few.csv has 2 columns (1, 2), and none is called y"),
        (["train", "X.npy", "one.csv", "--out", "m"], "one.csv has 3 labels for"),
        (["train", "X.npy", "y.csv", "--out", "y.csv"], "y.csv is read, and would be overwritten"),
        (["cluster", "X.npy", "--out", "./X.npy"], "X.npy is read, and would be overwritten"),
        (["cluster", "X.npy", "--out", "a.csv", "--report", "./a.csv"], "a.csv would be written twice"),
        (["score", "one.csv", "y.csv"], "one.csv has 3 labels and y.csv"),
        (["inspect", "X.npy"], "X.npy is incomplete or is no safetensors file"),
    ],
)
def test_mistakes(folder, run, arguments, message):
    """One message, perhaps behind a bar, exit code 1, nothing on stdout, no new file."""
    (folder / "few.csv").write_text("1,2\n3,4\n5,6\n")
    (folder / "one.csv").write_text("1\n1\n2\n")
    (folder / "other.json").write_text('{"must_link": [], "n_samples": 3}')
    before = sorted(os.listdir(folder))
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    before_it, _, said = err.rpartition("sklearn-gcncluster: error: ")
    assert re.fullmatch(r"(\r\w+: +0%.*\n)?", before_it)
    assert message in said
    assert "Traceback" not in err
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize(
    "arguments", [[], ["paint"], ["cluster"], ["train", "X", "y"], ["cluster", "X", "--random-state", "-1"]]
)
def test_wrong_usage(arguments, capsys):
    """Exit code 2, and how it is used."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: sklearn-gcncluster" in capsys.readouterr().err


def test_failure_leaves_the_old_file(folder, run, monkeypatch):
    """An error while the model is written does not cost the model that was there."""

    def half(self, path, **kwargs):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(GCNClustering, "fit", lambda self, X, y: self)
    monkeypatch.setattr(GCNClustering, "save", half)
    before = (folder / "model.safetensors").read_bytes()
    code, _, err = run("train", "X.npy", "y.csv", "--out", "model.safetensors", "--quiet")
    assert code == 1
    assert "No space left on device" in err
    assert (folder / "model.safetensors").read_bytes() == before
    assert not [name for name in os.listdir(folder) if name.endswith(".part")]


def python_m(*arguments, **kwargs):
    """Run the module in a process of its own."""
    command = [sys.executable, "-m", "sklearn_gcncluster", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)


def test_process(folder):
    """``python -m`` gives the exit codes, without a traceback, and warnings in one line."""
    missing = python_m("cluster", "missing.npy")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert re.fullmatch("sklearn-gcncluster: error: missing.npy: No such file or directory\n", missing.stderr)
    np.save("far.npy", np.random.default_rng(0).uniform(size=(60, 40)) ** 9)
    far = python_m("cluster", "far.npy", "--quiet")
    assert far.returncode == 0
    assert all(line.startswith("sklearn-gcncluster: warning: ") for line in far.stderr.splitlines())


@pytest.mark.skipif(os.name != "posix", reason="closed pipes are another error elsewhere")
def test_closed_pipe(folder):
    """Whoever reads stdout may stop, as head does, without a complaint."""
    command = [sys.executable, "-m", "sklearn_gcncluster", "score", "y.csv", "y.csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_version(capsys):
    """It is that of the package."""
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"sklearn-gcncluster {sklearn_gcncluster.__version__}\n"


def test_help_needs_no_torch():
    """Nobody waits for torch to see the help."""
    code = (
        "import sys; from sklearn_gcncluster._cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print('torch' in sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "False"
    assert "inspect" in run.stdout
