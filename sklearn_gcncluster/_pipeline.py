"""Graph -> proposals -> scores -> refined proposals -> one proposal a sample: inference after the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ._affinity import Weights
from ._forest import forest_quantile, merge_tree
from ._graph import Graph
from ._learning import NetworkSettings, network_inputs
from ._proposals import Proposals, average_link_layers, distinct_proposals, multiscale_layers
from ._scoring import Scored, join, judge, refine
from ._selection import deoverlap, membership_of, suppress
from ._stages import Stages

_PROBABILITY_THRESHOLDS = np.array(
    [0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03]
)
"""Average-link thresholds on a learned probability, which means the same on every data set."""
_FOREST_QUANTILES = np.linspace(0.05, 0.95, 10)
"""Where thresholds lie in the forest's affinities, when the data have to say what is high."""


class ProposalSettings(NamedTuple):
    """Which proposals are made."""

    proposals: Sequence
    edge_threshold: str | float | Sequence[float]
    threshold_step: float
    max_supervertex_size: int
    n_levels: int
    min_proposal_size: int
    max_proposal_size: int | None
    n_neighbors: int
    affinity: str


class SelectionSettings(NamedTuple):
    """How scored proposals become clusters."""

    overlap: str
    max_overlap: float
    min_score: float
    n_seeds: int


class Clustered(NamedTuple):
    """One proposal for each sample."""

    assigned: np.ndarray
    """int32 of shape (n_samples,): the proposal a sample went to, -1 for none."""
    membership: np.ndarray
    """float32 of shape (n_samples,): probability that it belongs there."""
    scored: Scored
    """All proposals it was chosen from."""


def propose(graph: Graph, settings: ProposalSettings) -> Proposals:
    """Proposals of all sources, each once, and every sample alone."""
    layers = [_layers_of(source, graph, settings) for source in settings.proposals]
    alone = np.arange(graph.affinity.shape[0], dtype=np.int32)[None]
    return distinct_proposals(
        np.concatenate([*layers, alone]), settings.min_proposal_size, settings.max_proposal_size
    )


def cluster_graph(
    graph: Graph,
    proposals: Proposals,
    weights: Weights,
    networks: NetworkSettings,
    selection: SelectionSettings,
    stages: Stages,
) -> Clustered:
    """Score proposals, refine the impure ones, and let each sample go to the best that holds it."""
    from ._nn._detection import Detection
    from ._nn._segmentation import Segmentation

    _, embedding = network_inputs(graph, np.empty((0, 0)), networks.node_features)
    shape = {"hidden_channels": networks.hidden_channels, "device": networks.device}
    detections = [weights[name] for name in sorted(weights) if name.startswith("detection.")]
    detection = Detection(detections, embedding, pooling=networks.pooling, **shape)
    with stages("GCN-D"):
        scored = judge(graph, proposals, detection)
    if networks.segment and "segmentation" in weights:
        with stages("GCN-S"):
            segmentation = Segmentation(weights["segmentation"], embedding, graph.rows, **shape)
            refined, membership = refine(
                graph,
                scored,
                segmentation,
                iop_range=networks.iop_range,
                n_seeds=selection.n_seeds,
                random=np.random.default_rng(networks.seed),
            )
            quality = judge(graph, refined, detection).quality
            scored = join(scored, Scored(refined, quality, membership))
    with stages("de-overlap"):
        iou = scored.quality[:, 0]
        if selection.overlap == "nms":
            assigned = suppress(scored.proposals, iou, selection.max_overlap, selection.min_score)
        else:
            assigned = deoverlap(scored.proposals, iou, selection.min_score)
        return Clustered(assigned, membership_of(scored.proposals, scored.membership, assigned), scored)


def _layers_of(source, graph, settings):
    if source == "supervertices":
        given = None if settings.edge_threshold == "auto" else np.atleast_1d(settings.edge_threshold)
        return multiscale_layers(
            graph.affinity,
            graph.rows,
            thresholds=given,
            quantiles=_FOREST_QUANTILES,
            step=settings.threshold_step,
            max_supervertex_size=settings.max_supervertex_size,
            max_size=settings.max_proposal_size or graph.affinity.shape[0],
            n_levels=settings.n_levels,
        )
    thresholds = _PROBABILITY_THRESHOLDS
    if settings.affinity != "learned":
        tree = merge_tree(graph.affinity)
        merged = [forest_quantile(tree, quantile) for quantile in _FOREST_QUANTILES[::-1]]
        thresholds = np.array([*merged, *(merged[-1] * np.array([0.8, 0.6, 0.4, 0.2, 0.1]))])
    return np.concatenate(
        [
            average_link_layers(graph.affinity, thresholds, "zero", settings.n_neighbors),
            average_link_layers(graph.affinity, thresholds[::2], "ignore", settings.n_neighbors),
        ]
    )
