"""Tests of the report as a whole, without a browser."""

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from sklearn_gcncluster import ClusterReport
from sklearn_gcncluster.datasets import load_glyphs

MALICE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">',
    "</script><script>window.hacked = 1</script>",
    "</noscript></title></style><b id=injected>",
    "<!-- <script>",
    "' onmouseover='window.hacked = 1",
    "$title ${content} \\u003c \u2028 \u202e &amp;",
    "=HYPERLINK(0)",
    "+1;=cmd()",
]
"""Names that would do harm if they became a part of the page or of a table."""


@pytest.fixture
def malicious():
    """A report in which all that users give is malicious."""
    labels = [0, 0, 0, 0, 1, 1, 1, -1, -1]
    question = {"kind": MALICE[0], "first": 1, "second": 2, "clusters": [0]}
    return ClusterReport(labels, ids=MALICE, texts=MALICE, questions=[question], title=MALICE[3])


class Outline(HTMLParser):
    """Tags of a page; complains of those that are not closed, or twice."""

    VOID = ("meta", "link", "input", "img", "br")

    def __init__(self, page):
        super().__init__()
        self.tags, self._open = [], []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        """Note it, and that it is open."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        """Only the last that was opened can end."""
        assert self._open.pop() == tag


def test_page_is_complete(malicious):
    """Tags match, and what users gave makes no tags: they are those of a harmless report."""
    harmless = ClusterReport(
        [0, 0, 0, 0, 1, 1, 1, -1, -1],
        ids=list("abcdefghi"),
        texts=list("abcdefghi"),
        questions=[{"kind": "a", "first": 1, "second": 2, "clusters": [0]}],
    )
    tags, expected = Outline(malicious._page).tags, Outline(harmless._page).tags
    assert [tag for tag, _ in tags] == [tag for tag, _ in expected]
    assert [list(attributes) for _, attributes in tags] == [list(attributes) for _, attributes in expected]
    identifiers = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


def test_content_of_the_page(malicious):
    """The JSON in it says what was given, and ends where it should."""
    (data,) = re.findall(r'<script type="application/json" id="content">(.*?)</script>', malicious._page)
    content = json.loads(data)
    assert content["ids"] == malicious.content["ids"]
    assert content["title"] == MALICE[3]
    assert not set("<>&") & set(data)


def test_nothing_from_outside(malicious):
    """No address leads out of the page, and its policy allows none."""
    for tag, attributes in Outline(malicious._page).tags:
        for name in ("src", "href", "action", "srcset", "data"):
            assert attributes.get(name, "data:").startswith("data:"), tag
    policy = next(
        attributes["content"] for _, attributes in Outline(malicious._page).tags if "http-equiv" in attributes
    )
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r"https?://|@import|url\(", malicious._page)


def test_tables_without_scripts():
    """They tell of clusters and questions, and of how many there are."""
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(600), 2)
    questions = {"first": range(300), "second": range(300, 600)}
    report = ClusterReport(labels, cluster_scores=random.random((600, 2)), questions=questions)
    (static,) = re.findall(r"<noscript>(.*?)</noscript>", report._page, re.DOTALL)
    assert "the first 500 of 600" in static
    assert "the first 200 of 300" in static
    assert "predicted IoU" in static
    assert "predicted IoU" not in ClusterReport(labels)._page.split("<noscript>")[1]


def test_long_texts_are_cut_in_the_page_only():
    """The page need not hold whole books."""
    report = ClusterReport([0], texts=["word " * 1000])
    assert len(report._page) < 50_000
    assert report.content["texts"] == ["word " * 1000]


@pytest.mark.parametrize("labels", [[], [-1], [0], [0, 1]])
def test_few_samples(labels):
    """There is a page of nothing, too."""
    assert "<dt>samples</dt>" in ClusterReport(labels)._page


def test_write_html(tmp_path, malicious):
    """The page as a file in UTF-8, the same whenever it is written."""
    malicious.write_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_bytes() == malicious._page.encode()
    with pytest.raises(FileNotFoundError):
        malicious.write_html(tmp_path / "nowhere" / "report.html")


def test_in_a_notebook(malicious):
    """In a frame of its own that holds the whole page, and can reach nothing outside."""
    ((tag, attributes),) = Outline(malicious._repr_html_()).tags
    assert tag == "iframe"
    assert attributes["srcdoc"] == malicious._page
    assert "allow-same-origin" not in attributes["sandbox"]


def test_csv(tmp_path, malicious):
    """One line for each sample; formulas are defused, and all else is as it was."""
    lines = list(csv.DictReader(io.StringIO(malicious.to_csv())))
    assert [int(line["row"]) for line in lines] == list(range(9))
    assert [int(line["cluster"]) for line in lines] == [0, 0, 0, 0, 1, 1, 1, -1, -1]
    assert [line["id"] for line in lines] == [*MALICE[:7], "'=HYPERLINK(0)", "'+1;=cmd()"]
    assert malicious.to_csv(tmp_path / "clusters.csv") is None
    frame = pd.read_csv(tmp_path / "clusters.csv", keep_default_na=False)
    assert frame["text"].tolist() == [line["text"] for line in lines]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝", "＠"])
def test_formulas(start):
    """No cell with a text begins with a sign that a spreadsheet computes."""
    table = ClusterReport([0, -1], ids=[f"{start}1", "a"], probabilities=[0.5, 0]).to_csv()
    assert table == f'"row","id","cluster","probability"\n0,"\'{start}1",0,0.5\n1,"a",-1,0.0\n'


def test_json(tmp_path, malicious):
    """What is written is what is shown."""
    assert json.loads(malicious.to_json()) == malicious.content
    assert malicious.to_json(tmp_path / "clusters.json") is None
    assert json.loads((tmp_path / "clusters.json").read_text("utf-8")) == malicious.content


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"pictures": [None]}, "pictures has 1 values for 2 samples"),
        ({"max_megabytes": -1}, r"max_megabytes \(-1\) must be at least 0"),
        ({"picture_size": 0}, r"picture_size \(0\) must be at least 1"),
    ],
)
def test_errors(inputs, message):
    """They come when the report is made, not when it is shown."""
    with pytest.raises(ValueError, match=message):
        ClusterReport([0, 1], **inputs)


def test_readable():
    """Texts stand out from what is behind them, light and dark (WCAG 2, level AA)."""
    style = ClusterReport([0])._page.split("<style>")[1].split("</style>")[0]
    for scheme in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        colors = dict(re.findall(r"--([\w-]+): (#\w{6})", scheme))
        pairs = [
            (text, paper)
            for text in ("ink", "faint", "accent", "same", "different")
            for paper in ("paper", "card")
        ]
        for text, paper in [*pairs, ("ink", "faded"), ("on-accent", "accent")]:
            light = sorted([_luminance(colors[text]), _luminance(colors[paper])])
            assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5, (text, paper)


def _luminance(color):
    channels = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_quick():
    """Ten thousand samples with pictures take moments."""
    glyphs = load_glyphs()
    labels = np.unique(glyphs.target, return_inverse=True)[1]
    start = perf_counter()
    page = ClusterReport(labels, pictures=glyphs.images, ids=glyphs.typefaces)._page
    assert perf_counter() - start < 15  # takes 1.2 s; machines that run tests are busy
    assert page.count("data:image/png") > 9000


def test_import_without_pillow_and_torch():
    """Who wants no pictures needs neither."""
    code = (
        "import sys, sklearn_gcncluster as package; package.ClusterReport([0])._page; package.match_labels;"
        "print([name for name in ('PIL', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
