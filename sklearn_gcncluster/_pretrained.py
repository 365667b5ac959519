"""Networks trained before: those that come with the package, those of a file, those of another estimator."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator

from ._graph._link_models import Weights
from ._persistence import load

UNIVERSAL = "universal"
_SHAPING = ("affinity", "node_features", "hidden_channels", "pooling")


class Pretrained(NamedTuple):
    """Networks of an earlier training."""

    weights: Weights
    parameters: dict[str, Any]
    """Parameters that say what the networks look at and how they are built, as :func:`shaping` gives them."""


def load_pretrained(source: str | Path | FrozenEstimator) -> Pretrained:
    """Networks by the parameter `pretrained`.

    Parameters
    ----------
    source : "universal", path or FrozenEstimator

    Raises
    ------
    TypeError
        If it is no such thing.
    ValueError
        If there are no networks in it.
    """
    if isinstance(source, FrozenEstimator):
        estimator = source.estimator
    elif isinstance(source, str) and source == UNIVERSAL:
        with resources.as_file(resources.files(__package__) / "data" / "universal.safetensors") as path:
            estimator = load(path)
    elif isinstance(source, str | Path):
        if not Path(source).is_file():
            raise ValueError(
                f'pretrained={str(source)!r} is no file. Give "{UNIVERSAL}", the path of a file written by '
                "the method save, None, or FrozenEstimator(fitted)."
            )
        estimator = load(source)
    else:
        raise TypeError(
            f"pretrained is {source!r}. A fitted estimator is given as FrozenEstimator(fitted), since others "
            "would lose what they learned when this one is cloned."
        )
    parameters = estimator.get_params(deep=False)
    if not hasattr(estimator, "weights_") or not set(_SHAPING) <= set(parameters):
        raise ValueError(
            f"{estimator!r}, given as pretrained, has no networks. Give a GCNClustering or GCNSegmenter that "
            "was fitted with labels."
        )
    parameters |= getattr(estimator, "_borrowed", {})
    weights = {  # those of the package are stored in half precision
        part: {name: array.astype(np.float32) for name, array in arrays.items()}
        for part, arrays in estimator.weights_.items()
    }
    return Pretrained(weights, shaping(parameters))


def shaping(parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of an estimator's parameters that say what networks look at and how they are built."""
    chosen = {name: parameters[name] for name in _SHAPING}
    return chosen | {"hidden_channels": tuple(chosen["hidden_channels"])}
