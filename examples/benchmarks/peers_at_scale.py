"""
Clusterers beside each other as the number of samples grows: time, memory and F, in one run.

Data are `make_identities` of 256 dimensions. Labels of other, fewer identities are there to learn from:
GCNClustering trains on them, and each peer chooses its parameters on them, from the grid and by the F of
`peers.py`. What was chosen holds at all sizes. GCNClustering without labels sees none, and takes its
defaults::

    python examples/benchmarks/peers_at_scale.py                    # 10,000 to 100,000 samples
    python examples/benchmarks/peers_at_scale.py --sizes 10000 --methods HDBSCAN fast_hdbscan
    python examples/benchmarks/peers_at_scale.py --fast

Peers that are packages of their own take part if someone has installed them, as `peers.py` says::

    pip install "infomap>=2.16" igraph leidenalg "fast_hdbscan[nndescent]" evoc

Every measurement has a process of its own, reads the samples from one file, and runs on one thread, or on
`--n-jobs`. It clusters a few samples first, so that imports and compilers are not counted. Leiden and Infomap
cut the graph of exact nearest neighbours, which up to 50,000 samples is that of GCNClustering as well; the
search for it is part of their time, and shown. Peak and seconds of the processor are those of the process,
without workers. On a busy machine compare the seconds of the processor, and those of one run only.

``--csv FILE`` keeps the results. What is in the file already stays there, until it is measured again: so one
method can be run again alone. ``docs/figures/scale.py`` draws them.
"""

import argparse
import csv
import os
import pickle
import sys
import tempfile
from functools import cached_property
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import joblib
import numpy as np
from clusterers import Samples
from peers import FAST_EPOCHS, OURS, is_missing, markdown, registry, shown, tune
from stages import TRAIN_SEED, in_new_process, measure_data

from sklearn_gcncluster import GCNClustering
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

UNLABELLED = f"{OURS}, without labels"
METHODS = (UNLABELLED, OURS, "HDBSCAN", "fast_hdbscan", "EVoC", "Leiden CPM, cut", "Infomap")
MEASURED = "measured"
WARM_UP = 500  # samples to begin with
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Row(NamedTuple):
    """One line of the table; what was not reached is NaN."""

    method: str
    samples: int
    features: int
    n_jobs: int
    parameters: str
    status: str
    seconds: float = np.nan
    processor: float = np.nan
    search: float = np.nan
    peak: float = np.nan
    clusters: float = np.nan
    pairwise: float = np.nan
    bcubed: float = np.nan

    @property
    def key(self):
        """What tells measurements apart."""
        return self.samples, self.features, self.n_jobs, self.method


# --------------------------------------------------------------------------------------------------
# Measurements, each in a process of its own


class TimedSamples(Samples):
    """Samples that know how many seconds of the processor the search for their neighbours took."""

    searched = np.nan

    @cached_property
    def nearest(self):
        """As in Samples."""
        start = process_time()
        found = super().nearest
        self.searched = process_time() - start
        return found


def learn(args, name):
    """Parameters of a peer that do best on labelled identities; or the clusterer that learned from them."""
    X, y = make_identities(args.train_size, n_features=args.n_features, random_state=TRAIN_SEED)
    with joblib.parallel_config(n_jobs=args.n_jobs):
        if name == OURS:
            return pickle.dumps(new_clusterer(args).fit(X, y))
        samples = Samples(X, y)
        return tune(registry(samples, args.fast)[name], samples)


def measure_method(args, size, name, learned):
    """Cluster samples of a file: seconds, those of the processor and of the search, peak, clusters and F."""
    X, y = (args.folder / f"{array}_{size}.npy" for array in "Xy")
    cluster = ours(name, learned) if name in (OURS, UNLABELLED) else peer(args, name, learned)
    with joblib.parallel_config(n_jobs=args.n_jobs):
        cluster(np.load(X, mmap_mode="r")[:WARM_UP])
        start, start_of_processor = perf_counter(), process_time()
        labels, searched = cluster(X)
        taken, processed = perf_counter() - start, process_time() - start_of_processor
    highest, y = peak(), np.load(y)
    n_clusters = np.count_nonzero(np.bincount(labels[labels >= 0]) > 1)
    quality = pairwise_fscore(y, labels), bcubed_fscore(y, labels)
    return taken, processed, searched, highest, n_clusters, *quality


def ours(name, learned):
    """Samples or their file -> labels, and how long neighbours were searched, which `stages.py` tells."""
    clusterer = pickle.loads(learned) if name == OURS else GCNClustering(random_state=0)
    cluster = clusterer.predict if name == OURS else clusterer.fit_predict
    return lambda X: (cluster(X), np.nan)


def peer(args, name, learned):
    """The same of another method, which holds the samples in memory."""
    method = registry(Samples(*make_identities(WARM_UP, random_state=TRAIN_SEED)), args.fast)[name]

    def cluster(X):
        samples = TimedSamples(np.load(X) if isinstance(X, Path) else np.array(X), None)
        return np.asarray(method.cluster(samples, **learned)), samples.searched

    return cluster


