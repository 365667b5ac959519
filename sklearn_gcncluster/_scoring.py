"""Networks over layers: judge all proposals, refine the impure ones."""

from __future__ import annotations

import numpy as np

from ._features import structure_features
from ._graph import Graph
from ._proposals import Proposals
from ._subgraphs import Subgraphs, concatenate, cut_layer, layer_subgraphs


def layer_inputs(graph: Graph, proposals: Proposals, layer: int) -> tuple[Subgraphs, np.ndarray]:
    """Graphs and structural features of the proposals that are new in a layer."""
    cut = cut_layer(graph.affinity, proposals, layer)
    return layer_subgraphs(cut, graph.affinity), structure_features(graph, proposals, layer, cut)


def all_inputs(graph: Graph, proposals: Proposals) -> tuple[Subgraphs, np.ndarray]:
    """Graphs and structural features of all proposals, to train on."""
    parts = [layer_inputs(graph, proposals, layer) for layer in range(len(proposals.layers))]
    subgraphs, features = zip(*parts, strict=True)
    return concatenate(list(subgraphs)), np.concatenate(features)


def judge(graph: Graph, proposals: Proposals, detection) -> np.ndarray:
    """Predicted IoU and IoP of all proposals, one layer in memory at a time.

    Returns
    -------
    float32 ndarray of shape (n_proposals, 2)
    """
    return np.concatenate(
        [
            detection.score(*layer_inputs(graph, proposals, layer))
            for layer in range(len(proposals.layers))
        ]
    )
