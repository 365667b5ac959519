"""Tests of samples and labels from files."""

import sys

import numpy as np
import pandas as pd
import pytest

from sklearn_gcncluster._tables import read_labels, read_samples

X = np.array([[0.5, -1.0, 2e-3], [1.0, 0.0, 4.0]])


def test_samples(tmp_path):
    """The same numbers from each kind of file."""
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "only.npz", whatever=X)
    np.savez(tmp_path / "named.npz", X=X, y=[0, 1])
    np.savetxt(tmp_path / "plain.csv", X, delimiter=",")
    pd.DataFrame(X, columns=["a", "b, c", "d"]).to_csv(tmp_path / "HEADER.CSV", index=False)
    pd.DataFrame(X).to_csv(tmp_path / "mark.csv", index=False, header=False, encoding="utf-8-sig")
    pd.DataFrame(X).to_csv(tmp_path / "unnamed.csv", index=False)  # whose header is 0, 1, 2
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_samples(path), X)


def test_labels(tmp_path):
    """One column, or the one that is called so, with or without a header."""
    texts = {
        "plain.csv": "3\n-1\n3\n",
        "header.csv": "anything\n3\n-1\n3\n",
        "floats.csv": "y\n3.0\n-1.0\n3.0\n",
        "science.csv": "3.000e+00\n-1.000e+00\n3.000e+00\n",
        "named.csv": 'row,label\n0,3\n1,"-1"\n2, 3\n',
        "clusters.csv": "row,cluster,probability\n0,3,0.5\n1,-1,0\n2,3,0.9\n",
        "blank_line.csv": "3\n-1\n\n3\n\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    np.save(tmp_path / "a.npy", [3, -1, 3])
    np.savez(tmp_path / "a.npz", X=X, y=[3, -1, 3])
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_labels(path), [3, -1, 3])


def test_names(tmp_path):
    """They become numbers, but for -1, which means that there is none."""
    (tmp_path / "header.csv").write_text("label\npear\n-1\napple\npear\n")
    (tmp_path / "plain.csv").write_text("pear\n-1\napple\npear\n")
    np.save(tmp_path / "a.npy", ["pear", "-1", "apple", "pear"])
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_labels(path), [2, -1, 1, 2])
    (tmp_path / "hashes.csv").write_text("y\n99999999999999999999\n-1\n12345678901234567890\n")
    np.testing.assert_array_equal(read_labels(tmp_path / "hashes.csv"), [2, -1, 1])


def test_parquet(tmp_path):
    """Columns of numbers, or one of lists."""
    pytest.importorskip("pyarrow")
    pd.DataFrame(X, columns=list("abc")).to_parquet(tmp_path / "columns.parquet")
    pd.DataFrame({"embedding": list(X)}).to_parquet(tmp_path / "lists.parquet")
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_samples(path), X)
    pd.DataFrame({"y": [3, -1], "z": [0, 0]}).to_parquet(tmp_path / "y.parquet")
    np.testing.assert_array_equal(read_labels(tmp_path / "y.parquet"), [3, -1])
    pd.DataFrame({"y": ["a", None]}).to_parquet(tmp_path / "y.parquet")
    with pytest.raises(ValueError, match="has no label for sample 1"):
        read_labels(tmp_path / "y.parquet")
    pd.DataFrame({"a": [1.0], "name": ["b"]}).to_parquet(tmp_path / "names.parquet")
    with pytest.raises(ValueError, match="Column 'name' of .* columns of numbers only"):
        read_samples(tmp_path / "names.parquet")
    pd.DataFrame({"a": [[1.0], [1.0, 2.0]]}).to_parquet(tmp_path / "ragged.parquet")
    with pytest.raises(ValueError, match="lists of several lengths"):
        read_samples(tmp_path / "ragged.parquet")
    (tmp_path / "bad.parquet").write_text("1")
    with pytest.raises(ValueError, match="bad.parquet cannot be read"):
        read_samples(tmp_path / "bad.parquet")


