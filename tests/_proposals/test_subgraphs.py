"""Tests of the graphs of proposals."""

import numpy as np
import pytest
import scipy.sparse as sp

from sklearn_gcncluster._arrays import ranges
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._subgraphs import (
    concatenate,
    cut_part,
    layer_parts,
    part_subgraphs,
    take,
    vertex_batches,
)

SEEDS = [0, 1, 2]


def random_case(seed, n_samples=60):
    """A graph and proposals in four layers, the second of which repeats many of the first."""
    random = np.random.default_rng(seed)
    values = random.random((n_samples, n_samples)).astype(np.float32)
    upper = np.triu(values * (random.random(values.shape) < 0.2), k=1)
    layers = random.integers(-1, 12, (4, n_samples))
    layers[1, :40] = layers[0, :40]
    layers[3] = layers[2]  # a layer in which nothing is new
    return upper + upper.T, distinct_proposals(layers)


def members_of(proposals, number):
    """Members of one proposal."""
    return proposals.indices[proposals.indptr[number] : proposals.indptr[number + 1]]


def assert_blocks(subgraphs, dense, expected_members):
    """The graphs are those of the given members, one after the other, and nothing else."""
    assert len(subgraphs.offsets) == len(expected_members) + 1
    assert len(subgraphs.vertices) == sum(map(len, expected_members))  # no padding
    assert subgraphs.adjacency.shape == (len(subgraphs.vertices),) * 2
    blocks = np.zeros(subgraphs.adjacency.shape, dense.dtype)
    for number, members in enumerate(expected_members):
        part = slice(*subgraphs.offsets[number : number + 2])
        np.testing.assert_array_equal(subgraphs.vertices[part], members)
        blocks[part, part] = dense[np.ix_(members, members)]
    np.testing.assert_array_equal(subgraphs.adjacency.toarray(), blocks)
    assert subgraphs.adjacency.nnz == np.count_nonzero(blocks)
    assert subgraphs.adjacency.dtype == np.float32


@pytest.mark.parametrize("seed", SEEDS)
def test_subgraphs_equal_dense_slices(seed):
    """The proposals of each part, in order, as slices of the dense matrix."""
    dense, proposals = random_case(seed)
    affinity = sp.csr_array(dense)
    for part in layer_parts(proposals, 12):
        subgraphs = part_subgraphs(cut_part(affinity, proposals, part), affinity)
        assert_blocks(
            subgraphs, dense, [members_of(proposals, number) for number in range(part.first, part.stop)]
        )


@pytest.mark.parametrize("budget", [1, 12, 1000])
@pytest.mark.parametrize("seed", SEEDS)
def test_parts_are_all_proposals_in_order(seed, budget):
    """Each within a layer and the budget, unless it is one proposal; as few as that allows."""
    _, proposals = random_case(seed)
    parts = layer_parts(proposals, budget)
    assert [part.first for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == len(proposals.sizes)
    for part in parts:
        assert proposals.starts[part.layer] <= part.first <= part.stop <= proposals.starts[part.layer + 1]
        assert proposals.sizes[part.first : part.stop].sum() <= budget or part.stop == part.first + 1
        rest = proposals.sizes[part.first : part.stop + 1].sum()
        assert part.stop == proposals.starts[part.layer + 1] or rest > budget
    assert [part.layer for part in layer_parts(proposals, 10**9)] == list(range(len(proposals.layers)))


@pytest.mark.parametrize("seed", SEEDS)
def test_cut_tells_inside_from_outside(seed):
    """Every link of every row is listed, with its place in the matrix and the side it is on."""
    dense, proposals = random_case(seed)
    affinity = sp.csr_array(dense)
    for part in layer_parts(proposals, 12):
        cut = cut_part(affinity, proposals, part)
        row = 0
        for number in range(part.first, part.stop):
            members = members_of(proposals, number)
            assert (cut.sizes[row : row + len(members)] == len(members)).all()
            for vertex in members:
                links = slice(*cut.indptr[row : row + 2])
                assert cut.vertices[row] == vertex
                np.testing.assert_array_equal(cut.neighbors[links], np.flatnonzero(dense[vertex]))
                np.testing.assert_array_equal(
                    affinity.data[cut.entries[links]], dense[vertex, cut.neighbors[links]]
                )
                np.testing.assert_array_equal(cut.inside[links], np.isin(cut.neighbors[links], members))
                row += 1
        assert row == len(cut.vertices) == len(cut.sizes)
        assert cut.indptr[-1] == len(cut.neighbors)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_links_under_another_matrix(seed):
    """A cut serves every matrix of the same pattern."""
    dense, proposals = random_case(seed)
    affinity = sp.csr_array(dense)
    other = affinity.copy()
    other.data = -2 * other.data
    part = layer_parts(proposals, 10**9)[0]
    subgraphs = part_subgraphs(cut_part(affinity, proposals, part), other)
    expected = [members_of(proposals, number) for number in range(proposals.starts[1])]
    assert_blocks(subgraphs, -2 * dense, expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_take_and_concatenate(seed):
    """All layers together, and any proposals of them in any order, repeated too."""
    dense, proposals = random_case(seed)
    affinity = sp.csr_array(dense)
    parts = [
        part_subgraphs(cut_part(affinity, proposals, part), affinity) for part in layer_parts(proposals, 12)
    ]
    everything = concatenate(parts)
    n_proposals = len(proposals.sizes)
    assert_blocks(everything, dense, [members_of(proposals, number) for number in range(n_proposals)])
    chosen = np.random.default_rng(seed).integers(0, n_proposals, 9)
    assert_blocks(take(everything, chosen), dense, [members_of(proposals, number) for number in chosen])
    assert_blocks(take(everything, chosen[:0]), dense, [])


def test_ranges():
    """Ranges one after the other, empty ones too."""
    indices, offsets = ranges(np.array([3, 7, 2, 2]), np.array([6, 7, 4, 3]))
    assert indices.tolist() == [3, 4, 5, 2, 3, 2]
    assert offsets.tolist() == [0, 3, 3, 5, 6]


@pytest.mark.parametrize("budget", [1, 7, 30, 10_000])
@pytest.mark.parametrize("seed", SEEDS)
def test_batches_keep_the_budget(seed, budget):
    """Batches hold everything once, in order, and no more rows than allowed unless of one proposal."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 20, 50)
    order = random.permutation(50)[:40]
    batches = vertex_batches(np.concatenate([[0], np.cumsum(sizes)]), order, budget)
    np.testing.assert_array_equal(np.concatenate(batches), order)
    for number, batch in enumerate(batches):
        assert len(batch) == 1 or sizes[batch].sum() <= budget
        if number + 1 < len(batches):  # none is cut short
            assert sizes[batch].sum() + sizes[batches[number + 1][0]] > budget
    assert vertex_batches(np.array([0, 4]), order[:0], budget) == []
