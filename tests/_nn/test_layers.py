"""Tests of graph convolutions and pooling, against dense formulas."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sklearn_gcncluster._nn._layers import GraphConvolution, InputConvolution, pool, smooth, to_batch
from sklearn_gcncluster._proposals._subgraphs import Subgraphs, take

SEEDS = [0, 1, 2]
CPU = torch.device("cpu")


def random_subgraphs(seed, sizes=(4, 1, 7, 2, 5), n_samples=30):
    """Proposals with random members and affinities, one of them a single sample."""
    random = np.random.default_rng(seed)
    blocks = []
    for size in sizes:
        upper = np.triu(random.random((size, size)) * (random.random((size, size)) < 0.6), k=1)
        blocks.append((upper + upper.T).astype(np.float32))
    vertices = [np.sort(random.choice(n_samples, size, replace=False)) for size in sizes]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Subgraphs(
        offsets, np.concatenate(vertices).astype(np.int32), sp.csr_array(sp.block_diag(blocks, format="csr"))
    )


def random_tensor(seed, *shape):
    """Standard normal values from a generator of their own."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def dense_smooth(subgraphs, features):
    """D~^{-1} (A + I) F on dense matrices."""
    with_loops = torch.tensor(subgraphs.adjacency.toarray()) + torch.eye(len(features))
    return with_loops / with_loops.sum(dim=1, keepdim=True) @ features


@pytest.mark.parametrize(("n_in", "n_out"), [(3, 8), (8, 3), (5, 5)])
@pytest.mark.parametrize("seed", SEEDS)
def test_graph_convolution_equals_the_dense_formula(seed, n_in, n_out):
    """relu(D~^-1 (A + I) F W + b), and its gradients, whichever product comes first."""
    torch.manual_seed(seed)
    subgraphs, layer = random_subgraphs(seed), GraphConvolution(n_in, n_out)
    features, direction = random_tensor(seed, 19, n_in), random_tensor(seed + 1, 19, n_out)
    weight, bias = layer.linear.weight, layer.linear.bias
    found, expected = [], []
    for results, values in [
        (found, lambda rows: layer(to_batch(subgraphs, CPU), rows)),
        (expected, lambda rows: torch.relu(dense_smooth(subgraphs, rows) @ weight.T + bias)),
    ]:
        rows = features.clone().requires_grad_()
        results.append(values(rows))
        results += torch.autograd.grad((results[0] * direction).sum(), [rows, weight, bias])
    assert (found[0] > 0).any()
    assert (found[0] == 0).any()
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_smoothing_has_the_right_gradient(seed):
    """The sparse product carries the gradient back as a dense one does."""
    subgraphs, direction = random_subgraphs(seed), random_tensor(seed + 1, 19, 4)
    sparse, dense = (random_tensor(seed, 19, 4).requires_grad_() for _ in range(2))
    (smooth(to_batch(subgraphs, CPU), sparse) * direction).sum().backward()
    (dense_smooth(subgraphs, dense) * direction).sum().backward()
    torch.testing.assert_close(sparse.grad, dense.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", ["max", "mean", "sum"])
def test_pooling_equals_a_loop(pooling):
    """Rows of each proposal pooled by themselves, negative ones too."""
    offsets, rows = torch.tensor([0, 4, 5, 12]), random_tensor(0, 12, 3) - 1
    expected = []
    for start, stop in pairwise(offsets):
        part = rows[start:stop]
        expected.append(part.max(dim=0).values if pooling == "max" else getattr(part, pooling)(dim=0))
    torch.testing.assert_close(pool(rows, offsets, pooling), torch.stack(expected))


@pytest.mark.parametrize(("n_structure", "n_embedding"), [(4, 0), (0, 6), (4, 6)])
@pytest.mark.parametrize("seed", SEEDS)
def test_projection_once_or_per_proposal(seed, n_structure, n_embedding):
    """A (F W) with F W made once for all samples equals (A F) W in each proposal; noise is behind A."""
    torch.manual_seed(seed)
    subgraphs, layer = random_subgraphs(seed), InputConvolution(n_structure, n_embedding, 7)
    rows, samples = random_tensor(seed, 19, n_structure), random_tensor(seed + 1, 30, n_embedding)
    torch.nn.init.normal_(layer.bias)
    projected = layer.project(samples) if n_embedding else None
    smoothed = []

    def noise(values):
        smoothed.append(values)
        return values + 0.1 * shift

    shift = random_tensor(seed + 2, 19, n_structure)
    found = layer(to_batch(subgraphs, CPU), rows, projected, noise)
    assert len(smoothed) == bool(n_structure)
    for number in range(5):
        part = slice(*subgraphs.offsets[number : number + 2])
        alone = take(subgraphs, np.array([number]))
        expected = layer.bias
        if n_structure:
            own = dense_smooth(alone, rows[part])
            torch.testing.assert_close(smoothed[0][part], own)
            expected = expected + (own + 0.1 * shift[part]) @ layer.row.weight.T
        if n_embedding:
            members = samples[torch.from_numpy(alone.vertices.astype(np.int64))]
            expected = expected + dense_smooth(alone, members) @ layer.sample.weight.T
        torch.testing.assert_close(found[part], torch.relu(expected), atol=1e-5, rtol=1e-4)