def test_without_pyarrow(monkeypatch):
    """The error tells how to get it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        read_samples("X.parquet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "X.csv is empty"),
        (
            "a,b\n1,2\n3,x\n",
            "no table of numbers: could not convert string 'x'.*row 1, column 2; rows are",
        ),
        ("1,2\n3\n", "X.csv is no table of numbers: .*columns"),
        ("1,2\n3,\n", "X.csv is no table of numbers"),
    ],
)
def test_bad_samples_csv(tmp_path, text, message):
    """Say where the table has something else than numbers."""
    (tmp_path / "X.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_samples(tmp_path / "X.csv")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_index_of_pandas(tmp_path, name):
    """A first column without a name that counts the rows is no feature; with a name it is one."""
    path, X = tmp_path / "X.csv", np.random.default_rng(0).normal(size=(4, 2)).round(3)
    lines = [f"{number},{row[0]},{row[1]}" for number, row in enumerate(X)]
    path.write_text("\n".join([f"{name},a,b", *lines]))
    with pytest.warns(UserWarning, match="X.csv has no name and counts the rows"):
        np.testing.assert_array_equal(read_samples(path), X)
    path.write_text("\n".join(["number,a,b", *lines]))
    assert read_samples(path).shape == (4, 3)
    path.write_text("\n".join([f"{name},a,b", *lines[::-1]]))
    assert read_samples(path).shape == (4, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "y.csv is empty"),
        ("a,b\n1,2\n", r"y.csv has 2 columns \(a, b\), and none is called y or label"),
        ('"' + 200_000 * "1", "y.csv cannot be read: field larger than field limit"),
        ("y,b\n1,2\n3\n", "y.csv has 1 cells in row 3, and 2 in the first row"),
        ("y,b\n1,2\n,3\n", "y.csv has no label for sample 1"),
        ("1\n0.5\n", "y.csv has the label 0.5 for sample 1; give integers or names"),
        ("1\nnan\n", "y.csv has the label nan for sample 1"),
        ("1\n-inf\n", "y.csv has the label -inf for sample 1"),
        ("1.0\n1e16\n", "y.csv has the label 1e16 for sample 1"),
    ],
)
def test_bad_labels_csv(tmp_path, text, message):
    """Say what is missing."""
    (tmp_path / "y.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_labels(tmp_path / "y.csv")


def test_bad_arrays(tmp_path):
    """Files that execute something are not loaded, and others say what they hold."""
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object))
    np.save(tmp_path / "flat.npy", np.zeros(3))
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    np.savez(tmp_path / "two.npz", a=X, b=X)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "flat.npy").read_bytes()[:140])
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:200])
    np.savez_compressed(tmp_path / "packed.npz", X=np.arange(100.0).reshape(10, 10))
    packed = bytearray((tmp_path / "packed.npz").read_bytes())
    packed[60:90] = bytes(30)
    (tmp_path / "packed.npz").write_bytes(packed)
    header = (tmp_path / "flat.npy").read_bytes().replace(b"}", b"(", 1)
    (tmp_path / "header.npy").write_bytes(header)
    for name, message in {
        "objects.npy": "holds Python objects, which may execute something",
        "flat.npy": r"holds an array of shape \(3,\) with float64 values",
        "text.npy": "with str.* values",
        "two.npz": r"two.npz has 2 arrays \(a, b\), and none is called X",
        "cut.npy": "cut.npy cannot be read",
        "empty.npy": "empty.npy cannot be read",
        "cut.npz": "cut.npz cannot be read",
        "packed.npz": "packed.npz cannot be read",
        "header.npy": "header.npy cannot be read",
    }.items():
        with pytest.raises(ValueError, match=message):
            read_samples(tmp_path / name)
    np.save(tmp_path / "square.npy", X)
    with pytest.raises(ValueError, match=r"shape \(2, 3\); labels are one-dimensional"):
        read_labels(tmp_path / "square.npy")
