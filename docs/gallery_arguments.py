"""Command-line arguments of gallery scripts when the documentation is built."""


def fast(gallery_conf, script_vars):
    """Return the arguments for a short run.

    In a module of its own, because Sphinx can not store a function of conf.py.
    """
    return ["--fast"]
