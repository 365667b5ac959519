"""The sparse table of class against cluster that every metric here is computed from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length

from .._labels import class_codes, cluster_codes


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
    true = class_codes(labels_true, "labels_true")[1].astype(np.int64)
    predicted = cluster_codes(labels_pred, "labels_pred").astype(np.int64)
    check_consistent_length(true, predicted)
    labelled = true >= 0
    if not labelled.any():
        raise ValueError(f"labels_true has no labelled sample to evaluate on: all {len(true)} are -1")
    # Codes number the classes without a gap; clusters may have lost all their samples just now.
    true, predicted = true[labelled], _outliers_as_singletons(predicted[labelled])
    class_sizes = np.bincount(true).astype(np.int64)
    _, predicted, sizes = np.unique(predicted, return_inverse=True, return_counts=True)
    cluster_sizes = sizes.astype(np.int64)
    cells, n_shared = np.unique(true * len(cluster_sizes) + predicted, return_counts=True)
    class_of_cell, cluster_of_cell = np.divmod(cells, len(cluster_sizes))
    return Contingency(
        n_shared=n_shared.astype(np.int64),
        class_size=class_sizes[class_of_cell],
        cluster_size=cluster_sizes[cluster_of_cell],
        class_sizes=class_sizes,
        cluster_sizes=cluster_sizes,
    )


def _outliers_as_singletons(clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each outlier a number that no other sample has."""
    outlier = clusters < 0
    return np.where(outlier, clusters.max() + np.cumsum(outlier), clusters)
