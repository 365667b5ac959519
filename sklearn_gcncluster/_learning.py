"""Labelled graph and proposals -> trained networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._folds import class_folds
from ._graph._links import Graph
from ._jobs import side_by_side
from ._model import Network
from ._proposals._features import N_STRUCTURE
from ._proposals._layers import Proposals
from ._proposals._subgraphs import concatenate, take
from ._proposals._targets import proposal_targets
from ._scoring import PartInputs, embedding_of

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
    inputs: list[PartInputs],
    y: np.ndarray,
    settings: TrainingSettings,
    n_jobs: int | None = None,
) -> tuple[tuple[Network, ...], list[np.ndarray]]:
    """Train GCN-D on proposals of a labelled graph.

    Classes are dealt into folds; each network leaves out one, at which its loss is told.

    Parameters
    ----------
    graph : Graph
    proposals : Proposals
    inputs : list of PartInputs
        What the networks see of the proposals.
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : TrainingSettings
    n_jobs : int or None
        Networks that are trained side by side.

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
    common = {
        "subgraphs": subgraphs,
        "structure": structure,
        "quality": np.column_stack([targets.iou, targets.iop]),
        "pooling": settings.pooling,
        **_common(graph, settings),
    }
    tasks = [
        {**common, "validation": folds == number, "seed": settings.seed + number}
        for number in range(settings.n_networks)
    ]
    trained = side_by_side(train_detection, tasks, n_jobs)
    networks, curves = zip(*trained, strict=True)
    return networks, list(curves)


def learn_segmentation(
    graph: Graph,
    proposals: Proposals,
    inputs: list[PartInputs],
    y: np.ndarray,
    settings: TrainingSettings,
    iop_range: tuple[float, float],
    n_training_seeds: int,
) -> tuple[Network, np.ndarray] | tuple[None, None]:
    """Train GCN-S on the proposals whose true IoP is in ``iop_range``.

    Parameters
    ----------
    graph, proposals, inputs, y, settings
        As for :func:`learn_detection`.
    iop_range : tuple of two floats
    n_training_seeds : int

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
    return train_segmentation(
        part,
        structure[np.repeat(impure, proposals.sizes)],
        rows=graph.rows,
        labels=y[part.vertices],
        validation=_fold_of_classes(y, settings)[targets.majority[impure]] == 0,
        n_seeds=n_training_seeds,
        seed=settings.seed,
        **_common(graph, settings),
    )


def _joined(inputs, settings):
    """Inputs of all layers as one; networks of the embedding alone see no structure.

    Where proposals come apart is left out, too: how far classes of one set do says little of others of it.
    """
    subgraphs, parts = zip(*inputs, strict=True)
    n_columns = 0 if settings.node_features == "embedding" else N_STRUCTURE
    return concatenate(list(subgraphs)), np.concatenate([part[:, :n_columns] for part in parts])


def _common(graph, settings):
    from ._nn._training import Schedule

    return {
        "embedding": embedding_of(graph, settings.node_features),
        "hidden_channels": settings.hidden_channels,
        "schedule": Schedule(**settings.schedule),
        "device": settings.device,
    }


def _fold_of_classes(y, settings):
    """Fold of each class code, and -1 behind them for proposals without a labelled member."""
    random = np.random.default_rng(settings.seed)
    folds = class_folds(y, max(settings.n_networks, _MIN_FOLDS), random)
    of_class = np.full(y.max() + 2, -1)
    of_class[y[y >= 0]] = folds[y >= 0]
    return of_class
