"""A linear map, learned from labels, under which samples of one class lie closer together.

Directions in which samples of one class differ say nothing about identity and are shrunk; directions in
which classes differ are kept. This is the two-covariance model behind PLDA (Ioffe, "Probabilistic linear
discriminant analysis", ECCV 2006), with both covariances shrunk towards the sphere so that a few hundred
samples are enough.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from .._model import LinearMap
from .._temporary import of_blocks

_WITHIN_SHRINKAGE, _BETWEEN_SHRINKAGE = 0.3, 0.3
"""Share of the sphere in each covariance; compared in docs/experiments.rst."""


def fit_map(X: np.ndarray, y: np.ndarray) -> LinearMap:
    """Fit the map on labelled samples.

    Parameters
    ----------
    X : float ndarray of shape (n_samples, n_features)
    y : int ndarray of shape (n_samples,)
        Class codes; samples with -1 are left out.

    Returns
    -------
    LinearMap
        With fewer than three classes, or no class of two samples, the directions are the identity; with no
        sample, so is the map.
    """
    X, y = X[y >= 0].astype(np.float64), y[y >= 0]
    _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    n_features, freedom = X.shape[1], int((counts - 1).sum())
    mean = X.mean(axis=0) if len(X) else np.zeros(n_features)
    if freedom < 2 or len(counts) < 3:
        return _as_float32(mean, np.eye(n_features))
    average = sp.csr_array((1.0 / counts[codes], (codes, np.arange(len(X)))), (len(counts), len(X)))
    centres = average @ X
    residuals = X - centres[codes]
    within = residuals.T @ residuals / freedom
    values, vectors = np.linalg.eigh(_shrink(within, _WITHIN_SHRINKAGE))
    whiten = vectors / np.sqrt(np.maximum(values, 1e-9 * values[-1] + 1e-12))
    spread = (centres - centres.mean(axis=0)) @ whiten
    # The centre of a class of c samples still carries 1/c of the within-class scatter.
    between = spread.T @ spread / len(counts) - np.mean(1 / counts) * (whiten.T @ within @ whiten)
    values, vectors = np.linalg.eigh(_shrink(between, _BETWEEN_SHRINKAGE))
    values = np.maximum(values, 1e-3 * max(values[-1], 1e-9))
    return _as_float32(mean, whiten @ vectors * np.sqrt(values / (values + 1)))


def apply_map(X: np.ndarray, learned: LinearMap) -> np.ndarray:
    """Rows under the map, of any length."""
    return of_blocks(lambda part: (part - learned.mean) @ learned.directions, X)


def _shrink(covariance, share):
    sphere = max(np.trace(covariance), 1e-9) / len(covariance)
    return (1 - share) * covariance + share * sphere * np.eye(len(covariance))


def _as_float32(mean, directions):
    return LinearMap(mean.astype(np.float32), directions.astype(np.float32))
