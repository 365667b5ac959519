"""Make the universal networks that come with the package: train them on many data sets at once.

A developer runs this once; users never need it. It trains on structure alone, on sets drawn at random

- of the labelled sets of `sets.py`: characters, texts, sounds, tables, genes, pictures and more, in many
  sizes and embeddings;
- of the generators of `synthetic.py`: identities, families, blobs, islands, chains, matches, noise.

Labelled sets and generators are dealt into folds: no link is judged, while the graphs for training are made,
by a model that saw its set, and each network stops by sets that it does not learn from. Draws whose classes
hardly show in the graph are left out: such embeddings are no use to anyone, and teach to expect nothing.

A run ends in one model of links that learned what those of all folds say (`distil.py`).

::

    apt-get update
    apt-get install --no-install-recommends $(python examples/universal/sets.py --packages)
    python examples/universal/make.py --sets FOLDER

That takes forty minutes on two cores and 17 GiB of memory, and less with FOLDER filled before. One run
differs from the next, so the networks in the package are those of two runs: of each, one model of links and
two GCN-Ds judge, and GCN-S is of the later. `--beside` names the file of the earlier, which was that of
commit 339975d: of thirty of the sets, links of the recipe as it was, and GCN-Ds of one with fewer bursts.

It prints how well links and proposals of unseen sets are judged, and writes
`sklearn_gcncluster/data/universal.safetensors`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from base import SEED
from distil import student
from draws import MIX
from joblib import Parallel, delayed
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits
from views import N_FOLDS, N_LINKS, Draw, all_draws, view_of

from sklearn_gcncluster import GCNClustering, load
from sklearn_gcncluster._graph._link_models import (
    N_MANY_SETS,
    N_ONE_SET,
    View,
    all_odds,
    first_inputs,
    known_range,
    likely_of,
    second_inputs,
)
from sklearn_gcncluster._graph._link_network import (
    MANY_SETS,
    LinkSample,
    LinkTraining,
    link_odds,
    train_links,
)
from sklearn_gcncluster._graph._links import Graph
from sklearn_gcncluster._model import Learned, LinkModels, LinkNetwork
from sklearn_gcncluster._nn._detection import train_detection
from sklearn_gcncluster._nn._segmentation import train_segmentation
from sklearn_gcncluster._nn._training import Schedule
from sklearn_gcncluster._proposals._extent import N_WITH_EXTENT
from sklearn_gcncluster._proposals._sources import DEFAULT_PROPOSALS, propose
from sklearn_gcncluster._proposals._subgraphs import concatenate, take
from sklearn_gcncluster._proposals._targets import proposal_targets
from sklearn_gcncluster._scoring import Inputs

LEAST_PRECISION = 0.7  # of the best feature of links, for a draw to be learned from
LEAST_NEAREST = 0.75  # of the samples whose class has others, those next to one of them
FEW = 5  # links inside classes that say nothing of this
N_ROWS = 6_500  # samples of proposals of a draw that the networks learn from
EPOCH_ROWS = 240_000  # samples of proposals in an epoch
N_SYNTHETIC = 22 * len(MIX)  # sets of the generators
OUT = Path(__file__).parents[2] / "sklearn_gcncluster" / "data" / "universal.safetensors"


def same_class(view: View) -> np.ndarray:
    """Which links join two samples of one class; those of no class join nothing."""
    ends = view.y[view.links.rows], view.y[view.links.cols]
    return (ends[0] == ends[1]) & (ends[0] >= 0)


def sample_of(inputs, same: np.ndarray, draw: Draw) -> LinkSample:
    """Some of the links to learn from."""
    random = np.random.default_rng([SEED, draw.number, draw.fold])
    chosen = np.sort(random.permutation(len(same))[:N_LINKS])
    return LinkSample(inputs.features(chosen), same[chosen], inputs.context)


def first_sample(draw: Draw) -> LinkSample | None:
    """Links of a draw as the first round sees them; None if its classes hardly show."""
    view = view_of(draw)
    inputs = first_inputs(view.embedding, view.mapped, view.links, N_MANY_SETS)
    sample = sample_of(inputs, same_class(view), draw)
    return sample if shows_classes(view, sample) else None


def after_first(view: View, draw: Draw, first: list[LinkNetwork]):
    """The view with its likely links, and what the second round sees of them."""
    inputs = first_inputs(view.embedding, view.mapped, view.links, N_MANY_SETS)
    likely, probability = likely_of(all_odds(inputs, [first[draw.fold]]))
    view = view._replace(links=view.links.take(likely))
    return view, second_inputs(inputs.features(likely), view.embedding, view.links, probability)


def second_sample(draw: Draw, first: list[LinkNetwork]) -> LinkSample:
    """Links of a draw as the second round sees them."""
    view, inputs = after_first(view_of(draw), draw, first)
    return sample_of(inputs, same_class(view), draw)


def proposals_of(draw: Draw, first: list[LinkNetwork], second: list[LinkNetwork]):
    """Some proposals of a draw: graphs, structure, true IoU and IoP, labels, number and rows of samples."""
    view, inputs = after_first(view_of(draw), draw, first)
    likely, probability = likely_of(all_odds(inputs, [second[draw.fold]]))
    links = view.links.take(likely)
    graph = Graph(
        view.embedding,
        links.dissimilarities,
        links.lengths,
        links.matrix(links.dissimilarity),
        links.matrix(probability),
    )
    proposals = propose(graph, DEFAULT_PROPOSALS)
    layers = Inputs(graph, N_WITH_EXTENT).of_all(proposals)
    subgraphs = concatenate([layer.subgraphs for layer in layers])
    structure = np.concatenate([layer.structure for layer in layers])
    targets = proposal_targets(proposals, view.y)
    order = np.random.default_rng([SEED, draw.number]).permutation(len(proposals.sizes))
    chosen = np.sort(order[: np.searchsorted(np.cumsum(proposals.sizes[order]), N_ROWS) + 1])
    rows = np.isin(np.repeat(np.arange(len(order)), proposals.sizes), chosen)
    part = take(subgraphs, chosen)
    quality = np.column_stack([targets.iou, targets.iop])[chosen]
    return part, structure[rows], quality, view.y[part.vertices], len(view.y), view.embedding


def shows_classes(view: View, sample: LinkSample) -> bool:
    """Whether most samples are next to one of their class, and some feature puts links inside classes first.

    True if there are hardly any such links.
    """
    if sample.same.sum() < FEW:
        return True
    several = (np.bincount(view.y[view.y >= 0], minlength=view.y.max() + 1) > 1)[view.y] & (view.y >= 0)
    several &= view.links.lengths > 0
    nearest = view.y[view.links.neighbors[:, 0]] == view.y
    if nearest[several].mean() < LEAST_NEAREST:
        return False
    precisions = (average_precision_score(sample.same, column) for column in sample.features.T)
    return max(precisions) >= LEAST_PRECISION


def train_round(parallel, samples: list[LinkSample], folds: np.ndarray, training: LinkTraining):
    """A model for each fold, that did not see it."""

    def others(fold):
        return [sample for sample, one in zip(samples, folds, strict=True) if one != fold]

    return parallel(
        delayed(one_thread)(train_links, others(fold), training, seed=SEED + fold) for fold in range(N_FOLDS)
    )


def one_thread(function, *arguments, **named):
    """Call a function in a worker, whose neighbours work on the other cores."""
    with threadpool_limits(1):
        return function(*arguments, **named)


def learned(draws: list[Draw], epochs: int, jobs: int) -> Learned:
    """What is learned of some draws."""
    parallel = Parallel(n_jobs=jobs, verbose=1)

    def for_each_draw(function, *given):
        return parallel(delayed(one_thread)(function, draw, *given) for draw in draws)

    rounds: list[list[LinkNetwork]] = []
    students: list[LinkNetwork] = []
    for name, function, training in (
        ("first", first_sample, MANY_SETS),
        # What the first round says depends on the set too, so this one would learn more sets by heart.
        ("second", second_sample, MANY_SETS._replace(context_noise=2.0)),
    ):
        samples = for_each_draw(function, *rounds)
        if name == "first":
            n_draws = len(draws)
            draws = [draw for draw, sample in zip(draws, samples, strict=True) if sample is not None]
            samples = [sample for sample in samples if sample is not None]
            folds = np.array([draw.fold for draw in draws])
            print(f"{len(draws)} of {n_draws} draws", flush=True)
            low, high = known_range(np.concatenate([sample.features[:, :N_ONE_SET] for sample in samples]))
        rounds.append(train_round(parallel, samples, folds, training))
        report(name, samples, draws, rounds[-1])
        told = [sample for sample in samples if len(sample.same)]
        students.append(student(told, rounds[-1], seed=SEED + len(students)))
    made = GCNClustering(pretrained=None, max_epochs=epochs)
    detection, segmentation = train_networks(for_each_draw(proposals_of, *rounds), folds, made)
    first, second = students
    return Learned(
        made.affinity,
        made.node_features,
        tuple(made.hidden_channels),
        made.pooling,
        links=LinkModels((first,), (second,), low, high),
        detection=tuple(detection),
        segmentation=segmentation,
    )


def main():
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description="Make the universal networks.")
    parser.add_argument("--sets", type=Path, default=Path("universal_sets"), help="where sets are kept")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--draws", type=int, default=11, help="training sets drawn of each labelled set")
    parser.add_argument("--beside", type=Path, help="networks of another run, to judge with these")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--fast", action="store_true", help="a few sets of the generators, to see it run")
    arguments = parser.parse_args()
    if arguments.fast:
        arguments.draws, arguments.epochs = 0, 2
        arguments.out = Path(tempfile.mkdtemp()) / OUT.name

    n_synthetic = len(MIX) if arguments.fast else N_SYNTHETIC
    draws = all_draws(arguments.sets, arguments.draws, n_synthetic)
    if arguments.fast:
        draws = [draw._replace(fold=place % N_FOLDS) for place, draw in enumerate(draws[::2])]
    made = GCNClustering()
    of_run = learned(draws, arguments.epochs, arguments.jobs)
    if arguments.beside is not None:
        of_run = of_two_runs(load(arguments.beside).learned_, of_run)
    made.learned_ = in_half_precision(of_run)
    made._seed = SEED
    arguments.out.parent.mkdir(exist_ok=True)
    made.save(arguments.out, include_labels=False)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


def of_two_runs(before: Learned, now: Learned) -> Learned:
    """One model of links of each run, and two GCN-Ds of each; GCN-S and all else are of the later one."""
    earlier, later = before.links, now.links
    assert earlier is not None
    assert later is not None
    links = LinkModels(
        (earlier.first[0], *later.first),
        (earlier.second[0], *later.second),
        np.minimum(earlier.low, later.low),
        np.maximum(earlier.high, later.high),
    )
    # Of the later run those of folds 0 and 3, which had the lowest losses.
    return now._replace(links=links, detection=(*before.detection[:2], *now.detection[::3]))


def in_half_precision(value):
    """A record with all arrays in half precision: digits beyond it tell nothing, and take twice the room."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float16)
    if isinstance(value, dict):
        return {name: in_half_precision(part) for name, part in value.items()}
    if hasattr(value, "_fields"):
        return type(value)(*map(in_half_precision, value))
    return tuple(map(in_half_precision, value)) if isinstance(value, tuple) else value


