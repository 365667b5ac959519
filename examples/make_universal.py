"""Make the universal networks that come with the package: train them on many data sets at once.

A developer runs this once; users never need it. It trains on structure alone, on

- the sets of `make_universal_sets.py`: identities, blobs, chains, noise, prints of typefaces, texts;
- small parts of each, of a few classes: graphs in which everything is everybody's neighbour;
- blobs and noise drawn at random, from overlapping to far apart, of 2 to 400 dimensions.

Sets are dealt into folds as classes are in `GCNClustering.fit`: no link is judged, while the graphs for
training are made, by a model that saw its set, and each network stops by sets that it does not learn from.

::

    apt-get update
    apt-get install --no-install-recommends $(python examples/make_universal_sets.py --packages)
    python examples/make_universal.py --sets FOLDER    # half an hour, less if FOLDER has the sets

It prints how well links of unseen sets are judged, and writes
`sklearn_gcncluster/data/universal.safetensors`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from make_universal_sets import training_sets
from scipy.spatial import KDTree

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster._affinity import GraphSettings, View, learn_links, shortened_links
from sklearn_gcncluster._graph import Graph
from sklearn_gcncluster._learning import NetworkSettings
from sklearn_gcncluster._neighbors import nearest_neighbors, similarities_of
from sklearn_gcncluster._nn._detection import train_detection
from sklearn_gcncluster._nn._segmentation import train_segmentation
from sklearn_gcncluster._nn._training import Schedule
from sklearn_gcncluster._pipeline import ProposalSettings, propose
from sklearn_gcncluster._samples import aggregate_labels, distinct_samples
from sklearn_gcncluster._scoring import all_inputs
from sklearn_gcncluster._subgraphs import Subgraphs, concatenate, take
from sklearn_gcncluster._targets import proposal_targets

SEED = 0
N_FOLDS = 4  # of sets, for the links
N_VALIDATION = 5  # of sets, for the networks
N_PARTS = 4  # small parts of each set
N_BLOBS = 320  # sets of blobs or noise
N_LINKS = 1_500_000  # that one model of links learns from
MAX_ROWS = 100_000  # samples of proposals that the networks see of one set
MAX_BLOB_ROWS = 25_000  # the same for random blobs, of which there are many
EPOCH_ROWS = 360_000  # samples of proposals in an epoch
SHORT = 300  # samples from which on shortened neighbour lists are learned from too
COPIES = 40  # of equal rows that are kept, as fit does
OUT = Path(__file__).parents[1] / "sklearn_gcncluster" / "data" / "universal.safetensors"


class Example(NamedTuple):
    """A labelled set; those of one family share samples, and are never divided between folds."""

    name: str
    family: int
    metric: str
    X: np.ndarray
    y: np.ndarray


def examples(folder: Path, n_blobs: int) -> Iterator[Example]:
    """All sets to learn from."""
    family = -1
    for family, (name, metric, X, y) in enumerate(training_sets(folder)):
        yield Example(name, family, metric, X, y)
        random = np.random.default_rng([SEED, family])
        for part in range(N_PARTS):
            rows = few_classes(y, part == 0, random)
            yield Example(f"{name}, part {part}", family, metric, X[rows], y[rows])
    for number in range(n_blobs):
        random = np.random.default_rng([SEED, 1, number])
        X, y = noise(random) if number % 8 == 0 else blobs(random)
        metric = "euclidean" if X.shape[1] < 32 else "cosine"  # as metric="auto" has it
        yield Example(f"random {number}", family + 1 + number, metric, X, y)


def few_classes(y: np.ndarray, largest: bool, random: np.random.Generator) -> np.ndarray:
    """Some 12 to 400 samples of 1 to 12 classes."""
    n_samples = round(log_uniform(12, 400, random))
    n_classes = random.integers(1, max(2, min(12, n_samples // 4)) + 1)
    order = random.permutation(y.max() + 1)
    if largest:
        order = order[np.argsort(-np.bincount(y)[order], kind="stable")]
    rows = np.flatnonzero(np.isin(y, order[:n_classes]))
    if len(rows) < 8:
        rows = np.union1d(rows, random.permutation(len(y))[:12])
    return random.permutation(rows)[:n_samples]


def noise(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Samples of no class: each is one of its own."""
    shape = round(log_uniform(12, 3000, random)), round(log_uniform(2, 400, random))
    draw = (random.normal, random.uniform, random.gumbel, random.exponential)[random.integers(4)]
    return draw(size=shape).astype(np.float32), np.arange(shape[0])


