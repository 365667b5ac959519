"""What was learned <-> named arrays and plain values, as files hold them; checked when it is read.

Arrays are named by the fields of :class:`Learned` on the way to them: ``links/first/0/weights/1``,
``detection/2/parameters/head.bias``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ._graph._link_features import N_PROBABILITY
from ._graph._link_models import N_CONTEXT, N_ONE_SET
from ._graph._room import N_LENGTHS
from ._model import N_SEED_INPUTS, Frame, Learned, LinearMap, LinkModels, LinkNetwork, Network
from ._proposals._extent import N_WITH_EXTENT

_KINDS = {
    "affinity": ("learned", "neighborhood", "cosine"),
    "node_features": ("structure", "embedding", "both"),
    "pooling": ("max", "mean", "sum"),
}


def arrays_of(value: Any, name: str = "") -> dict[str, np.ndarray]:
    """Arrays of a record of this package, by name."""
    if isinstance(value, np.ndarray):
        return {name: value}
    if isinstance(value, dict):
        parts = value
    elif hasattr(value, "_fields"):
        parts = value._asdict()
    elif isinstance(value, tuple) and not all(isinstance(part, int) for part in value):
        parts = {str(number): part for number, part in enumerate(value)}
    else:
        return {}
    prefix = f"{name}/" if name else ""
    inside = [arrays_of(part, prefix + field) for field, part in parts.items()]
    return {key: array for arrays in inside for key, array in arrays.items()}


def choices_of(learned: Learned) -> dict[str, Any]:
    """The rest of what was learned, as values of JSON."""
    return {
        "affinity": learned.affinity,
        "node_features": learned.node_features,
        "hidden_channels": [int(width) for width in learned.hidden_channels],
        "pooling": learned.pooling,
        "n_neighbors": learned.n_neighbors,
        "n_classes": learned.n_classes,
        "unit": None if learned.frame is None else learned.frame.unit,
    }


def learned_of(arrays: dict[str, np.ndarray], choices: dict[str, Any]) -> Learned:
    """Build what was learned again.

    Parameters
    ----------
    arrays, choices
        As from :func:`arrays_of` and :func:`choices_of`.

    Raises
    ------
    ValueError
        If something is missing, or does not fit the rest.
    """
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *parents, last = name.split("/")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = array
    frame, links = tree.get("frame"), tree.get("links")
    if links is not None:
        rounds = _link_networks(links["first"]), _link_networks(links["second"])
        links = LinkModels(*rounds, links["low"], links["high"])
    learned = Learned(
        choices["affinity"],
        choices["node_features"],
        tuple(choices["hidden_channels"]),
        choices["pooling"],
        choices["n_neighbors"],
        choices["n_classes"],
        None if frame is None else Frame(frame["origin"], float(choices["unit"])),
        LinearMap(**tree["map"]) if "map" in tree else None,
        links,
        tuple(Network(**network) for network in _in_order(tree["detection"])),
        Network(**tree["segmentation"]) if "segmentation" in tree else None,
    )
    _check(learned, arrays)
    return learned


def _in_order(branch):
    return [branch[str(number)] for number in range(len(branch))]


def _link_networks(branch):
    networks = []
    for one in _in_order(branch):
        layers = {name: tuple(_in_order(one[name])) for name in ("weights", "biases")}
        networks.append(LinkNetwork(**{"context_mean": None, "context_std": None, **one, **layers}))
    return tuple(networks)


def _check(learned, arrays):
    """Raise ValueError or LookupError if arrays do not fit each other."""
    for name, known in _KINDS.items():
        if getattr(learned, name) not in known:
            raise ValueError(f"{name} is {getattr(learned, name)!r}, none of {', '.join(known)}")
    for name in ("n_neighbors", "n_classes"):
        number = getattr(learned, name)
        if number is not None and (type(number) is not int or number < 1):
            raise ValueError(f"{name} is {number!r}, and should be a positive integer")
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds something other than finite numbers")
    expected: dict[str, tuple[int, ...]] = {}
    looks_at_rows = learned.map is not None or learned.node_features != "structure"
    if looks_at_rows != (learned.frame is not None):
        raise ValueError("frame/origin goes with what looks at rows, and with nothing else")
    if learned.frame is not None:
        n_features = learned.frame.origin.size
        expected["frame/origin"] = (n_features,)
    if learned.map is not None:
        expected |= {"map/mean": (n_features,), "map/directions": (n_features, n_features)}
    if (learned.links is not None) != (learned.affinity == "learned"):
        raise ValueError(f'models of links do not go with affinity="{learned.affinity}"')
    if learned.links is not None:
        expected |= {"links/low": (N_ONE_SET,), "links/high": (N_ONE_SET,)}
        for round_name, n_inputs in (("first", N_ONE_SET), ("second", N_ONE_SET + N_PROBABILITY)):
            for number, model in enumerate(getattr(learned.links, round_name)):
                n_seen = n_inputs + N_LENGTHS * (model.n_features > n_inputs)
                expected |= _link_shapes(model, n_seen, f"links/{round_name}/{number}")
    for number, network in enumerate(learned.detection):
        expected |= _network_shapes(learned, network, 2, f"detection/{number}")
    if learned.segmentation is not None:
        expected |= _network_shapes(learned, learned.segmentation, 1, "segmentation")
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        wrong = sorted(set(found.items()) ^ set(expected.items()))[0][0]
        raise ValueError(
            f"{wrong} has the shape {found.get(wrong, 'of nothing')}, and should have "
            f"{expected.get(wrong, 'none')}"
        )


def _link_shapes(model, n_features, name):
    """Shapes of the arrays of a model of links, as the first of each kind asks for."""
    n_inputs, n_context = n_features, 0
    shapes: dict[str, tuple[int, ...]] = {}
    if model.context_mean is not None:
        n_inputs, n_context = 2 * n_features, N_CONTEXT * n_features
        shapes |= {f"{name}/context_mean": (n_context,), f"{name}/context_std": (n_context,)}
    shapes |= {f"{name}/mean": (n_inputs,), f"{name}/std": (n_inputs,)}
    widths = [n_inputs + n_context, *(bias.size for bias in model.biases[:-1]), 1]
    for depth, (n_in, n_out) in enumerate(pairwise(widths)):
        shapes |= {f"{name}/weights/{depth}": (n_in, n_out), f"{name}/biases/{depth}": (n_out,)}
    return shapes


def _network_shapes(learned, network, n_outputs, name):
    """Shapes of the arrays of a GCN with so many outputs."""
    n_structure = network.mean.size
    most = (0 if learned.node_features == "embedding" else N_WITH_EXTENT) + N_SEED_INPUTS * (n_outputs == 1)
    if n_structure > most:
        raise ValueError(f"{name} has {n_structure} structural inputs, and there are {most}")
    widths, prefix = learned.hidden_channels, f"{name}/parameters/"
    shapes: dict[str, tuple[int, ...]] = {f"{name}/{scale}": (n_structure,) for scale in ("mean", "std")}
    shapes[f"{prefix}input.bias"] = (widths[0],)
    if n_structure:
        shapes[f"{prefix}input.row.weight"] = (widths[0], n_structure)
    if learned.node_features != "structure":
        shapes[f"{prefix}input.sample.weight"] = (widths[0], learned.frame.origin.size)
    for depth, (n_in, n_out) in enumerate(pairwise(widths)):
        shapes[f"{prefix}hidden.{depth}.linear.weight"] = (n_out, n_in)
        shapes[f"{prefix}hidden.{depth}.linear.bias"] = (n_out,)
    shapes |= {f"{prefix}head.weight": (n_outputs, widths[-1]), f"{prefix}head.bias": (n_outputs,)}
    return shapes
