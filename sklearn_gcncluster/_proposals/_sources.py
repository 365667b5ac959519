"""Graph -> proposals, from every source that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from .._compat import Interval, StrOptions
from .._graph._forest import forest_quantile, merge_tree
from .._graph._links import Graph
from .._jobs import by_ranges, spread
from ._average_link import average_link_layers
from ._layers import Proposals, distinct_proposals
from ._supervertices import multiscale_layers

SOURCES = ("supervertices", "average_link")
"""Names of the sources of proposals."""
PROPOSAL_CONSTRAINTS = {
    "proposals": [tuple, list],
    "edge_threshold": [StrOptions({"auto"}), Interval(Real, None, 1, closed="neither"), "array-like"],
    "threshold_step": [Interval(Real, 0, 1, closed="neither")],
    "max_supervertex_size": [Interval(Integral, 1, None, closed="left")],
    "n_levels": [Interval(Integral, 1, None, closed="left")],
    "min_proposal_size": [Interval(Integral, 1, None, closed="left")],
    "max_proposal_size": [None, Interval(Integral, 1, None, closed="left")],
}
"""What the parameters of an estimator that say which proposals are made may be."""
_PROBABILITY_THRESHOLDS = np.array(
    [0.98, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03]
)
"""Average-link thresholds on a learned probability, which means the same on every data set."""
_EDGE_QUANTILES = np.array([0.9, 0.7, 0.5, 0.3, 0.1])
"""Where the cuts of Algorithm 1 lie in the forest's dissimilarities, when the data have to say."""
_FOREST_QUANTILES = np.linspace(0.05, 0.95, 10)
"""Where thresholds lie in the forest's affinities, when the data have to say what is high."""


class ProposalSettings(NamedTuple):
    """Which proposals are made of a graph."""

    sources: tuple[str, ...]
    """Those of :data:`SOURCES` that take part, in their order."""
    edge_threshold: str | float | Sequence[float]
    threshold_step: float
    max_supervertex_size: int
    n_levels: int
    min_proposal_size: int
    max_proposal_size: int | None
    n_neighbors: int
    affinity: str


DEFAULT_PROPOSALS = ProposalSettings(SOURCES, "auto", 0.05, 300, 2, 1, None, 80, "learned")
"""What :class:`GCNClustering` proposes unless told otherwise."""


def propose(
    graph: Graph,
    settings: ProposalSettings,
    partitions: Sequence[np.ndarray] = (),
    n_jobs: int | None = None,
) -> Proposals:
    """Proposals of all sources, of `partitions` and every sample alone, each proposal once."""
    tasks = [task for source in settings.sources for task in _tasks_of(source, graph, settings)]
    ranges = spread(len(tasks), graph.affinity.nnz)
    found = by_ranges(
        _layers_of_tasks,
        ranges[::-1],  # linkages are the longest tasks, and begin first
        n_jobs,
        tasks=tasks,
        affinity=graph.affinity,
        dissimilarity=graph.dissimilarity,
        tree=merge_tree(graph.dissimilarity) if "supervertices" in settings.sources else None,
        rows=graph.rows,
    )[::-1]
    alone = np.arange(graph.affinity.shape[0], dtype=np.int32)
    return distinct_proposals(
        np.concatenate([*chain(*found), *(partition[None] for partition in partitions), alone[None]]),
        settings.min_proposal_size,
        settings.max_proposal_size,
    )


def check_sources(sources: Sequence[Any], edge_threshold: Any, graph_metric: str | None) -> None:
    """Raise an error if the parameters `proposals` and `edge_threshold` name something else than sources.

    Parameters
    ----------
    sources, edge_threshold
        The parameters.
    graph_metric : str or None
        The metric, if X is a graph.
    """
    if not isinstance(edge_threshold, str):
        thresholds = np.atleast_1d(edge_threshold)
        numbers = thresholds.ndim == 1 and thresholds.dtype.kind in "iuf"
        if not numbers or not len(thresholds) or not (thresholds < 1).all():
            raise ValueError(
                f"edge_threshold must be 'auto', or one or more numbers below 1, but is {edge_threshold!r}."
            )
    own = [source for source in sources if not isinstance(source, str)]
    unknown = [name for name in sources if isinstance(name, str) and name not in SOURCES]
    unknown += [source for source in own if not (hasattr(source, "fit_predict") or callable(source))]
    if unknown or not sources:
        found = f"has {unknown[0]!r}" if unknown else "is empty"
        raise ValueError(
            f"proposals {found}. Name at least one source: {', '.join(map(repr, SOURCES))}, a clusterer "
            "with fit_predict, or a function that takes rows and returns a label for each."
        )
    if own and graph_metric:
        raise ValueError(
            f'{own[0]!r} among the proposals clusters rows, and with metric="{graph_metric}" X is a graph '
            f"that has none. Use {' or '.join(map(repr, SOURCES))}, or give embeddings as X and another "
            "metric."
        )


def partition_by(source: Any | Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Clusters that a source of the user's own finds among rows: one number each, -1 for noise."""
    labels = np.asarray(clone(source).fit_predict(rows) if hasattr(source, "fit_predict") else source(rows))
    if labels.shape != (len(rows),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{source!r} among the proposals gave labels of shape {labels.shape} and dtype {labels.dtype} "
            f"for {len(rows)} rows; it must give one integer for each row, negative for noise."
        )
    return np.where(labels < 0, -1, labels).astype(np.int64)


def link_thresholds(graph: Graph, affinity: str) -> np.ndarray:
    """Falling thresholds for average linkage on an affinity of that kind."""
    if affinity == "learned":
        return _PROBABILITY_THRESHOLDS
    apart = graph.affinity.copy()
    apart.data = np.maximum(1 - apart.data, np.finfo(np.float32).tiny)
    tree = merge_tree(apart)
    merged = [1 - forest_quantile(tree, quantile) for quantile in _FOREST_QUANTILES]
    return np.array([*merged, *(merged[-1] * np.array([0.8, 0.6, 0.4, 0.2, 0.1]))])


class _Task(NamedTuple):
    """A call that gives layers, and may run beside others."""

    function: Callable[..., np.ndarray]
    reads: tuple[str, ...]
    """What it takes of what all tasks read."""
    parameters: dict[str, Any]


def _tasks_of(source, graph, settings):
    if source == "average_link":
        thresholds = link_thresholds(graph, settings.affinity)
        linkages = ((thresholds, "zero"), (thresholds[::2], "ignore"))
        return [
            _Task(
                average_link_layers,
                ("affinity",),
                {"thresholds": falling, "missing": missing, "n_neighbors": settings.n_neighbors},
            )
            for falling, missing in linkages
        ]
    automatic = isinstance(settings.edge_threshold, str)
    cuts = _EDGE_QUANTILES if automatic else np.atleast_1d(settings.edge_threshold)
    common = {
        "step": settings.threshold_step,
        "max_supervertex_size": settings.max_supervertex_size,
        "max_size": settings.max_proposal_size or graph.affinity.shape[0],
        "n_levels": settings.n_levels,
    }
    # Of the similarity, whatever the affinity: where learning fell short, these proposals do not.
    return [
        _Task(
            multiscale_layers,
            ("dissimilarity", "rows", "tree"),
            {"quantiles" if automatic else "thresholds": [cut], **common},
        )
        for cut in cuts
    ]


def _layers_of_tasks(start, stop, tasks, **given):
    return [
        task.function(*(given[name] for name in task.reads), **task.parameters) for task in tasks[start:stop]
    ]
