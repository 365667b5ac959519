"""GCN-S on arrays: which members of an impure proposal go together with a seed.

A proposal may hold two classes of similar size, so "member or outlier" has no answer before one sample
is named: a *seed*, marked in the input, whose label is the positive one (paper, section 3.3). Several
seeds are tried; the hypothesis with most positives wins.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit

from .._arrays import ranges
from .._model import N_SEED_INPUTS, Network
from .._proposals._subgraphs import Subgraphs, take, vertex_batches
from ._inference import INFERENCE_ROWS, TrainedNetwork, input_scale
from ._layers import to_batch
from ._models import SegmentationNetwork
from ._training import Schedule, resolve_device, train


def draw_seeds(subgraphs: Subgraphs, allowed: np.ndarray, n_seeds: int, random: np.random.Generator):
    """Draw rows of each proposal to be its seeds, without repeating one.

    Parameters
    ----------
    subgraphs : Subgraphs
    allowed : bool ndarray of shape (n_rows,)
    n_seeds : int
        For each proposal; fewer where fewer rows are allowed.
    random : Generator

    Returns
    -------
    proposals, seeds : intp ndarrays of shape (n_hypotheses,)
        The proposal and the row of each hypothesis, by proposal.
    """
    proposal_of = np.repeat(np.arange(len(subgraphs.offsets) - 1), np.diff(subgraphs.offsets))
    rows = np.flatnonzero(allowed)
    rows = rows[np.lexsort((random.random(len(rows)), proposal_of[rows]))]
    starts = np.flatnonzero(np.diff(proposal_of[rows], prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    seeds = rows[place < n_seeds]
    return proposal_of[seeds], seeds


def seed_inputs(
    part: Subgraphs, structure: np.ndarray, rows: np.ndarray | None, seeds: np.ndarray
) -> np.ndarray:
    """Inputs of GCN-S: structure, the mark of the seed, the affinity to it, the nearness to it.

    Nearness is the negative squared distance, in standard deviations from its mean over the proposal, so that
    it means the same in every embedding.

    Parameters
    ----------
    part : Subgraphs
        One proposal for each hypothesis.
    structure : float32 ndarray of shape (n_rows, n_structure)
    rows : float32 ndarray of shape (n_samples, n_features) or None
        Embedding; without it, nearness is by affinity.
    seeds : intp ndarray of shape (n_hypotheses,)
        Row of each hypothesis's seed, counted within `part`.
    """
    sizes, first = np.diff(part.offsets), part.offsets[:-1]
    marks = np.zeros((len(structure), N_SEED_INPUTS), dtype=np.float32)
    marks[seeds, 0] = 1
    linked = part.adjacency[seeds]
    marks[linked.indices, 1] = linked.data  # blocks do not touch: each column holds at most one entry
    near = marks[:, 1]
    if rows is not None:
        apart = rows[part.vertices] - np.repeat(rows[part.vertices[seeds]], sizes, axis=0)
        near = -np.einsum("ij,ij->i", apart, apart)
    near = near - np.repeat(np.add.reduceat(near, first) / sizes, sizes)
    deviation = np.sqrt(np.add.reduceat(near**2, first) / sizes)
    marks[:, 2] = near / np.repeat(deviation + 1e-6, sizes)
    return np.concatenate([structure, marks], axis=1)


def train_segmentation(
    subgraphs: Subgraphs,
    structure: np.ndarray,
    *,
    embedding: np.ndarray | None,
    rows: np.ndarray | None,
    labels: np.ndarray,
    validation: np.ndarray,
    n_seeds: int,
    hidden_channels: tuple[int, ...],
    schedule: Schedule,
    seed: int,
    device: str,
) -> tuple[Network, np.ndarray]:
    """Train GCN-S by binary cross-entropy on "has the label of the seed".

    Parameters
    ----------
    subgraphs : Subgraphs
        Of impure proposals.
    structure, embedding
        As for :func:`~sklearn_gcncluster._nn._detection.train_detection`.
    rows : float32 ndarray of shape (n_samples, n_features) or None
        What nearness to the seed is taken of.
    labels : int ndarray of shape (n_rows,)
        Class of each row, -1 for unlabelled: never a seed, never in the loss.
    validation : bool ndarray of shape (n_proposals,)
    n_seeds : int
        Training examples a proposal.

    Returns
    -------
    network, loss_curve
    """
    on = resolve_device(device)
    proposals, seeds = draw_seeds(subgraphs, labels >= 0, n_seeds, np.random.default_rng(seed))
    samples = None if embedding is None else torch.tensor(embedding, device=on)
    mean, std = input_scale(np.pad(structure, ((0, 0), (0, N_SEED_INPUTS))))
    std[-N_SEED_INPUTS:] = 1

    def loss_of(network, items, disturbance):
        part = take(subgraphs, proposals[items])
        starts = subgraphs.offsets[proposals[items]]
        chosen = ranges(starts, subgraphs.offsets[proposals[items] + 1])[0]
        seed_rows = part.offsets[:-1] + seeds[items] - starts
        inputs = seed_inputs(part, structure[chosen], rows, seed_rows)
        scaled = torch.from_numpy((inputs - mean) / std).to(on)
        projected = None if samples is None else network.input.project(samples)
        odds = network(to_batch(part, on), scaled, projected, disturbance)
        sizes = np.diff(part.offsets)
        positive = labels[chosen] == np.repeat(labels[seeds[items]], sizes)
        weight = torch.from_numpy((labels[chosen] >= 0).astype(np.float32)).to(on)
        losses = weight * torch.nn.functional.binary_cross_entropy_with_logits(
            odds, torch.from_numpy(positive.astype(np.float32)).to(on), reduction="none"
        )
        ends = torch.from_numpy(part.offsets).to(on)
        return torch.segment_reduce(losses, "mean", offsets=ends, axis=0)

    parameters, curve = train(
        _network(structure.shape[1], embedding, hidden_channels),
        loss_of,
        np.diff(subgraphs.offsets)[proposals],
        np.flatnonzero(~validation[proposals]),
        np.flatnonzero(validation[proposals]),
        schedule,
        seed=seed,
        device=on,
    )
    return Network(mean, std, parameters), curve


class Segmentation:
    """A trained GCN-S at work on one data set."""

    def __init__(
        self,
        trained: Network,
        hidden_channels: tuple[int, ...],
        embedding: np.ndarray | None,
        rows: np.ndarray | None,
        device: str,
    ):
        self._n_structure, self._rows = len(trained.mean) - N_SEED_INPUTS, rows
        network = _network(self._n_structure, embedding, hidden_channels)
        self._trained = TrainedNetwork(network, trained, embedding, device)

    def member_probability(
        self, subgraphs: Subgraphs, structure: np.ndarray, n_seeds: int, random: np.random.Generator
    ) -> np.ndarray:
        """Probability that a row belongs to its proposal, by the seed with most positives.

        Returns
        -------
        float32 ndarray of shape (n_rows,)
        """
        proposals, seeds = draw_seeds(subgraphs, np.ones(len(structure), bool), n_seeds, random)
        hypothesis_offsets = np.concatenate([[0], np.cumsum(np.diff(subgraphs.offsets)[proposals])])
        best = np.full(len(structure), 0.0, dtype=np.float32)
        most = np.zeros(len(subgraphs.offsets) - 1, dtype=np.int64)
        for items in vertex_batches(hypothesis_offsets, np.arange(len(seeds)), INFERENCE_ROWS):
            part = take(subgraphs, proposals[items])
            starts = subgraphs.offsets[proposals[items]]
            rows = ranges(starts, subgraphs.offsets[proposals[items] + 1])[0]
            seed_rows = part.offsets[:-1] + seeds[items] - starts
            inputs = seed_inputs(part, structure[rows, : self._n_structure], self._rows, seed_rows)
            probability = expit(self._trained(part, inputs))
            positives = np.add.reduceat((probability > 0.5).astype(np.int64), part.offsets[:-1])
            # The best hypothesis of each proposal in this batch, the first among equals.
            order = np.lexsort((-np.arange(len(items)), positives, proposals[items]))
            last = order[np.flatnonzero(np.diff(proposals[items][order], append=-1))]
            last = last[positives[last] > most[proposals[items][last]]]
            most[proposals[items][last]] = positives[last]
            chosen, _ = ranges(part.offsets[last], part.offsets[last + 1])
            best[rows[chosen]] = probability[chosen]
        return best


def _network(n_structure, embedding, hidden_channels):
    n_embedding = 0 if embedding is None else embedding.shape[1]
    with torch.device("meta"):
        return SegmentationNetwork(n_structure, n_embedding, tuple(hidden_channels))
