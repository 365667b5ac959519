"""Configuration of Sphinx.

Two environment variables, both off by default so that the documentation builds quickly and
without a network:

SKLEARN_GCNCLUSTER_RUN_GALLERY
    Execute the gallery, with ``--fast``.
SKLEARN_GCNCLUSTER_INTERSPHINX
    Link to the documentation of Python, NumPy, SciPy and scikit-learn.
"""

import os
import sys
from pathlib import Path

import sklearn_gcncluster

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_arguments

project = "sklearn_gcncluster"
author = "sklearn_gcncluster developers"
copyright = "2026, sklearn_gcncluster developers"
version = release = sklearn_gcncluster.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"

extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
}
if os.environ.get("SKLEARN_GCNCLUSTER_INTERSPHINX"):
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "python": ("https://docs.python.org/3", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # types stand in the docstrings, where they say shapes and ranges too

# Docstrings of everything on the API page are validated; with sphinx-build -W a fault is an error.
numpydoc_show_class_members = False
numpydoc_validation_checks = {
    "all",
    "ES01",  # not everything needs more than a summary,
    "EX01",  # an example (every class and function has one, not every method),
    "SA01",  # or a list of relatives
    "SA04",
    "GL01",  # summaries start on the line of the quotes, as in PEP 257
    "RT02",  # a single returned value may have a name, as "self : object" in scikit-learn
}
numpydoc_validation_exclude = {
    # Methods inherited from scikit-learn, and modules, which have no parameters or examples.
    r"\.(get|set)_params$",
    r"\.get_metadata_routing$",
    r"\.set_\w+_request$",
    r"^sklearn_gcncluster(\.\w+)?$",
}


sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "ignore_pattern": r"(^|/)make_\w+\.py$",  # generators of the data sets in the package
    "plot_gallery": bool(os.environ.get("SKLEARN_GCNCLUSTER_RUN_GALLERY")),
    "filename_pattern": r"\.py$",
    "reset_argv": "gallery_arguments.fast",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_gcncluster {version}"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_sidebars = {"**": []}
