"""Make the universal networks that come with the package: train them on many data sets at once.

A developer runs this once; users never need it. It trains on structure alone, on

- the sets of `make_universal_sets.py`: identities, blobs, chains, noise, prints of typefaces, texts;
- small parts of each, of a few classes, and each with other class sizes and in other embeddings
  (`make_universal_variants.py`);
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
from make_universal_variants import blobs, few_classes, noise, variant

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster._affinity import GraphSettings
from sklearn_gcncluster._graph import Graph
from sklearn_gcncluster._learning import NetworkSettings
from sklearn_gcncluster._link_models import View, learn_links, shortened_links
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
N_NETWORKS = 5
N_VALIDATION = 5  # folds of sets, by which networks stop
N_PARTS = 4  # small parts of each set
N_BLOBS = 320  # sets of blobs or noise
N_VARIANTS = 3  # of other sizes or embeddings
N_LINKS = 5_000  # of each view of a whole set, that one model of links learns from
N_ROWS = 100_000  # samples of proposals that the networks see of a whole set
SHORTENED = 1 / 4  # of that, of a graph with shortened lists, in which classes are larger than the lists
LEAST_SHARE = 1 / 8  # of sets of which so little is seen, the shortened graphs are left out
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
    share: float
    """How much the networks see of it: 1 of a whole set, less of what is made of it."""


def examples(folder: Path, n_blobs: int) -> Iterator[Example]:
    """All sets to learn from."""
    family = -1
    for family, (name, metric, X, y) in enumerate(training_sets(folder)):
        yield Example(name, family, metric, X, y, 1)
        random = np.random.default_rng([SEED, family])
        for number in range(N_PARTS):
            rows = few_classes(y, number == 0, random)
            yield Example(f"{name}, part {number}", family, metric, X[rows], y[rows], 1 / 8)
        for number in range(N_VARIANTS):
            yield Example(
                f"{name}, variant {number}", family, metric, *variant(number, X, y, metric, random), 3 / 8
            )
    for number in range(n_blobs):
        random = np.random.default_rng([SEED, 1, number])
        X, y = noise(random) if number % 5 == 0 else blobs(random)
        metric = "euclidean" if X.shape[1] < 32 else "cosine"  # as metric="auto" has it
        yield Example(f"random {number}", family + 1 + number, metric, X, y, 1 / 8)


def views_of(example: Example, settings: GraphSettings, fold: int) -> list[View]:
    """The graph of a set, and the same with shorter neighbour lists if it is large."""
    samples = distinct_samples(example.X, example.metric, COPIES)
    y = aggregate_labels(np.unique(example.y, return_inverse=True)[1], samples)
    n_neighbors = min(settings.n_neighbors, len(samples.rows) - 1)
    neighbors, distances = nearest_neighbors(samples.rows, n_neighbors, metric=example.metric)
    links = shortened_links(neighbors, similarities_of(distances, example.metric))
    folds = np.where(y >= 0, fold, -1)
    kept = links if len(y) >= SHORT else links[:1]
    n_links = round(N_LINKS * example.share)
    return [View(samples.rows, samples.rows, one, y, folds, n_links) for one in kept]


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

    flat = [
        (number, depth, view)
        for number, (example, fold) in enumerate(zip(sets, shuffled % N_FOLDS, strict=True))
        for depth, view in enumerate(views_of(example, graphs, fold))
    ]
    views = [view for _, _, view in flat]
    print(f"links of {len(sets)} sets, {sum(len(view.links.rows) for view in views):,} in all", flush=True)
    probabilities, weights = learn_links(views, SEED, {}, many_sets=True, verbose=True)

    parts: list[Subgraphs] = []
    structures, qualities, labels, rows, owners = [], [], [], [], []
    n_features = max(example.X.shape[1] for example in sets)
    for (number, depth, view), (links, probability) in zip(flat, probabilities, strict=True):
        share = sets[number].share * (SHORTENED if depth else 1)
        if share < LEAST_SHARE:
            continue
        graph = Graph(
            view.embedding, links.similarities, links.matrix(links.similarity), links.matrix(probability)
        )
        part, structure, quality, y = inputs_of(
            graph,
            view.y,
            estimator._settings(ProposalSettings, SEED),
            round(N_ROWS * share),
            np.random.default_rng([SEED, number, depth]),
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
        print(f"{sets[number].name}, view {depth}: {len(y)} rows, loss of links {loss:.3f}", flush=True)
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
    for number in range(N_NETWORKS):
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