def new_clusterer(args):
    """The clusterer that learns: defaults, but for a fast run."""
    return GCNClustering(random_state=0, **({"max_epochs": FAST_EPOCHS} if args.fast else {}))


def peak():
    """Most memory that this process has held, in GiB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return np.nan
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


# --------------------------------------------------------------------------------------------------
# Runs and their results


def learn_all(args):
    """What each method learned, and why some learned nothing."""
    learned, stopped = {UNLABELLED: None}, {}
    for name in args.methods:
        if name != UNLABELLED:
            try:
                learned[name] = in_new_process(learn, args, name, limit=args.limit)
            except (TimeoutError, RuntimeError) as error:
                stopped[name] = f"learning {error}"
    return learned, stopped


def measure_all(args):
    """Rows of all methods, from few samples to many; what failed is not tried on more."""
    learned, stopped = learn_all(args)
    for size in args.sizes:
        in_new_process(measure_data, args.folder, size, args.n_features, "float32")
        for name in args.methods:
            chosen = learned.get(name, {})
            parameters = shown(chosen) if isinstance(chosen, dict) else "defaults"
            row = Row(name, size, args.n_features, args.n_jobs, parameters, stopped.get(name, MEASURED))
            if name not in stopped:
                try:
                    row = Row(
                        *row[:6], *in_new_process(measure_method, args, size, name, chosen, limit=args.limit)
                    )
                except (TimeoutError, RuntimeError) as error:
                    row = row._replace(status=str(error))
                    stopped[name] = f"not tried, since at {size:,} {error}"
            yield row


def read(path):
    """Rows of a file, by what tells them apart."""
    kinds = Row.__annotations__
    with path.open(newline="", encoding="utf-8") as file:
        lines = [{name: kinds[name](value) for name, value in line.items()} for line in csv.DictReader(file)]
    return {row.key: row for row in (Row(**line) for line in lines)}


def write(path, rows):
    """Rows as a file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(Row._fields)
        for row in rows:
            lines.writerow(f"{value:.4g}" if isinstance(value, float) else value for value in row)


def ordered(rows):
    """Rows by size, methods in the order of the table."""
    place = {name: number for number, name in enumerate(METHODS)}
    return sorted(rows, key=lambda row: (*row.key[:3], place.get(row.method, len(place)), row.method))


def table(rows):
    """Rows in Markdown."""
    header = ("samples", "method", "seconds", "of the processor", "of the search", "peak (GiB)")
    header += ("clusters", "pairwise F", "BCubed F", "parameters")
    lines = []
    for row in rows:
        numbers = ["", "", "", "", "", "", row.status]
        if row.status == MEASURED:
            search = "" if np.isnan(row.search) else f"{row.search:.1f}"
            numbers = [f"{row.seconds:.1f}", f"{row.processor:.1f}", search, f"{row.peak:.2f}"]
            numbers += [f"{row.clusters:,.0f}", f"{row.pairwise:.3f}", f"{row.bcubed:.3f}"]
        lines.append((f"{row.samples:,}", row.method, *numbers, row.parameters))
    return markdown(header, lines)


def main():
    """Measure, print a table, keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, help="samples to cluster (10000 50000 100000)")
    parser.add_argument("--n-features", type=int, default=256)
    parser.add_argument("--train-size", type=int, help="labelled samples to learn from (4000)")
    parser.add_argument(
        "--methods", nargs="+", metavar="NAME", default=METHODS, help="these, or others of peers.py"
    )
    parser.add_argument("--n-jobs", type=int, default=1, help="threads of the peers, joblib workers (1)")
    parser.add_argument(
        "--limit",
        type=float,
        default=1800,
        metavar="SECONDS",
        help="of each measurement, and of learning (1800)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="results, kept and replaced")
    parser.add_argument("--fast", action="store_true", help="1,000 samples, tiny grids, short training")
    args = parser.parse_args()
    args.sizes = sorted(args.sizes or ([1_000] if args.fast else [10_000, 50_000, 100_000]))
    args.train_size = args.train_size or (1_000 if args.fast else 4_000)
    peers = registry(Samples(*make_identities(WARM_UP, random_state=TRAIN_SEED)), args.fast)
    unknown = [name for name in args.methods if name not in (OURS, UNLABELLED, *peers)]
    if unknown:
        parser.error(f"--methods: {', '.join(unknown)}; there are {', '.join((UNLABELLED, OURS, *peers))}")
    args.methods = [name for name in args.methods if name not in peers or not is_missing(name, peers[name])]
    os.environ.update(dict.fromkeys(THREADS, str(args.n_jobs)))  # of the processes to come

    known = read(args.csv) if args.csv and args.csv.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        args.folder = Path(folder)
        for row in measure_all(args):
            known[row.key] = row
            print(table([row]).splitlines()[-1], file=sys.stderr, flush=True)
            if args.csv:
                write(args.csv, ordered(known.values()))
    print(table(ordered(known.values())))


if __name__ == "__main__":
    main()
