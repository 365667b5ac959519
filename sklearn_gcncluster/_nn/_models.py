"""GCN-D, which judges proposals, and GCN-S, which finds the members that go with a seed."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from .._model import N_SEED_INPUTS
from ._layers import Batch, GraphConvolution, InputConvolution, pool


class DetectionNetwork(nn.Module):
    """GCN-D: predicts IoU and IoP of each proposal (paper, section 3.2).

    Graph convolutions over the vertices of a proposal, pooling over them, two outputs in [0, 1].

    Parameters
    ----------
    n_structure, n_embedding : int
        Number of structural features a row and of embedding features a sample; one of them may be 0.
    hidden_channels : tuple of int
        Width of each graph convolution.
    pooling : {"max", "mean", "sum"}
    """

    def __init__(self, n_structure: int, n_embedding: int, hidden_channels: tuple[int, ...], pooling: str):
        super().__init__()
        self.pooling = pooling
        self.input = InputConvolution(n_structure, n_embedding, hidden_channels[0])
        self.hidden = _hidden(hidden_channels)
        self.head = nn.Linear(hidden_channels[-1], 2)

    def forward(self, batch: Batch, structure: Tensor, projected: Tensor | None, disturbance) -> Tensor:
        """IoU and IoP: (n_rows, n_structure) -> (n_proposals, 2)."""
        rows = disturbance.hidden(self.input(batch, structure, projected, disturbance.inputs))
        for layer in self.hidden:
            rows = disturbance.hidden(layer(batch, rows))
        return torch.sigmoid(self.head(pool(rows, batch.offsets, self.pooling)))


class SegmentationNetwork(nn.Module):
    """GCN-S: for each row the odds that it has the label of the proposal's seed (paper, section 3.3).

    As GCN-D without the pooling; two more inputs mark the seed and the affinity to it.

    Parameters
    ----------
    n_structure, n_embedding, hidden_channels
        As for :class:`DetectionNetwork`.
    """

    def __init__(self, n_structure: int, n_embedding: int, hidden_channels: tuple[int, ...]):
        super().__init__()
        self.input = InputConvolution(n_structure + N_SEED_INPUTS, n_embedding, hidden_channels[0])
        self.hidden = _hidden(hidden_channels)
        self.head = nn.Linear(hidden_channels[-1], 1)

    def forward(self, batch: Batch, structure: Tensor, projected: Tensor | None, disturbance) -> Tensor:
        """Log-odds: (n_rows, n_structure + N_SEED_INPUTS) -> (n_rows,)."""
        rows = disturbance.hidden(self.input(batch, structure, projected, disturbance.inputs))
        for layer in self.hidden:
            rows = disturbance.hidden(layer(batch, rows))
        return self.head(rows)[:, 0]


def _hidden(channels):
    return nn.ModuleList(GraphConvolution(i, o) for i, o in pairwise(channels))
