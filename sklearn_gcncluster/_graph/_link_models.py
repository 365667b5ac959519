"""Links -> how probable each is, in two rounds, and the models that tell, cross-fitted.

The second round sees the neighbourhoods as the first left them. Models of one data set look at its link
features as they are; models of many sets also at where a link stands among the others of its set, and at
the context that the set makes: what a gap of one deviation means differs between faces and texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from .._arrays import pair_products
from .._jobs import by_ranges, ranges_of, side_by_side
from .._model import LinkModels, LinkNetwork
from .._temporary import of_blocks, temporary_folder, written
from ._gaps import N_GAPS, GapFeatures
from ._link_features import N_NEIGHBORHOOD, NeighborhoodFeatures, ProbabilityFeatures, smoothed_similarity
from ._links import Links, link
from ._room import N_LENGTHS, LengthFeatures, room_of

MAX_FOLDS = 4
_RANGE = (0.001, 0.999)
"""Quantiles of each link feature between which it counts as known from training."""
_VIEWS = (1, 3 / 8, 1 / 8)
"""Shares of the neighbour lists that models learn from. In the short lists a class fills the list, as a class
larger than any of the training set does in the full one; without them such classes fall apart."""
_UNLIKELY = 0.01
"""Links of lower probability are dropped, after each round: on most data every second link, and of those
inside classes one in fifty."""
_BLOCK_LINKS = 100_000
"""Links whose features are in memory at once."""
_CONTEXT_LINKS = 20_000
"""Links, evenly spread, by which the context that a data set makes is told."""
_CONTEXT_QUANTILES = (0.1, 0.5, 0.9)
N_CONTEXT = 3 + len(_CONTEXT_QUANTILES)
"""Statistics of each feature that make the context."""
N_ONE_SET = N_NEIGHBORHOOD + N_GAPS + 1
"""Features that models of one set see in the first round."""
N_MANY_SETS = N_ONE_SET + N_LENGTHS
"""Those that models of many sets see. How long links are in one set says little of others."""


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
    n_links: int
    """How many of its links one model learns from, at most."""


class KeptFeatures:
    """Features of the links that a round left over, block by block.

    Parameters
    ----------
    blocks : sequence of (float32 ndarray of shape (n_links, n_features), or path)
        Arrays, or files that hold them.
    sizes : sequence of int
        Links in each.
    """

    def __init__(self, blocks: Sequence[np.ndarray | Path], sizes: Sequence[int]):
        self._blocks, self._starts = blocks, np.concatenate([[0], np.cumsum(sizes)])

    def __call__(self, part: np.ndarray) -> np.ndarray:
        """Features of some links, given by ascending numbers: float32 of shape (n_part, n_features)."""
        bounds = np.searchsorted(part, self._starts)
        used = np.flatnonzero(np.diff(bounds)).tolist() or [0]
        return np.concatenate(
            [
                _opened(self._blocks[block])[part[bounds[block] : bounds[block + 1]] - self._starts[block]]
                for block in used
            ]
        )


class _SideBySide:
    """Features of several kinds in one array."""

    def __init__(self, *kinds: Callable[[np.ndarray], np.ndarray]):
        self._kinds = kinds

    def __call__(self, part: np.ndarray) -> np.ndarray:
        return np.concatenate([features(part) for features in self._kinds], axis=1)


class _Between:
    """Features of the second round behind those of the first that all models see, before the others."""

    def __init__(self, first: KeptFeatures, second: ProbabilityFeatures):
        self._first, self._second = first, second

    def __call__(self, part: np.ndarray) -> np.ndarray:
        common, more = np.split(self._first(part), [N_ONE_SET], axis=1)
        return np.concatenate([common, self._second(part), more], axis=1)


class _Constant:
    """A value that all links of a set have."""

    def __init__(self, value: float):
        self._value = np.float32(value)

    def __call__(self, part: np.ndarray) -> np.ndarray:
        return np.full((len(part), 1), self._value)


class LinkInputs:
    """What models see of the links of one data set.

    Parameters
    ----------
    features : callable
        Takes ascending numbers of links, and gives float32 of shape (n_numbers, n_features).
    n_links : int
    """

    def __init__(self, features: Callable[[np.ndarray], np.ndarray], n_links: int):
        self.features, self.n_links = features, n_links
        some = np.linspace(0, max(n_links - 1, 0), min(n_links, _CONTEXT_LINKS)).astype(np.int64)
        self.context = context_of(features(np.unique(some)))
        """float32 of shape (n_statistics, n_features)."""

    def odds(self, part: np.ndarray, models: Sequence[LinkNetwork]) -> np.ndarray:
        """Mean log-odds of some links over the models; those of one set count as much as those of many."""
        return self.odds_of(self.features(part), models)

    def odds_of(self, values: np.ndarray, models: Sequence[LinkNetwork]) -> np.ndarray:
        """The same of links whose features are known already."""
        from ._link_network import link_odds

        def odds(model):
            n_known = model.n_features
            return link_odds(model, values[:, :n_known], self.context[:, :n_known])

        kinds = [[model for model in models if (model.context_mean is None) == one] for one in (True, False)]
        return np.mean([np.mean([odds(model) for model in kind], axis=0) for kind in kinds if kind], axis=0)


def context_of(values: np.ndarray) -> np.ndarray:
    """How each feature is spread over the links of a set.

    Mean, deviation, logarithm of the deviation, and quantiles as deviations from the mean. The shape of the
    distributions tells how large classes are and how far apart.

    Parameters
    ----------
    values : float32 ndarray of shape (n_links, n_features)

    Returns
    -------
    float32 ndarray of shape (n_statistics, n_features)
    """
    if not len(values):
        return np.zeros((N_CONTEXT, values.shape[1]), dtype=np.float32)
    level, spread = values.mean(axis=0), values.std(axis=0)
    quantiles = (np.quantile(values, _CONTEXT_QUANTILES, axis=0) - level) / (spread + 1e-3)
    return np.concatenate([[level, spread, np.log(spread + 1e-2)], quantiles]).astype(np.float32)


def shortened_links(neighbors: np.ndarray, dissimilarities: np.ndarray) -> list[Links]:
    """Links of neighbour lists at their full length, and of the same lists cut short."""
    depths = {max(int(neighbors.shape[1] * share), 1) for share in _VIEWS}
    return [link(neighbors[:, :depth], dissimilarities[:, :depth]) for depth in sorted(depths, reverse=True)]


def judge_links(
    embedding: np.ndarray | None,
    mapped: np.ndarray | None,
    links: Links,
    models: LinkModels,
    n_jobs: int | None = None,
) -> tuple[Links, np.ndarray, float, float]:
    """How probable links of new samples are.

    Parameters
    ----------
    embedding, mapped, links
        As in :class:`View`.
    models : LinkModels
        From :func:`learn_links`.
    n_jobs : int or None
        Blocks of links that are looked at side by side.

    Returns
    -------
    links : Links
        The likely ones.
    probability : float32 ndarray of shape (n_links,)
    unknown : float
        Share of the features' values that lie outside the range known from training.
    share : float
        How many of all links they are.
    """
    n_links = len(links.rows)
    # Between the rounds, features of the first stand in files: for 600,000 samples they are gigabytes.
    with temporary_folder() as folder:
        n_known = max(model.n_features for model in models.first)
        first = first_inputs(embedding, mapped, links, n_known)
        likely, probability, kept, unknown = _probable(first, models, folder, n_jobs)
        del first
        links = links.take(likely)
        del likely
        second = second_inputs(kept, embedding, links, probability)
        probability = expit(all_odds(second, models.second, n_jobs))
    likely = np.flatnonzero(probability >= _UNLIKELY)
    return links.take(likely), probability[likely], unknown, len(likely) / max(n_links, 1)


def learn_links(
    views: list[View], seed: int, n_jobs: int | None = None
) -> tuple[list[tuple[Links, np.ndarray]], LinkModels]:
    """Learn how probable links are, in two rounds; unlikely ones do not reach the second.

    Parameters
    ----------
    views : list of View
        Of one data set.
    seed : int
    n_jobs : int or None
        Models that are trained side by side.

    Returns
    -------
    probabilities : list of (Links, float32 ndarray of shape (n_links,))
        Likely links of each view, and their probability by models that saw neither end.
    models : LinkModels
    """
    inputs = [first_inputs(view.embedding, view.mapped, view.links) for view in views]
    values = [all_features(one) for one in inputs]
    low, high = known_range(np.concatenate(values))
    first = _cross_fit(inputs, values, views, seed, n_jobs)
    views, probabilities, likely = _likely_links(inputs, values, views, first)
    if not all(map(len, likely)):
        raise ValueError(
            "By y hardly two neighbours in X are of one class, so nothing can be learned of how clusters "
            "look. Check that y is of these samples, in this order; label more samples of each class; or "
            "call fit(X) without y."
        )
    inputs = [
        second_inputs(value[kept], view.embedding, *found)
        for value, kept, view, found in zip(values, likely, views, probabilities, strict=True)
    ]
    values = [all_features(one) for one in inputs]
    second = _cross_fit(inputs, values, views, seed + MAX_FOLDS, n_jobs)
    _, probabilities, _ = _likely_links(inputs, values, views, second)
    return probabilities, LinkModels(first, second, low, high)


def known_range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Between which values of each link feature new ones count as known from training."""
    low, high = np.quantile(values, _RANGE, axis=0).astype(np.float32)
    return low, high


