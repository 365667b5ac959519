"""X -> affinity graph, by what was learned of it: a linear map and the probability of each link.

The training graph must be as imperfect as the graphs to come. So it is *cross-fitted*: classes are dealt
into folds, and every pair of samples is compared, and every link judged, by models that saw neither end.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.special import expit

from ._graph import Graph, Links, link, strongest
from ._link_features import NeighborhoodFeatures, ProbabilityFeatures, pair_products, shared_mass
from ._metric import apply_map, class_folds, fit_map
from ._neighbors import nearest_neighbors, similarities_of

Rows: TypeAlias = "np.ndarray | sp.csr_array"
Weights = dict[str, dict[str, np.ndarray]]
"""Learned arrays, by the part that learned them and by their name in it."""

PARTS = ("map", "first.", "second.", "range")
"""How the names of what is learned here begin."""
_RANGE = (0.001, 0.999)
"""Quantiles of each link feature between which it counts as known from training."""
MAX_FOLDS = 4
TRAINING_LINKS = 300_000
"""Links that one model learns from."""
CLEARLY_LOWER = 0.95
"""Share of a loss below which another wins over it: at a few held-out classes, less is chance."""
_VIEWS = (1, 3 / 8, 1 / 8)
"""Shares of the neighbour lists that models learn from. In the short lists a class fills the list, as a class
larger than any of the training set does in the full one; without them such classes fall apart."""
_UNLIKELY = 0.01
"""Links of lower probability are dropped, after each round: on most data every second link, and of those
inside classes one in fifty."""
_BLOCK_LINKS = 100_000
"""Links whose features are in memory at once."""


class GraphSettings(NamedTuple):
    """How graphs are made."""

    n_neighbors: int
    metric: str
    algorithm: str
    affinity: str
    metric_learning: str | bool
    seed: int


class View(NamedTuple):
    """A labelled graph to learn links from."""

    embedding: np.ndarray | None
    """float32 of shape (n_samples, n_features); None if samples were given as a graph."""
    mapped: np.ndarray | None
    """Under a map that did not see the sample, or the same."""
    links: Links
    y: np.ndarray
    """int of shape (n_samples,): class codes, -1 for unlabelled."""
    folds: np.ndarray
    """int of shape (n_samples,): which model must not see the sample; -1 for unlabelled."""


def neighbor_links(rows: Rows, weights: Weights, settings: GraphSettings, n_jobs: int | None = None) -> Links:
    """Nearest neighbours of new samples, under the map if one was learned.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
        Distinct rows, of unit length for "cosine"; or the similarities of linked samples.
    weights : Weights
        As from :func:`learn_affinity`.
    settings : GraphSettings
    n_jobs : int or None
    """
    return link(*_neighbor_lists(_mapped(rows, weights), settings, n_jobs))


def affinity_graph(rows: Rows, links: Links, weights: Weights, settings: GraphSettings) -> Graph:
    """Affinity graph of new samples.

    Parameters
    ----------
    rows
        As for :func:`neighbor_links`.
    links : Links
        From there.
    weights : Weights
        As from :func:`learn_affinity`; what is not there is not used.
    settings : GraphSettings
    """
    embedding = None if sp.issparse(rows) else rows
    if settings.affinity != "learned":
        return _graph(embedding, links, unlearned_affinity(links, settings.affinity))
    first = _first_features(embedding, _mapped(rows, weights), links)
    likely, probability, inputs = _probable(first, _models(weights, "first"), links)
    links, unknown = links.take(likely), _share_outside(inputs, weights["range"])
    second = _second_features(inputs, embedding, links, probability)
    likely, probability, _ = _probable(second, _models(weights, "second"), links)
    return _graph(embedding, links.take(likely), probability)._replace(unknown=unknown)


def learn_affinity(
    rows: Rows,
    y: np.ndarray,
    settings: GraphSettings,
    start: Weights,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> tuple[Graph, Weights]:
    """Learn the affinity from labelled samples, and make their own graph by cross-fitting.

    Parameters
    ----------
    rows : float32 ndarray of shape (n_samples, n_features), or csr_array of shape (n_samples, n_samples)
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.
    settings : GraphSettings
    start : Weights
        As for :func:`learn_links`.
    n_jobs : int or None
    verbose : bool

    Returns
    -------
    graph : Graph
        Of the training samples, as they would look to models that never saw them.
    weights : Weights
        For :func:`affinity_graph`.
    """
    folds = class_folds(y, _n_folds(y), np.random.default_rng(settings.seed))
    embedding = None if sp.issparse(rows) else rows
    neighbors, similarities, mapped, weights = _learn_map(rows, y, folds, settings, n_jobs)
    if settings.affinity != "learned":
        links = link(neighbors, similarities)
        return _graph(embedding, links, unlearned_affinity(links, settings.affinity)), weights
    views = [View(embedding, mapped, links, y, folds) for links in shortened_links(neighbors, similarities)]
    probabilities, learned = learn_links(views, settings.seed, start, verbose)
    return _graph(embedding, *probabilities[0]), weights | learned


def shortened_links(neighbors: np.ndarray, similarities: np.ndarray) -> list[Links]:
    """Links of neighbour lists at their full length, and of the same lists cut short."""
    depths = {max(int(neighbors.shape[1] * share), 1) for share in _VIEWS}
    return [link(neighbors[:, :depth], similarities[:, :depth]) for depth in sorted(depths, reverse=True)]


def learn_links(
    views: list[View], seed: int, start: Weights, verbose: bool = False, n_links: int = TRAINING_LINKS
) -> tuple[list[tuple[Links, np.ndarray]], Weights]:
    """Learn how probable links are, in two rounds; unlikely ones do not reach the second.

    Parameters
    ----------
    views : list of View
    seed : int
    start : Weights
        Models of an earlier training, which are taken instead in a round in which they know the classes held
        out of training clearly better; may be empty.
    verbose : bool
    n_links : int
        How many links one model learns from, at most equally many of each view.

    Returns
    -------
    probabilities : list of (Links, float32 ndarray of shape (n_links,))
        Likely links of each view, and their probability by models that saw neither end.
    weights : Weights
        "first.0" and so on, "second.0" and so on, and "range".
    """
    weights: Weights = {}
    features = [_first_features(view.embedding, view.mapped, view.links) for view in views]
    views = list(views)
    for name, first_seed in (("first", seed), ("second", seed + MAX_FOLDS)):
        odds, models, inputs = _cross_fit(features, views, n_links, first_seed, verbose)
        if name == "first":
            weights["range"] = dict(zip(("low", "high"), np.quantile(inputs, _RANGE, axis=0), strict=True))
        known = _models(start, name)
        if known and _know_better(known, features[0], views[0], odds[0]):
            models = known
            odds = [
                _mean_odds(function, known, len(view.links.rows))
                for function, view in zip(features, views, strict=True)
            ]
            if name == "first":
                weights["range"] = start["range"]
        weights |= {f"{name}.{number}": model for number, model in enumerate(models)}
        probabilities = []
        for number, view in enumerate(views):
            likely, probability = _likely(odds[number])
            views[number] = view._replace(links=view.links.take(likely))
            probabilities.append((views[number].links, probability))
            if name == "first":
                first = features[number](likely)
                features[number] = _second_features(first, view.embedding, *probabilities[number])
    return probabilities, weights


def unlearned_affinity(links: Links, affinity: str) -> np.ndarray:
    """Affinity of each link without labels: its similarity, or the mass that both ends share."""
    return np.clip(links.similarity, 0, 1) if affinity == "cosine" else shared_mass(links)


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


def _mapped(rows, weights):
    return apply_map(rows, weights["map"]) if "map" in weights else rows


def _learn_map(rows, y, folds, settings, n_jobs):
    """Neighbour lists of the training samples, their rows under a map, and the map if unseen classes gain."""
    neighbors, similarities = _neighbor_lists(rows, settings, n_jobs)
    if sp.issparse(rows):
        return neighbors, similarities, None, {}
    if settings.metric_learning and folds.max() > 1:  # with two folds, pairs across them have no map
        crossed, crossed_similarities, mapped = _cross_fitted_lists(rows, y, folds, settings, n_jobs)
        better = neighbor_precision(crossed, y) > neighbor_precision(neighbors, y)
        if settings.metric_learning != "auto" or better:
            return crossed, crossed_similarities, mapped, {"map": fit_map(rows, y)}
    return neighbors, similarities, rows, {}


def _cross_fitted_lists(rows, y, folds, settings, n_jobs):
    """Neighbours by maps that saw neither sample's fold, and each row under a map that did not see it."""
    names = np.unique(folds)  # unlabelled samples (-1) are a fold of their own that no map learns from
    where = {fold: np.flatnonzero(folds == fold) for fold in names}
    mapped = np.empty_like(rows)
    found: dict[int, list[Any]] = {fold: [] for fold in names}
    for position, left in enumerate(names):
        for right in names[position:]:
            seen = (folds != left) & (folds != right)
            weights = fit_map(rows[seen], y[seen])
            ours, theirs = (apply_map(rows[where[fold]], weights) for fold in (left, right))
            if left == right:
                mapped[where[left]] = ours
                neighbors, distances = _search(ours, None, settings, n_jobs)
                found[left].append((where[left][neighbors], distances))
            else:
                neighbors, distances = _search(theirs, ours, settings, n_jobs)
                found[left].append((where[right][neighbors], distances))
                neighbors, distances = _search(ours, theirs, settings, n_jobs)
                found[right].append((where[left][neighbors], distances))
    n_neighbors = min(settings.n_neighbors, len(rows) - 1)
    neighbors = np.empty((len(rows), n_neighbors), dtype=np.int32)
    distances = np.empty((len(rows), n_neighbors), dtype=np.float32)
    for fold, parts in found.items():
        all_neighbors, all_distances = (np.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True))
        nearest = np.argsort(all_distances, axis=1, kind="stable")[:, :n_neighbors]
        neighbors[where[fold]] = np.take_along_axis(all_neighbors, nearest, axis=1)
        distances[where[fold]] = np.take_along_axis(all_distances, nearest, axis=1)
    return neighbors, similarities_of(distances, settings.metric), mapped


