"""Configuration of Sphinx.

The environment variable SKLEARN_GCNCLUSTER_RUN_GALLERY has the gallery executed, with ``--fast``. It is off
by default, so that the documentation builds in seconds. Nothing here needs a network.
"""

import os
import sys
from pathlib import Path

import sklearn_gcncluster

sys.path.insert(0, str(Path(__file__).parent))  # for gallery and outside_links

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
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "outside_links",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"

extlinks = {
    "arxiv": ("https://arxiv.org/abs/%s", "arXiv:%s"),
    "doi": ("https://doi.org/%s", "doi:%s"),
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
    "within_subsection_order": "gallery.InReadingOrder",
    "reset_argv": "gallery.fast",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_gcncluster {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "logo": {"text": "sklearn_gcncluster"},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "start": [], "compare": [], "questions": [], "changelog": [], "references": []}
html_show_sourcelink = False

# Prompts and what is printed stay behind when code is copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