def blobs(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian blobs, from overlapping to far apart, of equal sizes or not, some with noise between them."""
    n_features, n_samples = round(log_uniform(2, 400, random)), round(log_uniform(12, 4000, random))
    n_classes = round(log_uniform(2, max(n_samples / 3, 3), random))
    centres = (random.uniform, random.normal)[random.integers(2)](size=(n_classes, n_features))
    if n_features <= 8:
        centres = spread_out(centres)
    apart = np.median(KDTree(centres).query(centres, k=2)[0][:, 1])
    radius = apart / log_uniform(1.2, 12, random) / np.sqrt(n_features)
    radii = radius * np.exp(random.choice([0, 0.3]) * random.normal(size=n_classes))
    shares = random.dirichlet(np.full(n_classes, random.choice([0.7, 3, 1000])))
    y = np.concatenate(
        [np.arange(n_classes), random.choice(n_classes, max(n_samples - n_classes, 0), p=shares)]
    )
    X = centres[y] + radii[y, None] * random.normal(size=(len(y), n_features))
    if random.random() < 0.25:
        n_noise = 1 + int(len(y) * random.uniform(0.05, 0.5))
        X = np.concatenate([X, random.uniform(X.min(axis=0), X.max(axis=0), (n_noise, n_features))])
        y = np.concatenate([y, n_classes + np.arange(n_noise)])
    if random.random() < 0.5:
        X = X - X.mean(axis=0)
    return X.astype(np.float32), y


def spread_out(centres: np.ndarray) -> np.ndarray:
    """Push apart those centres that lie closest: few dimensions have too little room for chance."""
    for _ in range(30):
        distances, neighbors = (column[:, 1] for column in KDTree(centres).query(centres, k=2))
        step = (centres - centres[neighbors]) / (distances[:, None] + 1e-12)
        near = distances < 1.5 * np.median(distances)
        centres = centres + 0.1 * np.median(distances) * step * near[:, None]
    return centres


def log_uniform(low: float, high: float, random: np.random.Generator) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def views_of(example: Example, settings: GraphSettings, fold: int) -> list[View]:
    """The graph of a set, and the same with shorter neighbour lists if it is large."""
    samples = distinct_samples(example.X, example.metric, COPIES)
    y = aggregate_labels(np.unique(example.y, return_inverse=True)[1], samples)
    n_neighbors = min(settings.n_neighbors, len(samples.rows) - 1)
    neighbors, distances = nearest_neighbors(samples.rows, n_neighbors, metric=example.metric)
    links = shortened_links(neighbors, similarities_of(distances, example.metric))
    folds = np.where(y >= 0, fold, -1)
    kept = links if len(y) >= SHORT else links[:1]
    return [View(samples.rows, samples.rows, one, y, folds) for one in kept]


def inputs_of(
    graph: Graph, y: np.ndarray, settings: ProposalSettings, n_rows: int, random: np.random.Generator
):
    """Graphs, structure, targets and labels of some proposals of one set."""
    proposals = propose(graph, settings)
    subgraphs, structure = all_inputs(graph, proposals)
    targets = proposal_targets(proposals, y)
    order = random.permutation(len(proposals.sizes))
    chosen = np.sort(order[: np.searchsorted(np.cumsum(proposals.sizes[order]), n_rows) + 1])
    rows = np.isin(np.repeat(np.arange(len(order)), proposals.sizes), chosen)
    part = take(subgraphs, chosen)
    quality = np.column_stack([targets.iou, targets.iop])[chosen]
    return part, structure[rows], quality, y[part.vertices]


def main():
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description="Make the universal networks.")
    parser.add_argument("--sets", type=Path, default=Path("universal_sets"), help="where sets are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--blobs", type=int, default=N_BLOBS, help="number of random sets of blobs")
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()

    estimator = GCNClustering(
        pretrained=None, metric="cosine", max_epochs=arguments.epochs, random_state=SEED
    )
    graphs = estimator._settings(GraphSettings, SEED)
    networks = estimator._settings(NetworkSettings, SEED)
    sets = list(examples(arguments.sets, arguments.blobs))
    families = np.array([example.family for example in sets])
    shuffled = np.random.default_rng(SEED).permutation(families.max() + 1)[families]

    of_set = [views_of(example, graphs, fold) for example, fold in zip(sets, shuffled % N_FOLDS, strict=True)]
    flat = [view for views in of_set for view in views]
    print(f"links of {len(sets)} sets, {sum(len(view.links.rows) for view in flat):,} in all", flush=True)
    probabilities, weights = learn_links(flat, SEED, {}, verbose=True, n_links=N_LINKS)

    first = np.cumsum([0] + [len(views) for views in of_set[:-1]])
    parts: list[Subgraphs] = []
    structures, qualities, labels, rows, owners = [], [], [], [], []
    n_features = max(example.X.shape[1] for example in sets)
    for number, (views, where) in enumerate(zip(of_set, first, strict=True)):
        links, probability = probabilities[where]
        view = views[0]
        graph = Graph(
            view.embedding, links.similarities, links.matrix(links.similarity), links.matrix(probability)
        )
        part, structure, quality, y = inputs_of(
            graph,
            view.y,
            estimator._settings(ProposalSettings, SEED),
            MAX_BLOB_ROWS if sets[number].name.startswith("random") else MAX_ROWS,
            np.random.default_rng([SEED, number]),
        )
        # Classes and samples of all sets stand behind each other.
        parts.append(part._replace(vertices=part.vertices + sum(map(len, rows))))
        labels.append(np.where(y >= 0, y + sum(len(one) for one in labels), -1))
        rows.append(np.pad(view.embedding, ((0, 0), (0, n_features - view.embedding.shape[1]))))
        structures.append(structure)
        qualities.append(quality)
        owners.append(np.full(len(quality), number))
        same = view.y[links.rows] == view.y[links.cols]
        loss = -np.log(np.where(same, probability, 1 - probability)).mean() if len(same) else 0
        print(f"{sets[number].name}: {len(y)} rows, loss of links {loss:.3f}", flush=True)
    subgraphs, structure = concatenate(parts), np.concatenate(structures)
    quality, label = np.concatenate(qualities), np.concatenate(labels)
    fold = (shuffled % N_VALIDATION)[np.concatenate(owners)]
    common = {
        "embedding": None,
        "hidden_channels": networks.hidden_channels,
        "schedule": Schedule(**networks.schedule, epoch_rows=EPOCH_ROWS),
        "device": "cpu",
        "verbose": True,
    }
    for number in range(networks.n_networks):
        weights[f"detection.{number}"], curve = train_detection(
            subgraphs, structure, quality, fold == number, pooling=networks.pooling, seed=number, **common
        )
        print(f"GCN-D {number}: {len(curve)} epochs, validation loss {curve[:, 1].min():.4f}", flush=True)
    lowest, highest = estimator.iop_range
    sizes = np.diff(subgraphs.offsets)
    impure = (quality[:, 1] >= lowest) & (quality[:, 1] <= highest) & (sizes > 2)
    inside = np.repeat(impure, sizes)
    weights["segmentation"], curve = train_segmentation(
        take(subgraphs, np.flatnonzero(impure)),
        structure[inside],
        rows=np.concatenate(rows),
        labels=label[inside],
        validation=fold[impure] == 0,
        n_seeds=estimator.n_training_seeds,
        seed=SEED,
        **common,
    )
    print(f"GCN-S: {len(curve)} epochs, validation loss {curve[:, 1].min():.4f}", flush=True)

    made = GCNClustering()
    made.weights_, made._seed = weights, SEED
    arguments.out.parent.mkdir(exist_ok=True)
    made.save(arguments.out, include_labels=False)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