def all_features(inputs: LinkInputs) -> np.ndarray:
    """Features of all links, made block by block: float32 of shape (n_links, n_features)."""
    return np.concatenate([inputs.features(np.arange(*one)) for one in _blocks(inputs.n_links)])


def _cross_fit(inputs, values, views, seed, n_jobs):
    """A model for each fold, of links with no end in it."""
    from ._link_network import ONE_SET, LinkSample, train_links

    n_folds = max(view.folds.max() for view in views) + 1
    tasks = []
    for fold in range(n_folds):
        random = np.random.default_rng(seed + fold)
        samples = []
        for one, features, view in zip(inputs, values, views, strict=True):
            ends = _folds_of_ends(view)
            usable = (ends >= 0).all(axis=0)
            if n_folds > 1:
                usable &= (ends != fold).all(axis=0)
            chosen = np.sort(random.permutation(np.flatnonzero(usable))[: view.n_links])
            samples.append(LinkSample(features[chosen], _same_class(view)[chosen], one.context))
        tasks.append({"samples": samples, "training": ONE_SET, "seed": seed + fold})
    return tuple(side_by_side(train_links, tasks, n_jobs))


def _likely_links(inputs, values, views, models):
    """Each view with its likely links, these with their probability, and their numbers."""
    found, probabilities, numbers = [], [], []
    for one, features, view in zip(inputs, values, views, strict=True):
        likely, probability = likely_of(_held_out_odds(one, features, view, models))
        found.append(view._replace(links=view.links.take(likely)))
        probabilities.append((found[-1].links, probability))
        numbers.append(likely)
    return found, probabilities, numbers


