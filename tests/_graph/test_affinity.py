"""Tests of what is learned of the affinity: nothing may leak from the labels that it is judged by."""

import joblib
import numpy as np
import pytest

from sklearn_gcncluster._folds import class_folds
from sklearn_gcncluster._graph import _affinity
from sklearn_gcncluster._graph._affinity import GraphSettings, neighbor_precision
from sklearn_gcncluster._graph._dissimilarity import dissimilarities_of
from sklearn_gcncluster._graph._link_models import View, learn_links, shortened_links
from sklearn_gcncluster._graph._neighbors import nearest_neighbors
from sklearn_gcncluster.datasets import make_identities

SETTINGS = GraphSettings(20, "cosine", "brute", "learned", True, 0)


@pytest.fixture(scope="module")
def case():
    """Rows of unit length, their classes, and the fold of each."""
    X, y = make_identities(500, n_features=24, random_state=0)
    X = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)
    y = np.unique(y, return_inverse=True)[1]
    return X, y, class_folds(y, 4, np.random.default_rng(0))


def poisoned(y, folds, fold):
    """Labels that are wrong in one fold, and as they were elsewhere."""
    wrong = y.copy()
    inside = np.flatnonzero(folds == fold)
    wrong[inside] = np.random.default_rng(0).permutation(y[inside])
    assert (wrong != y).sum() > 20
    return wrong


@pytest.mark.parametrize("fold", [0, 2])
def test_maps_do_not_see_what_they_compare(case, fold):
    """Wrong labels in a fold move none of its own rows, and change no list as far as it stays inside."""
    X, y, folds = case

    def lists(y):
        neighbors, dissimilarities, _, mapped = _affinity._cross_fitted_lists(X, y, folds, SETTINGS, None)
        return neighbors[folds == fold], dissimilarities[folds == fold], mapped

    (neighbors, _, mapped), (others, _, moved) = lists(y), lists(poisoned(y, folds, fold))
    np.testing.assert_array_equal(mapped[folds == fold], moved[folds == fold])
    assert (mapped[folds != fold] != moved[folds != fold]).any()
    for before, after in zip(neighbors, others, strict=True):
        inside = [[k for k in row if folds[k] == fold] for row in (before, after)]
        shared = min(map(len, inside))
        assert inside[0][:shared] == inside[1][:shared]


@pytest.mark.parametrize("fold", [0, 3])
def test_links_are_judged_by_models_that_did_not_see_them(case, fold):
    """Wrong labels in a fold leave the model that judges its links as it was, and change all others."""
    X, y, folds = case
    neighbors, distances = nearest_neighbors(X, 20)
    links = shortened_links(neighbors, dissimilarities_of(distances, "cosine"))

    def models(y):
        return learn_links([View(X, X, one, y, folds, 2_000) for one in links], 0)[1].first

    same = [
        joblib.hash(a) == joblib.hash(b)
        for a, b in zip(models(y), models(poisoned(y, folds, fold)), strict=True)
    ]
    assert same == [number == fold for number in range(4)]


def test_neighbor_precision_equals_a_loop(case):
    """Share of the own class among as many neighbours as it has others; single samples are left out."""
    X, y, _ = case
    y = np.where(np.arange(len(y)) % 9, y, -1)
    neighbors, _ = nearest_neighbors(X, 20)
    shares = []
    for sample in np.flatnonzero(y >= 0):
        others = (y == y[sample]).sum() - 1
        if others:
            shares.append((y[neighbors[sample][:others]] == y[sample]).sum() / min(others, 20))
    assert neighbor_precision(neighbors, y) == pytest.approx(np.mean(shares))
