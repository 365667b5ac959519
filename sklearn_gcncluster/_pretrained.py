"""Networks trained before: those that come with the package, those of a file, those of another estimator."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from sklearn.frozen import FrozenEstimator

from ._model import Learned
from ._persistence import load

UNIVERSAL = "universal"


def load_pretrained(source: str | Path | FrozenEstimator) -> Learned:
    """What was learned, by the parameter `pretrained`.

    Parameters
    ----------
    source : "universal", path or FrozenEstimator

    Raises
    ------
    ValueError
        If there are no networks in it.
    """
    if isinstance(source, FrozenEstimator):
        estimator = source.estimator
    elif isinstance(source, str) and source == UNIVERSAL:
        with resources.as_file(resources.files(__package__) / "data" / "universal.safetensors") as path:
            estimator = load(path)
    elif Path(source).is_file():
        estimator = load(source)
    else:
        raise ValueError(
            f'pretrained={str(source)!r} is no file. Give "{UNIVERSAL}", the path of a file written by the '
            "method save, None, or FrozenEstimator(fitted)."
        )
    learned = getattr(estimator, "learned_", None)
    if not isinstance(learned, Learned):
        raise ValueError(
            f"{estimator!r}, given as pretrained, has no networks. Give a GCNClustering or GCNSegmenter that "
            "was fitted."
        )
    return learned
