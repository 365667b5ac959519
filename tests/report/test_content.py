"""Tests of what a report shows, before it becomes a page."""

import json
from time import perf_counter

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sklearn_gcncluster.report._content import picture_order, report_content

LABELS = [7, 3, 3, -1, 3, 7, -2]


def test_clusters():
    """The largest first; members by probability; outliers apart."""
    content = report_content(LABELS, probabilities=[0.2, 0.5, 0.9, 0, 0.9, 0.7, 0])
    assert [cluster["number"] for cluster in content["clusters"]] == [3, 7]
    assert [cluster["size"] for cluster in content["clusters"]] == [3, 2]
    assert [cluster["rows"] for cluster in content["clusters"]] == [[2, 4, 1], [5, 0]]
    assert content["outliers"] == [3, 6]
    assert content["n_samples"] == 7


def test_scores_and_exemplars():
    """They come in the order of the numbers, whatever the order on the page."""
    content = report_content(LABELS, cluster_scores=[[0.8, 0.9], [np.nan, 0.33333]], exemplars=[4, 0])
    (large, small) = content["clusters"]
    assert (large["predicted_iou"], large["predicted_iop"], large["rows"]) == (0.8, 0.9, [4, 1, 2])
    assert (small["predicted_iou"], small["predicted_iop"], small["rows"]) == (None, 0.3333, [0, 5])


@pytest.mark.parametrize("labels", [[], [-1, -1], [0]])
def test_few_samples(labels):
    """Nothing, only outliers, or a single sample can be shown too."""
    content = report_content(labels, probabilities=np.zeros(len(labels)), ids=["a"] * len(labels))
    assert content["n_samples"] == len(labels)
    assert sorted(picture_order(content)) == list(range(len(labels)))


def test_is_plain():
    """Content survives JSON as it is, also with values that JSON does not know."""
    content = report_content(
        np.array(LABELS, dtype=np.int32),
        probabilities=np.array([1, np.nan, 0.1, 0, 0, 0, 0], dtype=np.float32),
        cluster_scores=np.full((2, 2), np.nan),
        ids=np.arange(7),
        texts=np.array(list("abcdefg")),
        questions={"first": np.array([1]), "second": np.array([2]), "gain": np.array([np.nan])},
    )
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["ids"][3] == "3"
    assert content["probabilities"][:2] == [1, None]


def test_text_that_files_do_not_hold():
    """Bytes of file names that are no characters, and signs without a meaning, are replaced."""
    content = report_content([0, 0], ids=["b\udcffd", "nul\0"], texts=["two\nlines", "\x1b[0m"])
    assert content["ids"] == ["b?d", "nul\ufffd"]
    assert content["texts"] == ["two\nlines", "\ufffd[0m"]


QUESTIONS = {
    "kind": ["merge", "outlier"],
    "first": [0, 3],
    "second": [1, 4],
    "gain": [0.02, 0.01],
    "clusters": [[3, 7], [3]],
}


@pytest.mark.parametrize(
    "table",
    [
        QUESTIONS,
        pd.DataFrame(QUESTIONS),
        pl.DataFrame(QUESTIONS),
        [dict(zip(QUESTIONS, row, strict=True)) for row in zip(*QUESTIONS.values(), strict=True)],
    ],
    ids=["dict", "pandas", "polars", "dicts"],
)
def test_questions(table):
    """Tables of any kind give the same questions."""
    questions = report_content(LABELS, questions=table)["questions"]
    assert questions == [
        {"kind": "merge", "first": 0, "second": 1, "gain": 0.02, "clusters": [3, 7]},
        {"kind": "outlier", "first": 3, "second": 4, "gain": 0.01, "clusters": [3]},
    ]


def test_questions_of_two_columns():
    """Kind, gain and clusters may be missing."""
    table = np.array([(0, 1)], dtype=[("first", int), ("second", int)])
    questions = report_content(LABELS, questions=table)["questions"]
    assert questions == [{"kind": "", "first": 0, "second": 1, "gain": None, "clusters": []}]


def test_cells_without_a_value():
    """Empty cells of data frames are as good as columns that are not there."""
    table = pd.DataFrame([{**dict.fromkeys(QUESTIONS), "first": 0, "second": 1}, {"first": 0, "second": 2}])
    table.loc[0, "kind"] = pd.NA
    for question in report_content(LABELS, questions=table)["questions"]:
        assert (question["kind"], question["gain"], question["clusters"]) == ("", None, [])


def test_picture_order():
    """Samples in question and exemplars take turns, then come the second of each cluster."""
    content = report_content(LABELS, questions=[{"first": 4, "second": 6}, {"first": 4, "second": 0}])
    order = picture_order(content).tolist()
    assert order == [4, 1, 6, 0, 3, 2, 5]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"labels": [0.5]}, "labels must hold integers, got .*0.5"),
        ({"labels": ["a"]}, "labels must hold integers"),
        ({"probabilities": [0.5]}, "probabilities has 1 values for 7 samples"),
        ({"probabilities": [0, 0, 0, 2, 0, 0, 0]}, r"probabilities \(2.0\) must be from 0 to 1"),
        ({"cluster_scores": [[0.5, 0.5]]}, r"cluster_scores has shape \(1, 2\), but labels have 2 clusters"),
        ({"ids": "ab"}, "ids has 2 values for 7 samples"),
        ({"texts": ["a"]}, "texts has 1 values for 7 samples"),
        ({"exemplars": [1]}, "exemplars has 1 values for 2 clusters"),
        ({"exemplars": [0, 5]}, "exemplar of cluster 3, row 0, is in cluster 7"),
        ({"exemplars": [1, 9]}, "exemplar of cluster 7, row 9, is not one of 7 rows"),
        ({"questions": [{"first": 0}]}, "Question 0 has 'first', but must have 'first' and 'second'"),
        ({"questions": [{"first": 0, "second": 9}]}, "Question 0: second is row 9, but there are 7 samples"),
        ({"questions": [{"first": 0, "second": 0.5}]}, "second must be the row of a sample, got 0.5"),
        ({"questions": [{"first": 2, "second": 2}]}, "Question 0 asks about row 2 twice"),
    ],
)
def test_errors(inputs, message):
    """Say which value, and what is right."""
    with pytest.raises(ValueError, match=message):
        report_content(**{"labels": LABELS} | inputs)


def test_large():
    """A hundred thousand samples are a matter of moments."""
    random = np.random.default_rng(0)
    labels = random.integers(-1, 20_000, 100_000)
    start = perf_counter()
    content = report_content(labels, probabilities=random.random(100_000), ids=range(100_000))
    picture_order(content)
    assert perf_counter() - start < 10  # takes 0.7 s; machines that run tests are busy
