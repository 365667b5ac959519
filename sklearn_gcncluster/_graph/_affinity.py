"""X -> affinity graph, by what was learned of it: a linear map and the probability of each link.

The training graph must be as imperfect as the graphs to come. So it is *cross-fitted*: classes are dealt
into folds, and every pair of samples is compared, and every link judged, by models that saw neither end.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp

from .._folds import class_folds
from .._model import LinearMap, LinkModels
from .._temporary import of_blocks
from ._dissimilarity import dissimilarities_of
from ._given import graph_lists
from ._linear_map import apply_map, fit_map
from ._link_features import shared_mass
from ._link_models import MAX_FOLDS, View, judge_links, learn_links, shortened_links
from ._links import Graph, Links, link
from ._neighbors import nearest_neighbors, search_recall

Rows: TypeAlias = "np.ndarray | sp.csr_array"
TRAINING_LINKS = 60_000
"""Links that one model learns from: five times as many took four times as long and told nothing more."""

_ROUNDING = 1e-6
"""Difference to one at which a length, in single precision, is one."""


class GraphSettings(NamedTuple):
    """How graphs are made."""

    n_neighbors: int
    metric: str
    algorithm: str
    affinity: str
    metric_learning: str | bool
    seed: int
    device: str | None = None
    """Where torch searches neighbours, if not on the processor."""


def neighbor_lists(
    rows: Rows, settings: GraphSettings, n_jobs: int | None = None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Nearest neighbours of each sample, found among rows or read off a graph.

    Parameters
    ----------
    rows : float ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
        Distinct rows, under the map if one was learned; or the dissimilarities of linked samples.
    settings : GraphSettings
    n_jobs : int or None

    Returns
    -------
    neighbors : int32 ndarray of shape (n_samples, n_neighbors)
        As in :class:`Links`.
    dissimilarities : float32 ndarray of shape (n_samples, n_neighbors)
    recall : float
        Share of the nearest neighbours that the lists hold, as far as it was looked up.
    """
    if sp.issparse(rows):
        return *graph_lists(rows, settings.n_neighbors), 1.0
    neighbors, distances, recall = _search(rows, None, settings, n_jobs)
    return neighbors, dissimilarities_of(distances, settings.metric), recall


def affinity_graph(
    embedding: np.ndarray | None,
    mapped: np.ndarray | None,
    neighbors: np.ndarray,
    dissimilarities: np.ndarray,
    models: LinkModels | None,
    affinity: str,
    n_jobs: int | None = None,
) -> Graph:
    """Affinity graph of new samples.

    Parameters
    ----------
    embedding : float ndarray of shape (n_samples, n_features) or None
        Distinct rows, of unit length for "cosine"; None if X was a graph.
    mapped : float ndarray of shape (n_samples, n_features) or None
        The same under the map, if one was learned.
    neighbors, dissimilarities : ndarrays of shape (n_samples, n_neighbors)
        From :func:`neighbor_lists`.
    models : LinkModels or None
        From :func:`learn_affinity`; None where the affinity is not learned.
    affinity : {"learned", "neighborhood", "cosine"}
    n_jobs : int or None
    """
    if models is None:
        links = link(neighbors, dissimilarities)
        return _graph(embedding, links, unlearned_affinity(links, affinity))
    # No name holds all links: they are gone when the unlikely ones are.
    likely, probability, unknown, kept = judge_links(
        embedding, mapped, link(neighbors, dissimilarities), models, n_jobs
    )
    return _graph(embedding, likely, probability)._replace(unknown=unknown, kept=kept)


def learn_affinity(
    rows: Rows,
    y: np.ndarray,
    settings: GraphSettings,
    n_jobs: int | None = None,
) -> tuple[Graph, LinearMap | None, LinkModels | None]:
    """Learn the affinity from labelled samples, and make their own graph by cross-fitting.

    Parameters
    ----------
    rows : float ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
        As for :func:`neighbor_lists`, under no map.
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : GraphSettings
    n_jobs : int or None

    Returns
    -------
    graph : Graph
        Of the training samples, as they would look to models that never saw them.
    learned_map : LinearMap or None
        To be applied to new rows before neighbours are searched.
    models : LinkModels or None
        For :func:`affinity_graph`.
    """
    folds = class_folds(y, _n_folds(y), np.random.default_rng(settings.seed))
    embedding = None if sp.issparse(rows) else rows
    neighbors, dissimilarities, recall, mapped, learned_map = _learn_map(rows, y, folds, settings, n_jobs)
    if settings.affinity != "learned":
        links = link(neighbors, dissimilarities)
        graph = _graph(embedding, links, unlearned_affinity(links, settings.affinity))
        return graph._replace(recall=recall), learned_map, None
    shortened = shortened_links(neighbors, dissimilarities)
    n_links = TRAINING_LINKS // len(shortened)
    views = [View(embedding, mapped, links, y, folds, n_links) for links in shortened]
    probabilities, models = learn_links(views, settings.seed, n_jobs)
    return _graph(embedding, *probabilities[0])._replace(recall=recall), learned_map, models


