"""Tests of GCN-S, on small planted problems."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sklearn_gcncluster._nn import _segmentation
from sklearn_gcncluster._nn._segmentation import Segmentation, draw_seeds, seed_inputs, train_segmentation
from sklearn_gcncluster._nn._training import Schedule
from sklearn_gcncluster._proposals._subgraphs import Subgraphs, take

SEEDS = [0, 1, 2]
SHORT = Schedule(max_epochs=3, learning_rate=1e-2, batch_size=200, weight_decay=1e-4, dropout=0.3)


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


def blobs_in_pairs(seed, n_proposals=60, n_features=4):
    """Proposals that hold two classes: tight blobs with a few weak links between them."""
    random = np.random.default_rng(seed)
    blocks, labels, offsets, X = [], [], [0], []
    for number in range(n_proposals):
        sizes = random.integers(4, 9, 2)
        own = np.repeat([0, 1], sizes)
        same = own[:, None] == own[None]
        linked = random.random(same.shape) < np.where(same, 0.8, 0.15)
        values = random.uniform(np.where(same, 0.5, 0.1), np.where(same, 0.9, 0.4)) * linked
        upper = np.triu(values, k=1)
        blocks.append((upper + upper.T).astype(np.float32))
        labels.append(2 * number + own)
        offsets.append(offsets[-1] + len(own))
        centres = random.standard_normal((2, n_features))
        X.append(centres[own] + 0.3 * random.standard_normal((len(own), n_features)))
    labels, X = np.concatenate(labels), np.concatenate(X).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    adjacency = sp.csr_array(sp.block_diag(blocks, format="csr"))
    structure = np.column_stack([adjacency.sum(axis=1), np.diff(adjacency.indptr)]).astype(np.float32)
    subgraphs = Subgraphs(np.array(offsets), np.arange(len(labels), dtype=np.int32), adjacency)
    return subgraphs, structure, X, labels


def segment(problem, schedule=SHORT, seed=0, labels=None):
    """Train GCN-S, a fifth of the proposals left out."""
    subgraphs, structure, X, own_labels = problem
    return train_segmentation(
        subgraphs,
        structure,
        embedding=None,
        rows=X,
        labels=own_labels if labels is None else labels,
        validation=np.arange(len(subgraphs.offsets) - 1) % 5 == 0,
        n_seeds=3,
        hidden_channels=(32, 16),
        schedule=schedule,
        seed=seed,
        device="cpu",
    )


@pytest.fixture(scope="module")
def trained_segmentation():
    """A GCN-S that has learned to follow the seed."""
    return segment(blobs_in_pairs(0), SHORT._replace(max_epochs=25, batch_size=500))[0]


def segmentation_of(network, X):
    """The network at work on one data set."""
    return Segmentation(network, (32, 16), None, X, device="cpu")


@pytest.mark.parametrize("seed", SEEDS)
def test_gcn_s_follows_the_seed(trained_segmentation, seed):
    """Of two blobs in a proposal never seen, the members are those of the seed's blob."""
    subgraphs, structure, X, labels = blobs_in_pairs(100)
    segmentation = segmentation_of(trained_segmentation, X)
    found = segmentation.member_probability(subgraphs, structure, 1, np.random.default_rng(seed))
    assert found.dtype == np.float32
    _, seeds = draw_seeds(subgraphs, np.ones(len(labels), bool), 1, np.random.default_rng(seed))
    seed_label = np.repeat(labels[seeds], np.diff(subgraphs.offsets))
    assert len(np.unique(labels[seeds] % 2)) == 2
    assert ((found > 0.5) == (labels == seed_label)).mean() > 0.95


def test_most_positives_win(trained_segmentation, monkeypatch):
    """With every member a seed once, the hypothesis with most positives is kept, in one batch or in many."""
    subgraphs, structure, X, labels = blobs_in_pairs(100)
    segmentation = segmentation_of(trained_segmentation, X)
    found = segmentation.member_probability(subgraphs, structure, 100, np.random.default_rng(0))
    right = []
    for number in range(60):
        part = slice(*subgraphs.offsets[number : number + 2])
        sizes = np.bincount(labels[part] % 2)
        if abs(sizes[0] - sizes[1]) > 1:
            right.append((found[part] > 0.5) == (labels[part] % 2 == sizes.argmax()))
    assert np.concatenate(right).mean() > 0.9
    monkeypatch.setattr(_segmentation, "INFERENCE_ROWS", 30)
    batched = segmentation.member_probability(subgraphs, structure, 100, np.random.default_rng(0))
    np.testing.assert_allclose(batched, found, atol=1e-5)
    single = segmentation.member_probability(subgraphs, structure, 1, np.random.default_rng(0))
    positives = [
        np.add.reduceat(values > 0.5, subgraphs.offsets[:-1], dtype=int) for values in (found, single)
    ]
    assert (positives[0] >= positives[1]).all()
    assert (positives[0] > positives[1]).any()


def test_gcn_s_same_seed_same_weights():
    """Training depends on its seed alone and leaves torch's generator and threads as they were."""
    problem = blobs_in_pairs(0, n_proposals=20)
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, _ = segment(problem)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    torch.manual_seed(6)
    second, _ = segment(problem)
    for name, array in first.parameters.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, second.parameters[name])
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.std, second.std)
    other, _ = segment(problem, seed=1)
    assert any((array != other.parameters[name]).any() for name, array in first.parameters.items())


