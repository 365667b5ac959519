"""Graph -> proposals -> scores -> refined proposals -> one proposal a sample: inference after the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from ._graph._link_models import Weights
from ._graph._links import Graph
from ._learning import NetworkSettings, embedding_of
from ._proposals._average_link import average_link_layers
from ._proposals._forest import forest_quantile, merge_tree
from ._proposals._layers import Proposals, distinct_proposals
from ._proposals._supervertices import multiscale_layers
from ._scoring import Scored, join, judge, refine
from ._selection import adaptive_deoverlap, deoverlap, membership_of, number_clusters, suppress
from ._stages import Stages

_PROBABILITY_THRESHOLDS = np.array(
    [0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03]
)
"""Average-link thresholds on a learned probability, which means the same on every data set."""
_EDGE_QUANTILES = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Where the edge thresholds of Algorithm 1 lie in the forest's affinities, when the data have to say."""
_FOREST_QUANTILES = np.linspace(0.05, 0.95, 10)
"""Where thresholds lie in the forest's affinities, when the data have to say what is high."""
SOURCES = ("supervertices", "average_link")
"""Names of the sources of proposals."""


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
    segment: bool
    iop_range: tuple[float, float]
    n_seeds: int
    outliers: str


def propose(graph: Graph, settings: ProposalSettings, others: Sequence[np.ndarray] = ()) -> Proposals:
    """Proposals of all sources, of `others` (partitions) and every sample alone, each proposal once."""
    layers = [_layers_of(source, graph, settings) for source in settings.proposals]
    alone = np.arange(graph.affinity.shape[0], dtype=np.int32)
    return distinct_proposals(
        np.concatenate([*layers, *(other[None] for other in others), alone[None]]),
        settings.min_proposal_size,
        settings.max_proposal_size,
    )


def cluster_graph(
    graph: Graph,
    counts: np.ndarray,
    proposals: Proposals,
    weights: Weights,
    networks: NetworkSettings,
    selection: SelectionSettings,
    stages: Stages,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score proposals, refine the impure ones, and let each sample go to the best that holds it.

    Parameters
    ----------
    graph : Graph
    counts : int ndarray of shape (n_samples,)
        How often each sample occurs.
    proposals, weights, networks, selection, stages

    Returns
    -------
    labels : int64 ndarray of shape (n_samples,)
    probabilities : float32 ndarray of shape (n_samples,)
    scores : float32 ndarray of shape (n_clusters, 2)
    """
    scored = score_proposals(graph, proposals, weights, networks, selection, stages)
    with stages("de-overlap"):
        labels, probabilities = assign(scored, counts, selection)
        clusters = distinct_proposals(labels[None])
        scores = judge(graph, clusters, detection_of(graph, weights, networks)).quality
    return labels, probabilities, scores


def score_proposals(
    graph: Graph,
    proposals: Proposals,
    weights: Weights,
    networks: NetworkSettings,
    selection: SelectionSettings,
    stages: Stages,
) -> Scored:
    """The proposals and behind them, in the same order, what is left of those that were refined."""
    detection = detection_of(graph, weights, networks)
    with stages("GCN-D"):
        scored = judge(graph, proposals, detection)
    if not selection.segment or "segmentation" not in weights:
        return scored
    with stages("GCN-S"):
        # Only what would become a cluster: among all that could be refined, some looks better than it is.
        clusters = distinct_proposals(_select(scored, selection)[None])
        refined, membership = refine(
            graph,
            judge(graph, clusters, detection),
            segmentation_of(graph, weights, networks),
            iop_range=selection.iop_range,
            n_seeds=selection.n_seeds,
            random=np.random.default_rng(networks.seed),
        )
        quality = judge(graph, refined, detection).quality
        return join(scored, Scored(refined, quality, membership))


def assign(scored: Scored, counts: np.ndarray, selection: SelectionSettings) -> tuple[np.ndarray, np.ndarray]:
    """Label of each sample, and the probability that it belongs there."""
    assigned = _select(scored, selection)
    labels = number_clusters(assigned, counts, selection.outliers)
    belongs = membership_of(scored.proposals, scored.membership, assigned)
    return labels, np.where(labels < 0, 0, belongs).astype(np.float32)


def detection_of(graph: Graph, weights: Weights, networks: NetworkSettings):
    """The trained GCN-Ds, ready for one graph."""
    from ._nn._detection import Detection

    return Detection(
        [weights[name] for name in sorted(weights) if name.startswith("detection.")],
        embedding_of(graph, networks.node_features),
        hidden_channels=networks.hidden_channels,
        pooling=networks.pooling,
        device=networks.device,
    )


def segmentation_of(graph: Graph, weights: Weights, networks: NetworkSettings):
    """The trained GCN-S, ready for one graph."""
    from ._nn._segmentation import Segmentation

    return Segmentation(
        weights["segmentation"],
        embedding_of(graph, networks.node_features),
        graph.rows,
        hidden_channels=networks.hidden_channels,
        device=networks.device,
    )


def link_thresholds(graph: Graph, affinity: str) -> np.ndarray:
    """Falling thresholds for average linkage on an affinity of that kind."""
    if affinity == "learned":
        return _PROBABILITY_THRESHOLDS
    tree = merge_tree(graph.affinity)
    merged = [forest_quantile(tree, quantile) for quantile in _FOREST_QUANTILES[::-1]]
    return np.array([*merged, *(merged[-1] * np.array([0.8, 0.6, 0.4, 0.2, 0.1]))])


def _select(scored, selection):
    iou = scored.quality[:, 0]
    if selection.overlap == "nms":
        return suppress(scored.proposals, iou, selection.max_overlap, selection.min_score)
    if selection.overlap == "adaptive":
        return adaptive_deoverlap(scored.proposals, iou, selection.min_score)
    return deoverlap(scored.proposals, iou, selection.min_score)


def _layers_of(source, graph, settings):
    if source == "supervertices":
        automatic = isinstance(settings.edge_threshold, str)
        given = None if automatic else np.atleast_1d(settings.edge_threshold)
        # Of the similarity, whatever the affinity: where learning fell short, these proposals do not.
        return multiscale_layers(
            abs(graph.similarity),
            graph.rows,
            thresholds=given,
            quantiles=_EDGE_QUANTILES,
            step=settings.threshold_step,
            max_supervertex_size=settings.max_supervertex_size,
            max_size=settings.max_proposal_size or graph.affinity.shape[0],
            n_levels=settings.n_levels,
        )
    if source != "average_link":
        return _layer_by(source, graph.rows)
    thresholds = link_thresholds(graph, settings.affinity)
    return np.concatenate(
        [
            average_link_layers(graph.affinity, thresholds, "zero", settings.n_neighbors),
            average_link_layers(graph.affinity, thresholds[::2], "ignore", settings.n_neighbors),
        ]
    )


def _layer_by(source, rows):
    """Clusters that the user's own source finds among the rows, as one layer."""
    labels = np.asarray(clone(source).fit_predict(rows) if hasattr(source, "fit_predict") else source(rows))
    if labels.shape != (len(rows),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{source!r} among the proposals gave labels of shape {labels.shape} and dtype {labels.dtype} "
            f"for {len(rows)} rows; it must give one integer for each row, negative for noise."
        )
    return np.where(labels < 0, -1, labels)[None].astype(np.int64)
