"""The command line: cluster, train, score and inspect.

Results go to stdout or to a file, which is written whole or not at all; progress and warnings go to stderr.
What a user did wrong is told in one message, with exit code 1, or 2 where the command itself is wrong.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from ._files import replacing
from ._tables import read_labels, read_samples

PROGRAM = "sklearn-gcncluster"
_INTERRUPTED = 130
"""Exit code that shells give to what Ctrl-C ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments; None takes those of the process.

    Returns
    -------
    exit_code : int
        0, or 1 after an error that stderr tells of.

    Raises
    ------
    SystemExit
        With code 2 if the arguments are wrong, and 0 after help.
    """
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            arguments.run(arguments)
    except BrokenPipeError:
        # Whoever reads stdout, such as head, has enough. What is still buffered must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        _tell("interrupted")
        return _INTERRUPTED
    except (ImportError, MemoryError, OSError, ValueError) as error:
        _tell(f"error: {_message(error)}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Clustering that learns from labelled classes how clusters look.",
        epilog="Files are read as .npy, .npz, .csv or (with pyarrow) .parquet.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    cluster = commands.add_parser("cluster", help="cluster samples", description="Cluster samples.")
    cluster.add_argument("samples", metavar="X", help="samples: of an .npz file the array X")
    cluster.add_argument(
        "--out", metavar="CSV", help="file for row, cluster and probability (default: stdout)"
    )
    cluster.add_argument("--model", metavar="FILE", help="what train wrote (default: the universal networks)")
    cluster.add_argument("--constraints", metavar="JSON", help="decisions that were made in a report")
    cluster.add_argument("--report", metavar="HTML", help="page to write that shows the clusters")
    _add_common(cluster, _cluster)

    train = commands.add_parser(
        "train",
        help="learn from labelled samples",
        description="Learn from labelled samples how clusters look.",
    )
    train.add_argument("samples", metavar="X", help="samples: of an .npz file the array X")
    train.add_argument("labels", metavar="Y", help="class of each sample, -1 for unlabelled ones")
    train.add_argument("--out", metavar="FILE", required=True, help="file for the trained model")
    _add_common(train, _train)

    score = commands.add_parser(
        "score",
        help="compare clusters with classes",
        description="Print pairwise and BCubed precision, recall and F-score, with outliers as singletons.",
    )
    score.add_argument("labels", metavar="LABELS", help="clusters, such as the output of cluster")
    score.add_argument(
        "truth", metavar="Y", help="class of each sample, -1 for unknown ones, which are left out"
    )
    score.set_defaults(run=_score)

    inspect = commands.add_parser("inspect", help="tell about a model", description="Tell what a file holds.")
    inspect.add_argument("model", metavar="FILE", help="what train wrote")
    inspect.set_defaults(run=_inspect)
    return parser


def _add_common(command, run):
    """What commands that compute for a while have in common."""
    command.add_argument(
        "--random-state",
        metavar="N",
        type=_seed,
        default=0,
        help="seed, for the same result again (default: 0)",
    )
    command.add_argument("--quiet", action="store_true", help="show no progress on stderr")
    command.set_defaults(run=run)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r} is no seed; give an integer from 0 to 2**32 - 1")
    return int(text)


def _cluster(arguments: argparse.Namespace) -> None:
    from . import ClusterReport

    _check_outputs(arguments, arguments.out, arguments.report)  # before hours of work that end there
    samples = read_samples(arguments.samples)
    estimator = _estimator(arguments, samples.shape[1])
    constraints = _constraints(arguments.constraints, len(samples))
    with _progress(estimator, arguments.quiet):
        labels = estimator.fit_predict(samples, **constraints)
    probabilities = getattr(estimator, "probabilities_", None)
    columns: dict[str, Any] = {"row": range(len(labels)), "cluster": labels.tolist()}
    if probabilities is not None:
        columns["probability"] = [f"{share:.4f}" for share in probabilities]
    if arguments.report:
        ClusterReport(
            labels,
            probabilities=probabilities,
            cluster_scores=getattr(estimator, "cluster_scores_", None),
            exemplars=getattr(estimator, "exemplars_", None),
            title=f"Clusters of {Path(arguments.samples).name}",
        ).write_html(arguments.report)
    _write(_table(columns), arguments.out)


def _estimator(arguments, n_features):
    """An estimator with the networks of the model, or with those of the package."""
    from sklearn.base import clone
    from sklearn.frozen import FrozenEstimator
    from sklearn.utils import get_tags

    from . import GCNClustering, load

    if arguments.model is None:
        return GCNClustering(random_state=arguments.random_state)
    trained = load(arguments.model)
    if n_features != trained.n_features_in_ and not get_tags(trained).input_tags.pairwise:
        raise ValueError(
            f"{arguments.samples} has {n_features} features, but {arguments.model} was trained on "
            f"{trained.n_features_in_}. Give samples of the same embedding, or leave --model out."
        )
    # It was trained by its parameters, which fit without labels has no use for, and says so.
    warnings.filterwarnings("ignore", message=".*only matter where y is given")
    return clone(trained).set_params(pretrained=FrozenEstimator(trained), random_state=arguments.random_state)


def _constraints(path: str | None, n_samples: int) -> dict[str, np.ndarray]:
    """Arguments of fit that say what belongs together."""
    from . import load_decisions

    return {} if path is None else load_decisions(path, n_samples=n_samples)._asdict()


def _train(arguments: argparse.Namespace) -> None:
    from . import GCNClustering

    _check_outputs(arguments, arguments.out)
    samples, labels = read_samples(arguments.samples), read_labels(arguments.labels)
    if len(labels) != len(samples):
        raise ValueError(
            f"{arguments.labels} has {len(labels)} labels for {len(samples)} samples of {arguments.samples}; "
            "give one for each. A column of names has no header, or one such as label."
        )
    estimator = GCNClustering(random_state=arguments.random_state)
    with _progress(estimator, arguments.quiet):
        estimator.fit(samples, labels)
    with replacing(arguments.out) as part:
        estimator.save(part, include_labels=False)


def _score(arguments: argparse.Namespace) -> None:
    from .metrics import bcubed_precision_recall_fscore, pairwise_precision_recall_fscore

    labels, truth = read_labels(arguments.labels), read_labels(arguments.truth)
    if len(labels) != len(truth):
        raise ValueError(
            f"{arguments.labels} has {len(labels)} labels and {arguments.truth} {len(truth)}; give labels of "
            "the same samples in the same order."
        )
    measures = {"pairwise": pairwise_precision_recall_fscore, "bcubed": bcubed_precision_recall_fscore}
    values = np.array([measure(truth, labels) for measure in measures.values()])
    rows = [f"{value:.4f}" for value in values.ravel()]
    columns: dict[str, Any] = {"measure": list(measures)}
    columns |= {name: rows[place::3] for place, name in enumerate(("precision", "recall", "fscore"))}
    _write(_table(columns), None)


def _inspect(arguments: argparse.Namespace) -> None:
    from . import load
    from ._format import arrays_of

    estimator = load(arguments.model)
    n_learned = sum(array.size for array in arrays_of(estimator.learned_).values())
    lines = {
        "estimator": " ".join(repr(estimator).split()),
        "features": estimator.n_features_in_,
        "learned numbers": f"{n_learned:,}",
        "file size": f"{Path(arguments.model).stat().st_size:,} bytes",
    }
    _write("".join(f"{name}: {value}\n" for name, value in lines.items()), None)


def _check_outputs(arguments: argparse.Namespace, *paths: str | None) -> None:
    """Say what cannot be written, or should not, before it is computed."""
    names = ("samples", "labels", "model", "constraints")
    given = [Path(value).resolve() for name in names if (value := getattr(arguments, name, None))]
    wanted: list[Path] = []
    for path in filter(None, paths):
        if Path(path).resolve() in given:
            raise ValueError(f"{path} is read, and would be overwritten. Give another file to write.")
        if Path(path).resolve() in wanted:
            raise ValueError(f"{path} would be written twice. Give a file for each.")
        wanted.append(Path(path).resolve())
        if Path(path).is_dir():
            raise IsADirectoryError(f"{path} is a folder. Give the path of a file to write.")
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"{path} is in a folder that does not exist. Make the folder first.")


@contextmanager
def _progress(estimator: Any, quiet: bool) -> Iterator[None]:
    """Progress of the estimator, on stderr, since results may go to stdout."""
    verbose = estimator.get_params()["verbose"]
    estimator.set_params(verbose=not quiet)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        estimator.set_params(verbose=verbose)


def _table(columns: dict[str, Any]) -> str:
    table = StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return table.getvalue()


def _write(text: str, path: str | None) -> None:
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error) or "not enough memory"


def _tell(message: str) -> None:
    print(f"{PROGRAM}: {message}", file=sys.stderr)


def _show_warning(message, category, filename, lineno, file=None, line=None):
    _tell(f"warning: {message}")
