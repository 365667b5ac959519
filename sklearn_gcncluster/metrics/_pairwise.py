"""Precision, recall and F-score over pairs of samples."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._compat import validate_params
from ._contingency import contingency


@validate_params(
    {"labels_true": ["array-like"], "labels_pred": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def pairwise_precision_recall_fscore(
    labels_true: ArrayLike, labels_pred: ArrayLike
) -> tuple[float, float, float]:
    r"""Compute precision, recall and F-score over pairs of samples.

    With :math:`T` the pairs of samples of the same class and :math:`C` the pairs of samples of
    the same cluster,

    .. math::

        P = \frac{|T \cap C|}{|C|}, \qquad
        R = \frac{|T \cap C|}{|T|}, \qquad
        F = \frac{2 P R}{P + R} = \frac{2 |T \cap C|}{|T| + |C|}.

    These are the measures of [1]_. A class or cluster of n samples has n (n - 1) / 2 pairs, so
    large ones dominate; :func:`bcubed_precision_recall_fscore` gives each sample the same weight.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Class of each sample, as integers or strings. Samples of class -1 are unlabelled: nobody
        knows what they should be together with, so they are left out before anything is counted.
    labels_pred : array-like of shape (n_samples,)
        Cluster of each sample, as integers or strings. Samples with a negative number are
        outliers, and each is counted as a cluster of its own: that they were all left alone does
        not say that they belong together.

    Returns
    -------
    precision : float
        In [0, 1]. 1.0 if no two samples share a cluster: of the pairs claimed none is wrong.
    recall : float
        In [0, 1]. 1.0 if no two samples share a class: of the pairs to find none is missed.
    fscore : float
        In [0, 1]. 0.0 if there are pairs to find or pairs claimed, but no pair is both. 1.0 if
        there are neither.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional or of different lengths, if they hold
        fractions or missing values, or if no sample is labelled.

    See Also
    --------
    pairwise_fscore : The F-score alone.
    bcubed_precision_recall_fscore : The same three numbers with equal weight for each sample.

    References
    ----------
    .. [1] Yang, L., Zhan, X., Chen, D., Yan, J., Loy, C. C., & Lin, D. (2019). "Learning to
           Cluster Faces on an Affinity Graph". CVPR 2019. :arxiv:`1904.02749`

    Examples
    --------
    >>> from sklearn_gcncluster.metrics import pairwise_precision_recall_fscore
    >>> pairwise_precision_recall_fscore([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
    (0.5, 0.5, 0.5)

    Outliers are singletons. Here they cost recall, but no precision:

    >>> pairwise_precision_recall_fscore([0, 0, 0, 1, 1, 1], [0, 0, -1, 1, 1, -1])
    (1.0, 0.333..., 0.5)
    """
    table = contingency(labels_true, labels_pred)
    n_both = _count_pairs(table.n_shared)
    n_true = _count_pairs(table.class_sizes)
    n_predicted = _count_pairs(table.cluster_sizes)
    return (
        n_both / n_predicted if n_predicted else 1.0,
        n_both / n_true if n_true else 1.0,
        2 * n_both / (n_true + n_predicted) if n_true + n_predicted else 1.0,
    )


def pairwise_fscore(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Compute the F-score over pairs of samples.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Class of each sample, as integers or strings. Samples of class -1 are unlabelled and are
        left out.
    labels_pred : array-like of shape (n_samples,)
        Cluster of each sample, as integers or strings. Each sample with a negative number is
        counted as a cluster of its own.

    Returns
    -------
    float
        The third value of :func:`pairwise_precision_recall_fscore`, in [0, 1]. Higher is better.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional or of different lengths, if they hold
        fractions or missing values, or if no sample is labelled.

    See Also
    --------
    pairwise_precision_recall_fscore : Definition, precision and recall.
    pairwise_scorer : The same for model selection.

    Examples
    --------
    >>> from sklearn_gcncluster.metrics import pairwise_fscore
    >>> pairwise_fscore([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
    0.5
    """
    return pairwise_precision_recall_fscore(labels_true, labels_pred)[2]


def _count_pairs(sizes: NDArray[np.int64]) -> int:
    """Count the unordered pairs inside groups of the given sizes."""
    # A Python integer, so that sums and ratios of counts are exact.
    return int((sizes * (sizes - 1) // 2).sum())
