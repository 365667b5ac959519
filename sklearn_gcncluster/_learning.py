"""Labelled graph and proposals -> trained networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._folds import class_folds
from ._graph._link_models import CLEARLY_LOWER
from ._graph._links import Graph
from ._model import Learned, Network
from ._proposals._layers import Proposals
from ._proposals._subgraphs import concatenate, take
from ._proposals._targets import proposal_targets
from ._scoring import LayerInputs, embedding_of

_MIN_FOLDS = 5
"""Classes are dealt into at least so many folds, so that a network never stops by most of them."""


class TrainingSettings(NamedTuple):
    """How networks are built and learn."""

    node_features: str
    hidden_channels: tuple[int, ...]
    pooling: str
    n_networks: int
    schedule: dict[str, float]
    device: str
    seed: int


def learn_detection(
    graph: Graph,
    proposals: Proposals,
    inputs: list[LayerInputs],
    y: np.ndarray,
    settings: TrainingSettings,
    start: Learned | None,
    verbose: bool = False,
) -> tuple[tuple[Network, ...], list[np.ndarray]]:
    """Train GCN-D on proposals of a labelled graph.

    Classes are dealt into folds; each network stops by a fold that it does not learn from.

    Parameters
    ----------
    graph : Graph
    proposals : Proposals
    inputs : list of LayerInputs
        What the networks see of the proposals.
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : TrainingSettings
    start : Learned or None
        An earlier training. All networks go on from its networks if the first, which tries both, is better at
        its held-out classes for it.
    verbose : bool

    Returns
    -------
    networks : tuple of Network
    loss_curves : list of ndarray of shape (n_epochs, 2)
        Mean training and validation loss by epoch, of each network.
    """
    from ._nn._detection import train_detection

    subgraphs, structure = _joined(inputs, settings)
    targets = proposal_targets(proposals, y)
    folds = _fold_of_classes(y, settings)[targets.majority]
    known = () if start is None else start.detection

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
    further = [trained(fold, origins[fold % len(origins)]) for fold in range(1, settings.n_networks)]
    networks, curves = zip(first[best], *further, strict=True)
    return networks, list(curves)


def learn_segmentation(
    graph: Graph,
    proposals: Proposals,
    inputs: list[LayerInputs],
    y: np.ndarray,
    settings: TrainingSettings,
    start: Learned | None,
    iop_range: tuple[float, float],
    n_training_seeds: int,
    verbose: bool = False,
) -> tuple[Network, np.ndarray] | tuple[None, None]:
    """Train GCN-S on the proposals whose true IoP is in ``iop_range``.

    Parameters
    ----------
    graph, proposals, inputs, y, settings
        As for :func:`learn_detection`.
    start : Learned or None
        Training goes on from its GCN-S if that is better at the held-out classes.
    iop_range : tuple of two floats
    n_training_seeds : int
    verbose : bool

    Returns
    -------
    network : Network or None
        None if no proposal is in the range.
    loss_curve : ndarray of shape (n_epochs, 2) or None
    """
    from ._nn._segmentation import train_segmentation

    targets = proposal_targets(proposals, y)
    lowest, highest = iop_range
    impure = (targets.iop >= lowest) & (targets.iop <= highest) & (proposals.sizes > 2)
    if not impure.any():
        return None, None
    subgraphs, structure = _joined(inputs, settings)
    part = take(subgraphs, np.flatnonzero(impure))
    known = [] if start is None or start.segmentation is None else [start.segmentation]
    trained = [
        train_segmentation(
            part,
            structure[np.repeat(impure, proposals.sizes)],
            rows=graph.rows,
            labels=y[part.vertices],
            validation=_fold_of_classes(y, settings)[targets.majority[impure]] == 0,
            n_seeds=n_training_seeds,
            start=origin,
            seed=settings.seed,
            **_common(graph, settings, verbose),
        )
        for origin in (None, *known)
    ]
    return trained[_best(trained)]


def _best(trained):
    """1 for the training that went on from others, if its validation loss is clearly lower, else 0."""
    scratch, *further = (curve[:, 1].min() for _, curve in trained)
    return int(any(loss < CLEARLY_LOWER * scratch for loss in further))


def _joined(inputs, settings):
    """Inputs of all layers as one; networks of the embedding alone see no structure."""
    subgraphs, parts = zip(*inputs, strict=True)
    structure = np.concatenate(parts)
    if settings.node_features == "embedding":
        structure = structure[:, :0]
    return concatenate(list(subgraphs)), structure


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
