"""Labelled graph and proposals -> trained networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._folds import class_folds
from ._graph._link_models import CLEARLY_LOWER, Weights
from ._graph._links import Graph
from ._proposals._layers import Proposals
from ._proposals._subgraphs import take
from ._proposals._targets import proposal_targets
from ._scoring import all_inputs

_MIN_FOLDS = 5
"""Classes are dealt into at least so many folds, so that a network never stops by most of them."""


class NetworkSettings(NamedTuple):
    """How the networks look and learn."""

    node_features: str
    hidden_channels: tuple[int, ...]
    pooling: str
    n_networks: int
    schedule: dict[str, float]
    device: str
    seed: int


class SegmentationSettings(NamedTuple):
    """What GCN-S learns from. Apart from the rest, so that a cache keeps GCN-D when these change."""

    iop_range: tuple[float, float]
    n_training_seeds: int


def learn_detection(
    graph: Graph,
    proposals: Proposals,
    y: np.ndarray,
    settings: NetworkSettings,
    start: Weights,
    verbose: bool = False,
) -> tuple[Weights, dict[str, np.ndarray]]:
    """Train GCN-D on proposals of a labelled graph.

    Classes are dealt into folds; each network stops by a fold that it does not learn from.

    Parameters
    ----------
    graph : Graph
    proposals : Proposals
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : NetworkSettings
    start : Weights
        Networks of an earlier training. All networks learn on from them if the first, which tries both, is
        better at its held-out classes for it; may be empty.
    verbose : bool

    Returns
    -------
    weights : Weights
        "detection.0" and so on.
    loss_curves : dict of str to ndarray of shape (n_epochs, 2)
        Mean training and validation loss by epoch, of each network.
    """
    from ._nn._detection import train_detection

    subgraphs, structure = _inputs(graph, proposals, settings)
    targets = proposal_targets(proposals, y)
    folds = _fold_of_classes(y, settings)[targets.majority]
    known = [start[name] for name in sorted(start) if name.startswith("detection.")]

    def trained(fold, origin):
        return train_detection(
            subgraphs,
            structure,
            np.column_stack([targets.iou, targets.iop]),
            folds == fold,
            pooling=settings.pooling,
            start=origin,
            seed=settings.seed + fold,
            **_common(graph, settings, verbose),
        )

    first = [trained(0, origin) for origin in (None, *known[:1])]
    best = _best(first)
    origins = known if best else [None]
    networks = [first[best]]
    networks += [trained(fold, origins[fold % len(origins)]) for fold in range(1, settings.n_networks)]
    weights, curves = {}, {}
    for fold, network in enumerate(networks):
        weights[f"detection.{fold}"], curves[f"detection.{fold}"] = network
    return weights, curves


def learn_segmentation(
    graph: Graph,
    proposals: Proposals,
    y: np.ndarray,
    settings: NetworkSettings,
    segmentation: SegmentationSettings,
    start: Weights,
    verbose: bool = False,
) -> tuple[Weights, dict[str, np.ndarray]]:
    """Train GCN-S on the proposals whose true IoP is in ``iop_range``.

    Parameters
    ----------
    graph, proposals, y, settings
        As for :func:`learn_detection`.
    segmentation : SegmentationSettings
    start : Weights
        Its GCN-S is learned on from if that is better at the held-out classes; may be empty.
    verbose : bool

    Returns
    -------
    weights : Weights
        "segmentation"; nothing if no proposal is in the range.
    loss_curves : dict of str to ndarray of shape (n_epochs, 2)
    """
    from ._nn._segmentation import train_segmentation

    targets = proposal_targets(proposals, y)
    lowest, highest = segmentation.iop_range
    impure = (targets.iop >= lowest) & (targets.iop <= highest) & (proposals.sizes > 2)
    if not impure.any():
        return {}, {}
    subgraphs, structure = _inputs(graph, proposals, settings)
    part = take(subgraphs, np.flatnonzero(impure))
    trained = [
        train_segmentation(
            part,
            structure[np.repeat(impure, proposals.sizes)],
            rows=graph.rows,
            labels=y[part.vertices],
            validation=_fold_of_classes(y, settings)[targets.majority[impure]] == 0,
            n_seeds=segmentation.n_training_seeds,
            start=origin,
            seed=settings.seed,
            **_common(graph, settings, verbose),
        )
        for origin in ([None, start["segmentation"]] if "segmentation" in start else [None])
    ]
    weights, curve = trained[_best(trained)]
    return {"segmentation": weights}, {"segmentation": curve}


def _best(trained):
    """1 for the training that went on from others, if its validation loss is clearly lower, else 0."""
    scratch, *further = (curve[:, 1].min() for _, curve in trained)
    return int(any(loss < CLEARLY_LOWER * scratch for loss in further))


def embedding_of(graph: Graph, node_features: str) -> np.ndarray | None:
    """The embedding, if `node_features` asks for it."""
    return None if node_features == "structure" else graph.rows


def _inputs(graph, proposals, settings):
    subgraphs, structure = all_inputs(graph, proposals)
    return subgraphs, structure[:, :0] if settings.node_features == "embedding" else structure


def _common(graph, settings, verbose):
    from ._nn._training import Schedule

    return {
        "embedding": embedding_of(graph, settings.node_features),
        "hidden_channels": settings.hidden_channels,
        "schedule": Schedule(**settings.schedule),
        "device": settings.device,
        "verbose": verbose,
    }


def _fold_of_classes(y, settings):
    """Fold of each class code, and -1 behind them for proposals without a labelled member."""
    random = np.random.default_rng(settings.seed)
    folds = class_folds(y, max(settings.n_networks, _MIN_FOLDS), random)
    of_class = np.full(y.max() + 2, -1)
    of_class[y[y >= 0]] = folds[y >= 0]
    return of_class
