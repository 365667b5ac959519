"""Networks over layers: judge all proposals, refine the impure ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._graph._links import Graph
from ._proposals._features import structure_features
from ._proposals._layers import Proposals, distinct_proposals
from ._proposals._subgraphs import Subgraphs, concatenate, cut_layer, layer_subgraphs, take


class Scored(NamedTuple):
    """Proposals and what the networks say of them."""

    proposals: Proposals
    quality: np.ndarray
    """float32 of shape (n_proposals, 2): predicted IoU and IoP."""
    membership: np.ndarray
    """float32 of shape (total size,): probability that each member belongs, as in ``proposals.indices``."""


def layer_inputs(graph: Graph, proposals: Proposals, layer: int) -> tuple[Subgraphs, np.ndarray]:
    """Graphs and structural features of the proposals that are new in a layer."""
    cut = cut_layer(graph.affinity, proposals, layer)
    return layer_subgraphs(cut, graph.affinity), structure_features(graph, proposals, layer, cut)


def all_inputs(graph: Graph, proposals: Proposals) -> tuple[Subgraphs, np.ndarray]:
    """Graphs and structural features of all proposals, to train on."""
    parts = [layer_inputs(graph, proposals, layer) for layer in range(len(proposals.layers))]
    subgraphs, features = zip(*parts, strict=True)
    return concatenate(list(subgraphs)), np.concatenate(features)


def judge(graph: Graph, proposals: Proposals, detection) -> Scored:
    """Predict IoU and IoP of all proposals, one layer in memory at a time."""
    quality = np.concatenate(
        [detection.score(*layer_inputs(graph, proposals, layer)) for layer in range(len(proposals.layers))]
    )
    return Scored(proposals, quality, np.repeat(quality[:, 1], proposals.sizes))


def refine(
    graph: Graph,
    scored: Scored,
    segmentation,
    *,
    iop_range: tuple[float, float],
    n_seeds: int,
    random: np.random.Generator,
) -> tuple[Proposals, np.ndarray]:
    """Take the outliers out of proposals that are neither pure nor hopeless (paper, section 3.3).

    Parameters
    ----------
    graph, scored
    segmentation : Segmentation
    iop_range : tuple of two floats
        Proposals with a predicted IoP in it are refined.
    n_seeds : int
    random : Generator
        Draws the seeds.

    Returns
    -------
    refined : Proposals
        What is left of each refined proposal, in the layers of the originals.
    membership : float32 ndarray of shape (total size,)
        Probability of each member of `refined`.
    """
    proposals = scored.proposals
    lowest, highest = iop_range
    iop = scored.quality[:, 1]
    impure = (iop >= lowest) & (iop <= highest) & (proposals.sizes > 2)
    layers = np.full(proposals.layers.shape, -1, dtype=np.int32)
    probability = np.zeros(proposals.layers.shape, dtype=np.float32)
    for number in range(len(layers)):
        first, stop = proposals.starts[number : number + 2]
        chosen = np.flatnonzero(impure[first:stop])
        if not len(chosen):
            continue
        subgraphs, structure = layer_inputs(graph, proposals, number)
        rows = np.repeat(impure[first:stop], np.diff(subgraphs.offsets))
        part = take(subgraphs, chosen)
        belongs = segmentation.member_probability(part, structure[rows], n_seeds, random)
        kept = part.vertices[belongs > 0.5]
        layers[number, kept] = proposals.layers[number, kept]
        probability[number, kept] = belongs[belongs > 0.5]
    refined = distinct_proposals(layers)
    layer_of = np.repeat(np.arange(len(layers)), np.diff(refined.indptr[refined.starts]))
    return refined, probability[layer_of, refined.indices]


def join(first: Scored, second: Scored) -> Scored:
    """Both sets of proposals as one."""
    a, b = first.proposals, second.proposals
    n_first = len(a.sizes)
    shifted = np.where(b.layers >= 0, b.layers + n_first, -1)
    proposals = Proposals(
        np.concatenate([a.layers, shifted]),
        np.concatenate([a.starts, b.starts[1:] + n_first]),
        np.concatenate([a.indptr, b.indptr[1:] + a.indptr[-1]]),
        np.concatenate([a.indices, b.indices]),
    )
    return Scored(
        proposals,
        np.concatenate([first.quality, second.quality]),
        np.concatenate([first.membership, second.membership]),
    )
