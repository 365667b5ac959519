"""
How long each stage takes, how much memory, and how both grow with the number of samples.

The yardstick is the neighbour graph, which every method on graphs needs before it can begin: built
by hnswlib on one thread, so that it is the same in every run, or on as many as `--yardstick-threads`
says. A stage that takes half as long has a ratio of 0.5. Data are `make_identities` of 256 dimensions::

    python examples/benchmarks/stages.py                     # 10,000 to 100,000 samples
    python examples/benchmarks/stages.py --n 584000 --universal --no-yardstick    # the paper's test set
    python examples/benchmarks/stages.py --fast

Networks are trained once, on other identities, and used at all sizes; or, with `--universal`, they are
those that come with the package. The samples are in a file of `--dtype`, which is mapped. Every
measurement has a process of its own, because the peak of a process's memory never falls: a later stage
shows a higher peak only if it needs more than all the stages before it. The peak is that of the process
that was started, mapped files included, without its workers.
"""

import argparse
import multiprocessing
import pickle
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from joblib.externals.loky import get_reusable_executor
from peers import markdown

from sklearn_gcncluster import GCNClustering, record_stages
from sklearn_gcncluster.datasets import make_identities
from sklearn_gcncluster.metrics import bcubed_fscore, pairwise_fscore

YARDSTICK = "graph by hnswlib"
TRAIN_SEED, TEST_SEED = 0, 1  # seeds of the identities to learn from and of those to cluster
LINKS, BREADTH = 16, 200  # of hnswlib


# --------------------------------------------------------------------------------------------------
# Measurements, each in a process of its own


def measure_training(args):
    """Train on identities of one seed, and keep the clusterer for the other measurements."""
    X, y = make_identities(args.train_size, n_features=args.n_features, random_state=TRAIN_SEED)
    with record_stages() as stages:
        clusterer = new_clusterer(args).fit(X, y)
    args.clusterer.write_bytes(pickle.dumps(clusterer))
    return {name: tuple(stage) for name, stage in stages.items()}


def measure_graph(args, size):
    """Find the nearest neighbours of all samples by hnswlib, and nothing else."""
    import hnswlib  # not where torch is loaded later, since some builds of it crash then

    X, _ = make_identities(size, n_features=args.n_features, random_state=TEST_SEED)
    n_neighbors = min(new_clusterer(args).n_neighbors, size - 1)
    start = perf_counter()
    index = hnswlib.Index(space="l2", dim=X.shape[1])
    index.init_index(size, M=LINKS, ef_construction=BREADTH, random_seed=0)
    index.add_items(X, num_threads=args.yardstick_threads)
    index.set_ef(max(2 * n_neighbors, BREADTH))
    index.knn_query(X, k=n_neighbors + 1, num_threads=args.yardstick_threads)
    return perf_counter() - start


def measure_data(folder, size, n_features, dtype):
    """Write identities that the networks have not seen to files: making them takes memory, too."""
    X, y = make_identities(size, n_features=n_features, random_state=TEST_SEED)
    np.save(folder / f"X_{size}.npy", X.astype(dtype))
    np.save(folder / f"y_{size}.npy", y)


def measure_inference(args, size, n_jobs):
    """Cluster them."""
    X, y = (args.folder / f"{name}_{size}.npy" for name in "Xy")
    clusterer = new_clusterer(args)
    if not args.universal:
        clusterer = pickle.loads(args.clusterer.read_bytes())
    clusterer.set_params(n_jobs=n_jobs)
    cluster = clusterer.fit_predict if args.universal else clusterer.predict
    with record_stages() as stages:
        cluster(np.load(X, mmap_mode="r")[:200])  # imports torch, which takes longer than some of the stages
    before = max(stage.peak for stage in stages.values())
    start, start_of_processor = perf_counter(), process_time()
    with record_stages() as stages:
        labels = cluster(X)
    of_processor = process_time() - start_of_processor
    total, peak = perf_counter() - start, max(stage.peak for stage in stages.values())
    measured = {name: tuple(stage) for name, stage in stages.items()}
    after = sum(stage.seconds for stage in stages.values()) - stages["neighbors"].seconds
    measured |= {"all of predict": (total, peak), "all after the neighbors": (after, peak)}
    y = np.load(y)
    quality = {"pairwise F": pairwise_fscore(y, labels), "BCubed F": bcubed_fscore(y, labels)}
    if args.universal:
        quality["recall of the search"] = clusterer.recall_
    return measured, before, of_processor, quality


def new_clusterer(args):
    """The clusterer that all measurements are about: defaults, but for a fast run."""
    epochs = {"max_epochs": 3} if args.fast and not args.universal else {}
    return GCNClustering(random_state=0, algorithm=args.algorithm, device=args.device, **epochs)