def _held_out_odds(inputs, values, view, models):
    """Mean log-odds of each link by the models that saw neither end's fold."""
    ends = _folds_of_ends(view)
    total, count = np.zeros((2, ends.shape[1]), dtype=np.float32)
    free = (ends < 0).all(axis=0)  # both unlabelled: any model will do
    for fold, model in enumerate(models):
        asked = np.flatnonzero((ends == fold).any(axis=0) | free)
        total[asked] += inputs.odds_of(values[asked], [model])
        count[asked] += 1
    return total / count


def all_odds(inputs: LinkInputs, models: Sequence[LinkNetwork], n_jobs: int | None = None) -> np.ndarray:
    """Mean log-odds of all links over the models, block by block."""
    return np.concatenate(
        by_ranges(_odds_of_range, _blocks(inputs.n_links), n_jobs, inputs=inputs, models=models)
    )


def _odds_of_range(start, stop, inputs, models):
    return inputs.odds(np.arange(start, stop), models)


def _folds_of_ends(view):
    return np.stack([view.folds[view.links.rows], view.folds[view.links.cols]])


def _same_class(view):
    return view.y[view.links.rows] == view.y[view.links.cols]


def first_inputs(
    embedding: np.ndarray | None, mapped: np.ndarray | None, links: Links, n_known: int = N_ONE_SET
) -> LinkInputs:
    """What the first round sees of links, the first `n_known` features; arguments as in :class:`View`."""
    if embedding is None or mapped is None:
        room, cosine, quality = None, 1 - links.dissimilarity, np.ones(len(links.neighbors), np.float32)
    else:
        room, centred = room_of(embedding), _centred(embedding)
        cosine = pair_products(centred, centred, links.rows, links.cols)
        del centred
        mean = mapped.mean(axis=0)
        lengths = of_blocks(lambda part: np.linalg.norm(part - mean, axis=1), mapped)
        quality = (lengths / np.sqrt(max((lengths**2).mean(), 1e-12))).astype(np.float32)
    kinds: list[Callable[[np.ndarray], np.ndarray]] = [
        NeighborhoodFeatures(links, cosine, quality),
        GapFeatures(links),
        # Only what all have in common tells a single class from noise.
        _Constant(0.0 if room is None else room.common),
    ]
    if n_known > N_ONE_SET:
        kinds.append(LengthFeatures(links, cosine, room))
    return LinkInputs(_SideBySide(*kinds), len(links.rows))


