"""The sparse table of class against cluster that every metric here is computed from."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length

UNLABELLED = -1


class Contingency(NamedTuple):
    """Non-empty cells of the table of class against cluster.

    Every array is int64 whatever the platform, so that products of two counts do not overflow.

    Attributes
    ----------
    n_shared : ndarray of shape (n_cells,), dtype int64
        Number of samples in each non-empty cell, at least 1.
    class_size : ndarray of shape (n_cells,), dtype int64
        Size of the class each cell lies in.
    cluster_size : ndarray of shape (n_cells,), dtype int64
        Size of the cluster each cell lies in.
    class_sizes : ndarray of shape (n_classes,), dtype int64
        Size of every class.
    cluster_sizes : ndarray of shape (n_clusters,), dtype int64
        Size of every cluster.
    """

    n_shared: NDArray[np.int64]
    class_size: NDArray[np.int64]
    cluster_size: NDArray[np.int64]
    class_sizes: NDArray[np.int64]
    cluster_sizes: NDArray[np.int64]


def contingency(labels_true: ArrayLike, labels_pred: ArrayLike) -> Contingency:
    """Count the samples shared by each class and each cluster.

    Takes O(n log n) time and O(n) memory for n samples, however many classes and clusters
    there are.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Class of each sample, as integers or strings. Samples of class -1 are unlabelled and are
        left out.
    labels_pred : array-like of shape (n_samples,)
        Cluster of each sample, as integers or strings. Each sample with a negative number is an
        outlier and becomes a cluster of its own.

    Returns
    -------
    Contingency
        The non-empty cells and the sizes of classes and clusters.

    Raises
    ------
    ValueError
        If the inputs are empty, not one-dimensional or of different lengths, if they hold
        fractions or missing values, or if no sample is labelled.
    """
    true = _check_labels(labels_true, "labels_true")
    predicted = _check_labels(labels_pred, "labels_pred")
    check_consistent_length(true, predicted)

    if _can_be_negative(true):
        labelled = true != UNLABELLED
        if not labelled.any():
            raise ValueError(f"labels_true has no labelled sample to evaluate on: all {len(true)} are -1")
        true, predicted = true[labelled], predicted[labelled]

    class_sizes, true = _number(true)
    cluster_sizes, predicted = _number(_outliers_as_singletons(predicted))
    cells, n_shared = np.unique(true * len(cluster_sizes) + predicted, return_counts=True)
    class_of_cell, cluster_of_cell = np.divmod(cells, len(cluster_sizes))
    return Contingency(
        n_shared=n_shared.astype(np.int64),
        class_size=class_sizes[class_of_cell],
        cluster_size=cluster_sizes[cluster_of_cell],
        class_sizes=class_sizes,
        cluster_sizes=cluster_sizes,
    )


def _check_labels(labels: ArrayLike, name: str) -> NDArray[Any]:
    """Return labels as a one-dimensional array, or say what is wrong with them."""
    checked = check_array(labels, ensure_2d=False, allow_nd=True, dtype=None, input_name=name)
    if checked.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got an array of shape {checked.shape}")
    if checked.dtype.kind == "O":
        checked = _strings_or_numbers(checked.tolist(), name)
    if checked.dtype.kind == "f":
        fractions = checked[checked % 1 != 0]
        if len(fractions):
            raise ValueError(f"{name} must hold integers or strings, got {fractions[0]}")
    return checked


def _strings_or_numbers(values: list[object], name: str) -> NDArray[Any]:
    """Give Python objects, as pandas and polars hand them over, the dtype they deserve."""
    n_strings = sum(isinstance(value, str) for value in values)
    if 0 < n_strings < len(values):
        raise ValueError(
            f"{name} must hold integers or strings, got {n_strings} strings among {len(values)} values"
        )
    return np.asarray(values)


def _can_be_negative(labels: NDArray[Any]) -> bool:
    """Tell whether labels can be negative, unlike strings, Booleans and unsigned integers."""
    return labels.dtype.kind in "if"


def _number(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace labels by 0 .. n_unique - 1; return the size of each and the numbers."""
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return sizes.astype(np.int64), numbers.astype(np.int64)


def _outliers_as_singletons(labels: NDArray[Any]) -> NDArray[Any]:
    """Give each negative label a number that no other sample has."""
    if not _can_be_negative(labels):
        return labels
    # Not only -1: HDBSCAN of scikit-learn also says -2 and -3, of rows with infinite or missing
    # values.
    outlier = labels < 0
    _, numbers = _number(labels)
    numbers[outlier] = len(labels) + np.arange(np.count_nonzero(outlier))
    return numbers
