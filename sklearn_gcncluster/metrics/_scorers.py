"""Scorers for model selection: ``GridSearchCV(..., scoring=pairwise_scorer)``."""

from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from ._bcubed import bcubed_fscore
from ._pairwise import pairwise_fscore


def pairwise_scorer(estimator: Any, X: ArrayLike, y: ArrayLike) -> float:
    """Score a clusterer by the F-score over pairs of samples.

    Pass the function itself as ``scoring`` of :class:`~sklearn.model_selection.GridSearchCV` or
    :func:`~sklearn.model_selection.cross_validate`. Use folds that share no class, as below,
    because a score on classes seen in training says little about new ones.

    Parameters
    ----------
    estimator : estimator object
        A clusterer. Clusters are those of ``estimator.predict(X)``. An estimator without
        ``predict``, such as :class:`~sklearn.cluster.DBSCAN`, learns nothing from the training
        fold: a clone of it clusters X by ``fit_predict``.
    X : array-like of shape (n_samples, n_features)
        Samples to cluster.
    y : array-like of shape (n_samples,)
        Class of each sample. Samples of class -1 are clustered with the others, but are left out
        of the evaluation.

    Returns
    -------
    float
        :func:`pairwise_fscore` of y and the clusters, in [0, 1]. Outliers count as singletons.

    See Also
    --------
    bcubed_scorer : The same with the BCubed F-score.

    Examples
    --------
    >>> from sklearn.cluster import DBSCAN
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import GridSearchCV, GroupKFold
    >>> from sklearn_gcncluster.metrics import pairwise_scorer
    >>> X, y = make_blobs(n_samples=200, centers=20, cluster_std=0.1, random_state=0)
    >>> search = GridSearchCV(
    ...     DBSCAN(), {"eps": [0.001, 0.5, 10]}, scoring=pairwise_scorer, cv=GroupKFold(4)
    ... )
    >>> search.fit(X, y, groups=y).best_params_
    {'eps': 0.5}
    """
    return pairwise_fscore(y, _cluster(estimator, X))


def bcubed_scorer(estimator: Any, X: ArrayLike, y: ArrayLike) -> float:
    """Score a clusterer by the BCubed F-score.

    Pass the function itself as ``scoring`` of :class:`~sklearn.model_selection.GridSearchCV` or
    :func:`~sklearn.model_selection.cross_validate`. Use folds that share no class, as below,
    because a score on classes seen in training says little about new ones.

    Parameters
    ----------
    estimator : estimator object
        A clusterer. Clusters are those of ``estimator.predict(X)``. An estimator without
        ``predict``, such as :class:`~sklearn.cluster.DBSCAN`, learns nothing from the training
        fold: a clone of it clusters X by ``fit_predict``.
    X : array-like of shape (n_samples, n_features)
        Samples to cluster.
    y : array-like of shape (n_samples,)
        Class of each sample. Samples of class -1 are clustered with the others, but are left out
        of the evaluation.

    Returns
    -------
    float
        :func:`bcubed_fscore` of y and the clusters, in (0, 1]. Outliers count as singletons.

    See Also
    --------
    pairwise_scorer : The same with the F-score over pairs of samples.

    Examples
    --------
    >>> from sklearn.cluster import DBSCAN
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import GroupKFold, cross_val_score
    >>> from sklearn_gcncluster.metrics import bcubed_scorer
    >>> X, y = make_blobs(n_samples=200, centers=20, cluster_std=0.1, random_state=0)
    >>> scores = cross_val_score(
    ...     DBSCAN(), X, y, groups=y, scoring=bcubed_scorer, cv=GroupKFold(4)
    ... )
    >>> scores.shape
    (4,)
    """
    return bcubed_fscore(y, _cluster(estimator, X))


def _cluster(estimator: Any, X: ArrayLike) -> ArrayLike:
    """Return the cluster of each sample of X."""
    if hasattr(estimator, "predict"):
        return estimator.predict(X)
    # A clone: scoring must not change what the caller fitted.
    return clone(estimator).fit_predict(X)