def test_unlabelled_members_do_not_teach():
    """With half of the members unlabelled, neither seeds nor outliers, the seed is followed all the same."""
    problem = blobs_in_pairs(0)
    labels = np.where(np.arange(len(problem[3])) % 2, problem[3], -1)
    schedule = SHORT._replace(max_epochs=25, batch_size=500)
    network, curve = segment(problem, schedule, labels=labels)
    assert np.isfinite(curve).all()
    subgraphs, structure, X, true_labels = blobs_in_pairs(100)
    found = segmentation_of(network, X).member_probability(subgraphs, structure, 1, np.random.default_rng(0))
    _, seeds = draw_seeds(subgraphs, np.ones(len(true_labels), bool), 1, np.random.default_rng(0))
    seed_label = np.repeat(true_labels[seeds], np.diff(subgraphs.offsets))
    assert ((found > 0.5) == (true_labels == seed_label)).mean() > 0.9
    _, seeds = draw_seeds(subgraphs, np.zeros(len(true_labels), bool), 3, np.random.default_rng(0))
    assert len(seeds) == 0


@pytest.mark.parametrize("n_seeds", [1, 3, 50])
@pytest.mark.parametrize("seed", SEEDS)
def test_seeds_are_drawn_without_repetition(seed, n_seeds):
    """Each proposal has as many different seeds as asked for, or as rows are allowed."""
    subgraphs = random_subgraphs(seed)
    allowed = np.random.default_rng(seed).random(19) < 0.7
    proposals, seeds = draw_seeds(subgraphs, allowed, n_seeds, np.random.default_rng(seed))
    assert allowed[seeds].all()
    for number in range(5):
        start, stop = subgraphs.offsets[number : number + 2]
        own = seeds[proposals == number]
        assert len(set(own)) == len(own) == min(n_seeds, allowed[start:stop].sum())
        assert ((own >= start) & (own < stop)).all()


def test_any_member_may_be_a_seed():
    """Over many draws every member is a seed about equally often."""
    subgraphs = random_subgraphs(0)
    random = np.random.default_rng(0)
    drawn = np.concatenate([draw_seeds(subgraphs, np.ones(19, bool), 1, random)[1] for _ in range(600)])
    expected = 600 / np.repeat(np.diff(subgraphs.offsets), np.diff(subgraphs.offsets))
    assert (np.abs(np.bincount(drawn, minlength=19) - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("with_embedding", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_seed_inputs_equal_a_loop(seed, with_embedding):
    """Beside the structure: the seed's mark, each row's affinity to it and nearness to it."""
    random = np.random.default_rng(seed)
    subgraphs = random_subgraphs(seed)
    structure = random.random((19, 3)).astype(np.float32)  # as many rows as there are below
    embedding = random.standard_normal((30, 4)).astype(np.float32) if with_embedding else None
    part = take(subgraphs, np.array([2, 0, 2, 1]))
    seeds = part.offsets[:-1] + np.array([3, 0, 6, 0])
    found = seed_inputs(part, structure, embedding, seeds)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :3], structure)
    dense = part.adjacency.toarray()
    for number, row_seed in enumerate(seeds):
        rows = np.arange(*part.offsets[number : number + 2])
        near = dense[rows, row_seed]
        if with_embedding:
            apart = embedding[part.vertices[rows]] - embedding[part.vertices[row_seed]]
            near = -((apart**2).sum(axis=1))
        np.testing.assert_array_equal(found[rows, 3], rows == row_seed)
        np.testing.assert_array_equal(found[rows, 4], dense[rows, row_seed])
        np.testing.assert_allclose(found[rows, 5], (near - near.mean()) / (near.std() + 1e-6), atol=1e-4)


def test_rows_of_any_precision(trained_segmentation):
    """Nearness is of the rows as they are: moved far away in double precision, it is the same."""
    subgraphs, structure, X, _ = blobs_in_pairs(100)
    near, far = (
        segmentation_of(trained_segmentation, rows).member_probability(
            subgraphs, structure, 3, np.random.default_rng(0)
        )
        for rows in (X.astype(np.float64), 1e6 + X.astype(np.float64))
    )
    assert near.dtype == far.dtype == np.float32
    np.testing.assert_allclose(near, far, atol=1e-3)


def test_proposals_left_out_only_tell_their_loss():
    """Labels in the proposals left out, which decide where seeds may be, do not reach the weights."""
    problem = blobs_in_pairs(0, n_proposals=20)
    subgraphs, labels = problem[0], problem[3]
    left_out = np.repeat(np.arange(20) % 5 == 0, np.diff(subgraphs.offsets))
    random = np.random.default_rng(0)
    mixed = np.where(left_out, random.permutation(labels), labels)
    network, curve = segment(problem)
    other, other_curve = segment(problem, labels=mixed)
    assert curve.shape == (3, 2)
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], array)
    np.testing.assert_array_equal(curve[:, 0], other_curve[:, 0])
    assert (curve[:, 1] != other_curve[:, 1]).all()