def _neighbor_lists(rows, settings, n_jobs):
    """Neighbours and their similarities, found among rows or read off a graph."""
    if sp.issparse(rows):
        longest = int(np.diff(rows.indptr).max(initial=1))
        return strongest(rows, min(settings.n_neighbors, longest))
    neighbors, distances = _search(rows, None, settings, n_jobs)
    return neighbors, similarities_of(distances, settings.metric)


def _search(rows, queries, settings, n_jobs):
    if settings.metric == "cosine":
        rows, queries = _unit(rows), None if queries is None else _unit(queries)
    return nearest_neighbors(
        rows,
        min(settings.n_neighbors, len(rows) - (queries is None)),
        queries=queries,
        metric=settings.metric,
        algorithm=settings.algorithm,
        n_jobs=n_jobs,
        random_state=settings.seed,
    )


def _cross_fit(features, views, n_links, seed, verbose):
    """Log-odds of each view's links by models that saw neither end's fold, the models, the inputs of one."""
    from ._nn._links import train_links

    n_folds = max(view.folds.max() for view in views) + 1
    models = []
    for fold in range(n_folds):
        random = np.random.default_rng(seed + fold)
        seen, targets = [], []
        for view_features, view in zip(features, views, strict=True):
            ends = _folds_of_ends(view)
            usable = (ends >= 0).all(axis=0)
            if n_folds > 1:
                usable &= (ends != fold).all(axis=0)
            chosen = random.permutation(np.flatnonzero(usable))[: n_links // len(views)]
            chosen.sort()
            seen.append(view_features(chosen))
            targets.append(_same_class(view)[chosen])
        inputs = np.concatenate(seen)
        models.append(train_links(inputs, np.concatenate(targets), seed=seed + fold, verbose=verbose))
    odds = [_held_out_odds(*view, models) for view in zip(features, views, strict=True)]
    return odds, models, inputs


def _held_out_odds(features, view, models):
    """Mean log-odds of each link by the models that saw neither end's fold, block by block."""
    from ._nn._links import link_odds

    ends = _folds_of_ends(view)
    total, count = np.zeros((2, ends.shape[1]), dtype=np.float32)
    for part in _blocks(ends.shape[1]):
        inputs, free = features(part), (ends[:, part] < 0).all(axis=0)  # both unlabelled: any model will do
        for fold, model in enumerate(models):
            asked = np.flatnonzero((ends[:, part] == fold).any(axis=0) | free)
            total[part[asked]] += link_odds(model, inputs[asked])
            count[part[asked]] += 1
    return total / count


def _know_better(models, features, view, odds):
    """Whether models that never saw a view judge its links clearly better than the odds given."""
    if (view.folds < 1).all():
        return True  # with one fold, the odds are by models that saw what they judge
    return _loss(_mean_odds(features, models, len(view.links.rows)), view) < CLEARLY_LOWER * _loss(odds, view)


def _mean_odds(features, models, n_links):
    """Mean log-odds of all links over the models, block by block."""
    return np.concatenate([_odds_by(models, features(part)) for part in _blocks(n_links)])


def _odds_by(models, inputs):
    from ._nn._links import link_odds

    return np.mean([link_odds(model, inputs) for model in models], axis=0)


def _loss(odds, view):
    """Mean cross-entropy of the links between labelled samples."""
    labelled = (_folds_of_ends(view) >= 0).all(axis=0)
    wrong = np.where(_same_class(view), -odds, odds)[labelled]
    return np.logaddexp(0, wrong).mean() if len(wrong) else np.inf


def _folds_of_ends(view):
    return np.stack([view.folds[view.links.rows], view.folds[view.links.cols]])


def _same_class(view):
    return view.y[view.links.rows] == view.y[view.links.cols]


def _share_outside(inputs, known):
    """Share of the values of link features that lie outside the range known from training."""
    outside = (inputs < known["low"]) | (inputs > known["high"])
    return float(outside.mean()) if outside.size else 0.0


def _first_features(embedding, mapped, links):
    if embedding is None:
        return NeighborhoodFeatures(links, links.similarity, np.ones(len(links.neighbors), np.float32))
    centred = _centred(embedding)
    lengths = np.linalg.norm(mapped - mapped.mean(axis=0), axis=1)
    return NeighborhoodFeatures(
        links,
        pair_products(centred, centred, links.rows, links.cols),
        (lengths / np.sqrt(max((lengths**2).mean(), 1e-12))).astype(np.float32),
    )


def _probable(features, models, links):
    """Numbers of the links that are not unlikely, their probability and their features, block by block."""
    found = []
    for part in _blocks(len(links.rows)):
        inputs = features(part)
        likely, probability = _likely(_odds_by(models, inputs))
        found.append((part[likely], probability, inputs[likely]))
    likely, probability, inputs = zip(*found, strict=True)
    return np.concatenate(likely), np.concatenate(probability), np.concatenate(inputs)


def _blocks(n_links):
    """Numbers of all links, in blocks; one block if there are none."""
    return [
        np.arange(start, min(start + _BLOCK_LINKS, n_links))
        for start in range(0, max(n_links, 1), _BLOCK_LINKS)
    ]


def _likely(odds):
    """Numbers of the links that are not unlikely, and their probability."""
    probability = expit(odds)
    likely = np.flatnonzero(probability >= _UNLIKELY)
    return likely, probability[likely]


def _second_features(first, embedding, links, probability):
    """Features of both kinds of likely links; `first` are theirs of the first kind."""
    centred = None if embedding is None else _centred(embedding)
    second = ProbabilityFeatures(links, probability, centred)
    return lambda part: np.concatenate([first[part], second(part)], axis=1)


def _graph(embedding, links, affinity):
    return Graph(embedding, links.similarities, links.matrix(links.similarity), links.matrix(affinity))


def _models(weights, name):
    return [weights[key] for key in sorted(weights) if key.startswith(f"{name}.")]


def _centred(rows):
    return _unit(rows - rows.mean(axis=0))


def _unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _n_folds(y):
    """Number of folds: at least two classes in each, so that every model sees links between classes."""
    return int(np.clip(len(np.unique(y[y >= 0])) // 4, 1, MAX_FOLDS))
