"""F-scores over a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from .._labels import class_codes
from ..metrics import bcubed_fscore, pairwise_fscore
from ._axes import BLUE, GREY, INK, ORANGE, prepare, proposals_of, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ThresholdDisplay:
    """F-scores over a threshold, such as the floor under the predicted IoU (``min_score``).

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Where the scores were taken.
    pairwise, bcubed : ndarray of shape (n_thresholds,)
        Pairwise and BCubed F.
    clustered : ndarray of shape (n_thresholds,)
        Share of samples that are in a cluster, no outliers.
    threshold_name : str, default="threshold"
        Name of the axis.
    current : float, default=None
        The threshold in use, marked by a vertical line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure that holds it.
    lines_ : list of matplotlib Line2D
        The curves of pairwise F, BCubed F and the share of clustered samples.

    See Also
    --------
    GCNClustering.diagnose : What the floor costs, beside other parts of the error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import DBSCAN
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_gcncluster.plotting import ThresholdDisplay
    >>> X, y = make_blobs(n_samples=200, centers=20, cluster_std=0.1, random_state=0)
    >>> radii = np.linspace(0.05, 2, 10)
    >>> labels = [DBSCAN(eps=eps).fit_predict(X) for eps in radii]
    >>> display = ThresholdDisplay.from_predictions(y, labels, radii, threshold_name="eps")
    >>> print(f"{display.thresholds[display.pairwise.argmax()]:.2f}")
    0.27
    """

    def __init__(
        self,
        thresholds: np.ndarray,
        pairwise: np.ndarray,
        bcubed: np.ndarray,
        clustered: np.ndarray,
        *,
        threshold_name: str = "threshold",
        current: float | None = None,
    ):
        self.thresholds = thresholds
        self.pairwise = pairwise
        self.bcubed = bcubed
        self.clustered = clustered
        self.threshold_name = threshold_name
        self.current = current

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        thresholds: ArrayLike | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ThresholdDisplay:
        """Draw the F-scores over ``min_score``, the floor under the predicted IoU.

        Proposals are made and scored once; only the last step is repeated.

        Parameters
        ----------
        estimator : GCNClustering
            Fitted. It stays as it is; its own `min_score` is marked.
        X : array-like of shape (n_samples, n_features)
            Samples of classes that `fit` has not seen.
        y : array-like of shape (n_samples,)
            True classes; samples with -1 are clustered and left out of the scores.
        thresholds : array-like of shape (n_thresholds,), default=None
            Values of `min_score`; None is 0, 0.025, ..., 1.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        display : ThresholdDisplay
            Drawn.
        """
        proposals = proposals_of(estimator, X)
        values = np.linspace(0, 1, 41) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
        labels = [
            proposals.cluster(
                overlap=estimator.overlap, max_overlap=estimator.max_overlap, min_score=float(value)
            )
            for value in values
        ]
        return cls.from_predictions(
            y, labels, values, threshold_name="min_score", current=estimator.min_score, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        thresholds: ArrayLike,
        *,
        threshold_name: str = "threshold",
        current: float | None = None,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> ThresholdDisplay:
        """Draw the F-scores of given clusterings, of any clusterer.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True classes; samples with -1 are left out.
        y_pred : array-like of shape (n_thresholds, n_samples)
            Clusters at each threshold, negative numbers for outliers.
        thresholds : array-like of shape (n_thresholds,)
            The thresholds.
        threshold_name : str, default="threshold"
            Name of the axis.
        current : float, default=None
            The threshold in use, marked by a vertical line.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        display : ThresholdDisplay
            Drawn.
        """
        _, classes = class_codes(y_true, "y_true")
        values: np.ndarray = check_array(thresholds, ensure_2d=False, input_name="thresholds")
        clusters: np.ndarray = check_array(y_pred, dtype=None, input_name="y_pred")
        if len(clusters) != len(values):
            raise ValueError(
                f"y_pred must have one row of clusters for each threshold, got {len(clusters)} rows for "
                f"{len(values)} thresholds"
            )
        return cls(
            values,
            np.array([pairwise_fscore(classes, labels) for labels in clusters]),
            np.array([bcubed_fscore(classes, labels) for labels in clusters]),
            (clusters >= 0).mean(axis=1),
            threshold_name=threshold_name,
            current=current,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax: Axes | None = None, **kwargs: Any) -> ThresholdDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        self : ThresholdDisplay
            With what was drawn in its attributes.
        """
        self.ax_ = prepare(ax, "ThresholdDisplay")
        self.figure_ = self.ax_.figure
        curves = (
            (self.pairwise, "pairwise F", BLUE, "-"),
            (self.bcubed, "BCubed F", ORANGE, "-"),
            (self.clustered, "share in clusters", GREY, ":"),
        )
        self.lines_ = []
        for values, label, color, linestyle in curves:
            properties = style("line", kwargs, label=label, color=color, linestyle=linestyle, linewidth=2)
            self.lines_ += self.ax_.plot(self.thresholds, values, **properties)
        if self.current is not None:
            self.ax_.axvline(self.current, color=INK, lw=0.8, ls="--", zorder=0, label="in use")
        self.ax_.set(xlabel=self.threshold_name, ylim=(0, 1.03))
        self.ax_.legend(frameon=False, labelcolor=INK)
        return self
