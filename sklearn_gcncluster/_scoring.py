"""Proposals of one graph in the eyes of the networks: score them all, segment the impure ones."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs

from ._graph._links import Graph
from ._graph._room import room_of
from ._jobs import by_ranges, spread
from ._model import Learned
from ._proposals._bottleneck import N_WITH_CUTS, CutFeatures
from ._proposals._extent import EXTENT_FEATURES, extent_features
from ._proposals._features import N_STRUCTURE, StructureFeatures
from ._proposals._layers import Proposals, distinct_proposals
from ._proposals._subgraphs import Part, Subgraphs, cut_part, layer_parts, part_subgraphs, take

_PART_ROWS = 16_384
"""Members of proposals that are looked at together: what is made of them stays in the processor's cache."""


class Scored(NamedTuple):
    """Proposals and what the networks say of them."""

    proposals: Proposals
    quality: np.ndarray
    """float32 of shape (n_proposals, 2): predicted IoU and IoP."""
    membership: np.ndarray
    """float32 of shape (total size,): probability that each member belongs, as in ``proposals.indices``."""


class PartInputs(NamedTuple):
    """What the networks see of some proposals of one layer."""

    subgraphs: Subgraphs
    structure: np.ndarray
    """float32 of shape (n_rows, n_structure)."""


class Inputs:
    """What the networks see of proposals of one graph, part by part.

    Parameters
    ----------
    graph : Graph
    n_structure : int
        How many structural features the networks know: those of many sets know more.
    """

    def __init__(self, graph: Graph, n_structure: int = N_STRUCTURE):
        self._graph, self._features = graph, StructureFeatures(graph)
        self._cuts = CutFeatures(graph) if n_structure > N_STRUCTURE else None
        self._n_extents = len(EXTENT_FEATURES) if n_structure > N_WITH_CUTS else 0
        self._room = None if graph.rows is None or not self._n_extents else room_of(graph.rows)

    def extents(self, proposals: Proposals, n_jobs: int | None = None) -> np.ndarray:
        """What networks see of whole proposals: float32 of shape (n_proposals, n_columns)."""
        rows = self._graph.rows
        if rows is None or self._room is None:
            return np.zeros((len(proposals.sizes), self._n_extents), dtype=np.float32)
        return extent_features(proposals, rows, self._room, n_jobs)

    def __call__(self, proposals: Proposals, part: Part, extents: np.ndarray) -> PartInputs:
        """Inputs of the proposals of a part, given the extents of all."""
        cut = cut_part(self._graph.affinity, proposals, part)
        subgraphs = part_subgraphs(cut, self._graph.affinity)
        structure = self._features(proposals, part, cut)
        if self._cuts is not None:
            of_part = np.repeat(extents[part.first : part.stop], np.diff(subgraphs.offsets), axis=0)
            structure = np.concatenate([structure, self._cuts(subgraphs), of_part], axis=1)
        return PartInputs(subgraphs, structure)

    def of_all(self, proposals: Proposals) -> list[PartInputs]:
        """Inputs of all proposals, to train on."""
        extents = self.extents(proposals)
        return [self(proposals, part, extents) for part in layer_parts(proposals, _PART_ROWS)]


