"""What is doubtful about a graph or a result, said before somebody relies on it."""

from __future__ import annotations

import numpy as np

from ._base import Result
from ._expectation import expected_quality, fscore
from ._graph._links import Graph
from ._graph._samples import Samples
from ._scoring import Scored
from ._warning import warn

_MAX_UNKNOWN = 0.15
"""Share of inputs outside the range of training above which pretrained networks are not trusted."""
_MIN_KEPT = 0.02
"""Share of the links between neighbours below which hardly any is left to cluster by."""
_MAX_OUTLIERS = 0.95
"""Share of outliers among the samples above which hardly anything was clustered."""
_MAX_UNTAUGHT_OUTLIERS = 0.6
"""The same where networks never saw labels of such data. No set of a new domain that had more was clustered
well; of those that were, poor faces, of which many are the only ones of their kind, had most, .53."""
_MIN_EXPECTED = 0.5
"""Expected F below which clusters without labels are not to be relied on."""


def doubt_distances(graph: Graph) -> None:
    """Warn where links have no lengths, as in a graph of mere neighbours."""
    if len(graph.lengths) > 2 and graph.dissimilarities.size and not np.ptp(graph.dissimilarities):
        warn(
            "All neighbours are equally far from each other, so nothing tells who belongs together. If X "
            "is a graph, give distances or affinities that differ, as "
            'kneighbors_graph(X, 80, mode="distance") makes them.'
        )


def doubt_graph(graph: Graph) -> None:
    """Warn where what was learned does not fit the samples."""
    doubt_distances(graph)
    if graph.unknown > _MAX_UNKNOWN:
        warn(
            f"{graph.unknown:.0%} of what the networks are asked about X lies outside the range they "
            f"were trained on, more than {_MAX_UNKNOWN:.0%}; clusters may be poor. Train on labelled "
            "samples of the same embedding by fit(X, y), try another n_neighbors, or compare with "
            "another clusterer."
        )
    if graph.kept < _MIN_KEPT and len(graph.lengths) > 2:
        warn(
            f"Only {graph.kept:.1%} of the links between neighbours look likely to the networks, so "
            "hardly anything can be clustered. If you expect clusters, try n_neighbors no larger than "
            "they are, another metric, or labelled samples by fit(X, y)."
        )


def doubt_outliers(result: Result) -> None:
    """Warn where hardly anything was clustered."""
    outliers = _share_of_outliers(result)
    if outliers > _MAX_OUTLIERS:
        warn(
            f"{outliers:.0%} of the samples are outliers: no group of linked samples looks better to "
            "the networks than its members alone. If you expect clusters, try n_neighbors no larger than "
            "they are, another metric, a lower min_score, or labelled samples by fit(X, y)."
        )


def _share_of_outliers(result: Result) -> float:
    """Share of samples that are outliers or clusters of one; 0 of two samples or fewer."""
    alone = result.labels < 0
    alone |= np.append(np.bincount(result.labels[~alone]) == 1, False)[result.labels]
    return float(alone.mean()) if len(alone) > 2 else 0.0


def doubt_scores(result: Result, scored: Scored | None, samples: Samples) -> None:
    """Warn where networks that never saw labels of such data leave most alone, or expect little."""
    if scored is None:
        return
    outliers = _share_of_outliers(result)
    if _MAX_UNTAUGHT_OUTLIERS < outliers <= _MAX_OUTLIERS:
        warn(
            f"{outliers:.0%} of the samples are outliers, more than {_MAX_UNTAUGHT_OUTLIERS:.0%}. Unless so "
            "many are the only ones of their kind, networks that saw no labels of such data may have "
            "overlooked classes. Labels of some of the same embedding, by fit(X, y), help most; or compare "
            "with another clusterer."
        )
    expected = fscore(*expected_quality(result, scored, samples))
    if expected < _MIN_EXPECTED:
        warn(
            f"The networks expect their clusters to reach a BCubed F of {expected:.2f}, less than "
            f"{_MIN_EXPECTED}; many may be wrong. diagnose(X) tells what limits it. Labels of some "
            "classes of the same embedding, by fit(X, y), help most."
        )