def in_new_process(function, *arguments, limit=None):
    """Return ``function(*arguments)`` of a process of its own.

    TimeoutError if that takes more than so many seconds; RuntimeError if the process ends without an answer.
    """
    shown = (argument for argument in arguments if isinstance(argument, (str, int)))
    print(function.__name__.replace("_", " "), *shown, file=sys.stderr)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=answer, args=(theirs, function, arguments))
    process.start()
    theirs.close()  # so that the end of the process is the end of the file
    try:
        if not ours.poll(limit):
            process.kill()
            raise TimeoutError(f"took more than {limit:g} s")
        return ours.recv()
    except EOFError:
        process.join()  # before its exit code is known
        raise RuntimeError(f"ended with {ENDINGS.get(process.exitcode, process.exitcode)}") from None
    finally:
        process.join()


def answer(pipe, function, arguments):
    """What the process does."""
    pipe.send(function(*arguments))
    get_reusable_executor().shutdown()  # its idle workers would keep the process for minutes


ENDINGS = {1: "an error, see above", -9: "a signal, as it does for want of memory"}
"""What exit codes mean."""


# --------------------------------------------------------------------------------------------------
# Tables


def training_table(stages):
    """Stages of fit: learning the affinity, training the networks, and clustering the training set."""
    rows = [(name, f"{seconds:.1f}", f"{peak:.2f}") for name, (seconds, peak) in stages.items()]
    return markdown(("stage of fit", "seconds", "peak so far (GiB)"), rows)


def inference_table(measured):
    """Stages at all sizes and numbers of workers, with the neighbour graph alone above them."""
    header = ["stage of predict"]
    for size, n_jobs in measured:
        header += [f"{size:,}, n_jobs={n_jobs}: seconds", "ratio", "peak so far (GiB)"]
    rows = {name: [] for name in (YARDSTICK, *next(iter(measured.values()))[1])}
    for yardstick, stages in measured.values():
        rows[YARDSTICK] += [f"{yardstick:.1f}", "1.00", ""]
        for name, (seconds, peak) in stages.items():
            rows[name] += [f"{seconds:.1f}", f"{seconds / yardstick:.2f}", f"{peak:.2f}"]
    return markdown(header, [(name, *row) for name, row in rows.items()])


def main():
    """Measure everything and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--n", nargs="+", type=int, help="samples to cluster (10000 50000 100000)")
    parser.add_argument("--n-features", type=int, default=256)
    parser.add_argument("--dtype", default="float32", choices=["float16", "float32"], help="of the file")
    parser.add_argument("--train-size", type=int, help="samples to train on (10000)")
    parser.add_argument(
        "--algorithm", default="auto", choices=["auto", "brute", "cells", "hnsw"], help="of the pipeline"
    )
    parser.add_argument("--device", default="cpu", help='of networks and of exact search, such as "cuda"')
    parser.add_argument("--n-jobs", nargs="+", type=int, default=[1, 2], help="joblib workers (1 2)")
    parser.add_argument("--universal", action="store_true", help="cluster with the networks of the package")
    parser.add_argument("--no-yardstick", action="store_true", help="leave out the graph of hnswlib")
    parser.add_argument("--yardstick-threads", type=int, default=1, help="of hnswlib (1)")
    parser.add_argument(
        "--clusterer", type=Path, help="keep the trained clusterer here, or take it from here"
    )
    parser.add_argument(
        "--fast", action="store_true", help="2,000 samples, networks of 1,200 samples and three epochs"
    )
    args = parser.parse_args()
    args.n = args.n or ([2_000] if args.fast else [10_000, 50_000, 100_000])
    args.train_size = args.train_size or (1_200 if args.fast else 10_000)
    with tempfile.TemporaryDirectory() as folder:
        args.folder = Path(folder)
        known = args.universal or (args.clusterer is not None and args.clusterer.exists())
        args.clusterer = args.clusterer or Path(folder, "clusterer")
        if not known:
            training = in_new_process(measure_training, args)
            print(f"\nTraining on {args.train_size:,} samples x {args.n_features}\n")
            print(training_table(training), flush=True)
        graphs = {
            size: float("nan") if args.no_yardstick else in_new_process(measure_graph, args, size)
            for size in args.n
        }
        found = {}
        for size in args.n:
            in_new_process(measure_data, args.folder, size, args.n_features, args.dtype)
            found |= {
                (size, n_jobs): in_new_process(measure_inference, args, size, n_jobs)
                for n_jobs in args.n_jobs
            }
    print(f"\nClustering samples x {args.n_features}; ratio is to the graph of hnswlib, ", end="")
    print(f"threads of its own: {args.yardstick_threads}\n")
    print(inference_table({key: (graphs[key[0]], one[0]) for key, one in found.items()}))
    for (size, n_jobs), (stages, before, of_processor, quality) in found.items():
        print(f"\n{size:,} samples, n_jobs={n_jobs}: ", end="")
        print(*(f"{name} {value:.3f}" for name, value in quality.items()), sep=", ", end=", ")
        print(f"peak {stages['all of predict'][1]:.2f} GiB, {before:.2f} GiB before predict, ", end="")
        print(f"{of_processor:.0f} seconds of the processor, without workers")


if __name__ == "__main__":
    main()
