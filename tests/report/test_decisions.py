"""Tests of the decisions that a report gives."""

import json

import numpy as np
import pytest

from sklearn_gcncluster import load_decisions

DECISIONS = {
    "format": 1,
    "n_samples": 9,
    "must_link": [[0, 8], [3, 2]],
    "cannot_link": [[1, 4]],
    "skipped": [[5, 6]],
}


def test_from_file_text_and_dict(tmp_path):
    """All give the same arrays of pairs; skipped questions are in neither."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(DECISIONS))
    for given in (path, str(path), path.read_text(), " \n" + path.read_text(), DECISIONS):
        must_link, cannot_link = decisions = load_decisions(given)
        np.testing.assert_array_equal(must_link, [[0, 8], [3, 2]])
        np.testing.assert_array_equal(cannot_link, [[1, 4]])
        assert must_link.dtype == cannot_link.dtype == np.int64
        assert decisions.must_link is must_link


def test_written_by_hand():
    """One kind of pair is enough; the other is empty, with two columns too. Arrays will do."""
    must_link, cannot_link = load_decisions({"must_link": np.array([[0, 1]])})
    assert must_link.shape == (1, 2)
    assert cannot_link.shape == (0, 2)
    assert load_decisions('{"cannot_link": []}').must_link.shape == (0, 2)


def test_file_with_byte_order_mark(tmp_path):
    """Editors put one there."""
    path = tmp_path / "decisions.json"
    path.write_text(json.dumps(DECISIONS), encoding="utf-8-sig")
    assert len(load_decisions(path).must_link) == 2


def test_number_of_samples():
    """Decisions about other samples are no decisions about these."""
    assert len(load_decisions(DECISIONS, n_samples=9).must_link) == 2
    with pytest.raises(ValueError, match="was made of 9 samples, but there are 10"):
        load_decisions(DECISIONS, n_samples=10)
    with pytest.raises(ValueError, match=r"must_link\[0\] .* has row 4; rows .* less than 3"):
        load_decisions({"must_link": [[0, 4]]}, n_samples=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"must_link": [[0, 9]]},
            r"must_link\[0\] of The dict has row 9; rows are at least 0 and less than 9",
        ),
        ({"must_link": [[0, 1], [-1, 2]]}, r"must_link\[1\] of The dict has row -1"),
        ({"cannot_link": [[3, 3]]}, r"cannot_link\[0\] of The dict must be two different rows, got 3 twice"),
        (
            {"cannot_link": [[1, 2, 3]]},
            r"cannot_link\[0\] of The dict must be two row numbers, got \[1, 2, 3\]",
        ),
        ({"cannot_link": [1, 2]}, r"cannot_link\[0\] of The dict must be two row numbers, got 1"),
        ({"cannot_link": [[1, 2.5]]}, "two row numbers"),
        ({"cannot_link": [[True, False]]}, "two row numbers"),
        ({"cannot_link": [["1", "2"]]}, "two row numbers"),
        ({"cannot_link": "none"}, "cannot_link of The dict must be a list of pairs of rows, got 'none'"),
        ({"cannot_link": [[8, 0]]}, r"Samples \(0, 8\) of The dict are called the same and different"),
        ({"format": 2}, "has format 2, and this version reads format 1"),
        ({"n_samples": "9"}, "n_samples of The dict must be an integer, got '9'"),
        ({"n_samples": None, "must_link": [[0, 2**63]]}, "has row 9223372036854775808"),
    ],
)
def test_errors(changes, message):
    """Name the pair and what is right."""
    with pytest.raises(ValueError, match=message):
        load_decisions(DECISIONS | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The text is no JSON: .*Download it again"),
        ("[[0, 1]]", "The text holds no decisions"),
        ('{"labels": [1]}', "The text holds no decisions"),
        ("[" * 100_000, "The text is no JSON"),
    ],
)
def test_other_text(text, message):
    """What is no JSON of decisions is said to be none."""
    with pytest.raises(ValueError, match=message):
        load_decisions(text)


def test_other_files(tmp_path):
    """A picture is no JSON, and what is not there cannot be read."""
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ValueError, match="picture.png is no JSON"):
        load_decisions(path)
    with pytest.raises(FileNotFoundError, match="nowhere.json"):
        load_decisions(tmp_path / "nowhere.json")
