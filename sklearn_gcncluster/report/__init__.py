"""A page that shows clusters and asks about them.

`ClusterReport` computes what there is to show first (`_content`), and renders it elsewhere (`_html`, with
`page.html`, `page.css` and `page.js`). `load_decisions` reads the answers that were given on the page.
"""

from ._decisions import Decisions, load_decisions
from ._report import ClusterReport

__all__ = ["ClusterReport", "Decisions", "load_decisions"]