def report(name, samples, draws, models):
    """Print the mean loss of links by models that did not see their set."""
    for kind in ("labelled sets", "generators"):
        losses = []
        for sample, draw in zip(samples, draws, strict=True):
            if len(sample.same) and (draw.source is None) == (kind == "generators"):
                odds = link_odds(models[draw.fold], sample.features, sample.context)
                losses.append(np.logaddexp(0, np.where(sample.same, -odds, odds)).mean())
        if losses:
            print(f"{name} round, {kind} unseen: loss {np.mean(losses):.4f}", flush=True)


def train_networks(found, folds, estimator):
    """Train a GCN-D for each fold, that stops by it, and GCN-S."""
    common: dict[str, Any] = {
        "embedding": None,
        "hidden_channels": tuple(estimator.hidden_channels),
        "schedule": Schedule(
            estimator.max_epochs,
            estimator.learning_rate,
            estimator.batch_size,
            estimator.weight_decay,
            estimator.dropout,
            epoch_rows=EPOCH_ROWS,
        ),
        "device": "cpu",
    }
    detection = []
    subgraphs, structure, quality, _, fold = joined(found, folds)
    for number in range(N_FOLDS):
        network, curve = train_detection(
            subgraphs, structure, quality, fold == number, pooling=estimator.pooling, seed=number, **common
        )
        detection.append(network)
        print(f"GCN-D {number}: {len(curve)} epochs, validation loss {curve[:, 1].min():.4f}", flush=True)
    # A third of the sets are enough for GCN-S, and their rows, which it takes distances of, fit into memory.
    some = [number for number in range(0, len(found), 3) if found[number][-1] is not None]
    subgraphs, structure, quality, label, fold = joined([found[number] for number in some], folds[some])
    lowest, highest = estimator.iop_range
    sizes = np.diff(subgraphs.offsets)
    impure = (quality[:, 1] >= lowest) & (quality[:, 1] <= highest) & (sizes > 2)
    inside = np.repeat(impure, sizes)
    segmentation, curve = train_segmentation(
        take(subgraphs, np.flatnonzero(impure)),
        structure[inside],
        rows=padded([found[number][-1] for number in some]),
        labels=label[inside],
        validation=fold[impure] == 0,
        n_seeds=estimator.n_training_seeds,
        seed=SEED,
        **common,
    )
    print(f"GCN-S: {len(curve)} epochs, validation loss {curve[:, 1].min():.4f}", flush=True)
    return detection, segmentation


def joined(found, folds):
    """Graphs, structure, quality, labels and folds of proposals of several sets as if they were of one."""
    parts, structures, qualities, labels, lengths, _ = zip(*found, strict=True)
    # Classes and samples of all sets stand behind each other.
    n_samples = np.cumsum([0, *lengths])[:-1]
    n_classes = np.cumsum([0, *(max(label.max(initial=-1) + 1, 0) for label in labels)])[:-1]
    subgraphs = concatenate(
        [part._replace(vertices=part.vertices + start) for part, start in zip(parts, n_samples, strict=True)]
    )
    label = np.concatenate(
        [np.where(one >= 0, one + start, -1) for one, start in zip(labels, n_classes, strict=True)]
    )
    fold = np.repeat(folds, [len(one) for one in qualities])
    return subgraphs, np.concatenate(structures), np.concatenate(qualities), label, fold


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of all sets as one matrix; GCN-S takes distances of them, which zeros do not change."""
    out = np.zeros((sum(map(len, rows)), max(one.shape[1] for one in rows)), dtype=np.float32)
    start = 0
    for one in rows:
        out[start : start + len(one), : one.shape[1]] = one
        start += len(one)
    return out


if __name__ == "__main__":
    main()
