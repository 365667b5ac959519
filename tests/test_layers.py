"""Tests of the networks: layers against dense formulas, training on small planted problems."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from sklearn_gcncluster._average_link import average_link_layers
from sklearn_gcncluster._features import structure_features
from sklearn_gcncluster._graph import Graph, link
from sklearn_gcncluster._link_models import context_of
from sklearn_gcncluster._neighbors import nearest_neighbors, similarities_of
from sklearn_gcncluster._nn import _detection, _segmentation, _training
from sklearn_gcncluster._nn._detection import Detection, train_detection
from sklearn_gcncluster._nn._layers import GraphConvolution, InputConvolution, pool, smooth, to_batch
from sklearn_gcncluster._nn._links import MANY_SETS, ONE_SET, LinkSample, link_odds, train_links
from sklearn_gcncluster._nn._segmentation import Segmentation, draw_seeds, seed_inputs, train_segmentation
from sklearn_gcncluster._nn._training import Schedule
from sklearn_gcncluster._proposals import distinct_proposals
from sklearn_gcncluster._subgraphs import Subgraphs, concatenate, cut_layer, layer_subgraphs, take
from sklearn_gcncluster._targets import proposal_targets
from sklearn_gcncluster.datasets import make_identities

SEEDS = [0, 1, 2]
CPU = torch.device("cpu")
SHORT = Schedule(
    max_epochs=3, learning_rate=1e-2, batch_size=200, weight_decay=1e-4, dropout=0.3, n_iter_no_change=2
)


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
    """A (F W) with F W made once for all samples equals (A F) W in each proposal."""
    torch.manual_seed(seed)
    subgraphs, layer = random_subgraphs(seed), InputConvolution(n_structure, n_embedding, 7)
    rows, samples = random_tensor(seed, 19, n_structure), random_tensor(seed + 1, 30, n_embedding)
    torch.nn.init.normal_(layer.bias)
    projected = layer.project(samples) if n_embedding else None
    found = layer(to_batch(subgraphs, CPU), rows, projected)
    for number in range(5):
        part = slice(*subgraphs.offsets[number : number + 2])
        alone = take(subgraphs, np.array([number]))
        expected = layer.bias
        if n_structure:
            expected = expected + dense_smooth(alone, rows[part]) @ layer.row.weight.T
        if n_embedding:
            members = samples[torch.from_numpy(alone.vertices.astype(np.int64))]
            expected = expected + dense_smooth(alone, members) @ layer.sample.weight.T
        torch.testing.assert_close(found[part], torch.relu(expected), atol=1e-5, rtol=1e-4)


def identity_problem(seed, n_classes=30):
    """Inputs and true quality of the proposals of a small set of identities."""
    X, y = make_identities(20 * n_classes, n_classes, 48, class_spread=0.6, random_state=seed)
    neighbors, distances = nearest_neighbors(X, 25)
    links = link(neighbors, similarities_of(distances, "cosine"))
    affinity = links.matrix(np.clip(links.similarity, 0, 1))
    graph = Graph(X, links.similarities, links.matrix(links.similarity), affinity)
    layers = average_link_layers(affinity, np.linspace(0.7, 0.1, 7), "zero", 25)
    proposals = distinct_proposals(layers, min_size=2)
    parts, structure = [], []
    for layer in range(len(layers)):
        cut = cut_layer(affinity, proposals, layer)
        parts.append(layer_subgraphs(cut, affinity))
        structure.append(structure_features(graph, proposals, layer, cut))
    targets = proposal_targets(proposals, y)
    quality = np.column_stack([targets.iou, targets.iop])
    return concatenate(parts), np.concatenate(structure), X, quality, targets.majority


@pytest.fixture(scope="module")
def problems():
    """One problem to learn from, another of other classes."""
    return identity_problem(0), identity_problem(1)


def detect(problem, schedule=SHORT, seed=0, embedding=None, structure=None, **shape):
    """Train GCN-D, validated on a fifth of the classes."""
    subgraphs, own_structure, _, quality, majority = problem
    shape = {"hidden_channels": (16, 8), "pooling": "max"} | shape
    structure = own_structure if structure is None else structure
    weights, curve = train_detection(
        subgraphs,
        structure,
        embedding=embedding,
        quality=quality,
        validation=majority % 5 == 0,
        schedule=schedule,
        seed=seed,
        device="cpu",
        **shape,
    )
    return weights, curve, Detection([weights], embedding, device="cpu", **shape)


@pytest.mark.parametrize(("pooling", "least"), [("max", 0.5), ("mean", 0.5), ("sum", 0.2)])
def test_gcn_d_learns(problems, pooling, least):
    """Predicted and true quality go together for proposals of classes never seen."""
    train, test = problems
    schedule = SHORT._replace(max_epochs=15, learning_rate=5e-3, batch_size=2000, n_iter_no_change=15)
    _, curve, detection = detect(train, schedule, seed=2, hidden_channels=(64, 32), pooling=pooling)
    assert curve[-1, 0] < curve[0, 0]
    scores = detection.score(test[0], test[1])
    assert scores.shape == test[3].shape
    assert scores.dtype == np.float32
    assert (scores >= 0).all()
    assert (scores <= 1).all()
    for column in range(2):
        assert np.corrcoef(scores[:, column], test[3][:, column])[0, 1] > least


@pytest.mark.parametrize("node_features", ["structure", "embedding", "both"])
def test_same_seed_same_weights(problems, node_features):
    """Training depends on its seed and on nothing else, and leaves torch and NumPy as they were."""
    subgraphs, structure, X, *_ = problems[0]
    inputs = {
        "embedding": None if node_features == "structure" else X,
        "structure": structure[:, :0] if node_features == "embedding" else structure,
    }
    torch.manual_seed(5)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    first, curve, detection = detect(problems[0], **inputs)
    detection.score(subgraphs, inputs["structure"])
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, dtype)
    assert torch.is_grad_enabled()
    torch.manual_seed(6)
    second, second_curve, _ = detect(problems[0], **inputs)
    other, _, _ = detect(problems[0], seed=1, **inputs)
    np.testing.assert_array_equal(curve, second_curve)
    assert first.keys() == second.keys()
    for name in first:
        assert isinstance(first[name], np.ndarray)
        np.testing.assert_array_equal(first[name], second[name])
    assert any((first[name] != other[name]).any() for name in first if name.endswith("weight"))


def test_embedding_reaches_the_scores(problems):
    """With an embedding among the inputs, another embedding changes the scores."""
    subgraphs, structure, X, *_ = problems[0]
    weights, _, detection = detect(problems[0], embedding=X)
    other = Detection([weights], X[::-1].copy(), hidden_channels=(16, 8), pooling="max", device="cpu")
    assert (detection.score(subgraphs, structure) != other.score(subgraphs, structure)).any()


def test_scores_of_a_proposal_are_its_own(problems, monkeypatch):
    """Batches, company and order of proposals do not change a score; networks are averaged."""
    (subgraphs, structure, X, *_), _ = problems
    one, _, detection = detect(problems[0], embedding=X)
    two, _, second = detect(problems[0], embedding=X, seed=1)
    scores = detection.score(subgraphs, structure)
    both = Detection([one, two], X, hidden_channels=(16, 8), pooling="max", device="cpu")
    mean = (scores + second.score(subgraphs, structure)) / 2
    np.testing.assert_allclose(both.score(subgraphs, structure), mean, atol=1e-5)
    monkeypatch.setattr(_detection, "INFERENCE_ROWS", 50)
    np.testing.assert_allclose(detection.score(subgraphs, structure), scores, atol=1e-5)
    chosen = np.array([7, 3, 40])
    rows = np.concatenate([np.arange(*subgraphs.offsets[number : number + 2]) for number in chosen])
    np.testing.assert_allclose(
        detection.score(take(subgraphs, chosen), structure[rows]), scores[chosen], atol=1e-5
    )


def test_unknown_quality_is_left_out(problems):
    """Proposals without a target change neither weights nor losses, whatever else is known of them."""
    subgraphs, structure, X, quality, majority = problems[0]
    known = np.arange(len(quality)) % 3 > 0
    hidden = quality.copy()
    hidden[~known] = np.nan
    weights, curve, _ = detect((subgraphs, structure, X, hidden, majority))
    assert np.isfinite(curve).all()
    rows = np.repeat(known, np.diff(subgraphs.offsets))
    part = take(subgraphs, np.flatnonzero(known))
    _, alone_curve, _ = detect((part, structure[rows], X, quality[known], majority[known]))
    assert all(np.isfinite(array).all() for array in weights.values())
    # The inputs' scale is of all rows, so the two do not agree to the last digit.
    np.testing.assert_allclose(curve, alone_curve, rtol=0.2)


def test_training_stops_and_keeps_the_best(problems):
    """With a learning rate that spoils everything the first weights are kept, and patience ends it."""
    schedule = SHORT._replace(max_epochs=40, learning_rate=30.0, n_iter_no_change=2)
    weights, curve, _ = detect(problems[0], schedule)
    best = int(curve[:, 1].argmin())
    assert len(curve) == best + 3 < 40
    until_best, _, _ = detect(problems[0], schedule._replace(max_epochs=best + 1))
    for name, array in weights.items():
        np.testing.assert_array_equal(array, until_best[name])


def test_epochs_and_dropout():
    """Batches keep their budget, long epochs see a random part of the examples, validation has no dropout."""
    sizes = np.random.default_rng(0).integers(1, 9, 60)
    seen, dropped, kept = [], [], []

    def loss_of(network, items, dropout):
        rows = dropout(torch.ones(len(items), 100))
        if torch.is_grad_enabled():
            seen.append(items)
            dropped.append(rows)
        else:
            kept.append(rows)
        return network(rows.mean(dim=1, keepdim=True))[:, 0] ** 2

    schedule = SHORT._replace(
        max_epochs=5, batch_size=20, n_iter_no_change=5, learning_rate=1e-3, epoch_rows=90
    )
    train_items, valid_items = np.arange(40), np.arange(40, 60)
    weights, curve = _training.train(
        torch.nn.Linear(1, 1), loss_of, sizes, train_items, valid_items, schedule, seed=0, device=CPU
    )
    assert curve.shape == (5, 2)
    assert set(weights) == {"weight", "bias"}
    assert all(len(items) == 1 or sizes[items].sum() <= 20 for items in seen)
    everything = np.concatenate(seen)
    assert 5 * (90 - 9) < sizes[everything].sum() <= 5 * 90
    assert len(set(everything)) > 35
    assert set(everything) <= set(train_items)
    dropped = torch.cat(dropped)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert bool((torch.cat(kept) == 1).all())


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
    """Train GCN-S, validated on a fifth of the proposals."""
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
    """Weights of a GCN-S that has learned to follow the seed."""
    return segment(blobs_in_pairs(0), SHORT._replace(max_epochs=25, batch_size=500, n_iter_no_change=25))[0]


def segmentation_of(weights, X):
    """The network at work on one data set."""
    return Segmentation(weights, None, X, hidden_channels=(32, 16), device="cpu")


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
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    other, _ = segment(problem, seed=1)
    assert any((first[name] != other[name]).any() for name in first if name.endswith("weight"))


def test_unlabelled_members_do_not_teach():
    """With half of the members unlabelled, neither seeds nor outliers, the seed is followed all the same."""
    problem = blobs_in_pairs(0)
    labels = np.where(np.arange(len(problem[3])) % 2, problem[3], -1)
    schedule = SHORT._replace(max_epochs=25, batch_size=500, n_iter_no_change=25)
    weights, curve = segment(problem, schedule, labels=labels)
    assert np.isfinite(curve).all()
    subgraphs, structure, X, true_labels = blobs_in_pairs(100)
    found = segmentation_of(weights, X).member_probability(subgraphs, structure, 1, np.random.default_rng(0))
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


def test_link_network_learns():
    """Probability of links from features that no linear rule would do for, on links never seen."""
    random = np.random.default_rng(0)
    features = random.standard_normal((4000, 5)).astype(np.float32)
    same = features[:, 0] * features[:, 1] > 0
    scaled = 1000 * features - 7  # of any scale
    state = torch.get_rng_state()
    context = context_of(scaled)
    sample = LinkSample(scaled[:3000], same[:3000], context)
    weights = train_links([sample], ONE_SET, seed=0)
    odds = link_odds(weights, scaled[3000:], context)
    assert torch.equal(torch.get_rng_state(), state)
    assert odds.dtype == np.float32
    assert ((odds > 0) == same[3000:]).mean() > 0.85
    # Inputs are cut far out, where another embedding may lie.
    np.testing.assert_array_equal(
        link_odds(weights, 1e6 * scaled, context), link_odds(weights, 1e7 * scaled, context)
    )
    again, other = (train_links([sample], ONE_SET, seed=seed) for seed in (0, 1))
    for name, array in weights.items():
        np.testing.assert_array_equal(array, again[name])
    assert (other["weight0"] != weights["weight0"]).any()


def test_link_network_tells_sets_apart():
    """A model of many sets uses what they are like: here, where in its set a link lies."""
    random = np.random.default_rng(0)

    def links_of_a_set():
        level, spread = random.normal(size=2), random.uniform(0.5, 2, size=2)
        features = (level + spread * random.normal(size=(200, 2))).astype(np.float32)
        return LinkSample(features, features[:, 0] > level[0], context_of(features))

    train, test = ([links_of_a_set() for _ in range(100)] for _ in range(2))
    apart = train_links(train, MANY_SETS._replace(epochs=20), seed=0)
    blind = train_links(train, ONE_SET, seed=0)
    right = [
        np.mean([((link_odds(model, one.features, one.context) > 0) == one.same).mean() for one in test])
        for model in (apart, blind)
    ]
    assert right[0] > 0.9 > right[1]
