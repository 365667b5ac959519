"""Graph convolution and pooling over block-diagonal batches of proposals."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .._proposals._subgraphs import Subgraphs

with warnings.catch_warnings():  # torch says once a process that such tensors are new, and are not checked
    warnings.filterwarnings("ignore", "Sparse (CSR|invariant)", UserWarning)
    torch.sparse_csr_tensor(
        torch.tensor([0, 1]), torch.tensor([0]), torch.tensor([1.0]), (1, 1), check_invariants=False
    )


class Batch(NamedTuple):
    """Graphs of several proposals on the device."""

    offsets: Tensor
    """int64 of shape (n_proposals + 1,): first row of each proposal."""
    vertices: Tensor
    """int64 of shape (n_rows,): the sample behind each row."""
    adjacency: Tensor
    """Sparse CSR float32 of shape (n_rows, n_rows): affinities inside the proposals."""
    degree: Tensor
    """float32 of shape (n_rows, 1): row sums of A + I."""


def to_batch(subgraphs: Subgraphs, device: torch.device) -> Batch:
    """Move the graphs of proposals to the device."""
    matrix = subgraphs.adjacency
    adjacency = torch.sparse_csr_tensor(
        torch.from_numpy(matrix.indptr.astype("int64")),
        torch.from_numpy(matrix.indices.astype("int64")),
        torch.from_numpy(matrix.data),
        matrix.shape,
        device=device,
        check_invariants=False,
    )
    return Batch(
        torch.from_numpy(subgraphs.offsets).to(device),
        torch.from_numpy(subgraphs.vertices.astype("int64")).to(device),
        adjacency,
        torch.from_numpy(matrix.sum(axis=1)).float()[:, None].to(device) + 1,
    )


class _Propagate(torch.autograd.Function):
    """(A + I) F. A is symmetric, so the same product carries the gradient back."""

    @staticmethod
    def forward(ctx, adjacency, features):
        ctx.adjacency = adjacency
        return adjacency @ features + features

    @staticmethod
    def backward(ctx, gradient):
        return None, ctx.adjacency @ gradient + gradient


def smooth(batch: Batch, features: Tensor) -> Tensor:
    """Mean over each row and its neighbours, weighted by affinity: ``D~^{-1} (A + I) F``.

    Shapes: (n_rows, n_channels) -> (n_rows, n_channels).
    """
    return _Propagate.apply(batch.adjacency, features) / batch.degree


class GraphConvolution(nn.Module):
    """``relu(D~^{-1} (A + I) F W + b)`` (paper, section 3.2), smoothing on the narrower side of W.

    Shapes: (n_rows, n_in) -> (n_rows, n_out).
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)

    def forward(self, batch: Batch, features: Tensor) -> Tensor:
        weight, bias = self.linear.weight, self.linear.bias
        if weight.shape[1] <= weight.shape[0]:
            return torch.relu(smooth(batch, features) @ weight.T + bias)
        return torch.relu(smooth(batch, features @ weight.T) + bias)


class InputConvolution(nn.Module):
    """First graph convolution, of inputs per row (structure) and per sample (embedding).

    A sample is in many proposals: by ``A (F W) = (A F) W`` its product with the weights is computed once,
    by :meth:`project`, and gathered by every proposal.
    """

    def __init__(self, n_row_inputs: int, n_sample_inputs: int, n_out: int):
        super().__init__()
        self.row = nn.Linear(n_row_inputs, n_out, bias=False) if n_row_inputs else None
        self.sample = nn.Linear(n_sample_inputs, n_out, bias=False) if n_sample_inputs else None
        self.bias = nn.Parameter(torch.zeros(n_out))

    def project(self, samples: Tensor) -> Tensor:
        """Product of all samples with their weights: (n_samples, n_features) -> (n_samples, n_out)."""
        return torch.nn.functional.linear(samples, self.get_parameter("sample.weight"))

    def forward(self, batch: Batch, rows: Tensor, projected: Tensor | None, noise: Callable) -> Tensor:
        """Shapes: (n_rows, n_row_inputs), (n_samples, n_out) -> (n_rows, n_out).

        The noise of training is added behind the smoothing, which would take most of it away.
        """
        out: Tensor = self.bias
        if self.row is not None:
            out = out + self.row(noise(smooth(batch, rows)))
        if projected is not None:
            out = out + smooth(batch, projected[batch.vertices])
        return torch.relu(out)


def pool(rows: Tensor, offsets: Tensor, pooling: str) -> Tensor:
    """Pool the rows of each proposal: (n_rows, n_channels) -> (n_proposals, n_channels)."""
    return torch.segment_reduce(rows, pooling, offsets=offsets, axis=0)
