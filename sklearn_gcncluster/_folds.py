"""Classes dealt into folds: no class in two of them."""

from __future__ import annotations

import numpy as np


def class_folds(y: np.ndarray, n_folds: int, random: np.random.Generator) -> np.ndarray:
    """Fold of each sample: no class in two folds, about as many samples in each; -1 where unlabelled.

    Parameters
    ----------
    y : int ndarray of shape (n_samples,)
        Class codes, -1 for unlabelled.

    Returns
    -------
    intp ndarray of shape (n_samples,)
    """
    classes, codes, counts = np.unique(y[y >= 0], return_inverse=True, return_counts=True)
    order = random.permutation(len(classes))
    order = order[np.argsort(-counts[order], kind="stable")]
    snake = np.arange(len(classes)) % (2 * n_folds)  # large and small classes dealt out in turn
    fold_of_class = np.empty(len(classes), dtype=np.intp)
    fold_of_class[order] = np.minimum(snake, 2 * n_folds - 1 - snake)
    folds = np.full(len(y), -1, dtype=np.intp)
    folds[y >= 0] = fold_of_class[codes]
    return folds