def second_inputs(
    first: np.ndarray | KeptFeatures, embedding: np.ndarray | None, links: Links, probability: np.ndarray
) -> LinkInputs:
    """What the second round sees of likely links; `first` are their features of the first round."""
    matrix, smoothness = links.matrix(probability), np.zeros(len(links.rows), dtype=np.float32)
    if embedding is not None:
        smoothness = smoothed_similarity(links, matrix, _centred(embedding))
    second = ProbabilityFeatures(links, probability, matrix, smoothness)
    kept = first if isinstance(first, KeptFeatures) else KeptFeatures([first], [len(first)])
    return LinkInputs(_Between(kept, second), len(links.rows))


def _probable(inputs, models, folder, n_jobs):
    """The links that are not unlikely after the first round.

    Returns their numbers, probability and features, and which share of the features' values, over all links,
    lies outside the range known from training.
    """
    blocks = _blocks(inputs.n_links)
    kept_in = folder if len(blocks) > 1 else None
    found = by_ranges(_probable_of_range, blocks, n_jobs, inputs=inputs, models=models, folder=kept_in)
    likely, probability, values, outside = zip(*found, strict=True)
    unknown = sum(outside) / max(inputs.n_links * N_NEIGHBORHOOD, 1)
    kept = KeptFeatures(values, [len(one) for one in likely])
    return np.concatenate(likely), np.concatenate(probability), kept, unknown


def _probable_of_range(start, stop, inputs, models, folder):
    """The same of a range of links, but the number of values outside; features in a file of the folder."""
    values = inputs.features(np.arange(start, stop))
    near, low, high = (of[..., :N_NEIGHBORHOOD] for of in (values, models.low, models.high))  # gaps are cut
    n_outside = int(np.count_nonzero((near < low) | (near > high)))
    likely, probability = likely_of(inputs.odds_of(values, models.first))
    kept = values[likely]
    if folder is not None:
        path = folder / f"{start}.npy"
        written(path, lambda: np.save(path, kept))
        kept = path
    return likely + start, probability, kept, n_outside


def _opened(block):
    return np.load(block, mmap_mode="r") if isinstance(block, Path) else block


def _blocks(n_links):
    return ranges_of(n_links, _BLOCK_LINKS)


def likely_of(odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the links that are not unlikely, and their probability."""
    probability = expit(odds)
    likely = np.flatnonzero(probability >= _UNLIKELY)
    return likely, probability[likely]


def _centred(rows):
    mean = rows.mean(axis=0)

    def of_unit_length(part):
        centred = part - mean
        return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)

    return of_blocks(of_unit_length, rows)
