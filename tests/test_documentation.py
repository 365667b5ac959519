"""The built documentation has all that is public.

sphinx-build builds it, into the folder that the environment variable SKLEARN_GCNCLUSTER_DOCS names.
"""

import inspect
import os
import zlib
from pathlib import Path

import pytest

import sklearn_gcncluster
from sklearn_gcncluster import baselines, datasets, metrics, plotting

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


@pytest.mark.skipif(BUILT is None, reason="SKLEARN_GCNCLUSTER_DOCS names no folder with built documentation")
def test_all_that_is_public_has_an_entry():
    """Each name can be linked to, so it stands on a page."""
    *_, entries = (Path(BUILT) / "objects.inv").read_bytes().split(b"\n", 4)  # after four lines of header
    documented = {line.split()[0] for line in zlib.decompress(entries).decode().splitlines()}
    assert sorted(set(public_names()) - documented) == []