def unlearned_affinity(links: Links, affinity: str) -> np.ndarray:
    """Affinity of each link without labels: its similarity, or the mass that both ends share."""
    return np.clip(1 - links.dissimilarity, 0, 1) if affinity == "cosine" else shared_mass(links)


def neighbor_precision(neighbors: np.ndarray, y: np.ndarray) -> float:
    """Mean share of a sample's own class among as many nearest neighbours as the class has others.

    Unlabelled samples, and classes of one sample, are left out.
    """
    counts = np.bincount(y[y >= 0])
    others = np.where(y >= 0, counts[y] - 1, 0)
    depth = np.minimum(others, neighbors.shape[1])
    found = (y[neighbors] == y[:, None]) & (np.arange(neighbors.shape[1]) < depth[:, None])
    asked = depth > 0
    return float((found.sum(axis=1)[asked] / depth[asked]).mean()) if asked.any() else 0.0


def _learn_map(rows, y, folds, settings, n_jobs):
    """Neighbour lists of the training samples and their recall, rows under a map, and the map if it helps."""
    neighbors, *others = neighbor_lists(rows, settings, n_jobs)
    if sp.issparse(rows):
        return neighbors, *others, None, None
    if settings.metric_learning and folds.max() > 1:  # with two folds, pairs across them have no map
        *crossed, mapped = _cross_fitted_lists(rows, y, folds, settings, n_jobs)
        better = neighbor_precision(crossed[0], y) > neighbor_precision(neighbors, y)
        if settings.metric_learning != "auto" or better:
            return *crossed, mapped, fit_map(rows, y)
    return neighbors, *others, rows, None


def _cross_fitted_lists(rows, y, folds, settings, n_jobs):
    """Neighbours by maps that saw neither sample's fold, and each row under a map that did not see it."""
    names = np.unique(folds)  # unlabelled samples (-1) are a fold of their own that no map learns from
    where = {fold: np.flatnonzero(folds == fold) for fold in names}
    mapped = np.empty_like(rows)
    found: dict[int, list[Any]] = {fold: [] for fold in names}
    recalls = []
    for position, left in enumerate(names):
        for right in names[position:]:
            seen = (folds != left) & (folds != right)
            crossed = fit_map(rows[seen], y[seen])
            ours, theirs = (apply_map(rows[where[fold]], crossed) for fold in (left, right))
            if left == right:
                mapped[where[left]] = ours
                searches: list[Any] = [(left, left, ours, None)]
            else:
                searches = [(left, right, theirs, ours), (right, left, ours, theirs)]
            for asking, among, there, queries in searches:
                neighbors, distances, recall = _search(there, queries, settings, n_jobs)
                found[asking].append((where[among][neighbors], distances))
                recalls.append(recall)
    n_neighbors = min(settings.n_neighbors, len(rows) - 1)
    neighbors = np.empty((len(rows), n_neighbors), dtype=np.int32)
    distances = np.empty((len(rows), n_neighbors), dtype=np.float32)
    for fold, parts in found.items():
        all_neighbors, all_distances = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
        nearest = np.argsort(all_distances, axis=1, kind="stable")[:, :n_neighbors]
        neighbors[where[fold]] = np.take_along_axis(all_neighbors, nearest, axis=1)
        distances[where[fold]] = np.take_along_axis(all_distances, nearest, axis=1)
    return neighbors, dissimilarities_of(distances, settings.metric), min(recalls), mapped


def _search(rows, queries, settings, n_jobs):
    if settings.metric == "cosine":
        rows, queries = _unit(rows), None if queries is None else _unit(queries)
    how: dict[str, Any] = {
        "queries": queries,
        "metric": settings.metric,
        "algorithm": settings.algorithm,
        "n_jobs": n_jobs,
        "random_state": settings.seed,
    }
    n_neighbors = min(settings.n_neighbors, len(rows) - (queries is None))
    neighbors, distances = nearest_neighbors(rows, n_neighbors, device=settings.device, **how)
    return neighbors, distances, search_recall(rows, distances, **how)


def _graph(embedding, links, affinity):
    return Graph(
        embedding,
        links.dissimilarities,
        links.lengths,
        links.matrix(links.dissimilarity),
        links.matrix(affinity),
        recall=links.recall,
    )


def _unit(rows):
    lengths = of_blocks(lambda part: np.linalg.norm(part, axis=1), rows)
    if np.abs(lengths - 1).max(initial=0) < _ROUNDING:
        return rows  # no map was learned, and a copy is as large
    return of_blocks(lambda part: part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12), rows)


def _n_folds(y):
    """Number of folds: at least two classes in each, so that every model sees links between classes."""
    return int(np.clip(len(np.unique(y[y >= 0])) // 4, 1, MAX_FOLDS))
