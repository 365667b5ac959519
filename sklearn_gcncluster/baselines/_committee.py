"""Committee of CDP: several embeddings of the same samples, and what they say of a pair of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .._arrays import pair_distances
from .._graph._dissimilarity import dissimilarities_of
from .._graph._links import Links
from .._graph._samples import comparable_rows

_TRAINING_PAIRS = 50_000
PASSTHROUGH = "passthrough"


class View(NamedTuple):
    """The samples as one member sees them."""

    rows: np.ndarray
    """float of shape (n_samples, n_features), of unit length for "cosine"."""
    links: Links
    """To the nearest neighbours among these rows."""
    typical: float
    """Squared distance that is the unit of Euclidean dissimilarities."""


def fit_members(committee: Sequence, rows: np.ndarray) -> list:
    """Members ready for use: transformers cloned and fitted to rows, others as they are."""
    return [clone(member).fit(rows) if hasattr(member, "fit") else member for member in committee]


def embed(member: object, rows: np.ndarray, metric: str) -> np.ndarray:
    """Embedding of rows by a fitted member, as :func:`comparable_rows`; for "cosine", zeros are an error."""
    if isinstance(member, slice):
        embedded = rows[:, member]
    else:
        embedded = member.transform(rows) if hasattr(member, "transform") else rows
    n_zero = np.count_nonzero(~embedded.any(axis=1))
    if metric == "cosine" and n_zero:
        raise ValueError(
            f"The member {member!r} of the committee gives {n_zero} samples an embedding of length zero, "
            'which has no direction, so metric="cosine" is undefined for them. Remove these samples or use '
            'metric="euclidean".'
        )
    return comparable_rows(embedded, metric)[0]


def check_committee(committee: Sequence) -> None:
    """Raise an error if there are too few members or one is of no known kind."""
    if len(committee) < 2:
        raise ValueError(
            f"committee has {len(committee)} members; it takes at least 2, a base and one that votes. Give "
            "more, or committee=None to cluster by X alone."
        )
    for member in committee:
        known = isinstance(member, slice) or (isinstance(member, str) and member == PASSTHROUGH)
        if not known and not (hasattr(member, "fit") and hasattr(member, "transform")):
            raise ValueError(
                f"committee has {member!r}. Its members are transformers, slices of the columns of X, and "
                f"{PASSTHROUGH!r} for X as it is."
            )


def votes(views: Sequence[View], pairs: Links) -> np.ndarray:
    """Which members but the base link which pairs, bool of shape (n_members - 1, n_pairs)."""
    asked = _keys(pairs)
    return np.stack([np.isin(asked, _keys(view.links), assume_unique=True) for view in views[1:]])


def pair_features(views: Sequence[View], pairs: Links, metric: str) -> np.ndarray:
    """What the committee says of pairs of samples, whichever comes first in a pair.

    For M members these are M - 1 votes, M affinities, and for each member the lower and the higher mean, and
    the lower and the higher deviation, of the affinities that the two samples have to their neighbours.

    Parameters
    ----------
    views : sequence of View
        The base comes first.
    pairs : Links
    metric : {"cosine", "euclidean"}

    Returns
    -------
    float64 ndarray of shape (n_pairs, 6 * n_members - 1)
        In single precision, many a probability would be rounded to 1, which no threshold cuts.
    """
    columns = list(votes(views, pairs))
    for rows, links, typical in views:
        apart = pair_distances(rows, rows, pairs.rows, pairs.cols)
        columns.append(1 - dissimilarities_of(apart, metric, typical))
        listed = 1 - links.dissimilarities
        for summary in (listed.mean(axis=1), listed.std(axis=1)):
            ends = summary[pairs.rows], summary[pairs.cols]
            columns += [np.minimum(*ends), np.maximum(*ends)]
    return np.column_stack(columns).astype(np.float64)


def fit_mediator(
    mediator: BaseEstimator | None, features: np.ndarray, same: np.ndarray, seed: int
) -> BaseEstimator | None:
    """Classifier that tells pairs of one class from others; None if all are of one class.

    Parameters
    ----------
    mediator : classifier with ``predict_proba``, or None
        It is cloned. None is the paper's: a perceptron of two hidden layers of 50.
    features : float64 ndarray of shape (n_pairs, n_features)
        More than 50,000 pairs are thinned out evenly.
    same : bool ndarray of shape (n_pairs,)
    seed : int
        Of the perceptron.
    """
    if not same.any():
        raise ValueError(
            "The mediator learns from linked pairs of labelled samples, and of these 0 have one class and "
            f"{len(same)} have two. Give more labels or more n_neighbors, or call fit(X) without y, which "
            "lets the committee vote."
        )
    if same.all():
        return None
    if mediator is None:
        perceptron = MLPClassifier((50, 50), early_stopping=True, random_state=seed)
        mediator = make_pipeline(StandardScaler(), perceptron)
    kept = np.unique(np.linspace(0, len(same) - 1, min(len(same), _TRAINING_PAIRS)).astype(np.int64))
    return clone(mediator).fit(features[kept], same[kept])


def _keys(links):
    """One number for each pair."""
    return links.rows.astype(np.int64) * len(links.neighbors) + links.cols
