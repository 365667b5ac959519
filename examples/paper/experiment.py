"""What the scripts of this folder share: data, estimators, averages over seeds, tables, figures and words."""

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "benchmarks"))
from peers import load

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_precision_recall_fscore

LITERAL = {
    "affinity": "cosine",
    "metric_learning": False,
    "node_features": "embedding",
    "proposals": ("supervertices",),
    "overlap": "deoverlap",
    "min_proposal_size": 3,
    "n_networks": 1,
    "hidden_channels": (128, 32),
    "min_score": 0.0,
}
"""The pipeline of the paper, as near as parameters go."""
FAST = {"hidden_channels": (16, 8), "n_networks": 1, "max_epochs": 3}

BLUE, ORANGE, GREEN, PURPLE, YELLOW, SKY, INK, GREY = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333", "#BBBBBB"),
)
"""Colours that all eyes tell apart (Okabe and Ito); lines differ in their marks too, for print in grey."""
STYLES = [
    {"color": colour, "marker": mark, "ls": line, "markersize": 5, "capsize": 2, "lw": 1.4}
    for colour, mark, line in zip(
        (BLUE, ORANGE, GREEN, PURPLE, YELLOW, INK), "osD^vX", ("-", "--", "-.", ":", "-", "--"), strict=True
    )
]


class Results:
    """Numbers of all seeds, by what they are numbers of."""

    def __init__(self, keys, rows):
        self.keys, self.groups = keys, {}
        for row in rows:
            group = self.groups.setdefault(tuple(row[key] for key in keys), {})
            for name, value in row.items():
                if name not in keys:
                    group.setdefault(name, []).append(value)

    def __iter__(self):
        return iter(self.groups)

    def mean(self, group, column):
        """Mean over seeds."""
        return float(np.mean(self.groups[group][column]))

    def deviation(self, group, column):
        """Standard deviation over seeds."""
        return float(np.std(self.groups[group][column]))

    def curve(self, groups, column):
        """Means and deviations of several groups, as errorbar takes them."""
        return {
            "y": [self.mean(group, column) for group in groups],
            "yerr": [self.deviation(group, column) for group in groups],
        }

    def table(self):
        """Markdown: the mean, and the deviation where there are several seeds."""
        columns = list(next(iter(self.groups.values())))
        lines = [[*self.keys, *columns], ["---"] * (len(self.keys) + len(columns))]
        for group, numbers in self.groups.items():
            cells = [shown(column, numbers[column]) for column in columns]
            lines.append([*map(str, group), *cells])
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
        return "\n".join("| " + " | ".join(line) + " |" for line in padded)


def shown(column, values):
    """A cell of the table."""
    digits = 0 if column in {"clusters", "proposals"} else 2 if "(s)" in column else 3
    text = f"{np.mean(values):.{digits}f}"
    return text if len(values) == 1 or digits < 3 else f"{text} ± {np.std(values):.3f}"


class Claim(NamedTuple):
    """What the paper says, and what is found here."""

    paper: str
    here: str
    agrees: bool


class Experiment(NamedTuple):
    """A table or a figure of the paper."""

    name: str
    title: str
    keys: tuple[str, ...]
    rows: Callable
    """(train, test, args, seed) -> list of dicts: keys and numbers."""
    draw: Callable
    """(results, args) -> figure"""
    claims: Callable
    """Results -> list of claims"""


def arguments(description):
    """Options of all scripts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, metavar="FILE.npz", help="X, y, perhaps train; else the glyphs")
    parser.add_argument("--paper", action="store_true", help="the literal pipeline instead of our defaults")
    parser.add_argument("--fast", action="store_true", help="a few classes, one seed, short training")
    parser.add_argument("--seeds", type=int, default=3, help="number of splits and networks to average over")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).with_name("results"),
        help="folder of figures and tables",
    )
    args = parser.parse_args()
    if args.fast:
        args.seeds = 1
    return args


def gcn(args, seed, **parameters):
    """The clusterer, by our defaults or as in the paper; it learns from labels alone."""
    common = {"random_state": seed, "pretrained": None}
    common |= (LITERAL if args.paper else {}) | (FAST if args.fast else {})
    return GCNClustering(**common | parameters)


def measure(y, labels):
    """What the paper's tables show of a clustering, and BCubed F."""
    precision, recall, pairwise = pairwise_precision_recall_fscore(y, labels)
    return {
        "clusters": np.count_nonzero(np.unique(labels[labels >= 0], return_counts=True)[1] > 1),
        "precision": precision,
        "recall": recall,
        "pairwise F": pairwise,
        "BCubed F": bcubed_fscore(y, labels),
    }


def timed(function, *args, **kwargs):
    """What a function returns, and the seconds it took."""
    start = perf_counter()
    result = function(*args, **kwargs)
    return result, perf_counter() - start


def run(experiment, args):
    """Run an experiment on all seeds; write its figure and table, and print both in words."""
    start, rows = perf_counter(), []
    for seed in range(args.seeds):
        train, test = load(args.data, np.random.default_rng(seed), args.fast)
        rows += experiment.rows(train, test, args, seed)
    results = Results(experiment.keys, rows)
    claims = experiment.claims(results)
    words = [
        f"- The paper: {claim.paper}\n  Here: {claim.here} "
        f"{'This agrees.' if claim.agrees else 'This does not agree.'}"
        for claim in claims
    ]
    pipeline = "literal pipeline" if args.paper else "our defaults"
    data = args.data.stem if args.data else "glyphs"
    how = f"{args.seeds} seed{'s' * (args.seeds > 1)}" + ", fast mode" * args.fast
    head = f"{experiment.title} ({data}, {pipeline}, {how})"
    text = "\n".join([head, "", results.table(), "", *words])
    print(f"\n{text}\n({perf_counter() - start:.0f} s)", flush=True)

    args.output.mkdir(parents=True, exist_ok=True)
    name = experiment.name + ("_literal" if args.paper else "")
    (args.output / f"{name}.txt").write_text(text + "\n", encoding="utf-8")
    write(args.output / f"{name}.csv", rows)
    with plt.rc_context(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
        | {"svg.hashsalt": "sklearn_gcncluster", "svg.fonttype": "none"}
    ):
        figure = experiment.draw(results, args)
        figure.savefig(args.output / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)
    return results


def write(path, rows):
    """All numbers of all seeds."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, rows[0])
        lines.writeheader()
        lines.writerows(rows)
