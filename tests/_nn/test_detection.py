"""Tests of GCN-D, on small planted problems."""

import numpy as np
import pytest
import torch

from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._links import Graph, link
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster._model import Learned
from sklearn_gcncluster._nn import _detection
from sklearn_gcncluster._nn._detection import Detection, train_detection
from sklearn_gcncluster._nn._training import Schedule
from sklearn_gcncluster._proposals._average_link import average_link_layers
from sklearn_gcncluster._proposals._layers import distinct_proposals
from sklearn_gcncluster._proposals._subgraphs import concatenate, take
from sklearn_gcncluster._proposals._targets import proposal_targets
from sklearn_gcncluster._scoring import Inputs
from sklearn_gcncluster.datasets import make_identities

SEEDS = [0, 1, 2]
SHORT = Schedule(max_epochs=3, learning_rate=1e-2, batch_size=200, weight_decay=1e-4, dropout=0.3)


def identity_problem(seed, n_classes=30):
    """Inputs and true quality of the proposals of a small set of identities."""
    X, y = make_identities(20 * n_classes, n_classes, 48, class_spread=0.6, random_state=seed)
    neighbors, distances = nearest_neighbors(X, 25)
    links = link(neighbors, dissimilarities_of(distances, "cosine"))
    affinity = links.matrix(np.clip(1 - links.dissimilarity, 0, 1))
    graph = Graph(X, links.dissimilarities, links.lengths, links.matrix(links.dissimilarity), affinity)
    layers = average_link_layers(affinity, np.linspace(0.7, 0.1, 7), "zero", 25)
    proposals = distinct_proposals(layers, min_size=2)
    inputs = Inputs(graph).of_all(proposals)
    targets = proposal_targets(proposals, y)
    quality = np.column_stack([targets.iou, targets.iop])
    subgraphs = concatenate([layer.subgraphs for layer in inputs])
    structure = np.concatenate([layer.structure for layer in inputs])
    return subgraphs, structure, X, quality, targets.majority


@pytest.fixture(scope="module")
def problems():
    """One problem to learn from, another of other classes."""
    return identity_problem(0), identity_problem(1)


def detection_of(networks, embedding=None, hidden_channels=(16, 8), pooling="max"):
    """Networks at work on one data set."""
    node_features = "structure" if embedding is None else "both"
    learned = Learned("cosine", node_features, hidden_channels, pooling, detection=tuple(networks))
    return Detection(learned, embedding, device="cpu")


def detect(problem, schedule=SHORT, seed=0, embedding=None, structure=None, **shape):
    """Train GCN-D, a fifth of the classes left out."""
    subgraphs, own_structure, _, quality, majority = problem
    shape = {"hidden_channels": (16, 8), "pooling": "max"} | shape
    structure = own_structure if structure is None else structure
    network, curve = train_detection(
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
    return network, curve, detection_of([network], embedding, **shape)


def assert_same(first, second):
    """Equal to the last bit: scales of the inputs and parameters, float32 arrays all."""
    for name, array in first.parameters.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, second.parameters[name])
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.std, second.std)


@pytest.mark.parametrize(("pooling", "least"), [("max", 0.5), ("mean", 0.5), ("sum", 0.2)])
def test_gcn_d_learns(problems, pooling, least):
    """Predicted and true quality go together for proposals of classes never seen."""
    train, test = problems
    schedule = SHORT._replace(max_epochs=15, learning_rate=5e-3, batch_size=2000)
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
    assert first.parameters.keys() == second.parameters.keys()
    assert_same(first, second)
    assert any((array != other.parameters[name]).any() for name, array in first.parameters.items())


def test_embedding_reaches_the_scores(problems):
    """With an embedding among the inputs, another embedding changes the scores."""
    subgraphs, structure, X, *_ = problems[0]
    network, _, detection = detect(problems[0], embedding=X)
    other = detection_of([network], X[::-1].copy())
    assert (detection.score(subgraphs, structure) != other.score(subgraphs, structure)).any()


def test_scores_of_a_proposal_are_its_own(problems, monkeypatch):
    """Batches, company and order of proposals do not change a score; networks are averaged."""
    (subgraphs, structure, X, *_), _ = problems
    one, _, detection = detect(problems[0], embedding=X)
    two, _, second = detect(problems[0], embedding=X, seed=1)
    scores = detection.score(subgraphs, structure)
    both = detection_of([one, two], X)
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
    network, curve, _ = detect((subgraphs, structure, X, hidden, majority))
    assert np.isfinite(curve).all()
    rows = np.repeat(known, np.diff(subgraphs.offsets))
    part = take(subgraphs, np.flatnonzero(known))
    _, alone_curve, _ = detect((part, structure[rows], X, quality[known], majority[known]))
    assert all(np.isfinite(array).all() for array in network.parameters.values())
    # The inputs' scale is of all rows, so the two do not agree to the last digit.
    np.testing.assert_allclose(curve, alone_curve, rtol=0.2)


def test_classes_left_out_only_tell_their_loss(problems):
    """Quality of the classes left out does not reach the weights; the loss is that of the network at work."""
    subgraphs, structure, X, quality, majority = problems[0]
    left_out = majority % 5 == 0
    wrong = np.where(left_out[:, None], 1 - quality, quality).astype(np.float32)
    network, curve, detection = detect(problems[0])
    other, other_curve, _ = detect((subgraphs, structure, X, wrong, majority))
    assert curve.shape == (3, 2)
    assert_same(network, other)
    np.testing.assert_array_equal(curve[:, 0], other_curve[:, 0])
    assert (curve[:, 1] != other_curve[:, 1]).all()
    errors = ((detection.score(subgraphs, structure) - quality)[left_out] ** 2).sum(axis=1)
    assert curve[-1, 1] == pytest.approx(errors.mean(), rel=1e-4)


def test_networks_of_fewer_inputs(problems):
    """Networks that were trained on the first inputs only do not look at later ones."""
    subgraphs, structure, *_ = problems[0]
    network, _, detection = detect(problems[0], structure=structure[:, :20])
    assert len(network.mean) == 20
    expected = detection.score(subgraphs, structure[:, :20])
    np.testing.assert_array_equal(detection.score(subgraphs, structure), expected)
