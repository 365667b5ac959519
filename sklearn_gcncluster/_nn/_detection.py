"""GCN-D on arrays: train it on proposals of known quality, score proposals with it."""

from __future__ import annotations

import numpy as np
import torch

from .._arrays import ranges
from .._model import Learned, Network
from .._proposals._subgraphs import Subgraphs, take, vertex_batches
from ._inference import INFERENCE_ROWS, TrainedNetwork, input_scale
from ._layers import to_batch
from ._models import DetectionNetwork
from ._training import Schedule, resolve_device, train


def train_detection(
    subgraphs: Subgraphs,
    structure: np.ndarray,
    quality: np.ndarray,
    validation: np.ndarray,
    *,
    embedding: np.ndarray | None,
    hidden_channels: tuple[int, ...],
    pooling: str,
    schedule: Schedule,
    seed: int,
    device: str,
) -> tuple[Network, np.ndarray]:
    """Train GCN-D by mean squared error on IoU and IoP (paper, section 3.2).

    Parameters
    ----------
    subgraphs : Subgraphs
        Of all proposals.
    structure : float32 ndarray of shape (n_rows, n_structure)
    quality : float32 ndarray of shape (n_proposals, 2)
        True IoU and IoP, NaN for proposals to leave out.
    validation : bool ndarray of shape (n_proposals,)
        Proposals to tell the loss of, of classes that the others do not have.
    embedding : float32 ndarray of shape (n_samples, n_features) or None
    hidden_channels, pooling, schedule, seed, device

    Returns
    -------
    network : Network
    loss_curve : ndarray of shape (n_epochs, 2)
    """
    on = resolve_device(device)
    mean, std = input_scale(structure)
    inputs = torch.from_numpy((structure - mean) / std).to(on)
    samples = None if embedding is None else torch.tensor(embedding, device=on)
    truth = torch.tensor(quality, device=on)

    def loss_of(network, items, disturbance):
        rows = ranges(subgraphs.offsets[items], subgraphs.offsets[items + 1])[0]
        projected = None if samples is None else network.input.project(samples)
        predicted = network(
            to_batch(take(subgraphs, items), on), inputs[torch.from_numpy(rows)], projected, disturbance
        )
        return ((predicted - truth[torch.from_numpy(items)]) ** 2).sum(dim=1)

    known = np.isfinite(quality[:, 0])
    parameters, curve = train(
        _network(structure.shape[1], embedding, hidden_channels, pooling),
        loss_of,
        np.diff(subgraphs.offsets),
        np.flatnonzero(known & ~validation),
        np.flatnonzero(known & validation),
        schedule,
        seed=seed,
        device=on,
    )
    return Network(mean, std, parameters), curve


class Detection:
    """Trained GCN-Ds at work on one data set; their scores are averaged."""

    def __init__(self, learned: Learned, embedding: np.ndarray | None, device: str):
        shape = embedding, learned.hidden_channels, learned.pooling
        self._trained = [
            (
                len(network.mean),
                TrainedNetwork(_network(len(network.mean), *shape), network, embedding, device),
            )
            for network in learned.detection
        ]

    def score(self, subgraphs: Subgraphs, structure: np.ndarray) -> np.ndarray:
        """Predicted IoU and IoP, float32 of shape (n_proposals, 2)."""
        scores = np.empty((len(subgraphs.offsets) - 1, 2), dtype=np.float32)
        for chosen in vertex_batches(subgraphs.offsets, np.arange(len(scores)), INFERENCE_ROWS):
            rows = slice(subgraphs.offsets[chosen[0]], subgraphs.offsets[chosen[-1] + 1])
            part = take(subgraphs, chosen)
            found = [network(part, structure[rows, :n_known]) for n_known, network in self._trained]
            scores[chosen] = np.mean(found, axis=0)
        return scores


def _network(n_structure, embedding, hidden_channels, pooling):
    n_embedding = 0 if embedding is None else embedding.shape[1]
    with torch.device("meta"):
        return DetectionNetwork(n_structure, n_embedding, tuple(hidden_channels), pooling)
