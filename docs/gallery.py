"""How scripts of the gallery are run and ordered; Sphinx can not store functions of conf.py itself."""

READING_ORDER = (
    "quickstart.py",
    "no_labels.py",
    "cluster_texts.py",
    "new_data.py",
    "refine.py",
    "review_session.py",
    "growing_album.py",
    "grid_search.py",
    "precomputed_graph.py",
)


def fast(gallery_conf, script_vars):
    """Command-line arguments for a short run, by which the documentation is built."""
    return ["--fast"]


class InReadingOrder:
    """Sort key of scripts: plain ones first; those that are not named here come last, by their names."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, filename):
        """Place of a script."""
        place = READING_ORDER.index(filename) if filename in READING_ORDER else len(READING_ORDER)
        return place, filename
