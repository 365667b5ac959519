"""Links to names of other libraries, made from the names, so that no inventory has to be fetched.

A cross-reference that this documentation cannot resolve, such as to ``sklearn.cluster.KMeans``, leads to
the page that its library has for it.
"""

from docutils import nodes

SKLEARN = "https://scikit-learn.org/stable/modules/generated/"
MATPLOTLIB = "https://matplotlib.org/stable/api/_as_gen/"


def address(target: str, role: str) -> str | None:
    """The page of a name in another library, or None if its library is not known here."""
    library, _, rest = target.partition(".")
    if library == "sklearn" and rest and role == "meth":
        return f"{SKLEARN}{target.rpartition('.')[0]}.html#{target}"
    if library == "sklearn" and rest:
        return f"{SKLEARN}{target}.html"
    if library == "matplotlib" and rest:
        # Methods of axes have pages of their own.
        return f"{MATPLOTLIB}{target}.html"
    return None


def link_outside(app, env, node, content):
    """Answer to the event missing-reference."""
    uri = address(node.get("reftarget", ""), node.get("reftype", ""))
    if uri is None:
        return None
    return nodes.reference("", "", content, internal=False, refuri=uri)


def setup(app):
    """Register with Sphinx."""
    app.connect("missing-reference", link_outside)
    return {"version": "1", "parallel_read_safe": True}
