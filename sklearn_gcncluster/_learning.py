"""Labelled graph and proposals -> trained networks, and the threshold under which proposals are dropped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._affinity import Weights
from ._graph import Graph
from ._metric import class_folds
from ._proposals import Proposals
from ._scoring import all_inputs
from ._selection import deoverlap
from ._subgraphs import take
from ._targets import proposal_targets
from .metrics import bcubed_fscore, pairwise_fscore

_MIN_SCORES = np.arange(0, 0.65, 0.05)


class NetworkSettings(NamedTuple):
    """How the networks look and learn."""

    node_features: str
    hidden_channels: tuple[int, ...]
    pooling: str
    n_networks: int
    segment: bool
    iop_range: tuple[float, float]
    n_training_seeds: int
    schedule: tuple
    device: str
    seed: int
    verbose: bool


class Learned(NamedTuple):
    """What training gives."""

    weights: Weights
    loss_curves: dict[str, np.ndarray]
    min_score: float
    """Predicted IoU below which a proposal is better dropped, chosen on classes not trained on."""


def learn_networks(graph: Graph, proposals: Proposals, y: np.ndarray, settings: NetworkSettings) -> Learned:
    """Train GCN-D and GCN-S on proposals of a labelled graph.

    Classes are dealt into as many folds as there are networks; each GCN-D stops by the fold it does not
    learn from, so every proposal has a score from a network that never saw its class.

    Parameters
    ----------
    graph : Graph
    proposals : Proposals
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : NetworkSettings
    """
    from ._nn._detection import Detection, train_detection
    from ._nn._segmentation import train_segmentation
    from ._nn._training import Schedule

    subgraphs, structure = all_inputs(graph, proposals)
    structure, embedding = network_inputs(graph, structure, settings.node_features)
    targets = proposal_targets(proposals, y)
    folds = _fold_of_classes(y, settings)[targets.majority]
    schedule = Schedule(*settings.schedule)
    shape = {"hidden_channels": settings.hidden_channels, "device": settings.device}
    common = shape | {"schedule": schedule, "verbose": settings.verbose}
    weights: Weights = {}
    curves = {}
    predicted = np.zeros(len(folds))
    for fold in range(settings.n_networks):
        name = f"detection.{fold}"
        weights[name], curves[name] = train_detection(
            subgraphs,
            structure,
            embedding,
            np.column_stack([targets.iou, targets.iop]),
            folds == fold,
            pooling=settings.pooling,
            seed=settings.seed + fold,
            **common,
        )
        unseen = np.flatnonzero((folds == fold) | (folds < 0))
        detection = Detection([weights[name]], embedding, pooling=settings.pooling, **shape)
        rows = np.isin(np.repeat(np.arange(len(folds)), proposals.sizes), unseen)
        predicted[unseen] = detection.score(take(subgraphs, unseen), structure[rows])[:, 0]
    if settings.segment:
        lowest, highest = settings.iop_range
        impure = np.flatnonzero((targets.iop >= lowest) & (targets.iop <= highest) & (proposals.sizes > 2))
        rows = np.isin(np.repeat(np.arange(len(folds)), proposals.sizes), impure)
        if len(impure):
            part = take(subgraphs, impure)
            weights["segmentation"], curves["segmentation"] = train_segmentation(
                part,
                structure[rows],
                embedding,
                graph.rows,
                y[part.vertices],
                folds[impure] == 0,
                n_seeds=settings.n_training_seeds,
                seed=settings.seed,
                **common,
            )
    return Learned(weights, curves, _best_min_score(proposals, predicted, y))


def network_inputs(graph: Graph, structure: np.ndarray, node_features: str):
    """Structural inputs a row and embedding inputs a sample, as `node_features` asks."""
    embedding = graph.rows if node_features in ("embedding", "both") else None
    return (structure[:, :0] if node_features == "embedding" else structure), embedding


def _fold_of_classes(y, settings):
    """Fold of each class code, and -1 behind them for proposals without a labelled member."""
    folds = class_folds(y, settings.n_networks, np.random.default_rng(settings.seed))
    of_class = np.full(y.max() + 2, -1)
    of_class[y[y >= 0]] = folds[y >= 0]
    return of_class


def _best_min_score(proposals, predicted, y):
    labelled = y >= 0

    def quality(min_score):
        labels = deoverlap(proposals, predicted, min_score)[labelled]
        return pairwise_fscore(y[labelled], labels) + bcubed_fscore(y[labelled], labels)

    return float(max(_MIN_SCORES, key=quality))
