"""BCubed precision, recall and F-score."""

from numpy.typing import ArrayLike

from .._compat import validate_params
from ._contingency import contingency


@validate_params(
    {"labels_true": ["array-like"], "labels_pred": ["array-like"]},
    prefer_skip_nested_validation=True,
)
def bcubed_precision_recall_fscore(
    labels_true: ArrayLike, labels_pred: ArrayLike
) -> tuple[float, float, float]:
    r"""Compute BCubed precision, recall and F-score.

    With :math:`T(i)` the samples of the class of sample i and :math:`C(i)` the samples of its
    cluster, both including i itself,

    .. math::

        P = \frac{1}{n} \sum_i \frac{|T(i) \cap C(i)|}{|C(i)|}, \qquad
        R = \frac{1}{n} \sum_i \frac{|T(i) \cap C(i)|}{|T(i)|}, \qquad
        F = \frac{2 P R}{P + R}.

    See [1]_ for what sets these apart from other measures. Each sample has the same weight,
    while in :func:`pairwise_precision_recall_fscore` large classes and clusters dominate.

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
        In (0, 1]. 1.0 if no cluster holds samples of two classes.
    recall : float
        In (0, 1]. 1.0 if no class is spread over two clusters.
    fscore : float
        In (0, 1]. Harmonic mean of precision and recall. Never 0, because each sample shares
        class and cluster with itself.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional or of different lengths, if they hold
        fractions or missing values, or if no sample is labelled.

    See Also
    --------
    bcubed_fscore : The F-score alone.
    pairwise_precision_recall_fscore : The same three numbers with equal weight for each pair.

    References
    ----------
    .. [1] Amigó, E., Gonzalo, J., Artiles, J., & Verdejo, F. (2009). "A comparison of extrinsic
           clustering evaluation metrics based on formal constraints". Information Retrieval,
           12(4), 461-486. :doi:`10.1007/s10791-008-9066-8`

    Examples
    --------
    >>> from sklearn_gcncluster.metrics import bcubed_precision_recall_fscore
    >>> bcubed_precision_recall_fscore([0, 0, 1, 1], [0, 0, 0, 0])
    (0.5, 1.0, 0.666...)

    Outliers are singletons. Here they cost recall, but no precision:

    >>> bcubed_precision_recall_fscore([0, 0, 1, 1], [0, 0, -1, -1])
    (1.0, 0.75, 0.857...)
    """
    table = contingency(labels_true, labels_pred)
    n_samples = table.class_sizes.sum()
    # All samples of a cell have the same ratio: n_shared samples times n_shared / size.
    precision = float((table.n_shared**2 / table.cluster_size).sum() / n_samples)
    recall = float((table.n_shared**2 / table.class_size).sum() / n_samples)
    return precision, recall, 2 * precision * recall / (precision + recall)


def bcubed_fscore(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Compute the BCubed F-score.

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
        The third value of :func:`bcubed_precision_recall_fscore`, in (0, 1]. Higher is better.

    Raises
    ------
    ValueError
        If the labels are empty, not one-dimensional or of different lengths, if they hold
        fractions or missing values, or if no sample is labelled.

    See Also
    --------
    bcubed_precision_recall_fscore : Definition, precision and recall.
    bcubed_scorer : The same for model selection.

    Examples
    --------
    >>> from sklearn_gcncluster.metrics import bcubed_fscore
    >>> bcubed_fscore([0, 0, 1, 1], [0, 0, 1, 1])
    1.0
    """
    return bcubed_precision_recall_fscore(labels_true, labels_pred)[2]