class Judge:
    """Trained networks at work on one graph; what they need of all of it is computed once.

    Parameters
    ----------
    graph : Graph
    learned : Learned
    device : str
        Of the networks, if there is one job. Several share the processor: most of the work is there anyway.
    n_jobs : int or None
        Parts that are scored side by side.
    """

    def __init__(self, graph: Graph, learned: Learned, device: str, n_jobs: int | None = None):
        from ._nn._detection import Detection
        from ._nn._segmentation import Segmentation

        self.graph, self.n_jobs = graph, n_jobs
        device = device if effective_n_jobs(n_jobs) == 1 else "cpu"
        self._inputs = Inputs(graph, learned.n_structure)
        embedding = embedding_of(graph, learned.node_features)
        self._detection = Detection(learned, embedding, device)
        self._segmentation = None
        if learned.segmentation is not None:
            self._segmentation = Segmentation(
                learned.segmentation, learned.hidden_channels, embedding, graph.rows, device
            )

    @property
    def can_segment(self) -> bool:
        """Whether there is a GCN-S."""
        return self._segmentation is not None

    def score(self, proposals: Proposals, inputs: Iterable[PartInputs] | None = None) -> Scored:
        """Predict IoU and IoP of all proposals, one part in memory at a time (and worker).

        Parameters
        ----------
        proposals : Proposals
        inputs : iterable of PartInputs, optional
            Of all parts, if they are known.
        """
        if inputs is None:
            parts = layer_parts(proposals, _PART_ROWS)
            scores = by_ranges(
                _score_parts,
                spread(len(parts), len(proposals.indices)),
                self.n_jobs,
                parts=parts,
                inputs=self._inputs,
                detection=self._detection,
                proposals=proposals,
                extents=self._inputs.extents(proposals, self.n_jobs),
            )
        else:
            scores = [self._detection.score(*one) for one in inputs]
        quality = np.concatenate(scores)
        return Scored(proposals, quality, np.repeat(quality[:, 1], proposals.sizes))

    def segment(
        self, scored: Scored, *, iop_range: tuple[float, float], n_seeds: int, seed: int
    ) -> tuple[Proposals, np.ndarray]:
        """Take the outliers out of proposals that are neither pure nor hopeless (paper, section 3.3).

        Parameters
        ----------
        scored : Scored
        iop_range : tuple of two floats
            Proposals with a predicted IoP in it are segmented.
        n_seeds : int
        seed : int
            For the draw of the seeds.

        Returns
        -------
        segmented : Proposals
            What is left of each such proposal, in the layers of the originals.
        membership : float32 ndarray of shape (total size,)
            Probability of each member of `segmented`.
        """
        proposals, (lowest, highest) = scored.proposals, iop_range
        iop = scored.quality[:, 1]
        impure = (iop >= lowest) & (iop <= highest) & (proposals.sizes > 2)
        parts = [part for part in layer_parts(proposals, _PART_ROWS) if impure[part.first : part.stop].any()]
        found = by_ranges(
            _segment_parts,
            spread(len(parts), int(proposals.sizes[impure].sum())),
            self.n_jobs,
            parts=parts,
            inputs=self._inputs,
            segmentation=self._segmentation,
            proposals=proposals,
            extents=self._inputs.extents(proposals, self.n_jobs),
            impure=impure,
            n_seeds=n_seeds,
            seed=seed,
        )
        layers = np.full(proposals.layers.shape, -1, dtype=np.int32)
        probability = np.zeros(proposals.layers.shape, dtype=np.float32)
        for part, (kept, belongs) in zip(parts, chain.from_iterable(found), strict=True):
            layers[part.layer, kept] = proposals.layers[part.layer, kept]
            probability[part.layer, kept] = belongs
        segmented = distinct_proposals(layers)
        layer_of = np.repeat(np.arange(len(layers)), np.diff(segmented.indptr[segmented.starts]))
        return segmented, probability[layer_of, segmented.indices]


def _score_parts(start, stop, parts, inputs, detection, proposals, extents):
    return np.concatenate([detection.score(*inputs(proposals, part, extents)) for part in parts[start:stop]])


def _segment_parts(start, stop, parts, inputs, segmentation, proposals, extents, impure, n_seeds, seed):
    """Members of the impure proposals of each part that belong, and how probably."""
    found = []
    for part in parts[start:stop]:
        of_part = impure[part.first : part.stop]
        subgraphs, structure = inputs(proposals, part, extents)
        of_chosen = np.repeat(of_part, np.diff(subgraphs.offsets))
        chosen = take(subgraphs, np.flatnonzero(of_part))
        random = np.random.default_rng([seed, part.first])
        belongs = segmentation.member_probability(chosen, structure[of_chosen], n_seeds, random)
        kept = belongs > 0.5
        found.append((chosen.vertices[kept], belongs[kept]))
    return found


def embedding_of(graph: Graph, node_features: str) -> np.ndarray | None:
    """What the networks see of the embedding: float32 rows if `node_features` asks for them."""
    if node_features == "structure" or graph.rows is None:
        return None
    return graph.rows.astype(np.float32, copy=False)


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
