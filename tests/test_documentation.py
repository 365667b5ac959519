"""The built documentation has all that is public.

sphinx-build builds it, into the folder that the environment variable SKLEARN_GCNCLUSTER_DOCS names.
"""

import inspect
import os
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import sklearn_gcncluster
from sklearn_gcncluster import baselines, datasets, metrics, plotting

REPOSITORY = Path(__file__).parents[1]
BUILT = os.environ.get("SKLEARN_GCNCLUSTER_DOCS")
OF_SCIKIT_LEARN = {
    "get_metadata_routing",
    "set_fit_request",
    "set_partial_fit_request",
    "set_predict_request",
}
"""Methods that the pages leave out: scikit-learn makes them, and its pages explain them."""


def public_names():
    """Names of functions and classes, and of methods, inherited ones included."""
    for module in (sklearn_gcncluster, baselines, datasets, metrics, plotting):
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isroutine(found) or inspect.isclass(found):
                yield f"{module.__name__}.{name}"
            if inspect.isclass(found):
                methods = {
                    name for name, _ in inspect.getmembers(found, callable) if not name.startswith("_")
                }
                yield from (f"{module.__name__}.{name}.{method}" for method in methods - OF_SCIKIT_LEARN)


def test_names_that_are_looked_for():
    """What users call most is among them."""
    names = set(public_names())
    for method in ("fit", "predict", "fit_predict", "score", "save", "diagnose", "set_params"):
        assert f"sklearn_gcncluster.GCNClustering.{method}" in names
    assert "sklearn_gcncluster.metrics.bcubed_fscore" in names
    assert "sklearn_gcncluster.plotting.ThresholdDisplay.from_predictions" in names


needs_documentation = pytest.mark.skipif(
    BUILT is None, reason="SKLEARN_GCNCLUSTER_DOCS names no folder with built documentation"
)


@needs_documentation
def test_all_that_is_public_has_an_entry():
    """Each name can be linked to, so it stands on a page."""
    *_, entries = (Path(BUILT) / "objects.inv").read_bytes().split(b"\n", 4)  # after four lines of header
    documented = {line.split()[0] for line in zlib.decompress(entries).decode().splitlines()}
    assert sorted(set(public_names()) - documented) == []


class Page(HTMLParser):
    """What a page links to, and what on it can be linked to."""

    def __init__(self, file):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Note links and anchors of an element."""
        found = dict(attributes)
        self.links |= {found[name] for name in ("href", "src") if found.get(name)}
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}


def broken_links(folder):
    """Links between pages of a folder that lead nowhere: page and link."""
    files = (
        file for file in folder.rglob("*.html") if "_static" not in file.parts
    )  # there are templates in it
    pages = {file.resolve(): Page(file) for file in files}
    for file, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            known = target in pages
            if not target.exists() or (known and parts.fragment not in {"", *pages[target].anchors}):
                yield file.name, link


def test_broken_links_are_found(tmp_path):
    """A page or a place on a page that is not there; what leads outside is not looked at."""
    (tmp_path / "one.html").write_text(
        '<a href="two.html#here">1</a><a href="#top" id="top">2</a><a href="https://example.org/x">3</a>'
        '<a href="two.html#there">4</a><a href="three.html">5</a>'
    )
    (tmp_path / "two.html").write_text('<p id="here">')
    assert sorted(broken_links(tmp_path)) == [("one.html", "three.html"), ("one.html", "two.html#there")]


@needs_documentation
def test_links_inside():
    """Each link leads to a page, and to a place on it."""
    assert sorted(broken_links(Path(BUILT))) == []


GALLERY = [file for file in (REPOSITORY / "examples").glob("*.py") if not file.name.startswith("make_")]


@pytest.mark.parametrize("file", GALLERY, ids=lambda file: file.name)
def test_gallery_scripts(file):
    """They work in a kernel, whose arguments are not theirs, and draw; the gallery has a place for each."""
    source = file.read_text(encoding="utf-8")
    assert "argparse" not in source
    assert "__file__" not in source
    assert "savefig" in source
    assert f'"{file.name}"' in (REPOSITORY / "docs" / "gallery.py").read_text(encoding="utf-8")
